"""Messages about a change of a booking, to the outbox in the caller's transaction."""

from collections.abc import Mapping
from dataclasses import dataclass
from datetime import datetime, timedelta
from typing import Any
from zoneinfo import ZoneInfo

from django.conf import settings
from django.utils import translation
from django.utils.translation import gettext
from django.utils.translation import gettext_lazy as _
from django_stubs_ext import StrPromise

from accounts.models import User
from core.text import times
from notifications.domain import notifications
from notifications.domain.channels import EmailContent, PushContent
from scheduling.domain.lifecycle import Step
from scheduling.messages import icalendar, links
from scheduling.messages.icalendar import Method
from scheduling.models import Booking
from scheduling.models.enums import Change, Role, Status

REMINDERS = {"day": timedelta(days=1), "minutes": timedelta(minutes=15)}
"""How long before the start, by the name that the templates of emails have for it."""

_STARTS = {
    "day": _("%(what)s with %(name)s starts in a day."),
    "minutes": _("%(what)s with %(name)s starts in 15 minutes."),
}


@dataclass(frozen=True)
class Party:
    """One party to a booking, and how they read. An invitee needs no account."""

    role: Role
    name: str
    short_name: str
    email: str
    zone: ZoneInfo
    date_format: str
    time_format: str
    language: str
    account: User | None = None


def parties(booking: Booking) -> tuple[Party, Party]:
    """Return the host and the invitee. The invitee's name is one line, whatever they typed."""
    host, invitee = booking.host, " ".join(booking.invitee.split())
    language = booking.language or host.mail_language
    date_format, _time_format = times.formats_of(language, ("yyyy-MM-dd", booking.time_format))
    return (
        Party(
            Role.HOST,
            host.name,
            host.get_short_name(),
            host.email,
            host.zone,
            host.date_format,
            host.time_format,
            host.mail_language,
            host,
        ),
        Party(
            Role.INVITEE,
            invitee,
            invitee,
            booking.invitee_email,
            booking.zone,
            date_format,
            booking.time_format,
            language,
        ),
    )


def created(booking: Booking, *, by: Role, now: datetime) -> None:
    """Notify both parties of a request that the host must approve, or of a confirmed booking."""
    if booking.status == Status.PENDING:
        for party in parties(booking):
            _email(booking, party, "booking_requested", now)
    else:
        _put_into_calendars(booking, "booking_confirmed", now)
    if by is not Role.HOST:
        words = _("%(name)s booked %(what)s.")
        _push(booking, "booking-created", _("New booking"), words, now)


def _confirmed(booking: Booking, step: Step[Role], was: Status) -> None:
    """Send both parties a calendar entry and up to two reminders."""
    _put_into_calendars(booking, "booking_confirmed", step.now)


def _rejected(booking: Booking, step: Step[Role], was: Status) -> None:
    _host, invitee = parties(booking)
    _email(booking, invitee, "booking_rejected", step.now, reason=step.reason)


def _cancelled(booking: Booking, step: Step[Role], was: Status) -> None:
    """Both get an email; a confirmed booking also leaves both calendars."""
    by, now = step.actor.role, step.now
    notifications.withdraw(topic=booking.reminder_topic, now=now)
    ics = Method.CANCEL if was == Status.CONFIRMED else None
    for party in parties(booking):
        who = _who(by, party)
        said = _reason(step.reason, by, party)
        _email(booking, party, "booking_cancelled", now, ics=ics, by=who, reason=said)
    if by is not Role.HOST:
        words = _("%(name)s: %(what)s.")
        _push(booking, "booking-cancelled", _("Booking cancelled"), words, now)


def rescheduled(
    booking: Booking, step: Step[Role], was: Status, *, before: tuple[datetime, datetime]
) -> None:
    """Notify both parties of the new time, and update their calendars.

    A booking that must be approved again leaves the calendars. `before` is its former start and
    end.
    """
    by, now = step.actor.role, step.now
    notifications.withdraw(topic=booking.reminder_topic, now=now)
    for party in parties(booking):
        ics = None
        if was == Status.CONFIRMED:
            ics = Method.REQUEST if booking.status == Status.CONFIRMED else Method.CANCEL
        _email(
            booking,
            party,
            "booking_rescheduled",
            now,
            ics=ics,
            before=before,
            by=_who(by, party),
            reason=_reason(step.reason, by, party),
        )
        if booking.status == Status.CONFIRMED:
            _remind(booking, party, now)
    if by is not Role.HOST:
        words = _("%(name)s moved %(what)s.")
        _push(booking, "booking-rescheduled", _("Booking moved"), words, now)


