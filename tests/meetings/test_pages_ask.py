"""Form that requests a meeting."""

import re
from datetime import UTC, datetime, timedelta
from http import HTTPStatus
from typing import Any

import pytest
from django.test import Client
from pytest_django import DjangoAssertNumQueries

from accounts.models import Team, User
from meetings.models import MeetingRequest
from scheduling.domain.services import set_hours
from tests import factories
from tests.pages import NOW, START, Answer, everything, words

pytestmark = [pytest.mark.django_db, pytest.mark.usefixtures("at_now", "team")]


@pytest.fixture
def signed_in(client: Client, alice: User) -> Client:
    client.force_login(alice)
    return client


def typed(team: Team, person: User, **other: str) -> dict[str, str]:
    fields = {"mate": f"{team.pk}:{person.pk}", "date": "2026-03-04", "time": "10:00", "link": ""}
    return fields | other


def errors(page: Answer) -> dict[str, list[str]]:
    """Return the errors shown on the page, by the field that refers to them."""
    html = page.content.decode()
    found = {}
    for field in re.findall(r'aria-describedby="[^"]*\bid_(\w+)_error', html):
        shown = re.search(rf'<ul class="errorlist" id="id_{field}_error">(.*?)</ul>', html)
        assert shown, field
        found[field] = re.findall(r"<li>(.*?)</li>", shown[1])
    assert html.count('class="errorlist') == len(found)
    return found


def test_signed_out_one_signs_in_first(client: Client) -> None:
    assert client.get("/meetings/new").headers["Location"] == "/accounts/login/?next=/meetings/new"


def test_one_may_ask_ones_active_team_mates_only(
    signed_in: Client, team: Team, alice: User, bob: User, charlie: User
) -> None:
    bob.timezone = "Asia/Kathmandu"
    bob.save()
    team.memberships.create(user=factories.user("gone", is_active=False))
    club = factories.team("Chess club", alice, bob, factories.user("dora", first_name="Dora"))
    factories.team("Alone", alice)
    factories.team("Strangers", charlie, bob)
    dora = club.members.get(username="dora")

    page = signed_in.get("/meetings/new")
    assert page.context["form"].fields["mate"].choices == [
        ("", "Choose a person"),
        (
            "Chess club",
            [
                (f"{club.pk}:{bob.pk}", "Bob Byrd (Asia/Kathmandu)"),
                (f"{club.pk}:{dora.pk}", "Dora (UTC)"),
            ],
        ),
        ("Founders", [(f"{team.pk}:{bob.pk}", "Bob Byrd (Asia/Kathmandu)")]),
    ]


def test_without_team_mates_there_is_nobody_to_ask(client: Client, charlie: User) -> None:
    client.force_login(charlie)
    page = client.get("/meetings/new")
    assert "No teammates yet" in words(page)
    assert b"<select" not in page.content


def test_asking(signed_in: Client, team: Team, alice: User, bob: User) -> None:
    fields = typed(team, bob, link="https://zoom.us/j/1234567890")
    answer = signed_in.post("/meetings/new", fields)
    meeting = MeetingRequest.objects.get()
    assert answer.headers["Location"] == f"/meetings/{meeting.pk}"
    assert (meeting.requester, meeting.recipient, meeting.team) == (alice, bob, team)
    assert (meeting.start, meeting.link) == (START, "https://zoom.us/j/1234567890")
    said = words(signed_in.get(f"/meetings/{meeting.pk}"))
    assert said.startswith("Request sent to Bob Byrd.")


def test_the_time_is_read_on_the_recipients_clock(
    signed_in: Client, team: Team, alice: User, bob: User
) -> None:
    alice.timezone, bob.timezone = "America/New_York", "Asia/Kathmandu"
    alice.save()
    bob.save()
    signed_in.post("/meetings/new", typed(team, bob, time="10:00"))
    assert MeetingRequest.objects.get().start == datetime(2026, 3, 4, 4, 15, tzinfo=UTC)


@pytest.mark.parametrize(
    ("wrong", "complaints"),
    [
        ({"mate": ""}, {"mate": ["This field is required."]}),
        ({"date": ""}, {"date": ["This field is required."]}),
        ({"time": ""}, {"time": ["This field is required."]}),
        ({"date": "soon"}, {"date": ["Enter a valid date."]}),
        ({"time": "25:00"}, {"time": ["Enter a valid time."]}),
        ({"date": "2026-03-02", "time": "08:59"}, {"date": ["The date is in the past."]}),
        ({"date": "2026-03-02", "time": "09:00"}, {"date": ["The date is in the past."]}),
        ({"date": "0001-01-01"}, {"date": ["The date is in the past."]}),
        ({"link": "zoom.us/j/1"}, {"link": ["The link must be an http or https URL."]}),
        ({"link": "javascript:alert(1)"}, {"link": ["The link must be an http or https URL."]}),
        ({"link": "https://a.example/\0"}, {"link": ["Null characters are not allowed."]}),
    ],
)
def test_what_is_wrong_stands_beside_its_field_and_what_was_typed_stays(
    signed_in: Client,
    team: Team,
    bob: User,
    wrong: dict[str, str],
    complaints: dict[str, list[str]],
) -> None:
    fields = typed(team, bob, link="https://zoom.us/j/1234567890") | wrong
    before = everything()
    page = signed_in.post("/meetings/new", fields)
    assert errors(page) == complaints
    assert everything() == before
    form = page.context["form"]
    assert {name: form[name].value() for name in fields} == fields


