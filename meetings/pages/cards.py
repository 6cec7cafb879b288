"""Meetings as one of their two people sees them: tabs, cards and the steps of a history."""

from collections.abc import Iterable, Sequence
from dataclasses import dataclass, replace
from datetime import datetime

from django.utils.functional import Promise
from django.utils.translation import gettext
from django.utils.translation import gettext_lazy as _

from accounts.models import User
from calendars.domain import ledger
from calendars.models import BusyTime
from meetings.models import HistoryEntry, MeetingRequest, enums
from meetings.models.enums import Role
from scheduling.models.enums import FREED, OPEN, Change, Status
from scheduling.pages.cards import STATUS_NAMES
from scheduling.pages.history import BY_TIME, Step
from scheduling.pages.tabs import LATEST, SOONEST, Tab

TABS = {
    enums.Tab.PENDING: Tab(
        enums.Tab.PENDING,
        _("Needs your answer"),
        _("Nothing needs your answer"),
        _(
            "When a teammate requests a meeting with you, it appears here until you confirm or"
            " decline it. You also get an email and can answer from it."
        ),
        SOONEST,
    ),
    enums.Tab.SENT: Tab(
        enums.Tab.SENT,
        _("Sent by you"),
        _("You have not requested a meeting yet"),
        _("Choose a teammate and a time. Your requests and their answers appear here."),
        LATEST,
    ),
    enums.Tab.CONFIRMED: Tab(
        enums.Tab.CONFIRMED,
        _("Confirmed"),
        _("No upcoming meetings"),
        _(
            "Once a request is confirmed, its time is blocked for both of you and the meeting"
            " appears here."
        ),
        SOONEST,
    ),
    enums.Tab.COMPLETED: Tab(
        enums.Tab.COMPLETED,
        _("Completed"),
        _("No past meetings"),
        _("Confirmed meetings move here after they have taken place."),
        LATEST,
    ),
    enums.Tab.REJECTED: Tab(
        enums.Tab.REJECTED,
        _("Declined"),
        _("Nothing declined"),
        _("Declined requests appear here, with the reason if one was given."),
        LATEST,
    ),
    enums.Tab.CANCELLED: Tab(
        enums.Tab.CANCELLED,
        _("Cancelled"),
        _("Nothing cancelled"),
        _("Withdrawn requests and cancelled meetings appear here."),
        LATEST,
    ),
    enums.Tab.EXPIRED: Tab(
        enums.Tab.EXPIRED,
        _("Expired"),
        _("Nothing expired"),
        _("Requests that nobody answered in time appear here."),
        LATEST,
    ),
}


@dataclass(frozen=True)
class Card:
    """Meeting as one of its two people sees it at a moment."""

    meeting: MeetingRequest
    person: User
    status: Status
    # What the person has at that time too: where it is theirs to confirm, all that is in the way,
    # with entries of their own calendars last; once it is confirmed, those entries alone.
    collisions: Sequence[BusyTime] = ()

    @property
    def start(self) -> datetime:
        return self.meeting.start

    @property
    def end(self) -> datetime:
        return self.meeting.end

    @property
    def other(self) -> User:
        return self.meeting.other_party(self.person)

    @property
    def asked_by_me(self) -> bool:
        return self.meeting.role_of(self.person) is Role.REQUESTER

    @property
    def is_open(self) -> bool:
        return self.status in OPEN

    @property
    def join_url(self) -> str:
        """Return the link to join; empty before it is confirmed and once it is over."""
        return self.meeting.link if self.status is Status.CONFIRMED else ""

    @property
    def may_ask_again(self) -> bool:
        return self.status in FREED and self.other.is_active

    @property
    def may_answer(self) -> bool:
        return self._may(Change.REJECTED)

    @property
    def may_confirm(self) -> bool:
        return self._may(Change.CONFIRMED) and self.other.is_active

    @property
    def may_confirm_anyway(self) -> bool:
        """Return whether only the person's own calendar is in the way, which they may overrule."""
        return bool(self.collisions) and not any(each.exclusive for each in self.collisions)

    @property
    def is_asked(self) -> bool:
        """Return whether this person has asked and waits for the answer."""
        return self.asked_by_me and self.status is Status.PENDING

    @property
    def may_cancel(self) -> bool:
        return self._may(Change.CANCELLED)

    def _may(self, change: Change) -> bool:
        return self.meeting.allows(change, self.meeting.role_of(self.person), self.status)

    @property
    def status_name(self) -> Promise:
        if self.status is not Status.PENDING:
            return STATUS_NAMES[self.status]
        return _("Needs your answer") if self.may_answer else _("Awaiting answer")

    @property
    def tab(self) -> Tab:
        """Return the tab in which its person finds it."""
        if self.status is not Status.PENDING:
            return TABS[enums.Tab(self.status.value)]
        return TABS[enums.Tab.SENT if self.asked_by_me else enums.Tab.PENDING]

    @property
    def title(self) -> str:
        name = {"name": self.other.name}
        if self.status is not Status.PENDING:
            return gettext("Meeting with %(name)s") % name
        if self.asked_by_me:
            return gettext("You requested a meeting with %(name)s") % name
        return gettext("%(name)s requests a meeting with you") % name


def cards_of(meetings: Iterable[MeetingRequest], person: User, now: datetime) -> list[Card]:
    """Return cards with their collisions, in one query."""
    cards = [Card(meeting, person, meeting.status_at(now)) for meeting in meetings]
    met = [card for card in cards if card.may_confirm or card.status is Status.CONFIRMED]
    spans = [(card.meeting.start, card.meeting.end) for card in met]
    found = ledger.conflicts_of_each(user=person, spans=spans)
    collisions = {
        card.meeting.pk: [each for each in claims if card.may_confirm or not each.exclusive]
        for card, claims in zip(met, found, strict=True)
    }
    return [replace(card, collisions=collisions.get(card.meeting.pk, ())) for card in cards]


_BY_ME = {
    Change.CREATED: _("You requested this meeting."),
    Change.CONFIRMED: _("You confirmed it."),
    Change.REJECTED: _("You declined."),
    Change.CANCELLED: _("You cancelled it."),
}
_BY_ANOTHER = {
    Change.CREATED: _("%(name)s requested this meeting."),
    Change.CONFIRMED: _("%(name)s confirmed it."),
    Change.REJECTED: _("%(name)s declined."),
    Change.CANCELLED: _("%(name)s cancelled it."),
}


def step_of(entry: HistoryEntry, person: User) -> Step:
    change = Change(entry.change)
    if entry.role == Role.CLOCK:
        sentence = str(BY_TIME[change])
    elif entry.role == Role.TEAM:
        sentence = gettext("It ended, because one of you left the team.")
    elif entry.actor == person:
        sentence = str(_BY_ME[change])
    else:
        # Who of the staff it was, is not for the two to know.
        actor = None if entry.role == Role.STAFF else entry.actor
        name = actor.name if actor else gettext("The organisers")
        sentence = _BY_ANOTHER[change] % {"name": name}
    return Step(sentence, entry.at, entry.reason)
