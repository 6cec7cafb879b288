"""Settings, profile: names, zone, and the formats of dates and times."""

import re
from zoneinfo import ZoneInfo

import pytest
from django.contrib.messages import get_messages
from django.db import IntegrityError
from django.test import Client
from pytest_django import DjangoAssertNumQueries

from accounts.domain import services
from accounts.models import DATE_FORMATS, TIME_FORMATS, User
from accounts.pages.forms import DATES, TIMES
from core.errors import Invalid
from core.text import times
from scheduling.models import WeeklyAvailability
from tests import factories
from tests.pages import NOW, UNSEEN, everything, main, words

pytestmark = [pytest.mark.django_db, pytest.mark.usefixtures("at_now")]

PAGE = "/settings/profile"
VALUES = {
    "first_name": "Alicia",
    "last_name": "Amos",
    "position": "Editor",
    "company": "Almanac",
    "username": "alice",
    "timezone": "Asia/Kathmandu",
    "date_format": "dd.MM.yyyy",
    "time_format": "HH:mm",
    "week_start": "7",
    "language": "browser",
}


@pytest.fixture
def signed_in(client: Client, alice: User) -> Client:
    client.force_login(alice)
    return client


def said(answer: object) -> list[str]:
    return [str(message) for message in get_messages(answer.wsgi_request)]  # type: ignore[attr-defined]  # the test client's


def errors(client: Client, **values: str) -> dict[str, list[str]]:
    page = client.post(PAGE, VALUES | values)
    assert page.status_code == 200
    found: dict[str, list[str]] = page.context["form"].errors
    return found


def test_it_is_for_the_signed_in(client: Client) -> None:
    assert client.get(PAGE).headers["Location"] == "/accounts/login/?next=/settings/profile"
    assert client.get("/settings").headers["Location"] == "/accounts/login/?next=/settings"


def test_all_settings_stand_in_four_groups(signed_in: Client) -> None:
    page = main(signed_in.get("/settings"))
    groups = re.findall(
        r'<p class="tabs-group"[^>]*>([^<]*)</p>\s*<ul[^>]*>(.*?)</ul>', page, re.DOTALL
    )
    assert {name: re.findall(r'href="([^"]*)"', rows) for name, rows in groups} == {
        "You": [
            PAGE,
            "/settings/notifications",
            "/accounts/email/",
            "/accounts/password/change/",
            "/accounts/2fa/",
            "/settings/security",
            "/settings/devices",
            "/settings/connections",
            "/settings/data",
        ],
        "Scheduling": ["/settings/hours", "/settings/calendars"],
        "Team": ["/settings/teams"],
        "Developer": ["/settings/tokens", "/settings/webhooks", "/settings/applications"],
    }
    assert "Sign out" in page


def test_it_shows_what_is_known(signed_in: Client) -> None:
    page = signed_in.get(PAGE)
    shown = page.context["form"]
    assert {name: shown[name].value() for name in ("first_name", "username", "timezone")} == {
        "first_name": "Alice",
        "username": "alice",
        "timezone": "UTC",
    }
    assert "http://testserver/alice" in words(page)
    assert "Links that you have shared lead to it for 90 days" in words(page)
    assert '<option value="New York" label="' in main(page)
    assert 'href="/settings/hours"' in main(page)


def test_looking_changes_nothing(signed_in: Client) -> None:
    before = everything()
    signed_in.get(PAGE)
    assert everything() == before


def test_all_of_it_is_saved(signed_in: Client, alice: User) -> None:
    answer = signed_in.post(PAGE, VALUES)
    assert (answer.status_code, answer.headers["Location"]) == (302, PAGE)
    alice.refresh_from_db()
    assert {name: getattr(alice, name) for name in VALUES} == VALUES | {
        "week_start": 7,
        "language": "",
    }
    assert said(answer) == ["Your profile has been saved."]


def test_the_hours_that_others_book_keep_their_zone(signed_in: Client, alice: User) -> None:
    signed_in.post(PAGE, VALUES)
    assert WeeklyAvailability.objects.get(user=alice).zone == ZoneInfo("UTC")


