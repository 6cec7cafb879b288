"""The host's email link: GET shows, POST approves or declines, and a used link shows the state."""

import re
from collections.abc import Callable
from datetime import timedelta
from http import HTTPStatus
from typing import Any
from urllib.parse import urlsplit

import pytest
import time_machine
from django.core import signing
from django.test import Client
from pytest_django import DjangoAssertNumQueries

from accounts.models import User
from scheduling.domain import bookings
from scheduling.domain.bookings import INVITEE
from scheduling.messages import links
from scheduling.models import Booking, EventType
from tests import factories
from tests.pages import NOW, START, everything, main, words
from tests.scheduling.conftest import Book

pytestmark = [pytest.mark.django_db, pytest.mark.usefixtures("at_now")]

CONFIRM, REJECT = {"answer": "confirm"}, {"answer": "reject"}


@pytest.fixture
def booking(book: Book, approved: EventType) -> Booking:
    return book(approved, phone="+49 30 1234", notes="I am\nlate.")


@pytest.fixture
def link(booking: Booking) -> str:
    """Return the path of the link in the email."""
    return urlsplit(links.answer_url(booking)).path


def ready(page: Any) -> list[str]:
    """Return the answers whose buttons have the focus when the page opens."""
    return re.findall(r'name="answer" value="([a-z-]+)" autofocus>', page.content.decode())


def history(booking: Booking) -> list[tuple[str, str, str | None, str]]:
    entries = booking.history.order_by("sequence")
    return list(entries.values_list("change", "to_status", "actor__username", "reason"))


def test_it_shows_the_booking_on_both_clocks(client: Client, alice: User, link: str) -> None:
    alice.timezone = "America/New_York"
    alice.save()
    assert words(client.get(link)) == (
        "Mar 4 Wed Interview with John Doe Needs your answer"
        " With John Doe john@example.com +49301234"
        " When Wednesday, 4 March 2026, 5:00 AM – 5:30 AM America/New_York"
        " For John Doe: Wednesday, 4 March 2026, 11:00 – 11:30 Europe/Berlin"
        " Where Zoom Call No meeting link yet."
        " Notes I am late."
        " Approve Decline Notes for John Doe (optional) Decline the booking"
        " This link is for Alice Ames (alice@example.com). Nothing changes until you choose."
    )


def test_a_link_makes_its_answer_ready_to_be_sent(client: Client, link: str) -> None:
    approve, decline = (client.get(f"{link}?answer={answer}") for answer in ("confirm", "reject"))
    assert ready(approve) == ["confirm"]
    assert ready(decline) == ["reject"]
    assert ready(client.get(link)) == ready(client.get(f"{link}?answer=cancel")) == []
    assert [page.content.count(b'class="reveal" open') for page in (approve, decline)] == [0, 1]


def test_whatever_a_mail_scanner_does_changes_nothing(client: Client, link: str) -> None:
    before = everything()
    for method in (client.get, client.head, client.options):
        for address in (link, f"{link}?answer=confirm", f"{link}?answer=reject"):
            assert method(address).status_code == 200
    for refused in (client.put, client.patch, client.delete):
        assert refused(link, CONFIRM).status_code == 405
    assert everything() == before


def test_it_is_neither_stored_nor_passed_on_nor_indexed(client: Client, link: str) -> None:
    for page in (client.get(link), client.post(link, CONFIRM), client.get(f"{link}x")):
        wanted = {"Cache-Control", "Referrer-Policy", "X-Robots-Tag"}
        assert {name: page.headers[name] for name in wanted} == {
            "Cache-Control": "no-store",
            "Referrer-Policy": "no-referrer",
            "X-Robots-Tag": "noindex",
        }


def test_what_the_invitee_typed_is_shown_and_not_obeyed(
    client: Client, approved: EventType, book: Book
) -> None:
    script = "<script>alert(1)</script>"
    booking = book(
        approved, START + timedelta(hours=1), name=script, notes=script, answers={script: script}
    )
    page = client.get(urlsplit(links.answer_url(booking)).path)
    assert script.encode() not in page.content
    assert f"Notes {script} {script} {script} Approve" in words(page)


