"""Booking flow that was written for another server of this API, on a server as people run it.

Its commands run as they were written: only the host and the token are others. The clock of the
server stands in the week before its dates, which have passed.
"""

import json
import os
import re
import shutil
import subprocess
from collections.abc import Iterator
from dataclasses import dataclass
from pathlib import Path
from typing import Any

import pytest

from tests import wire
from tests.services import free_port
from tests.torture.deployment import ROOT, Deployment, deployed

pytestmark = [
    pytest.mark.both,
    pytest.mark.skipif(not shutil.which("curl"), reason="no curl on this machine"),
]

EVENT_TYPES = """
{
"data": [
{
"uuid": "et_abc123def456",
"id": 123,
"name": "30 Minute Meeting",
"slug": "30-minute-meeting",
"description": "A quick 30-minute consultation",
"duration": 30,
"color": "#4F46E5",
"location": {
"type": "zoom_meeting",
"display": "Zoom Call",
"custom": null
},
"is_active": true,
"requires_approval": false,
"scheduling_settings": {
"buffer_time_before": 5,
"buffer_time_after": 10,
"min_advance_booking": 24,
"max_advance_booking": 60,
"available_days": ["monday", "tuesday", "wednesday", "thursday", "friday"]
},
"timezone": "America/New_York",
"payment": {
"is_paid": false,
"price": null,
"currency": "USD",
"payment_method": null
},
"custom_fields": [],
"sort_order": 0,
"created_at": "2025-06-15T14:30:00Z",
"updated_at": "2025-06-15T14:30:00Z",
"uri": "/api/v1/event_types/123",
"scheduling_url": "username/30-minute-meeting"
}
],
"pagination": {
"page": 1,
"limit": 20,
"total": 1,
"pages": 1
}
}
"""
AVAILABILITY = """
{
"data": [
{
"date": "2025-06-20",
"slots": [
{
"start_time": "2025-06-20T09:00:00Z",
"end_time": "2025-06-20T10:00:00Z",
"available": true
},
{
"start_time": "2025-06-20T10:30:00Z",
"end_time": "2025-06-20T11:30:00Z",
"available": true
}
]
}
]
}
"""
BOOKED = """
{
"data": {
"uuid": "evt_abc123def456",
"id": 123,
"status": "confirmed",
"start_time": "2025-06-20T10:00:00Z",
"end_time": "2025-06-20T11:00:00Z",
"event_type": {
"name": "30 Minute Meeting",
"duration": 30
},
"invitee": {
"name": "John Doe",
"email": "john@example.com"
},
"created_at": "2025-06-15T14:30:00Z"
}
}
"""
FLOW = r"""
1. Get available event types
curl -H "Authorization: Bearer pat_..." \
"https://meetario.com/api/v1/event_types"
2. Check availability
curl -H "Authorization: Bearer pat_..." \
"https://meetario.com/api/v1/event_types/123/availability?start_date=2025-06-20"
3. Create booking
curl -X POST \
-H "Authorization: Bearer pat_..." \
-H "Content-Type: application/json" \
-d '{
"event_type_id": 123,
"attendee_email": "john@example.com",
"attendee_name": "John Doe",
"start_time": "2025-06-20T10:00:00Z"
}' \
"https://meetario.com/api/v1/events"
"""

CLOCK = """
from datetime import UTC, datetime

import time_machine

time_machine.travel(datetime(2025, 6, 12, 14, 30, tzinfo=UTC)).start()
"""
# The flow expects thirty minutes by name, an hour from start to end, and starts at nine, ten and
# half past ten. All of it holds of an hour that may begin every half hour.
SET_UP = """
from accounts.models import User
from scheduling.domain.services import create_event_type, set_hours

ada = User.objects.get(email="ada@example.com")
set_hours(user=ada, days={}, timezone="UTC")
create_event_type(
    host=ada, id=123, name="30 Minute Meeting", description="A quick 30-minute consultation",
    duration=60, slot_interval=30, min_advance_booking=24, available_days=[1, 2, 3, 4, 5],
    timezone="America/New_York", slug="of-the-flow",
)
"""
_PREFIX = re.compile(r"(?:et|evt)_")
_FORMS = [
    re.compile(r"\d{4}-\d\d-\d\dT\d\d:\d\d:\d\dZ"),
    re.compile(r"\d{4}-\d\d-\d\d"),
    re.compile(r"et_\w+"),
    re.compile(r"evt_\w+"),
    re.compile(r"/api/v1/event_types/\d+"),
    re.compile(r"#[0-9A-F]{6}"),
]


@dataclass(frozen=True)
class Shell:
    """Shell in which the commands of the flow reach this server with this token."""

    url: str
    token: str
    directory: Path

    def run(self, command: str) -> tuple[int, Any]:
        """Return what a command of the flow prints: a status and JSON."""
        for printed, ours in (("https://meetario.com", self.url), ("pat_...", self.token)):
            assert printed in command
            command = command.replace(printed, ours)
        done = subprocess.run(
            ["sh", "-c", command],
            env=os.environ | {"CURL_HOME": str(self.directory)},
            capture_output=True,
            text=True,
            timeout=30,
            check=True,
        )
        body, _line, status = done.stdout.rpartition("\n")
        return int(status), json.loads(body)


def commands() -> list[str]:
    """Return the commands of the flow, without the lines between them."""
    return re.split(r"^\d\. .*\n", FLOW, flags=re.MULTILINE)[1:]


