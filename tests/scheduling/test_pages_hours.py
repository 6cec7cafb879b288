"""Weekly hours page: shown, changed with and without a script, and checked against bookings."""

import re
from collections.abc import Mapping
from datetime import timedelta
from typing import Any

import pytest
from django.test import Client
from pytest_django import DjangoAssertNumQueries

from accounts.models import User
from scheduling.domain import bookings, services
from scheduling.models import Booking, EventType
from tests import factories
from tests.pages import NOW, START, Answer, everything, main, words
from tests.scheduling.conftest import Book

pytestmark = [pytest.mark.django_db, pytest.mark.usefixtures("at_now")]

PAGE = "/settings/hours"
Fields = Mapping[str, Any]


@pytest.fixture
def signed_in(client: Client, alice: User) -> Client:
    client.force_login(alice)
    return client


def typed(**other: Any) -> dict[str, Any]:
    """Return the form fields of Alice's usual week. `other` replaces values; None removes one."""
    fields: dict[str, Any] = {"timezone": "UTC", "act": "save"}
    for number in range(1, 8):
        fields |= {f"start-{number}": ["09:00"], f"end-{number}": ["17:00"]}
        if number <= 5:
            fields[f"on-{number}"] = "on"
    fields |= {name.replace("_", "-"): value for name, value in other.items()}
    return {name: value for name, value in fields.items() if value is not None}


def week(user: User) -> dict[int, list[tuple[int, int]]]:
    user.weekly_availability.refresh_from_db()
    windows = user.weekly_availability.default.windows
    return {number: [(start, end) for start, end in windows[number]] for number in windows}


def shown(page: Answer) -> dict[str, list[tuple[str, str]]]:
    """Return start and end values by weekday. A disabled weekday's number stands in brackets."""
    html = re.sub(r"<template.*?</template>", "", main(page), flags=re.DOTALL)
    found = {}
    for number in range(1, 8):
        values = [
            re.findall(rf'name="{side}-{number}" value="([^"]*)"', html)
            for side in ("start", "end")
        ]
        name = str(number) if f'name="on-{number}" checked' in html else f"({number})"
        found[name] = list(zip(*values, strict=True))
    return found


def inputs(page: Answer) -> dict[str, list[str]]:
    """Return all hidden inputs of the page, as a browser sends them."""
    found: dict[str, list[str]] = {}
    pairs = re.findall(r'type="hidden" name="([^"]*)" value="([^"]*)"', main(page))
    for name, value in pairs:
        found.setdefault(name, []).append(value)
    return found


USUAL = [("09:00", "17:00")]
USUAL_SHOWN = {**{str(n): USUAL for n in range(1, 6)}, "(6)": USUAL, "(7)": USUAL}
NINE_TO_FIVE = [(540, 1020)]
NOTHING_SAVED = "Not saved yet. Please correct the fields marked below."


# --- what it shows ------------------------------------------------------------------------------


def test_signed_out_one_signs_in_first(client: Client) -> None:
    assert client.get(PAGE).headers["Location"] == f"/accounts/login/?next={PAGE}"


def test_it_shows_the_week_and_the_zone(signed_in: Client) -> None:
    page = signed_in.get(PAGE)
    assert shown(page) == USUAL_SHOWN
    assert 'name="timezone" list="zones" value="UTC"' in main(page)
    assert 'option value="Berlin"' in main(page)
    assert "Your profile has another time zone" not in words(page)
    assert page.content.count(b'aria-current="page"') == 2  # of the settings, and of the hours


def test_it_says_where_the_profile_has_another_zone(signed_in: Client, alice: User) -> None:
    alice.timezone = "Asia/Tokyo"
    alice.save()
    assert "Your profile has another time zone: Asia/Tokyo." in words(signed_in.get(PAGE))


@pytest.mark.parametrize(("start", "order"), [(1, "1234567"), (7, "7123456"), (6, "6712345")])
def test_the_week_begins_on_the_persons_day(
    signed_in: Client, alice: User, start: int, order: str
) -> None:
    alice.week_start = start
    alice.save()
    html = main(signed_in.get(PAGE))
    assert "".join(re.findall(r'name="on-(\d)"', html)) == order


