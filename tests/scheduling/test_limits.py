"""Limits on how often people book and reschedule: at the limit, beyond it, and afterwards."""

from collections import Counter
from collections.abc import Iterator
from datetime import UTC, datetime, timedelta
from functools import partial
from itertools import count
from typing import Any

import pytest
import time_machine
from django.test import Client
from pytest_django import Settings

from accounts.models import User
from core.errors import Busy
from core.people import privacy
from notifications.models import Notification
from scheduling.domain import bookings, limits
from scheduling.messages import links
from scheduling.models import Booking, EventType, HistoryEntry
from tests import factories
from tests.outbox import address_of, content_of, rows
from tests.pages import NOW, START, stand_alone, words
from tests.torture.races import at_once

pytestmark = pytest.mark.django_db

PAGE = "/alice/30-minute-meeting"
VICTIM = "victim@example.com"
ZONE = {"zone": "Asia/Tokyo", "hours": "24"}


@pytest.fixture
def clock(settings: Settings) -> Iterator[time_machine.Traveller]:
    stand_alone(settings)
    with time_machine.travel(NOW, tick=False) as clock:
        yield clock


@pytest.fixture
def starts(clock: time_machine.Traveller) -> Iterator[int]:
    """Yield the epoch seconds of free half hours, each one once."""
    return (
        int((START + timedelta(days=day, minutes=30 * half)).timestamp())
        for day in count()
        for half in range(12)
        if (START + timedelta(days=day)).weekday() < 5
    )


@pytest.fixture
def offered(alice: User) -> EventType:
    return factories.event_type(alice)


def allow(settings: Settings, **most: int) -> None:
    settings.LIMITS = settings.LIMITS | most


def book(starts: Iterator[int], email: str = VICTIM, page: str = PAGE, **more: str) -> Any:
    form = {"start": next(starts), "trap": "", "name": "Jo", "email": email, **ZONE}
    return Client().post(page, form | more)


# --- new bookings on a public page ----------------------------------------------------------------


def test_an_address_is_booked_for_ten_times_an_hour(
    offered: EventType, starts: Iterator[int], settings: Settings, clock: time_machine.Traveller
) -> None:
    allow(settings, bookings_hour=10)
    first = [book(starts).status_code for _number in range(9)]
    clock.shift(timedelta(minutes=10, seconds=20))
    answers = [book(starts) for _number in range(4)]
    assert first + [answer.status_code for answer in answers] == [302] * 10 + [429] * 3
    assert Booking.objects.count() == 10
    # The number, and until when, on the visitor's clock; what was typed stays.
    said = "With one address you can book 10 times an hour. You can book again from"
    assert f"{said} Monday, 2 March 2026, 19:00 (Asia/Tokyo)." in words(answers[-1])
    assert answers[-1]["Retry-After"] == str(3_600 - 620)
    assert f'value="{VICTIM}"' in answers[-1].content.decode()
    assert book(starts, "another@example.com").status_code == 302
    clock.move_to(NOW + timedelta(hours=1))
    assert [book(starts).status_code for _number in range(10)] == [302] * 9 + [429]


@pytest.mark.parametrize(
    "other",
    ["Victim@EXAMPLE.com", "victim+1@example.com", '"victim"@example.com'],
)
def test_spellings_of_a_mailbox_count_together(
    offered: EventType, starts: Iterator[int], settings: Settings, other: str
) -> None:
    allow(settings, bookings_hour=1)
    assert [book(starts, each).status_code for each in (VICTIM, other)] == [302, 429]


def test_another_host_makes_no_room(
    offered: EventType, bob: User, starts: Iterator[int], settings: Settings
) -> None:
    allow(settings, bookings_hour=1)
    factories.event_type(bob)
    pages = (PAGE, PAGE.replace("alice", "bob"))
    assert [book(starts, page=page).status_code for page in pages] == [302, 429]


