"""Who is told what when a booking moves: all to the outbox, in the caller's transaction."""

from dataclasses import dataclass
from datetime import datetime, timedelta
from typing import Any
from zoneinfo import ZoneInfo

from django.conf import settings

from accounts import clock, notifications
from accounts.channels import EmailContent
from accounts.models import User
from scheduling import icalendar, links
from scheduling.enums import Role, Status
from scheduling.icalendar import Method
from scheduling.models import Booking

REMINDERS = {"in a day": timedelta(days=1), "in 15 minutes": timedelta(minutes=15)}


@dataclass(frozen=True)
class Party:
    """One side of a booking, and how they read times. An invitee needs no account."""

    role: Role
    name: str
    short_name: str
    email: str
    zone: ZoneInfo
    date_format: str
    time_format: str
    account: User | None = None


def parties(booking: Booking) -> tuple[Party, Party]:
    """The host and the invitee, whose name is one line whatever they typed."""
    host, invitee = booking.host, " ".join(booking.invitee_name.split())
    return (
        Party(
            Role.HOST, host.name, host.get_short_name(), host.email, host.zone,
            host.date_format, host.time_format, host,
        ),
        Party(
            Role.INVITEE, invitee, invitee, booking.invitee_email,
            booking.zone, "yyyy-MM-dd", "HH:mm",
        ),
    )  # fmt: skip


def created(booking: Booking, *, by: Role, now: datetime) -> None:
    """A request that the host must approve, or a booking that stands."""
    if booking.status == Status.PENDING:
        for party in parties(booking):
            _email(booking, party, "booking_requested", now)
    else:
        _put_into_calendars(booking, "booking_confirmed", now)
    if by is not Role.HOST:
        _push(booking, "booking-created", "New booking", "{invitee} booked {name}.", now)


def confirmed(booking: Booking, *, now: datetime) -> None:
    """Both get the entry for their calendar and two reminders."""
    _put_into_calendars(booking, "booking_confirmed", now)


def rejected(booking: Booking, *, reason: str, now: datetime) -> None:
    _host, invitee = parties(booking)
    _email(booking, invitee, "booking_rejected", now, reason=reason)


def cancelled(booking: Booking, *, was: Status, by: Role, reason: str, now: datetime) -> None:
    """Both are told; a confirmed booking also leaves both calendars."""
    notifications.withdraw(topic=_reminder_topic(booking), now=now)
    ics = Method.CANCEL if was == Status.CONFIRMED else None
    for party in parties(booking):
        who = _who(booking, by, party)
        _email(booking, party, "booking_cancelled", now, ics=ics, by=who, reason=reason)
    if by is not Role.HOST:
        _push(booking, "booking-cancelled", "Booking cancelled", "{invitee}: {name}.", now)


def rescheduled(
    booking: Booking,
    *,
    was: Status,
    before: tuple[datetime, datetime],
    by: Role,
    reason: str,
    now: datetime,
) -> None:
    """Both learn of the new time, and their calendars too. What must be approved anew leaves them.

    `before` is the start and the end that it had.
    """
    notifications.withdraw(topic=_reminder_topic(booking), now=now)
    for party in parties(booking):
        ics = None
        if was == Status.CONFIRMED:
            ics = Method.REQUEST if booking.status == Status.CONFIRMED else Method.CANCEL
        _email(
            booking, party, "booking_rescheduled", now, ics=ics, reason=reason,
            by=_who(booking, by, party), old_time=clock.span(*before, party),
        )  # fmt: skip
        if booking.status == Status.CONFIRMED:
            _remind(booking, party, now)
    if by is not Role.HOST:
        _push(booking, "booking-rescheduled", "Booking moved", "{invitee} moved {name}.", now)


def updated(booking: Booking, *, now: datetime) -> None:
    """Nobody is told, but the reminders to come tell of it as it is now."""
    if notifications.withdraw(topic=_reminder_topic(booking), now=now):
        for party in parties(booking):
            _remind(booking, party, now)


def expired(booking: Booking, *, now: datetime) -> None:
    """Nobody caused it, so both are told."""
    for party in parties(booking):
        _email(booking, party, "booking_expired", now)


