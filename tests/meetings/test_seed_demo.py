"""Demo data: its people, its single creation, and the commands that it and the README print."""

import io
import json
import re
import shlex
from collections.abc import Callable
from datetime import UTC, datetime, timedelta
from pathlib import Path
from typing import Any
from urllib.parse import urlsplit

import pytest
import time_machine
from django.core.management import call_command
from django.test import Client
from django.utils import timezone
from pytest_django import Settings

from accounts.models import Membership, Team, User
from calendars.models import BusyTime
from meetings.models import MeetingRequest
from notifications.models import Notification
from scheduling.models import Booking, EventType, Schedule
from scheduling.models.enums import Status

pytestmark = pytest.mark.django_db

README = (Path(__file__).resolve().parents[2] / "README.md").read_text()


@pytest.fixture
def demo() -> None:
    call_command("seed_demo", stdout=io.StringIO())


def tour() -> str:
    out = io.StringIO()
    call_command("seed_demo", tour=True, stdout=out)
    return out.getvalue()


def run_curl(client: Client, command: str, token: str, **body: str) -> Any:
    """Do with the test client what this `curl` command does, with this token and these values."""
    words = shlex.split(command.replace("\\\n", " "))
    path = urlsplit(next(word for word in words if word.startswith("http"))).path
    headers = [words[i + 1] for i, word in enumerate(words) if word == "-H"]
    named = dict(header.split(": ", 1) for header in headers)
    named["Authorization"] = f"Bearer {token}"
    if "-d" not in words:
        return client.get(path, headers=named)
    kind = named.pop("Content-Type")
    sent = json.loads(words[words.index("-d") + 1]) | body
    return client.post(path, sent, content_type=kind, headers=named)


def curls(text: str) -> list[str]:
    """Return the `curl` commands of a text, each with its continued lines."""
    return re.findall(r"^ *curl (?:.*\\\n)*.*", text, re.MULTILINE)


def soon() -> str:
    return f"{timezone.now() + timedelta(days=9):%Y-%m-%d} 14:00:00"


@pytest.mark.usefixtures("demo")
def test_the_people_and_their_team() -> None:
    people = User.objects.order_by("id").values_list("email", "username", "timezone")
    assert list(people) == [
        ("ada@example.com", "ada", "America/New_York"),
        ("grace@example.com", "grace", "Europe/London"),
        ("linus@example.com", "linus", "Asia/Kathmandu"),
        ("margaret@example.com", "margaret", "America/Los_Angeles"),
    ]
    members = Team.objects.get(name="Founders").memberships.values_list("user__username", "role")
    assert list(members) == [("ada", "owner"), ("grace", "manager"), ("linus", "member")]
    assert not Team.objects.filter(members__username="margaret").exists()


@pytest.mark.usefixtures("demo")
def test_there_are_meetings_in_every_state_and_none_is_far_ahead() -> None:
    now = timezone.now()
    found = {meeting.status_at(now) for meeting in MeetingRequest.objects.all()}
    assert found == set(Status)
    assert max(meeting.start for meeting in MeetingRequest.objects.all()) < now + timedelta(days=6)


@pytest.mark.parametrize("day", range(2, 9))
def test_whatever_day_it_is_there_are_bookings_in_every_state(day: int) -> None:
    with time_machine.travel(datetime(2026, 3, day, 5 * day % 24, 37, tzinfo=UTC), tick=False):
        call_command("seed_demo", stdout=io.StringIO())
        now = timezone.now()
    found = {booking.status_at(now) for booking in Booking.objects.all()}
    assert found == set(Status)
    assert Booking.objects.filter(history__change="rescheduled").count() == 1
    assert max(booking.start for booking in Booking.objects.all()) < now + timedelta(days=6)
    assert sorted(EventType.objects.values_list("host__username", "slug")) == [
        ("ada", "30-minute-meeting"),
        ("ada", "strategy-session"),
        ("grace", "30-minute-meeting"),
        ("grace", "office-hours"),
        ("linus", "30-minute-meeting"),
        ("margaret", "30-minute-meeting"),
    ]


