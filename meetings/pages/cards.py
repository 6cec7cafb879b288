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
        _("Waiting for you"),
        _("Nothing waits for you"),
        _(
            "When a team mate asks you for a meeting, it stands here until you confirm or"
            " decline it. You also get an email, and can answer straight from that."
        ),
        SOONEST,
    ),
    enums.Tab.SENT: Tab(
        enums.Tab.SENT,
        _("Sent by you"),
        _("You have not asked anybody yet"),
        _("Choose a team mate and a time; what became of your requests stands here."),
        LATEST,
    ),
    enums.Tab.CONFIRMED: Tab(
        enums.Tab.CONFIRMED,
        _("Confirmed"),
        _("No meeting ahead"),
        _("Once a request is confirmed, its hour is kept free for both and stands here."),
        SOONEST,
    ),
    enums.Tab.COMPLETED: Tab(
        enums.Tab.COMPLETED,
        _("Completed"),
        _("No meeting behind you"),
        _("Confirmed meetings move here when they have taken place."),
        LATEST,
    ),
    enums.Tab.REJECTED: Tab(
        enums.Tab.REJECTED,
        _("Declined"),
        _("Nothing was declined"),
        _("Requests that somebody said no to stand here, with the reason they gave."),
        LATEST,
    ),
    enums.Tab.CANCELLED: Tab(
        enums.Tab.CANCELLED,
        _("Cancelled"),
        _("Nothing was cancelled"),
        _("Requests that were taken back and meetings that were called off stand here."),
        LATEST,
    ),
    enums.Tab.EXPIRED: Tab(
        enums.Tab.EXPIRED,
        _("Expired"),
        _("Nothing has expired"),
        _("A request that nobody answered before its time came ends here by itself."),
        LATEST,
    ),
}


@dataclass(frozen=True)
class Card:
    """Meeting as one of its two people sees it at a moment."""

    meeting: MeetingRequest
    person: User
    status: Status
    # What the person has at that time already, where it is theirs to confirm; entries of their own
    # calendars last.
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
        return _("Waits for you") if self.may_answer else _("Waits for an answer")

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
            return gettext("You asked %(name)s to meet") % name
        return gettext("%(name)s would like to meet you") % name


def cards_of(meetings: Iterable[MeetingRequest], person: User, now: datetime) -> list[Card]:
    """Return cards, with the collisions of all that this person can confirm, in one query."""
    cards = [Card(meeting, person, meeting.status_at(now)) for meeting in meetings]
    asked = [card.meeting for card in cards if card.may_confirm]
    found = ledger.conflicts_of_each(user=person, spans=[(one.start, one.end) for one in asked])
    met = dict(zip((one.pk for one in asked), found, strict=True))
    return [replace(card, collisions=met.get(card.meeting.pk, ())) for card in cards]


_BY_ME = {
    Change.CREATED: _("You asked for this meeting."),
    Change.CONFIRMED: _("You confirmed it."),
    Change.REJECTED: _("You declined."),
    Change.CANCELLED: _("You cancelled it."),
}
_BY_ANOTHER = {
    Change.CREATED: _("%(name)s asked for this meeting."),
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
