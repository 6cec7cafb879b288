"""Verbs of bookings: book, confirm, reject, cancel, reschedule, update.

Each takes `now` (aware) and writes its change, history row and notifications in one transaction.
"""

from collections.abc import Callable, Mapping, Sequence
from dataclasses import dataclass
from datetime import UTC, datetime, timedelta
from functools import partial
from typing import Any, cast

from django.db import transaction
from django.utils.translation import gettext as _
from django.utils.translation import gettext_lazy

from accounts.domain.services import lock
from accounts.models import User
from calendars.domain import freshness, ledger
from calendars.models import BusyTime
from core.db.inserting import insert
from core.db.prepared import Prepared
from core.db.retrying import in_transaction, retrying
from core.errors import Invalid, InvalidTransition, NotFound, TimeTaken, TooLate
from core.ops import faults
from core.text.lines import validate_address
from core.text.links import require_link
from scheduling.domain import availability, guests, lifecycle, notices, publishing
from scheduling.domain.lifecycle import Step
from scheduling.models import Booking, EventType, Hold
from scheduling.models.enums import FREED, OPEN, TRANSITIONS, Change, Location, Role, Status
from scheduling.models.lifecycle import calendar_uid_of
from scheduling.rules.custom_fields import checked_answers, checked_phone
from scheduling.rules.metadata import check as check_metadata
from scheduling.rules.slots import Reason

_TAKEN = {
    Reason.BUSY: gettext_lazy("That time is no longer free."),
    Reason.BUFFER: gettext_lazy("That time is too close to something else."),
    Reason.DAILY_LIMIT: gettext_lazy("That day is fully booked."),
    Reason.WEEKLY_LIMIT: gettext_lazy("That week is fully booked."),
}
_LAST = ("last_change", "last_by", "last_reason", "last_at")
_NEVER_OFFERED = {
    Reason.OUTSIDE_HOURS: gettext_lazy("That time is outside the host's availability."),
    Reason.OFF_GRID: gettext_lazy("No meeting starts at that time."),
    Reason.NOTICE: gettext_lazy("That time has passed, or is too soon."),
    Reason.HORIZON: gettext_lazy("That time is too far ahead."),
}
_OFFERED = Prepared(lambda event_type: EventType.objects.bookable().filter(pk=event_type))


@dataclass(frozen=True)
class Invitee:
    """Person who books. `timezone` is an IANA name: their emails tell times in it.

    `language` is one of `settings.LANGUAGES`, or empty for the host's.
    """

    name: str
    email: str
    timezone: str
    phone: str = ""
    language: str = ""
    time_format: str = "HH:mm"


Actor = lifecycle.Actor[Role]
CLOCK = Actor(Role.CLOCK)
INVITEE = Actor(Role.INVITEE)


def host(user: User) -> Actor:
    return Actor(Role.HOST, user)


@dataclass(frozen=True)
class Checked:
    """Parts of a new booking that were read and checked just now.

    `wanted` is the event type with the chosen duration.
    """

    event_type: EventType
    wanted: EventType
    phone: str
    answers: dict[str, Any]
    guests: list[str]


def check(
    *,
    event_type_id: int,
    duration: int | None,
    start: datetime,
    invitee: Invitee,
    actor: Actor,
    asked_at: datetime,
    answers: Mapping[str, object] | None,
    with_guests: Sequence[str],
    seen: str,
    over_calendar: bool = False,
) -> Checked:
    """Read the event type anew, and check what is wanted of it. Errors are those of `book`.

    Its terms may have changed, or it may be gone.
    """
    found = _OFFERED.objects(event_type=event_type_id)
    if not found:
        raise Invalid(_("This event type cannot be booked."), field="event_type_id")
    [offered] = found
    wanted = availability.lasting(offered, duration)
    _check_terms(wanted, seen)
    near = (offered.host.weekly_availability.timezone, invitee.timezone)
    phone = _checked_phone(offered, invitee.phone, near)
    kept = checked_answers(offered.custom_fields, answers or {}, near=near)
    invited = guests.checked(with_guests, invitee=invitee.email, host=offered.host.email)
    _check_start(wanted, start, asked_at, actor=actor, over_calendar=over_calendar)
    return Checked(offered, wanted, phone, kept, invited)


def find(*, key: str, user: User) -> Booking:
    """Return a booking of this host by number or uuid. Raise NotFound otherwise."""
    booking = Booking.objects.visible_to(user).named(key).with_people().first()
    if booking is None:
        raise NotFound("event not found")
    return booking


