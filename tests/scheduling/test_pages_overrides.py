"""Date-specific hours page: a calendar to choose from, a form, and a list of future dates."""

import re
from datetime import UTC, date, datetime, timedelta
from typing import Any

import pytest
import time_machine
from django.test import Client
from pytest_django import DjangoAssertNumQueries

from accounts.models import User
from scheduling.domain import services
from scheduling.models import Booking
from scheduling.rules.hours import WindowText
from tests.pages import START, Answer, everything, main, words
from tests.scheduling.test_pages_hours import inputs

pytestmark = [pytest.mark.django_db, pytest.mark.usefixtures("at_now")]

PAGE = "/settings/hours/dates"
DAY = START.date()  # a Wednesday
OF_DAY = f"{PAGE}?date=2026-03-04"
MORNING: WindowText = {"start": "09:00", "end": "12:00"}


@pytest.fixture
def signed_in(client: Client, alice: User) -> Client:
    client.force_login(alice)
    return client


def typed(kind: str = "other", act: str = "save", **other: Any) -> dict[str, Any]:
    fields = {"kind": kind, "act": act, "start-date": ["09:00"], "end-date": ["12:00"]}
    return fields | {name.replace("_", "-"): value for name, value in other.items()}


def kept(user: User) -> dict[date, list[tuple[int, int]]]:
    rows = user.date_overrides.all()
    return {row.date: [(start, end) for start, end in row.windows] for row in rows}


def cells(page: Answer) -> dict[str, str]:
    """Return the calendar's label of each selectable date, by the date in its link."""
    found = re.findall(
        r'href="\?month=[0-9-]+&amp;date=([0-9-]+)#date"[^>]*aria-label="([^"]*)"', main(page)
    )
    return dict(found)


def form_of(page: Answer) -> tuple[str, list[tuple[str, str]]]:
    """Return the selected kind of the form, and its windows."""
    html = re.sub(r"<template.*?</template>", "", main(page), flags=re.DOTALL)
    (kind,) = re.findall(r'name="kind" value="([^"]*)" checked', html)
    sides = (re.findall(rf'name="{side}-date" value="([^"]*)"', html) for side in ("start", "end"))
    return kind, list(zip(*sides, strict=True))


# --- the calendar --------------------------------------------------------------------------------


def test_signed_out_one_signs_in_first(client: Client) -> None:
    assert client.get(PAGE).headers["Location"] == f"/accounts/login/?next={PAGE}"


def test_the_month_tells_what_each_date_to_come_has(signed_in: Client, alice: User) -> None:
    services.set_override(
        user=alice, day=DAY, windows=[MORNING, {"start": "13:00", "end": "24:00"}]
    )
    services.set_override(user=alice, day=date(2026, 3, 7), windows=[])
    page = signed_in.get(PAGE)
    said = cells(page)
    assert len(said) == 30  # the first of March is past
    assert said["2026-03-02"] == "Monday, 2 March 2026, weekly hours: 9:00 AM – 5:00 PM"
    assert said["2026-03-04"] == (
        "Wednesday, 4 March 2026, date-specific hours: 9:00 AM – 12:00 PM, 1:00 PM – 12:00 AM"
    )
    assert said["2026-03-07"] == "Saturday, 7 March 2026, day off"
    assert said["2026-03-08"] == "Sunday, 8 March 2026, no weekly hours"


def test_it_is_a_table_with_a_caption_and_named_columns(signed_in: Client, alice: User) -> None:
    alice.week_start = 7
    alice.save()
    html = main(signed_in.get(PAGE))
    assert re.findall(r"<caption[^>]*>([^<]*)</caption>", html) == ["March 2026"]
    assert re.findall(r'<th scope="col" abbr="([^"]*)"', html) == [
        "Sunday",
        "Monday",
        "Tuesday",
        "Wednesday",
        "Thursday",
        "Friday",
        "Saturday",
    ]
    first = html[html.index("<tbody>") :].split("</tr>")[0]
    assert first.count("<td>") == 7
    assert re.findall(r">([0-9]+)<", first) == ["1", "2", "3", "4", "5", "6", "7"]


def test_one_turns_the_pages_from_this_month_on(signed_in: Client) -> None:
    def beside(month: str) -> list[str]:
        html = main(signed_in.get(f"{PAGE}?month={month}"))
        return re.findall(r'rel="(?:prev|next)" href="\?month=([0-9-]+)"', html)

    assert beside("2026-03") == ["2026-04"]
    assert beside("2026-12") == ["2026-11", "2027-01"]
    assert beside("2031-03") == ["2031-02"]


@pytest.mark.parametrize(
    "query",
    [
        "?month=",
        "?month=2026-13",
        "?month=0000-01",
        "?month=2026-02",
        "?month=2031-04",
        "?month=9999-12",
        "?month=x",
        "?date=",
        "?date=x",
        "?date=2026-02-30",
        "?date=2026-03-01",
        "?date=9999-12-31",
        "?date=0001-01-01",
        "?date=2031-04-01",
    ],
)
def test_what_is_no_month_or_date_to_come_is_this_month(signed_in: Client, query: str) -> None:
    page = signed_in.get(PAGE + query)
    assert page.status_code == 200
    assert '<caption class="panel-title">March 2026<' in main(page)
    assert page.context["form"] is None


