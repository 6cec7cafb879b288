"""Recipient's email link: GET shows, POST answers, and a used link shows the current state."""

from collections.abc import Callable
from datetime import timedelta
from http import HTTPStatus
from urllib.parse import urlsplit

import pytest
import time_machine
from django.core import signing
from django.test import Client
from pytest_django import DjangoAssertNumQueries

from accounts.models import User
from meetings.domain import services
from meetings.messages import links
from meetings.models import MeetingRequest
from tests import factories
from tests.pages import NOW, START, Ask, everything, main, words

pytestmark = [pytest.mark.django_db, pytest.mark.usefixtures("at_now")]

CONFIRM, REJECT = {"answer": "confirm"}, {"answer": "reject"}


@pytest.fixture
def meeting(ask: Ask) -> MeetingRequest:
    return ask(link="https://zoom.us/j/1234567890")


@pytest.fixture
def link(meeting: MeetingRequest) -> str:
    """Return the path of the link in the email."""
    return urlsplit(links.answer_url(meeting)).path


def history(meeting: MeetingRequest) -> list[tuple[str, str, str]]:
    return list(meeting.history.values_list("to_status", "actor__username", "reason"))


def test_it_shows_the_meeting_in_the_recipients_zone(
    client: Client, bob: User, meeting: MeetingRequest, link: str
) -> None:
    bob.timezone = "Asia/Kathmandu"
    bob.save()
    assert words(client.get(link)) == (
        "Mar 4 Wed Alice Ames requests a meeting with you Needs your answer"
        " When Wednesday, 4 March 2026, 3:45 PM – 4:45 PM Asia/Kathmandu"
        " For Alice: Wednesday, 4 March 2026, 10:00 AM – 11:00 AM UTC"
        " Where https://zoom.us/j/1234567890"
        " Team Founders"
        f" Number {meeting.booking_number}"
        " Confirm Decline Notes for Alice (optional) Decline the request"
        " This link is for Bob Byrd (bob@example.com). Nothing changes until you choose."
    )


def test_a_link_makes_its_answer_ready_to_be_sent(client: Client, link: str) -> None:
    confirm, decline = (
        main(client.get(f"{link}?answer={answer}")) for answer in ("confirm", "reject")
    )
    assert 'name="answer" value="confirm" autofocus>' in confirm
    assert 'name="answer" value="reject" autofocus>' in decline
    assert [page.count('class="reveal" open') for page in (confirm, decline)] == [0, 1]
    assert "autofocus" not in main(client.get(link))


def test_a_clash_is_shown_without_its_title_and_may_be_overruled(
    client: Client, bob: User, meeting: MeetingRequest, link: str
) -> None:
    end = START + timedelta(hours=1)
    factories.entry(factories.read_calendar(bob), start=START, end=end)
    for person in (None, bob):  # a mail may be passed on to somebody at the same browser
        if person:
            client.force_login(person)
        page = client.get(link)
        assert (
            "Your own calendar has something at that time."
            " Wednesday, 4 March 2026, 10:00 AM – 11:00 AM UTC Confirm anyway"
        ) in words(page)
        assert b"Dentist" not in page.content
    client.post(link, CONFIRM)
    assert history(meeting) == [("pending", "alice", "")]
    client.post(link, {"answer": "confirm-anyway"})
    assert history(meeting)[1:] == [("confirmed", "bob", "")]


def test_whatever_a_mail_scanner_does_changes_nothing(client: Client, link: str) -> None:
    before = everything()
    for method in (client.get, client.head, client.options):
        for address in (link, f"{link}?answer=confirm", f"{link}?answer=reject"):
            assert method(address).status_code == 200
    for method in (client.put, client.patch, client.delete):
        assert method(link, CONFIRM).status_code == 405
    assert everything() == before


