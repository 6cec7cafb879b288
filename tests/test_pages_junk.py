"""Malformed requests that no form of Parley's sends: every page answers, and none crashes."""

import json
import re
from collections.abc import Callable, Iterator
from contextlib import contextmanager
from typing import Any
from unittest.mock import patch
from urllib.parse import quote, urlencode

import pytest
from django.db import transaction
from django.http import QueryDict
from django.test import Client
from pytest_django import Settings

from tests.page_table import ROUTES, ROWS, URLENCODED, Row, World
from tests.pages import content

# PostgreSQL alone refuses a NUL in a text.
pytestmark = [pytest.mark.django_db, pytest.mark.postgresql]

# As they stand in an address or a form: `%ED%A0%80` is half of a surrogate pair.
JUNK = [
    "",
    "x" * 5000,
    "%00",
    "%2500",
    "-1",
    "0",
    "9" * 5000,
    str(2**63),
    "1e999",
    "nan",
    "%ED%A0%80",
    "%F0%9F%92%A9",
    "%0D%0ASet-Cookie:%20a=b",
    "..%2F..",
    "%C2%B2",
    "9999-12-31",
    "0001-01-01",
    "//elsewhere.example",
    "http://[",
]
# Those that one field after the other is sent, each with all others as they should be.
WORST = ["x" * 5000, "%00", str(2**63), "%C2%B2"]
WORDS = (
    "tab",
    "page",
    "q",
    "event_type",
    "team",
    "from",
    "to",
    "week",
    "month",
    "day",
    "date",
    "start",
    "zone",
    "hours",
    "state",
    "mate",
    "next",
    "language",
    "act",
)
ACTS = (
    "",
    "x",
    "add",
    "add-",
    "add-1",
    "add-8",
    "add-question",
    "add-date",
    "remove",
    "remove-",
    "remove-1",
    "remove-1-",
    "remove-1-0",
    "remove-1-9",
    "remove-1--1",
    "remove-1-²",
    "remove-1-١",
    "remove-0",
    "remove-date-0",
    "remove-date-²",
    "remove-date-9999",
    "copy-1",
    "copy-",
    "up-0",
    "down-0",
    "down-9999",
    "save-",
    "move",
    "cancel",
    "back",
    "confirm",
    "x" * 5000,
    "\0",
)


@pytest.fixture(autouse=True)
def _unlimited(settings: Settings) -> None:
    settings.RATELIMIT_ENABLE = False  # which has tests of its own


@contextmanager
def asking(world: World, name: str) -> Iterator[Any]:
    """Yield a function that asks as the owner and rolls back each request. Report all failures."""
    client, failed = world.client("owner", name, raise_request_exception=False), []

    def ask(method: str, path: str, data: str = "", kind: str = URLENCODED, **more: Any) -> None:
        with transaction.atomic():
            page: Any = client.generic(method, path, data, kind, **more)
            transaction.set_rollback(True)
        if page.status_code >= 500 or b"Traceback" in content(page):
            failed.append((method, path[:200], data[:200], repr(page.exc_info)))
        assert not re.match(r"(https?:)?[/\\]{2}elsewhere", page.headers.get("Location", "/"))

    yield ask
    assert failed == []


@contextmanager
def looked_up() -> Iterator[set[str]]:
    """Collect all names that code looks up in a query or a form, present or not."""
    names: set[str] = set()

    def spied(method: Callable[..., Any]) -> Callable[..., Any]:
        def spy(self: QueryDict, name: Any, *rest: Any) -> Any:
            names.add(name)
            return method(self, name, *rest)

        return spy

    with (
        patch.object(QueryDict, "__getitem__", spied(QueryDict.__getitem__), create=True),
        patch.object(QueryDict, "__contains__", spied(QueryDict.__contains__), create=True),
        patch.object(QueryDict, "getlist", spied(QueryDict.getlist), create=True),
    ):
        yield names


def test_what_a_page_looks_up_is_seen(world: World) -> None:
    with looked_up() as words:
        world.client("owner", "meetings:home").get(world.path_of("meetings:home"))
    assert "week" in words


def parametrized(rows: list[Row]) -> pytest.MarkDecorator:
    return pytest.mark.parametrize("row", rows, ids=lambda row: f"{row.method} {row.name}")


def encoded(form: Any) -> str:
    return urlencode(form, doseq=True)


