"""OAuth 2.0 connection of an application: with a common library, and all refused requests."""

from datetime import timedelta
from typing import Any
from urllib.parse import parse_qsl, urlsplit

import httpx
import pytest
from authlib.integrations.requests_client import OAuth2Session
from django.utils import timezone
from oauth2_provider.models import Grant
from pytest_django import Settings
from pytest_django.live_server_helper import LiveServer

from accounts.models import AuditEntry, User
from scheduling.models import Booking
from tests import factories
from tests.oauth import CALLBACK, SCOPES, VERIFIER, App, api, app_of, came_back, outcome
from tests.pages import everything, main, words

pytestmark = [pytest.mark.django_db, pytest.mark.usefixtures("limits_start_anew")]


# --- the whole dance ----------------------------------------------------------------------------


@pytest.mark.django_db(transaction=True)
@pytest.mark.parametrize("method", ["client_secret_basic", "client_secret_post", "none"])
def test_a_library_dances_it(
    live_server: LiveServer, settings: Settings, alice: User, bob: User, method: str
) -> None:
    settings.PUBLIC_URL = live_server.url
    app = app_of(bob, now=timezone.now(), public=method == "none")
    told = httpx.get(f"{live_server.url}/.well-known/oauth-authorization-server").json()
    library = OAuth2Session(
        app.client_id,
        app.secret or None,
        scope=SCOPES,
        redirect_uri=CALLBACK,
        code_challenge_method="S256",
        token_endpoint_auth_method=method,
        revocation_endpoint_auth_method=method,
    )
    with library:  # whose connections keep one of the server to the database
        url, state = library.create_authorization_url(
            told["authorization_endpoint"], code_verifier=VERIFIER
        )
        with httpx.Client(base_url=live_server.url, follow_redirects=True) as browser:
            page = browser.get(url)
            assert page.url.path == "/accounts/login/"
            page = _send(browser, page, login=alice.email, password=factories.PASSWORD)
            assert page.url.path == "/oauth/authorize"  # signing in led back
            assert f"Connect {app.row.name} to your account?" in page.text
            browser.follow_redirects = False
            back = _send(browser, page, answer="allow")
        assert back.status_code == 302
        came = dict(parse_qsl(urlsplit(back.headers["Location"]).query))
        assert (came["state"], came["iss"]) == (state, told["issuer"])
        token = library.fetch_token(
            told["token_endpoint"],
            authorization_response=back.headers["Location"],
            code_verifier=VERIFIER,
        )
        assert (token["token_type"], token["expires_in"], token["scope"]) == (
            "Bearer",
            3600,
            SCOPES,
        )
        me = library.get(f"{live_server.url}/api/v1/users/me")
        assert me.json()["data"]["email"] == alice.email
        # --- it books
        event_type = factories.event_type(alice)
        start = timezone.now() + timedelta(days=9 - timezone.now().weekday())
        wanted = {
            "event_type_id": event_type.pk,
            "attendee_email": "john@example.com",
            "attendee_name": "John Doe",
            "start_time": start.replace(hour=10, minute=0, second=0).strftime("%Y-%m-%dT%H:%M:%SZ"),
        }
        booked = library.post(f"{live_server.url}/api/v1/events", json=wanted)
        assert (booked.status_code, Booking.objects.get().host) == (201, alice)
        lacking = library.get(f"{live_server.url}/api/v1/webhooks")
        assert (lacking.status_code, lacking.json()["error"]) == (403, "insufficient_scope")
        # --- it renews what it has, and gives it back
        renewed = library.refresh_token(told["token_endpoint"])
        assert renewed["access_token"] != token["access_token"]
        old = api(token["access_token"]).get("/api/v1/users/me")
        assert (old.status_code, library.get(me.url).status_code) == (401, 200)
        assert library.revoke_token(told["revocation_endpoint"], renewed["refresh_token"]).ok
        assert library.get(me.url).status_code == 401
        assert AuditEntry.objects.filter(action="application_allowed").get().person == alice