@pytest.mark.usefixtures("demo")
def test_nobody_gets_mail_about_what_the_demo_tells_of() -> None:
    due = Notification.objects.filter(due_at__lte=timezone.now())
    assert set(due.values_list("state", flat=True)) == {"withdrawn"}


@pytest.mark.usefixtures("demo")
def test_making_it_again_changes_nothing() -> None:
    def count() -> list[int]:
        models = (User, Team, MeetingRequest, BusyTime, Schedule, EventType, Booking)
        return [model._default_manager.count() for model in models]

    before = count()
    call_command("seed_demo", stdout=io.StringIO())
    assert count() == before


def test_a_database_with_people_is_left_alone(alice: User) -> None:
    call_command("seed_demo", if_empty=True, stdout=io.StringIO())
    assert list(User.objects.all()) == [alice]
    assert tour() == ""


@pytest.mark.usefixtures("demo")
def test_the_people_can_sign_in(client: Client) -> None:
    for name in ("ada", "grace", "linus", "margaret"):
        answer = client.post(
            "/accounts/login/", {"login": f"{name}@example.com", "password": "demo-password"}
        )
        assert (answer.status_code, answer.headers.get("Location")) == (302, "/")
        client.logout()


@pytest.mark.usefixtures("demo")
def test_the_curls_that_are_printed(client: Client) -> None:
    text = tour()
    token = re.findall(r"pat_\w+", text)[0]
    ask, look = curls(text)
    asked = run_curl(client, ask, token, date=soon())
    assert (asked.status_code, asked.json()["timezone"]) == (201, "Europe/London")
    assert run_curl(client, look, token).json()["data"][0]["slots"][0]["available"] is True


@pytest.mark.usefixtures("demo")
@pytest.mark.parametrize(
    "change",
    [
        lambda: EventType.objects.filter(host__username="ada").update(is_active=False),
        lambda: User.objects.filter(username="grace").update(is_active=False),
        lambda: User.objects.filter(username="grace").update(email="grace@example.org"),
        lambda: Membership.objects.filter(user__username="ada").delete(),
    ],
)
def test_a_demo_that_somebody_has_changed_prints_no_command_that_fails(
    change: Callable[[], object],
) -> None:
    change()
    assert tour() == ""


@pytest.mark.usefixtures("demo")
def test_any_number_of_starts_print_a_token(settings: Settings) -> None:
    settings.LIMITS = settings.LIMITS | {"tokens": 1}
    assert len({re.findall(r"pat_\w+", tour())[0] for _ in range(3)}) == 3


def test_what_the_readme_points_at_is_there() -> None:
    root = Path(__file__).resolve().parents[2]
    targets = re.findall(r"\]\(([\w/.-]+\.md)\)", README)
    assert targets == [
        "docs/architecture.md",
        "docs/contract.md",
        "docs/pages.md",
        "docs/quickstart.md",
        "docs/api-tokens.md",
        "docs/webhooks.md",
        "docs/calendars.md",
        "docs/observability.md",
        "docs/settings.md",
        "docs/privacy.md",
        "docs/deploy.md",
        "docs/ha.md",
        "docs/performance.md",
        "docs/scale.md",
        "SECURITY.md",
        "CONTRIBUTING.md",
        "CHANGELOG.md",
    ]
    assert [target for target in targets if not (root / target).exists()] == []


def test_every_setting_is_in_the_table() -> None:
    root = Path(__file__).resolve().parents[2]
    read = set(re.findall(r'read\(\s*"(\w+)"', (root / "config/settings.py").read_text()))
    table = re.findall(r"^\| `(\w+)` \|", (root / "docs/settings.md").read_text(), re.MULTILINE)
    assert sorted(table) == sorted(read)
