"""Holds: a time is kept until an address is confirmed, and becomes the booking then."""

import re
from collections import Counter
from collections.abc import Iterator
from datetime import datetime, timedelta
from functools import partial

import pytest
import time_machine
from allauth.account.models import EmailAddress
from django.test import Client
from pytest_django import Settings

from accounts.models import User
from calendars.models import BusyTime
from core.errors import DomainError, InvalidTransition, NotFound
from core.ops import redaction
from core.people import privacy
from notifications.models import Notification
from scheduling.domain import bookings, holds, services
from scheduling.domain.bookings import Invitee
from scheduling.models import Booking, EventType, Hold
from scheduling.tasks import sweep_bookings
from tests import factories
from tests.outbox import sent
from tests.pages import NOW, START, main, stand_alone, words
from tests.scheduling.calls import call, data
from tests.torture.races import at_once

pytestmark = pytest.mark.django_db

PAGE = "/alice/30-minute-meeting"
MINUTE, HOUR = timedelta(minutes=1), timedelta(hours=1)
JO = Invitee(name="Jo", email="jo@example.com", timezone="Asia/Tokyo")


@pytest.fixture(autouse=True)
def clock(settings: Settings) -> Iterator[time_machine.Traveller]:
    stand_alone(settings)
    with time_machine.travel(NOW, tick=False) as clock:
        yield clock


@pytest.fixture
def offered(alice: User) -> EventType:
    return factories.event_type(alice, confirm_email=True)


def form(**fields: object) -> dict[str, object]:
    usual = {"start": int(START.timestamp()), "trap": "", "zone": "Asia/Tokyo", "hours": "24"}
    return usual | {"name": "Jo of-jo", "email": "jo@example.com", "notes": "of-jo"} | fields


def place(offered: EventType, start: datetime = START, now: datetime = NOW) -> Hold:
    return holds.place(event_type=offered, start=start, invitee=JO, now=now)


def link_to(address: str = "jo@example.com", at: datetime = NOW) -> str:
    [link] = re.findall(r"/bookings/confirm/\S+", str(sent(at)[address].body))
    return str(link)


# --- the journey ----------------------------------------------------------------------------------


def test_a_link_books_what_is_held(client: Client, alice: User, offered: EventType) -> None:
    factories.webhook(alice)
    page = client.get(f"{PAGE}?start={int(START.timestamp())}")
    assert "Confirm by email" in words(page)
    answer = client.post(PAGE, form(guests="mary@example.com"), follow=True)
    assert answer.redirect_chain == [("/bookings/held", 302)]
    assert "The time is held for you for 15 minutes." in words(answer)
    mails = sent(NOW)
    assert list(mails) == ["jo@example.com"]
    assert "of-jo" not in str(mails["jo@example.com"].message())
    [link] = re.findall(r"/bookings/confirm/\S+", str(mails["jo@example.com"].body))
    assert mails["jo@example.com"].subject == (
        "Confirm your booking: 30 Minute Meeting with Alice Ames, Wed 4 Mar, 19:00"
    )
    # Neither the API nor webhooks know of it, but its time is taken.
    api = factories.client(alice)
    assert data(call(api, "GET", "/events")) == []
    query = "start_date=2026-03-04&end_date=2026-03-04&include_unavailable=true"
    [day] = data(call(api, "GET", f"/event_types/{offered.pk}/availability?{query}"))
    [slot] = [each for each in day["slots"] if each["start_time"] == "2026-03-04T10:00:00Z"]
    assert (slot["available"], slot["reason"], slot["source"]) == (False, "busy", "booking")
    # GET shows, POST books, and the link leads to the booking afterwards.
    assert "Wednesday, 4 March 2026" in words(client.get(link))
    assert Booking.objects.count() == 0
    for _time in range(2):
        booked = client.post(link)
        booking = Booking.objects.get()
        assert booked["Location"].startswith("/bookings/booked/")
        assert client.get(link)["Location"] == booked["Location"]
    assert (booking.status, booking.made_by, booking.notes, booking.timezone) == (
        "confirmed",
        "invitee",
        "of-jo",
        "Asia/Tokyo",
    )
    assert [guest.email for guest in booking.invited] == ["mary@example.com"]
    assert (BusyTime.objects.get(), Hold.objects.get().facts) == (booking.busy_time, "")
    assert set(sent(NOW)) == {"alice@example.com", "jo@example.com", "mary@example.com"}


