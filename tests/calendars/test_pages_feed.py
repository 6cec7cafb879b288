"""A person's feed: made, changed and ended in the settings; read by other calendars."""

import re
from datetime import timedelta

import pytest
import time_machine
from django.test import Client
from icalendar import Calendar
from pytest_django import Settings

from accounts.models import Team, User
from calendars.models import Feed
from calendars.pages import feeds
from core.ops import redaction
from meetings.domain import services as meetings
from scheduling.domain import bookings
from tests import factories
from tests.pages import NOW, START, Answer, main, words

pytestmark = [pytest.mark.django_db, pytest.mark.usefixtures("at_now", "loopback")]

PAGE = "/settings/calendars"
HOUR, DAY = timedelta(hours=1), timedelta(days=1)


def make(signed_in: Client) -> str:
    """Make a feed, or a new address, and return the path that the page shows."""
    page = signed_in.post(f"{PAGE}/feed", follow=True)
    [path] = re.findall(r'id="feed-address"[^>]*>https?://[^/]*(/calendar/[^<]*)<', main(page))
    return str(path)


def entries(answer: Answer) -> list[tuple[str, str]]:
    """Return summary and status of each entry."""
    found = Calendar.from_ical(answer.content)
    return [(str(each["SUMMARY"]), str(each["STATUS"])) for each in found.walk("VEVENT")]


@pytest.fixture
def path(signed_in: Client) -> str:
    return make(signed_in)


def test_it_has_bookings_and_confirmed_meetings(
    client: Client, alice: User, bob: User, team: Team, path: str
) -> None:
    call = factories.event_type(alice, name="Call")
    asked = factories.event_type(alice, name="Talk", slug="talk", requires_approval=True)
    factories.booking(call, start=START, now=NOW)
    factories.booking(asked, start=START + HOUR, now=NOW)
    gone = factories.booking(call, start=START + 2 * HOUR, now=NOW)
    bookings.cancel(booking=gone, actor=bookings.host(alice), now=NOW)
    for hours in (3, 4):
        meeting = meetings.request_meeting(
            requester=bob,
            recipient_id=alice.pk,
            team_id=team.pk,
            date=(START + hours * HOUR).isoformat(),
            link="",
            now=NOW,
        )
    meetings.confirm(meeting=meeting, actor=alice, now=NOW)
    factories.booking(factories.event_type(bob), start=START, now=NOW)
    answer = Client().get(path)
    assert answer.headers["Content-Type"] == "text/calendar; charset=utf-8"
    assert entries(answer) == [
        ("Call: John Doe", "CONFIRMED"),
        ("Talk: John Doe", "TENTATIVE"),
        ("Meeting: Bob Byrd and Alice Ames", "CONFIRMED"),
    ]
    # Without titles it says nothing of whom and what.
    client.force_login(alice)
    client.post(f"{PAGE}/feed/titles", {"on": "no"})
    answer = Client().get(path)
    assert [summary for summary, _status in entries(answer)] == ["Busy"] * 3
    assert re.search(rb"John|Bob Byrd|Call|https?:", answer.content) is None
    with time_machine.travel(START + 40 * DAY, tick=False):
        assert entries(Client().get(path)) == []  # over since more than 30 days


def test_it_is_asked_whether_it_has_changed(alice: User, path: str) -> None:
    call = factories.event_type(alice)
    factories.booking(call, start=START, now=NOW)
    stranger = Client()
    first = stranger.get(path)
    assert first.headers["Cache-Control"] == "private, no-cache"
    tag = {"If-None-Match": first.headers["ETag"]}
    with time_machine.travel(NOW + HOUR, tick=False):
        same = stranger.get(path, headers=tag)
        assert (same.status_code, same.content) == (304, b"")
        assert same.headers["ETag"] == first.headers["ETag"]
        head = stranger.head(path)
        assert (head.status_code, head.content) == (200, b"")
        factories.booking(call, start=START + HOUR, now=NOW + HOUR)
        assert stranger.get(path, headers=tag).status_code == 200


def test_a_new_address_ends_the_former_one(signed_in: Client, path: str) -> None:
    signed_in.post(f"{PAGE}/feed/titles", {"on": "no"})
    other = make(signed_in)
    assert [Client().get(each).status_code for each in (path, other)] == [404, 200]
    assert not Feed.objects.get().shows_titles
    assert "Page not found" in words(Client().get(path))
    signed_in.post(f"{PAGE}/feed/end")
    assert Client().get(other).status_code == 404
    assert "Create address" in words(signed_in.get(PAGE))


def test_that_of_a_closed_account_is_not_there(alice: User, path: str) -> None:
    alice.is_active = False
    alice.save()
    assert Client().get(path).status_code == 404


def test_the_address_is_shown_after_a_recent_sign_in(signed_in: Client, path: str) -> None:
    token = path.removeprefix("/calendar/feed/")
    with time_machine.travel(NOW + HOUR, tick=False):
        page = signed_in.get(PAGE)
        assert token not in page.content.decode()
        assert "Show the address" in words(page)
        answer = signed_in.post(f"{PAGE}/feed")
        assert answer.headers["Location"].startswith("/accounts/reauthenticate/")
    assert Client().get(path).status_code == 200


def test_so_many_rows_are_in_it(alice: User, path: str, monkeypatch: pytest.MonkeyPatch) -> None:
    monkeypatch.setattr(feeds, "_MOST", 2)
    call = factories.event_type(alice)
    for hours in range(3):
        factories.booking(call, start=START + hours * HOUR, now=NOW)
    assert len(entries(Client().get(path))) == 2


def test_a_client_asks_so_often(path: str, settings: Settings) -> None:
    stranger = Client()
    answers = [stranger.get(path).status_code for _time in range(61)]
    assert answers == [200] * 60 + [429]


def test_no_log_line_has_its_token(path: str) -> None:
    token = path.removeprefix("/calendar/feed/").removesuffix(".ics")
    for line in (f"Not Found: {path}", f"GET {path} 200", f"https://parley.example{path}"):
        assert token not in redaction.text(line)


def test_nothing_but_the_title_is_in_it(alice: User, path: str) -> None:
    """Anybody who has the address can read it."""
    call = factories.event_type(alice, location="phone_call", description="Of the host")
    factories.booking(call, start=START, now=NOW, notes="Sesame", phone="+12025550123")
    text = Client().get(path).content.decode()
    assert "John Doe" in text
    for private in ("Sesame", "2025550123", "http"):
        assert private not in text
