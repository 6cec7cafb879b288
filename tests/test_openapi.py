"""OpenAPI document: allowed requests get the answers it describes; forbidden ones are refused.

Schemathesis reads the served document. It makes requests that fit the document and requests that do
not. It checks each answer against the document, with every check that it has.
"""

import os
import re
from collections.abc import Iterator, Mapping
from dataclasses import dataclass
from datetime import UTC, datetime, time, timedelta
from functools import cache
from ipaddress import ip_network
from typing import Any

import pytest
import schemathesis
from django.core import signals
from django.core.wsgi import get_wsgi_application
from django.db import close_old_connections, transaction
from django.utils import timezone
from hypothesis import HealthCheck
from hypothesis import settings as bounds
from hypothesis import strategies as st
from pytest_django import Settings
from schemathesis import Case, HookContext, Response
from schemathesis.checks import load_all_checks
from schemathesis.core.failures import AcceptedNegativeData, Failure
from schemathesis.core.parameters import ParameterLocation
from schemathesis.core.result import Ok
from schemathesis.openapi.checks import RejectedPositiveData, UseAfterFree
from schemathesis.pytest.lazy import get_all_tests

from accounts.domain import services as people
from accounts.models import Team, User
from calendars.domain import feeds
from core.db import outbox
from core.text.zones import names
from meetings.domain import services as meetings
from scheduling.domain import services as hosts
from tests import factories
from tests.pages import UNSEEN
from tests.torture.conftest import FULL

# PostgreSQL alone refuses a NUL in a text.
pytestmark = [pytest.mark.fuzz, pytest.mark.postgresql, pytest.mark.django_db]

TAGS = [
    "calendar_accounts",
    "calendars",
    "event_types",
    "events",
    "meeting",
    "teams",
    "tokens",
    "users",
    "webhooks",
]
# `make clients` gives new seeds.
SEED = os.environ.get("SCHEMATHESIS_SEED", "")
FIXED = not (FULL or SEED)
EXAMPLES, SCENARIOS = (100, 200) if FULL else (8, 12)
# Why a request that fits the document may still be refused with 422, in v3 with 400: what no schema
# can say, by operation as `<field>: <message>`. Any other refusal of such a request is a failure.
_QUESTIONS = (
    r"custom_fields\.\d+\.name: Another field has this name\.",  # among those sent
    r"custom_fields\.\d+\.options: A select needs options, and nothing else has them\.",
    r"location_custom: Enter the location details for a custom location\.",  # alone too
    r": You have an event type with this address already\.",
    r"(location_link|link_later): This location has no meeting link\.",
    r"(location_link|link_later): Give the link, or say that it follows(, but not both)?\.",
    r"location_link: The link must be an http or https URL\.",  # its host cannot be read
    r"schedule_id: You have no such schedule\.",
)
_START = (
    # What is offered depends on hours, bookings and the present time.
    r"start_time: (That time .*|No meeting starts at that time\.)",
    r"start_time: There is no such date and time\.",  # a thirtieth of February
)
_ANSWERS = (
    r"custom_field_values\.company: .*",  # the event type has this question
    r"custom_field_values: Give at most 50 values\.",  # with those that are there
    # The document bounds no value of any type: generators make nothing good of that.
    r"custom_field_values\..*: (Is over 5000 characters long|May not hold a NUL character)\.",
    r"attendee_phone: Must be a phone number\.",  # in any way that people write one
    r"join_url: The link must be an http or https URL\.",  # its host cannot be read
)
_HOURS = (
    r".*\.end: The end must be after the start\.( Midnight .*)?",
    r".*windows: Time ranges of a day may not overlap\.",
)
_SCHEDULE = (*_HOURS, r"name: You have a schedule with this name already\.")
_WEBHOOK = (
    r"url: .*",  # an address that may not be called, in any of its forms
    r"headers\..*: This header is set by Parley\.",
)
_CALENDAR_ACCOUNT = (
    r"url: .*",  # an address that may not be called, or has no calendar
    r"(username|password): CalDAV needs a user name and a password\.",
    r"(username|password): A calendar address \(ICS\) is read without it\.",
    r"(username|password): May not begin or end with a space\.",
    r"password: Give the password too: the address has changed\.",
)
_DURATION = r"duration: Choose one of the durations in minutes: .*"  # of this event type
_EVENT_TYPE = (
    *_QUESTIONS,
    r"redirect_url: Use an https URL without a user name or a password\.",
    r"durations: Offer up to 6 durations of 15 to 480 minutes\.",  # with the usual one
)
REFUSED: dict[str, tuple[str, ...]] = {
    "create_webhook": _WEBHOOK,
    "update_webhook": _WEBHOOK,
    "replace_webhook": _WEBHOOK,
    "create_calendar_account": _CALENDAR_ACCOUNT,
    "update_calendar_account": _CALENDAR_ACCOUNT,
    "replace_calendar_account": _CALENDAR_ACCOUNT,
    "recover_webhook": (r"since: There is no such date and time\.",),
    "create_event_type": _EVENT_TYPE,
    "update_event_type": _EVENT_TYPE,
    "replace_event_type": _EVENT_TYPE,
    "get_event_type_availability": (
        r"end_date: The end may not be before the start\.",
        r"end_date: Ask for at most 62 dates\.",
        _DURATION,
    ),
    "list_events": (r"(start_after|start_before|updated_after): There is no such date and time\.",),
    "list_meetings": (r": updated_after: There is no such date and time\.",),
    "create_event": (
        *_START,
        _DURATION,
        r"event_type_id: You have no such event type\.",
        r"guests: “.*” is the invitee\.",
        *_ANSWERS,
    ),
    "update_event": _ANSWERS,
    "replace_event": _ANSWERS,
    "reschedule_event": _START,
    "update_availability": _HOURS,
    "replace_availability": _HOURS,
    "create_schedule": _SCHEDULE,
    "update_schedule": _SCHEDULE,
    "replace_schedule": _SCHEDULE,
    "set_override": _HOURS,
    "create_meeting": (
        r": Invalid date: give a full date and a time.*",  # in any format that can be read
        r": The date is in the past\.",
        r": You cannot request a meeting with yourself\.",
        r": The link must be an http or https URL\.",  # its host cannot be read
    ),
}

