"""POST /api/v1/event_types: accepted values, defaults, slugs and refusals."""

from typing import Any

import pytest
from django.test import Client

from accounts.models import User
from scheduling.models import EventType
from tests import factories
from tests.scheduling.calls import call, data, wrong

URL = "/event_types"
HOUR = {"name": "An hour", "duration": 60}

pytestmark = pytest.mark.usefixtures("at_now")

# A request such as integrations send.
EXAMPLE = {
    "name": "Strategy Session",
    "duration": 60,
    "description": "Deep dive strategy discussion",
    "color": "#7C3AED",
    "location": "zoom_meeting",
    "timezone": "America/New_York",
    "requires_approval": True,
    "buffer_time_before": 15,
    "buffer_time_after": 15,
    "min_advance_booking": 48,
    "max_advance_booking": 90,
    "available_days": ["monday", "tuesday", "wednesday", "thursday"],
    "price": "150.00",
    "currency": "USD",
}

ZOOM = {
    "type": "zoom_meeting",
    "display": "Zoom Call",
    "custom": None,
    "link": None,
    "link_later": True,
}


@pytest.fixture
def api(alice: User) -> Client:
    return factories.client(alice, "event_types:write")


def made(api: Client, **fields: Any) -> Any:
    return data(call(api, "POST", URL, HOUR | fields), 201)


def test_the_documented_request_is_answered_in_its_shape(api: Client) -> None:
    status, body = call(api, "POST", URL, EXAMPLE)
    row = EventType.objects.get()
    assert status == 201
    assert body == {
        "data": {
            "uuid": row.uuid,
            "id": row.pk,
            "name": "Strategy Session",
            "slug": "strategy-session",
            "description": "Deep dive strategy discussion",
            "duration": 60,
            "durations": [],
            "color": "#7C3AED",
            "location": ZOOM,
            "is_active": True,
            "is_hidden": False,
            "requires_approval": True,
            "confirm_email": False,
            "scheduling_settings": {
                "buffer_time_before": 15,
                "buffer_time_after": 15,
                "min_advance_booking": 48,
                "max_advance_booking": 90,
                "available_days": ["monday", "tuesday", "wednesday", "thursday"],
                "slot_interval": None,
                "daily_limit": None,
                "weekly_limit": None,
                "cancellation_notice": 0,
                "reminders": [1440, 15],
                "schedule_id": None,
            },
            "timezone": "America/New_York",
            "payment": {
                "is_paid": True,
                "price": "150.00",
                "currency": "USD",
                "payment_method": None,
            },
            "custom_fields": [],
            "redirect_url": None,
            "sort_order": 0,
            "created_at": "2026-03-02T09:00:00Z",
            "updated_at": "2026-03-02T09:00:00Z",
            "uri": f"/api/v1/event_types/{row.pk}",
            "scheduling_url": "alice/strategy-session",
        }
    }
    assert call(api, "GET", f"{URL}/{row.pk}") == (200, body)


def test_what_is_left_out_has_its_default(api: Client, alice: User) -> None:
    status, body = call(api, "POST", URL, HOUR)
    row = EventType.objects.get()
    assert (status, row.host) == (201, alice)
    assert body["data"] == {
        "uuid": row.uuid,
        "id": row.pk,
        "name": "An hour",
        "slug": "an-hour",
        "description": "",
        "duration": 60,
        "durations": [],
        "color": "#4F46E5",
        "location": ZOOM,
        "is_active": True,
        "is_hidden": False,
        "requires_approval": False,
        "confirm_email": False,
        "scheduling_settings": {
            "buffer_time_before": 0,
            "buffer_time_after": 0,
            "min_advance_booking": 0,
            "max_advance_booking": 60,
            "available_days": [
                "monday",
                "tuesday",
                "wednesday",
                "thursday",
                "friday",
                "saturday",
                "sunday",
            ],
            "slot_interval": None,
            "daily_limit": None,
            "weekly_limit": None,
            "cancellation_notice": 0,
            "reminders": [1440, 15],
            "schedule_id": None,
        },
        "timezone": "UTC",
        "payment": {"is_paid": False, "price": None, "currency": "USD", "payment_method": None},
        "custom_fields": [],
        "redirect_url": None,
        "sort_order": 0,
        "created_at": "2026-03-02T09:00:00Z",
        "updated_at": "2026-03-02T09:00:00Z",
        "uri": f"/api/v1/event_types/{row.pk}",
        "scheduling_url": "alice/an-hour",
    }


