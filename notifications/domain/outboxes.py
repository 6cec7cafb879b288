"""The outboxes of emails and push messages. See `core.db.outboxes`."""

from collections.abc import Iterable
from datetime import datetime

from django.db import transaction
from django.utils.translation import gettext as _

from core.db import outbox
from core.db.outboxes import Outbox
from core.errors import Conflict
from notifications.domain import kinds
from notifications.models import Notification


def outboxes() -> Iterable[Outbox]:
    for channel in Notification.Channel:
        yield Outbox(
            name=channel.value,
            rows=Notification.objects.filter(channel=channel),
            kind="kind",
            topic="topic",
            account="user",
            kinds=kinds.known,
            requeue=requeue,
            withdraw=withdraw,
        )


@transaction.atomic
def requeue(*, pk: int, now: datetime) -> None:
    """Send a message again, or now if it waits for a retry. Conflict if it is on its way."""
    rows = Notification.objects.filter(pk=pk)
    if not (outbox.requeue(rows, now=now) or outbox.retry_now(rows, now=now)):
        raise Conflict(_("This message is on its way already."))
    for channel in rows.values_list("channel", flat=True):
        outbox.hint("notifications.tasks.deliver", channel)


def withdraw(*, pk: int, now: datetime) -> None:
    """Withdraw a message that waits or has failed. Conflict if it does not, or is being sent."""
    if not outbox.take_back(Notification.objects.filter(pk=pk), now=now):
        raise Conflict(_("This message does not wait any more."))
