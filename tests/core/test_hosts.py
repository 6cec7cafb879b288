"""Host check: a request for a host outside ALLOWED_HOSTS leaves a log line that names it."""

import io
import json
import logging
from collections.abc import Iterator
from typing import Any

import pytest
from django.test import Client
from pytest_django import Settings

from core.web import hosts
from tests.core.lines import written
from tests.pages import stand_alone

pytestmark = pytest.mark.django_db


@pytest.fixture
def lines(settings: Settings, monkeypatch: pytest.MonkeyPatch) -> Iterator[io.StringIO]:
    stand_alone(settings)
    settings.REDIS_URL = ""
    logger = logging.getLogger("django.security.DisallowedHost")
    # Configured anew by another test, a logger has its filter once more.
    monkeypatch.setattr(logger, "filters", logger.filters[:1])
    for name in ("_until", "_named"):
        monkeypatch.setattr(installed(), name, type(getattr(installed(), name))())
    with written("core.web.hosts", "json") as text:
        yield text


def installed() -> Any:
    """Return the filter of Django's logger, as the settings configure it."""
    (found,) = logging.getLogger("django.security.DisallowedHost").filters
    assert isinstance(found, hosts.WrongHosts)
    return found


def told(text: io.StringIO) -> list[dict[str, Any]]:
    return [json.loads(line) for line in text.getvalue().splitlines()]


@pytest.mark.parametrize("path", ["/", "/accounts/login/", "/api/v1/users/me", "/ada"])
@pytest.mark.parametrize(
    "host", ["parley.example", "10.0.0.5:8000", "[2001:db8::7]:8000", "parley_web:8000"]
)
def test_the_line_names_the_host_and_the_setting(lines: io.StringIO, path: str, host: str) -> None:
    assert Client().get(path, headers={"Host": host}).status_code == 400
    (line,) = told(lines)
    wanted = {"event": "wrong_host", "level": "warning", "asked_host": host}
    assert {name: line[name] for name in wanted} == wanted
    assert line["setting"] == "ALLOWED_HOSTS"


@pytest.mark.parametrize(
    ("host", "shown"),
    [
        ('x" level=error event=forged', "x??level?error?event?forged"),
        ("a\x1b[2Jb", "a?[2Jb"),
        ("bob@example.com", "bob?example.com"),
        ("x" * 10_000, "x" * 100),
    ],
)
def test_nobody_writes_into_the_log_by_it(lines: io.StringIO, host: str, shown: str) -> None:
    Client().get("/", headers={"Host": host})
    (line,) = told(lines)
    assert line["asked_host"] == shown


def test_nobody_floods_the_log_by_it(lines: io.StringIO, monkeypatch: pytest.MonkeyPatch) -> None:
    first = [f"host-{number}.example" for number in range(5)]
    seconds = 1_000.0
    monkeypatch.setattr(hosts, "monotonic", lambda: seconds)
    for number in range(50):
        Client().get("/", headers={"Host": f"host-{number}.example"})
        Client().get("/", headers={"Host": first[0]})
    assert [line["asked_host"] for line in told(lines)] == first
    seconds += 60
    Client().get("/", headers={"Host": first[0]})
    assert [line["asked_host"] for line in told(lines)] == [*first, first[0]]