def test_whatever_else_can_be_said(api: Client) -> None:
    said = {
        "durations": [30, 60, 90],
        "is_active": False,
        "is_hidden": True,
        "redirect_url": "https://example.com/thanks?from=parley#top",
        "sort_order": -3,
        "slug": "own-address",
        "location": "in_person",
        "location_custom": "Room 5",
        "payment_method": "on_site",
        "slot_interval": 20,
        "daily_limit": 4,
        "weekly_limit": 9,
        "cancellation_notice": 90,
        "reminders": [60, 30],
        "color": "#abcdef",
    }
    row = made(api, **said)
    settings = row["scheduling_settings"]
    assert {
        **{
            name: row[name]
            for name in (
                "durations",
                "is_active",
                "is_hidden",
                "redirect_url",
                "sort_order",
                "slug",
                "color",
            )
        },
        "location": row["location"]["type"],
        "location_custom": row["location"]["custom"],
        "payment_method": row["payment"]["payment_method"],
        "slot_interval": settings["slot_interval"],
        "daily_limit": settings["daily_limit"],
        "weekly_limit": settings["weekly_limit"],
        "cancellation_notice": settings["cancellation_notice"],
        "reminders": settings["reminders"],
    } == said
    assert row["location"]["display"] == "Room 5"
    assert row["scheduling_url"] == "alice/own-address"


@pytest.mark.parametrize(
    ("location", "display", "link_later"),
    [
        ("zoom_meeting", "Zoom Call", True),
        ("google_meet", "Google Meet", True),
        ("phone_call", "Phone Call", False),
        ("in_person", "In Person", False),
    ],
)
def test_each_place_has_its_words(
    api: Client, location: str, display: str, link_later: bool
) -> None:
    row = made(api, location=location)
    assert row["location"] == {
        "type": location,
        "display": display,
        "custom": None,
        "link": None,
        "link_later": link_later,
    }


# --- the link to join -----------------------------------------------------------------------------

LINK = "https://zoom.us/j/1234567890"
NO_LINK_THERE = "This location has no meeting link."
NOT_BOTH = "Give the link, or say that it follows, but not both."
ONE_OF_BOTH = "Give the link, or say that it follows."
NO_URL = "The link must be an http or https URL."


@pytest.mark.parametrize(
    ("body", "link", "link_later"),
    [
        ({}, None, True),
        ({"link_later": True}, None, True),
        ({"location_link": None}, None, True),
        ({"location_link": LINK}, LINK, False),
        ({"location_link": f" {LINK} ", "link_later": False}, LINK, False),
        ({"location": "google_meet", "location_link": LINK}, LINK, False),
        ({"location": "custom", "location_custom": "Jitsi", "location_link": LINK}, LINK, False),
        ({"location": "custom", "location_custom": "Jitsi"}, None, True),
        ({"location": "in_person", "location_link": "", "link_later": False}, None, False),
    ],
)
def test_people_join_by_a_link_or_it_follows(
    api: Client, body: dict[str, Any], link: str | None, link_later: bool
) -> None:
    location = made(api, **body)["location"]
    assert (location["link"], location["link_later"]) == (link, link_later)


@pytest.mark.parametrize(
    ("body", "refusal"),
    [
        ({"link_later": False}, ("location_link", ONE_OF_BOTH)),
        ({"location_link": LINK, "link_later": True}, ("link_later", NOT_BOTH)),
        ({"location": "phone_call", "location_link": LINK}, ("location_link", NO_LINK_THERE)),
        ({"location": "in_person", "link_later": True}, ("link_later", NO_LINK_THERE)),
        ({"location_link": "zoom.us/j/1"}, ("location_link", NO_URL)),
        ({"location_link": "javascript:alert(1)"}, ("location_link", NO_URL)),
        ({"location_link": f"https://zoom.us/{'x' * 985}"}, ("location_link", NO_URL)),
        ({"link_later": "yes"}, ("link_later", "Must be a valid boolean.")),
    ],
)
def test_what_is_no_link_or_both_is_refused(
    api: Client, body: dict[str, Any], refusal: tuple[str, str]
) -> None:
    assert wrong(call(api, "POST", URL, HOUR | body)) == [refusal]
    assert not EventType.objects.exists()


@pytest.mark.parametrize(
    ("sent", "kept"),
    [
        ([], []),
        ([60], []),  # there is nothing to choose
        ([30], [30, 60]),  # that of `duration` is always among them
        ([90, 30, 90], [30, 60, 90]),
    ],
)
def test_durations_are_in_order_and_include_the_usual_one(
    api: Client, sent: list[int], kept: list[int]
) -> None:
    assert made(api, durations=sent)["durations"] == kept


def test_there_are_at_most_six_with_the_usual_one(api: Client) -> None:
    six = {"durations": [15, 20, 25, 30, 35, 40]}
    assert wrong(call(api, "POST", URL, HOUR | six)) == [
        ("durations", "Offer up to 6 durations of 15 to 480 minutes.")
    ]


@pytest.mark.parametrize("duration", [15, 480])
def test_the_shortest_and_the_longest(api: Client, duration: int) -> None:
    assert made(api, duration=duration)["duration"] == duration