def test_approving(client: Client, booking: Booking, link: str) -> None:
    assert client.post(link, CONFIRM).headers["Location"] == link
    assert history(booking) == [
        ("created", "pending", None, ""),
        ("confirmed", "confirmed", "alice", ""),
    ]
    assert words(client.get(link)).startswith(
        "Mar 4 Wed Interview with John Doe Confirmed This booking is confirmed. With"
    )


def test_declining_with_a_reason(client: Client, booking: Booking, link: str) -> None:
    assert client.post(link, REJECT | {"reason": "Away."}).headers["Location"] == link
    assert history(booking) == [
        ("created", "pending", None, ""),
        ("rejected", "rejected", "alice", "Away."),
    ]
    assert "Declined You declined this booking. Away. With" in words(client.get(link))


@pytest.mark.parametrize("fields", [{}, {"answer": ""}, {"answer": "cancel"}])
def test_anything_else_is_no_answer(client: Client, link: str, fields: dict[str, str]) -> None:
    before = everything()
    assert client.post(link, fields).headers["Location"] == link
    assert everything() == before


def confirmed(booking: Booking) -> None:
    bookings.confirm(booking=booking, actor=bookings.host(booking.host), now=NOW)


def rejected(booking: Booking) -> None:
    bookings.reject(booking=booking, actor=bookings.host(booking.host), now=NOW)


def taken_back(booking: Booking) -> None:
    bookings.cancel(booking=booking, actor=INVITEE, now=NOW, reason="Flu.")


def moved(booking: Booking) -> None:
    later = START + timedelta(days=1)
    bookings.reschedule(booking=booking, start=later, actor=INVITEE, now=NOW)


@pytest.mark.parametrize(
    ("happened", "outcome", "answer"),
    [
        (confirmed, "Confirmed This booking is confirmed. With", REJECT),
        (rejected, "Declined You declined this booking. With", CONFIRM),
        (taken_back, "Cancelled John Doe cancelled this booking. Flu. With", CONFIRM),
        (
            moved,
            "Needs your answer This booking was rescheduled after this link was sent. The newest"
            " email",
            CONFIRM,
        ),
        (
            moved,
            "Needs your answer This booking was rescheduled after this link was sent. The newest"
            " email",
            REJECT,
        ),
    ],
)
def test_a_used_or_stale_link_shows_how_things_stand(
    client: Client,
    booking: Booking,
    link: str,
    happened: Callable[[Booking], None],
    outcome: str,
    answer: dict[str, str],
) -> None:
    happened(booking)
    before = everything()
    page = client.get(link)
    assert page.status_code == 200
    assert outcome in words(page)
    assert "<form" not in main(page)
    assert client.post(link, answer).headers["Location"] == link
    assert words(client.get(link)).startswith("Nothing was changed, because this booking has")
    assert everything() == before


def test_the_newest_link_answers_what_was_moved(client: Client, booking: Booking) -> None:
    moved(booking)
    booking.refresh_from_db()
    client.post(urlsplit(links.answer_url(booking)).path, CONFIRM)
    assert history(booking)[-1] == ("confirmed", "confirmed", "alice", "")


@pytest.mark.parametrize(
    ("answered", "later", "outcome"),
    [
        (False, timedelta(0), "Expired This request expired without an answer."),
        (True, timedelta(minutes=30), "Completed This booking has taken place."),
    ],
)
def test_a_link_of_a_time_that_has_come(
    client: Client,
    booking: Booking,
    link: str,
    answered: bool,
    later: timedelta,
    outcome: str,
) -> None:
    if answered:
        confirmed(booking)
    before = everything()
    with time_machine.travel(START + later, tick=False):
        assert outcome in words(client.get(link))
        client.post(link, CONFIRM)
    assert everything() == before