def test_dates_are_those_of_the_zone_of_the_hours(client: Client, alice: User) -> None:
    services.set_hours(user=alice, days={}, timezone="Pacific/Kiritimati")  # 14 hours ahead
    with time_machine.travel(datetime(2026, 3, 31, 12, tzinfo=UTC), tick=False):
        client.force_login(alice)
        page = client.get(PAGE)
    assert min(cells(page)) == "2026-04-01"
    assert "Times are in Pacific/Kiritimati" in words(page)


def test_the_chosen_date_is_marked_and_has_its_form(signed_in: Client) -> None:
    page = signed_in.get(OF_DAY)
    (marked,) = re.findall(r'date=([0-9-]+)#date" aria-current="date"', main(page))
    assert marked == "2026-03-04"
    assert "Wednesday, 4 March 2026 Hours on this date" in words(page)
    assert "Weekly hours: 9:00 AM – 5:00 PM" in words(page)


@pytest.mark.parametrize(
    ("day", "windows", "form"),
    [
        ("2026-03-04", None, ("usual", [("09:00", "17:00")])),
        ("2026-03-07", None, ("usual", [("09:00", "17:00")])),  # a Saturday, which is off
        ("2026-03-04", [], ("off", [("09:00", "17:00")])),
        ("2026-03-04", [MORNING], ("other", [("09:00", "12:00")])),
    ],
)
def test_the_form_begins_with_what_the_date_has(
    signed_in: Client,
    alice: User,
    day: str,
    windows: list[WindowText] | None,
    form: tuple[str, list[tuple[str, str]]],
) -> None:
    if windows is not None:
        services.set_override(user=alice, day=date.fromisoformat(day), windows=windows)
    assert form_of(signed_in.get(f"{PAGE}?date={day}")) == form


# --- what is to come -----------------------------------------------------------------------------


def test_what_is_to_come_stands_in_a_list(signed_in: Client, alice: User) -> None:
    for day, windows in ((DAY, [MORNING]), (date(2026, 12, 24), []), (date(2026, 3, 1), [])):
        services.set_override(user=alice, day=day, windows=windows)
    page = signed_in.get(PAGE)
    assert [(each.date, each.hours) for each in page.context["coming"]] == [
        (DAY, "9:00 AM – 12:00 PM"),
        (date(2026, 12, 24), ""),
    ]
    said = words(page)
    assert "Wednesday, 4 March 2026 9:00 AM – 12:00 PM Edit" in said
    assert "Thursday, 24 December 2026 Day off Edit" in said
    assert 'href="?month=2026-12&amp;date=2026-12-24#date"' in main(page)


def test_an_empty_list_says_what_it_is_for(signed_in: Client) -> None:
    assert "No date-specific hours For a holiday, a short day" in words(signed_in.get(PAGE))


def test_the_dates_of_others_are_not_shown(signed_in: Client, bob: User) -> None:
    services.set_override(user=bob, day=DAY, windows=[])
    page = signed_in.get(OF_DAY)
    assert page.context["coming"] == []
    assert form_of(page)[0] == "usual"


@pytest.mark.parametrize("count", [1, 3])
def test_queries_do_not_grow_with_the_dates(
    signed_in: Client, alice: User, django_assert_num_queries: DjangoAssertNumQueries, count: int
) -> None:
    for number in range(count):
        services.set_override(user=alice, day=DAY + timedelta(days=number), windows=[])
    # Session, person, zone, default schedule, how many schedules; dates to come and how many,
    # those of the month, the chosen one.
    with django_assert_num_queries(9):
        assert len(signed_in.get(OF_DAY).context["coming"]) == count


# --- saving --------------------------------------------------------------------------------------


@pytest.mark.parametrize(
    ("kind", "windows", "said"),
    [
        ("other", {DAY: [(540, 720)]}, "The hours of Wednesday, 4 March 2026 are saved."),
        ("off", {DAY: []}, "Wednesday, 4 March 2026 is a day off."),
        ("usual", {}, "Wednesday, 4 March 2026 has its weekly hours."),
    ],
)
@pytest.mark.parametrize("before", [None, [], [{"start": "20:00", "end": "21:00"}]])
def test_a_date_gets_what_is_chosen(
    signed_in: Client,
    alice: User,
    kind: str,
    windows: dict[date, list[tuple[int, int]]],
    said: str,
    before: list[WindowText] | None,
) -> None:
    if before is not None:
        services.set_override(user=alice, day=DAY, windows=before)
    page = signed_in.post(OF_DAY, typed(kind), follow=True)
    assert page.redirect_chain == [(f"{PAGE}?month=2026-03", 302)]
    assert words(page).startswith(said)
    assert kept(alice) == windows


