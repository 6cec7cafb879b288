"""API middleware: every path below /api/ answers in the API's format, even after a failure."""

import re
from collections.abc import Iterator
from datetime import UTC, datetime

import pytest
import time_machine
from django.db import connection
from django.test import Client
from pytest_django import Settings

from accounts.models import User, new_token
from tests import factories

pytestmark = [pytest.mark.django_db, pytest.mark.urls("tests.core.probe_urls")]

NOW = datetime(2026, 3, 2, 9, 0, 30, tzinfo=UTC)
NOT_FOUND = {
    "error": "not_found",
    "message": "There is no such resource.",
    "status_code": 404,
    "timestamp": "2026-03-02T09:00:30Z",
}
CRASHED = {
    "error": "server_error",
    "message": "Something went wrong on our side.",
    "status_code": 500,
    "timestamp": "2026-03-02T09:00:30Z",
}
LIMITS = ("X-RateLimit-Limit", "X-RateLimit-Remaining", "X-RateLimit-Reset", "X-RateLimit-Used")


@pytest.fixture(autouse=True)
def clock(settings: Settings) -> Iterator[None]:
    settings.STORAGES = settings.STORAGES | {
        "staticfiles": {"BACKEND": "django.contrib.staticfiles.storage.StaticFilesStorage"}
    }
    with time_machine.travel(NOW, tick=False):
        yield


@pytest.fixture
def client() -> Client:
    """Return a client that gets a crash as an answer, like a real caller."""
    return Client(raise_request_exception=False)


@pytest.mark.parametrize("path", ["/api/v1/nothing", "/api/nothing", "/api/", "/api", "/api/v3"])
def test_an_unknown_path(client: Client, path: str) -> None:
    answer = client.get(path)
    assert (answer.status_code, answer.json()) == (404, NOT_FOUND)


def test_an_unknown_path_of_v3(client: Client) -> None:
    answer = client.get("/api/v3/meeting/nothing")
    assert answer.status_code == 404
    assert answer.json() == {"error": 404, "message": "There is no such resource."}


def test_a_crash(client: Client, caplog: pytest.LogCaptureFixture) -> None:
    answer = client.get("/api/v1/fail/crash")
    assert (answer.status_code, answer.json()) == (500, CRASHED)
    [record] = [record for record in caplog.records if record.levelname == "ERROR"]
    assert record.getMessage() == "Internal Server Error: /api/v1/fail/crash"


def test_a_crash_in_v3(client: Client) -> None:
    answer = client.get("/api/v3/meeting/fail/crash")
    assert answer.status_code == 500
    assert answer.json() == {"error": 500, "message": "Something went wrong on our side."}


def test_a_crash_of_a_plain_view(client: Client) -> None:
    answer = client.get("/api/v1/broken")
    assert (answer.status_code, answer.json()) == (500, CRASHED)


def test_a_crash_while_debugging(client: Client, settings: Settings) -> None:
    settings.DEBUG = True
    answer = client.get("/api/v1/fail/crash")
    assert (answer.status_code, answer.json()) == (500, CRASHED)


def test_a_page_that_is_an_error_keeps_its_status(client: Client) -> None:
    answer = client.get("/api/v1/page")
    body = answer.json()
    assert (answer.status_code, body["status_code"], body["error"]) == (503, 503, "unavailable")
    assert answer["X-Content-Type-Options"] == "nosniff"


def test_a_bad_host(client: Client) -> None:
    answer = client.get("/api/v1/users/me", headers={"Host": "evil.example"})
    assert answer.status_code == 400
    assert answer.json() == {
        "error": "bad_request",
        "message": "The request is malformed.",
        "status_code": 400,
        "timestamp": "2026-03-02T09:00:30Z",
    }


def test_a_database_that_fails_while_authenticating(
    client: Client, caplog: pytest.LogCaptureFixture
) -> None:
    token = new_token()
    with connection.cursor() as cursor:
        cursor.execute("ALTER TABLE accounts_apitoken RENAME TO elsewhere")
    answer = client.get("/api/v1/users/me", headers={"Authorization": f"Bearer {token}"})
    assert (answer.status_code, answer.json()) == (500, CRASHED)
    assert all(name in answer.headers for name in LIMITS)
    errors = [record for record in caplog.records if record.levelname == "ERROR"]
    assert [record.getMessage() for record in errors] == ["Internal Server Error: /api/v1/users/me"]
    assert token not in caplog.text


def test_what_lies_outside_is_left_alone(client: Client) -> None:
    answer = client.get("/outside")
    assert (answer.status_code, answer.content) == (503, b"<p>Not well.</p>")
    assert "X-RateLimit-Limit" not in answer
    assert "Access-Control-Allow-Origin" not in answer


def test_one_trailing_slash_is_stripped(alice: User) -> None:
    client = factories.client(alice)
    assert client.get("/api/v1/users/me/").json()["data"]["email"] == "alice@example.com"
    assert client.get("/api/v1/users/me//").json() == NOT_FOUND


@pytest.mark.parametrize(
    ("path", "status"),
    [
        ("/api/v1/empty", 200),
        ("/api/v1/nothing", 404),
        ("/api/v1/fail/crash", 500),
        ("/api/v1/page", 503),
    ],
)
def test_every_answer_tells_of_the_minute(
    client: Client, alice: User, settings: Settings, path: str, status: int
) -> None:
    settings.REDIS_URL = ""
    settings.API_RATE_LIMITS = {1: 10, 60: 100}
    answer = client.get(path, headers={"Authorization": f"Bearer {factories.token(alice)}"})
    assert answer.status_code == status
    end = int(NOW.timestamp()) + 30
    assert [answer[name] for name in LIMITS] == ["100", "99", str(end), "1"]
    assert answer["Cache-Control"] == "no-store"
    assert answer["Access-Control-Allow-Origin"] == "*"