def book(
    *,
    event_type: EventType,
    start: datetime,
    invitee: Invitee,
    duration: int | None = None,
    actor: Actor,
    now: datetime,
    notes: str = "",
    answers: Mapping[str, object] | None = None,
    join_url: str = "",
    metadata: Mapping[str, str] | None = None,
    with_guests: Sequence[str] = (),
    seen: str = "",
    over_calendar: bool = False,
    is_approved: bool = False,
    asked_at: datetime | None = None,
    admit: Callable[[], None] = lambda: None,
) -> Booking:
    """Book an open start (aware). The booking is pending if the host must approve, else confirmed.

    It `is_approved` at once where the host books on a page: nobody is asked. `asked_at` is when the
    start was chosen, if that was earlier: minimum notice and booking window are those of then.

    Outside calendars of the host that were not read lately are read first (`freshness`). A host who
    knows what their own calendar has at that time may book `over_calendar`.

    `duration` is one of those that the event type offers, in minutes; None is the usual one.
    `join_url` is a link of its own, in place of the event type's. `metadata` are texts for the
    program that books. `with_guests` are addresses of people whom the invitee brings along: they
    are invited once the booking is confirmed. `seen` is the digest of the terms that the actor saw,
    or empty if it does not matter. `admit` raises the error that refuses one more booking
    (`scheduling.domain.limits`). It is called with the host locked, and once before where others
    hold the lock.

    Raise TimeTaken, with the engine's reason, if the time is taken; with the reason `calendar` if
    only the host's own calendar is in the host's way. Raise Invalid on the field `terms` if the
    terms have changed. The field is `start_time` for a start that is never offered, not yet or no
    longer. It is `event_type_id` if the event type cannot be booked any more. It is `duration` if
    that is not offered. It is
    `attendee_phone` for a text that is no telephone number, or for none if the host is to call. It
    is `custom_field_values.<name>` for an answer that does not fit its question, `join_url` for a
    text that is no link, `metadata` for more than fits, and `guests` for an address that cannot be
    invited.
    """
    validate_address(invitee.email)
    require_link(join_url, field="join_url")
    check_metadata(metadata or {})
    start = start.astimezone(UTC)  # nothing is added to a wall time

    def look() -> Checked:
        admit()
        return check(
            event_type_id=event_type.pk,
            duration=duration,
            start=start,
            invitee=invitee,
            actor=actor,
            asked_at=asked_at or now,
            answers=answers,
            with_guests=with_guests,
            seen=seen,
            over_calendar=over_calendar,
        )

    def write(*, waits: bool) -> Booking | None:
        if not ledger.lock_person(event_type.host_id, waits=waits):
            return None
        looked = look()
        offered = looked.event_type
        step = Step(Change.CREATED, actor, now, calendars_as_of=as_of)
        booking = Booking(
            event_type=offered,
            host=offered.host,
            invitee_name=invitee.name,
            invitee_email=invitee.email,
            invitee_phone=looked.phone,
            timezone=invitee.timezone,
            language=invitee.language,
            time_format=invitee.time_format,
            start=start,
            end=start + timedelta(minutes=looked.wanted.duration),
            notes=notes,
            custom_field_values=looked.answers,
            join_url=join_url,
            metadata=dict(metadata or {}),
            status=(
                Status.PENDING
                if offered.requires_approval and not is_approved
                else Status.CONFIRMED
            ),
            made_by=actor.role,
            created_at=now,
            updated_at=now,
        )
        booking.calendar_uid = calendar_uid_of(booking.uuid)
        booking.busy_time = claim(booking)
        _keep_last(booking, step)
        insert(booking)
        lifecycle.record(booking, step)
        is_certain = booking.status == Status.CONFIRMED
        changes = [Change.CREATED, *([Change.CONFIRMED] if is_certain else [])]
        brought = guests.add(booking, looked.guests, now=now)
        notices.created(booking, brought, by=actor.role, now=now)
        publishing.publish(booking, *changes, now=now)
        faults.point("booking.created")
        return booking

    as_of = freshness.freshen([event_type.host_id], now=now)
    booking = in_transaction(partial(write, waits=False))
    if booking is None:
        look()  # first without the lock, so that late requests block nobody
        booking = in_transaction(partial(write, waits=True))
    return cast(Booking, booking)


def confirm(
    *, booking: Booking, actor: Actor, now: datetime, sequence: int | None = None
) -> Booking:
    """Approve a pending booking as the host."""
    return _move(booking, Step(Change.CONFIRMED, actor, now, sequence=sequence))


def reject(
    *,
    booking: Booking,
    actor: Actor,
    now: datetime,
    reason: str = "",
    sequence: int | None = None,
) -> Booking:
    """Decline a pending booking as the host. Its time is free again."""
    return _move(booking, Step(Change.REJECTED, actor, now, reason, sequence))


