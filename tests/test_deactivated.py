"""Deactivated people: nobody books, meets or emails them; staff cancel what remains."""

from collections.abc import Iterator
from datetime import datetime, timedelta
from urllib.parse import urlsplit

import pytest
import time_machine
from django.test import Client
from pytest_django import Settings

from accounts.domain import teams
from accounts.models import AuditEntry, Team, User
from core.errors import PersonGone
from meetings.domain import services as meetings
from meetings.messages import links as meeting_links
from meetings.models import MeetingRequest
from notifications.models import Notification
from scheduling.domain import bookings
from scheduling.messages import links
from scheduling.models import Booking
from tests import factories, outbox
from tests.admin.calls import press, url
from tests.outbox import address_of
from tests.pages import NOW, START, stand_alone, words

pytestmark = pytest.mark.django_db

LATER = START + timedelta(days=1)
HOUR_BEFORE = START - timedelta(hours=1)
JOHN = "john@example.com"


@pytest.fixture(autouse=True)
def _at_now(settings: Settings) -> Iterator[None]:
    stand_alone(settings)
    with time_machine.travel(NOW, tick=False):
        yield


@pytest.fixture
def booking(alice: User) -> Booking:
    return factories.booking(factories.event_type(alice), start=START, now=NOW)


@pytest.fixture
def meeting(team: Team, alice: User, bob: User) -> MeetingRequest:
    """Return a meeting request of Alice's to Bob, for the hour after the booking."""
    return meetings.request_meeting(
        requester=alice,
        team_id=team.pk,
        recipient_id=bob.pk,
        link="",
        now=NOW,
        date=(START + timedelta(hours=1)).isoformat(),
    )


@pytest.fixture
def staff() -> Client:
    client = Client()
    client.force_login(User.objects.create_superuser("staff@example.com", factories.PASSWORD))
    return client


def deactivate(person: User) -> None:
    User.objects.filter(pk=person.pk).update(is_active=False)


def page_of(booking: Booking) -> str:
    return urlsplit(links.manage_url(booking)).path


def sent(at: datetime = NOW) -> list[tuple[str, str, str, str]]:
    """Send all due messages. Return kind, address, state and last error of each."""
    with time_machine.travel(at, tick=False):
        outbox.send()
    rows = outbox.rows("email", due_at__lte=at)
    return sorted((row.kind, address_of(row), row.state, row.last_error) for row in rows)


# --- times with them ------------------------------------------------------------------------------


def test_an_invitee_sees_that_they_are_gone_and_can_cancel(booking: Booking, alice: User) -> None:
    deactivate(alice)
    guest, path = Client(), page_of(booking)
    page = guest.get(path)
    assert "The account of Alice Ames is closed. You get no reminders of this booking" in words(
        page
    )
    assert 'name="start"' not in page.content.decode()
    moved = guest.post(path, {"act": "move", "start": int(LATER.timestamp()), "sequence": 0})
    assert words(guest.get(moved["Location"])).startswith(
        "The account of Alice Ames is closed. Nothing was changed."
    )
    booking.refresh_from_db()
    assert (booking.start, booking.sequence) == (START, 0)
    guest.post(path, {"act": "cancel", "sequence": 0})
    booking.refresh_from_db()
    assert booking.status == "cancelled"
    page = guest.get(path)
    assert "Choose another time" not in words(page)


def test_a_move_that_began_before_is_refused(booking: Booking, alice: User) -> None:
    deactivate(alice)
    with pytest.raises(PersonGone):
        bookings.reschedule(booking=booking, start=LATER, actor=bookings.INVITEE, now=NOW)


def test_an_approval_that_began_before_is_refused(alice: User) -> None:
    asked = factories.event_type(alice, name="Interview", requires_approval=True)
    waiting = factories.booking(asked, start=START, now=NOW)
    deactivate(alice)
    with pytest.raises(PersonGone):
        bookings.confirm(booking=waiting, actor=bookings.host(alice), now=NOW)


def test_a_mate_cannot_confirm_their_request_but_decline_it(
    meeting: MeetingRequest, alice: User, bob: User
) -> None:
    deactivate(alice)
    api, path = factories.client(bob), f"/api/v3/meeting/{meeting.pk}"
    answer = api.post(f"{path}/confirm", {}, "application/json")
    assert (answer.status_code, answer.json()) == (
        409,
        {
            "error": 409,
            "message": "The account of Alice Ames is closed.",
            "reason": "person_gone",
        },
    )
    meeting.refresh_from_db()
    assert (meeting.status, meeting.busy_times.count()) == ("pending", 0)
    assert api.post(f"{path}/reject", {}, content_type="application/json").status_code == 200