def test_it_is_limited_by_the_day_too(
    offered: EventType, starts: Iterator[int], settings: Settings, clock: time_machine.Traveller
) -> None:
    allow(settings, bookings_hour=10, bookings_day=40)
    for _hour in range(4):
        assert [book(starts).status_code for _number in range(10)] == [302] * 10
        clock.shift(timedelta(hours=1))
    refused = book(starts)
    said = "book 40 times a day. You can book again from Tuesday, 3 March 2026, 18:00 (Asia/Tokyo)."
    assert (refused.status_code, said in words(refused)) == (429, True)
    clock.move_to(NOW + timedelta(days=1))
    assert book(starts).status_code == 302


def test_erasing_a_booking_makes_no_room(
    offered: EventType, starts: Iterator[int], settings: Settings, clock: time_machine.Traveller
) -> None:
    """An invitee can erase a booking on its page, but each booking sent mail.

    So it still counts.
    """
    allow(settings, bookings_hour=2)
    for _number in range(2):
        token = book(starts)["Location"].rpartition("/")[2]
        assert Client().post(f"/bookings/manage/{token}/erase").status_code == 302
    assert book(starts).status_code == 429
    privacy.retain(now=NOW + timedelta(hours=23))
    assert Booking.objects.filter(invitee_mailbox="").count() == 0
    privacy.retain(now=NOW + timedelta(days=1))
    assert Booking.objects.filter(invitee_mailbox="").count() == 2


def test_cancelling_makes_no_room_in_an_hour_but_among_those_to_come(
    offered: EventType, starts: Iterator[int], settings: Settings, clock: time_machine.Traveller
) -> None:
    allow(settings, bookings_hour=5, bookings_open=3)
    for _number in range(3):
        book(starts)
    refused = book(starts)
    # START and half an hour: the first of them is over then.
    said = "You have 3 bookings with this host, which is as many as there can be. Cancel one, or"
    until = (
        " book again from Wednesday, 4 March 2026, 19:30 (Asia/Tokyo), when the next one is over."
    )
    assert (refused.status_code, said + until in words(refused)) == (429, True)
    for number, status in ((1, 302), (2, 302), (3, 429)):
        row = Booking.objects.exclude(busy_time=None).order_by("pk")[0]
        bookings.cancel(booking=row, actor=bookings.INVITEE, now=NOW)
        assert (number, book(starts).status_code) == (number, status)


def test_bookings_with_another_host_and_by_the_host_are_not_among_them(
    offered: EventType, alice: User, bob: User, starts: Iterator[int], settings: Settings
) -> None:
    allow(settings, bookings_hour=2, bookings_open=1)
    later = START + timedelta(days=5)
    factories.booking(offered, start=later, now=NOW, email=VICTIM, actor=bookings.host(alice))
    factories.event_type(bob)
    pages = (PAGE, PAGE.replace("alice", "bob"))
    assert [book(starts, page=page).status_code for page in pages] == [302, 302]


def test_a_client_address_has_a_number_for_each_host(
    offered: EventType, bob: User, starts: Iterator[int], settings: Settings
) -> None:
    allow(settings, bookings_client=2)
    factories.event_type(bob)
    answers = [book(starts, f"guest-{number}@example.com") for number in range(3)]
    assert [answer.status_code for answer in answers] == [302, 302, 429]
    assert "We answer 2 of these requests in 60 minutes. Try again from" in words(answers[-1])
    assert "(Asia/Tokyo)" in words(answers[-1])
    assert int(answers[-1]["Retry-After"]) <= 3_600
    assert book(starts, page=PAGE.replace("alice", "bob")).status_code == 302


def test_forms_sent_to_public_pages_count_together(
    offered: EventType, starts: Iterator[int], settings: Settings
) -> None:
    allow(settings, public_posts=60)
    token = book(starts)["Location"].rpartition("/")[2]
    pages = (f"/bookings/manage/{token}", PAGE)
    answers = [Client().post(pages[number % 2], {"act": "none"}) for number in range(60)]
    assert [answer.status_code for answer in answers].count(429) == 1
    assert "We answer 60 of these requests in a minute." in words(answers[-1])


def test_zero_turns_each_off(offered: EventType, starts: Iterator[int], settings: Settings) -> None:
    allow(settings, **dict.fromkeys(settings.LIMITS, 0))
    assert [book(starts).status_code for _number in range(45)] == [302] * 45


