"""POST and PATCH /api/v1/event_types: every invalid value and its error message."""

from typing import Any

import pytest
from django.core.exceptions import ValidationError
from django.test import Client

from accounts.models import User
from scheduling.models import EventType
from tests import factories
from tests.pages import UNSEEN
from tests.scheduling.calls import call, wrong

NULL = "This field may not be null."
BLANK = "This field may not be blank."
NO_INTEGER = "A valid integer is required."
NO_TEXT = "Not a valid string."
NO_BOOLEAN = "Must be a valid boolean."
NO_SLUG = "Use a-z, 0-9 and single hyphens."
NO_COLOR = "Use a color such as #4F46E5."
NO_CURRENCY = "Use a code such as USD (ISO 4217)."
NO_AMOUNT = 'Use an amount such as "150.00".'
NO_DESTINATION = "Use an https URL without a user name or a password."
NO_PLACE = "Enter the location details for a custom location."
NO_HALF_HOUR = "An offset must be in whole hours. Name a city instead, such as Kolkata."
NUL = "Null characters are not allowed."


def least(number: int) -> str:
    return f"Ensure this value is greater than or equal to {number}."


def most(number: int) -> str:
    return f"Ensure this value is less than or equal to {number}."


def longest(number: int) -> str:
    return f"Ensure this field has no more than {number} characters."


def no_choice(value: str) -> str:
    return f'"{value}" is not a valid choice.'


def no_zone(value: str) -> str:
    return f"“{value}” is not a time zone."


