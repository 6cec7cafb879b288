"""Every kind of calendar object that Parley writes, and what a reader must find in it.

The texts are as awkward as people can make them.
"""

from collections.abc import Callable, Iterator
from dataclasses import dataclass, replace
from datetime import UTC, datetime, timedelta
from email import message_from_bytes
from typing import Any

from django.core import mail as post
from django.core.mail import EmailMultiAlternatives
from django.test import Client
from django.urls import reverse

from accounts.models import User
from core.people.privacy import File
from meetings import privacy as privacy_of_meetings
from meetings.domain import services as meetings
from scheduling import privacy as privacy_of_bookings
from scheduling.domain import bookings
from scheduling.domain.bookings import INVITEE
from scheduling.messages import links
from scheduling.models import Booking, EventType
from tests import factories
from tests.outbox import posted, send
from tests.pages import NOW, START

HALF_HOUR, HOUR, DAY = timedelta(minutes=30), timedelta(hours=1), timedelta(days=1)
# Berlin's clock shows the hour around it twice.
PUT_BACK = datetime(2026, 10, 25, 0, 30, tzinfo=UTC)

SETTINGS = {"DEFAULT_FROM_EMAIL": '"Büro; Parley, 24:7" <parley@bücher.example>'}
ORGANIZER = ["mailto:parley@xn--bcher-kva.example", "Büro; Parley, 24:7"]

ALICE, BOB, JOHN = "alice@example.com", "bob@example.com", "jo@münchen.example"
ALICES_NAME, BOBS_NAME = "Zoë O’Neil, Jr.; a:b", "Bob 😀 \\Byrd\\"
BOBS_CN = "Bob 😀 ＼Byrd＼"
JOHNS_NAME = 'Jöhn "J", Doe; x:y ^ 😀'
TITLE = 'Tea; "cake", 1:1 \\n 😀'
LINK = "https://meet.example/a,b;c?d=%22e%22&f=1#g"
OTHER_LINK = "https://meet.example/other"
LONG = "Donaudampfschifffahrt" * 15
NOTES = f'bell\x07 and \x0b, "quoted"; a: \\n\r\n{LONG}\n\n😀\tEND:VEVENT\nBEGIN:VALARM'
READ_NOTES = f'bell and , "quoted"; a: \\n\n{LONG}\n\n😀\tEND:VEVENT\nBEGIN:VALARM'


@dataclass(frozen=True)
class Entry:
    uid: str
    sequence: int
    start: datetime
    end: datetime
    summary: str
    organizer: list[str]
    attendees: list[list[str]]
    description: str | None
    location: str | None = None
    url: str | None = None
    status: str = "CONFIRMED"

    def as_read(self) -> dict[str, Any]:
        times = {name: f"{getattr(self, name):%Y-%m-%dT%H:%M:%S%z}" for name in ("start", "end")}
        return vars(self) | times


@dataclass(frozen=True)
class Object:
    """A calendar object that was sent. `method` is None for a file that has none."""

    text: str
    method: str | None
    entries: list[Entry]

    def as_read(self) -> dict[str, Any]:
        """Return what a reader must find."""
        return {"method": self.method, "entries": [entry.as_read() for entry in self.entries]}


def build() -> dict[str, Object]:
    """Book, ask, move, cancel and export. Return the calendar objects of it by name."""
    alice = factories.user("alice", first_name="Zoë", last_name=ALICES_NAME.removeprefix("Zoë "))
    bob = factories.user("bob", first_name="Bob 😀", last_name="\\Byrd\\", timezone="Europe/Berlin")
    found = dict(of_a_public_booking(alice))
    found |= of_a_call(alice)
    found |= of_meetings(alice, bob)
    found |= of_exports(alice)
    return found


