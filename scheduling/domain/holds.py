"""Verbs of holds: hold a start, confirm it by the link in the email, and sweep what has expired.

A hold takes the host's time as a booking does. It becomes the booking when its link is followed;
until then it does not count towards the limits a day and a week.
"""

import json
import secrets
from collections.abc import Callable, Mapping, Sequence
from dataclasses import asdict
from datetime import UTC, datetime, timedelta
from typing import Any

from django.db import transaction
from django.utils.translation import gettext_lazy

from calendars.domain import freshness, ledger
from core.db.crypto import digest
from core.db.inserting import insert
from core.db.retrying import in_transaction, retrying
from core.errors import InvalidTransition, NotFound
from core.text import mailboxes
from core.text.lines import validate_address
from notifications.domain import notifications
from scheduling.domain import bookings
from scheduling.domain.bookings import INVITEE, Invitee
from scheduling.models import Booking, EventType, Hold

LENGTH = timedelta(minutes=15)
_BATCH = 100
_EXPIRED = gettext_lazy("This link has expired. Nothing is booked; please choose a time again.")


def place(
    *,
    event_type: EventType,
    start: datetime,
    invitee: Invitee,
    duration: int | None = None,
    now: datetime,
    notes: str = "",
    answers: Mapping[str, object] | None = None,
    with_guests: Sequence[str] = (),
    seen: str = "",
    admit: Callable[[], None] = lambda: None,
) -> Hold:
    """Hold an open start (aware), and send the link that books it to the invitee's address.

    Errors and arguments are those of `bookings.book`. The hold ends with the start, if that is
    sooner.
    """
    validate_address(invitee.email)
    start = start.astimezone(UTC)

    def write() -> Hold:
        ledger.lock_person(event_type.host_id, waits=True)
        admit()
        looked = bookings.check(
            event_type_id=event_type.pk,
            duration=duration,
            start=start,
            invitee=invitee,
            actor=INVITEE,
            asked_at=now,
            answers=answers,
            with_guests=with_guests,
            seen=seen,
        )
        said = {
            "invitee": asdict(invitee),
            "duration": looked.wanted.duration,
            "notes": notes,
            "answers": dict(answers or {}),
            "with_guests": list(with_guests),
            "seen": looked.wanted.terms_digest,
        }
        token = secrets.token_urlsafe(32)
        hold = Hold(
            event_type=looked.event_type,
            host=looked.event_type.host,
            start=start,
            end=start + timedelta(minutes=looked.wanted.duration),
            mailbox=mailboxes.digest(invitee.email),
            token_digest=digest(token),
            facts=json.dumps(said),
            created_at=now,
            expires_at=min(now + LENGTH, start),
        )
        hold.busy_time = bookings.claim(hold)
        insert(hold)
        told = {"id": hold.pk, "token": token}
        notifications.enqueue(
            [notifications.email("hold_confirm", told, topic=hold.topic)], now=now
        )
        return hold

    freshness.freshen([event_type.host_id], now=now)
    return in_transaction(write)


def said(hold: Hold) -> dict[str, Any]:
    """Return what the form of a waiting hold said: arguments of `bookings.book`."""
    kept: dict[str, Any] = json.loads(hold.facts)
    return kept | {"invitee": Invitee(**kept["invitee"])}


def find(token: str) -> Hold:
    """Return the hold behind a link. Raise NotFound if there is none any more."""
    rows = Hold.objects.select_related("event_type", "host", "booking")
    hold = rows.filter(token_digest=digest(token)).first()
    if hold is None:
        raise NotFound(str(_EXPIRED))
    return hold


def confirm(*, hold: Hold, now: datetime, admit: Callable[[], None] = lambda: None) -> Booking:
    """Book what is held. The second time return the same booking.

    The hold's own time is released and claimed in one transaction, so nobody slips in between.
    InvalidTransition if the hold has expired, NotFound if it is gone. Other errors, and `admit`,
    are those of `bookings.book`.
    """
    freshness.freshen([hold.host_id], now=now)

    def write() -> Booking:
        with transaction.atomic():
            ledger.lock_people([hold.host_id])
            rows = Hold.objects.select_for_update(of=("self",), no_key=True)
            locked = rows.select_related("event_type", "host").filter(pk=hold.pk).first()
            if locked is None:
                raise NotFound(str(_EXPIRED))
            if locked.booking_id is not None:
                # Not by the join: after a wait for the lock it is the join of before.
                return Booking.objects.with_people().get(pk=locked.booking_id)
            if not locked.is_open(now):
                raise InvalidTransition(str(_EXPIRED), reason="expired")
            wanted = said(locked)
            _release([locked])
            locked.booking = booking = bookings.book(
                event_type=locked.event_type,
                start=locked.start,
                actor=INVITEE,
                now=now,
                asked_at=locked.created_at,
                admit=admit,
                **wanted,
            )
            locked.facts, locked.is_waiting = "", False
            locked.save(update_fields=["booking", "busy_time", "facts", "is_waiting"])
        return booking

    return retrying(write)


def sweep(*, now: datetime) -> None:
    """Forget a batch of expired holds: their time is free, and what the form said is gone."""
    with transaction.atomic():
        due = Hold.objects.filter(is_waiting=True, expires_at__lte=now).order_by("expires_at")
        locked = list(due.select_for_update(no_key=True, skip_locked=True)[:_BATCH])
        _forget(locked)


def withdraw(*, event_type: EventType) -> None:
    """Forget the holds of an event type that is about to be deleted, in the caller's transaction.

    The caller holds the host's lock.
    """
    _forget(list(event_type.holds.filter(is_waiting=True)))


def _forget(holds: Sequence[Hold]) -> None:
    _release(holds)
    for hold in holds:
        hold.facts, hold.is_waiting = "", False
    Hold.objects.bulk_update(holds, ["busy_time", "facts", "is_waiting"])


def _release(holds: Sequence[Hold]) -> None:
    held = [hold.busy_time_id for hold in holds if hold.busy_time_id is not None]
    for hold in holds:
        hold.busy_time = None
    if held:
        ledger.release(held)
