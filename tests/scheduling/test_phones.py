"""Phone numbers: read as people of the host's country write them, stored in one form."""

from typing import Any

import pytest
from django.test import Client
from hypothesis import given
from hypothesis import strategies as st

from accounts.models import User
from scheduling.domain import services
from scheduling.models import Booking, EventType
from scheduling.rules import phones
from tests import factories
from tests.pages import START, words
from tests.scheduling.calls import call, data, wrong
from webhooks.models import WebhookEvent

SECOND = int(START.timestamp())
BERLIN, NEW_YORK, NOWHERE = "Europe/Berlin", "America/New_York", "UTC"

NUMBERS = [
    (NEW_YORK, "(555) 123-4567", "+15551234567"),
    (BERLIN, "(030) 123456", "+4930123456"),
    (BERLIN, "0049 30 123456", "+4930123456"),
    (BERLIN, "+44 20 7946 0958 ext. 12", "+442079460958 ext. 12"),
    (BERLIN, "+442079460958 ext. 12", "+442079460958 ext. 12"),  # what we answer, sent again
    (NOWHERE, "+1\u00a0555\u202f123\u00a04567", "+15551234567"),
    (NOWHERE, "+1234567890", "+1234567890"),  # often used in examples; no number that is in use
    ("US/Eastern", "1-800-FLOWERS", "+18003569377"),
    ("Asia/Calcutta", "098765 43210", "+919876543210"),
]
NO_NUMBERS = [
    (BERLIN, "call me maybe"),
    (BERLIN, "1"),
    (BERLIN, "0"),
    (NOWHERE, "+999"),
    (NOWHERE, "(555) 123-4567"),  # of no country
    (BERLIN, "+49" + "1" * 30),
    (BERLIN, "12345678901234567;ext=1234567890123456789"),
    (BERLIN, "x" * 300),
    (BERLIN, "\0"),
]


@pytest.mark.parametrize(("zone", "typed", "kept"), NUMBERS)
def test_a_number_is_read_as_in_the_zones_country(zone: str, typed: str, kept: str) -> None:
    assert phones.read(typed, near=(zone,)) == kept


def test_where_the_first_zone_has_no_country_the_next_counts() -> None:
    near = ("Etc/GMT-2", "Asia/Tokyo", BERLIN)
    assert phones.read("03-1234-5678", near=near) == "+81312345678"


@pytest.mark.parametrize(("zone", "typed"), NO_NUMBERS)
def test_what_is_no_number_is_refused(zone: str, typed: str) -> None:
    with pytest.raises(ValueError, match="telephone number"):
        phones.read(typed, near=(zone,))


@given(st.text(max_size=60), st.sampled_from([BERLIN, NEW_YORK, NOWHERE]))
def test_whatever_is_typed_is_a_number_that_fits_or_none(typed: str, zone: str) -> None:
    try:
        kept = phones.read(typed, near=(zone,))
    except ValueError:
        return
    assert len(kept) <= phones.LONGEST
    assert phones.read(kept, near=()) == kept


# --- on pages and by API --------------------------------------------------------------------------

PHONE = {"name": "call", "label": "Call?", "type": "phone", "required": False, "options": []}


@pytest.fixture
def asked(alice: User) -> EventType:
    services.set_hours(user=alice, days={}, timezone=NEW_YORK)
    return factories.event_type(alice, location="phone_call", custom_fields=[PHONE])


@pytest.fixture
def body(asked: EventType) -> dict[str, Any]:
    return {
        "event_type_id": asked.pk,
        "attendee_email": "john@example.com",
        "attendee_name": "John Doe",
        "start_time": "2026-03-04T15:00:00Z",
        "attendee_phone": "(555) 123-4567",
    }


@pytest.fixture
def api(alice: User) -> Client:
    return factories.client(alice, "events:write")


pages = pytest.mark.usefixtures("at_now")


@pytest.mark.django_db
@pages
def test_a_visitor_types_numbers_as_at_home(client: Client, asked: EventType) -> None:
    form = {
        "start": SECOND + 5 * 3600,
        "name": "Jo",
        "email": "jo@example.com",
        "zone": BERLIN,
        "phone": "(555)\u00a0123-4567",
        "answer-0": "+44 20 7946 0958 ext. 12",
    }
    assert client.post("/alice/30-minute-meeting", form).status_code == 302
    booking = Booking.objects.get()
    assert booking.invitee_phone == "+15551234567"
    assert booking.custom_field_values == {"call": "+442079460958 ext. 12"}


@pytest.mark.django_db
@pages
def test_a_visitors_word_for_a_number_is_refused_beside_its_field(
    client: Client, asked: EventType
) -> None:
    form = {
        "start": SECOND + 5 * 3600,
        "name": "Jo",
        "email": "jo@example.com",
        "phone": "call me maybe",
        "answer-0": "",
    }
    page = client.post("/alice/30-minute-meeting", form)
    assert "Must be a phone number." in words(page)
    assert 'id="id_phone_error"' in page.content.decode()
    assert not Booking.objects.exists()


@pytest.mark.django_db
@pages
def test_the_api_reads_it_alike_and_answers_and_tells_it_in_one_form(
    api: Client, alice: User, body: dict[str, Any]
) -> None:
    factories.webhook(alice)
    answers = {"custom_field_values": {"call": "+44 20 7946 0958 ext. 12"}}
    booked = data(call(api, "POST", "/events", body | answers), 201)
    assert booked["invitee"]["phone"] == "+15551234567"
    assert booked["custom_field_values"] == {"call": "+442079460958 ext. 12"}
    told = WebhookEvent.objects.get(type="booking.created").body
    assert '"phone":"+15551234567"' in str(told)
    change = {"attendee_phone": "555-765-4321 x9", "custom_field_values": {"call": "212 555 0100"}}
    changed = data(call(api, "PATCH", f"/events/{booked['id']}", change))
    assert changed["invitee"]["phone"] == "+15557654321 ext. 9"
    assert changed["custom_field_values"] == {"call": "+12125550100"}


@pytest.mark.django_db
@pages
def test_the_api_refuses_a_word_for_a_number(api: Client, body: dict[str, Any]) -> None:
    said = [("attendee_phone", "Must be a phone number.")]
    refused = call(api, "POST", "/events", body | {"attendee_phone": "call me maybe"})
    assert wrong(refused) == said
    booked = data(call(api, "POST", "/events", body), 201)
    url = f"/events/{booked['id']}"
    assert wrong(call(api, "PATCH", url, {"attendee_phone": "call me maybe"})) == said


@pytest.mark.django_db
@pages
@pytest.mark.parametrize("phone", ["", " "])
def test_a_host_who_is_to_call_needs_a_number(
    api: Client, body: dict[str, Any], phone: str
) -> None:
    said = [("attendee_phone", "Phone is required.")]
    assert wrong(call(api, "POST", "/events", body | {"attendee_phone": phone})) == said
    booked = data(call(api, "POST", "/events", body), 201)
    url = f"/events/{booked['id']}"
    assert wrong(call(api, "PATCH", url, {"attendee_phone": phone})) == said


@pytest.mark.django_db
@pages
def test_others_need_none(api: Client, alice: User, body: dict[str, Any]) -> None:
    zoom = factories.event_type(alice, name="Zoom")
    without = {**body, "event_type_id": zoom.pk, "attendee_phone": ""}
    assert data(call(api, "POST", "/events", without), 201)["invitee"]["phone"] is None
