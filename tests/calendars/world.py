"""A person's outside calendar on a real server, and what Parley knows of it."""

from collections.abc import Iterable, Mapping
from dataclasses import dataclass
from datetime import UTC, datetime, timedelta

from django.db.models import Q

from accounts.models import User
from calendars.domain import accounts, pushing, reading
from calendars.models import BusyTime, Calendar, CalendarAccount, Entry
from tests.calendars.servers import PASSWORD, Server


def event(
    uid: str,
    start: datetime,
    *lines: str,
    minutes: int = 30,
    title: str = "Dentist",
) -> str:
    """Return the VEVENT of an entry in UTC."""
    end = start + timedelta(minutes=minutes)
    return "\r\n".join(
        [
            "BEGIN:VEVENT",
            f"UID:{uid}",
            "DTSTAMP:20260101T000000Z",
            f"DTSTART:{start:%Y%m%dT%H%M%SZ}",
            f"DTEND:{end:%Y%m%dT%H%M%SZ}",
            f"SUMMARY:{title}",
            *lines,
            "END:VEVENT",
        ]
    )


def text_of(*components: str) -> str:
    """Return the calendar that holds these components."""
    head = ["BEGIN:VCALENDAR", "VERSION:2.0", "PRODID:-//Tests//EN"]
    return "\r\n".join([*head, *components, "END:VCALENDAR", ""])


@dataclass(frozen=True)
class Outside:
    """A calendar on a CalDAV server: `path` is its address there."""

    server: Server
    path: str

    def put(self, name: str, *components: str) -> str:
        """Write an object, and return its ETag."""
        return self.server.put(f"{self.path}{name}.ics", text_of(*components))

    def delete(self, name: str) -> None:
        self.server.delete(f"{self.path}{name}.ics")

    def objects(self) -> list[str]:
        """Return the texts of all objects."""
        body = '<propfind xmlns="DAV:"><prop><getetag/></prop></propfind>'
        _status, _headers, answer = self.server.call(
            "PROPFIND", self.path, body, Depth="1", Content_Type="text/xml"
        )
        hrefs = [each.partition("</")[0] for each in answer.split("href>")[1::2]]
        return [
            self.server.call("GET", href)[2] for href in hrefs if href.rstrip("/").endswith(".ics")
        ]

    @property
    def secret(self) -> Mapping[str, str]:
        url = self.server.at(self.path)
        return {"url": url, "username": self.server.username, "password": PASSWORD}


def connected(
    user: User, secret: Mapping[str, str], *, now: datetime, provider: str = "caldav"
) -> Calendar:
    """Connect the calendar at this address, as a person does, without reading it.

    Servers have calendars of their own too, which are let alone.
    """
    found = accounts.look(user=user, provider=provider, secret=secret)
    account = accounts.connect(
        user=user, provider=provider, name="", secret=secret, found=found, now=now
    )
    calendars = {each.href.removesuffix("/"): each for each in account.calendars.all()}
    calendar = calendars.get(secret["url"].removesuffix("/"), account.calendars.all()[0])
    account.calendars.exclude(pk=calendar.pk).update(blocks=False)
    return fresh(calendar)


def fresh(calendar: Calendar) -> Calendar:
    """Return the calendar as the database has it."""
    return Calendar.objects.select_related("account__user").get(pk=calendar.pk)


def read(account: CalendarAccount, *, now: datetime) -> bool:
    """Read an account as the worker does, due or not."""
    claimed = reading.claim(account.pk, condition=Q(), now=now, seconds=reading.SECONDS)
    assert claimed is not None
    return reading.read(claimed, now=now)


def write(account: CalendarAccount, *, now: datetime) -> None:
    """Write what is due, as the worker does."""
    pushing.write(account.pk, now=now)


def taken(user: User) -> list[str]:
    """Return the times that outside entries close, as `03-04 10:00-10:30` in UTC."""
    rows = BusyTime.objects.filter(user=user, exclusive=False).order_by("start", "end")
    return [_span(row.start, row.end) for row in rows]


def titles(calendar: Calendar) -> list[str]:
    """Return the titles of all entries, by start."""
    return [entry.title for entry in Entry.objects.filter(calendar=calendar)]


def _span(start: int, end: int) -> str:
    first, last = (datetime.fromtimestamp(each, UTC) for each in (start, end))
    return f"{first:%m-%d %H:%M}-{last:%H:%M}"


def spans(starts: Iterable[datetime], *, minutes: int = 30) -> list[str]:
    return [f"{start:%m-%d %H:%M}-{start + timedelta(minutes=minutes):%H:%M}" for start in starts]