# A field, a value that does not fit, and what is said of it.
WRONG: list[tuple[str, Any, list[str]]] = [
    ("name", None, [NULL]),
    ("name", "", [BLANK]),
    ("name", "  ", [BLANK]),
    ("name", 5, [NO_TEXT]),
    ("name", ["x"], [NO_TEXT]),
    ("name", "a\0b", [NUL]),
    ("name", "a\nb", [UNSEEN]),
    ("name", "a\u202eb", [UNSEEN]),
    ("name", "See https://evil.example", ["A name cannot contain “://”."]),
    ("name", "See WWW.evil.example", ["A name cannot contain “www.”."]),
    ("name", "x" * 121, [longest(120)]),
    ("description", None, [NULL]),
    ("description", 5, [NO_TEXT]),
    ("description", "a\0b", [NUL]),
    ("description", "x" * 5001, [longest(5000)]),
    ("duration", 14, [least(15)]),
    ("duration", 481, [most(480)]),
    ("duration", 0, [least(15)]),
    ("duration", -60, [least(15)]),
    ("duration", "60", [NO_INTEGER]),
    ("duration", True, [NO_INTEGER]),
    ("duration", 60.5, [NO_INTEGER]),
    ("duration", 1e15, [most(480)]),
    ("duration", 10**30, [NO_INTEGER]),
    ("duration", 2**63, [most(480)]),
    ("duration", None, [NULL]),
    ("color", "red", [NO_COLOR]),
    ("color", "4F46E5", [NO_COLOR]),
    ("color", "#12345", [NO_COLOR]),
    ("color", "#12345G", [NO_COLOR]),
    ("color", "", [BLANK]),
    ("color", None, [NULL]),
    ("color", 5, [NO_TEXT]),
    ("timezone", "Mars/Phobos", [no_zone("Mars/Phobos")]),
    ("timezone", "utc", [no_zone("utc")]),
    ("timezone", "GMT+5:30", [NO_HALF_HOUR]),
    ("timezone", "../../etc/passwd", [no_zone("../../etc/passwd")]),
    ("timezone", "a\0", [no_zone("a\0"), NUL]),
    ("timezone", " ", [BLANK]),
    ("timezone", None, [NULL]),
    ("timezone", 5, [NO_TEXT]),
    ("price", "-1", [NO_AMOUNT]),
    ("price", "150.005", [NO_AMOUNT]),
    ("price", "abc", [NO_AMOUNT]),
    ("price", "NaN", [NO_AMOUNT]),
    ("price", "Infinity", [NO_AMOUNT]),
    ("price", "1e3", [NO_AMOUNT]),
    ("price", "", [NO_AMOUNT]),
    ("price", " 1", [NO_AMOUNT]),
    ("price", "1\n", [NO_AMOUNT]),
    ("price", "١", [NO_AMOUNT]),
    ("price", "123456789", [NO_AMOUNT]),
    ("price", 1e9, [NO_AMOUNT]),
    ("price", 150.505, [NO_AMOUNT]),
    ("price", True, [NO_AMOUNT]),
    ("price", ["1"], [NO_AMOUNT]),
    ("price", -1, [NO_AMOUNT]),
    ("price", 10**9, [NO_AMOUNT]),
    ("currency", "usd", [NO_CURRENCY]),
    ("currency", "US", [NO_CURRENCY]),
    ("currency", "", [BLANK]),
    ("currency", None, [NULL]),
    ("payment_method", "card", [no_choice("card")]),
    ("payment_method", "", [no_choice("")]),
    ("payment_method", 5, [no_choice("5")]),
    ("location", "moon", [no_choice("moon")]),
    ("location", "", [no_choice("")]),
    ("location", None, [NULL]),
    ("location", ["custom"], [no_choice("['custom']")]),
    ("location_custom", "x" * 501, [longest(500)]),
    ("location_custom", 5, [NO_TEXT]),
    ("location_custom", "a\0", [NUL]),
    ("confirm_email", "true", [NO_BOOLEAN]),
    ("requires_approval", "true", [NO_BOOLEAN]),
    ("requires_approval", 0, [NO_BOOLEAN]),
    ("requires_approval", None, [NULL]),
    ("is_active", "yes", [NO_BOOLEAN]),
    ("is_active", None, [NULL]),
    ("buffer_time_before", -1, [least(0)]),
    ("buffer_time_before", 1441, [most(1440)]),
    ("buffer_time_before", "5", [NO_INTEGER]),
    ("buffer_time_after", -1, [least(0)]),
    ("buffer_time_after", 1441, [most(1440)]),
    ("buffer_time_after", None, [NULL]),
    ("min_advance_booking", -1, [least(0)]),
    ("min_advance_booking", 8761, [most(8760)]),
    ("min_advance_booking", 1.5, [NO_INTEGER]),
    ("max_advance_booking", -1, [least(0)]),
    ("max_advance_booking", 731, [most(730)]),
    ("max_advance_booking", "60", [NO_INTEGER]),
    ("available_days", [], ["This field cannot be blank."]),
    ("available_days", None, [NULL]),
    ("available_days", "monday", ['Expected a list of items but got type "str".']),
    ("available_days", {"monday": True}, ['Expected a list of items but got type "dict".']),
    ("available_days", ["monday"] * 8, ["Ensure this field has no more than 7 elements."]),
    ("slot_interval", 4, [least(5)]),
    ("slot_interval", 1441, [most(1440)]),
    ("slot_interval", "15", [NO_INTEGER]),
    ("daily_limit", 0, [least(1)]),
    ("daily_limit", 1001, [most(1000)]),
    ("daily_limit", True, [NO_INTEGER]),
    ("durations", 30, ['Expected a list of items but got type "int".']),
    ("durations", [30] * 7, ["Ensure this field has no more than 6 elements."]),
    ("durations", None, [NULL]),
    ("weekly_limit", 0, [least(1)]),
    ("weekly_limit", 1001, [most(1000)]),
    ("weekly_limit", "3", [NO_INTEGER]),
    ("cancellation_notice", -1, [least(0)]),
    ("cancellation_notice", 40321, [most(40320)]),
    ("cancellation_notice", None, [NULL]),
    ("is_hidden", "yes", [NO_BOOLEAN]),
    ("is_hidden", None, [NULL]),
    *(
        ("redirect_url", url, [NO_DESTINATION])
        for url in (
            "http://example.com/",
            "javascript:alert(1)",
            "//example.com",
            "https://",
            "https://\u017f.example",  # it is no ASCII, which a header must be
            "https://me@example.com/",
            "https://me:secret@example.com/",
            "https://example.com\\@evil.example/",
            "https://example.com;script-src/",
            "https://example.com,evil.example/",
            "https://exämple.com/",
            "https://[::1]/",
            "https://example.com:x/",
            "https://example.com/a b",
            "https://example.com/\nb",
        )
    ),
    ("redirect_url", f"https://example.com/{'x' * 981}", [longest(1000)]),
    ("reminders", 15, ['Expected a list of items but got type "int".']),
    ("reminders", [15] * 6, ["Ensure this field has no more than 5 elements."]),
    ("sort_order", -1001, [least(-1000)]),
    ("sort_order", 1001, [most(1000)]),
    ("sort_order", None, [NULL]),
    *(
        ("slug", slug, [NO_SLUG])
        for slug in ("Bad", "a--b", "-a", "a-", "a b", "ü", "a_b", "a/b", "..")
    ),
    ("slug", "a\0", [NO_SLUG, NUL]),
    ("slug", "x" * 81, [longest(80)]),
    ("slug", "", [BLANK]),
    ("slug", None, [NULL]),
    ("custom_fields", None, [NULL]),
    ("custom_fields", {}, ['Expected a list of items but got type "dict".']),
    (
        "custom_fields",
        [{"name": f"field_{number}", "type": "text"} for number in range(51)],
        ["Ensure this field has no more than 50 elements."],
    ),
]
# The same where what is wrong lies deeper.
WRONG_INSIDE: list[tuple[str, Any, list[tuple[str, str]]]] = [
    ("reminders", [4], [("reminders.0", least(5))]),
    ("reminders", [15, 40321], [("reminders.1", most(40320))]),
    ("reminders", ["15"], [("reminders.0", NO_INTEGER)]),
    ("durations", [30, 14], [("durations.1", least(15))]),
    ("durations", [481], [("durations.0", most(480))]),
    ("durations", ["30"], [("durations.0", NO_INTEGER)]),
    ("available_days", ["funday"], [("available_days.0", no_choice("funday"))]),
    ("available_days", ["monday", 1], [("available_days.1", no_choice("1"))]),
    ("available_days", ["Monday"], [("available_days.0", no_choice("Monday"))]),
    ("location", "custom", [("location_custom", NO_PLACE)]),
]


