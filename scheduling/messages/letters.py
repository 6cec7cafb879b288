"""Texts of the messages about bookings, written when they are sent."""

from collections.abc import Collection, Mapping
from datetime import datetime
from typing import Any

from django.conf import settings
from django.utils import translation
from django.utils.translation import gettext_lazy as _

from core.text import times, zones
from notifications.domain import kinds, notifications
from notifications.domain.channels import EmailContent, PushContent
from notifications.domain.kinds import Erased, Facts, Message, Untrue
from scheduling.domain import bookings
from scheduling.domain import facts as facts_
from scheduling.messages import links
from scheduling.messages.entries import calendar_object
from scheduling.messages.parties import (
    Party,
    about_link,
    answers,
    given_up,
    greeting,
    guest_of,
    invitee_as_told,
    parties,
    reason_for,
    tells_all,
    who,
)
from scheduling.models import Booking, Guest
from scheduling.models.enums import Method, Role, Status

_EMAILS = (
    "booking_requested",
    "booking_confirmed",
    "booking_rejected",
    "booking_cancelled",
    "booking_rescheduled",
    "booking_linked",
    "booking_expired",
    "booking_reminder",
    "booking_unanswered",
    "booking_undelivered",
    "guest_invited",
    "guest_changed",
    "guest_cancelled",
)
# They ask for an answer.
_REQUESTS = ("booking_unanswered", "booking-unanswered")
_PUSHED = {
    "booking-created": (_("New booking"), _("%(name)s booked %(what)s.")),
    "booking-cancelled": (_("Booking cancelled"), _("%(name)s: %(what)s.")),
    "booking-rescheduled": (_("Booking rescheduled"), _("%(name)s rescheduled %(what)s.")),
    "booking-reminder": (_("Reminder"), _("%(what)s with %(name)s starts %(lead)s.")),
    "booking-unanswered": (
        _("Not answered yet"),
        _("%(name)s needs your answer: %(what)s starts %(lead)s."),
    ),
}
"""Title and text of push messages to the host, by kind."""


class BookingWriter(kinds.Writer):
    """Writes the messages about bookings, to the host, the invitee and guests."""

    def find(self, ids: Collection[int]) -> Mapping[int, Booking]:
        return Booking.objects.with_people().prefetch_related("guests").in_bulk(ids)

    def check(self, kind: str, found: Booking, facts: Facts, *, now: datetime) -> None:
        if found.erased_at:
            raise Erased
        if facts.get("to") == facts_.GUEST and _guest(found, facts) is None:
            raise Untrue("deleted")
        if "until" in facts:
            facts_.check_reminder(found, facts, now=now)
        if kind == "booking_linked":
            facts_.check_link(found, facts, now=now)
        asks_host = kind == "booking_requested" and facts["to"] == Role.HOST
        if asks_host or kind in _REQUESTS:
            facts_.check_request(found, facts, now=now)

    def write(self, kind: str, found: Booking, facts: Facts, *, now: datetime) -> Message:
        booking = facts_.as_of(found, facts)
        if kind in _PUSHED:
            return Message("", _push(booking, kind, now))
        reader = _reader(booking, facts)
        asks = reader.role is Role.HOST and facts_.waits_for_answer(found, facts, now=now)
        with translation.override(reader.language):
            content = _email(booking, reader, kind, facts, now, asks=asks)
        return Message(reader.email, content)

    def refused(self, found: Booking, facts: Facts, *, now: datetime) -> None:
        if facts.get("to") == Role.INVITEE:
            bookings.note_undelivered(booking=found, now=now)


def _guest(booking: Booking, facts: Facts) -> Guest | None:
    return next((each for each in booking.invited if each.pk == facts["guest"]), None)


def _reader(booking: Booking, facts: Facts) -> Party:
    if facts["to"] == facts_.GUEST and (guest := _guest(booking, facts)):
        return guest_of(booking, guest.email)
    return next(each for each in parties(booking) if each.role == facts["to"])


def _push(booking: Booking, kind: str, now: datetime) -> PushContent:
    with translation.override(booking.host.mail_language):
        title, words = _PUSHED[kind]
        values = {
            "name": booking.invitee,
            "what": booking.event_type.name,
            "lead": times.lead(booking.start - now),
        }
        data = {"type": kind, "booking_id": str(booking.pk), "url": settings.PUBLIC_URL}
        return {"title": str(title), "body": str(words) % values, "data": data}


def _email(
    booking: Booking, reader: Party, kind: str, facts: Facts, now: datetime, *, asks: bool
) -> EmailContent:
    host, invitee = parties(booking)
    other = invitee if reader.role is Role.HOST else host
    context = _context(booking, reader, other, facts, now)
    context["answer_url"] = links.answer_url(booking) if asks else ""
    # A later entry from there would stand beside the first; the attached one takes its place.
    may_add = kind == "booking_confirmed" and reader.role is Role.INVITEE
    context["calendar_url"] = links.calendar_url(booking) if may_add else ""
    content = notifications.render_email(kind, context, language=reader.language)
    if method := facts.get("calendar"):
        content["ics"] = calendar_object(
            booking, Method(method), reader, facts_.moment(facts, "at")
        )
        content["ics_method"] = method
    if other.account is None or other.account.is_active:
        content["reply_to"] = notifications.named(other.name, other.email)
    return content


def _context(
    booking: Booking, reader: Party, other: Party, facts: Facts, now: datetime
) -> dict[str, Any]:
    is_host, says_all = reader.role is Role.HOST, tells_all(booking, reader)
    is_certain = booking.status == Status.CONFIRMED
    context = {
        "booking": booking,
        "event_type": booking.event_type,
        "what": booking.event_type.name,
        "person": reader,
        "other": other,
        "name": other.name,
        "is_host": is_host,
        "is_pending": booking.status == Status.PENDING,
        "greeting": greeting(booking, reader),
        "notes": booking.notes if says_all else "",
        "answers": answers(booking) if says_all else [],
        "when": times.beginning(booking.start, reader),
        "date": times.date_of(booking.start, reader),
        "hours": times.hours(booking.start, booking.end, reader),
        "zone": zones.in_words(reader.zone),
        "lead": times.lead(booking.start - now),
        "given_up": given_up(booking, reader, other, booking.status),
        "about_link": "" if is_host else about_link(booking, booking.status),
        "join_url": booking.link if is_certain else "",
        "booking_url": links.booking_url(booking) if is_host else "",
        "manage_url": "" if is_host or reader.is_guest else links.manage_url(booking),
        "guests": [guest.email for guest in booking.invited] if says_all else [],
        "invited_by": invitee_as_told(booking, reader),
    }
    if "before" in facts:
        before = [datetime.fromisoformat(moment) for moment in facts["before"]]
        context["old_time"] = times.date_and_hours(before[0], before[1], reader)
    if "by" in facts:
        by = Role(facts["by"])
        context["by"] = who(by, reader)
        context["reason"] = reason_for(facts.get("reason", ""), by, reader)
    elif "reason" in facts:
        context["reason"] = facts["reason"]
    return context


kinds.register([*_EMAILS, *_PUSHED], BookingWriter())
