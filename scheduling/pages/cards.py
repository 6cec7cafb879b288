"""Booking as its host or its invitee sees it on a page, and its status in words."""

from dataclasses import dataclass
from datetime import datetime
from typing import Any

from django.utils.functional import Promise
from django.utils.translation import gettext
from django.utils.translation import gettext_lazy as _

from core.errors import Conflict, PersonGone, TimeTaken, TooLate
from core.text import times
from scheduling.messages.parties import Party, about_link, answers, given_up, parties
from scheduling.models import Booking
from scheduling.models.enums import Change, Role, Status

STATUS_NAMES = {
    Status.CONFIRMED: _("Confirmed"),
    Status.REJECTED: _("Declined"),
    Status.CANCELLED: _("Cancelled"),
    Status.EXPIRED: _("Expired"),
    Status.COMPLETED: _("Completed"),
}


@dataclass(frozen=True)
class Card:
    """Booking as its invitee or its host sees it at a moment.

    `is_too_late` says that the cancellation notice has begun, for an invitee.
    """

    booking: Booking
    person: Party
    other: Party
    status: Status
    is_too_late: bool = False

    @property
    def start(self) -> datetime:
        return self.booking.start

    @property
    def end(self) -> datetime:
        return self.booking.end

    @property
    def is_host(self) -> bool:
        return self.person.role is Role.HOST

    @property
    def is_open(self) -> bool:
        return self.booking.allows(Change.CANCELLED, self.person.role, self.status)

    @property
    def is_certain(self) -> bool:
        """Return whether it belongs into calendars."""
        return self.status is Status.CONFIRMED

    @property
    def join_url(self) -> str:
        """Return the link to join; empty before it is confirmed and once it is over."""
        return self.booking.link if self.is_certain else ""

    @property
    def about_link(self) -> str:
        """Return a sentence about the link of an open booking that cannot be joined yet."""
        if not self.is_open:
            return ""
        if not self.is_host:
            return about_link(self.booking, self.status)
        has_none = self.booking.event_type.is_online and not self.booking.link
        return gettext("No meeting link yet.") if has_none else ""

    @property
    def may_answer(self) -> bool:
        return self.may(Change.CONFIRMED)

    @property
    def may_cancel(self) -> bool:
        return self.may(Change.CANCELLED)

    @property
    def changeable_until(self) -> str:
        """Return until when its invitee may reschedule or cancel it, on the invitee's clock.

        The text is empty for a host, or where nothing but its time ends that.
        """
        until = self.booking.changeable_until
        return "" if self.is_host or until is None else times.deadline(until, self.person)

    @property
    def may_move(self) -> bool:
        return self.may(Change.RESCHEDULED)

    @property
    def zones_differ(self) -> bool:
        return self.person.zone != self.other.zone and not self.booking.erased_at

    @property
    def is_host_gone(self) -> bool:
        return not self.booking.host.is_active

    def may(self, change: Change) -> bool:
        """Return whether this person can do it now. Only cancelling needs no active host."""
        if self.is_host_gone and change is not Change.CANCELLED:
            return False
        if self.is_too_late and change in (Change.CANCELLED, Change.RESCHEDULED):
            return False
        return self.booking.allows(change, self.person.role, self.status)

    @property
    def status_name(self) -> Promise:
        if self.status is not Status.PENDING:
            return STATUS_NAMES[self.status]
        return _("Needs your answer") if self.is_host else _("Awaiting approval")

    @property
    def title(self) -> str:
        what = {"what": self.booking.event_type.name, "name": self.other.name}
        return gettext("%(what)s with %(name)s") % what

    @property
    def given_up(self) -> str:
        """Return a sentence about the time that the invitee gave up for another, or empty."""
        return given_up(self.booking, self.person, self.other, self.status)

    @property
    def answers(self) -> list[tuple[str, Any]]:
        return answers(self.booking)


def card_of(booking: Booking, role: Role, now: datetime) -> Card:
    host, invitee = parties(booking)
    person, other = (host, invitee) if role is Role.HOST else (invitee, host)
    until = booking.changeable_until
    is_too_late = role is Role.INVITEE and until is not None and now > until
    return Card(booking, person, other, booking.status_at(now), is_too_late)


@dataclass(frozen=True)
class Outcome:
    """Present status in a sentence, and the reason that somebody gave for it."""

    sentence: str
    reason: str = ""


_ASKED = _("Your request was sent to %(name)s. You get an email with the answer.")
_TOO_OLD = _(
    "This booking was rescheduled after this link was sent. The newest email has a link to answer."
)
_BY_ITSELF = {
    Status.CONFIRMED: _("This booking is confirmed."),
    Status.EXPIRED: _("This request expired without an answer."),
    Status.COMPLETED: _("This booking has taken place."),
}
_BY_ME = {
    Status.REJECTED: _("You declined this booking."),
    Status.CANCELLED: _("You cancelled this booking."),
}
_BY_ANOTHER = {
    Status.REJECTED: _("%(name)s declined this booking."),
    Status.CANCELLED: _("%(name)s cancelled this booking."),
}


def outcome_of(card: Card) -> Outcome:
    name = {"name": card.other.name}
    if card.status is Status.PENDING:
        return Outcome(str(_TOO_OLD if card.is_host else _ASKED) % name)
    if card.status in _BY_ITSELF:
        return Outcome(str(_BY_ITSELF[card.status]))
    step = card.booking.history.order_by("sequence").last()
    if step is None:  # history is written with what it tells of
        return Outcome(str(card.status_name))
    if step.role == card.person.role:
        return Outcome(str(_BY_ME[card.status]), step.reason)
    if step.role != card.other.role:
        # Who of the staff it was, is not for the two to know.
        name = {"name": gettext("The organisers")}
    return Outcome(str(_BY_ANOTHER[card.status]) % name, step.reason)


def unmoved(error: Conflict) -> str:
    """Say why a booking was not changed."""
    if isinstance(error, TimeTaken):
        return gettext("%(why)s Nothing was changed; the times below are still open.") % {
            "why": error.message
        }
    if isinstance(error, PersonGone | TooLate):
        return gettext("%(why)s Nothing was changed.") % {"why": error.message}
    return gettext(
        "Nothing was changed, because this booking has changed in the meantime. Here is the"
        " current booking."
    )