# The document leaves out what nobody can see in a name, and what looks like a link in one.
ANYWHERE = (rf".*: {re.escape(UNSEEN)}", r".*: A name cannot contain “(://|www\.|/|@)”\.")

AnyCase = Case[Any]

schemathesis.openapi.format("timezone", st.sampled_from(sorted(names())))


@cache
def document(*, with_edges: bool = True) -> Any:
    """Load the served document, not during the collection of tests, since that takes seconds.

    With `with_edges`, every limit of each field is tried separately.
    """
    phases = {"coverage": {"enabled": with_edges}}
    config = schemathesis.Config.from_dict(CONFIG | {"phases": phases})
    schema = schemathesis.openapi.from_wsgi("/api/schema", get_wsgi_application(), config=config)
    schema.hook(filter_failure)
    schema.hook(map_body)
    return schema


CONFIG = {
    **({} if FULL and not SEED else {"seed": int(SEED or 2026)}),
    "generation": {
        "deterministic": FIXED,
        "max-examples": EXAMPLES,
        "database": "none",
        # Every request bears a good token; `ignored_auth` takes it away again.
        "with-security-parameters": False,
    },
}


def filter_failure(
    context: HookContext, failure: Failure, case: AnyCase, response: Response
) -> bool:
    """Ignore a refusal for one of the reasons above, and a price that is a number.

    An event that is deleted is cancelled and stays.
    """
    if isinstance(failure, UseAfterFree):
        return not case.path.startswith("/api/v1/events/")
    if isinstance(failure, AcceptedNegativeData) and isinstance(case.body, dict):
        return type(case.body.get("price")) not in (int, float)
    reasons = (*ANYWHERE, *REFUSED.get(case.operation.definition.raw["operationId"], ()))
    return not (
        isinstance(failure, RejectedPositiveData)
        and all(any(re.fullmatch(reason, said) for reason in reasons) for said in wrong(response))
    )


def map_body(context: HookContext, body: Any) -> Any:
    """Write 5.0 as 5: an integer is "a number without a fraction" (OpenAPI 3.1, data types)."""
    match body:
        case dict():
            return {name: map_body(context, value) for name, value in body.items()}
        case list():
            return [map_body(context, value) for value in body]
        case float() if body.is_integer():
            return int(body)
    return body


def wrong(response: Response) -> list[str]:
    body = response.json()
    details = body.get("details", [{"field": "", "message": body["message"]}])
    return [f"{detail['field']}: {detail['message']}" for detail in details]


@dataclass(frozen=True)
class World:
    """Existing objects for the requests, and the token that sends them."""

    token: str
    keys: Mapping[str, str]  # by the first word of the path
    numbers: Mapping[str, Any]

    def path_of(self, case: AnyCase) -> dict[str, Any]:
        """Return path parameters of an existing object."""
        there = {**self.numbers, "key": self.keys.get(case.path.split("/")[3], "")}
        return {name: there[name] for name in case.path_parameters}

    def body_of(self, case: AnyCase) -> Any:
        """Return the body with references to existing objects."""
        if not isinstance(case.body, dict):
            return case.body
        return {name: self.numbers.get(name, value) for name, value in case.body.items()}


