"""Meetings page: a person's meetings, tab by tab."""

from datetime import timedelta

import pytest
import time_machine
from django.test import Client
from pytest_django import DjangoAssertNumQueries

from accounts.models import Team, User
from meetings.domain import services
from meetings.models import MeetingRequest
from meetings.models.enums import Tab
from tests.pages import NOW, START, Ask, cards, content, everything, words

pytestmark = [pytest.mark.django_db, pytest.mark.usefixtures("at_now")]

HOUR, DAY = timedelta(hours=1), timedelta(days=1)


@pytest.fixture
def one_of_each(ask: Ask, alice: User, bob: User) -> dict[Tab, list[MeetingRequest]]:
    """Return Bob's meetings by tab. No sweep has run."""
    pending = ask()
    sent = ask(requester=bob, recipient=alice, start=START + DAY)
    confirmed, rejected, cancelled = (ask(start=START + n * DAY) for n in (2, 3, 4))
    services.confirm(meeting=confirmed, actor=bob, now=NOW)
    services.reject(meeting=rejected, actor=bob, now=NOW)
    services.cancel(meeting=cancelled, actor=alice, now=NOW)
    before = NOW - 2 * DAY
    expired, completed = (ask(start=NOW - n * HOUR, now=before) for n in (3, 1))
    services.confirm(meeting=completed, actor=bob, now=before)
    return {
        Tab.PENDING: [pending],
        Tab.SENT: [sent],
        Tab.CONFIRMED: [confirmed],
        Tab.COMPLETED: [completed],
        Tab.REJECTED: [rejected],
        Tab.CANCELLED: [cancelled],
        Tab.EXPIRED: [expired],
    }


def shown(client: Client, query: str = "") -> list[MeetingRequest]:
    return [card.meeting for card in cards(client.get(f"/meetings{query}"))]


def test_the_link_of_the_email_leads_through_the_login(client: Client) -> None:
    page = client.get("/meetings?tab=pending-meeting")
    assert page.headers["Location"] == "/accounts/login/?next=/meetings%3Ftab%3Dpending-meeting"


def test_each_tab_holds_its_own(
    client: Client, bob: User, one_of_each: dict[Tab, list[MeetingRequest]]
) -> None:
    client.force_login(bob)
    assert {tab: shown(client, f"?tab={tab.value}") for tab in one_of_each} == one_of_each


def test_tabs_carry_their_counts_in_their_order(
    client: Client, bob: User, one_of_each: dict[Tab, list[MeetingRequest]], ask: Ask
) -> None:
    ask(start=START + 9 * DAY)
    client.force_login(bob)
    counts = [(each.name, count) for each, count in client.get("/meetings").context["tabs"]]
    assert counts == [
        (Tab.PENDING, 2),
        (Tab.SENT, 1),
        (Tab.CONFIRMED, 1),
        (Tab.COMPLETED, 1),
        (Tab.REJECTED, 1),
        (Tab.CANCELLED, 1),
        (Tab.EXPIRED, 1),
    ]


def test_the_tab_one_is_on_is_marked(client: Client, bob: User) -> None:
    client.force_login(bob)
    page = client.get("/meetings?tab=rejected").content
    assert page.count(b'aria-current="page"') == 1
    assert b'href="?tab=rejected" aria-current="page"' in page


@pytest.mark.parametrize("query", ["", "?tab=", "?tab=nonsense", "?tab=pending"])
def test_an_unknown_tab_is_what_waits(client: Client, bob: User, ask: Ask, query: str) -> None:
    meeting = ask()
    client.force_login(bob)
    assert shown(client, query) == [meeting]


def test_who_asked_finds_it_under_sent_and_not_under_waiting(
    client: Client, alice: User, ask: Ask
) -> None:
    meeting = ask()
    client.force_login(alice)
    assert shown(client) == []
    assert shown(client, "?tab=sent") == [meeting]


def test_a_stranger_finds_nothing(
    client: Client, charlie: User, one_of_each: dict[Tab, list[MeetingRequest]]
) -> None:
    client.force_login(charlie)
    page = client.get("/meetings")
    assert [count for _each, count in page.context["tabs"]] == [0] * 7
    assert {tab: shown(client, f"?tab={tab.value}") for tab in Tab} == {tab: [] for tab in Tab}