@pytest.fixture(scope="module")
def deployment(tmp_path_factory: pytest.TempPathFactory) -> Iterator[Deployment]:
    directory: Path = tmp_path_factory.mktemp("documented")
    clock = directory / "clock"
    clock.mkdir()
    (clock / "sitecustomize.py").write_text(CLOCK)
    # Quiet, and the status behind the body: curl's own file, so that its commands stay as they are.
    (directory / ".curlrc").write_text('silent\nshow-error\nwrite-out = "\\n%{http_code}"\n')
    with deployed(directory, migrated=True) as deployment:
        deployment.environment.pop("PUBLIC_URL", None)
        path = deployment.environment["PYTHONPATH"]
        deployment.environment["PYTHONPATH"] = os.pathsep.join([str(clock), path])
        yield deployment


@pytest.fixture(scope="module")
def shell(deployment: Deployment) -> Iterator[Shell]:
    port = free_port()
    url = f"http://127.0.0.1:{port}"
    with deployment.running(str(ROOT / "manage.py"), "serve", PORT=str(port)) as server:

        def answers() -> bool:
            asked = ["curl", "--silent", "--output", os.devnull, f"{url}/api/v1/events"]
            return server.process.poll() is not None or not subprocess.run(asked).returncode  # noqa: PLW1510

        wire.until(answers, seconds=60, what="the first answer")
        assert server.process.poll() is None, server.output
        deployment.manage("shell", "-v", "0", "-c", SET_UP)
        token = deployment.manage("create_token", "ada@example.com", "--name", "curl").strip()
        yield Shell(url, token, deployment.directory)


def unlike(printed: Any, found: Any, where: str = "") -> list[str]:
    """Return the places where an answer differs from the printed shape.

    The shape is the names and their order, the nesting, the types and the forms of texts.
    """
    match printed, found:
        case dict(), dict():
            if [name for name in found if name in printed] != list(printed):
                return [f"{where}: {list(found)}"]
            inside = [(printed[name], found[name], f"{where}.{name}") for name in printed]
        case list(), list():
            inside = [(printed[0], inner, f"{where}[]") for inner in found if printed]
        case str(), str():
            forms = [form for form in _FORMS if form.fullmatch(printed)]
            return [] if all(form.fullmatch(found) for form in forms) else [f"{where}: {found}"]
        case _:
            # What is null there may be a text or a number of somebody else's.
            fits = printed is None or type(printed) is type(found)
            return [] if fits else [f"{where}: {found!r}"]
    return [difference for pair in inside for difference in unlike(*pair)]


def test_the_whole_flow(shell: Shell) -> None:
    get_event_types, check_availability, create_booking = commands()

    status, listed = shell.run(get_event_types)
    printed = json.loads(EVENT_TYPES)
    assert (status, list(listed), unlike(printed, listed)) == (200, list(printed), [])
    (offered,) = [row for row in listed["data"] if row["id"] == 123]
    (model,) = printed["data"]
    ours = {
        "uuid": offered["uuid"],
        "slug": "of-the-flow",
        "duration": 60,
        "location": model["location"] | {"link": None, "link_later": True},
        "scheduling_settings": model["scheduling_settings"]
        | {"buffer_time_before": 0, "buffer_time_after": 0, "slot_interval": 30}
        | {"daily_limit": None, "weekly_limit": None, "cancellation_notice": 0}
        | {"reminders": [1440, 15], "schedule_id": None},
        "durations": [],
        "is_hidden": False,
        "redirect_url": None,
        "confirm_email": False,
        "created_at": offered["created_at"],
        "updated_at": offered["updated_at"],
        "scheduling_url": "ada/of-the-flow",
    }
    assert offered == model | ours
    assert listed["pagination"] == printed["pagination"] | {"total": len(listed["data"])}

    status, free = shell.run(check_availability)
    printed = json.loads(AVAILABILITY)
    assert (status, list(free), unlike(printed, free)) == (200, ["data"], [])
    days = {day["date"]: day["slots"] for day in free["data"]}
    assert list(days) == [f"2025-06-{day}" for day in (20, 23, 24, 25, 26)]
    (friday,) = printed["data"]
    assert [slot for slot in days["2025-06-20"] if slot in friday["slots"]] == friday["slots"]
    starts = [slot["start_time"][11:16] for slot in days["2025-06-20"]]
    assert starts == [f"{half // 2:02}:{half % 2 * 30:02}" for half in range(18, 33)]

    status, booked = shell.run(create_booking)
    printed = json.loads(BOOKED)
    assert (status, list(booked), unlike(printed, booked)) == (201, ["data"], [])
    wanted, made = printed["data"], booked["data"]
    for name in ("status", "start_time", "end_time"):
        assert made[name] == wanted[name]
    assert made["event_type"] == {
        "uuid": offered["uuid"],
        "id": 123,
        "name": "30 Minute Meeting",
        "slug": "of-the-flow",
        "duration": 60,
    }
    assert made["invitee"] == wanted["invitee"] | {"phone": None}
    assert made["created_at"].startswith("2025-06-12T14:3")

    # It is taken now.
    status, refused = shell.run(create_booking)
    assert (status, refused["error"], refused["reason"]) == (409, "conflict", "busy")
    _status, free = shell.run(check_availability)
    left = [slot["start_time"][11:16] for slot in free["data"][0]["slots"]]
    assert left == [start for start in starts if start not in ("09:30", "10:00", "10:30")]
