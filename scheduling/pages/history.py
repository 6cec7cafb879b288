"""The history of a booking in sentences, as its host or its invitee reads them."""

from collections.abc import Iterator, Sequence
from dataclasses import dataclass
from datetime import datetime

from django.utils.translation import gettext
from django.utils.translation import gettext_lazy as _

from core.text import times
from scheduling.models import HistoryEntry
from scheduling.models.enums import Change, Role
from scheduling.pages.cards import Card


@dataclass(frozen=True)
class Step:
    """One line of a history.

    `calendars_as_of` tells a host as of when their calendars were known, where that was not now.
    """

    sentence: str
    at: datetime
    reason: str
    calendars_as_of: datetime | None = None


_BY_ME = {
    Change.CREATED: _("You booked it."),
    Change.CONFIRMED: _("You approved it."),
    Change.REJECTED: _("You declined it."),
    Change.CANCELLED: _("You cancelled it."),
    Change.RESCHEDULED: _("You rescheduled it from %(before)s to %(after)s."),
}
_BY_ANOTHER = {
    Change.CREATED: _("%(name)s booked it."),
    Change.CONFIRMED: _("%(name)s approved it."),
    Change.REJECTED: _("%(name)s declined it."),
    Change.CANCELLED: _("%(name)s cancelled it."),
    Change.RESCHEDULED: _("%(name)s rescheduled it from %(before)s to %(after)s."),
}
BY_TIME = {
    Change.EXPIRED: _("It expired without an answer."),
    Change.COMPLETED: _("It has taken place."),
}


def steps_of(card: Card, entries: Sequence[HistoryEntry]) -> list[Step]:
    """Return the steps of these consecutive entries of the booking's history, oldest first."""
    return list(_steps(card, entries))


def _steps(card: Card, entries: Sequence[HistoryEntry]) -> Iterator[Step]:
    before = card.booking.start
    if entries and entries[0].change == Change.RESCHEDULED:
        earlier = card.booking.history.filter(sequence__lt=entries[0].sequence).last()
        before = earlier.start if earlier else before
    for entry in entries:
        change, role = Change(entry.change), Role(entry.role)
        said = {"before": _moment(before, card), "after": _moment(entry.start, card)}
        if role is Role.CLOCK:
            sentence = str(BY_TIME[change])
        elif role is card.person.role:
            sentence = _BY_ME[change] % said
        else:
            # The two parties do not learn which staff member it was.
            is_other = role is card.other.role
            name = card.other.name if is_other else gettext("The organisers")
            sentence = _BY_ANOTHER[change] % {"name": name, **said}
        before = entry.start
        as_of = entry.calendars_as_of if card.is_host else None
        yield Step(sentence, entry.at, entry.reason, as_of)


def _moment(moment: datetime, card: Card) -> str:
    return f"{times.date_of(moment, card.person)}, {times.time(moment, card.person)}"