def test_an_empty_tab_says_what_will_stand_there(client: Client, charlie: User) -> None:
    client.force_login(charlie)
    for tab in Tab:
        page = client.get(f"/meetings?tab={tab.value}")
        shown_tab = page.context["tab"]
        assert f"{shown_tab.empty} {shown_tab.hint} Request a meeting" in words(page)


def test_a_time_stands_in_the_persons_zone_and_format(
    client: Client, alice: User, bob: User, ask: Ask
) -> None:
    bob.timezone, bob.date_format, bob.time_format = "Asia/Kathmandu", "dd.MM.yyyy", "HH:mm"
    bob.save()
    ask()
    client.force_login(bob)
    said = words(client.get("/meetings"))
    assert f"Wednesday, 4 March 15:45 – 16:45 A {alice.name} requests a meeting with you" in said
    assert said.endswith("Times are in Asia/Kathmandu. Export as CSV")


def test_a_meeting_over_midnight_names_both_days(client: Client, bob: User, ask: Ask) -> None:
    ask(start=START.replace(hour=23, minute=30))
    client.force_login(bob)
    said = words(client.get("/meetings"))
    assert "Wednesday, 4 March 11:30 PM – Thursday, 5 March 2026, 12:30 AM" in said


def test_a_request_that_collides_says_so_before_it_is_confirmed(
    client: Client, bob: User, ask: Ask
) -> None:
    taken, collides, touches = ask(), ask(start=START + HOUR / 2), ask(start=START + HOUR)
    services.confirm(meeting=taken, actor=bob, now=NOW)
    client.force_login(bob)
    page = client.get("/meetings")
    met = {
        card.meeting: [(row.start_at, row.end_at) for row in card.collisions]
        for card in cards(page)
    }
    assert met == {collides: [(START, START + HOUR)], touches: []}
    said = words(page)
    assert said.count("You already have something at that time.") == 1
    assert "Wednesday, 4 March 2026, 10:00 AM – 11:00 AM UTC It can be confirmed once" in said


def test_what_only_the_other_has_is_not_told(
    client: Client, team: Team, alice: User, bob: User, charlie: User, ask: Ask
) -> None:
    team.memberships.create(user=charlie)
    services.confirm(
        meeting=ask(requester=charlie, recipient=alice), actor=alice, now=NOW
    )  # Alice is taken, Bob is free
    ask()
    client.force_login(bob)
    assert "already have something" not in words(client.get("/meetings"))


def test_the_actions_are_those_that_are_possible(
    client: Client, bob: User, one_of_each: dict[Tab, list[MeetingRequest]]
) -> None:
    client.force_login(bob)
    possible = {}
    for tab, (meeting,) in one_of_each.items():
        page = client.get(f"/meetings?tab={tab.value}").content.decode()
        actions = ("/confirm", "/reject", "?cancel=#cancel")
        possible[tab] = [a for a in actions if f'"/meetings/{meeting.pk}{a}"' in page]
    assert possible == {
        Tab.PENDING: ["/confirm", "/reject"],
        Tab.SENT: ["?cancel=#cancel"],
        Tab.CONFIRMED: ["?cancel=#cancel"],
        Tab.COMPLETED: [],
        Tab.REJECTED: [],
        Tab.CANCELLED: [],
        Tab.EXPIRED: [],
    }


def test_what_comes_first_stands_first_and_what_is_over_last_first(
    client: Client, bob: User, ask: Ask
) -> None:
    later, sooner = ask(start=START + DAY), ask()
    client.force_login(bob)
    assert shown(client) == [sooner, later]
    for meeting in (later, sooner):
        services.reject(meeting=meeting, actor=bob, now=NOW)
    assert shown(client, "?tab=rejected") == [later, sooner]


def test_twenty_stand_on_a_page(client: Client, bob: User, ask: Ask) -> None:
    asked = [ask(start=START + n * HOUR) for n in range(21)]
    client.force_login(bob)
    assert shown(client) == asked[:20]
    assert shown(client, "?tab=pending-meeting&page=2") == asked[20:]
    page = client.get("/meetings")
    assert "Page 1 of 2" in words(page)
    assert b'href="?tab=pending-meeting&amp;page=2"' in page.content