def _send(browser: httpx.Client, page: httpx.Response, **form: str) -> httpx.Response:
    """Send the form of a page as a browser does."""
    csrf = browser.cookies["csrftoken"]
    origin = f"{page.url.scheme}://{page.url.netloc.decode()}"
    hidden = {"next": page.url.params["next"]} if "next" in page.url.params else {}
    return browser.post(
        page.url,
        data={"csrfmiddlewaretoken": csrf, **hidden, **form},
        headers={"Referer": str(page.url), "Origin": origin},
    )


def test_what_the_page_says(app: App, alice: User) -> None:
    page = app.asks(alice)
    said = words(page)
    assert "Connect Calendar on the wall to your account?" in said
    assert "It was made by Bob Byrd, not by Parley." in said
    assert "Create and change your bookings See your profile, teams and devices" in said
    assert "Alice Ames alice@example.com" in said
    assert "You return to app.example" in said
    assert "You have connected it before." not in said
    policy = page.headers["Content-Security-Policy"].split("; ")
    assert "form-action 'self' https://app.example" in policy
    assert "no-store" in page.headers["Cache-Control"]


def test_they_are_asked_each_time_and_told_that_they_were(app: App, alice: User) -> None:
    app.tokens(alice)
    assert "You have connected it before." in words(app.asks(alice))


def test_looking_allows_nothing(app: App, alice: User) -> None:
    app.asks(alice)
    before = everything()
    app.asks()
    assert everything() == before


def test_denied_the_application_is_told_and_nothing_is_made(app: App, alice: User) -> None:
    assert app.answered(alice, "deny") == {
        "error": "access_denied",
        "state": "of-the-app",
        "iss": "http://localhost",
    }
    assert not Grant.objects.exists()


def test_the_address_may_be_left_out_where_there_is_but_one(app: App, alice: User) -> None:
    code = app.code(alice, redirect_uri=None)
    assert outcome(app.exchange(code, redirect_uri=None)) == (200, None)


@pytest.mark.parametrize("port", ["", ":1", ":49152"])
@pytest.mark.parametrize("host", ["127.0.0.1", "[::1]"])
def test_a_program_on_a_computer_takes_the_port_that_is_free(
    alice: User, bob: User, host: str, port: str
) -> None:
    app = app_of(bob, now=timezone.now(), public=True, redirect_uris=[f"http://{host}:8000/cb"])
    page = app.asks(alice, redirect_uri=f"http://{host}{port}/cb")
    assert "You return to a program on this computer" in words(page)
    [policy] = [
        each for each in page.headers["Content-Security-Policy"].split("; ") if "form" in each
    ]
    assert policy.split()[-1] == ("http:" if "[" in host else f"http://{host}{port}")


# --- who may not even be asked -------------------------------------------------------------------


@pytest.mark.parametrize(
    "uri",
    [
        "https://evil.example/callback",
        "https://app.example/callback/",
        "https://app.example/callback/../evil",
        "https://app.example/callback2",
        "https://app.example/",
        "https://app.example/callback?more=1",
        "https://app.example/callback?",
        "https://app.example/callback#",
        "https://app.example/callback#evil",
        "https://app.example/callback;evil=1",
        "https://app.example.evil.example/callback",
        "https://evil.example@app.example/callback",
        "https://app.example@evil.example/callback",
        "https://app.example:443/callback",
        "https://app.example:8443/callback",
        "https://app.example%2fcallback",
        "https://app.example/%63allback",
        "https://app.example/callback%00",
        "https://app.example\\@evil.example/callback",
        "https://app.example\n/callback",
        "https:///app.example/callback",
        "https:app.example/callback",
        "//app.example/callback",
        "/callback",
        "http://app.example/callback",
        "HTTPS://app.example/callback",
        "https://APP.example/callback",
        "https://app.example/Callback",
        "https://app.example/callback ",
        "https://app.exаmple/callback",  # one letter is Cyrillic
        "javascript:alert(1)//https://app.example/callback",
        "data:text/html,https://app.example/callback",
        "http://127.0.0.1/callback",
        "http://localhost/callback",
        "x" * 20_000,
        "\0",
    ],
)
@pytest.mark.parametrize("method", ["get", "post"])
def test_nobody_is_sent_where_the_application_never_said(
    app: App, alice: User, uri: str, method: str
) -> None:
    app.browser.force_login(alice)
    for asked in (
        app.request(redirect_uri=uri),
        app.request(redirect_uri=uri, scope="nonsense"),
        app.request(redirect_uri=uri, prompt="none"),
    ):
        page: Any = app.browser.generic(
            method.upper(),
            f"/oauth/authorize?{httpx.QueryParams(asked)}",
            "answer=deny",
            "application/x-www-form-urlencoded",
        )
        assert (page.status_code, "Location" in page.headers) == (400, False)
        assert "This application cannot be connected" in words(page)
        assert "evil.example" not in main(page)