@pytest.mark.django_db(transaction=True)
def test_many_at_once_pass_no_limit_together(
    offered: EventType, starts: Iterator[int], settings: Settings
) -> None:
    allow(settings, bookings_hour=2)
    made = at_once([partial(_status, starts_at) for starts_at in [next(starts) for _ in range(6)]])
    assert Counter(made) == {302: 2, 429: 4}


def _status(start: int) -> int:
    return int(book(iter([start])).status_code)


# --- reschedules ----------------------------------------------------------------------------------


def test_an_invitee_moves_a_booking_six_times_a_day(
    offered: EventType, settings: Settings, clock: time_machine.Traveller, client: Client
) -> None:
    allow(settings, reschedules=6)
    booking = factories.booking(offered, start=START, now=NOW, timezone="Asia/Tokyo")
    page = f"/bookings/manage/{links.manage_token(booking)}"

    def move(number: int) -> str:
        there = START + timedelta(minutes=30 * (number % 2))
        sequence = Booking.objects.values_list("sequence", flat=True).get()
        form = {"act": "move", "start": int(there.timestamp()), "sequence": sequence, "reason": ""}
        return words(client.post(page, form, follow=True))

    said = [move(number) for number in range(1, 8)]
    assert ["Rescheduled. " in each for each in said] == [True] * 6 + [False]
    refused = "You can reschedule a booking 6 times a day. You can reschedule it again from"
    assert f"{refused} Tuesday, 3 March 2026, 18:00 (Asia/Tokyo), or cancel it now." in said[-1]
    assert HistoryEntry.objects.filter(change="rescheduled").count() == 6
    mails = Notification.objects.filter(kind="booking_rescheduled").count()
    assert mails == 12
    # The host has a number of their own, and after a day the invitee can move it again.
    host = bookings.host(booking.host)
    bookings.reschedule(booking=booking, start=START + timedelta(hours=2), actor=host, now=NOW)
    clock.shift(timedelta(days=1))
    assert "Rescheduled. " in move(8)


def test_a_host_moves_a_booking_so_often_a_day_by_the_api_and_on_pages_together(
    offered: EventType, alice: User, settings: Settings, clock: time_machine.Traveller
) -> None:
    allow(settings, reschedules_host=2)
    booking = factories.booking(offered, start=START, now=NOW)
    api, pages = factories.client(alice), Client()
    pages.force_login(alice)

    def there(number: int) -> datetime:
        return START + timedelta(minutes=30 * (number % 2))

    def by_api(number: int) -> Any:
        body = {"start_time": f"{there(number):%Y-%m-%dT%H:%M:%SZ}"}
        path = f"/api/v1/events/{booking.uuid}/reschedule"
        return api.post(path, body, content_type="application/json")

    def by_page(number: int) -> str:
        form = {"start": int(there(number).timestamp()), "sequence": number - 1, "reason": ""}
        return words(pages.post(f"/bookings/{booking.pk}/move", form, follow=True))

    assert by_api(1).status_code == 200
    assert "Rescheduled. " in by_page(2)
    refused = by_api(3)
    assert (refused.status_code, refused.json()["error"]) == (429, "rate_limit_exceeded")
    assert "You can reschedule a booking 2 times a day." in by_page(3)
    assert HistoryEntry.objects.filter(change="rescheduled").count() == 2
    assert by_api(2).status_code == 200  # where it is already: nothing moves


# --- by the API -----------------------------------------------------------------------------------