def of_a_public_booking(alice: User) -> Iterator[tuple[str, Object]]:
    """A stranger books, moves the booking, moves it to a time that waits for approval."""
    event_type = factories.event_type(
        alice,
        name=TITLE,
        location="custom",
        location_custom='Room 5;\r\nFloor 2, "B"',
        location_link=LINK,
    )
    booking = factories.booking(
        event_type, start=START, now=NOW, name=JOHNS_NAME, email=JOHN, notes=NOTES
    )
    host = Entry(
        uid=booking.calendar_uid,
        sequence=0,
        start=START,
        end=START + HALF_HOUR,
        summary=f"{TITLE}: {JOHNS_NAME}",
        organizer=ORGANIZER,
        attendees=[
            [f"mailto:{ALICE}", ALICES_NAME, "ACCEPTED"],
            ["mailto:jo@xn--mnchen-3ya.example", JOHNS_NAME.replace('"', "'"), "ACCEPTED"],
        ],
        description=f"{READ_NOTES}\nhttp://localhost/bookings/{booking.pk}",
        location='Room 5; Floor 2, "B"',
        url=LINK,
    )
    # What a stranger typed does not reach the address that they typed.
    invitee = replace(
        host,
        summary=f"{TITLE}: {ALICES_NAME}",
        attendees=[host.attendees[0], ["mailto:jo@xn--mnchen-3ya.example", JOHN, "ACCEPTED"]],
        description=links.manage_url(booking),
    )
    yield from mailed("booked", "REQUEST", {ALICE: host, JOHN: invitee})
    published = replace(invitee, attendees=[])
    yield "downloaded", Object(downloaded(booking), "PUBLISH", [published])

    start = START + DAY
    booking = bookings.reschedule(booking=booking, start=start, actor=INVITEE, now=NOW)
    moved: dict[str, Any] = {"sequence": 1, "start": start, "end": start + HALF_HOUR}
    yield from mailed(
        "moved", "REQUEST", {ALICE: replace(host, **moved), JOHN: replace(invitee, **moved)}
    )

    booking = bookings.update(booking=booking, join_url=OTHER_LINK, now=NOW)
    linked = moved | {"sequence": 2, "url": OTHER_LINK}
    yield from mailed(
        "linked", "REQUEST", {ALICE: replace(host, **linked), JOHN: replace(invitee, **linked)}
    )

    EventType.objects.update(requires_approval=True)
    start = START + HOUR
    bookings.reschedule(booking=booking, start=start, actor=INVITEE, now=NOW)
    gone: dict[str, Any] = {
        "url": OTHER_LINK,
        "sequence": 3,
        "start": start,
        "end": start + HALF_HOUR,
        "status": "CANCELLED",
    }
    yield from mailed(
        "to be approved", "CANCEL", {ALICE: replace(host, **gone), JOHN: replace(invitee, **gone)}
    )


def of_a_call(alice: User) -> Iterator[tuple[str, Object]]:
    """A host books a call for somebody, and cancels it."""
    event_type = factories.event_type(alice, name="Call", slug="call", location="phone_call")
    start = START + 3 * HOUR
    booking = factories.booking(
        event_type,
        start=start,
        now=NOW,
        actor=bookings.host(alice),
        phone="+49 30 1234 ext. 5",
        notes=LONG,
        answers={"size": 3},
    )
    host = Entry(
        uid=booking.calendar_uid,
        sequence=0,
        start=start,
        end=start + HALF_HOUR,
        summary="Call: John Doe",
        organizer=ORGANIZER,
        attendees=[
            [f"mailto:{ALICE}", ALICES_NAME, "ACCEPTED"],
            ["mailto:john@example.com", "John Doe", "ACCEPTED"],
        ],
        description=f"{LONG}\nsize: 3\nhttp://localhost/bookings/{booking.pk}",
        location="Phone Call: +49301234 ext. 5",
    )
    invitee = replace(
        host,
        summary=f"Call: {ALICES_NAME}",
        description=f"{LONG}\nsize: 3\n{links.manage_url(booking)}",
    )
    yield from mailed("called", "REQUEST", {ALICE: host, "john@example.com": invitee})

    bookings.cancel(booking=booking, actor=INVITEE, now=NOW)
    gone: dict[str, Any] = {"sequence": 1, "status": "CANCELLED"}
    yield from mailed(
        "call cancelled",
        "CANCEL",
        {ALICE: replace(host, **gone), "john@example.com": replace(invitee, **gone)},
    )


