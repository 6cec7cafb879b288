"""The outbox of writes to outside calendars. See `core.db.outboxes`."""

from collections.abc import Iterable
from datetime import datetime

from django.db import transaction
from django.utils.translation import gettext as _

from calendars.domain import publishing, sources
from calendars.models import Push
from core.db import outbox
from core.db.outboxes import Outbox
from core.errors import Conflict, NotFound


def outboxes() -> Iterable[Outbox]:
    yield Outbox(
        name="calendars",
        rows=Push.objects.all(),
        kind="source",
        topic="uid",
        account="calendar__user",
        kinds=lambda: [name for name, _source in sources.named()],
        requeue=requeue,
        withdraw=withdraw,
    )


@transaction.atomic
def requeue(*, pk: int, now: datetime) -> None:
    """Write this object again now."""
    rows = Push.objects.filter(pk=pk)
    found = rows.select_related("calendar").first()
    if found is None:
        raise NotFound("write not found")
    publishing.again(rows, now=now)
    outbox.hint(publishing.WRITE, found.calendar.account_id, found.calendar.user_id)


def withdraw(*, pk: int, now: datetime) -> None:
    """Withdraw a write that waits or has failed. Conflict if it does not, or is being sent."""
    if not outbox.take_back(Push.objects.filter(pk=pk), now=now):
        raise Conflict(_("This message does not wait any more."))
