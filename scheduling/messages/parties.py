"""Parties to a booking, and what messages and pages tell each of them."""

from dataclasses import dataclass, replace
from typing import Any
from zoneinfo import ZoneInfo

from django.utils.translation import gettext
from django.utils.translation import gettext_lazy as _

from accounts.models import User
from core.text import times
from scheduling.models import Booking
from scheduling.models.enums import OPEN, Role, Status
from scheduling.rules.custom_fields import questions_with_answers


@dataclass(frozen=True)
class Party:
    """One party to a booking, and how they read. An invitee needs no account.

    A guest reads times in the invitee's zone and language, and cannot act.
    """

    role: Role
    name: str
    short_name: str
    email: str
    zone: ZoneInfo
    date_format: str
    time_format: str
    language: str
    account: User | None = None
    is_guest: bool = False


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


def guest_of(booking: Booking, email: str) -> Party:
    """Return a guest as a reader. Nothing but the address is known of them."""
    _host, invitee = parties(booking)
    return replace(invitee, name=email, short_name=email, email=email, is_guest=True)


def who(by: Role, reader: Party) -> str:
    """Return who has acted, as the templates of emails name them: `you`, the `other` or `staff`."""
    if by is reader.role:
        return "you"
    return "other" if by in (Role.HOST, Role.INVITEE) else "staff"


def reason_for(reason: str, by: Role, reader: Party) -> str:
    """Return the reason, but not an invitee's own to that invitee.

    A stranger may have typed it on a public page.
    """
    return "" if by is reader.role is Role.INVITEE else reason


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
    return said % {"name": other.name, "time": times.date_and_hours(*span, reader)}


def about_link(booking: Booking, status: str) -> str:
    """Return a sentence about the link of an open booking that cannot be joined yet; else empty."""
    if status not in OPEN or not booking.event_type.is_online:
        return ""
    if not booking.link:
        return gettext("You get the meeting link later.")
    return (
        gettext("The link to join comes with the confirmation.") if status == Status.PENDING else ""
    )


def answers(booking: Booking) -> list[tuple[str, Any]]:
    """Return the questions and the invitee's answers, in words."""
    found = questions_with_answers(booking.event_type.custom_fields, booking.custom_field_values)
    return [(label, _in_words(answer)) for label, answer in found]


def _in_words(answer: Any) -> Any:
    if isinstance(answer, bool):
        return gettext("yes") if answer else gettext("no")
    return answer


def tells_all(booking: Booking, reader: Party) -> bool:
    """Return whether this reader's messages repeat what was typed for the booking.

    An invitee's do not where it was typed on a public page: a stranger can enter any address there,
    and would write to it from the operator's. What an invitee tells the host is not a guest's to
    read.
    """
    return reader.role is Role.HOST or not (booking.is_public or reader.is_guest)


def invitee_as_told(booking: Booking, reader: Party) -> str:
    """Return how this reader's messages call the invitee: by name, or by address if typed."""
    _host, invitee = parties(booking)
    is_known = reader.role is Role.HOST or not booking.is_public
    return invitee.name if is_known else invitee.email


def greeting(booking: Booking, reader: Party) -> str:
    """Return the first line of an email. An invitee's name was typed like the rest."""
    if not tells_all(booking, reader):
        return gettext("Hello,")
    return gettext("Hello %(short_name)s,") % {"short_name": reader.short_name}