@pytest.fixture
def api(alice: User) -> Client:
    return factories.client(alice, "event_types:write")


@pytest.mark.parametrize(
    ("field", "value", "details"),
    [
        *((field, value, [(field, text) for text in texts]) for field, value, texts in WRONG),
        *WRONG_INSIDE,
    ],
)
def test_a_value_that_does_not_fit_is_422(
    api: Client, event_type: EventType, field: str, value: Any, details: list[tuple[str, str]]
) -> None:
    before = EventType.objects.values().get()
    body = {"name": "An hour", "duration": 60, field: value}
    assert wrong(call(api, "POST", "/event_types", body)) == details
    assert wrong(call(api, "PATCH", f"/event_types/{event_type.pk}", {field: value})) == details
    assert EventType.objects.values().get() == before


@pytest.mark.parametrize("text", ["", "   ", None])
def test_a_place_of_ones_own_must_be_said(api: Client, text: str | None) -> None:
    body = {"name": "x", "duration": 30, "location": "custom", "location_custom": text}
    assert wrong(call(api, "POST", "/event_types", body)) == [("location_custom", NO_PLACE)]


@pytest.mark.parametrize(
    ("name", "value"), [("slug", "chat\n"), ("color", "#123456\n"), ("currency", "USD\n")]
)
def test_the_model_sees_a_line_break_at_the_end(name: str, value: str) -> None:
    with pytest.raises(ValidationError) as refused:
        EventType(**{name: value}).clean_fields()
    assert any(said.startswith("Use a") for said in refused.value.message_dict[name])


def test_all_that_is_wrong_is_said_at_once(api: Client) -> None:
    body = {"name": "", "duration": 5, "color": "red", "custom_fields": [{}]}
    assert wrong(call(api, "POST", "/event_types", body)) == [
        ("name", BLANK),
        ("duration", least(15)),
        ("color", NO_COLOR),
        ("custom_fields.0.name", "Name is required"),
        ("custom_fields.0.type", "Type is required"),
    ]
