"""Devices that a push message reaches: those that its person has when it is sent."""

from datetime import datetime, timedelta

import pytest
import time_machine
from django.db import connection

from accounts.domain import services
from accounts.models import User
from notifications.models import Notification
from scheduling.models import EventType
from tests import factories, wire
from tests.outbox import send
from tests.pages import NOW, START

pytestmark = pytest.mark.django_db(transaction=True)

DAY, MINUTE = timedelta(days=1), timedelta(minutes=1)
QUOTA = (429, "RESOURCE_EXHAUSTED", "QUOTA_EXCEEDED")


def book(host: User, start: datetime = START) -> None:
    factories.booking(factories.event_type(host), start=start, now=NOW)


def register(person: User, token: str) -> None:
    services.register_device(user=person, token=token, platform="ios")


def sent(at: datetime) -> None:
    with time_machine.travel(at, tick=False):
        send()


def bodies(firebase: wire.Firebase, token: str) -> list[str]:
    """Return the texts that this device was asked to show, those that were refused included."""
    return [str(message["notification"]["body"]) for message in firebase.to(token)]


def pushed() -> list[tuple[str, str, str]]:
    """Return kind, state and last error of the push messages that were due."""
    rows = Notification.objects.filter(channel="push", due_at__lte=NOW + DAY).order_by("pk")
    return list(rows.values_list("kind", "state", "last_error"))


BOOKED = "John Doe booked 30 Minute Meeting."


def test_each_device_of_each_person_gets_one(
    alice: User, bob: User, charlie: User, firebase: wire.Firebase
) -> None:
    register(alice, "one")
    register(alice, "two")
    register(bob, "three")
    for host in (alice, bob, charlie):
        book(host)
    EventType.objects.filter(host=bob).update(name="Tea")
    sent(NOW)
    assert {token: bodies(firebase, token) for token in ("one", "two", "three")} == {
        "one": [BOOKED],
        "two": [BOOKED],
        "three": ["John Doe booked Tea."],
    }
    assert len(firebase.received) == 3
    names = [message["data"]["message_id"] for message in firebase.received]
    assert len(set(names)) == 3
    assert sorted(pushed()) == [
        *[("booking-created", "sent", "")] * 3,
        ("booking-created", "withdrawn", "no device"),
    ]


def test_one_that_fails_is_tried_again_alone(alice: User, firebase: wire.Firebase) -> None:
    register(alice, "one")
    register(alice, "two")
    firebase.fail("one", *QUOTA)
    book(alice)
    sent(NOW)
    assert (bodies(firebase, "one"), bodies(firebase, "two")) == ([BOOKED], [BOOKED])
    book(alice, START + timedelta(hours=1))  # a new message in the same batch
    sent(NOW + MINUTE)
    assert (bodies(firebase, "one"), bodies(firebase, "two")) == ([BOOKED] * 3, [BOOKED] * 2)
    names = [message["data"]["message_id"] for message in firebase.to("one")]
    assert len(set(names)) == 2  # the same at both attempts


def test_one_that_was_registered_afterwards_is_reminded(
    alice: User, firebase: wire.Firebase
) -> None:
    book(alice)
    sent(NOW)
    register(alice, "new")
    EventType.objects.filter(host=alice).update(name="Tea")
    sent(START - DAY)
    assert bodies(firebase, "new") == ["Tea with John Doe starts in a day."]


def test_one_that_somebody_else_has_now_gets_nothing_of_its_first_owner(
    alice: User, bob: User, firebase: wire.Firebase
) -> None:
    register(alice, "phone")
    book(alice)
    register(bob, "phone")
    sent(NOW)
    assert firebase.received == []
    assert pushed() == [("booking-created", "withdrawn", "no device")]


@pytest.mark.parametrize("how", ["another's", "signed out", "inactive"])
def test_what_waits_for_another_attempt_does_not_follow_the_device(
    alice: User, bob: User, firebase: wire.Firebase, how: str
) -> None:
    register(alice, "phone")
    firebase.fail("phone", *QUOTA)
    book(alice)
    sent(NOW)
    assert [state for _kind, state, _error in pushed()] == ["waiting"]
    if how == "another's":
        register(bob, "phone")
    elif how == "signed out":
        alice.devices.all().delete()
    else:
        alice.devices.update(is_active=False)
    sent(NOW + MINUTE)
    assert bodies(firebase, "phone") == [BOOKED]  # the first attempt, which was refused
    assert pushed() == [("booking-created", "withdrawn", "no device")]


def test_a_message_that_no_key_opens_holds_up_nobody(
    alice: User, bob: User, firebase: wire.Firebase
) -> None:
    register(alice, "one")
    register(bob, "two")
    book(alice)
    with connection.cursor() as cursor:  # as if its key had been taken away
        cursor.execute("UPDATE notifications_notification SET content = 'lost.AAAA'")
    book(bob)
    sent(NOW)
    assert bodies(firebase, "one") == []
    assert bodies(firebase, "two") == [BOOKED]
    assert pushed()[0] == ("booking-created", "waiting", "DecryptionError")