def updated(booking: Booking, *, now: datetime) -> None:
    """Nobody gets an email now, but the reminders to come say what has changed."""
    if notifications.withdraw(topic=booking.reminder_topic, now=now):
        for party in parties(booking):
            _remind(booking, party, now)


def _expired(booking: Booking, step: Step[Role], was: Status) -> None:
    """Nobody caused it, so both get an email."""
    for party in parties(booking):
        _email(booking, party, "booking_expired", step.now)


_TOLD = {
    Change.CONFIRMED: _confirmed,
    Change.REJECTED: _rejected,
    Change.CANCELLED: _cancelled,
    Change.EXPIRED: _expired,
}


def moved(booking: Booking, step: Step[Role], was: Status) -> None:
    """Tell people of a change of status. Nobody hears that a booking has taken place."""
    if step.change in _TOLD:
        _TOLD[step.change](booking, step, was)


def _put_into_calendars(booking: Booking, name: str, now: datetime) -> None:
    for party in parties(booking):
        _email(booking, party, name, now, ics=Method.REQUEST)
        _remind(booking, party, now)


def _remind(booking: Booking, party: Party, now: datetime) -> None:
    for lead, before in REMINDERS.items():
        due_at = booking.start - before
        if due_at <= now:
            continue
        _email(booking, party, "booking_reminder", now, due_at=due_at, lead=lead)
        if party.role is Role.HOST:
            words = _STARTS[lead]
            _push(booking, "booking-reminder", _("Reminder"), words, now, due_at)


def topic_of(pk: int) -> str:
    """Return `Booking.topic` of a booking that is known by its number."""
    return Booking(pk=pk).topic


def _who(by: Role, reader: Party) -> str:
    """Return who has acted, as the templates of emails name them: `you`, the `other` or `staff`."""
    if by is reader.role:
        return "you"
    return "other" if by in (Role.HOST, Role.INVITEE) else "staff"


def _reason(reason: str, by: Role, reader: Party) -> str:
    """Return the reason, but not an invitee's own to that invitee.

    A stranger may have typed it on a public page.
    """
    return "" if by is reader.role is Role.INVITEE else reason


def _email(
    booking: Booking,
    party: Party,
    name: str,
    now: datetime,
    *,
    ics: Method | None = None,
    before: tuple[datetime, datetime] | None = None,
    due_at: datetime | None = None,
    **context: str,
) -> None:
    with translation.override(party.language):
        content = _content(booking, party, name, before, context)
        if ics:
            content["ics"] = calendar_object(booking, ics, party, now)
            content["ics_method"] = ics
    notifications.email(
        address=party.email,
        kind=name,
        content=content,
        now=now,
        user=party.account,
        topic=booking.reminder_topic if due_at else booking.topic,
        due_at=due_at,
        about=booking.host if due_at else None,
    )


def _content(
    booking: Booking,
    party: Party,
    name: str,
    before: tuple[datetime, datetime] | None,
    context: Mapping[str, str],
) -> EmailContent:
    host, invitee = parties(booking)
    is_host = party.role is Role.HOST
    pending = booking.status == Status.PENDING
    tells_all = _tells_all(booking, party)
    other = invitee if is_host else host
    return notifications.render_email(
        name,
        {
            "booking": booking,
            "event_type": booking.event_type,
            "what": booking.event_type.name,
            "person": party,
            "other": other,
            "name": other.name,
            "is_host": is_host,
            "is_pending": pending,
            "greeting": _greeting(booking, party),
            "notes": booking.notes if tells_all else "",
            "answers": answers(booking) if tells_all else [],
            "local_time": times.span(booking.start, booking.end, party),
            "utc_time": times.utc_span(booking.start, booking.end),
            "old_time": times.span(*before, party) if before else "",
            "given_up": given_up(booking, party, other, booking.status),
            "manage_url": "" if is_host else links.manage_url(booking),
            "answer_url": links.answer_url(booking) if is_host and pending else "",
            **context,
        },
        language=party.language,
    )


