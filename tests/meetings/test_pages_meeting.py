"""Page of one meeting: its contents, and the actions of the two people in it."""

from datetime import timedelta

import pytest
import time_machine
from django.test import Client
from pytest_django import DjangoAssertNumQueries

from accounts.models import User
from meetings.domain import services
from meetings.models import MeetingRequest
from tests import factories
from tests.pages import NOW, START, Ask, everything, words

pytestmark = [pytest.mark.django_db, pytest.mark.usefixtures("at_now")]

HOUR = timedelta(hours=1)
ACTIONS = ("confirm", "reject", "cancel")


@pytest.fixture
def meeting(ask: Ask) -> MeetingRequest:
    return ask(link="https://zoom.us/j/1234567890")


def history(meeting: MeetingRequest) -> list[tuple[str, str]]:
    return list(meeting.history.values_list("to_status", "reason"))


def post(client: Client, meeting: MeetingRequest, action: str, **fields: str) -> str:
    """Send this action and return the URL of the redirect. That page shows the message."""
    answer = client.post(f"/meetings/{meeting.pk}/{action}", fields)
    assert answer.status_code == 302
    return answer.headers["Location"]


def test_the_row_of_a_list_leads_to_the_open_form(client: Client, alice: User, ask: Ask) -> None:
    client.force_login(alice)
    path = f"/meetings/{ask().pk}"
    assert b'<details class="reveal" id="cancel" open>' in client.get(f"{path}?cancel=").content
    assert b'id="cancel" open' not in client.get(path).content


def test_everything_is_there(client: Client, bob: User, meeting: MeetingRequest) -> None:
    bob.timezone = "America/New_York"
    bob.save()
    client.force_login(bob)
    said = words(client.get(f"/meetings/{meeting.pk}"))
    assert said == (
        "Needs your answer Mar 4 Wed Alice Ames requests a meeting with you Needs your answer"
        " When Wednesday, 4 March 2026, 5:00 AM – 6:00 AM America/New_York"
        " For Alice: Wednesday, 4 March 2026, 10:00 AM – 11:00 AM UTC"
        " Where https://zoom.us/j/1234567890"
        " Team Founders"
        f" Number {meeting.booking_number}"
        f" Confirm {meeting.booking_number} Decline {meeting.booking_number}"
        " Notes for Alice (optional) Decline the request"
        " History Alice Ames requested this meeting. Mon 03/02/2026, 4:00 AM"
        " Times are in America/New_York."
    )


def test_what_the_own_calendar_has_is_shown_and_may_be_overruled(
    client: Client, bob: User, meeting: MeetingRequest
) -> None:
    factories.entry(factories.read_calendar(bob), start=START, end=START + HOUR)
    client.force_login(bob)
    shown = (
        "Your own calendar has something at that time."
        " Dentist (Own), Wednesday, 4 March 2026, 10:00 AM – 11:00 AM UTC"
        f" Confirm anyway {meeting.booking_number}"
    )
    for page in ("/", "/meetings", f"/meetings/{meeting.pk}"):
        assert shown in words(client.get(page))
    # One who was not shown it is asked first.
    post(client, meeting, "confirm")
    assert "so it is not confirmed. You can confirm it anyway." in words(client.get("/"))
    assert history(meeting) == [("pending", "")]
    post(client, meeting, "confirm", over_calendar="yes")
    assert history(meeting)[1:] == [("confirmed", "")]


def test_what_is_booked_is_not_overruled(
    client: Client, bob: User, meeting: MeetingRequest
) -> None:
    factories.booking(factories.event_type(bob), start=START, now=NOW)
    factories.entry(factories.read_calendar(bob), start=START, end=START + HOUR)
    client.force_login(bob)
    said = words(client.get(f"/meetings/{meeting.pk}"))
    assert "You already have something at that time." in said
    assert "Dentist (Own)" in said
    assert "anyway" not in said
    post(client, meeting, "confirm", over_calendar="yes")
    assert history(meeting) == [("pending", "")]