def test_it_is_neither_stored_nor_passed_on_nor_indexed(client: Client, link: str) -> None:
    for page in (client.get(link), client.post(link, CONFIRM), client.get(f"{link}x")):
        wanted = {"Cache-Control", "Referrer-Policy", "X-Robots-Tag"}
        assert {name: page.headers[name] for name in wanted} == {
            "Cache-Control": "no-store",
            "Referrer-Policy": "no-referrer",
            "X-Robots-Tag": "noindex",
        }


def test_confirming(client: Client, meeting: MeetingRequest, link: str) -> None:
    assert client.post(link, CONFIRM).headers["Location"] == link
    assert history(meeting) == [("pending", "alice", ""), ("confirmed", "bob", "")]
    assert "Confirmed You confirmed this meeting." in words(client.get(link))


def test_declining_with_a_reason(client: Client, meeting: MeetingRequest, link: str) -> None:
    assert client.post(link, REJECT | {"reason": "Away."}).headers["Location"] == link
    assert history(meeting) == [("pending", "alice", ""), ("rejected", "bob", "Away.")]
    assert "Declined You declined this meeting." in words(client.get(link))


@pytest.mark.parametrize("fields", [{}, {"answer": ""}, {"answer": "cancel"}])
def test_anything_else_is_no_answer(client: Client, link: str, fields: dict[str, str]) -> None:
    before = everything()
    assert client.post(link, fields).headers["Location"] == link
    assert everything() == before


def cancelled(meeting: MeetingRequest) -> None:
    services.cancel(meeting=meeting, actor=meeting.requester, now=NOW)


def confirmed(meeting: MeetingRequest) -> None:
    services.confirm(meeting=meeting, actor=meeting.recipient, now=NOW)


def called_off(meeting: MeetingRequest) -> None:
    confirmed(meeting)
    cancelled(meeting)


def rejected(meeting: MeetingRequest) -> None:
    services.reject(meeting=meeting, actor=meeting.recipient, now=NOW)


def superseded(meeting: MeetingRequest) -> None:
    MeetingRequest.objects.filter(pk=meeting.pk).update(sequence=1)


@pytest.mark.parametrize(
    ("happened", "outcome", "answer"),
    [
        (confirmed, "You confirmed this meeting.", REJECT),
        (rejected, "You declined this meeting.", CONFIRM),
        (cancelled, "This meeting was cancelled.", CONFIRM),
        (called_off, "This meeting was cancelled.", CONFIRM),
        (superseded, "This link has expired and can no longer be used to answer.", CONFIRM),
    ],
)
def test_a_used_or_stale_link_shows_how_things_stand(
    client: Client,
    meeting: MeetingRequest,
    link: str,
    happened: Callable[[MeetingRequest], None],
    outcome: str,
    answer: dict[str, str],
) -> None:
    happened(meeting)
    before = everything()
    page = client.get(link)
    assert page.status_code == 200
    assert outcome in words(page)
    assert b'name="answer"' not in page.content
    assert client.post(link, answer).headers["Location"] == link
    assert words(client.get(link)).startswith("Nothing was changed: the meeting is ")
    assert everything() == before


@pytest.mark.parametrize(
    ("answered", "later", "outcome"),
    [
        (False, timedelta(0), "This request expired without an answer."),
        (True, timedelta(hours=1), "This meeting has taken place."),
    ],
)
def test_a_link_of_a_time_that_has_come(
    client: Client,
    meeting: MeetingRequest,
    link: str,
    answered: bool,
    later: timedelta,
    outcome: str,
) -> None:
    if answered:
        confirmed(meeting)
    before = everything()
    with time_machine.travel(START + later, tick=False):
        assert outcome in words(client.get(link))
        client.post(link, CONFIRM)
    assert everything() == before


def test_the_same_answer_again_is_fine(client: Client, link: str) -> None:
    client.post(link, CONFIRM)
    before = everything()
    client.post(link, CONFIRM)
    assert words(client.get(link)).startswith("Mar 4 Wed Meeting with Alice Ames")
    assert everything() == before


