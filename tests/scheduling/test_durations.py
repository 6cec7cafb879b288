"""Several durations of one event type: one grid, and the one that is chosen, at every door."""

import re
from datetime import timedelta
from typing import Any
from urllib.parse import parse_qs, urlsplit

import pytest
from django.test import Client
from pytest_django import DjangoAssertNumQueries

from accounts.models import User
from scheduling.domain import bookings, services
from scheduling.models import Booking, EventType
from tests import factories
from tests.pages import NOW, START, Answer, main, words
from tests.scheduling.calls import call, data, wrong

pytestmark = [pytest.mark.django_db, pytest.mark.usefixtures("at_now")]

PAGE = "/alice/advice"
SECOND = int(START.timestamp())
NOT_OFFERED = [("duration", "Choose one of the durations in minutes: 20, 30, 60.")]


@pytest.fixture
def advice(alice: User) -> EventType:
    """Return an event type of half an hour, or of 20 or 60 minutes, with a buffer of ten."""
    return factories.event_type(
        alice, name="Advice", durations=[20, 60], buffer_time_after=10, max_advance_booking=14
    )


@pytest.fixture
def api(alice: User) -> Client:
    return factories.client(alice)


def slots(api: Client, advice: EventType, query: str = "") -> list[tuple[str, str]]:
    """Return start and end of the open slots on the morning of START, as times of the day."""
    url = f"/event_types/{advice.pk}/availability?start_date=2026-03-04&end_date=2026-03-04{query}"
    [day] = data(call(api, "GET", url))
    found = [(slot["start_time"][11:16], slot["end_time"][11:16]) for slot in day["slots"]]
    return [slot for slot in found if slot[0] < "10:30"]


# --- the API --------------------------------------------------------------------------------------


@pytest.mark.parametrize(
    ("query", "ends"),
    [
        ("", ["09:30", "10:00", "10:30"]),
        ("&duration=30", ["09:30", "10:00", "10:30"]),
        ("&duration=20", ["09:20", "09:50", "10:20"]),
        ("&duration=60", ["10:00", "10:30", "11:00"]),
    ],
)
def test_all_have_the_grid_of_the_shortest(
    api: Client, advice: EventType, query: str, ends: list[str]
) -> None:
    starts = ["09:00", "09:30", "10:00"]  # twenty minutes and the buffer
    assert slots(api, advice, query) == list(zip(starts, ends, strict=True))


def test_a_distance_of_starts_that_was_set_holds_for_all(api: Client, advice: EventType) -> None:
    services.update_event_type(event_type=advice, slot_interval=45)
    for minutes in (20, 60):
        found = slots(api, advice, f"&duration={minutes}")
        assert [start for start, _end in found] == ["09:00", "09:45"]


def test_a_long_one_needs_more_room(api: Client, advice: EventType) -> None:
    booked = data(call(api, "POST", "/events", body(advice, duration=20)), 201)
    assert booked["end_time"] == "2026-03-04T10:20:00Z"
    # It holds its time with the buffer: until 10:30.
    assert slots(api, advice, "&duration=20") == [("09:00", "09:20"), ("09:30", "09:50")]
    assert slots(api, advice, "&duration=60") == []


@pytest.mark.parametrize(("duration", "says"), [(45, NOT_OFFERED), (481, None), ("x", None)])
def test_another_one_is_refused(
    api: Client, advice: EventType, duration: Any, says: list[tuple[str, str]] | None
) -> None:
    url = f"/event_types/{advice.pk}/availability?duration={duration}"
    for answer in (
        call(api, "GET", url),
        call(api, "POST", "/events", body(advice, duration=duration)),
    ):
        refused = wrong(answer)
        assert [field for field, _message in refused] == ["duration"]
        assert says is None or refused == says
    assert not Booking.objects.exists()


def body(advice: EventType, **more: Any) -> dict[str, Any]:
    return {
        "event_type_id": advice.pk,
        "attendee_email": "john@example.com",
        "attendee_name": "John Doe",
        "start_time": "2026-03-04T10:00:00Z",
        **more,
    }


@pytest.mark.parametrize(("sent", "end"), [({}, "10:30"), ({"duration": 60}, "11:00")])
def test_it_is_booked_for_the_length_that_is_chosen(
    api: Client, advice: EventType, sent: dict[str, int], end: str
) -> None:
    booked = data(call(api, "POST", "/events", body(advice, **sent)), 201)
    assert booked["end_time"] == f"2026-03-04T{end}:00Z"
    assert booked["event_type"]["duration"] == 30  # the usual one


def test_a_booking_keeps_its_length_when_it_is_moved(api: Client, advice: EventType) -> None:
    booked = data(call(api, "POST", "/events", body(advice, duration=60)), 201)
    services.update_event_type(event_type=advice, durations=[])
    url = f"/events/{booked['id']}/reschedule"
    moved = data(call(api, "POST", url, {"start_time": "2026-03-05T10:20:00Z"}))
    assert moved["end_time"] == "2026-03-05T11:20:00Z"