def of_meetings(alice: User, bob: User) -> Iterator[tuple[str, Object]]:
    """Two people meet while a clock is put back, and one of them cancels."""
    team = factories.team("Founders", alice, bob)
    meeting = meetings.request_meeting(
        requester=alice,
        team_id=team.pk,
        recipient_id=bob.pk,
        date=PUT_BACK.isoformat(),
        link=LINK,
        now=NOW,
    )
    meeting = meetings.confirm(meeting=meeting, actor=bob, now=NOW)
    entry = Entry(
        uid=meeting.calendar_uid,
        sequence=1,
        start=PUT_BACK,
        end=PUT_BACK + HOUR,
        summary=f"Meeting: {ALICES_NAME} and {BOBS_NAME}",
        organizer=ORGANIZER,
        attendees=[
            [f"mailto:{ALICE}", ALICES_NAME, "ACCEPTED"],
            [f"mailto:{BOB}", BOBS_CN, "ACCEPTED"],
        ],
        description=f"{meeting.booking_number}\nhttp://localhost/meetings/{meeting.pk}",
        location=LINK,
        url=LINK,
    )
    yield from mailed("met", "REQUEST", {ALICE: entry, BOB: entry})
    exported = replace(
        entry,
        summary=f"Meeting with {BOBS_NAME}",
        attendees=[],
        description=meeting.booking_number,
    )
    yield (
        "meetings.ics",
        Object(exports(privacy_of_meetings.export, alice)["meetings.ics"], None, [exported]),
    )

    meetings.cancel(meeting=meeting, actor=alice, now=NOW)
    gone = replace(entry, sequence=2, status="CANCELLED")
    yield from mailed("meeting cancelled", "CANCEL", {ALICE: gone, BOB: gone})


def of_exports(alice: User) -> Iterator[tuple[str, Object]]:
    """A host exports two bookings: one without a text and a link, and one with all of it."""
    bare = factories.event_type(alice, name="Bare", location="in_person")
    full = EventType.objects.get(name=TITLE)
    EventType.objects.update(requires_approval=False)
    rows = [
        factories.booking(bare, start=START + 4 * HOUR, now=NOW),
        factories.booking(full, start=START + 5 * HOUR, now=NOW, name=JOHNS_NAME, notes=NOTES),
    ]
    entry = Entry(
        uid=rows[0].calendar_uid,
        sequence=0,
        start=rows[0].start,
        end=rows[0].end,
        summary="Bare: John Doe",
        organizer=ORGANIZER,
        attendees=[],
        description=None,
        location="In Person",
    )
    other = replace(
        entry,
        uid=rows[1].calendar_uid,
        start=rows[1].start,
        end=rows[1].end,
        summary=f"{TITLE}: {JOHNS_NAME}",
        description=READ_NOTES,
        location='Room 5; Floor 2, "B"',
        url=LINK,
    )
    text = exports(privacy_of_bookings.export, alice)["bookings.ics"]
    yield "bookings.ics", Object(text, None, [entry, other])


def mailed(what: str, method: str, expected: dict[str, Entry]) -> Iterator[tuple[str, Object]]:
    """Send what is due, and yield the object in the mail to each address."""
    post.outbox.clear()
    send()
    found = {message.to[0]: wire(message) for message in posted()}
    for address, entry in expected.items():
        parts = [
            part
            for part in message_from_bytes(found[address]).walk()
            if part.get_content_type() == "text/calendar"
        ]
        assert [part.get_param("method") for part in parts] == [method, method]
        [text] = {bytes(part.get_payload(decode=True)).decode() for part in parts}
        yield f"{what}, to {address}", Object(text, method, [entry])


def wire(message: EmailMultiAlternatives) -> bytes:
    """Return the message as it goes to a mail server."""
    built: Any = message.message()
    sent: bytes = built.as_bytes(linesep="\r\n")
    return sent


def downloaded(booking: Booking) -> str:
    path = reverse("scheduling:calendar", args=[links.manage_token(booking)])
    return Client().get(path).content.decode()


def exports(export: Callable[..., Iterator[File]], person: User) -> dict[str, str]:
    """Return the calendar files of an export by name."""
    files = export(person_id=person.pk, now=NOW)
    return {
        file.name: b"".join(file.pieces).decode() for file in files if file.name.endswith(".ics")
    }
