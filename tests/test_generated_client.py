"""A client that openapi-python-client makes of the served document books what it reads is free."""

import os
import subprocess
import sys
from collections.abc import Iterator
from datetime import datetime
from importlib import import_module
from pathlib import Path
from typing import Any

import pytest
from django.test import Client
from pytest_django.live_server_helper import LiveServer

from accounts.models import User
from scheduling.models import Booking
from tests import factories

PACKAGE = "parley_client"
PROGRAMS = Path(sys.executable).parent

pytestmark = pytest.mark.django_db(transaction=True)


@pytest.fixture
def generated(client: Client, tmp_path: Path, monkeypatch: pytest.MonkeyPatch) -> Iterator[None]:
    """The package can be imported; the generator found no fault in the OpenAPI document."""
    document = tmp_path / "schema.json"
    document.write_bytes(client.get("/api/schema").content)
    made = subprocess.run(
        [
            *(PROGRAMS / "openapi-python-client", "generate", "--fail-on-warning"),
            *("--path", document, "--meta", "none", "--output-path", tmp_path / PACKAGE),
        ],
        env=os.environ | {"PATH": f"{PROGRAMS}{os.pathsep}{os.environ['PATH']}"},  # it calls ruff
        capture_output=True,
        text=True,
        check=False,
    )
    assert (made.returncode, made.stderr) == (0, ""), made.stdout + made.stderr
    assert "arning" not in made.stdout
    monkeypatch.syspath_prepend(tmp_path)
    yield
    for name in [name for name in sys.modules if name.split(".")[0] == PACKAGE]:
        del sys.modules[name]


def operation(tag: str, name: str) -> Any:
    return import_module(f"{PACKAGE}.api.{tag}.{name}")


def model(name: str) -> Any:
    return getattr(import_module(f"{PACKAGE}.models"), name)


@pytest.fixture
def api(generated: None, live_server: LiveServer, alice: User) -> Iterator[Any]:
    with import_module(f"{PACKAGE}.client").AuthenticatedClient(
        base_url=live_server.url,
        token=factories.token(alice),
        raise_on_unexpected_status=True,
        httpx_args={"trust_env": False},  # no proxy stands before this server
    ) as api:
        yield api


def test_a_generated_client_books_a_free_start(api: Any, alice: User) -> None:
    factories.event_type(alice, name="Intro", duration=30)
    [intro] = operation("event_types", "list_event_types").sync(client=api, active=True).data
    assert (intro.name, intro.duration, intro.payment.price) == ("Intro", 30, None)

    read = operation("event_types", "get_event_type_availability")
    slot = read.sync(str(intro.id), client=api, timezone="Europe/London").data[-1].slots[0]
    assert (slot.available, type(slot.start_time)) == (True, datetime)

    wanted = model("NewEventRequest")(
        event_type_id=intro.id,
        attendee_name="John Doe",
        attendee_email="john@example.com",
        start_time=slot.start_time,
        timezone="America/New_York",
        custom_field_values=model("NewEventRequestCustomFieldValues").from_dict(
            {"company": "ACME Corp"}
        ),
    )
    book = operation("events", "create_event")
    booked = book.sync(client=api, body=wanted, idempotency_key="intro-for-john").data
    assert (booked.status, booked.event_type.id) == (model("Status").CONFIRMED, intro.id)
    assert Booking.objects.get().start == slot.start_time

    event = operation("events", "get_event").sync(booked.uuid, client=api).data
    assert event == booked
    assert (event.start_time, event.end_time) == (slot.start_time, slot.end_time)
    assert (event.invitee.name, event.invitee.phone) == ("John Doe", None)
    assert event.custom_field_values.to_dict() == {"company": "ACME Corp"}


def test_what_is_refused_comes_as_an_error(api: Any, alice: User) -> None:
    missing = operation("events", "get_event").sync("evt_00000000000000000000", client=api)
    assert (missing.error, missing.status_code) == ("not_found", 404)

    device = model("NewDeviceRequest")(token=" ", platform=model("PlatformEnum").WEB)
    refused = operation("users", "create_device").sync(client=api, body=device)
    assert (refused.error, refused.status_code) == ("validation_error", 422)
    assert [detail.field for detail in refused.details] == ["token"]
