"""Forms of weekly and date-specific hours: windows to add, remove and copy."""

import re
from collections.abc import Iterable, Sequence
from dataclasses import dataclass, field, replace
from datetime import date
from enum import StrEnum

from django import forms
from django.http import QueryDict
from django.utils.translation import gettext as _
from django.utils.translation import gettext_lazy

from core.errors import Invalid
from core.text import zones
from core.text.lines import LineFormField
from scheduling.domain.services import DayChange
from scheduling.models import DateOverride, Schedule
from scheduling.models.enums import Weekday
from scheduling.models.hours import LONGEST_NAME
from scheduling.rules import hours
from scheduling.rules.hours import MOST_WINDOWS, WindowText
from scheduling.rules.slots import Interval

_TYPED = re.compile(r"([0-9]{1,2})(?:[:.h]?([0-9]{2}))?\s*(?:([ap])\.?m\.?)?", re.IGNORECASE)
_NINE_TO_FIVE: Interval = (9 * 60, 17 * 60)


def _read(typed: str, *, ends: bool) -> str:
    """Return a typed time as `HH:MM`. `9`, `930`, `9.30` and `9:30 am` are read too.

    Midnight is 24:00 at the end of a window. A text that is no time stays unchanged.
    """
    found = _TYPED.fullmatch(typed.strip())
    if not found:
        return typed
    hour, minute, half = int(found[1]), int(found[2] or 0), (found[3] or "").lower()
    if half:
        if not 1 <= hour <= 12:
            return typed
        hour = hour % 12 + (12 if half == "p" else 0)
    if ends and hour == minute == 0:
        hour = 24
    return f"{hour:02}:{minute:02}"


@dataclass
class WindowRow:
    """Window as it was typed. `is_new` marks a window that has just been added."""

    start: str = ""
    end: str = ""
    errors: list[str] = field(default_factory=list)
    is_new: bool = False


@dataclass
class Windows:
    """Windows of a day. `key` names the day in the names of the inputs."""

    key: str
    rows: list[WindowRow]
    errors: list[str] = field(default_factory=list)

    @classmethod
    def kept(cls, key: str, windows: Iterable[Interval]) -> "Windows":
        return cls(key, [WindowRow(**text) for text in hours.texts_of(windows)])

    @classmethod
    def sent(cls, key: str, data: QueryDict) -> "Windows":
        pairs = zip(data.getlist(f"start-{key}"), data.getlist(f"end-{key}"), strict=False)
        rows = [WindowRow(_read(start, ends=False), _read(end, ends=True)) for start, end in pairs]
        return cls(key, rows or [WindowRow()])

    @property
    def are_full(self) -> bool:
        return len(self.rows) >= MOST_WINDOWS

    def texts(self) -> list[WindowText]:
        """Return the typed windows. Empty rows are left out."""
        return [WindowText(start=row.start, end=row.end) for row in self._filled()]

    def _filled(self) -> list[WindowRow]:
        return [row for row in self.rows if row.start or row.end]

    def check(self) -> bool:
        """Tell whether these can be the hours of a day. Put the errors beside each window."""
        for row in self._filled():
            try:
                hours.window(WindowText(start=row.start, end=row.end), field="")
            except Invalid as error:
                row.errors.append(error.message)
        if any(row.errors for row in self.rows):
            return False
        if not self._filled():
            self.errors.append(_("Add at least one time range, or mark the day as off."))
            return False
        try:
            hours.windows(self.texts(), field="")
        except Invalid as error:
            self.errors.append(error.message)
        return not self.errors

    def add(self) -> None:
        if not self.are_full:
            self.rows.append(WindowRow(is_new=True))

    def remove(self, place: str) -> bool:
        """Remove the window at this place. Return False for the only window, which stays."""
        if len(self.rows) > 1 and place.isdecimal() and int(place) < len(self.rows):
            del self.rows[int(place)]
            return True
        return False


@dataclass
class DayRow:
    """Weekday of the form."""

    weekday: Weekday
    enabled: bool
    windows: Windows