@pytest.mark.parametrize("answer", [CONFIRM, REJECT])
def test_the_same_answer_again_is_fine(client: Client, link: str, answer: dict[str, str]) -> None:
    client.post(link, answer)
    before = everything()
    client.post(link, answer)
    assert words(client.get(link)).startswith("Mar 4 Wed Interview with John Doe")
    assert everything() == before


def test_a_broken_link_is_not_found_in_friendly_words(
    client: Client, booking: Booking, link: str
) -> None:
    value = [booking.pk, booking.host_id, booking.sequence]
    managing = urlsplit(links.manage_url(booking)).path.rsplit("/", 1)[1]
    forged = signing.dumps(value, salt="scheduling.manage")
    of_meetings = signing.dumps(value, salt="meetings.answer")
    stranger = factories.user("charlie").pk
    to_another = signing.dumps([booking.pk, stranger, 0], salt="scheduling.answer")
    token = link.rsplit("/", 1)[1]
    before = everything()
    for broken in (
        "x",
        "a:b:c",
        f"{token}x",
        token[:-1],
        managing,
        forged,
        of_meetings,
        to_another,
        "%00",
        "é",
    ):
        for answer in (
            client.get(f"/bookings/answer/{broken}"),
            client.post(f"/bookings/answer/{broken}", CONFIRM),
        ):
            assert answer.status_code == 404, broken
            assert words(answer).startswith("This link does not work This ")
    assert everything() == before


def test_a_host_who_is_no_longer_here_answers_nothing(
    client: Client, alice: User, link: str
) -> None:
    alice.is_active = False
    alice.save()
    before = everything()
    assert client.post(link, CONFIRM).status_code == 404
    assert everything() == before


def test_a_reason_that_is_too_long_is_told(client: Client, link: str) -> None:
    before = everything()
    client.post(link, REJECT | {"reason": "x" * 501})
    assert everything() == before
    assert words(client.get(link)).startswith("Ensure this value has at most 500 characters")


def test_a_post_wants_the_token_of_the_page(booking: Booking, link: str) -> None:
    client = Client(enforce_csrf_checks=True)
    before = everything()
    assert client.post(link, CONFIRM).status_code == 403
    client.get(link)
    token = {"csrfmiddlewaretoken": client.cookies["csrftoken"].value}
    # What a browser would send if the policy of the page were `no-referrer`.
    assert client.post(link, CONFIRM | token, headers={"Origin": "null"}).status_code == 403
    assert everything() == before
    ours = {"Origin": "http://testserver"}
    assert client.post(link, CONFIRM | token, headers=ours).status_code == 302
    assert history(booking)[-1] == ("confirmed", "confirmed", "alice", "")


def test_who_is_signed_in_does_not_matter(
    client: Client, bob: User, booking: Booking, link: str
) -> None:
    client.force_login(bob)
    page = client.get(link)
    assert "This link is for Alice Ames" in words(page)
    assert b"Sign out" not in page.content
    client.post(link, CONFIRM)
    assert history(booking)[-1] == ("confirmed", "confirmed", "alice", "")


def test_it_takes_two_queries(
    client: Client, link: str, django_assert_num_queries: DjangoAssertNumQueries
) -> None:
    with django_assert_num_queries(2):  # the booking, its guests
        client.get(link)


@pytest.mark.parametrize(("method", "limit"), [("post", 30), ("get", 600)])
def test_an_address_that_asks_too_often_waits(
    client: Client, link: str, method: str, limit: int
) -> None:
    before = everything()
    call = getattr(client, method)
    for _ in range(limit):
        assert call("/bookings/answer/x", REMOTE_ADDR="203.0.113.9").status_code == 404
    page = call(link, REMOTE_ADDR="203.0.113.9")
    assert page.status_code == HTTPStatus.TOO_MANY_REQUESTS
    assert "Too many requests" in words(page)
    assert everything() == before
    assert call(link, REMOTE_ADDR="203.0.113.10").status_code in (200, 302)