@parametrized([row for row in ROWS if "<" in ROUTES[row.name]])
def test_in_the_path(row: Row, world: World) -> None:
    parts = [part.partition(">")[0] for part in ROUTES[row.name].split(":")[1:]]
    data, kind = world.form_of(row.name)
    with asking(world, row.name) as ask:
        for part in parts:
            whole = world.path_of(row.name, **{part: "JUNK"})
            for junk in JUNK:
                ask(row.method, whole.replace("JUNK", junk), data, kind)


@parametrized([row for row in ROWS if row.method == "GET" or row.name == "scheduling:dates"])
def test_in_the_query(row: Row, world: World) -> None:
    path, (data, kind) = world.path_of(row.name).partition("?")[0], world.form_of(row.name)
    with asking(world, row.name) as ask:
        with looked_up() as words:
            ask(row.method, path, data, kind)
            for junk in JUNK:
                query = "&".join(f"{word}={junk}" for word in WORDS)
                ask(row.method, f"{path}?{query}", data, kind)
        for word in sorted(words & {"week", "month", "day", "date", "start", "page", "zone"}):
            for junk in (*WORST, "9999-12-31", "0001-01-01"):
                ask(row.method, f"{path}?{word}={junk}", data, kind)
        ask(row.method, f"{path}?" + "&".join(f"{number}=1" for number in range(5000)))
        ask(row.method, f"{path}?%00=1&=&&=&%ED%A0%80")


@parametrized([row for row in ROWS if row.method == "POST"])
def test_in_the_form(row: Row, world: World) -> None:
    path, form = world.path_of(row.name), world.body_of(row.name)
    with asking(world, row.name) as ask:
        for junk in JUNK:
            ask("POST", path, "&".join(f"{field}={junk}" for field in form))
        for field in form:
            rest = encoded({name: value for name, value in form.items() if name != field})
            for junk in WORST:
                ask("POST", path, f"{rest}&{field}={junk}")
            ask("POST", path, rest)
            ask("POST", path, f"{rest}&{field}[]=1&{field}=1&{field}=2")
        for act in ACTS if {"act", "answer"} & set(form) else ():
            ask("POST", path, encoded({**form, "act": act, "answer": act}))


@parametrized([row for row in ROWS if row.method == "POST"])
def test_in_place_of_a_form(row: Row, world: World) -> None:
    path, form = world.path_of(row.name), world.body_of(row.name)
    whole = encoded(form)
    with asking(world, row.name) as ask:
        ask("POST", path)
        ask("POST", path, "&".join(f"field-{number}=1" for number in range(5000)))
        ask("POST", path, "x" * 3_000_000)
        ask("POST", path, whole, "")
        ask("POST", path, json.dumps(dict(form)), "application/json")
        ask("POST", path, whole, "text/plain")
        ask("POST", path, whole, "multipart/form-data")
        ask("POST", path, whole, "multipart/form-data; boundary=x")
        ask("POST", path, whole, "multipart/form-data; boundary=" + quote("é") * 90)
        part = '--x\r\nContent-Disposition: form-data; name="{}"; filename="{}"\r\n\r\n\0\xff\r\n'
        ask(
            "POST",
            path,
            "".join(part.format(name, "../a") for name in form) + "--x--\r\n",
            "multipart/form-data; boundary=x",
        )
        for charset in ("utf-16", "utf-7", "nothing", "x" * 5000):
            ask("POST", path, whole, f"{URLENCODED}; charset={charset}")
            parts = part.replace('; filename="{}"', "").format("name") + "--x--\r\n"
            ask("POST", path, parts, f"multipart/form-data; boundary=x; charset={charset}")


@pytest.mark.parametrize("name", ["meetings:home", "public:event_type", "scheduling:manage"])
def test_in_headers(name: str, world: World) -> None:
    path, client, failed = world.path_of(name), Client(raise_request_exception=False), []

    def ask(address: str, kind: str, **headers: str) -> None:
        page: Any = client.generic("GET", address, "", kind, headers=headers)
        if page.status_code >= 500:
            failed.append((kind, str(headers)[:60], repr(page.exc_info)))

    for value in (*JUNK, '"', ";=;", "\xff" * 40, '"\\000\\000aaaaaaaa"'):
        for cookie in ("sessionid", "csrftoken", "messages", "language", "zone", "hours"):
            ask(path, "", Cookie=f"{cookie}={value}")
    for value in ("", "x" * 5000, "de;q=nan", "*", "-", "de-" * 600, "\xff"):
        ask(path, "", **{"Accept-Language": value})
    for charset in ("hex", "idna", "utf-16"):
        ask(f"{path}?tab=%41", f"text/plain; charset={charset}")
    assert failed == []