def test_a_duration_that_becomes_the_usual_one_joins_the_others(
    api: Client, advice: EventType
) -> None:
    changed = data(call(api, "PATCH", f"/event_types/{advice.pk}", {"duration": 45}))
    assert (changed["duration"], changed["durations"]) == (45, [20, 30, 45, 60])


def test_availability_costs_no_further_query(
    api: Client, advice: EventType, django_assert_num_queries: DjangoAssertNumQueries
) -> None:
    slots(api, advice)  # the token's last use is noted
    with django_assert_num_queries(4):  # token, event type with hours, overrides, claims
        slots(api, advice, "&duration=60")


# --- the public page ------------------------------------------------------------------------------


def lengths(page: Answer) -> list[tuple[str, str, bool]]:
    """Return text, duration and mark of the links to choose a duration by."""
    found = re.findall(r'<a class="slot" href="([^"]*)"( aria-current="true")?>([^<]*)', main(page))
    return [
        (text, parse_qs(urlsplit(url.replace("&amp;", "&")).query)["duration"][0], bool(mark))
        for url, mark, text in found
    ]


def test_the_page_offers_all_and_keeps_the_chosen_one(client: Client, advice: EventType) -> None:
    page = client.get(PAGE)
    assert "20, 30, 60 minutes" in words(page)
    assert lengths(page) == [
        ("20 min", "20", False),
        ("30 min", "30", True),
        ("60 min", "60", False),
    ]
    page = client.get(f"{PAGE}?duration=60&name=Jo")
    assert [mark for _text, _minutes, mark in lengths(page)] == [False, False, True]
    forms = re.findall(r"<form.*?</form>", main(page), re.DOTALL)
    assert ['name="duration" value="60"' in form for form in forms] == [True] * len(forms)
    assert all('name="name" value="Jo"' in form for form in forms)
    form = main(client.get(f"{PAGE}?duration=60&start={SECOND}&zone=UTC&hours=24"))
    assert "10:00 – 11:00" in form
    assert 'name="duration" value="60"' in form
    assert "duration=60" in re.findall(r'href="(\?[^"]*)"', form)[0]  # to another time


@pytest.mark.parametrize("wanted", ["45", "x", "", "-1"])
def test_what_is_not_offered_is_the_usual_one(
    client: Client, advice: EventType, wanted: str
) -> None:
    page = client.get(PAGE, {"duration": wanted})
    assert [text for text, _minutes, mark in lengths(page) if mark] == ["30 min"]


def test_one_duration_is_no_choice(client: Client, event_type: EventType) -> None:
    page = client.get("/alice/30-minute-meeting?duration=60")
    assert lengths(page) == []
    assert "duration" not in main(page)


def fields(page: Answer) -> dict[str, str]:
    return dict(re.findall(r'<input type="hidden" name="([^"]*)" value="([^"]*)"', main(page)))


TYPED = {"name": "Jo", "email": "jo@example.com", "trap": ""}


def test_a_stranger_books_the_chosen_one(client: Client, advice: EventType) -> None:
    page = client.get(f"{PAGE}?duration=60&start={SECOND}&zone=UTC")
    answer = client.post(PAGE, {**fields(page), **TYPED})
    assert answer.status_code == 302
    booked = Booking.objects.get()
    assert (booked.start, booked.minutes) == (START, 60)


def test_one_that_is_no_longer_offered_is_asked_about(client: Client, advice: EventType) -> None:
    page = client.get(f"{PAGE}?duration=60&start={SECOND}&zone=UTC&hours=24")
    sent = {**fields(page), **TYPED}
    services.update_event_type(event_type=advice, durations=[20])
    page = client.post(PAGE, sent)
    assert "The terms have changed since you opened this page." in words(page)
    assert "10:00 – 10:30" in words(page)
    assert not Booking.objects.exists()
    assert client.post(PAGE, {**fields(page), **TYPED}).status_code == 302
    assert Booking.objects.get().minutes == 30


def test_the_terms_that_are_agreed_on_have_the_chosen_length(advice: EventType) -> None:
    advice.refresh_from_db()
    digests = {advice.lasting(minutes).terms_digest for minutes in advice.lengths}
    assert len(digests) == 3
    # Another choice of others changes nothing for it.
    changed = services.update_event_type(event_type=advice, durations=[60])
    assert changed.lasting(60).terms_digest in digests


def test_moving_a_long_one_shows_starts_with_room_for_it(client: Client, advice: EventType) -> None:
    long = bookings.book(
        event_type=advice,
        duration=60,
        start=START,
        invitee=bookings.Invitee("Jo", "jo@example.com", "UTC"),
        actor=bookings.INVITEE,
        now=NOW,
    )
    moved = bookings.reschedule(
        booking=long, start=START + timedelta(minutes=30), actor=bookings.INVITEE, now=NOW
    )
    assert (moved.start, moved.minutes) == (START + timedelta(minutes=30), 60)
