"""Notices of a change of a booking, to the outbox in the caller's transaction.

They say who hears of it and what. `scheduling.messages.letters` writes the texts.
"""

from collections.abc import Iterator, Sequence
from datetime import datetime, timedelta

from notifications.domain import notifications
from notifications.models import Notification
from scheduling.domain import facts
from scheduling.domain.lifecycle import Step
from scheduling.models import Booking, Guest
from scheduling.models.enums import Change, Method, Role, Status

_BOTH = (Role.HOST, Role.INVITEE)


def created(booking: Booking, guests: Sequence[Guest], *, by: Role, now: datetime) -> None:
    """Notify both parties of a request that the host must approve, or of a confirmed booking.

    `guests` are its guests, who hear of it once it is confirmed.
    """
    if booking.status == Status.PENDING:
        rows = [_email(booking, role, "booking_requested", now) for role in _BOTH]
        rows.extend(_unanswered(booking, now))
    else:
        rows = list(_put_into_calendars(booking, guests, now))
    if by is not Role.HOST:
        rows.append(_push(booking, "booking-created", now))
    notifications.enqueue(rows, now=now)


def moved(booking: Booking, step: Step[Role], was: Status) -> None:
    """Tell people of a change of status. Nobody hears that a booking has taken place."""
    by, now, rows = step.actor.role, step.now, list[Notification]()
    match step.change:
        case Change.CONFIRMED:
            rows = list(_put_into_calendars(booking, booking.invited, now))
        case Change.REJECTED:
            rows = [_email(booking, Role.INVITEE, "booking_rejected", now, reason=step.reason)]
        case Change.CANCELLED:
            notifications.withdraw(topic=booking.reminder_topic, now=now)
            calendar = Method.CANCEL if was == Status.CONFIRMED else ""
            rows = [
                _email(
                    booking,
                    role,
                    "booking_cancelled",
                    now,
                    calendar=calendar,
                    by=by.value,
                    reason=step.reason,
                )
                for role in _BOTH
            ]
            if was == Status.CONFIRMED:
                rows.extend(_uninvite(booking, step))
            if by is not Role.HOST:
                rows.append(_push(booking, "booking-cancelled", now))
        case Change.EXPIRED:  # nobody caused it, so both hear of it
            rows = [_email(booking, role, "booking_expired", now) for role in _BOTH]
    notifications.enqueue(rows, now=now)


def rescheduled(
    booking: Booking, step: Step[Role], was: Status, *, before: tuple[datetime, datetime]
) -> None:
    """Notify both parties of the new time, and update their calendars.

    A booking that must be approved again leaves the calendars. `before` is its former start and
    end.
    """
    by, now = step.actor.role, step.now
    notifications.withdraw(topic=booking.reminder_topic, now=now)
    calendar = ""
    if was == Status.CONFIRMED:
        calendar = Method.REQUEST if booking.status == Status.CONFIRMED else Method.CANCEL
    rows = []
    for role in _BOTH:
        rows.append(
            _email(
                booking,
                role,
                "booking_rescheduled",
                now,
                calendar=calendar,
                before=[moment.isoformat() for moment in before],
                by=by.value,
                reason=step.reason,
            )
        )
        if booking.status == Status.CONFIRMED:
            rows.extend(_reminders(booking, role, now))
    if was == Status.CONFIRMED == booking.status:
        rows.extend(_tell_guests(booking, now, before=before))
    elif was == Status.CONFIRMED:
        rows.extend(_uninvite(booking, step, before=before))
    if booking.status == Status.PENDING:
        rows.extend(_unanswered(booking, now))
    if by is not Role.HOST:
        rows.append(_push(booking, "booking-rescheduled", now))
    notifications.enqueue(rows, now=now)


def linked(booking: Booking, *, now: datetime) -> None:
    """Send both parties and the guests the calendar entry with its new link."""
    rows = [_email(booking, role, "booking_linked", now, calendar=Method.REQUEST) for role in _BOTH]
    rows.extend(_tell_guests(booking, now))
    notifications.enqueue(rows, now=now)


def _put_into_calendars(
    booking: Booking, guests: Sequence[Guest], now: datetime
) -> Iterator[Notification]:
    """Send both parties a calendar entry and the reminders to come, and the guests an entry."""
    for guest in guests:
        yield _email_to(guest, booking, "guest_invited", now, calendar=Method.REQUEST)
    for role in _BOTH:
        yield _email(booking, role, "booking_confirmed", now, calendar=Method.REQUEST)
        yield from _reminders(booking, role, now)


def undelivered(booking: Booking, *, now: datetime) -> None:
    """Tell the host that the invitee's address refuses messages."""
    notifications.enqueue([_email(booking, Role.HOST, "booking_undelivered", now)], now=now)


def _unanswered(booking: Booking, now: datetime) -> Iterator[Notification]:
    """Remind the host of a request before it expires."""
    due_at = facts.unanswered_at(booking, now=now)
    if due_at is not None:
        yield from notifications.later(
            _email(booking, Role.HOST, "booking_unanswered", now),
            _push(booking, "booking-unanswered", now),
            due_at=due_at,
            topic=booking.reminder_topic,
        )


def _reminders(booking: Booking, role: Role, now: datetime) -> Iterator[Notification]:
    leads = [timedelta(minutes=minutes) for minutes in booking.event_type.reminders]
    for due_at, until in facts.reminders(booking, leads, now=now):
        rows = [_email(booking, role, "booking_reminder", now, until=until)]
        if role is Role.HOST:
            rows.append(_push(booking, "booking-reminder", now, until=until))
        yield from notifications.later(
            *rows, due_at=due_at, topic=booking.reminder_topic, about_id=booking.host_id
        )


def _email(
    booking: Booking, role: Role, kind: str, now: datetime, **more: str | list[str]
) -> Notification:
    return notifications.email(
        kind,
        facts.of(booking, now=now, to=role.value, **more),
        user=booking.host if role is Role.HOST else None,
        topic=booking.topic,
    )


def _tell_guests(
    booking: Booking, now: datetime, *, before: tuple[datetime, datetime] | None = None
) -> Iterator[Notification]:
    """Send the guests of a confirmed booking its entry anew. `before` is its former time."""
    former = [moment.isoformat() for moment in before or ()]
    for guest in booking.invited:
        yield _email_to(
            guest, booking, "guest_changed", now, calendar=Method.REQUEST, before=former
        )


def _uninvite(
    booking: Booking, step: Step[Role], *, before: tuple[datetime, datetime] | None = None
) -> Iterator[Notification]:
    """Tell the guests that the time for which they are invited is off.

    A reason reaches them only from the host. Anybody can type one on a public page.
    """
    start, end = before or (booking.start, booking.end)
    for guest in booking.invited:
        yield _email_to(
            guest,
            booking,
            "guest_cancelled",
            step.now,
            calendar=Method.CANCEL,
            status=Status.CANCELLED.value,
            start=start.isoformat(),
            end=end.isoformat(),
            by=step.actor.role.value,
            reason=step.reason if step.actor.role is Role.HOST else "",
        )


def _email_to(
    guest: Guest, booking: Booking, kind: str, now: datetime, **more: str | list[str]
) -> Notification:
    told = facts.of(booking, now=now, to=facts.GUEST, guest=guest.pk, **more)
    return notifications.email(kind, told, topic=booking.topic)


def _push(booking: Booking, kind: str, now: datetime, **more: str) -> Notification:
    """Return a push message to the host: invitees have no devices."""
    return notifications.push(
        kind, facts.of(booking, now=now, **more), user=booking.host, topic=booking.topic
    )
