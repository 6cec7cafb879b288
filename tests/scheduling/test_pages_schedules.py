"""Schedules on the hours page: tabs, and adding, renaming, deleting and choosing the default."""

import re

import pytest
from django.test import Client

from accounts.models import User
from scheduling.domain import services
from scheduling.models import Booking, EventType, Schedule
from tests.pages import START, Answer, everything, main, words
from tests.scheduling.test_pages_hours import inputs, shown, typed

pytestmark = [pytest.mark.django_db, pytest.mark.usefixtures("at_now")]

HOURS, ADD = "/settings/hours", "/settings/hours/schedules"
TAKEN = "You have a schedule with this name already."


@pytest.fixture
def signed_in(client: Client, alice: User) -> Client:
    client.force_login(alice)
    return client


def page_of(schedule: Schedule) -> str:
    return f"{ADD}/{schedule.pk}"


def tabs(page: Answer) -> list[tuple[str, str, bool]]:
    """Return address and name of each schedule's tab, and whether it is the current one."""
    found = re.search(r'<nav aria-label="Schedules">.*?</nav>', main(page), re.DOTALL)
    links = re.findall(r'href="([^"]*)"([^>]*)>([^<]*)', found[0]) if found else []
    return [(url, name.strip(), "current" in more) for url, more, name in links]


def days(schedule: Schedule) -> str:
    schedule.refresh_from_db()
    return "".join(str(number) for number in schedule.windows)


def test_one_schedule_needs_no_tabs(signed_in: Client) -> None:
    page = signed_in.get(HOURS)
    assert tabs(page) == []
    assert "Make it the default" not in words(page)


def test_each_schedule_has_a_tab(signed_in: Client, evenings: Schedule) -> None:
    def expected(current: str) -> list[tuple[str, str, bool]]:
        urls = {"Working hours": HOURS, "Evenings": page_of(evenings)}
        return [(url, name, name == current) for name, url in urls.items()]

    page = signed_in.get(HOURS)
    assert tabs(page) == expected("Working hours")
    assert shown(page)["1"] == [("09:00", "17:00")]
    page = signed_in.get(page_of(evenings))
    assert tabs(page) == expected("Evenings")
    assert shown(page)["1"] == [("18:00", "21:00")]


def test_a_name_is_shown_as_text(signed_in: Client, evenings: Schedule) -> None:
    services.update_schedule(schedule=evenings, name="<b>Late")
    html = main(signed_in.get(page_of(evenings)))
    assert "&lt;b&gt;Late" in html
    assert "<b>Late" not in html


def test_the_hours_of_one_are_saved_and_those_of_others_stay(
    signed_in: Client, alice: User, evenings: Schedule
) -> None:
    page = signed_in.post(page_of(evenings), typed(on_1=None, timezone="Asia/Tokyo"), follow=True)
    assert page.redirect_chain == [(page_of(evenings), 302)]
    assert words(page).startswith("Your availability is saved.")
    alice.weekly_availability.refresh_from_db()
    assert (days(evenings), days(alice.weekly_availability.default)) == ("2345", "12345")
    assert alice.weekly_availability.timezone == "Asia/Tokyo"  # that of all schedules


def test_a_button_keeps_to_its_schedule(signed_in: Client, evenings: Schedule) -> None:
    before = everything()
    page = signed_in.post(page_of(evenings), typed(act="add-6"))
    assert f'action="{page_of(evenings)}" data-hours' in main(page)
    assert everything() == before


def test_one_is_added_and_shown(signed_in: Client, alice: User) -> None:
    page = signed_in.post(ADD, {"name": "  Evenings "}, follow=True)
    made = alice.schedules.get(name="Evenings")
    assert page.redirect_chain == [(page_of(made), 302)]
    assert words(page).startswith("Evenings is created.")
    assert days(made) == "12345"


