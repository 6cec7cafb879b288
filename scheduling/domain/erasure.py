"""Erasure of invitees, at their own wish or by age. The time of their bookings is kept."""

from collections.abc import Mapping, Sequence
from datetime import datetime
from typing import Any

from django.db import transaction
from django.db.models import Case, F, QuerySet, Value, When
from django.utils import translation

from calendars.domain import publishing as outside
from core.api import idempotency
from core.db.retrying import retrying
from notifications.domain import notifications as outgoing
from scheduling.domain import bookings, limits
from scheduling.domain.readings import InviteeSerializer
from scheduling.models import Booking, Guest, HistoryEntry
from scheduling.models.enums import OVER, Role
from webhooks.domain import publishing

NOBODY = "deleted@deleted.invalid"
"""An address at which nobody is, nor can be (RFC 2606)."""


def erase_invitee(*, booking: Booking, now: datetime) -> None:
    """Forget the invitee of this booking. One to come is cancelled first, so the host hears."""

    def write() -> None:
        with transaction.atomic():
            locked = Booking.objects.select_for_update(no_key=True).get(pk=booking.pk)
            if locked.erased_at is not None:
                return
            settle(locked, actor=bookings.INVITEE, now=now)
            forget_invitees([locked.pk], now=now)

    retrying(write)


def settle(booking: Booking, *, actor: bookings.Actor, now: datetime) -> None:
    """Cancel an open booking. For any other booking, record how it has ended."""
    status = booking.status_at(now)
    if status not in OVER:
        bookings.cancel(booking=booking, actor=actor, now=now, is_erasure=True)
    elif status != booking.status:
        bookings.record_overdue(booking=booking, now=now)


def forget_invitees(ids: Sequence[int], *, now: datetime) -> None:
    """Erase the invitees of these bookings, which are over, and all messages about them.

    Emails on their way are sent and erased afterwards. Pending webhook deliveries no longer name
    anybody (see `webhooks.domain.publishing.forget`). Entries in the hosts' own calendars are
    written again without the name. The digest of a mailbox stays for a day (`with_spent_mailbox`),
    and so does that of a guest. The caller opens the transaction.
    """
    nobody = {
        "invitee_name": "",
        "invitee_email": NOBODY,
        "invitee_phone": "",
        "notes": "",
        "custom_field_values": {},
        "join_url": "",
        "metadata": {},
        "timezone": "UTC",
        "language": "",
        "erased_at": now,
    }
    topics = Booking.topics_of(ids)
    outgoing.forget(topics=topics)
    by_invitee = When(last_by=Role.INVITEE, then=Value(""))
    reason = Case(by_invitee, default=F("last_reason"))
    Booking.objects.filter(pk__in=ids).update(**nobody, last_reason=reason, updated_at=now)
    Guest.objects.filter(booking__in=ids).update(email="")
    said = HistoryEntry.objects.filter(booking__in=ids, role=Role.INVITEE)
    said.exclude(reason="").update(reason="")
    _forget_copies(ids, now=now)
    with translation.override("en"):
        invitee = InviteeSerializer(Booking(invitee_email=NOBODY, erased_at=now)).data
    publishing.forget(topics=topics, blanks=lambda event: _blanks(event, invitee))


def forget_guests(keys: Sequence[int], *, now: datetime) -> None:
    """Erase these guests, with what programs and the hosts' calendars were told of guests.

    The caller opens the transaction.
    """
    guests = Guest.objects.filter(pk__in=keys)
    ids = list(guests.order_by().values_list("booking", flat=True).distinct())
    guests.update(email="")
    _forget_copies(ids, now=now)
    publishing.forget(
        topics=Booking.topics_of(ids),
        blanks=lambda event: {"guests": []} if "guests" in event else {},
    )


def _forget_copies(ids: Sequence[int], *, now: datetime) -> None:
    """Forget kept answers about these bookings, and write the hosts' calendars again."""
    idempotency.forget(topics=Booking.topics_of(ids))
    hosts = dict(Booking.objects.filter(pk__in=ids).values_list("calendar_uid", "host"))
    outside.renew(hosts.keys(), owners=set(hosts.values()), now=now)


def _blanks(event: Mapping[str, Any], invitee: Mapping[str, Any]) -> dict[str, Any]:
    """Return the values that take the place of an invitee's in an event as the API showed it.

    An event that was published by an earlier version has fewer of them.
    """
    last = event.get("last_change", {})
    blanks = {
        "invitee": invitee,
        "guests": [],
        "timezone": "UTC",
        "location": event.get("location", {}) | {"join_url": None},
        "join_url": None,
        "notes": "",
        "custom_field_values": {},
        "questions": [],
        "metadata": {},
        "last_change": last | {"reason": ""} if last.get("by") == Role.INVITEE else last,
        "cancel_url": None,
        "reschedule_url": None,
    }
    return {name: blank for name, blank in blanks.items() if name in event}


def with_spent_mailbox(now: datetime) -> QuerySet[Booking, Booking]:
    """Return the erased bookings whose mailbox digest no limit counts any more.

    Until then it stays. Otherwise people could erase a booking and book again, and have mail sent,
    without end.
    """
    erased = Booking.objects.exclude(erased_at=None).exclude(invitee_mailbox="")
    return erased.filter(created_at__lte=now - limits.DAY)


def spent_guests(now: datetime) -> QuerySet[Guest, Guest]:
    """Return the erased guests whom no limit counts any more."""
    return Guest.objects.filter(email="", created_at__lte=now - limits.DAY)


def forget_mailboxes(ids: Sequence[int]) -> None:
    """Erase the mailbox digests of these bookings."""
    Booking.objects.filter(pk__in=ids).update(invitee_mailbox="")