def test_a_broken_link_is_not_found_in_friendly_words(
    client: Client, meeting: MeetingRequest, link: str
) -> None:
    value = [meeting.pk, meeting.recipient_id, meeting.sequence]
    forged = signing.dumps(value, salt="another")
    to_another = signing.dumps([meeting.pk, meeting.requester_id, 0], salt="meetings.answer")
    before = everything()
    for token in ("x", "a:b:c", f"{link[17:]}x", link[17:-1], forged, to_another, "%00", "é"):
        for answer in (
            client.get(f"/meetings/answer/{token}"),
            client.post(f"/meetings/answer/{token}", CONFIRM),
        ):
            assert answer.status_code == 404, token
            assert "This link does not work" in words(answer)
    assert everything() == before


def test_what_collides_is_said_before_it_is_confirmed(
    client: Client, bob: User, ask: Ask, link: str
) -> None:
    services.confirm(meeting=ask(), actor=bob, now=NOW)
    before = everything()
    said = words(client.get(link))
    assert (
        "You already have something at that time. Wednesday, 4 March 2026, 10:00 AM – 11:00 AM"
        in said
    )
    client.post(link, CONFIRM)
    assert everything() == before
    said = words(client.get(link))
    assert said.startswith("That time is no longer free for both of you, so it is not confirmed.")


def test_a_reason_that_is_too_long_is_told(client: Client, link: str) -> None:
    before = everything()
    client.post(link, REJECT | {"reason": "x" * 501})
    assert everything() == before
    assert words(client.get(link)).startswith("Ensure this value has at most 500 characters")


def test_a_post_wants_the_token_of_the_page(meeting: MeetingRequest, link: str) -> None:
    client = Client(enforce_csrf_checks=True)
    before = everything()
    assert client.post(link, CONFIRM).status_code == 403
    client.get(link)
    token = {"csrfmiddlewaretoken": client.cookies["csrftoken"].value}
    # What a browser would send if the policy of the page were `no-referrer`.
    assert client.post(link, CONFIRM | token, headers={"Origin": "null"}).status_code == 403
    assert everything() == before
    # What it does send, since the page says `same-origin`: see the stories in a browser.
    ours = {"Origin": "http://testserver"}
    assert client.post(link, CONFIRM | token, headers=ours).status_code == 302
    assert history(meeting)[-1] == ("confirmed", "bob", "")


def test_over_https_the_origin_is_enough_without_a_referrer(
    meeting: MeetingRequest, link: str
) -> None:
    client = Client(enforce_csrf_checks=True)
    client.get(link, secure=True)
    token = {"csrfmiddlewaretoken": client.cookies["csrftoken"].value}
    assert client.post(link, CONFIRM | token, secure=True).status_code == 403
    ours = {"Origin": "https://testserver"}
    assert client.post(link, CONFIRM | token, secure=True, headers=ours).status_code == 302
    assert history(meeting)[-1] == ("confirmed", "bob", "")


def test_who_is_signed_in_does_not_matter(
    client: Client, alice: User, meeting: MeetingRequest, link: str
) -> None:
    client.force_login(alice)
    page = client.get(link)
    assert "This link is for Bob Byrd" in words(page)
    assert b"Sign out" not in page.content
    client.post(link, CONFIRM)
    assert history(meeting)[-1] == ("confirmed", "bob", "")


def test_it_takes_two_queries(
    client: Client, link: str, django_assert_num_queries: DjangoAssertNumQueries
) -> None:
    with django_assert_num_queries(2):
        client.get(link)


@pytest.mark.parametrize(("method", "limit"), [("post", 30), ("get", 600)])
def test_an_address_that_asks_too_often_waits(
    client: Client, link: str, method: str, limit: int
) -> None:
    before = everything()
    call = getattr(client, method)
    for _ in range(limit):
        assert call("/meetings/answer/x", REMOTE_ADDR="203.0.113.9").status_code == 404
    page = call(link, REMOTE_ADDR="203.0.113.9")
    assert page.status_code == HTTPStatus.TOO_MANY_REQUESTS
    assert "Too many requests" in words(page)
    assert everything() == before
    assert call(link, REMOTE_ADDR="203.0.113.10").status_code in (200, 302)