def _put_into_calendars(booking: Booking, name: str, now: datetime) -> None:
    for party in parties(booking):
        _email(booking, party, name, now, ics=Method.REQUEST)
        _remind(booking, party, now)


def _remind(booking: Booking, party: Party, now: datetime) -> None:
    topic = _reminder_topic(booking)
    for lead, before in REMINDERS.items():
        due_at = booking.start - before
        if due_at <= now:
            continue
        _email(booking, party, "booking_reminder", now, topic=topic, due_at=due_at, lead=lead)
        if party.role is Role.HOST:
            words = "{name} with {invitee} starts " + lead + "."
            _push(booking, "booking-reminder", "Reminder", words, now, topic, due_at)


def _reminder_topic(booking: Booking) -> str:
    return f"booking:{booking.pk}:reminders"


def _who(booking: Booking, by: Role, reader: Party) -> str:
    """Who has acted, as the reader of an email calls them."""
    if by is reader.role:
        return "You"
    return next((p.name for p in parties(booking) if p.role is by), "The organisers")


def _email(
    booking: Booking,
    party: Party,
    name: str,
    now: datetime,
    *,
    ics: Method | None = None,
    topic: str = "",
    due_at: datetime | None = None,
    **context: str,
) -> None:
    host, invitee = parties(booking)
    is_host = party.role is Role.HOST
    pending = booking.status == Status.PENDING
    content: EmailContent = notifications.render_email(
        name,
        {
            "booking": booking,
            "event_type": booking.event_type,
            "person": party,
            "other": invitee if is_host else host,
            "is_host": is_host,
            "is_pending": pending,
            "answers": answers(booking),
            "local_time": clock.span(booking.start, booking.end, party),
            "utc_time": clock.utc_span(booking.start, booking.end),
            "manage_url": "" if is_host else links.manage_url(booking),
            "answer_url": links.answer_url(booking) if is_host and pending else "",
            **context,
        },
    )
    if ics:
        content["ics"] = _calendar_object(booking, ics, party, now)
        content["ics_method"] = ics
    notifications.email(
        address=party.email, kind=name, content=content, now=now,
        user=party.account, topic=topic, due_at=due_at,
    )  # fmt: skip


def answers(booking: Booking) -> list[tuple[str, Any]]:
    """What the invitee has answered, under the labels of the questions and in their order.

    PostgreSQL keeps the keys of an object in an order of its own.
    """
    labels = {field["name"]: field["label"] for field in booking.event_type.custom_fields}
    given = booking.custom_field_values
    names = [name for name in labels if name in given] + sorted(given.keys() - labels.keys())
    return [(labels.get(name, name), _in_words(given[name])) for name in names]


def _in_words(answer: Any) -> Any:
    if isinstance(answer, bool):
        return "yes" if answer else "no"
    return answer


def _push(
    booking: Booking,
    kind: str,
    title: str,
    words: str,
    now: datetime,
    topic: str = "",
    due_at: datetime | None = None,
) -> None:
    """To the host's devices: invitees have none."""
    body = words.format(invitee=booking.invitee_name, name=booking.event_type.name)
    data = {"type": kind, "booking_id": str(booking.pk), "url": settings.PUBLIC_URL}
    notifications.push(
        user=booking.host, kind=kind, content={"title": title, "body": body, "data": data},
        now=now, topic=topic, due_at=due_at,
    )  # fmt: skip


def _calendar_object(booking: Booking, method: Method, reader: Party, now: datetime) -> str:
    host, invitee = parties(booking)
    other = invitee if reader.role is Role.HOST else host
    lines = [f"{label}: {value}" for label, value in answers(booking)]
    if reader.role is Role.INVITEE:
        lines.append(links.manage_url(booking))
    return icalendar.render(
        icalendar.Entry(
            uid=f"{booking.uuid}@{settings.PUBLIC_HOST}",
            sequence=booking.sequence,
            summary=f"{booking.event_type.name}: {other.name}",
            description="\n".join(filter(None, [booking.notes, *lines])),
            url="",
            location=booking.event_type.location_display,
            start=booking.start,
            end=booking.end,
            stamp=now,
        ),
        method=method,
        attendees=[icalendar.Person(party.name, party.email) for party in (host, invitee)],
    )