@pytest.mark.parametrize(
    ("price", "shown"),
    [
        ("150", "150.00"),
        ("0.5", "0.50"),
        (150, "150.00"),
        (150.5, "150.50"),
        (0.07, "0.07"),
        (0, "0.00"),
        ("99999999.99", "99999999.99"),
        (None, None),
    ],
)
def test_a_price_is_a_text_or_a_number(api: Client, price: Any, shown: Any) -> None:
    row = made(api, price=price)
    assert row["payment"]["price"] == shown
    assert data(call(api, "GET", f"{URL}/{row['id']}"))["payment"]["price"] == shown


def test_days_come_in_order_and_once(api: Client) -> None:
    row = made(api, available_days=["friday", "monday", "friday"])
    assert row["scheduling_settings"]["available_days"] == ["monday", "friday"]


# --- the address ----------------------------------------------------------------------------------


@pytest.mark.parametrize(
    ("name", "slug"),
    [
        ("30 Minute Meeting", "30-minute-meeting"),
        ("  Über   Straße_und -- Weg! ", "ueber-strasse-und-weg"),
        ("会议", "meeting"),
        ("Встреча", "meeting"),
        ("🙂", "meeting"),
        ("---", "meeting"),
        ("日本 go", "go"),
        ("x" * 120, "x" * 80),
        (f"{'x' * 79} y", "x" * 79),
    ],
)
def test_it_is_made_of_the_name(api: Client, name: str, slug: str) -> None:
    row = made(api, name=name)
    assert (row["name"], row["slug"]) == (name.strip(), slug)


def test_it_is_made_unique(api: Client, bob: User) -> None:
    factories.event_type(bob, name="An hour")  # somebody else's is not in the way
    assert [made(api)["slug"] for _ in range(3)] == ["an-hour", "an-hour-2", "an-hour-3"]
    long = "x" * 120
    assert [made(api, name=long)["slug"] for _ in range(2)] == ["x" * 80, f"{'x' * 78}-2"]
    assert [made(api, name="会议")["slug"] for _ in range(2)] == ["meeting", "meeting-2"]


def test_one_that_is_mine_already_is_refused(api: Client) -> None:
    made(api, slug="mine")
    assert wrong(call(api, "POST", URL, HOUR | {"slug": "mine"})) == [
        ("slug", "You have an event type with this address already.")
    ]
    assert EventType.objects.count() == 1


def test_one_that_is_somebody_elses_is_not(api: Client, bob: User) -> None:
    factories.event_type(bob, slug="theirs")
    assert made(api, slug="theirs")["scheduling_url"] == "alice/theirs"


# --- the request ----------------------------------------------------------------------------------


@pytest.mark.parametrize("body", [{}, None])
def test_what_is_missing_is_said(api: Client, body: Any) -> None:
    assert wrong(call(api, "POST", URL, body)) == [
        ("name", "Name is required"),
        ("duration", "Duration is required"),
    ]


def bad_request(api: Client, body: str | bytes) -> str:
    answer = api.generic("POST", f"/api/v1{URL}", body, "application/json")
    told = answer.json()
    assert (answer.status_code, told["error"], told["status_code"]) == (400, "bad_request", 400)
    assert EventType.objects.count() == 0
    return str(told["message"])


@pytest.mark.parametrize("body", ["{", '{"name": NaN}', b'{"name": "\xff"}', '{"name": "\\ud800"}'])
def test_what_is_no_json_is_400(api: Client, body: str | bytes) -> None:
    assert bad_request(api, body).startswith("The body is not valid JSON: ")


@pytest.mark.parametrize(
    ("body", "message"),
    [
        ("[]", "The body must be a JSON object."),
        ('"text"', "The body must be a JSON object."),
        ("null", "The body must be a JSON object."),
        (
            '{"name": ' + "[" * 40 + "]" * 40 + "}",
            "The body is nested more than 32 levels deep.",
        ),
    ],
)
def test_what_is_no_json_object_is_400(api: Client, body: str, message: str) -> None:
    assert bad_request(api, body) == message


@pytest.mark.parametrize(
    "media_type", ["text/plain", "application/x-www-form-urlencoded", "multipart/form-data", ""]
)
def test_another_media_type_is_415(api: Client, media_type: str) -> None:
    answer = api.generic("POST", f"/api/v1{URL}", '{"name": "x", "duration": 30}', media_type)
    assert (answer.status_code, answer.json()["error"], answer.json()["message"]) == (
        415,
        "unsupported_media_type",
        f'Unsupported media type "{media_type}" in request.',
    )
    assert EventType.objects.count() == 0


def test_a_key_answers_again(api: Client) -> None:
    first, again = (
        api.post(
            f"/api/v1{URL}",
            HOUR,
            content_type="application/json",
            headers={"Idempotency-Key": "one"},
        )
        for _ in range(2)
    )
    assert (again.status_code, again.content) == (201, first.content)
    assert (first.get("Idempotent-Replayed"), again["Idempotent-Replayed"]) == (None, "true")
    assert EventType.objects.count() == 1