def test_every_control_has_a_name(signed_in: Client) -> None:
    html = main(signed_in.get(PAGE))
    controls = re.findall(r'<input (?!type="(?:hidden|checkbox)")[^>]*>', html)
    labelled = ["id_timezone", "new_name"]
    assert len(controls) == 2 + 7 * 4  # these; and a window of each day, and its blank
    unnamed = [each for each in controls if "aria-label=" not in each]
    assert [re.findall(r' id="([^"]*)"', each) for each in unnamed] == [[each] for each in labelled]
    assert all(f'<label for="{each}">' in html for each in labelled)
    for number in range(1, 8):
        assert f'role="group" aria-labelledby="day-{number}"' in html
        assert f'id="day-{number}"' in html


@pytest.mark.parametrize("method", ["get", "head"])
def test_looking_changes_nothing(signed_in: Client, method: str) -> None:
    before = everything()
    signed_in.generic(method.upper(), PAGE, QUERY_STRING="act=save&timezone=Asia/Tokyo")
    assert everything() == before


# --- saving -------------------------------------------------------------------------------------


def test_saving_changes_the_week_and_says_so(signed_in: Client, alice: User) -> None:
    sent = typed(
        timezone="Europe/Berlin",
        on_2=None,
        start_3=["09:00", "13:00"],
        end_3=["12:00", "24:00"],
        on_7="on",
        start_7=["00:00"],
        end_7=["24:00"],
    )
    page = signed_in.post(PAGE, sent, follow=True)
    assert page.redirect_chain == [(PAGE, 302)]
    assert words(page).startswith("Your availability is saved.")
    assert week(alice) == {
        1: NINE_TO_FIVE,
        3: [(540, 720), (780, 1440)],
        4: NINE_TO_FIVE,
        5: NINE_TO_FIVE,
        7: [(0, 1440)],
    }
    assert alice.weekly_availability.timezone == "Europe/Berlin"
    assert alice.timezone == "UTC"


def test_a_day_that_is_off_keeps_its_hours_for_later(signed_in: Client, alice: User) -> None:
    services.set_hours(user=alice, days={"2": {"start": "10:00", "end": "11:00"}})
    signed_in.post(PAGE, typed(on_2=None))
    assert shown(signed_in.get(PAGE))["(2)"] == [("10:00", "11:00")]


@pytest.mark.parametrize(
    ("start", "end", "window"),
    [
        ("9", "17", (540, 1020)),
        ("0930", "1745", (570, 1065)),
        ("930", "17.45", (570, 1065)),
        (" 9:30 am", "5 PM ", (570, 1020)),
        ("12am", "12pm", (0, 720)),
        ("8h15", "0:00", (495, 1440)),  # a day ends at midnight
        ("9 a.m.", "12 a.m.", (540, 1440)),
    ],
)
def test_a_time_may_be_written_as_one_is_used_to(
    signed_in: Client, alice: User, start: str, end: str, window: tuple[int, int]
) -> None:
    signed_in.post(PAGE, typed(start_1=[start], end_1=[end]))
    assert week(alice)[1] == [window]


@pytest.mark.parametrize(
    ("text", "zone"), [("europe/berlin", "Europe/Berlin"), ("New York", "America/New_York")]
)
def test_a_zone_may_be_named_by_its_place(
    signed_in: Client, alice: User, text: str, zone: str
) -> None:
    signed_in.post(PAGE, typed(timezone=text))
    week(alice)
    assert alice.weekly_availability.timezone == zone


def test_a_row_left_empty_is_none(signed_in: Client, alice: User) -> None:
    signed_in.post(PAGE, typed(start_1=["09:00", ""], end_1=["10:00", ""]))
    assert week(alice)[1] == [(540, 600)]


# --- what is refused ----------------------------------------------------------------------------


@pytest.mark.parametrize(
    ("start", "end", "error"),
    [
        (["x"], ["17:00"], "Use a time such as 09:30, up to 24:00."),
        (["25:00"], ["26:00"], "Use a time such as 09:30, up to 24:00."),
        (["13pm"], ["17:00"], "Use a time such as 09:30, up to 24:00."),
        (["09:00"], [""], "Use a time such as 09:30, up to 24:00."),
        (["12:00"], ["12:00"], "The end must be after the start."),
        (["09:00", "11:00"], ["12:00", "13:00"], "Time ranges of a day may not overlap."),
        (["09:00"] * 25, ["17:00"] * 25, "Use at most 24 time ranges a day."),
        ([""], [""], "Add at least one time range, or mark the day as off."),
        ([], [], "Add at least one time range, or mark the day as off."),
    ],
)
def test_what_is_wrong_stands_in_its_day_and_nothing_is_lost(
    signed_in: Client, start: list[str], end: list[str], error: str
) -> None:
    before = everything()
    page = signed_in.post(PAGE, typed(start_2=start, end_2=end, timezone="Asia/Tokyo"))
    assert page.status_code == 200
    assert everything() == before
    said = words(page)
    assert said.count(NOTHING_SAVED) == said.count(error) == 1
    html = main(page)
    assert html.index('id="hours-2"') < html.index(error) < html.index('id="hours-3"')
    rows = list(zip(start, end, strict=True)) or [("", "")]
    assert shown(page) == USUAL_SHOWN | {"2": rows}
    assert 'value="Asia/Tokyo"' in html


