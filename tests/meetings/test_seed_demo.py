"""The demo: who is in it, that it is made once, and that what it and the README print works."""

import io
import json
import re
import shlex
from datetime import timedelta
from pathlib import Path
from typing import Any
from urllib.parse import urlsplit

import pytest
from django.core.management import call_command
from django.test import Client
from django.utils import timezone

from accounts.models import Notification, Team, User
from meetings.enums import Status
from meetings.models import MeetingRequest
from scheduling.models import BusyTime

pytestmark = pytest.mark.django_db

README = (Path(__file__).resolve().parents[2] / "README.md").read_text()


@pytest.fixture
def demo() -> None:
    call_command("seed_demo", stdout=io.StringIO())


def tour() -> str:
    out = io.StringIO()
    call_command("seed_demo", tour=True, stdout=out)
    return out.getvalue()


def run_curl(client: Client, command: str, token: str) -> Any:
    """Do with the test client what this curl would do, with this token for its own."""
    words = shlex.split(command.replace("\\\n", " "))
    url = next(word for word in words if word.startswith("http"))
    headers = [words[i + 1] for i, word in enumerate(words) if word == "-H"]
    named = dict(header.split(": ", 1) for header in headers)
    named["Authorization"] = f"Bearer {token}"
    kind = named.pop("Content-Type")
    body = json.loads(words[words.index("-d") + 1])
    body["date"] = f"{timezone.now() + timedelta(days=9):%Y-%m-%d} 14:00:00"
    return client.post(urlsplit(url).path, body, content_type=kind, headers=named)


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


@pytest.mark.usefixtures("demo")
def test_nobody_gets_mail_about_what_the_demo_tells_of() -> None:
    due = Notification.objects.filter(due_at__lte=timezone.now())
    assert set(due.values_list("state", flat=True)) == {"withdrawn"}


@pytest.mark.usefixtures("demo")
def test_making_it_again_changes_nothing() -> None:
    def count() -> list[int]:
        return [m._default_manager.count() for m in (User, Team, MeetingRequest, BusyTime)]

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
def test_the_curl_that_is_printed_asks_for_a_meeting(client: Client) -> None:
    text = tour()
    token = re.findall(r"pat_\w+", text)[0]
    answer = run_curl(client, text[text.index("curl") :], token)
    assert (answer.status_code, answer.json()["timezone"]) == (201, "Europe/London")


@pytest.mark.django_db(transaction=True, reset_sequences=True)
@pytest.mark.usefixtures("demo")
def test_the_commands_of_the_readme(client: Client) -> None:
    """On a new database, where Founders has id 1 and Grace id 2."""
    assert README.startswith("# Parley\n\n    make run\n    make test\n")
    command = re.findall(r"manage\.py (create_token .*)`", README)[0]
    out = io.StringIO()
    call_command(*shlex.split(command), stdout=out)
    curl = re.findall(r"^curl .*?^```", README, re.MULTILINE | re.DOTALL)[0].removesuffix("```")
    answer = run_curl(client, curl, out.getvalue().strip())
    assert (answer.status_code, answer.json()["timezone"]) == (201, "Europe/London")


def test_what_the_readme_points_at_is_there() -> None:
    root = Path(__file__).resolve().parents[2]
    targets = re.findall(r"\]\(([\w/.]+\.md)\)", README)
    assert targets == ["docs/architecture.md", "docs/settings.md", "CHANGELOG.md"]
    assert [target for target in targets if not (root / target).exists()] == []
    makefile = (root / "Makefile").read_text()
    for name in set(re.findall(r"`?make (\w+)`?", README)):
        assert re.search(rf"^(test )?{name}:?", makefile, re.MULTILINE)


def test_every_setting_is_in_the_table() -> None:
    root = Path(__file__).resolve().parents[2]
    read = set(re.findall(r'read\(\s*"(\w+)"', (root / "config/settings.py").read_text()))
    table = re.findall(r"^\| `(\w+)` \|", (root / "docs/settings.md").read_text(), re.MULTILINE)
    assert sorted(table) == sorted(read)