def test_a_request_id_is_given(client: Client) -> None:
    given = client.get("/api/v1/empty")["X-Request-Id"]
    assert re.fullmatch(r"[0-9a-f]{8}(-[0-9a-f]{4}){3}-[0-9a-f]{12}", given)
    assert client.get("/api/v1/empty")["X-Request-Id"] != given


@pytest.mark.parametrize("ours", ["a", "Trace-1", "x" * 64])
def test_a_request_id_is_kept(client: Client, ours: str) -> None:
    assert client.get("/api/v1/empty", headers={"X-Request-Id": ours})["X-Request-Id"] == ours


@pytest.mark.parametrize("theirs", ["", "a b", "x" * 65, "id\tx", "ü", "a_b"])
def test_another_request_id_is_replaced(client: Client, theirs: str) -> None:
    answer = client.get("/api/v1/empty", headers={"X-Request-Id": theirs})
    assert answer["X-Request-Id"] != theirs
    assert len(answer["X-Request-Id"]) == 36


def test_a_preflight_needs_no_token(client: Client) -> None:
    answer = client.options(
        "/api/v1/users/me",
        headers={
            "Origin": "https://app.example",
            "Access-Control-Request-Method": "PUT",
        },
    )
    assert (answer.status_code, answer.content) == (204, b"")
    assert "Content-Type" not in answer
    assert {name: answer[name] for name in answer.headers if name.startswith("Access-")} == {
        "Access-Control-Allow-Origin": "*",
        "Access-Control-Allow-Methods": "GET, HEAD, POST, PUT, PATCH, DELETE, OPTIONS",
        "Access-Control-Allow-Headers": (
            "Authorization, Content-Type, Idempotency-Key, X-Request-Id"
        ),
        "Access-Control-Max-Age": "86400",
        "Access-Control-Expose-Headers": (
            "X-RateLimit-Limit, X-RateLimit-Remaining, X-RateLimit-Reset, X-RateLimit-Used,"
            " Retry-After, X-Request-Id, Idempotent-Replayed"
        ),
    }


BROWSER = {"Origin": "https://app.example", "Access-Control-Request-Method": "POST"}


@pytest.mark.parametrize(
    "asked",
    [
        "authorization, content-type",
        "baggage,sentry-trace,traceparent,tracestate,x-requested-with",
        "X-Any_Thing.At-All",
    ],
)
def test_a_preflight_allows_the_headers_that_it_asks_for(client: Client, asked: str) -> None:
    answer = client.options(
        "/api/v1/events", headers={**BROWSER, "Access-Control-Request-Headers": asked}
    )
    assert answer["Access-Control-Allow-Headers"] == asked
    assert answer["Vary"] == "Access-Control-Request-Headers"


@pytest.mark.parametrize("asked", ["", ",", "a b", "a: b", "<script>", "é", "a," * 600 + "a"])
def test_it_repeats_nothing_but_names(client: Client, asked: str) -> None:
    answer = client.options(
        "/api/v1/events", headers={**BROWSER, "Access-Control-Request-Headers": asked}
    )
    assert answer["Access-Control-Allow-Headers"] == (
        "Authorization, Content-Type, Idempotency-Key, X-Request-Id"
    )


def test_preflights_are_not_counted(client: Client, settings: Settings) -> None:
    """The browsers of a whole office share one address."""
    settings.REDIS_URL = ""
    settings.API_RATE_LIMITS = {1: 2, 60: 100}
    for _number in range(11):
        answer = client.options("/api/v1/events", headers=BROWSER)
        assert (answer.status_code, answer["Access-Control-Allow-Origin"]) == (204, "*")
        assert not [name for name in LIMITS if name in answer]
    # Any other OPTIONS is.
    plain = [client.options("/api/v1/events") for _number in range(3)]
    assert [each.status_code for each in plain] == [204, 204, 429]
    assert [each["X-RateLimit-Used"] for each in plain] == ["1", "2", "2"]
    assert client.options("/api/v1/events", headers=BROWSER).status_code == 204


def test_an_answer_sets_no_cookie(alice: User) -> None:
    client = factories.client(alice)
    for path in ("/api/v1/empty", "/api/docs", "/api/docs?script=", "/api/schema"):
        answer = client.get(path)
        assert (answer.status_code, answer.cookies.output()) == (200, "")


def test_the_docs_page_lives_under_the_policy(client: Client, settings: Settings) -> None:
    answer = client.get("/api/docs")
    assert (answer.status_code, answer["Content-Type"]) == (200, "text/html; charset=utf-8")
    [nonce] = re.findall(r"'nonce-([^']+)'", answer["Content-Security-Policy"])
    page = answer.text
    assert re.findall(r"<style[^>]*>", page) == [f'<style nonce="{nonce}">']
    assert re.findall(r"<script(?! src=)", page) == []
    assert "script-src 'self';" in answer["Content-Security-Policy"] + ";"
    assert f"connect-src 'self' {settings.PUBLIC_URL};" in answer["Content-Security-Policy"] + ";"


def test_what_is_no_page_can_load_nothing(alice: User) -> None:
    client = factories.client(alice)
    answers = [client.get(path) for path in ("/api/v1/empty", "/api/schema", "/api/nothing")]
    answers += [Client().get("/api/v1/empty"), Client().options("/api/v1/empty")]
    assert {each["Content-Security-Policy"] for each in answers} == {
        "default-src 'none'; frame-ancestors 'none'"
    }


def test_the_docs_page_refuses_in_format(client: Client) -> None:
    answer = client.post("/api/docs")
    assert (answer.status_code, answer.json()["error"]) == (405, "method_not_allowed")
