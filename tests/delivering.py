"""The delivery of what is due, as a worker does it."""

from webhooks.domain.dispatch import Dispatcher
from webhooks.models import Attempt


def deliver_due() -> int:
    """Send everything that is due to webhooks. Return the number of attempts."""
    before = Attempt.objects.count()
    Dispatcher().run()
    return Attempt.objects.count() - before
