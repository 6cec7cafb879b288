"""Invitees whose mail server refuses them for good."""

import pytest
import time_machine
from django.test import Client
from pytest_django import Settings

from accounts.models import User
from notifications.models import Notification
from tests import factories, outbox, wire
from tests.pages import NOW, START, stand_alone

pytestmark = pytest.mark.django_db


def test_the_host_is_told_and_sees_it_on_the_booking(
    mail_server: wire.MailServer, alice: User, settings: Settings
) -> None:
    stand_alone(settings)
    booking = factories.booking(factories.event_type(alice), start=START, now=NOW)
    Notification.objects.exclude(kind="booking_confirmed", user=None).delete()
    mail_server.refuse_next("550 5.1.1 No such user")
    with time_machine.travel(NOW, tick=False):
        outbox.send()
    states = {row.kind: row.state for row in outbox.rows("email")}
    assert states == {"booking_confirmed": "failed", "booking_undelivered": "sent"}
    [mail] = mail_server.received
    assert mail.subject == (
        "Your invitee gets no email: 30 Minute Meeting with John Doe, Wed 4 Mar, 10:00 AM"
    )
    booking.refresh_from_db()
    assert booking.undelivered_at is not None
    host = Client(headers={"host": "localhost"})
    host.force_login(alice)
    page = host.get(f"/bookings/{booking.pk}").content.decode()
    assert "Emails to this address do not arrive." in page
