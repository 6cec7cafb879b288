"""Form that requests a meeting."""

import re
from datetime import UTC, datetime
from http import HTTPStatus

import pytest
from django.test import Client

from accounts.models import Team, User
from meetings.models import MeetingRequest
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
    options = re.findall(
        r'<option value="([\d:]+)" data-zone="(.*?)" data-zone-name', page.content.decode()
    )
    assert options == [
        (f"{club.pk}:{bob.pk}", "Asia/Kathmandu"),
        (f"{club.pk}:{dora.pk}", "UTC"),
        (f"{team.pk}:{bob.pk}", "Asia/Kathmandu"),
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
    chosen = f'<option value="{mate}" selected data-zone="UTC"'
    assert chosen in signed_in.get(f"/meetings/new?mate={mate}").content.decode()
    assert " selected" not in signed_in.get("/meetings/new?mate=0:0").content.decode()


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


def test_the_date_begins_where_it_is_still_the_day_before(signed_in: Client) -> None:
    assert NOW.hour < 12
    assert 'min="2026-03-01"' in signed_in.get("/meetings/new").content.decode()