@pytest.mark.parametrize(("page", "there"), [("99", 1), ("0", 1), ("-1", 1), ("x", 20)])
def test_a_page_that_is_not_there_is_the_nearest(
    client: Client, bob: User, ask: Ask, page: str, there: int
) -> None:
    for n in range(21):
        ask(start=START + n * HOUR)
    client.force_login(bob)
    assert len(shown(client, f"?page={page}")) == there


@pytest.mark.parametrize("count", [1, 3])
@pytest.mark.parametrize("tab", ["pending-meeting", "sent"])
def test_queries_do_not_grow_with_the_rows(
    client: Client,
    bob: User,
    alice: User,
    ask: Ask,
    django_assert_num_queries: DjangoAssertNumQueries,
    count: int,
    tab: str,
) -> None:
    for n in range(count):
        ask(start=START + n * HOUR)
        ask(requester=bob, recipient=alice, start=START + (9 + n) * HOUR)
    client.force_login(bob)
    # Session, person, teams to filter by, counts, meetings; and what collides with those that
    # wait for an answer.
    with django_assert_num_queries(6 if tab == "pending-meeting" else 5):
        assert len(shown(client, f"?tab={tab}")) == count


@pytest.mark.parametrize("method", ["get", "head"])
def test_looking_changes_nothing(client: Client, bob: User, ask: Ask, method: str) -> None:
    ask()
    client.force_login(bob)
    before = everything()
    for tab in Tab:
        assert getattr(client, method)(f"/meetings?tab={tab.value}").status_code == 200
    assert everything() == before


def test_time_moves_meetings_without_the_sweep(client: Client, bob: User, ask: Ask) -> None:
    meeting = ask()
    services.confirm(meeting=meeting, actor=bob, now=NOW)
    client.force_login(bob)
    with time_machine.travel(START + HOUR / 2, tick=False):
        assert shown(client, "?tab=confirmed") == [meeting]
    with time_machine.travel(START + HOUR, tick=False):
        assert shown(client, "?tab=confirmed") == []
        assert shown(client, "?tab=completed") == [meeting]


# --- search, filters and the file ---------------------------------------------------------------


@pytest.mark.parametrize(
    ("query", "count"),
    [
        ("q=ames", 1),
        ("q=ALICE+ames", 1),
        ("q=bob", 0),  # that is the reader
        ("q=alice@example.com", 0),  # an address that the page does not show
        ("from=2026-03-05", 0),
        ("from=2026-03-04&to=2026-03-04", 1),
    ],
)
def test_a_list_is_searched_by_the_other_person_and_the_date(
    client: Client, bob: User, ask: Ask, query: str, count: int
) -> None:
    ask()
    client.force_login(bob)
    assert len(shown(client, f"?{query}")) == count


def test_a_list_is_searched_by_number_and_team(client: Client, bob: User, ask: Ask) -> None:
    first, second = ask(), ask(start=START + DAY)
    client.force_login(bob)
    assert shown(client, f"?q={second.booking_number.lower()}") == [second]
    assert shown(client, f"?team={first.team_id}") == [first, second]
    page = client.get("/meetings?team=999999")
    assert list(page.context["form"].errors) == ["team"]


def test_the_file_has_the_rows_of_the_list(client: Client, bob: User, ask: Ask) -> None:
    meeting = ask(link="https://meet.example/1")
    services.confirm(meeting=meeting, actor=bob, now=NOW)
    client.force_login(bob)
    text = content(client.get("/meetings/export.csv?tab=confirmed&q=alice")).decode()
    assert text == (
        "\ufeffNumber,Status,Team,Name,Start,End,Link to join,Requested\r\n"
        f"{meeting.booking_number},Confirmed,{meeting.team.name},Alice Ames,"
        "2026-03-04 10:00+00:00,2026-03-04 11:00+00:00,https://meet.example/1,"
        "2026-03-02 09:00+00:00\r\n"
    )
    refused = client.get("/meetings/export.csv?from=x")
    assert refused.headers["Location"] == "/meetings?from=x"
