"""Notices of a change of a booking, to the outbox in the caller's transaction.

They say who hears of it and what. `scheduling.messages.letters` writes the texts.
"""

from collections.abc import Iterator
from datetime import datetime, timedelta

from notifications.domain import notifications
from notifications.models import Notification
from scheduling.domain import facts
from scheduling.domain.lifecycle import Step
from scheduling.models import Booking
from scheduling.models.enums import Change, Method, Role, Status

_BOTH = (Role.HOST, Role.INVITEE)


def created(booking: Booking, *, by: Role, now: datetime) -> None:
    """Notify both parties of a request that the host must approve, or of a confirmed booking."""
    if booking.status == Status.PENDING:
        rows = [_email(booking, role, "booking_requested", now) for role in _BOTH]
        rows.extend(_unanswered(booking, now))
    else:
        rows = list(_put_into_calendars(booking, now))
    if by is not Role.HOST:
        rows.append(_push(booking, "booking-created", now))
    notifications.enqueue(rows, now=now)


def moved(booking: Booking, step: Step[Role], was: Status) -> None:
    """Tell people of a change of status. Nobody hears that a booking has taken place."""
    by, now, rows = step.actor.role, step.now, list[Notification]()
    match step.change:
        case Change.CONFIRMED:
            rows = list(_put_into_calendars(booking, now))
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
    if booking.status == Status.PENDING:
        rows.extend(_unanswered(booking, now))
    if by is not Role.HOST:
        rows.append(_push(booking, "booking-rescheduled", now))
    notifications.enqueue(rows, now=now)


def linked(booking: Booking, *, now: datetime) -> None:
    """Send both parties the calendar entry with its new link."""
    rows = [_email(booking, role, "booking_linked", now, calendar=Method.REQUEST) for role in _BOTH]
    notifications.enqueue(rows, now=now)


def _put_into_calendars(booking: Booking, now: datetime) -> Iterator[Notification]:
    """Send both parties a calendar entry and the reminders that are still to come."""
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


def _push(booking: Booking, kind: str, now: datetime, **more: str) -> Notification:
    """Return a push message to the host: invitees have no devices."""
    return notifications.push(
        kind, facts.of(booking, now=now, **more), user=booking.host, topic=booking.topic
    )