def test_an_error_is_tied_to_its_window(signed_in: Client) -> None:
    page = signed_in.post(PAGE, typed(start_2=["09:00", "15:00"], end_2=["10:00", "14:00"]))
    html = main(page)
    assert html.count('aria-describedby="window-2-1-error"') == 2  # its start and its end
    assert html.count('id="window-2-1-error"') == 1
    assert html.count('aria-invalid="true"') == 2


def test_all_that_is_wrong_is_said_at_once(signed_in: Client) -> None:
    said = words(signed_in.post(PAGE, typed(timezone="Mars", start_1=["x"], start_5=["18:00"])))
    assert said.count("There is no such time zone.") == 1
    assert said.count("Use a time such as 09:30, up to 24:00.") == 1
    assert said.count("The end must be after the start.") == 1


def test_a_day_that_is_off_may_hold_anything(signed_in: Client, alice: User) -> None:
    signed_in.post(PAGE, typed(on_1=None, start_1=["x"], end_1=[""]))
    assert sorted(week(alice)) == [2, 3, 4, 5]


@pytest.mark.parametrize(
    "sent",
    [
        {},
        {"timezone": "\0", "start-1": "\0", "on-1": "on"},
        {"start-1": "9" * 1000, "on-1": "on"},
        {"start-1": "٠٩:٠٠", "end-1": "17:00", "on-1": "on", "timezone": "UTC"},
    ],
)
def test_a_strange_form_changes_nothing(signed_in: Client, sent: Fields) -> None:
    before = everything()
    assert signed_in.post(PAGE, sent).status_code == 200
    assert everything() == before


# --- the buttons, where there is no script --------------------------------------------------------


@pytest.mark.parametrize(
    ("act", "expected"),
    [
        ("add-1", {"1": [*USUAL, ("", "")]}),
        ("add-6", {"6": [*USUAL, ("", "")]}),  # and it is on now
        ("remove-2-0", {"2": [("13:00", "17:00")]}),
        ("remove-2-1", {"2": [("09:00", "12:00")]}),
        ("remove-1-0", {"(1)": USUAL}),  # off, and its only window is kept
        ("copy-2", {"4": [("09:00", "12:00"), ("13:00", "17:00")]}),
        ("back", {}),
        ("remove-1-7", {"(1)": USUAL}),
        ("add-8", {}),
        ("nonsense", {}),
        ("", {}),
    ],
)
def test_a_button_changes_the_form_and_saves_nothing(
    signed_in: Client, act: str, expected: dict[str, list[tuple[str, str]]]
) -> None:
    before = everything()
    sent = typed(act=act, start_2=["9", "13:00"], end_2=["12:00", "17:00"], copy_2=["4"])
    page = signed_in.post(PAGE, sent)
    rows = {name.strip("()"): (name, rows) for name, rows in USUAL_SHOWN.items()}
    rows["2"] = "2", [("09:00", "12:00"), ("13:00", "17:00")]
    for name, found in expected.items():
        rows[name.strip("()")] = name, found
    assert shown(page) == dict(rows.values())
    assert NOTHING_SAVED not in words(page)
    assert everything() == before


def test_a_day_takes_no_more_windows_than_can_be_kept(signed_in: Client) -> None:
    many = [f"{hour:02}:00" for hour in range(24)]
    ends = [f"{hour:02}:30" for hour in range(24)]
    page = signed_in.post(PAGE, typed(act="add-1", start_1=many, end_1=ends))
    assert len(shown(page)["1"]) == 24
    assert re.search(r'value="add-1"[^>]* disabled', main(page))


def test_a_new_window_is_where_one_goes_on_typing(signed_in: Client) -> None:
    html = main(signed_in.post(PAGE, typed(act="add-3")))
    assert re.findall(r'name="([^"]*)"[^>]* autofocus', html) == ["start-3"]