@dataclass
class WeekForm:
    """Form of the weekly hours, in the order of the person's week."""

    zone: str
    days: Sequence[DayRow]
    zone_errors: list[str] = field(default_factory=list)
    is_refused: bool = False

    @classmethod
    def kept(cls, schedule: Schedule, zone: str, week_start: int) -> "WeekForm":
        days = [
            DayRow(day, kept["enabled"], Windows.kept(str(day), kept["windows"]))
            for day in Weekday.week(week_start)
            for kept in [schedule.days[str(day)]]
        ]
        return cls(zone, days)

    @classmethod
    def sent(cls, data: QueryDict, week_start: int) -> "WeekForm":
        days = [
            DayRow(day, f"on-{day}" in data, Windows.sent(str(day), data))
            for day in Weekday.week(week_start)
        ]
        typed = data.get("timezone", "").strip()
        return cls(zones.find(typed) or typed, days)

    def change(self, act: str, data: QueryDict) -> None:
        """Apply a button: `add-1`, `remove-1-0` (weekday and place) or `copy-1`.

        Ignore anything else.
        """
        what, _dash, rest = act.partition("-")
        number, _dash, place = rest.partition("-")
        for day in self.days:
            if str(day.weekday) != number:
                continue
            if what == "add":
                day.enabled = True
                day.windows.add()
            elif what == "remove":
                # A day that loses its only window is off. The window stays for the next time it is
                # on.
                day.enabled = day.windows.remove(place) and day.enabled
            elif what == "copy":
                self._copy(day, data.getlist(f"copy-{number}"))

    def _copy(self, source: DayRow, numbers: Sequence[str]) -> None:
        for day in self.days:
            if str(day.weekday) in numbers and day is not source:
                day.enabled = source.enabled
                rows = [replace(row, is_new=False) for row in source.windows.rows]
                day.windows = replace(day.windows, rows=rows)

    def check(self) -> bool:
        """Tell whether the form can be saved. Put the errors beside each day and window."""
        if not zones.find(self.zone):
            said = zones.hint(self.zone) or _("There is no such time zone.")
            self.zone_errors.append(said)
        checked = [day.windows.check() for day in self.days if day.enabled]
        self.is_refused = bool(self.zone_errors) or not all(checked)
        return not self.is_refused

    def days_changed(self) -> dict[str, DayChange]:
        """Return the changes for `services.set_hours`. A day that is off keeps its hours."""
        return {
            str(day.weekday): DayChange(enabled=True, windows=day.windows.texts())
            if day.enabled
            else DayChange(enabled=False)
            for day in self.days
        }


class ScheduleNameForm(forms.Form):
    name = LineFormField(label=gettext_lazy("Name"), max_length=LONGEST_NAME)


class Kind(StrEnum):
    """Kind of hours that a date can have."""

    USUAL = "usual"
    OTHER = "other"
    OFF = "off"


@dataclass
class DateForm:
    """Form of the hours of one date."""

    day: date
    kind: Kind
    windows: Windows

    @classmethod
    def kept(
        cls, day: date, override: DateOverride | None, usual: Sequence[Interval]
    ) -> "DateForm":
        kind, windows = Kind.USUAL, usual
        if override is not None:
            kind = Kind.OTHER if override.windows else Kind.OFF
            windows = override.windows or usual
        return cls(day, kind, Windows.kept("date", windows or [_NINE_TO_FIVE]))

    @classmethod
    def sent(cls, day: date, data: QueryDict) -> "DateForm":
        sent = data.get("kind", "")
        kind = Kind(sent) if sent in list(Kind) else Kind.OTHER
        return cls(day, kind, Windows.sent("date", data))

    def change(self, act: str) -> None:
        """Apply a button: `add-date` or `remove-date-0`. Ignore anything else."""
        if act == "add-date":
            self.kind = Kind.OTHER
            self.windows.add()
        elif act.startswith("remove-date-") and not self.windows.remove(act[len("remove-date-") :]):
            self.kind = Kind.OFF

    def check(self) -> bool:
        return self.kind is not Kind.OTHER or self.windows.check()

    def wanted(self) -> list[WindowText] | None:
        """Return the windows for `outside.set_override`.

        None means the usual hours, an empty list a day off.
        """
        match self.kind:
            case Kind.USUAL:
                return None
            case Kind.OFF:
                return []
        return self.windows.texts()