def cancel(
    *,
    booking: Booking,
    actor: Actor,
    now: datetime,
    reason: str = "",
    sequence: int | None = None,
    is_erasure: bool = False,
) -> Booking:
    """Cancel a booking as host, invitee or staff. Its time is free again.

    Raise TooLate for an invitee within the cancellation notice, unless it `is_erasure`: that is
    possible at any time.
    """

    def prepare(locked: Booking, step: Step[Role], was: Status) -> Status:
        if not is_erasure:
            _check_in_time(locked, step)
        return _prepare(locked, step, was)

    return _move(booking, Step(Change.CANCELLED, actor, now, reason, sequence), prepare=prepare)


def record_overdue(*, booking: Booking, now: datetime) -> Booking:
    """Record that time has expired or completed this booking."""
    return _move(booking, Step(lifecycle.overdue_change(booking, now), CLOCK, now))


def reschedule(
    *,
    booking: Booking,
    start: datetime,
    actor: Actor,
    now: datetime,
    reason: str = "",
    sequence: int | None = None,
    seen: str = "",
    over_calendar: bool = False,
    admit: Callable[[], None] = lambda: None,
) -> Booking:
    """Move it to another start (aware) that is offered; its own time does not stand in the way.

    Its length stays. Its status stays, but goes back to pending where an invitee moves what a host
    must approve. The start that it has changes nothing. `admit` is asked with the booking locked.
    PersonGone where the host's account is closed. TooLate as in `cancel`; `seen`, `over_calendar`,
    TimeTaken, Invalid and InvalidTransition as in `book` and the other verbs.
    """
    start = start.astimezone(UTC)
    as_of = freshness.freshen([booking.host_id], now=now)
    step = Step(Change.RESCHEDULED, actor, now, reason, sequence, as_of)
    before = booking.start, booking.end

    def is_repeated(locked: Booking, step: Step[Role], was: Status) -> bool:
        return start == locked.start and was in TRANSITIONS[Change.RESCHEDULED]

    def prepare(locked: Booking, step: Step[Role], was: Status) -> Status:
        nonlocal before
        _check_in_time(locked, step)
        admit()
        ledger.lock_active([locked.host])
        event_type = EventType.objects.with_hours().get(pk=locked.event_type_id)
        _check_terms(event_type, seen)
        _check_start(
            event_type, start, now, moving=locked, actor=actor, over_calendar=over_calendar
        )
        before = locked.start, locked.end
        locked.previous_start, locked.previous_end = before
        _keep_last(locked, step)
        locked.event_type = event_type
        locked.start, locked.end = start, start + (locked.end - locked.start)
        _release(locked)
        locked.busy_time = claim(locked)
        asks_again = actor.role is Role.INVITEE and event_type.requires_approval
        return Status.PENDING if asks_again else was

    def announce(moved: Booking, step: Step[Role], was: Status) -> None:
        notices.rescheduled(moved, step, was, before=before)
        publishing.publish(moved, step.change, now=now)

    return lifecycle.move(
        booking,
        step,
        prepare=prepare,
        announce=announce,
        fields=["start", "end", "busy_time", "previous_start", "previous_end", *_LAST],
        is_repeated=is_repeated,
    )


def update(
    *,
    booking: Booking,
    now: datetime,
    notes: str | None = None,
    phone: str | None = None,
    answers: Mapping[str, object] | None = None,
    join_url: str | None = None,
    admit: Callable[[], None] = lambda: None,
) -> Booking:
    """Change the notes, the phone number, the answers and the link.

    Answers that are not given stay; None removes one. Only given values are checked, because the
    questions may have changed since the others were answered. An empty link gives way to that of
    the event type. If people join a confirmed booking by another link then, its calendar entry goes
    out anew. `admit` is called before that, with the booking locked, and may refuse it.
    """
    require_link(join_url or "", field="join_url")

    def write() -> Booking:
        with transaction.atomic():
            locked = Booking.objects.lock(booking.pk)
            lock(locked.host_id)
            near = (locked.host.weekly_availability.timezone, locked.timezone)
            if notes is not None:
                locked.notes = notes
            if phone is not None:
                locked.invitee_phone = _checked_phone(locked.event_type, phone, near)
            if answers is not None:
                fields = locked.event_type.custom_fields
                asked = [field for field in fields if field["name"] in answers]
                kept = {k: v for k, v in locked.custom_field_values.items() if k not in answers}
                checked = checked_answers(asked, answers, near=near, beside=len(kept))
                locked.custom_field_values = kept | checked
            former = locked.link
            if join_url is not None:
                locked.join_url = join_url
            is_stale = locked.link != former and locked.status_at(now) == Status.CONFIRMED
            if is_stale:  # the entry in the calendars of both
                admit()
                locked.sequence += 1
            locked.updated_at = now
            columns = ["notes", "invitee_phone", "custom_field_values", "join_url", "updated_at"]
            locked.save(update_fields=[*columns, "sequence"])
            publishing.show(locked, now=now)
            if is_stale:
                notices.linked(locked, now=now)
        return locked

    return retrying(write)


