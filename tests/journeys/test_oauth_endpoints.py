"""OAuth 2.0 endpoints for programs: malformed input, rate limits, and metadata."""

from typing import Any

import httpx
import pytest
import time_machine
from django.test import Client
from pytest_django import DjangoAssertNumQueries

from accounts.models import User
from tests import factories
from tests.oauth import App, api, app_of, outcome, post
from tests.pages import NOW, readable

pytestmark = [pytest.mark.django_db, pytest.mark.usefixtures("limits_start_anew")]


@pytest.mark.parametrize("endpoint", ["token", "revoke", "introspect"])
def test_junk_is_refused_in_the_format_of_oauth(app: App, endpoint: str) -> None:
    form = "application/x-www-form-urlencoded"
    good = str(
        httpx.QueryParams({**app.credentials(), "token": "x", "grant_type": "refresh_token"})
    )
    client = Client(enforce_csrf_checks=True)

    def ask(body: Any, kind: str = form, query: str = "", **headers: str) -> None:
        status, error = outcome(
            client.generic("POST", f"/oauth/{endpoint}{query}", body, kind, headers=headers)
        )
        assert (status in (400, 401), error is None) == (True, False), (body, kind, status)

    for name in ("client_id", "client_secret"):
        ask(f"{good}&{name}=other")
        for junk in ("%00", "%ZZ", "%ED%A0%80", "%F0%9F%92%A9", "x" * 100_000):
            ask(f"{name}={junk}&token=x&grant_type=refresh_token&refresh_token=x")
    for kind in ("", "application/json", "multipart/form-data; boundary=x", "text/plain"):
        ask(good, kind)
    for charset in ("utf-16", "utf-7", "nothing"):
        client.generic("POST", f"/oauth/{endpoint}", good, f"{form}; charset={charset}")
    ask("x" * 3_000_000)
    ask("&".join(f"{number}=1" for number in range(5_000)))
    ask(b"\xff\xfe\x00")
    ask("")
    ask(good, query="?client_id=x")
    for value in (
        "Basic",
        "Basic !",
        "Basic AAAA",
        "Basic AGE6YgA=",
        "Basic /////w==",
        "Bearer x",
        "\xff",
        "Basic " + "A" * 20_000,
    ):
        ask("token=x&grant_type=refresh_token&refresh_token=x", Authorization=value)


@pytest.mark.parametrize("endpoint", ["token", "revoke", "introspect"])
def test_they_take_posts_alone(endpoint: str) -> None:
    for method in ("GET", "HEAD", "PUT", "DELETE"):
        answer = Client().generic(method, f"/oauth/{endpoint}")
        assert (answer.status_code, answer.headers["Allow"]) == (405, "POST")


@pytest.mark.parametrize("endpoint", ["token", "revoke", "introspect"])
def test_a_hundred_and_twenty_a_minute_are_enough(app: App, endpoint: str) -> None:
    with time_machine.travel(NOW, tick=False):
        for _number in range(120):
            assert post(endpoint, token="x").status_code < 429
        refused = post(endpoint, token="x")
    assert outcome(refused) == (429, "temporarily_unavailable")
    assert refused.headers["Retry-After"] == "60"


def test_sixty_answers_an_hour_are_enough(app: App, alice: User) -> None:
    with time_machine.travel(NOW, tick=False):
        asked = httpx.QueryParams(app.request())
        app.browser.force_login(alice)
        for _number in range(60):
            assert app.browser.post(f"/oauth/authorize?{asked}").status_code == 302
        assert app.browser.post(f"/oauth/authorize?{asked}").status_code == 429


