"""The outbox of deliveries to webhooks. See `core.db.outboxes`."""

from collections.abc import Iterable
from datetime import datetime

from django.db import transaction
from django.utils.translation import gettext as _

from core.db import outbox
from core.db.outboxes import Outbox
from core.errors import Conflict, NotFound
from webhooks.domain import services
from webhooks.domain.events import EVENTS, TEST
from webhooks.models import Delivery


def outboxes() -> Iterable[Outbox]:
    yield Outbox(
        name="webhooks",
        rows=Delivery.objects.all(),
        kind="event__type",
        topic="event__topic",
        account="webhook__owner",
        kinds=lambda: [*EVENTS, TEST],
        requeue=requeue,
        withdraw=withdraw,
    )


@transaction.atomic
def requeue(*, pk: int, now: datetime) -> None:
    """Send a delivery again, or now if it waits for a retry.

    It is refused as `services.redeliver` refuses it.
    """
    rows = Delivery.objects.filter(pk=pk)
    if outbox.retry_now(rows, now=now):
        outbox.hint("webhooks.tasks.deliver")
        return
    found = rows.select_related("webhook").first()
    if found is None:
        raise NotFound("delivery not found")
    services.redeliver(found=found, now=now)


def withdraw(*, pk: int, now: datetime) -> None:
    """Withdraw a delivery that waits or has failed. Conflict if it does not, or is being sent."""
    if not outbox.take_back(Delivery.objects.filter(pk=pk), now=now):
        raise Conflict(_("This message does not wait any more."))