_GIVEN_UP = {
    Role.HOST: _("%(name)s gave up %(time)s for this. If you decline, nothing is booked any more."),
    Role.INVITEE: _(
        "Your earlier time, %(time)s, is given up. If %(name)s declines the new one, nothing is"
        " booked."
    ),
}
_WAS_GIVEN_UP = _("The earlier time, %(time)s, was given up for this one: nothing is booked now.")


def given_up(booking: Booking, reader: Party, other: Party, status: str) -> str:
    """Return what becomes of the time that the invitee gave up for another; empty if none."""
    span = booking.given_up()
    if span is None:
        return ""
    said = _GIVEN_UP[reader.role] if status == Status.PENDING else _WAS_GIVEN_UP
    return said % {"name": other.name, "time": times.span(*span, reader)}


def answers(booking: Booking) -> list[tuple[str, Any]]:
    """Return the invitee's answers under the labels of the questions and in their order.

    PostgreSQL keeps the keys of an object in an order of its own.
    """
    labels = {field["name"]: field["label"] for field in booking.event_type.custom_fields}
    given = booking.custom_field_values
    names = [name for name in labels if name in given] + sorted(given.keys() - labels.keys())
    return [(labels.get(name, name), _in_words(given[name])) for name in names]


def _in_words(answer: Any) -> Any:
    if isinstance(answer, bool):
        return gettext("yes") if answer else gettext("no")
    return answer


def _tells_all(booking: Booking, reader: Party) -> bool:
    """Return whether this reader's messages repeat what was typed for the booking.

    An invitee's do not where it was typed on a public page: a stranger can enter any address there,
    and would write to it from the operator's.
    """
    return reader.role is Role.HOST or not booking.is_public


def _greeting(booking: Booking, reader: Party) -> str:
    """Return the first line of an email. An invitee's name was typed like the rest."""
    if not _tells_all(booking, reader):
        return gettext("Hello,")
    return gettext("Hello %(short_name)s,") % {"short_name": reader.short_name}


def _push(
    booking: Booking,
    kind: str,
    title: StrPromise,
    words: StrPromise,
    now: datetime,
    due_at: datetime | None = None,
) -> None:
    """Send to the host's devices: invitees have none."""
    with translation.override(booking.host.mail_language):
        names = {"name": booking.invitee, "what": booking.event_type.name}
        content: PushContent = {
            "title": str(title),
            "body": str(words) % names,
            "data": {"type": kind, "booking_id": str(booking.pk), "url": settings.PUBLIC_URL},
        }
    notifications.push(
        user=booking.host,
        kind=kind,
        content=content,
        now=now,
        topic=booking.reminder_topic if due_at else booking.topic,
        due_at=due_at,
    )


def calendar_object(booking: Booking, method: Method, reader: Party, now: datetime) -> str:
    """Return the calendar object for this reader's calendar."""
    host, invitee = parties(booking)
    other = invitee if reader.role is Role.HOST else host
    tells_all = _tells_all(booking, reader)
    lines = [f"{label}: {value}" for label, value in answers(booking)] if tells_all else []
    if reader.role is Role.INVITEE:
        lines.append(links.manage_url(booking))
    return icalendar.render(
        icalendar.Entry(
            uid=f"{booking.uuid}@{settings.PUBLIC_HOST}",
            sequence=booking.sequence,
            summary=f"{booking.event_type.name}: {other.name}",
            description="\n".join(filter(None, [booking.notes if tells_all else "", *lines])),
            url="",
            location=booking.event_type.location_display,
            start=booking.start,
            end=booking.end,
            stamp=now,
        ),
        method=method,
        attendees=[
            icalendar.Person(host.name, host.email),
            icalendar.Person(invitee.name if tells_all else invitee.email, invitee.email),
        ],
    )