def test_what_came_into_the_own_calendar_later_is_shown_to_its_owner(
    client: Client, alice: User, bob: User, meeting: MeetingRequest
) -> None:
    services.confirm(meeting=meeting, actor=bob, now=NOW)
    factories.entry(factories.read_calendar(bob), start=START, end=START + HOUR)
    said = (
        "Your own calendar has something at that time."
        " Dentist (Own), Wednesday, 4 March 2026, 10:00 AM – 11:00 AM UTC"
    )
    for person, is_shown in ((bob, True), (alice, False)):
        client.force_login(person)
        page = words(client.get(f"/meetings/{meeting.pk}"))
        assert (said in page, "You already have" in page) == (is_shown, False)


def test_the_requester_learns_nothing_of_the_recipients_calendar(
    client: Client, alice: User, bob: User, meeting: MeetingRequest
) -> None:
    factories.entry(factories.read_calendar(bob), start=START, end=START + HOUR)
    client.force_login(alice)
    for page in ("/", f"/meetings/{meeting.pk}"):
        assert "Dentist" not in words(client.get(page))


def test_both_people_join_a_confirmed_meeting_until_it_is_over(
    client: Client, alice: User, bob: User, meeting: MeetingRequest
) -> None:
    join = 'href="https://zoom.us/j/1234567890" rel="noopener noreferrer">Join'

    def shown(person: User, tab: str) -> list[bool]:
        client.force_login(person)
        pages = (f"/meetings/{meeting.pk}", f"/meetings?tab={tab}", "/")
        return [join in client.get(page).content.decode() for page in pages]

    assert shown(bob, "pending-meeting") == [False, False, False]
    services.confirm(meeting=meeting, actor=bob, now=NOW)
    for person in (alice, bob):
        assert shown(person, "confirmed") == [True, True, True]
    with time_machine.travel(meeting.end, tick=False):
        assert shown(bob, "completed") == [False, False, False]


def test_each_sees_the_history_with_their_own_eyes(
    client: Client, alice: User, bob: User, meeting: MeetingRequest
) -> None:
    services.confirm(meeting=meeting, actor=bob, now=NOW + HOUR)
    services.cancel(meeting=meeting, actor=bob, now=NOW + 2 * HOUR, reason="The train\nis late.")
    seen = {}
    for person in (alice, bob):
        client.force_login(person)
        steps = client.get(f"/meetings/{meeting.pk}").context["steps"]
        seen[person] = [(step.sentence, step.at, step.reason) for step in steps]
    assert seen == {
        alice: [
            ("You requested this meeting.", NOW, ""),
            ("Bob Byrd confirmed it.", NOW + HOUR, ""),
            ("Bob Byrd cancelled it.", NOW + 2 * HOUR, "The train\nis late."),
        ],
        bob: [
            ("Alice Ames requested this meeting.", NOW, ""),
            ("You confirmed it.", NOW + HOUR, ""),
            ("You cancelled it.", NOW + 2 * HOUR, "The train\nis late."),
        ],
    }


def test_what_time_and_staff_did_is_told_without_names(
    client: Client, alice: User, charlie: User, ask: Ask
) -> None:
    cancelled, expired = ask(), ask(start=START + HOUR)
    services.cancel_as_staff(meeting=cancelled, actor=charlie, now=NOW)
    services.record_overdue(meeting=expired, now=START + HOUR)
    client.force_login(alice)
    last = [
        client.get(f"/meetings/{meeting.pk}").context["steps"][-1].sentence
        for meeting in (cancelled, expired)
    ]
    assert last == [
        "The organisers cancelled it.",
        "It expired without an answer.",
    ]


@pytest.mark.parametrize("count", [1, 3])
def test_queries_do_not_grow_with_the_history(
    client: Client,
    bob: User,
    meeting: MeetingRequest,
    django_assert_num_queries: DjangoAssertNumQueries,
    count: int,
) -> None:
    if count == 3:
        services.confirm(meeting=meeting, actor=bob, now=NOW)
        services.cancel(meeting=meeting, actor=bob, now=NOW)
    client.force_login(bob)
    # Session, person, meeting, history; and what collides while it is to be answered.
    with django_assert_num_queries(5 if count == 1 else 4):
        page = client.get(f"/meetings/{meeting.pk}")
    assert len(page.context["steps"]) == count