def test_the_formats_are_shown_by_what_they_make() -> None:
    """The examples show the last day of the year and two in the afternoon."""
    moment = NOW.replace(month=12, day=31, hour=14, minute=0)
    person = User(timezone="UTC")
    made = {}
    for person.date_format in DATE_FORMATS:
        made[person.date_format] = times.day(moment, person).partition(" ")[2]
    assert made == DATES
    made = {}
    for person.time_format in TIME_FORMATS:
        made[person.time_format] = times.time(moment, person)
    assert made == TIMES


@pytest.mark.parametrize(
    ("field", "value", "problem"),
    [
        ("first_name", "", "This field is required."),
        (
            "first_name",
            "A\nB",
            UNSEEN,
        ),
        (
            "company",
            "A\u200bB",
            UNSEEN,
        ),
        ("last_name", "x" * 81, "Ensure this value has at most 80 characters (it has 81)."),
        ("timezone", "Mars/Olympus", "“Mars/Olympus” is not a time zone."),
        ("timezone", "localtime", "“localtime” is not a time zone."),
        ("username", "", "This field is required."),
        ("username", "a", "Use 2 to 30 letters a-z, digits and hyphens."),
        ("username", "al ice", "Use 2 to 30 letters a-z, digits and hyphens."),
        ("username", "älice", "Use 2 to 30 letters a-z, digits and hyphens."),
        ("username", "admin", "This name is reserved."),
        ("username", "settings", "This name is reserved."),
        ("username", "bob", "Somebody else has this username."),
        ("username", "BOB", "Somebody else has this username."),
    ],
)
def test_what_cannot_be_is_said_beside_its_field(
    signed_in: Client, alice: User, bob: User, field: str, value: str, problem: str
) -> None:
    assert errors(signed_in, **{field: value}) == {field: [problem]}
    before = User.objects.get(pk=alice.pk)
    assert (before.first_name, before.username) == ("Alice", "alice")


@pytest.mark.parametrize("field", ["date_format", "time_format", "week_start", "language"])
def test_a_choice_that_is_none_is_refused(signed_in: Client, field: str) -> None:
    assert list(errors(signed_in, **{field: "nonsense"})) == [field]


def test_what_was_typed_is_kept_and_the_page_still_knows_who_one_is(
    signed_in: Client, bob: User
) -> None:
    page = signed_in.post(PAGE, VALUES | {"username": "bob"})
    assert 'value="Alicia"' in main(page)
    assert "http://testserver/alice" in words(page)
    assert "Alice Ames" in page.content.decode().partition("<main")[0]


def test_a_zone_may_be_typed_as_people_write_it(signed_in: Client, alice: User) -> None:
    signed_in.post(PAGE, VALUES | {"timezone": " America/New York "})
    alice.refresh_from_db()
    assert alice.timezone == "America/New_York"


def test_a_new_username_is_a_new_address(signed_in: Client, alice: User) -> None:
    signed_in.post(PAGE, VALUES | {"username": "Alicia-A"})
    assert "http://testserver/alicia-a" in words(signed_in.get(PAGE))


def test_a_username_that_was_reserved_later_may_stay(signed_in: Client, alice: User) -> None:
    User.objects.filter(pk=alice.pk).update(username="pricing")
    assert signed_in.post(PAGE, VALUES | {"username": "pricing"}).status_code == 302


def test_two_who_want_one_name_at_once_do_not_both_get_it(alice: User, bob: User) -> None:
    """The database's unique constraint decides, and its error becomes a readable message."""
    with pytest.raises(Invalid, match="Somebody else has this username") as refused:
        services.update_profile(user=alice, username="bob")
    assert refused.value.field == "username"
    assert isinstance(refused.value.__context__, IntegrityError)


def test_the_answer_comes_in_the_language_just_chosen(signed_in: Client, alice: User) -> None:
    signed_in.post(PAGE, VALUES | {"language": "de"})
    alice.refresh_from_db()
    assert alice.language == "de"
    page = signed_in.get(PAGE)
    assert page.headers["Content-Language"] == "de"
    signed_in.post(PAGE, VALUES)
    page = signed_in.get(PAGE, headers={"Accept-Language": "fr"})
    assert page.headers["Content-Language"] == "fr"


@pytest.mark.parametrize("people", [1, 3])
def test_it_takes_few_queries(
    signed_in: Client, django_assert_num_queries: DjangoAssertNumQueries, people: int
) -> None:
    for number in range(people):
        factories.user(f"person-{number}")
    with django_assert_num_queries(2):  # session, person
        signed_in.get(PAGE)