@pytest.mark.parametrize("way", ["page", "list", "link"])
def test_pages_offer_to_decline_alone(
    meeting: MeetingRequest, alice: User, bob: User, way: str
) -> None:
    paths = {
        "page": f"/meetings/{meeting.pk}",
        "list": "/meetings?tab=pending-meeting",
        "link": urlsplit(meeting_links.answer_url(meeting)).path,
    }
    deactivate(alice)
    browser = Client()
    browser.force_login(bob)
    text = words(browser.get(paths[way]))
    assert "The account of Alice Ames is closed, so this cannot be confirmed." in text
    assert "Decline the request" in text
    assert "Confirm" not in text.replace("Confirmed", "")
    sent_to = f"/meetings/{meeting.pk}/confirm" if way != "link" else paths[way]
    page = browser.post(sent_to, {"answer": "confirm"}, follow=True)
    assert "The account of Alice Ames is closed. Nothing was changed." in words(page)
    meeting.refresh_from_db()
    assert meeting.status == "pending"


# --- what is written ------------------------------------------------------------------------------


def test_nothing_is_written_to_them_and_nobody_is_reminded_of_them(
    booking: Booking, meeting: MeetingRequest, alice: User, bob: User
) -> None:
    meetings.confirm(meeting=meeting, actor=bob, now=NOW)
    sent()
    Notification.objects.filter(due_at__lte=NOW).delete()
    deactivate(alice)
    assert sent(START) == [
        (kind, address, "withdrawn", "deactivated")
        for kind, addresses in (
            ("booking_reminder", [alice.email] * 2 + [JOHN] * 2),
            ("meeting_reminder", [alice.email, bob.email]),
        )
        for address in addresses
    ]


def test_what_happens_without_them_is_told_to_the_others(
    booking: Booking, alice: User, bob: User
) -> None:
    sent()
    deactivate(alice)
    Notification.objects.filter(due_at__lte=NOW).delete()
    bookings.cancel(booking=booking, actor=bookings.INVITEE, now=NOW)
    assert sent() == [
        ("booking_cancelled", alice.email, "withdrawn", "deactivated"),
        ("booking_cancelled", JOHN, "sent", ""),
    ]


def test_who_is_back_in_time_is_reminded(booking: Booking, alice: User) -> None:
    deactivate(alice)
    User.objects.filter(pk=alice.pk).update(is_active=True)
    sent(START - timedelta(days=1))
    told = [row for row in sent(START - timedelta(minutes=15)) if row[0] == "booking_reminder"]
    assert told == [("booking_reminder", who, "sent", "") for who in [alice.email] * 2 + [JOHN] * 2]


def test_an_invitation_to_a_team_is_not_sent_to_them(team: Team, alice: User, bob: User) -> None:
    dora = factories.user("dora")
    deactivate(dora)
    teams.invite(team=team, actor=alice, email=dora.email, now=NOW)
    assert sent() == [("team_invitation", dora.email, "withdrawn", "deactivated")]


# --- staff ----------------------------------------------------------------------------------------


def test_their_staff_page_shows_what_is_to_come_and_cancels_it(
    staff: Client, booking: Booking, meeting: MeetingRequest, alice: User, bob: User
) -> None:
    over = factories.booking(booking.event_type, start=LATER, now=NOW)
    bookings.cancel(booking=over, actor=bookings.INVITEE, now=NOW)
    sent()
    Notification.objects.filter(due_at__lte=NOW).delete()
    page = staff.get(url(User, "change/", alice.pk))
    assert [(each.name, each.url) for each in page.context["coming"]] == [
        ("30 Minute Meeting with John Doe", url(Booking, "change/", booking.pk)),
        (
            f"{meeting.booking_number}: Alice Ames with Bob Byrd",
            url(MeetingRequest, "change/", meeting.pk),
        ),
    ]
    assert "4 Mar 2026, 10:00 UTC" in page.content.decode()

    assert "Deactivate the account first" in press(staff, "call_off", alice)
    booking.refresh_from_db()
    assert booking.status == "confirmed"

    deactivate(alice)
    assert "2 bookings and meetings are cancelled." in press(staff, "call_off", alice)
    booking.refresh_from_db()
    meeting.refresh_from_db()
    assert (booking.status, meeting.status) == ("cancelled", "cancelled")
    assert {entry.role for entry in (booking.history.last(), meeting.history.last()) if entry} == {
        "staff"
    }
    assert sent() == [
        ("booking_cancelled", alice.email, "withdrawn", "deactivated"),
        ("booking_cancelled", JOHN, "sent", ""),
        ("meeting_cancelled", alice.email, "withdrawn", "deactivated"),
        ("meeting_cancelled", bob.email, "sent", ""),
    ]
    assert AuditEntry.objects.filter(person=alice, action="staff_acted").count() == 1
    page = staff.get(url(User, "change/", alice.pk))
    assert page.context["coming"] == []


def test_a_page_shows_twenty_and_says_that_there_are_more(staff: Client, alice: User) -> None:
    event_type = factories.event_type(alice, max_advance_booking=90)
    first = START.replace(hour=9)
    for place in range(21):
        day = first + timedelta(weeks=place // 7, minutes=30 * (place % 7))
        factories.booking(event_type, start=day, now=NOW)
    page = staff.get(url(User, "change/", alice.pk))
    assert len(page.context["coming"]) == 20
    assert "… and more." in page.content.decode()
