"""Bounces that a mail provider tells of, at the address that anymail serves."""

import base64
import importlib
import json
from collections.abc import Iterator

import pytest
import time_machine
from django.db import connection
from django.test import Client
from pytest_django import Settings

from accounts.models import User
from config import urls
from notifications.models import Notification
from scheduling.domain import bookings
from scheduling.models import Booking
from tests import factories, outbox
from tests.pages import NOW, START, stand_alone

pytestmark = pytest.mark.django_db

_TRACKING = "/anymail/postmark/tracking/"
_BOUNCE = {"RecordType": "Bounce", "Type": "HardBounce", "Email": "john@example.com"}


@pytest.fixture(autouse=True)
def _provider(settings: Settings) -> Iterator[None]:
    settings.ANYMAIL = {"WEBHOOK_SECRET": "parley:secret"}
    stand_alone(settings)
    settings.ROOT_URLCONF = "tests.notifications.provider_urls"
    with time_machine.travel(NOW, tick=False):
        yield


@pytest.fixture
def booking(alice: User) -> Booking:
    return factories.booking(factories.event_type(alice), start=START, now=NOW)


def tell(row: Notification, secret: str = "parley:secret", **event: str) -> int:
    """Post this event about a message, as Postmark does. Return the status."""
    key = base64.b64encode(secret.encode()).decode()
    body = {**_BOUNCE, **event, "Metadata": {"message_id": row.message_id}}
    answer = Client(headers={"Authorization": f"Basic {key}"}).post(
        _TRACKING, json.dumps(body), content_type="application/json"
    )
    return answer.status_code


def told_host() -> int:
    return Notification.objects.filter(kind="booking_undelivered").count()


def test_the_host_hears_once_that_the_invitee_gets_no_email(booking: Booking, alice: User) -> None:
    [to_invitee] = outbox.rows("email", kind="booking_confirmed", user=None)
    assert tell(to_invitee) == tell(to_invitee) == 200
    booking.refresh_from_db()
    assert booking.undelivered_at is not None
    assert told_host() == 1
    content = outbox.content_of(Notification.objects.get(kind="booking_undelivered"))
    assert content["subject"] == (
        "Your invitee gets no email: 30 Minute Meeting with John Doe, Wed 4 Mar, 10:00 AM"
    )
    assert "refuses messages to john@example.com" in content["text"]


def test_nothing_is_said_of_a_booking_that_is_off(booking: Booking) -> None:
    bookings.cancel(booking=booking, actor=bookings.host(booking.host), now=NOW)
    [to_invitee] = outbox.rows("email", kind="booking_cancelled", user=None)
    assert tell(to_invitee) == 200
    booking.refresh_from_db()
    assert (booking.undelivered_at, told_host()) == (NOW, 0)


def test_a_message_that_no_key_opens_is_no_error(booking: Booking) -> None:
    [to_invitee] = outbox.rows("email", kind="booking_confirmed", user=None)
    with connection.cursor() as cursor:  # as if its key had been taken away
        cursor.execute("UPDATE notifications_notification SET content = 'lost.AAAA'")
    assert tell(to_invitee) == 200
    assert told_host() == 0


@pytest.mark.parametrize("kind", ["Transient", "AutoResponder"])
def test_a_delay_says_nothing(booking: Booking, kind: str) -> None:
    [to_invitee] = outbox.rows("email", kind="booking_confirmed", user=None)
    assert tell(to_invitee, Type=kind) == 200
    booking.refresh_from_db()
    assert (booking.undelivered_at, told_host()) == (None, 0)


def test_a_bounce_of_the_hosts_own_mail_says_nothing_of_the_invitee(booking: Booking) -> None:
    [to_host] = outbox.rows("email", kind="booking_confirmed", user=booking.host)
    assert tell(to_host) == 200
    booking.refresh_from_db()
    assert (booking.undelivered_at, told_host()) == (None, 0)


def test_who_does_not_know_the_secret_tells_nothing(booking: Booking) -> None:
    [to_invitee] = outbox.rows("email", kind="booking_confirmed", user=None)
    assert tell(to_invitee, secret="parley:guess") == 400
    assert told_host() == 0


def test_without_a_secret_there_is_no_such_address(settings: Settings) -> None:
    def is_served() -> bool:
        patterns = importlib.reload(urls).urlpatterns
        return any(str(each.pattern) == "anymail/" for each in patterns)

    assert is_served()
    settings.ANYMAIL = {}
    assert not is_served()