@pytest.fixture
def world(alice: User, bob: User, team: Team, settings: Settings) -> World:
    now = timezone.now()
    settings.CALENDAR_ALLOWED_NETWORKS = [ip_network("127.0.0.0/8")]
    settings.WEBHOOK_ALLOWED_NETWORKS = [ip_network("127.0.0.0/8")]  # where nobody listens
    webhook = factories.webhook(alice, url="http://127.0.0.1:9/")
    delivery = factories.delivery(webhook, now=now)
    outbox.retry_later(delivery, now=now, error="refused", delay=None)
    monday = now.date() + timedelta(days=7 - now.weekday())
    start = datetime.combine(monday, time(9), UTC)
    event_type = factories.event_type(
        alice,
        requires_approval=True,
        custom_fields=[
            {
                "name": "company",
                "label": "Company",
                "type": "text",
                "required": False,
                "options": [],
            }
        ],
    )
    event = factories.booking(event_type, start=start, now=now)
    day = monday + timedelta(days=1)
    hosts.set_override(user=alice, day=day, windows=[{"start": "09:00", "end": "12:00"}])
    schedule = hosts.create_schedule(user=alice, name="Mornings")
    meeting = meetings.request_meeting(
        requester=bob,
        recipient_id=alice.pk,
        team_id=team.pk,
        date=start.isoformat(),
        link="",
        now=now,
    )
    # A closed port: nothing is looked up, and nobody answers.
    calendar = factories.calendar(alice, now=now, url="http://127.0.0.1:9/")
    feeds.rotate(user=alice, now=now)
    device = people.register_device(user=alice, token="t" * 32, platform="web")
    return World(
        token=factories.token(alice),
        keys={
            "event_types": event_type.uuid,
            "events": event.uuid,
            "webhooks": webhook.uuid,
            "users": schedule.uuid,
            "calendar_accounts": calendar.account.uuid,
            "calendars": calendar.uuid,
        },
        numbers={
            "meeting_id": meeting.pk,
            "team_id": team.pk,
            "device_id": device.pk,
            "delivery_key": delivery.uuid,
            "date": day.isoformat(),
            "user_id": bob.pk,
            "event_type_id": event_type.pk,
            "schedule_id": schedule.pk,
            "start_time": (start + timedelta(hours=1)).isoformat(),
        },
    )


@pytest.fixture(autouse=True)
def one_connection() -> Iterator[None]:
    """Keep the test's transaction open in the application, as under Django's own client."""
    ends = (signals.request_started, signals.request_finished)
    for end in ends:
        end.disconnect(close_old_connections)
    yield
    for end in ends:
        end.connect(close_old_connections)


def call(case: AnyCase, world: World) -> None:
    """Send the request, check the answer against the document, and roll back all changes."""
    with transaction.atomic():
        case.call_and_validate(headers={"Authorization": f"Bearer {world.token}"})
        transaction.set_rollback(True)


def fits(case: AnyCase, location: ParameterLocation) -> bool:
    assert case.meta
    part = case.meta.components.get(location)
    return part is not None and part.mode.is_positive


def test_every_operation_has_a_tag() -> None:
    tagged = document().include(tag=TAGS)
    assert {each.ok().label for each in tagged.get_all_operations()} == {
        each.ok().label for each in document().get_all_operations()
    }


@pytest.mark.parametrize("tag", TAGS)
def test_every_operation_answers_as_documented(
    tag: str, world: World, subtests: pytest.Subtests
) -> None:
    """The test avoids the decorator of Schemathesis, which generates cases during collection."""
    suppressing = bounds(derandomize=FIXED, suppress_health_check=list(HealthCheck))
    load_all_checks()
    # PUT is PATCH by another name, which has every edge of the same body tried.
    once = document(with_edges=False).include(tag=tag, method="PUT")
    edges = document().include(tag=tag).exclude(method="PUT")
    for schema in (once, edges):
        for each in get_all_tests(
            schema=schema, test_func=answers, settings=suppressing, given_kwargs={}
        ):
            assert isinstance(each, Ok), each
            operation, test = each.ok()
            assert tag in (operation.tags or ())
            with subtests.test(operation.label):
                test(world=world)


def answers(case: AnyCase, world: World) -> None:
    """Ask for an existing object. At full size, send the generated request too."""
    path = world.path_of(case) if fits(case, ParameterLocation.PATH) else case.path_parameters
    body = world.body_of(case) if fits(case, ParameterLocation.BODY) else case.body
    if FULL and (path, body) != (case.path_parameters, case.body):
        call(case, world)
    if path != case.path_parameters:
        case.path_parameters = path
    if body != case.body:
        case.body = body
    call(case, world)


def test_what_one_call_answers_others_go_on_with(world: World) -> None:
    """Created objects can be read and changed, and are gone after their deletion."""
    machine: Any = document().as_state_machine()
    headers = {"Authorization": f"Bearer {world.token}"}

    class Caller(machine):  # type: ignore[misc]  # made of the document
        def setup(self) -> None:
            self.before = transaction.savepoint()

        def teardown(self) -> None:
            transaction.savepoint_rollback(self.before)

        def before_call(self, case: AnyCase) -> None:
            if fits(case, ParameterLocation.BODY) and world.body_of(case) != case.body:
                case.body = world.body_of(case)

        def get_call_kwargs(self, case: AnyCase) -> dict[str, Any]:
            return {"headers": headers}

        def validate_response(self, response: Response, case: AnyCase, **_others: Any) -> None:
            case.validate_response(
                response,
                headers=headers,
                transport_kwargs={"headers": headers},
                recorder=self.recorder,
            )

    Caller.run(
        settings=bounds(
            max_examples=SCENARIOS,
            stateful_step_count=6,
            database=None,
            derandomize=FIXED,
            suppress_health_check=list(HealthCheck),
        )
    )