def test_a_far_future_is_no_crash(signed_in: Client, team: Team, bob: User) -> None:
    page = signed_in.post("/meetings/new", typed(team, bob, date="9999-12-31", time="23:59"))
    assert list(errors(page)) == ["date"]


@pytest.mark.parametrize("mate", ["0:0", "x", "1", ":", "1:2:3"])
def test_a_made_up_team_mate_is_refused(
    signed_in: Client, team: Team, bob: User, mate: str
) -> None:
    page = signed_in.post("/meetings/new", typed(team, bob) | {"mate": mate})
    assert list(errors(page)) == ["mate"]
    assert not MeetingRequest.objects.exists()


def test_neither_oneself_nor_a_stranger_can_be_asked(
    signed_in: Client, team: Team, alice: User, bob: User, charlie: User
) -> None:
    others = factories.team("Others", charlie, bob)
    for mate in (f"{team.pk}:{alice.pk}", f"{team.pk}:{charlie.pk}", f"{others.pk}:{bob.pk}"):
        page = signed_in.post("/meetings/new", typed(team, bob) | {"mate": mate})
        assert list(errors(page)) == ["mate"]
    assert not MeetingRequest.objects.exists()


def test_a_team_mate_can_be_chosen_beforehand(signed_in: Client, team: Team, bob: User) -> None:
    mate = f"{team.pk}:{bob.pk}"
    chosen = f'<option value="{mate}" selected>'
    assert chosen in signed_in.get(f"/meetings/new?mate={mate}").content.decode()
    assert " selected" not in signed_in.get("/meetings/new?mate=0:0").content.decode()


# --- the picker, and the time that is chosen ------------------------------------------------------


def page_with(client: Client, team: Team, person: User, **query: Any) -> Any:
    return client.get("/meetings/new", {"mate": f"{team.pk}:{person.pk}", **query})


def test_the_open_hours_of_both_are_picked_from(
    signed_in: Client, team: Team, alice: User, bob: User
) -> None:
    bob.timezone = "Asia/Kathmandu"
    bob.save()
    set_hours(user=bob, timezone="Asia/Kathmandu", days={})
    factories.booking(factories.event_type(alice), start=START, now=NOW)
    page = page_with(signed_in, team, bob, day="2026-03-04")
    choices = page.context["asking"].picker.choices
    # He works until 17:00, which is 11:15 for her; her own hours go on.
    assert [(each.time, each.theirs, each.remark) for each in choices[-3:]] == [
        ("3:00 PM", "8:45 PM", "outside the hours of Bob"),
        ("3:30 PM", "9:15 PM", "outside the hours of Bob"),
        ("4:00 PM", "9:45 PM", "outside the hours of Bob"),
    ]
    assert [(each.time, each.theirs) for each in choices if not each.remark][:2] == [
        ("3:15 AM", "9:00 AM"),
        ("3:45 AM", "9:30 AM"),
    ]
    assert START not in {datetime.fromtimestamp(each.second, UTC) for each in choices}
    said = words(page)
    assert "Times when you are both free, within the hours of Bob." in said
    assert "Below each is the time of Bob, in Kathmandu." in said
    assert "Dashed: outside the hours of Bob." in said
    # On a Saturday he has none, so nothing is open.
    assert 'value="2026-03-07"' not in page.content.decode()


def test_nothing_is_told_of_what_closes_a_time(
    signed_in: Client, team: Team, alice: User, bob: User
) -> None:
    factories.entry(factories.read_calendar(bob), start=START, end=START + timedelta(hours=1))
    picked = page_with(signed_in, team, bob, day="2026-03-04")
    assert f'value="{int(START.timestamp())}"' not in picked.content.decode()
    chosen = page_with(signed_in, team, bob, start=int(START.timestamp()))
    assert "One of you is not free then. You can request it anyway." in words(chosen)
    for page in (picked, chosen):
        assert "Dentist" not in page.content.decode()
        assert "calendar has something" not in words(page)