def test_a_stranger_sees_nothing_and_moves_nothing(
    client: Client, charlie: User, meeting: MeetingRequest
) -> None:
    client.force_login(charlie)
    before = everything()
    page = client.get(f"/meetings/{meeting.pk}")
    assert page.status_code == 404
    assert "Page not found" in words(page)
    for action in ACTIONS:
        assert client.post(f"/meetings/{meeting.pk}/{action}").status_code == 404
    assert everything() == before


@pytest.mark.parametrize("number", ["0", "999999", "9" * 40])
def test_a_number_that_nobody_has_is_404(client: Client, bob: User, number: str) -> None:
    client.force_login(bob)
    assert client.get(f"/meetings/{number}").status_code == 404
    assert client.post(f"/meetings/{number}/confirm").status_code == 404


def test_signed_out_one_signs_in_first(client: Client, meeting: MeetingRequest) -> None:
    before = everything()
    page = f"/meetings/{meeting.pk}"
    assert client.get(page).headers["Location"] == f"/accounts/login/?next={page}"
    for action in ACTIONS:
        # To the page, since an action is no place to come back to.
        assert post(client, meeting, action) == f"/accounts/login/?next={page}"
    assert everything() == before


def test_looking_changes_nothing(client: Client, bob: User, meeting: MeetingRequest) -> None:
    client.force_login(bob)
    before = everything()
    for call in (client.get, client.head):
        assert call(f"/meetings/{meeting.pk}").status_code == 200
    for method in ("get", "head", "options", "put", "patch", "delete"):
        for action in ACTIONS:
            page = getattr(client, method)(f"/meetings/{meeting.pk}/{action}")
            assert page.status_code == 405
    assert everything() == before


def test_confirming(client: Client, bob: User, meeting: MeetingRequest) -> None:
    client.force_login(bob)
    assert post(client, meeting, "confirm") == f"/meetings/{meeting.pk}"
    said = words(client.get(f"/meetings/{meeting.pk}"))
    assert said.startswith("Confirmed. The time is blocked for you and Alice Ames.")
    assert history(meeting) == [("pending", ""), ("confirmed", "")]


def test_declining_with_a_reason(
    client: Client, alice: User, bob: User, meeting: MeetingRequest
) -> None:
    client.force_login(bob)
    post(client, meeting, "reject", reason="  On a plane.\r\nNext week?  ")
    assert "Declined. Alice Ames gets an email." in words(client.get("/meetings"))
    assert history(meeting) == [("pending", ""), ("rejected", "On a plane.\nNext week?")]
    client.force_login(alice)
    page = client.get(f"/meetings/{meeting.pk}")
    assert "Bob Byrd declined. Mon 03/02/2026, 9:00 AM On a plane. Next week?" in words(page)


def test_taking_back(client: Client, alice: User, meeting: MeetingRequest) -> None:
    client.force_login(alice)
    post(client, meeting, "cancel")
    assert "Cancelled. Bob Byrd gets an email." in words(client.get("/meetings"))
    assert history(meeting) == [("pending", ""), ("cancelled", "")]


def test_an_answer_leads_back_to_where_it_was_given(
    client: Client, bob: User, meeting: MeetingRequest
) -> None:
    client.force_login(bob)
    tab = "/meetings?tab=pending-meeting&page=2"
    assert post(client, meeting, "confirm", next=tab) == tab


@pytest.mark.parametrize(
    "elsewhere",
    ["https://evil.example/", "//evil.example/", "javascript:alert(1)", "/\\evil.example", ""],
)
def test_an_answer_never_leads_to_another_host(
    client: Client, bob: User, meeting: MeetingRequest, elsewhere: str
) -> None:
    client.force_login(bob)
    assert post(client, meeting, "confirm", next=elsewhere) == f"/meetings/{meeting.pk}"


