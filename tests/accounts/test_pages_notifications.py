"""Settings, notifications: what somebody has switched off is not sent to them, and only that."""

import re
from datetime import timedelta
from typing import Any

import pytest
from django.test import Client

from accounts.domain import services
from accounts.models import User
from meetings.domain import services as meetings
from notifications.domain import choices, kinds
from notifications.domain.choices import Key
from notifications.models import Notification, OptOut
from scheduling.domain import bookings
from tests import factories
from tests.outbox import send, sent
from tests.pages import NOW, START, Ask, main, words

pytestmark = [pytest.mark.django_db, pytest.mark.usefixtures("at_now")]

PAGE = "/settings/notifications"
DAY = timedelta(days=1)
# What must arrive: requests to answer, first confirmations, and what is wrong.
ALWAYS = {
    "booking_requested",
    "booking_confirmed",
    "booking_rejected",  # no host gets it
    "booking_undelivered",
    "calendar_emptied",
    "calendar_failing",
    "calendar_not_written",
    "calendar_recovered",
    "guest_cancelled",  # guests have no account
    "guest_changed",
    "guest_invited",
    "hold_confirm",  # to invitees
    "meeting_confirmed",
    "meeting_requested",
    "team_invitation",
    "token_leaked",
    "token_reused",
    "webhook_disabled",
}


@pytest.fixture
def signed_in(client: Client, alice: User) -> Client:
    client.force_login(alice)
    return client


def ends(**which: Any) -> list[tuple[str, str, str]]:
    found = Notification.objects.filter(**which).order_by("pk")
    return [(row.kind, row.state, row.last_error) for row in found]


def test_what_can_be_switched_off_is_all_that_need_not_arrive() -> None:
    optional = {
        kind
        for each in choices.known()
        for of_channel in each.kinds.values()
        for kind in of_channel
    }
    assert set(kinds.known()) - optional == ALWAYS
    for each in choices.known():
        for channel, of_channel in each.kinds.items():
            assert [("-" in kind) for kind in of_channel] == [channel == "push"] * len(of_channel)


def test_everything_is_on_at_first(signed_in: Client) -> None:
    page = main(signed_in.get(PAGE))
    boxes = re.findall(r'<input type="checkbox" name="on" value="([^"]*)"( checked)?>', page)
    assert {tuple(value.split(":")) for value, _on in boxes} == choices.switches()
    assert {on for _value, on in boxes} == {" checked"}
    said = words(signed_in.get(PAGE))
    assert "New booking Always New booking, push message Rescheduled" in said
    assert "Has taken place – Not sent Has taken place, push message" in said


def test_what_is_not_sent_along_is_switched_off_and_on_again(
    signed_in: Client, alice: User, bob: User
) -> None:
    services.choose_messages(user=bob, off=[("meeting_expired", "email")])
    off: set[Key] = {("booking_reminder", "email"), ("meeting_completed", "push")}
    stays = [f"{name}:{channel}" for name, channel in choices.switches() - off]
    answer = signed_in.post(PAGE, {"on": [*stays, "booking_new:email", "x", "x:y:z"]}, follow=True)
    assert "Your choices have been saved." in words(answer)
    assert choices.switched_off(user_id=alice.pk) == off
    assert main(answer).count("checked") == len(stays)
    signed_in.post(PAGE, {"on": [f"{name}:{channel}" for name, channel in choices.switches()]})
    assert choices.switched_off(user_id=alice.pk) == set()
    assert choices.switched_off(user_id=bob.pk) == {("meeting_expired", "email")}


def test_an_unknown_choice_is_not_kept(alice: User) -> None:
    services.choose_messages(user=alice, off=[("token_leaked", "email"), ("booking_new", "email")])
    assert not OptOut.objects.exists()


def test_a_choice_holds_for_what_waits_already(alice: User) -> None:
    """The reminder of the host is withdrawn; that of the invitee, who has no account, is sent."""
    factories.booking(factories.event_type(alice), start=START, now=NOW)
    assert set(sent(NOW)) == {"john@example.com", alice.email}
    services.choose_messages(user=alice, off=[("booking_reminder", "email")])
    assert set(sent(START - DAY)) == {"john@example.com"}
    assert ends(kind="booking_reminder", user=alice.pk, state="withdrawn") == [
        ("booking_reminder", "withdrawn", "switched off")
    ]
    services.choose_messages(user=alice, off=[])
    assert set(sent(START - timedelta(minutes=15))) == {"john@example.com", alice.email}


def test_each_channel_has_its_own_choice(alice: User) -> None:
    services.register_device(user=alice, token="phone", platform="ios")
    services.choose_messages(user=alice, off=[("booking_cancelled", "email")])
    booking = factories.booking(factories.event_type(alice), start=START, now=NOW)
    send()
    bookings.cancel(booking=booking, actor=bookings.INVITEE, now=NOW)
    send()
    assert ends(kind__in=["booking_cancelled", "booking-cancelled"], user=alice.pk) == [
        ("booking_cancelled", "withdrawn", "switched off"),
        ("booking-cancelled", "withdrawn", "no FIREBASE_CREDENTIALS"),
    ]


def test_the_first_word_arrives_with_all_switched_off(alice: User, bob: User, ask: Ask) -> None:
    for person in (alice, bob):
        services.choose_messages(user=person, off=choices.switches())
    meeting = ask()
    assert set(sent(NOW)) == {bob.email}
    meetings.confirm(meeting=meeting, actor=bob, now=NOW)
    assert set(sent(NOW)) == {alice.email, bob.email}
    meetings.cancel(meeting=meeting, actor=alice, now=NOW, reason="")
    assert sent(NOW) == {}