@pytest.mark.parametrize(
    "query",
    [
        {"start": int(START.timestamp())},
        {"date": "2026-03-04", "time": "15:45"},  # typed, on his clock
    ],
)
def test_a_time_that_is_chosen_is_told_on_both_clocks_and_sent(
    signed_in: Client, team: Team, alice: User, bob: User, query: dict[str, object]
) -> None:
    bob.timezone = "Asia/Kathmandu"
    bob.save()
    before = everything()
    page = page_with(signed_in, team, bob, **query)
    assert everything() == before
    said = words(page)
    assert (
        "A meeting with Bob Byrd Wednesday, 4 March 10:00 AM – 11:00 AM UTC"
        " For Bob: 3:45 PM – 4:45 PM Kathmandu Change the time"
    ) in said
    assert "You can request it anyway." not in said
    form = page.content.decode().partition('id="chosen"')[2]
    fields = dict(re.findall(r'type="hidden" name="(\w+)" value="([^"]*)"', form))
    assert signed_in.post("/meetings/new", fields).status_code == 302
    assert MeetingRequest.objects.get().start == START


def test_a_time_outside_their_hours_is_told_before_the_request_is_sent(
    signed_in: Client, team: Team, bob: User
) -> None:
    page = page_with(signed_in, team, bob, date="2026-03-04", time="22:00")
    assert "This is outside the hours of Bob. You can request it anyway." in words(page)


@pytest.mark.parametrize(
    ("query", "complaints"),
    [
        ({"date": "2026-03-04", "time": ""}, {"time": ["This field is required."]}),
        ({"date": "2026-03-01", "time": "10:00"}, {"date": ["The date is in the past."]}),
        ({"date": "soon", "time": "10:00"}, {"date": ["Enter a valid date."]}),
    ],
)
def test_a_typed_time_that_is_wrong_stands_beside_its_field_and_the_month_stays(
    signed_in: Client,
    team: Team,
    bob: User,
    query: dict[str, str],
    complaints: dict[str, list[str]],
) -> None:
    page = page_with(signed_in, team, bob, **query)
    assert errors(page) == complaints
    assert page.context["asking"].picker.choices


@pytest.mark.parametrize("start", ["x", "-1", str(2**63), "0", "1"])
def test_a_start_that_is_none_or_past_leaves_the_month(
    signed_in: Client, team: Team, bob: User, start: str
) -> None:
    page = page_with(signed_in, team, bob, start=start)
    assert page.status_code == 200
    assert page.context["asking"].picker.choices


def test_a_strangers_hours_are_not_shown(
    signed_in: Client, team: Team, bob: User, charlie: User
) -> None:
    others = factories.team("Others", charlie, bob)
    for mate in (f"{team.pk}:{charlie.pk}", f"{others.pk}:{charlie.pk}", f"{others.pk}:{bob.pk}"):
        page = signed_in.get("/meetings/new", {"mate": mate})
        assert page.context["asking"] is None
    bob.is_active = False
    bob.save()
    assert page_with(signed_in, team, bob).context["asking"] is None


@pytest.mark.parametrize("taken", [0, 3])
def test_the_picker_takes_few_queries_whatever_is_taken(
    signed_in: Client,
    team: Team,
    bob: User,
    django_assert_num_queries: DjangoAssertNumQueries,
    taken: int,
) -> None:
    offered = factories.event_type(bob)
    for number in range(taken):
        factories.booking(offered, start=START + timedelta(hours=number), now=NOW)
    # Session, person, team mates; hours of both, dates with other hours, what is taken.
    with django_assert_num_queries(6):
        page_with(signed_in, team, bob)


def test_looking_changes_nothing(signed_in: Client) -> None:
    before = everything()
    assert signed_in.get("/meetings/new").status_code == 200
    assert signed_in.head("/meetings/new").status_code == 200
    assert everything() == before


def test_thirty_in_ten_minutes_are_enough(
    signed_in: Client, team: Team, alice: User, bob: User
) -> None:
    for _ in range(30):
        assert signed_in.post("/meetings/new", {}).status_code == 200
    page = signed_in.post("/meetings/new", typed(team, bob))
    assert page.status_code == HTTPStatus.TOO_MANY_REQUESTS
    assert "Too many requests" in words(page)
    assert not MeetingRequest.objects.exists()
    assert signed_in.get("/meetings/new").status_code == 200

    another = Client()
    another.force_login(bob)
    assert another.post("/meetings/new", typed(team, alice)).status_code == 302


def test_the_date_begins_where_it_is_still_the_day_before(
    signed_in: Client, team: Team, bob: User
) -> None:
    assert NOW.hour < 12
    page = signed_in.get(f"/meetings/new?mate={team.pk}:{bob.pk}")
    assert 'min="2026-03-01"' in page.content.decode()