@pytest.mark.parametrize(
    ("name", "error"),
    [
        ("", "This field is required."),
        ("evenings", TAKEN),
        ("x" * 61, "Ensure this value has at most 60 characters (it has 61)."),
        ("a\nb", "May not hold line breaks, control characters or invisible characters."),
    ],
)
def test_a_name_that_does_not_fit_stands_in_its_form_with_the_reason(
    signed_in: Client, evenings: Schedule, name: str, error: str
) -> None:
    default = evenings.user.weekly_availability.default
    before = everything()
    for url, field in ((ADD, "new_name"), (f"{page_of(default)}/rename", "renamed_name")):
        page = signed_in.post(url, {"name": name})
        assert (page.status_code, words(page).count(error)) == (200, 1)
        html = main(page)
        assert html.count('<details class="reveal" open>') == 1
        assert re.search(rf'<input[^>]* aria-invalid="true"[^>]* id="{field}"', html)
        assert tabs(page)[0][2]
    assert everything() == before


def test_one_is_renamed(signed_in: Client, evenings: Schedule) -> None:
    page = signed_in.post(f"{page_of(evenings)}/rename", {"name": "Nights"}, follow=True)
    assert words(page).startswith("The schedule is renamed.")
    assert [name for _url, name, _current in tabs(page)] == ["Working hours", "Nights"]


def test_one_is_deleted(signed_in: Client, evenings: Schedule) -> None:
    page = signed_in.post(f"{page_of(evenings)}/delete", follow=True)
    assert page.redirect_chain == [(HOURS, 302)]
    assert words(page).startswith("Evenings is deleted.")
    assert signed_in.get(page_of(evenings)).status_code == 404


def test_one_that_an_event_type_follows_names_it_and_is_not(
    signed_in: Client, event_type: EventType, evenings: Schedule
) -> None:
    follower = f'Followed by: <a href="/event-types/{event_type.pk}">30 Minute Meeting</a></p>'
    assert follower in main(signed_in.get(HOURS))
    assert f"{page_of(evenings)}/delete" in main(signed_in.get(page_of(evenings)))
    services.update_event_type(event_type=event_type, schedule=evenings)
    assert "Followed by" not in words(signed_in.get(HOURS))
    shown_page = main(signed_in.get(page_of(evenings)))
    assert follower in shown_page
    assert f"{page_of(evenings)}/delete" not in shown_page
    before = everything()
    page = signed_in.post(f"{page_of(evenings)}/delete", follow=True)
    assert words(page).startswith("1 event type follows this schedule: 30 Minute Meeting.")
    assert everything() == before


def test_another_one_becomes_the_default(signed_in: Client, evenings: Schedule) -> None:
    page = signed_in.post(f"{page_of(evenings)}/default", follow=True)
    assert words(page).startswith("Evenings is your default schedule now.")
    days_before = Schedule.objects.get(name="Working hours")
    assert tabs(page) == [(page_of(days_before), "Working hours", False), (HOURS, "Evenings", True)]


def test_another_default_shows_the_bookings_outside_before_it_is_saved(
    signed_in: Client, booking: Booking, evenings: Schedule
) -> None:
    url = f"{page_of(evenings)}/default"
    before = everything()
    page = signed_in.post(url)
    assert "A booking would be outside your availability" in words(page)
    assert f'href="/bookings/{booking.pk}"' in main(page)
    kept = inputs(page)
    assert signed_in.post(url, kept | {"act": ["back"]}).headers["Location"] == page_of(evenings)
    assert everything() == before
    signed_in.post(url, kept | {"act": ["save"]})
    assert evenings.is_default


def test_single_dates_say_whose_hours_the_calendar_shows(signed_in: Client, alice: User) -> None:
    said = "The calendar shows your default schedule."
    assert said not in words(signed_in.get("/settings/hours/dates"))
    made = services.create_schedule(user=alice, name="Evenings")
    services.make_default(schedule=made)
    services.update_schedule(schedule=made, days={"3": services.DayChange(enabled=False)})
    page = signed_in.get(f"/settings/hours/dates?date={START:%Y-%m-%d}")
    assert said in words(page)
    [cell] = [
        cell
        for week in page.context["month"].weeks
        for cell in week
        if cell and cell.date == START.date()
    ]
    assert cell.hours == ""