def test_removing_from_the_list_brings_the_usual_hours_back(signed_in: Client, alice: User) -> None:
    services.set_override(user=alice, day=DAY, windows=[])
    assert '<form class="reveal-body" method="post" action="?date=2026-03-04">' in main(
        signed_in.get(PAGE)
    )
    signed_in.post(OF_DAY, {"kind": "usual", "act": "save"})
    assert kept(alice) == {}


@pytest.mark.parametrize(
    ("start", "end", "error"),
    [
        (["x"], ["12:00"], "Use a time such as 09:30, up to 24:00."),
        (["12:00"], ["11:00"], "The end must be after the start."),
        (["09:00", "10:00"], ["12:00", "11:00"], "Time ranges of a day may not overlap."),
        ([""], [""], "Add at least one time range, or mark the day as off."),
    ],
)
def test_what_is_wrong_is_said_and_nothing_is_lost(
    signed_in: Client, start: list[str], end: list[str], error: str
) -> None:
    before = everything()
    page = signed_in.post(OF_DAY, typed(start_date=start, end_date=end))
    assert words(page).count(error) == 1
    assert form_of(page) == ("other", list(zip(start, end, strict=True)))
    assert everything() == before


def test_windows_of_a_day_off_are_not_looked_at(signed_in: Client, alice: User) -> None:
    signed_in.post(OF_DAY, typed("off", start_date=["x"]))
    assert kept(alice) == {DAY: []}


@pytest.mark.parametrize("query", ["", "?date=2026-03-01", "?date=x", "?month=2026-03"])
def test_there_is_nothing_to_save_without_a_date_to_come(signed_in: Client, query: str) -> None:
    before = everything()
    assert signed_in.post(PAGE + query, typed("off")).status_code == 404
    assert everything() == before


@pytest.mark.parametrize(
    ("act", "form"),
    [
        ("add-date", ("other", [("09:00", "12:00"), ("13:00", "14:00"), ("", "")])),
        ("remove-date-0", ("usual", [("13:00", "14:00")])),
        ("back", ("usual", [("09:00", "12:00"), ("13:00", "14:00")])),
        ("nonsense", ("usual", [("09:00", "12:00"), ("13:00", "14:00")])),
    ],
)
def test_a_button_changes_the_form_and_saves_nothing(
    signed_in: Client, act: str, form: tuple[str, list[tuple[str, str]]]
) -> None:
    before = everything()
    sent = typed("usual", act, start_date=["09:00", "13:00"], end_date=["12:00", "14:00"])
    assert form_of(signed_in.post(OF_DAY, sent)) == form
    assert everything() == before


def test_a_date_whose_only_window_is_removed_is_a_day_off(signed_in: Client) -> None:
    page = signed_in.post(OF_DAY, typed("other", "remove-date-0"))
    assert form_of(page) == ("off", [("09:00", "12:00")])


def test_looking_changes_nothing(signed_in: Client) -> None:
    before = everything()
    signed_in.get(f"{OF_DAY}&kind=off&act=save")
    signed_in.head(f"{OF_DAY}&kind=off&act=save")
    assert everything() == before


# --- what is booked ------------------------------------------------------------------------------


def test_a_booking_that_would_lie_outside_is_shown_before_it_is_saved(
    signed_in: Client, alice: User, booking: Booking
) -> None:
    before = everything()
    page = signed_in.post(OF_DAY, typed("off"))
    said = words(page)
    assert "A booking would be outside your availability" in said
    assert (
        "30 Minute Meeting with John Doe Wednesday, 4 March 2026, 10:00 AM – 10:30 AM UTC" in said
    )
    assert f'action="{OF_DAY}"' in main(page)
    assert everything() == before

    page = signed_in.post(OF_DAY, inputs(page) | {"act": ["save"]}, follow=True)
    assert words(page).startswith("Wednesday, 4 March 2026 is a day off.")
    assert kept(alice) == {DAY: []}
    booking.refresh_from_db()
    assert booking.status == "confirmed"


def test_back_brings_what_was_typed(signed_in: Client, booking: Booking) -> None:
    sent = typed(start_date=["11:00", "13:00"], end_date=["12:00", "14:00"])
    page = signed_in.post(OF_DAY, sent)
    page = signed_in.post(OF_DAY, inputs(page) | {"act": ["back"]})
    assert form_of(page) == ("other", [("11:00", "12:00"), ("13:00", "14:00")])


def test_removing_a_date_that_holds_a_booking_is_asked_about_too(
    signed_in: Client, alice: User, booking: Booking
) -> None:
    services.set_override(user=alice, day=DAY, windows=[MORNING])
    services.set_hours(user=alice, days={"3": {"enabled": False}})
    page = signed_in.post(OF_DAY, {"kind": "usual", "act": "save"})
    assert "A booking would be outside your availability" in words(page)
    assert kept(alice) == {DAY: [(540, 720)]}
    signed_in.post(OF_DAY, inputs(page) | {"act": ["save"]})
    assert kept(alice) == {}


def test_other_hours_that_hold_the_booking_are_saved_at_once(
    signed_in: Client, alice: User, booking: Booking
) -> None:
    assert signed_in.post(OF_DAY, typed()).status_code == 302
    assert kept(alice) == {DAY: [(540, 720)]}