def mark_no_show(*, booking: Booking, no_show: bool, now: datetime) -> Booking:
    """Note as the host that the invitee did not come, or that they did. Nobody gets a message.

    InvalidTransition unless the booking is confirmed or completed, and has begun.
    """

    def write() -> Booking:
        with transaction.atomic():
            locked = Booking.objects.lock(booking.pk)
            if not locked.has_begun(now):
                status = locked.status_at(now)
                message = _("Only a confirmed event that has begun can be marked as a no-show.")
                raise InvalidTransition(message, reason=status)
            if no_show != (locked.no_show_at is not None):
                locked.no_show_at = now if no_show else None
                locked.updated_at = now
                locked.save(update_fields=["no_show_at", "updated_at"])
        return locked

    return retrying(write)


def note_undelivered(*, booking: Booking, now: datetime) -> None:
    """Note that the invitee's address refuses messages.

    The host hears of it once, if the booking is to come.
    """
    with transaction.atomic():
        noted = Booking.objects.filter(pk=booking.pk, undelivered_at=None, erased_at=None)
        if noted.update(undelivered_at=now) and booking.status_at(now) in OPEN:
            notices.undelivered(booking, now=now)


def _check_in_time(locked: Booking, step: Step[Role]) -> None:
    """Raise TooLate for an invitee who cancels or reschedules within the cancellation notice."""
    until = locked.changeable_until
    if step.actor.role is Role.INVITEE and until is not None and step.now > until:
        raise TooLate(_("It is too late to reschedule or cancel this booking."))


def _prepare(locked: Booking, step: Step[Role], was: Status) -> Status:
    to = Status(step.change.value)
    _keep_last(locked, step)
    if to is Status.CONFIRMED:
        ledger.lock_active([locked.host])
    elif to in FREED:  # a completed booking keeps its time, in the past
        ledger.lock_people([locked.host_id])
        _release(locked)
    return to


def _move(
    booking: Booking,
    step: Step[Role],
    *,
    prepare: Callable[[Booking, Step[Role], Status], Status] = _prepare,
) -> Booking:
    """Bring a booking into the status that its change is named after."""
    fields = ["busy_time", *_LAST]
    return lifecycle.move(booking, step, prepare=prepare, announce=_announce, fields=fields)


def _announce(moved: Booking, step: Step[Role], was: Status) -> None:
    notices.moved(moved, step, was)
    publishing.publish(moved, step.change, now=step.now)
    faults.point("booking.moved")


def _keep_last(booking: Booking, step: Step[Role]) -> None:
    """Keep on the row itself what is shown of the newest entry of its history."""
    booking.last_change, booking.last_by = step.change, step.actor.role
    booking.last_reason, booking.last_at = step.reason, step.now


def _checked_phone(event_type: EventType, phone: str, near: tuple[str, ...]) -> str:
    """Return the phone number to keep. A host who is to call needs one."""
    if phone.strip():
        return checked_phone(phone, "attendee_phone", near)
    if event_type.location == Location.PHONE_CALL:
        raise Invalid(_("%(label)s is required.") % {"label": _("Phone")}, field="attendee_phone")
    return ""


def _check_terms(event_type: EventType, seen: str) -> None:
    if seen and seen != event_type.terms_digest:
        message = _("The terms have changed since this page was opened. Please review them.")
        raise Invalid(message, field="terms")


def _check_start(
    event_type: EventType,
    start: datetime,
    now: datetime,
    *,
    actor: Actor,
    over_calendar: bool,
    moving: Booking | None = None,
) -> None:
    judge = partial(availability.judge, event_type, start=start, now=now, moving=moving)
    is_host = actor.role is Role.HOST
    reason = judge(over_blocking=is_host and over_calendar)
    if reason in _TAKEN:
        if is_host and not over_calendar and judge(over_blocking=True) is Reason.OPEN:
            raise TimeTaken(_("Your own calendar has something at that time."), reason="calendar")
        raise TimeTaken(str(_TAKEN[reason]), reason=reason)
    if reason in _NEVER_OFFERED:
        raise Invalid(str(_NEVER_OFFERED[reason]), field="start_time")


def claim(booking: Booking | Hold) -> BusyTime:
    """Claim the time of a booking or a hold, and its buffers; `check` has found it free."""
    before = timedelta(minutes=booking.event_type.buffer_time_before)
    after = timedelta(minutes=booking.event_type.buffer_time_after)
    return ledger.claim_free(
        user=booking.host, start=booking.start - before, end=booking.end + after
    )


def _release(booking: Booking) -> None:
    if booking.busy_time_id is not None:
        held, booking.busy_time = booking.busy_time_id, None
        ledger.release([held])