def test_it_has_the_chosen_length_and_leads_on_to_the_page_of_the_host(
    client: Client, alice: User
) -> None:
    factories.event_type(
        alice, confirm_email=True, durations=[30, 60], redirect_url="https://example.com/thanks"
    )
    client.post(PAGE, form(duration=60))
    hold = Hold.objects.get()
    assert (hold.start, hold.end) == (START, START + timedelta(minutes=60))
    link = link_to()
    assert "form-action 'self' https://example.com" in client.get(link)["Content-Security-Policy"]
    booked = client.post(link)
    assert (booked.status_code, booked["Location"]) == (303, "https://example.com/thanks")
    booking = Booking.objects.get()
    assert (booking.start, booking.end) == (hold.start, hold.end)


def test_a_confirmed_address_needs_no_link(client: Client, bob: User, offered: EventType) -> None:
    client.force_login(bob)
    addresses = EmailAddress.objects.filter(user=bob)
    for number, (verified, email) in enumerate(
        [(True, "Bob@example.com"), (True, "other@example.com"), (False, "bob@example.com")]
    ):
        addresses.update(verified=verified)
        client.post(PAGE, form(email=email, start=at(number)))
    assert (Booking.objects.count(), Hold.objects.count()) == (1, 2)


def test_the_host_books_at_once(alice: User, offered: EventType) -> None:
    factories.booking(offered, start=START, now=NOW, actor=bookings.host(alice))
    assert (Booking.objects.count(), Hold.objects.count()) == (1, 0)


def test_what_is_held_is_taken(client: Client, offered: EventType) -> None:
    place(offered)
    assert "That time is no longer free." in words(client.post(PAGE, form(email="x@example.com")))
    assert Hold.objects.count() == 1


# --- the end of it --------------------------------------------------------------------------------


def test_after_fifteen_minutes_it_is_free_and_forgotten(
    client: Client, offered: EventType, clock: time_machine.Traveller
) -> None:
    client.post(PAGE, form())
    link = link_to()
    clock.shift(15 * MINUTE - timedelta(seconds=1))
    sweep_bookings()
    assert BusyTime.objects.count() == 1
    clock.shift(1)
    late = client.post(link)
    assert (late.status_code, Booking.objects.count()) == (409, 0)
    assert "This link has expired. Nothing is booked" in words(late)
    sweep_bookings()
    assert (BusyTime.objects.count(), Hold.objects.get().facts) == (0, "")
    gone = client.get(link)
    assert (gone.status_code, f'href="{PAGE}"' in main(gone)) == (410, True)
    assert client.post(PAGE, form(email="x@example.com")).status_code == 302
    privacy.retain(now=NOW + timedelta(hours=23))
    assert Hold.objects.count() == 2
    sweep_bookings()
    clock.shift(HOUR)
    sweep_bookings()
    privacy.retain(now=NOW + timedelta(days=1, hours=1))
    assert Hold.objects.count() == 0
    assert client.get(link).status_code == 404


def test_it_ends_with_its_start(alice: User, offered: EventType) -> None:
    at = START - 5 * MINUTE
    assert place(offered, now=at).expires_at == START


def test_a_notice_that_passes_meanwhile_does_not_matter(
    alice: User, offered: EventType, clock: time_machine.Traveller
) -> None:
    EventType.objects.update(min_advance_booking=1)
    at = START - HOUR
    hold = place(offered, now=at)
    booking = holds.confirm(hold=hold, now=at + 10 * MINUTE)
    assert booking.status == "confirmed"


def test_other_terms_book_nothing(client: Client, offered: EventType) -> None:
    client.post(PAGE, form())
    link = link_to()
    EventType.objects.update(price="50.00")
    refused = client.post(link)
    assert (refused.status_code, Booking.objects.count()) == (409, 0)
    assert "The terms have changed since this page was opened." in words(refused)
    assert BusyTime.objects.count() == 1  # still held


def test_a_mail_that_comes_too_late_is_not_sent(client: Client, offered: EventType) -> None:
    client.post(PAGE, form())
    assert sent(NOW + 15 * MINUTE) == {}
    assert Notification.objects.get().last_error == "expired"


def test_deleting_the_event_type_frees_the_time_and_limits_count_on(offered: EventType) -> None:
    hold = place(offered)
    assert not services.delete_event_type(event_type=offered)
    offered.refresh_from_db()
    assert (offered.is_active, BusyTime.objects.count()) == (False, 0)
    with pytest.raises(InvalidTransition):
        holds.confirm(hold=hold, now=NOW)
    Hold.objects.all().delete()  # as after a day
    assert services.delete_event_type(event_type=offered)
    with pytest.raises(NotFound):
        holds.confirm(hold=hold, now=NOW)


