"""`over_calendar`: a host or recipient takes time at which their own calendar has something."""

from datetime import timedelta
from typing import Any

import pytest
from django.test import Client

from accounts.models import Team, User
from calendars.domain import accounts
from calendars.models import Calendar
from meetings.domain import services as meetings
from meetings.models import MeetingRequest
from scheduling.models import Booking, EventType
from tests import factories
from tests.calendars.asking import Address
from tests.pages import NOW, START
from tests.scheduling.conftest import Book

pytestmark = [pytest.mark.django_db, pytest.mark.usefixtures("at_now")]

HALF = timedelta(minutes=30)
TAKEN = "Your own calendar has something at that time."


@pytest.fixture
def api(alice: User) -> Client:
    return factories.client(alice)


@pytest.fixture(autouse=True)
def calendar(alice: User) -> Calendar:
    """Return Alice's calendar, which was read just now and has an entry at START."""
    calendar = factories.calendar(alice, now=NOW, url="https://127.0.0.1/")
    factories.entry(calendar, start=START, end=START + HALF)
    Calendar.objects.update(read_at=NOW)
    return calendar


def post(api: Client, path: str, **body: Any) -> Any:
    return api.post(f"/api/{path}", body, content_type="application/json")


def refusal(answer: Any) -> tuple[int, str, str]:
    body = answer.json()
    return answer.status_code, body["reason"], body["message"]


def new(event_type: EventType, **more: Any) -> dict[str, Any]:
    return {
        "event_type_id": event_type.pk,
        "attendee_email": "john@example.com",
        "attendee_name": "John Doe",
        "start_time": START.isoformat(),
        **more,
    }


@pytest.mark.parametrize("value", ["true", 1, None])
def test_it_is_a_truth_value(
    api: Client, event_type: EventType, asked: MeetingRequest, value: Any
) -> None:
    answer = post(api, "v1/events", **new(event_type, over_calendar=value))
    assert answer.json()["details"][0]["field"] == "over_calendar"
    assert post(api, f"v3/meeting/{asked.pk}/confirm", over_calendar=value).status_code == 400


def test_a_host_books_over_their_calendar(api: Client, event_type: EventType) -> None:
    assert refusal(post(api, "v1/events", **new(event_type))) == (409, "calendar", TAKEN)
    assert not Booking.objects.exists()
    answer = post(api, "v1/events", **new(event_type, over_calendar=True))
    assert answer.status_code == 201


def test_what_is_booked_stays_in_the_way(api: Client, event_type: EventType, book: Book) -> None:
    later = START + HALF
    book(start=later)
    body = new(event_type, start_time=later.isoformat(), over_calendar=True)
    assert refusal(post(api, "v1/events", **body))[:2] == (409, "busy")


def test_a_host_moves_a_booking_over_their_calendar(api: Client, book: Book) -> None:
    path = f"v1/events/{book(start=START + HALF).pk}/reschedule"
    body = {"start_time": START.isoformat()}
    assert refusal(post(api, path, **body)) == (409, "calendar", TAKEN)
    moved = post(api, path, **body, over_calendar=True)
    assert moved.json()["data"]["start_time"] == "2026-03-04T10:00:00Z"


def meeting(requester: User, recipient: User, team: Team) -> MeetingRequest:
    return meetings.request_meeting(
        requester=requester,
        recipient_id=recipient.pk,
        team_id=team.pk,
        date=START.isoformat(),
        link="",
        now=NOW,
    )


@pytest.fixture
def asked(alice: User, bob: User, team: Team) -> MeetingRequest:
    return meeting(bob, alice, team)


def test_a_recipient_confirms_over_their_calendar(api: Client, asked: MeetingRequest) -> None:
    path = f"v3/meeting/{asked.pk}/confirm"
    assert post(api, path).json() == {"error": 409, "message": TAKEN, "reason": "calendar"}
    assert post(api, path, over_calendar=True).json()["status"] == "confirmed"


def test_the_requesters_calendar_is_not_the_recipients_to_pass(
    alice: User, bob: User, team: Team
) -> None:
    """Nor do they learn what is in the way."""
    asked = meeting(alice, bob, team)
    for over_calendar in (False, True):
        answer = post(
            factories.client(bob),
            f"v3/meeting/{asked.pk}/confirm",
            over_calendar=over_calendar,
        )
        assert refusal(answer) == (409, "busy", "That time is no longer free.")


# --- as of when calendars were known ------------------------------------------------------------


def history(api: Client) -> list[str | None]:
    answer = api.get(f"/api/v1/events/{Booking.objects.get().pk}/history")
    return [entry["calendars_as_of"] for entry in answer.json()["data"]]


def test_fresh_calendars_are_not_mentioned(api: Client, event_type: EventType) -> None:
    post(api, "v1/events", **new(event_type, over_calendar=True))
    assert history(api) == [None]


def test_calendars_that_cannot_be_read_are_known_as_of_their_last_reading(
    api: Client, event_type: EventType
) -> None:
    """The address of the account is none that can be reached."""
    Calendar.objects.update(read_at=NOW - timedelta(minutes=9))
    answer = post(api, "v1/events", **new(event_type, over_calendar=True))
    assert answer.status_code == 201
    assert history(api) == ["2026-03-02T08:51:00Z"]


@pytest.mark.django_db(transaction=True)
def test_a_stale_calendar_is_read_before_the_booking(
    api: Client, event_type: EventType, calendar: Calendar, address: Address
) -> None:
    """Before its transaction: in it no calendar server is asked."""
    accounts.disconnect(account=calendar.account, takes_back=False, now=NOW)
    connect = {"provider": "ics", "url": address.url}
    assert post(api, "v1/calendar_accounts", **connect).status_code == 201
    address.asked.clear()
    assert post(api, "v1/events", **new(event_type)).status_code == 201
    assert [asked.method for asked in address.asked] != []
    assert history(api) == [None]