def test_browsers_may_call_what_needs_no_secret(app: App) -> None:
    client = Client(headers={"Origin": "https://app.example"})
    for path in ("/oauth/token", "/oauth/revoke"):
        asked = client.options(path)
        assert (asked.status_code, asked.headers["Access-Control-Allow-Origin"]) == (204, "*")
        assert asked.headers["Access-Control-Allow-Headers"] == "Authorization, Content-Type"
        traced = client.options(path, headers={"Access-Control-Request-Headers": "traceparent"})
        assert traced.headers["Access-Control-Allow-Headers"] == "traceparent"
        answer = client.post(path)
        assert answer.headers["Access-Control-Allow-Origin"] == "*"
        assert "Access-Control-Allow-Credentials" not in answer.headers
    told = client.get("/.well-known/oauth-authorization-server")
    assert told.headers["Access-Control-Allow-Origin"] == "*"
    assert "Access-Control-Allow-Origin" not in client.options("/oauth/introspect").headers
    assert "Access-Control-Allow-Origin" not in app.asks().headers


def test_where_everything_is(client: Client) -> None:
    told = client.get("/.well-known/oauth-authorization-server").json()
    scopes = told.pop("scopes_supported")
    assert ("events:write" in scopes, "openid" in scopes) == (True, False)
    assert told == {
        "issuer": "http://localhost",
        "authorization_endpoint": "http://localhost/oauth/authorize",
        "token_endpoint": "http://localhost/oauth/token",
        "revocation_endpoint": "http://localhost/oauth/revoke",
        "introspection_endpoint": "http://localhost/oauth/introspect",
        "response_types_supported": ["code"],
        "response_modes_supported": ["query"],
        "grant_types_supported": ["authorization_code", "refresh_token"],
        "code_challenge_methods_supported": ["S256"],
        "token_endpoint_auth_methods_supported": [
            "client_secret_basic",
            "client_secret_post",
            "none",
        ],
        "revocation_endpoint_auth_methods_supported": [
            "client_secret_basic",
            "client_secret_post",
            "none",
        ],
        "introspection_endpoint_auth_methods_supported": [
            "client_secret_basic",
            "client_secret_post",
        ],
        "authorization_response_iss_parameter_supported": True,
        "service_documentation": "http://localhost/api/docs",
    }


def test_the_api_names_its_authorization_server(client: Client) -> None:
    answer = client.get("/.well-known/oauth-protected-resource")
    assert answer.headers["Access-Control-Allow-Origin"] == "*"
    told = answer.json()
    server = client.get("/.well-known/oauth-authorization-server").json()
    assert told.pop("scopes_supported") == server["scopes_supported"]
    assert told.pop("authorization_servers") == [server["issuer"]]
    assert told == {
        "resource": "http://localhost",
        "bearer_methods_supported": ["header"],
        "resource_name": "Parley API",
        "resource_documentation": "http://localhost/api/docs",
    }
    assert client.post("/.well-known/oauth-protected-resource").status_code == 405


def test_what_is_kept_opens_nothing(app: App, alice: User) -> None:
    tokens = app.tokens(alice)
    kept = str(readable())
    for secret in (app.secret, tokens["access_token"], tokens["refresh_token"]):
        assert secret not in kept


def test_both_kinds_of_token_of_one_account_share_its_limits(alice: User, bob: User) -> None:
    with time_machine.travel(NOW, tick=False):
        given = app_of(bob, now=NOW).tokens(alice)["access_token"]
        made, one = factories.token(alice), Client()
        used = [
            one.get("/api/v1/users/me", headers={"Authorization": f"Bearer {token}"}).headers[
                "X-RateLimit-Used"
            ]
            for token in (made, given, made, given)
        ]
    assert used == ["1", "2", "3", "4"]


def test_a_call_takes_as_many_queries_as_with_a_token_made_by_hand(
    app: App, alice: User, django_assert_num_queries: DjangoAssertNumQueries
) -> None:
    by_hand = factories.client(alice, "users:read")
    by_hand.get("/api/v1/users/me")  # its use is noted once a minute
    by_oauth = api(app.tokens(alice)["access_token"])
    for client in (by_hand, by_oauth):
        with django_assert_num_queries(1):
            assert client.get("/api/v1/users/me").status_code == 200
