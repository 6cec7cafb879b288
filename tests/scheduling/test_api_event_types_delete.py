"""DELETE /api/v1/event_types/{id}: unused event types are deleted, others deactivated."""

from datetime import timedelta

import pytest
import time_machine
from django.test import Client

from accounts.models import User
from scheduling.domain import bookings
from scheduling.models import Booking, EventType
from tests import factories
from tests.pages import NOW
from tests.scheduling.calls import call, data, missing

pytestmark = pytest.mark.usefixtures("at_now")


@pytest.fixture
def api(alice: User) -> Client:
    return factories.client(alice)


def test_one_without_events_is_gone(api: Client, event_type: EventType) -> None:
    url = f"/event_types/{event_type.pk}"
    assert call(api, "DELETE", url) == (200, {"message": "Event type deleted successfully"})
    assert EventType.objects.count() == 0
    assert missing(call(api, "DELETE", url)) == "event type not found"


@pytest.mark.parametrize("cancelled", [False, True])
def test_one_with_events_is_deactivated_and_kept(
    api: Client, event_type: EventType, booking: Booking, alice: User, cancelled: bool
) -> None:
    if cancelled:
        bookings.cancel(booking=booking, actor=bookings.host(alice), now=NOW)
    url = f"/event_types/{event_type.uuid}"
    before = data(call(api, "GET", url))
    with time_machine.travel(NOW + timedelta(minutes=5), tick=False):
        for _ in range(2):
            assert call(api, "DELETE", url) == (
                200,
                {"message": "Event type deactivated, since it has events"},
            )
    assert data(call(api, "GET", url)) == before | {
        "is_active": False,
        "updated_at": "2026-03-02T09:05:00Z",
    }
    event = data(call(api, "GET", f"/events/{booking.pk}"))
    assert (event["event_type"]["id"], event["status"]) == (
        event_type.pk,
        "cancelled" if cancelled else "confirmed",
    )