def test_a_host_books_so_often_a_day_for_one_address(
    offered: EventType,
    alice: User,
    starts: Iterator[int],
    settings: Settings,
    clock: time_machine.Traveller,
) -> None:
    allow(settings, bookings_api=2, bookings_hour=1)
    api = factories.client(alice)

    def ask(email: str) -> Any:
        body = {
            "event_type_id": offered.pk,
            "attendee_email": email,
            "attendee_name": "Jo",
            "start_time": f"{datetime.fromtimestamp(next(starts), UTC):%Y-%m-%dT%H:%M:%SZ}",
        }
        return api.post("/api/v1/events", body, content_type="application/json")

    answers = [ask(VICTIM), ask("victim+1@example.com"), ask(VICTIM)]
    assert [answer.status_code for answer in answers] == [201, 201, 429]
    body = answers[-1].json()
    assert (body["error"], answers[-1]["Retry-After"]) == ("rate_limit_exceeded", "86400")
    assert "You can book 2 times a day for one address." in body["message"]
    assert ask("another@example.com").status_code == 201
    # What a host books takes nothing from what the invitee can book.
    assert book(starts).status_code == 302
    clock.shift(timedelta(days=1))
    assert ask(VICTIM).status_code == 201


def test_the_door_itself_knows_no_limit(offered: EventType, settings: Settings) -> None:
    allow(settings, bookings_hour=1, bookings_api=1, reschedules=1)
    for number in range(3):
        there = START + timedelta(hours=number)
        booked = factories.booking(offered, start=there, now=NOW)
        bookings.reschedule(
            booking=booked, start=there + timedelta(minutes=30), actor=bookings.INVITEE, now=NOW
        )
    admit = partial(limits.admit_invitee, host=offered.host, now=NOW, reader=offered.host)
    with pytest.raises(Busy):
        admit(email="john@example.com")
    admit(email=VICTIM)


# --- names ----------------------------------------------------------------------------------------


@pytest.mark.parametrize("name", ["https://evil.example", "WWW.evil.example", "a/b", "jo@evil"])
def test_a_name_that_looks_like_a_link_is_refused(
    offered: EventType, alice: User, starts: Iterator[int], name: str
) -> None:
    page = book(starts, name=name)
    assert (page.status_code, "A name cannot contain" in words(page)) == (200, True)
    body = {
        "event_type_id": offered.pk,
        "attendee_email": VICTIM,
        "attendee_name": name,
        "start_time": f"{START:%Y-%m-%dT%H:%M:%SZ}",
    }
    answer = factories.client(alice).post("/api/v1/events", body, content_type="application/json")
    assert (answer.status_code, answer.json()["details"][0]["field"]) == (422, "attendee_name")
    assert (Booking.objects.count(), Notification.objects.count()) == (0, 0)


def test_what_a_stranger_types_is_in_no_mail_to_the_address_they_enter(
    alice: User, starts: Iterator[int]
) -> None:
    question = {"name": "why", "label": "Why?", "type": "text", "required": False, "options": []}
    factories.event_type(alice, custom_fields=[question])
    typed = {"name": "Buy-Gold", "notes": "Buy-Gold", "answer-0": "Buy-Gold"}
    page = book(starts, **typed)["Location"].replace("booked", "manage")
    form = {"start": next(starts), "sequence": 0, "reason": "Buy-Gold"}
    Client().post(page, form | {"act": "move"})
    Client().post(page, {"act": "cancel", "sequence": 1, "reason": "Buy-Gold"})
    holds = {
        (row.kind, address_of(row)): "Buy-Gold" in str(content_of(row)) for row in rows("email")
    }
    kinds_of = ("booking_confirmed", "booking_rescheduled", "booking_cancelled", "booking_reminder")
    assert holds == {
        (kind, to): to == "alice@example.com"
        for kind in kinds_of
        for to in (VICTIM, "alice@example.com")
    }


def test_what_a_host_writes_for_an_invitee_reaches_them(offered: EventType, alice: User) -> None:
    host = bookings.host(alice)
    booked = factories.booking(
        offered, start=START, now=NOW, name="Vic", email=VICTIM, notes="Bring-Plans", actor=host
    )
    bookings.cancel(booking=booked, actor=host, now=NOW, reason="Ill-Today")
    to_victim = [row for row in rows("email") if address_of(row) == VICTIM]
    mails = {row.kind: content_of(row)["text"] for row in to_victim}
    assert "Hello Vic," in mails["booking_confirmed"]
    assert "Bring-Plans" in mails["booking_confirmed"]
    assert "Ill-Today" in mails["booking_cancelled"]