def test_confirming_counts_as_any_booking_does(
    client: Client, offered: EventType, settings: Settings
) -> None:
    """Guests of a hold are counted once it is confirmed."""
    settings.LIMITS = settings.LIMITS | {"bookings_day": 1}
    for number, email in enumerate(("a@example.com", "b@example.com")):
        client.post(PAGE, form(start=at(number), email=email, guests="mary@example.com"))
    first, second = (
        str(link)
        for mail in sent(NOW).values()
        for link in re.findall(r"/bookings/confirm/\S+", str(mail.body))
    )
    assert client.post(first).status_code == 302
    refused = client.post(second)
    assert "“mary@example.com” can be invited 1 times a day" in words(refused)
    assert Booking.objects.count() == 1


def test_a_host_who_deletes_their_account_keeps_none(alice: User, offered: EventType) -> None:
    place(offered)
    privacy.erase(person_id=alice.pk, now=NOW)
    assert (Hold.objects.count(), BusyTime.objects.count()) == (0, 0)


def test_a_link_that_is_not_whole_is_said_so(client: Client) -> None:
    assert client.get("/bookings/confirm/nonsense").status_code == 404


def test_the_database_knows_neither_the_link_nor_the_form(
    client: Client, offered: EventType
) -> None:
    client.post(PAGE, form())
    token = link_to().rpartition("/")[2]
    stored = str(list(Hold.objects.values())) + str(list(Notification.objects.values()))
    for text in (token, "jo@example.com", "of-jo"):
        assert text not in stored


def test_no_log_line_has_the_link(client: Client, offered: EventType) -> None:
    client.post(PAGE, form())
    link = link_to()
    assert redaction.text(f"Conflict: {link}") == "Conflict: /bookings/confirm/[secret]"


# --- how many -------------------------------------------------------------------------------------


def at(number: int) -> int:
    return int((START + number * HOUR).timestamp())


@pytest.mark.parametrize(
    ("limit", "same", "said"),
    [
        ("holds", {"email": "jo+1@example.com"}, "2 bookings wait for this address"),
        ("holds_host", {"email": "x@example.com"}, "Too many bookings wait to be confirmed"),
        ("holds_client", {"email": "x@example.com"}, "We answer 2 of these requests in 15 minutes"),
        ("bookings_hour", {}, "With one address you can book 2 times an hour."),
    ],
)
def test_they_are_bounded(
    client: Client,
    offered: EventType,
    settings: Settings,
    limit: str,
    same: dict[str, str],
    said: str,
) -> None:
    settings.LIMITS = settings.LIMITS | {"holds": 3, "holds_host": 20, limit: 2}
    for number in range(2):
        assert client.post(PAGE, form(start=at(number))).status_code == 302
    refused = client.post(PAGE, form(start=at(2), **same))
    assert (refused.status_code, said in words(refused)) == (429, True)
    assert Hold.objects.count() == 2


# --- races ----------------------------------------------------------------------------------------


@pytest.mark.django_db(transaction=True)
def test_two_confirmations_at_once_make_one_booking(offered: EventType) -> None:
    hold = place(offered)
    made = at_once([partial(holds.confirm, hold=hold, now=NOW)] * 4)
    assert made == [Booking.objects.get()] * 4
    assert Booking.objects.get().busy_time == BusyTime.objects.get()


@pytest.mark.django_db(transaction=True)
def test_it_expires_while_it_is_confirmed(offered: EventType) -> None:
    """Either the confirmation is first, and the booking stands, or the sweep, and nothing does."""
    hold = place(offered)
    swept = partial(_swept, hold)
    confirmed, *_others = at_once([partial(_confirmed, hold), swept, swept])
    assert Booking.objects.count() == confirmed
    assert BusyTime.objects.count() == Booking.objects.count()
    assert Hold.objects.get().facts == ""


def _swept(hold: Hold) -> int:
    holds.sweep(now=hold.expires_at)
    return 0


def _confirmed(hold: Hold) -> int:
    try:
        holds.confirm(hold=hold, now=hold.expires_at - timedelta(seconds=1))
    except InvalidTransition:
        return 0
    return 1


@pytest.mark.django_db(transaction=True)
def test_nobody_slips_in_between(offered: EventType) -> None:
    """Others ask for the time while it becomes the booking. Each finds it taken."""
    hold = place(offered)
    other = partial(_booked, offered)
    made = at_once([partial(_confirmed, hold), other, other, other])
    assert Counter(made) == {1: 1, 0: 3}
    assert Booking.objects.get().invitee_email == JO.email


def _booked(offered: EventType) -> int:
    try:
        factories.booking(offered, start=START, now=NOW, email="x@example.com")
    except DomainError:
        return 0
    return 1