def test_the_enter_key_saves(signed_in: Client) -> None:
    first = re.search(r"<button[^>]*>", main(signed_in.get(PAGE)))
    assert first
    assert 'name="act"' not in first[0]
    assert 'type="submit"' in first[0]


# --- what is booked ------------------------------------------------------------------------------


def test_bookings_that_would_lie_outside_are_shown_before_it_is_saved(
    signed_in: Client, alice: User, booking: Booking
) -> None:
    before = everything()
    page = signed_in.post(PAGE, typed(on_3=None))
    said = words(page)
    assert (
        "A booking would be outside your availability Not saved yet. If you save, these bookings"
        " stay: nothing is rescheduled or cancelled, and nobody gets an email. To change one, open"
        " it."
        " 30 Minute Meeting with John Doe Wednesday, 4 March 2026, 10:00 AM – 10:30 AM UTC"
        " Save anyway Back"
    ) in said
    assert f'href="/bookings/{booking.pk}"' in main(page)
    assert everything() == before

    kept = inputs(page)
    assert kept.pop("csrfmiddlewaretoken")
    page = signed_in.post(PAGE, kept | {"act": ["save"]}, follow=True)
    assert words(page).startswith("Your availability is saved.")
    assert sorted(week(alice)) == [1, 2, 4, 5]
    booking.refresh_from_db()
    assert (booking.status, booking.start) == ("confirmed", START)


def test_back_brings_everything_that_was_typed(signed_in: Client, booking: Booking) -> None:
    sent = typed(timezone="Asia/Tokyo", start_1=["09:00", "12:00"], end_1=["10:00", "13:00"])
    kept = inputs(signed_in.post(PAGE, sent))
    before = everything()
    page = signed_in.post(PAGE, kept | {"act": ["back"]})
    assert shown(page) == USUAL_SHOWN | {"1": [("09:00", "10:00"), ("12:00", "13:00")]}
    assert 'value="Asia/Tokyo"' in main(page)
    assert everything() == before


def test_what_was_booked_meanwhile_is_shown_again(
    signed_in: Client, alice: User, booking: Booking, book: Book
) -> None:
    kept = inputs(signed_in.post(PAGE, typed(on_3=None)))
    book(start=START + timedelta(hours=1), name="Ann Other")
    page = signed_in.post(PAGE, kept | {"act": ["save"]})
    assert "2 bookings would be outside your availability" in words(page)
    assert "30 Minute Meeting with Ann Other" in words(page)
    assert 3 in week(alice)
    signed_in.post(PAGE, inputs(page) | {"act": ["save"]})
    assert 3 not in week(alice)


def test_what_was_cancelled_meanwhile_is_no_more_shown(
    signed_in: Client, alice: User, booking: Booking
) -> None:
    kept = inputs(signed_in.post(PAGE, typed(on_3=None)))
    bookings.cancel(booking=booking, actor=bookings.INVITEE, now=NOW)
    assert signed_in.post(PAGE, kept | {"act": ["save"]}).status_code == 302
    assert 3 not in week(alice)


def test_one_that_waits_for_approval_says_so(
    signed_in: Client, approved: EventType, book: Book
) -> None:
    book(approved)
    said = words(signed_in.post(PAGE, typed(on_3=None)))
    assert (
        "Interview with John Doe Wednesday, 4 March 2026, 10:00 AM – 10:30 AM UTC Needs your answer"
        in said
    )


def test_the_bookings_of_others_are_not_shown(signed_in: Client, alice: User, bob: User) -> None:
    factories.booking(factories.event_type(bob), start=START, now=NOW)
    assert signed_in.post(PAGE, typed(on_3=None)).status_code == 302
    assert sorted(week(bob)) == [1, 2, 3, 4, 5]


@pytest.mark.parametrize("count", [1, 3])
def test_queries_do_not_grow_with_the_bookings(
    signed_in: Client, book: Book, django_assert_num_queries: DjangoAssertNumQueries, count: int
) -> None:
    for number in range(count):
        book(start=START + number * timedelta(hours=1))
    # Session, person, zone and default schedule; then in a savepoint: the host's lock, zone,
    # schedules, overrides, the schedule that changes, and bookings.
    with django_assert_num_queries(4 + 6 + 2):
        page = signed_in.post(PAGE, typed(on_3=None))
    assert len(page.context["left"]) == count
