"""Settings, security: active sessions and recent events of the account."""

from datetime import timedelta

import pytest
from django.test import Client
from pytest_django import DjangoAssertNumQueries

from accounts.domain import audit, sessions
from accounts.domain.audit import Action
from accounts.models import AuditEntry, Session, User
from core.db import crypto
from tests.accounts.test_sessions import FIREFOX, cookie, is_in, sign_in
from tests.pages import NOW, everything, words

pytestmark = [pytest.mark.django_db, pytest.mark.usefixtures("at_now")]

PAGE = "/settings/security"
CHROME = "Mozilla/5.0 (Windows NT 10.0) AppleWebKit/537.36 Chrome/141.0 Safari/537.36"


def path_of(client: Client) -> str:
    return f"{PAGE}/sessions/{crypto.digest(cookie(client))}/end"


def test_it_is_for_the_signed_in(client: Client) -> None:
    assert client.get(PAGE).headers["Location"] == f"/accounts/login/?next={PAGE}"
    for path in (f"{PAGE}/sessions/x/end", f"{PAGE}/sessions/end"):
        assert client.post(path).headers["Location"] == f"/accounts/login/?next={PAGE}"


def test_it_says_where_one_is_signed_in_since_when_and_which_is_this(alice: User) -> None:
    User.objects.filter(pk=alice.pk).update(timezone="Asia/Kathmandu", time_format="HH:mm")
    here, there = sign_in(alice, FIREFOX), sign_in(alice, CHROME)
    Session.objects.filter(session_key=crypto.digest(cookie(there))).update(
        started_at=NOW - timedelta(days=3), seen_at=NOW + timedelta(minutes=2)
    )
    assert (
        "Firefox on Linux This browser since Mon 03/02/2026, 14:45 last seen Mon 03/02/2026, 14:45 "
        "Chrome on Windows since Fri 02/27/2026, 14:45 last seen Mon 03/02/2026, 14:47 "
        "Sign out Chrome on Windows "
        "If you do not recognise one, sign it out, then change your password. "
        "Sign out everywhere else"
    ) in words(here.get(PAGE))


def test_signed_in_once_there_is_nothing_to_end(alice: User) -> None:
    page = words(sign_in(alice).get(PAGE))
    assert "Firefox on Linux This browser" in page
    assert "Sign out" not in page


def test_one_is_ended_at_once_and_on_record(alice: User) -> None:
    here, there = sign_in(alice, FIREFOX), sign_in(alice, CHROME)
    assert here.post(path_of(there)).headers["Location"] == PAGE
    assert "Chrome on Windows has been signed out." in words(here.get(PAGE))
    assert (is_in(here), is_in(there)) == (True, False)
    entry = AuditEntry.objects.latest("id")
    assert (entry.action, entry.person, entry.actor, entry.subject) == (
        "session_ended",
        alice,
        alice,
        "Chrome on Windows",
    )


def test_all_the_others_are_ended(alice: User, bob: User) -> None:
    here, *others = (sign_in(alice) for _browser in range(3))
    of_bob = sign_in(bob)
    assert here.post(f"{PAGE}/sessions/end").headers["Location"] == PAGE
    assert "2 other browsers have been signed out." in words(here.get(PAGE))
    assert [is_in(client) for client in (here, *others, of_bob)] == [True, False, False, True]
    assert AuditEntry.objects.filter(action="session_ended", person=alice).count() == 2


def test_looking_ends_nothing(alice: User) -> None:
    here, there = sign_in(alice), sign_in(alice)
    before = everything()
    here.get(PAGE)
    for path in (path_of(there), f"{PAGE}/sessions/end"):
        assert here.get(path).status_code == 405
    assert everything() == before


@pytest.mark.parametrize("key", ["%00", "x", "a%20b", "’"])
def test_what_is_none_is_not_there(alice: User, key: str) -> None:
    assert sign_in(alice).post(f"{PAGE}/sessions/{key}/end").status_code == 404


def test_a_strangers_is_not_there(alice: User, bob: User) -> None:
    of_alice, of_bob = sign_in(alice, CHROME), sign_in(bob, FIREFOX)
    assert "Chrome" not in words(of_bob.get(PAGE))
    assert of_bob.post(path_of(of_alice)).status_code == 404
    assert is_in(of_alice)


def test_it_says_what_has_happened_when_from_where_and_by_whom(alice: User, bob: User) -> None:
    client = sign_in(alice)
    AuditEntry.objects.all().delete()
    for action, actor in ((Action.TOKEN_MADE, alice), (Action.STAFF_CHANGED, bob)):
        audit.record(action, person=alice, actor=actor, subject="Website", now=NOW)
    audit.record(Action.LOGIN_FAILED, person=bob, now=NOW)
    AuditEntry.objects.filter(action=Action.TOKEN_MADE).update(address="192.0.2.1")
    assert (
        "Account activity "
        "Changed by staff Website Mon 03/02/2026, 9:00 AM by Bob Byrd "
        "API token made Website Mon 03/02/2026, 9:00 AM from 192.0.2.1 "
        "Times are in UTC."
    ) in words(client.get(PAGE))


def test_fifty_stand_on_a_page(alice: User) -> None:
    client = sign_in(alice)
    for number in range(60):
        audit.record(Action.TOKEN_MADE, person=alice, subject=f"No {number}.", now=NOW)
    first, second = words(client.get(PAGE)), words(client.get(PAGE, {"page": "2"}))
    assert ("No 59." in first, "No 10." in first, "No 9." in first) == (True, True, False)
    assert ("No 9." in second, "Page 2 of 2" in second) == (True, True)
    assert client.get(PAGE, {"page": "nonsense"}).status_code == 200


def test_without_any_it_says_what_will_be_here(alice: User) -> None:
    client = sign_in(alice)
    AuditEntry.objects.all().delete()
    assert "Nothing yet Signing in, changing the password, making a token" in (
        words(client.get(PAGE))
    )


@pytest.mark.parametrize("count", [1, 3])
def test_queries_do_not_grow_with_the_rows(
    alice: User, bob: User, django_assert_num_queries: DjangoAssertNumQueries, count: int
) -> None:
    client = sign_in(alice)
    for _number in range(count):
        sign_in(alice)
        audit.record(Action.STAFF_CHANGED, person=alice, actor=bob, now=NOW)
    with django_assert_num_queries(6):  # session, person; count and rows of sessions and the log
        page = client.get(PAGE)
    assert len(page.context["places"]) == len(sessions.of(alice, now=NOW)) == count + 1
