"""Meetings as one of their two people sees them: tabs, cards and the lines of a history."""

from collections.abc import Iterable, Sequence
from dataclasses import dataclass, replace
from datetime import datetime

from django.db.models import Count, Q
from django.utils.functional import Promise
from django.utils.translation import gettext
from django.utils.translation import gettext_lazy as _

from accounts.models import User
from calendars.domain import ledger
from calendars.models import BusyTime
from meetings.models import HistoryEntry, MeetingRequest
from meetings.models.enums import TRANSITIONS, Role, Status, Tab


@dataclass(frozen=True)
class Side:
    """How one tab of a person's meetings presents itself, also when there is nothing in it."""

    tab: Tab
    title: Promise
    empty: Promise
    hint: Promise
    order: tuple[str, ...]


_SOONEST, _LATEST = ("start", "id"), ("-start", "-id")
SIDES = {
    side.tab: side
    for side in (
        Side(
            Tab.PENDING,
            _("Waiting for you"),
            _("Nothing waits for you"),
            _(
                "When a team mate asks you for a meeting, it stands here until you confirm or"
                " decline it. You also get an email, and can answer straight from that."
            ),
            _SOONEST,
        ),
        Side(
            Tab.SENT,
            _("Sent by you"),
            _("You have not asked anybody yet"),
            _("Choose a team mate and a time; what became of your requests stands here."),
            ("-created_at", "-id"),
        ),
        Side(
            Tab.CONFIRMED,
            _("Confirmed"),
            _("No meeting ahead"),
            _("Once a request is confirmed, its hour is kept free for both and stands here."),
            _SOONEST,
        ),
        Side(
            Tab.COMPLETED,
            _("Completed"),
            _("No meeting behind you"),
            _("Confirmed meetings move here when they have taken place."),
            _LATEST,
        ),
        Side(
            Tab.REJECTED,
            _("Declined"),
            _("Nothing was declined"),
            _("Requests that somebody said no to stand here, with the reason they gave."),
            _LATEST,
        ),
        Side(
            Tab.CANCELLED,
            _("Cancelled"),
            _("Nothing was cancelled"),
            _("Requests that were taken back and meetings that were called off stand here."),
            _LATEST,
        ),
        Side(
            Tab.EXPIRED,
            _("Expired"),
            _("Nothing has expired"),
            _("A request that nobody answered before its time came ends here by itself."),
            _LATEST,
        ),
    )
}


def counts_of_tabs(user: User, now: datetime) -> dict[Tab, int]:
    """How many meetings each tab holds, in one query."""
    rows = MeetingRequest.objects.in_tab
    counts = MeetingRequest.objects.visible_to(user).aggregate(
        **{
            tab.name: Count("pk", filter=Q(pk__in=rows(tab, user, now).values("pk")))
            for tab in SIDES
        }
    )
    return {tab: counts[tab.name] for tab in SIDES}


_STATUS_NAMES = {
    Status.PENDING: _("Waits for an answer"),
    Status.CONFIRMED: _("Confirmed"),
    Status.REJECTED: _("Declined"),
    Status.CANCELLED: _("Cancelled"),
    Status.EXPIRED: _("Expired"),
    Status.COMPLETED: _("Completed"),
}


@dataclass(frozen=True)
class Card:
    """A meeting as one of its two people sees it at a moment."""

    meeting: MeetingRequest
    person: User
    status: Status
    # What the person has at that time already, where it is theirs to confirm.
    collisions: Sequence[BusyTime] = ()

    @property
    def other(self) -> User:
        return self.meeting.other_party(self.person)

    @property
    def asked_by_me(self) -> bool:
        return self.meeting.role_of(self.person) is Role.REQUESTER

    @property
    def is_open(self) -> bool:
        return self.status in TRANSITIONS

    @property
    def may_ask_again(self) -> bool:
        over = self.status in (Status.REJECTED, Status.CANCELLED, Status.EXPIRED)
        return over and self.other.is_active

    @property
    def may_answer(self) -> bool:
        return self._may(Status.REJECTED)

    @property
    def may_confirm(self) -> bool:
        return self._may(Status.CONFIRMED) and self.other.is_active

    @property
    def may_cancel(self) -> bool:
        return self._may(Status.CANCELLED)

    def _may(self, to: Status) -> bool:
        movers = TRANSITIONS.get(self.status, {}).get(to, set())
        return self.meeting.role_of(self.person) in movers

    @property
    def status_name(self) -> Promise:
        return _("Waits for you") if self.may_answer else _STATUS_NAMES[self.status]

    @property
    def side(self) -> Side:
        """Where its person finds it."""
        if self.status is not Status.PENDING:
            return SIDES[Tab(self.status.value)]
        return SIDES[Tab.SENT if self.asked_by_me else Tab.PENDING]

    @property
    def title(self) -> str:
        name = {"name": self.other.name}
        if self.status is not Status.PENDING:
            return gettext("Meeting with %(name)s") % name
        if self.asked_by_me:
            return gettext("You asked %(name)s to meet") % name
        return gettext("%(name)s would like to meet you") % name


def cards_of(meetings: Iterable[MeetingRequest], person: User, now: datetime) -> list[Card]:
    """With the collisions of all that are this person's to confirm, in one query."""
    cards = [Card(meeting, person, meeting.status_at(now)) for meeting in meetings]
    asked = [card.meeting for card in cards if card.may_confirm]
    found = ledger.conflicts_of_each(user=person, spans=[(one.start, one.end) for one in asked])
    met = dict(zip((one.pk for one in asked), found, strict=True))
    return [replace(card, collisions=met.get(card.meeting.pk, ())) for card in cards]


@dataclass(frozen=True)
class Step:
    """One line of a meeting's history."""

    sentence: str
    at: datetime
    reason: str


_BY_ME = {
    Status.PENDING: _("You asked for this meeting."),
    Status.CONFIRMED: _("You confirmed it."),
    Status.REJECTED: _("You declined."),
    Status.CANCELLED: _("You cancelled it."),
}
_BY_ANOTHER = {
    Status.PENDING: _("%(name)s asked for this meeting."),
    Status.CONFIRMED: _("%(name)s confirmed it."),
    Status.REJECTED: _("%(name)s declined."),
    Status.CANCELLED: _("%(name)s cancelled it."),
}
_BY_TIME = {
    Status.EXPIRED: _("Its time came before an answer, so it expired."),
    Status.COMPLETED: _("It has taken place."),
}


def step_of(entry: HistoryEntry, person: User) -> Step:
    to = Status(entry.to_status)
    if entry.role == Role.CLOCK:
        sentence = str(_BY_TIME[to])
    elif entry.role == Role.TEAM:
        sentence = gettext("It ended, because one of you left the team.")
    elif entry.actor == person:
        sentence = str(_BY_ME[to])
    else:
        # Who of the staff it was, is not for the two to know.
        actor = None if entry.role == Role.STAFF else entry.actor
        name = actor.name if actor else gettext("The organisers")
        sentence = _BY_ANOTHER[to] % {"name": name}
    return Step(sentence, entry.at, entry.reason)
