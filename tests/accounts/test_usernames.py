"""Usernames: permitted letters, reserved words, and a person's first username."""

import pytest
from django.urls import get_resolver

from accounts.models import User, usernames
from tests import factories

APPS = ("accounts", "webhooks", "scheduling", "meetings")


@pytest.mark.parametrize("name", ["ada", "ada-2", "a1", "0-0", "x" * 30])
def test_what_can_be_a_username(name: str) -> None:
    assert usernames.problem_with(name) == ""


@pytest.mark.parametrize("name", ["", "a", "Ada", "ada_l", "ada.l", "ädä", "x" * 31, "a b", "a\n"])
def test_what_has_other_letters_or_another_length(name: str) -> None:
    assert usernames.problem_with(name) == "Use 2 to 30 letters a-z, digits and hyphens."


def test_the_first_segment_of_every_route_is_reserved() -> None:
    tables = [get_resolver(), *(get_resolver(f"{app}.urls") for app in APPS)]
    patterns = [str(route.pattern) for table in tables for route in table.url_patterns]
    routes = {segment for pattern in patterns if (segment := pattern.split("/")[0])}
    assert {"api", "admin", "settings", "event-types", "bookings", "meetings"} <= routes
    assert [name for name in routes if not usernames.is_reserved(name)] == []


@pytest.mark.parametrize("name", ["admin", "api", "meetings", "support", "www"])
def test_our_own_words_are_reserved(name: str) -> None:
    assert usernames.problem_with(name) == "This name is reserved."


@pytest.mark.parametrize(
    ("email", "username"),
    [
        ("ada@example.com", "ada"),
        ("Ada.Lovelace@example.com", "ada-lovelace"),
        ("ada_l+calendar@example.com", "ada-lcalendar"),
        ("admin@example.com", "person-admin"),
        ("x@example.com", "person-x"),
        ("ünïcödé@example.com", "unicode"),
        ("日本@example.com", "person"),
        (f"{'a' * 60}@example.com", "a" * 30),
    ],
)
def test_the_first_username_comes_from_the_email(email: str, username: str) -> None:
    assert usernames.from_email(email) == username
    assert usernames.problem_with(username) == ""


@pytest.mark.django_db
def test_a_username_that_is_taken_gets_a_number() -> None:
    made = [
        User.objects.create_user(f"ada@{host}", factories.PASSWORD).username
        for host in ("a.example", "b.example", "c.example")
    ]
    assert made == ["ada", "ada-2", "ada-3"]
