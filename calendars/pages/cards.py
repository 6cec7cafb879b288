"""Calendar accounts as their owner sees them: how each stands, in words."""

from collections.abc import Iterable
from dataclasses import dataclass
from datetime import datetime
from itertools import groupby
from typing import Any

from django.utils.translation import gettext, ngettext

from calendars.domain.problems import in_words
from calendars.models import Calendar, CalendarAccount
from core.text import times

# Problems that another address solves. In time, the others solve themselves.
_OF_THE_ADDRESS = {"not_found", "not_a_calendar", "invalid_url", "blocked_address", "dns"}


@dataclass(frozen=True)
class Switch:
    """A switch of a calendar: its field, its words, and whether it is on."""

    name: str
    words: str
    is_on: bool


@dataclass(frozen=True)
class Line:
    """One calendar of an account."""

    calendar: Calendar
    said: list[str]
    # What is wrong with its reading, with single entries and with its writing, in words.
    problem: str
    doubt: str
    unread: str
    write_problem: str
    unwritten: str

    @property
    def switches(self) -> list[Switch]:
        """Return its switches. Those about single kinds of entries need the first one."""
        calendar = self.calendar
        first = Switch("blocks", gettext("Check for conflicts"), calendar.blocks)
        if not calendar.blocks:
            return [first]
        tentative = gettext("Include tentative entries")
        all_day = gettext("Include all-day entries")
        return [
            first,
            Switch("blocks_tentative", tentative, calendar.blocks_tentative),
            Switch("blocks_all_day", all_day, calendar.blocks_all_day),
        ]


@dataclass(frozen=True)
class Card:
    """One account with its calendars."""

    account: CalendarAccount
    lines: list[Line]
    said: list[str]
    is_being_read: bool

    @property
    def is_ok(self) -> bool:
        return self.account.state == CalendarAccount.State.OK

    @property
    def is_one(self) -> bool:
        """Return whether its only calendar has its own name, which then stands there already."""
        return [line.calendar.name for line in self.lines] == [self.account.name]

    @property
    def problem(self) -> str:
        return "" if self.is_ok else in_words(self.account.error)

    @property
    def mend(self) -> str:
        """Return what its owner can do about the problem."""
        is_feed = self.account.provider == CalendarAccount.Provider.ICS
        is_revoked = self.account.state == CalendarAccount.State.REVOKED
        if is_revoked and not is_feed:
            return gettext(
                "Edit it and enter the password again. Many servers want a password made for this"
                " app alone."
            )
        if is_revoked or self.account.error in _OF_THE_ADDRESS:
            return gettext("Edit it and enter the address that is valid now.")
        if self.account.error == "too_many":
            return gettext(
                "Your calendars together have more entries than Parley keeps for one person. Switch"
                " one off or disconnect it."
            )
        return gettext("Parley tries again by itself, at least once an hour.")


def cards_of(calendars: Iterable[Calendar], now: datetime) -> list[Card]:
    """Return cards of these calendars, which are in the order of their accounts.

    Each calendar comes with its numbers (`with_counts`).
    """
    cards = []
    for account, of_account in groupby(calendars, key=lambda calendar: calendar.account):
        lines = [_line(calendar) for calendar in of_account]
        said = [str(account.get_provider_display())]
        if account.host and account.host != account.name:
            said.append(account.host)
        is_asked_for = account.whole_at is None and account.due_at <= now
        is_being_read = is_asked_for or bool(account.lease)
        age = gettext("being read") if is_being_read else _age(account, now)
        cards.append(Card(account, lines, [*said, age], is_being_read))
    return cards


def _line(calendar: Any) -> Line:
    said = []
    if calendar.blocks and calendar.as_of:
        words = ngettext("%(count)d entry", "%(count)d entries", calendar.entry_count)
        said.append(words % {"count": calendar.entry_count})
    if not calendar.is_writable:
        said.append(gettext("read only"))
    return Line(
        calendar,
        said,
        problem=in_words(calendar.error) if calendar.error else "",
        doubt=_doubt() if calendar.doubted_at else "",
        unread=_unread(calendar.unreadable_count),
        write_problem=in_words(calendar.write_error) if calendar.write_error else "",
        unwritten=_unwritten(calendar.unwritten_count),
    )


def _doubt() -> str:
    return gettext(
        "Many entries were missing when it was read last. They block time until a second reading"
        " says the same."
    )


def _unread(count: int) -> str:
    words = ngettext(
        "%(count)d entry could not be read. It closes only time that was known before.",
        "%(count)d entries could not be read. They close only time that was known before.",
        count,
    )
    return words % {"count": count} if count else ""


def _unwritten(count: int) -> str:
    words = ngettext(
        "%(count)d change of your bookings still waits to be written to it.",
        "%(count)d changes of your bookings still wait to be written to it.",
        count,
    )
    return words % {"count": count} if count else ""


def _age(account: CalendarAccount, now: datetime) -> str:
    if account.read_at is None:
        return gettext("not read yet")
    return gettext("read %(ago)s") % {"ago": times.ago(now - account.read_at)}
