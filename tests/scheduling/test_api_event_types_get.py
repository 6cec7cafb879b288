"""GET /api/v1/event_types/{id}: lookup by number and UUID, and refusals."""

import pytest
from django.test import Client
from pytest_django import DjangoAssertNumQueries

from accounts.models import Team, User
from scheduling.models import EventType
from tests import factories
from tests.scheduling.calls import call, data, missing


@pytest.fixture
def api(alice: User) -> Client:
    return factories.client(alice, "event_types:read")


def test_it_is_found_by_number_and_by_uuid(api: Client, event_type: EventType) -> None:
    listed = data(call(api, "GET", "/event_types"))
    for key in (event_type.pk, event_type.uuid, f"0{event_type.pk}", f"{event_type.uuid}/"):
        assert [data(call(api, "GET", f"/event_types/{key}"))] == listed


@pytest.mark.parametrize(
    "key",
    [
        "0",
        "99999",
        "-1",
        "1.0",
        "9" * 18,
        "9" * 19,
        "9" * 400,
        "et_00000000000000000000",
        "et_",
        "30-minute-meeting",
        "x",
        "١",
        "%00",
        "et_%00",
        "%ff",
        "%20",
        "' OR 1=1",
        "null",
    ],
)
def test_what_is_not_there_is_404(api: Client, event_type: EventType, key: str) -> None:
    assert missing(call(api, "GET", f"/event_types/{key}")) == "event type not found"


@pytest.mark.parametrize("method", ["GET", "PATCH", "PUT", "DELETE"])
def test_somebody_elses_is_404(
    event_type: EventType, bob: User, charlie: User, team: Team, method: str
) -> None:
    for person in (bob, charlie):
        for key in (event_type.pk, event_type.uuid):
            answer = call(factories.client(person), method, f"/event_types/{key}", {"name": "x"})
            assert missing(answer) == "event type not found"
    event_type.refresh_from_db()
    assert event_type.name == "30 Minute Meeting"


def test_a_method_that_it_has_not_is_405(api: Client, alice: User, event_type: EventType) -> None:
    status, body = call(factories.client(alice), "POST", f"/event_types/{event_type.pk}", {})
    assert (status, body["error"], body["message"]) == (
        405,
        "method_not_allowed",
        'Method "POST" not allowed.',
    )


def test_it_takes_two_queries(
    api: Client, event_type: EventType, django_assert_num_queries: DjangoAssertNumQueries
) -> None:
    call(api, "GET", "/event_types")  # the token's last use is noted
    with django_assert_num_queries(2):  # token, row
        call(api, "GET", f"/event_types/{event_type.uuid}")