@pytest.mark.parametrize("action", ["confirm", "reject"])
def test_who_asked_cannot_answer(
    client: Client, alice: User, meeting: MeetingRequest, action: str
) -> None:
    client.force_login(alice)
    before = everything()
    page = client.post(f"/meetings/{meeting.pk}/{action}")
    assert page.status_code == 403
    assert "You are not allowed to do this Only the recipient can do that." in words(page)
    assert everything() == before


def test_a_second_answer_is_told_how_things_stand(
    client: Client, bob: User, meeting: MeetingRequest
) -> None:
    services.reject(meeting=meeting, actor=bob, now=NOW)
    client.force_login(bob)
    before = everything()
    post(client, meeting, "confirm")
    assert everything() == before
    said = words(client.get(f"/meetings/{meeting.pk}"))
    assert said.startswith("Nothing was changed: the meeting is rejected.")


def test_the_same_answer_again_changes_nothing(
    client: Client, bob: User, meeting: MeetingRequest
) -> None:
    client.force_login(bob)
    post(client, meeting, "confirm")
    before = everything()
    post(client, meeting, "confirm")
    assert everything() == before


def test_too_late_is_told_too(client: Client, bob: User, meeting: MeetingRequest) -> None:
    with time_machine.travel(START, tick=False):
        client.force_login(bob)
        post(client, meeting, "confirm")
        said = words(client.get(f"/meetings/{meeting.pk}"))
    assert said.startswith("Nothing was changed: the meeting is expired.")
    assert history(meeting) == [("pending", "")]


def test_time_that_is_taken_meanwhile_is_told(client: Client, bob: User, ask: Ask) -> None:
    first, second = ask(), ask()
    client.force_login(bob)
    post(client, first, "confirm")
    client.get("/meetings")
    before = everything()
    post(client, second, "confirm")
    assert everything() == before
    said = words(client.get(f"/meetings/{second.pk}"))
    assert said.startswith("That time is no longer free for both of you, so it is not confirmed.")
    assert "You already have something at that time." in said


@pytest.mark.parametrize(
    ("reason", "complaint"),
    [
        ("x" * 501, "Ensure this value has at most 500 characters (it has 501)."),
        ("a\0b", "Null characters are not allowed."),
    ],
)
def test_a_reason_that_cannot_be_kept(
    client: Client, bob: User, meeting: MeetingRequest, reason: str, complaint: str
) -> None:
    client.force_login(bob)
    before = everything()
    post(client, meeting, "reject", reason=reason)
    assert everything() == before
    assert words(client.get("/meetings")).startswith(complaint)


def test_a_line_break_in_a_reason_counts_once(
    client: Client, bob: User, meeting: MeetingRequest
) -> None:
    client.force_login(bob)
    post(client, meeting, "reject", reason="ab\r\n" * 166 + "cd")
    assert history(meeting)[-1] == ("rejected", "ab\n" * 166 + "cd")


@pytest.mark.parametrize("action", ["reject", "cancel"])
def test_after_a_no_one_may_ask_again(
    client: Client, alice: User, bob: User, meeting: MeetingRequest, action: str
) -> None:
    again = f'href="/meetings/new?mate={meeting.team_id}:{bob.pk}"'.encode()
    client.force_login(alice)
    assert again not in client.get(f"/meetings/{meeting.pk}").content
    client.force_login(bob if action == "reject" else alice)
    post(client, meeting, action)
    client.force_login(alice)
    assert again in client.get(f"/meetings/{meeting.pk}").content


def test_every_action_wants_the_token_of_its_page(bob: User, meeting: MeetingRequest) -> None:
    client = Client(enforce_csrf_checks=True)
    client.force_login(bob)
    before = everything()
    for action in ACTIONS:
        page = client.post(f"/meetings/{meeting.pk}/{action}")
        assert page.status_code == 403
        assert "This page has expired" in words(page)
    assert everything() == before