def test_an_address_that_only_the_form_names_is_not_heeded(app: App, alice: User) -> None:
    app.browser.force_login(alice)
    asked = httpx.QueryParams(app.request())
    for answer in ("allow", "deny"):
        sent = app.browser.post(
            f"/oauth/authorize?{asked}",
            {"answer": answer, "redirect_uri": "https://evil.example/", "scope": "meetings:write"},
        )
        came_back(sent)
    assert {grant.scope for grant in Grant.objects.all()} == {SCOPES}


@pytest.mark.parametrize(
    "asked",
    [
        {"client_id": "nobody"},
        {"client_id": None},
        {"client_id": "a\0b"},
        {"client_id": "x" * 20_000},
    ],
)
def test_an_application_that_is_not_there_gets_nobody(
    app: App, alice: User, asked: dict[str, Any]
) -> None:
    page = app.asks(alice, **asked)
    assert (page.status_code, "Location" in page.headers) == (400, False)


@pytest.mark.parametrize("name", ["client_id", "redirect_uri", "scope", "state", "code_challenge"])
def test_what_is_said_twice_is_not_guessed_at(app: App, alice: User, name: str) -> None:
    app.browser.force_login(alice)
    asked = httpx.QueryParams(app.request()).add(name, "other")
    page: Any = app.browser.get(f"/oauth/authorize?{asked}")
    assert (page.status_code, "Location" in page.headers) == (400, False)


@pytest.mark.parametrize(
    ("asked", "error"),
    [
        ({"scope": "nonsense"}, "invalid_scope"),
        ({"scope": f"{SCOPES} nonsense"}, "invalid_scope"),
        ({"scope": "openid"}, "invalid_scope"),
        ({"scope": None}, "invalid_scope"),
        ({"scope": ""}, "invalid_scope"),
        ({"scope": "USERS:READ"}, "invalid_scope"),
        ({"code_challenge": None}, "invalid_request"),
        ({"code_challenge": "short"}, "invalid_request"),
        ({"code_challenge": "x" * 129}, "invalid_request"),
        ({"code_challenge_method": "plain", "code_challenge": VERIFIER}, "invalid_request"),
        ({"code_challenge_method": None}, "invalid_request"),
        ({"code_challenge_method": "s256"}, "invalid_request"),
        ({"response_type": None}, "invalid_request"),
        ({"response_type": "token"}, "unsupported_response_type"),
        ({"response_type": "id_token"}, "unsupported_response_type"),
        ({"response_type": "code token"}, "unauthorized_client"),
    ],
)
@pytest.mark.parametrize("public", [True, False], ids=["public", "confidential"])
def test_what_else_is_wrong_the_application_is_told(
    alice: User, bob: User, asked: dict[str, Any], error: str, public: bool
) -> None:
    app = app_of(bob, now=timezone.now(), public=public)
    # A link to us leads no stranger to where its maker likes (RFC 9700, 4.11.2).
    assert app.asks(**asked).headers["Location"].startswith("/accounts/login/?next=")
    told = came_back(app.asks(alice, **asked))
    told.pop("error_description", None)
    assert told == {"error": error, "state": "of-the-app", "iss": "http://localhost"}


def test_whoever_is_signed_out_signs_in_first(app: App) -> None:
    page = app.asks()
    onward = dict(parse_qsl(urlsplit(page.headers["Location"]).query))["next"]
    assert page.headers["Location"].startswith("/accounts/login/?next=")
    assert dict(parse_qsl(urlsplit(onward).query)) == app.request()
