"""An application is connected by OAuth 2.0: as a library does it, and as a thief would."""

import json
import re
from datetime import timedelta
from typing import Any
from urllib.parse import parse_qsl, urlsplit

import httpx
import pytest
import time_machine
from authlib.integrations.requests_client import OAuth2Session
from django.test import Client
from django.utils import timezone
from oauth2_provider.models import AccessToken, Grant, RefreshToken
from pytest_django import DjangoAssertNumQueries, Settings
from pytest_django.live_server_helper import LiveServer

from accounts.models import AuditEntry, Notification, User
from scheduling.models import Booking
from tests import factories
from tests.oauth import (
    CALLBACK,
    SCOPES,
    VERIFIER,
    App,
    api,
    app_of,
    came_back,
    challenge_of,
    post,
)
from tests.pages import NOW, everything, main, stand_alone, words

pytestmark = pytest.mark.django_db

INVALID_GRANT = (400, "invalid_grant")
INVALID_CLIENT = (401, "invalid_client")


@pytest.fixture(autouse=True)
def _own_limits(settings: Settings) -> None:
    stand_alone(settings)


@pytest.fixture
def app(bob: User) -> App:
    """Bob's, that keeps a secret."""
    return app_of(bob, now=timezone.now())


def outcome(answer: Any) -> tuple[int, str | None]:
    """Its status and its error, in the format of RFC 6749, 5.2."""
    assert answer.headers["Content-Type"] == "application/json"
    assert answer.headers["Cache-Control"] == "no-store"
    return answer.status_code, answer.json().get("error")


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
    """The form of a page, as a browser sends it."""
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
    assert "Make and change your bookings See your profile, teams and devices" in said
    assert "Alice Ames alice@example.com" in said
    assert "You go back to app.example" in said
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
    assert "You go back to a program on this computer" in words(page)
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
    for person in (None, alice):  # before anybody has to sign in
        told = came_back(app.asks(person, **asked))
        told.pop("error_description", None)
        assert told == {"error": error, "state": "of-the-app", "iss": "http://localhost"}


def test_whoever_is_signed_out_signs_in_first(app: App) -> None:
    page = app.asks()
    onward = dict(parse_qsl(urlsplit(page.headers["Location"]).query))["next"]
    assert page.headers["Location"].startswith("/accounts/login/?next=")
    assert dict(parse_qsl(urlsplit(onward).query)) == app.request()


# --- codes ---------------------------------------------------------------------------------------


def test_a_code_is_good_once_and_a_second_use_ends_what_came_of_it(app: App, alice: User) -> None:
    code = app.code(alice)
    tokens = app.exchange(code).json()
    assert api(tokens["access_token"]).get("/api/v1/users/me").status_code == 200
    assert outcome(app.exchange(code)) == INVALID_GRANT
    assert api(tokens["access_token"]).get("/api/v1/users/me").status_code == 401
    assert outcome(app.refresh(tokens["refresh_token"])) == INVALID_GRANT


def test_a_code_is_good_for_a_minute(app: App, alice: User) -> None:
    with time_machine.travel(NOW, tick=False) as clock:
        code = app.code(alice)
        clock.shift(59)
        good = app.code(alice)
        clock.shift(1)
        assert outcome(app.exchange(code)) == INVALID_GRANT
        assert outcome(app.exchange(good)) == (200, None)


@pytest.mark.parametrize(
    ("other", "refused"),
    [
        ({"code_verifier": "another-verifier-of-forty-three-characters-"}, INVALID_GRANT),
        ({"code_verifier": challenge_of(VERIFIER)}, INVALID_GRANT),
        ({"code_verifier": None}, (400, "invalid_request")),
        ({"code_verifier": ""}, (400, "invalid_request")),
        ({"redirect_uri": "https://app.example/other"}, (400, "invalid_request")),
        ({"redirect_uri": f"{CALLBACK}/"}, (400, "invalid_request")),
        ({"client_secret": None}, INVALID_CLIENT),
        ({"client_secret": "ocs_guessed"}, INVALID_CLIENT),
        ({"client_id": None}, INVALID_CLIENT),
        ({"client_id": "nobody"}, INVALID_CLIENT),
        ({"code": None}, (400, "invalid_request")),
        ({"code": "guessed"}, INVALID_GRANT),
    ],
)
def test_a_stolen_code_opens_nothing(
    app: App, alice: User, other: dict[str, Any], refused: tuple[int, str]
) -> None:
    code = app.code(alice)
    assert outcome(app.exchange(code, **other)) == refused
    assert (AccessToken.objects.count(), RefreshToken.objects.count()) == (0, 0)
    assert outcome(app.exchange(code)) == (200, None)  # whoever it was made for


@pytest.mark.parametrize("public", [True, False], ids=["public", "confidential"])
def test_a_code_of_another_application_opens_nothing(
    app: App, alice: User, charlie: User, public: bool
) -> None:
    other = app_of(charlie, now=timezone.now(), public=public)
    assert outcome(other.exchange(app.code(alice))) == INVALID_GRANT
    assert not AccessToken.objects.exists()


def test_without_a_verifier_a_public_application_gets_nothing(alice: User, bob: User) -> None:
    app = app_of(bob, now=timezone.now(), public=True)
    code = app.code(alice)
    refused = (400, "invalid_request")
    assert outcome(app.exchange(code, code_verifier=None)) == refused
    assert outcome(app.exchange(code, client_secret="anything")) == INVALID_CLIENT
    assert outcome(app.exchange(code)) == (200, None)


@pytest.mark.parametrize(
    ("form", "refused"),
    [
        ({"grant_type": "password", "username": "alice@example.com",
          "password": factories.PASSWORD, "scope": SCOPES}, "unsupported_grant_type"),
        ({"grant_type": "client_credentials", "scope": SCOPES}, "unsupported_grant_type"),
        ({"grant_type": "implicit"}, "unsupported_grant_type"),
        ({"grant_type": "openid", "code": "x"}, "unsupported_grant_type"),
        ({"grant_type": "urn:ietf:params:oauth:grant-type:device_code", "device_code": "x"},
         "unsupported_grant_type"),
        ({"grant_type": ""}, "invalid_request"),
        ({}, "invalid_request"),
    ],
)  # fmt: skip
def test_there_is_no_other_way_to_a_token(
    app: App, alice: User, form: dict[str, str], refused: str
) -> None:
    assert outcome(post("token", **app.credentials(), **form)) == (400, refused)
    assert not AccessToken.objects.exists()


# --- refresh tokens ------------------------------------------------------------------------------


def test_a_refresh_token_is_good_once_and_a_second_use_ends_the_family(
    app: App, alice: User
) -> None:
    first = app.tokens(alice)
    other = app.tokens(alice)  # connected twice: a family of its own
    second = app.refresh(first["refresh_token"]).json()
    third = app.refresh(second["refresh_token"]).json()
    assert outcome(app.refresh(first["refresh_token"])) == INVALID_GRANT
    assert outcome(app.refresh(third["refresh_token"])) == INVALID_GRANT
    assert api(third["access_token"]).get("/api/v1/users/me").status_code == 401
    assert api(other["access_token"]).get("/api/v1/users/me").status_code == 200


@pytest.mark.parametrize("what", ["code", "refresh_token"])
def test_what_comes_again_is_on_record_and_told_once(app: App, alice: User, what: str) -> None:
    code = app.code(alice)
    tokens = app.exchange(code).json()
    for _time in range(3):
        app.exchange(code) if what == "code" else app.refresh(tokens["refresh_token"])
    entry = AuditEntry.objects.get(action="token_reused")
    assert (entry.person, entry.actor, entry.subject) == (alice, None, app.row.name)
    row = Notification.objects.get()
    assert (row.kind, row.user, row.address) == ("token_reused", alice, alice.email)
    mail = json.loads(row.content)
    assert mail["subject"] == "Calendar on the wall was disconnected from your account"
    for text in (mail["text"], mail["html"]):
        for path in ("/settings/connections", "/settings/security"):
            assert f"http://localhost{path}" in text
        assert code not in text
        assert not re.search("o[ar]t_", text)


def test_what_ends_nothing_is_told_to_nobody(app: App, alice: User) -> None:
    code = app.code(alice)
    tokens = app.exchange(code).json()
    post("revoke", token=tokens["refresh_token"], **app.credentials())
    before = everything()
    app.exchange(code)
    app.refresh(tokens["refresh_token"])
    app.exchange("guessed")
    assert everything() == before


def test_a_refresh_token_is_good_for_ninety_days_after_the_last_hour(app: App, alice: User) -> None:
    with time_machine.travel(NOW, tick=False) as clock:
        token = app.tokens(alice)
        clock.shift(timedelta(hours=1))
        assert api(token["access_token"]).get("/api/v1/users/me").status_code == 401
        clock.shift(timedelta(days=90) - timedelta(seconds=1))
        renewed = app.refresh(token["refresh_token"]).json()
        clock.shift(timedelta(days=90, hours=1))
        assert outcome(app.refresh(renewed["refresh_token"])) == INVALID_GRANT


def test_it_is_of_no_use_to_another_application(app: App, alice: User, charlie: User) -> None:
    other, token = app_of(charlie, now=timezone.now()), app.tokens(alice)["refresh_token"]
    assert outcome(other.refresh(token)) == INVALID_GRANT
    assert outcome(app.refresh(token, client_secret=None)) == INVALID_CLIENT
    assert outcome(app.refresh(token)) == (200, None)


def test_it_may_ask_for_less_and_never_for_more(app: App, alice: User) -> None:
    token = app.tokens(alice)["refresh_token"]
    assert outcome(app.refresh(token, scope="users:write")) == (400, "invalid_scope")
    less = app.refresh(token, scope="users:read").json()
    assert less["scope"] == "users:read"
    assert outcome(app.refresh(less["refresh_token"], scope=SCOPES)) == (400, "invalid_scope")


@pytest.mark.parametrize("token", ["guessed", "x" * 50_000, "ort_" + "0" * 46, "é"])
def test_one_that_was_never_given_is_refused(app: App, token: str) -> None:
    assert outcome(app.refresh(token)) == INVALID_GRANT


# --- people who are no more ----------------------------------------------------------------------


@pytest.mark.parametrize("who", ["alice", "bob"])
def test_of_somebody_deactivated_nothing_is_good(
    app: App, alice: User, bob: User, who: str
) -> None:
    """Neither of who connected it nor of who made it."""
    code, tokens = app.code(alice), app.tokens(alice)
    User.objects.filter(username=who).update(is_active=False)
    refused = INVALID_CLIENT if who == "bob" else INVALID_GRANT
    assert outcome(app.exchange(code)) == refused
    assert outcome(app.refresh(tokens["refresh_token"])) == refused
    assert api(tokens["access_token"]).get("/api/v1/users/me").status_code == 401
    page = app.asks()
    assert page.status_code == (400 if who == "bob" else 302)


# --- giving back, and asking about ---------------------------------------------------------------


@pytest.mark.parametrize("kind", ["access_token", "refresh_token"])
@pytest.mark.parametrize("hint", ["access_token", "refresh_token", "nonsense", None])
def test_given_back_both_are_gone(app: App, alice: User, kind: str, hint: str | None) -> None:
    tokens = app.tokens(alice)
    answer = post("revoke", token=tokens[kind], token_type_hint=hint, **app.credentials())
    assert outcome(answer) == (200, None)
    assert api(tokens["access_token"]).get("/api/v1/users/me").status_code == 401
    assert outcome(app.refresh(tokens["refresh_token"])) == INVALID_GRANT
    entry = AuditEntry.objects.get(action="application_removed")
    assert (entry.person, entry.actor, entry.subject) == (alice, None, app.row.name)
    assert not Notification.objects.exists()  # it meant to


def test_that_it_has_come_for_its_tokens_is_on_record_once(app: App, alice: User) -> None:
    """What it does with them afterwards adds nothing: an entry an hour would drown the log."""
    tokens = app.tokens(alice)
    renewed = app.refresh(tokens["refresh_token"]).json()
    assert api(renewed["access_token"]).get("/api/v1/users/me").status_code == 200
    log = AuditEntry.objects.filter(person=alice, action__startswith="application").order_by("id")
    assert [(entry.action, entry.actor, entry.subject) for entry in log] == [
        ("application_allowed", alice, app.row.name),
        ("application_started", None, app.row.name),
    ]


def test_nobody_gives_back_what_is_anothers(app: App, alice: User, charlie: User) -> None:
    other, tokens = app_of(charlie, now=timezone.now()), app.tokens(alice)
    for kind in ("access_token", "refresh_token"):
        assert outcome(post("revoke", token=tokens[kind], **other.credentials())) == (200, None)
        wrong = {**app.credentials(), "client_secret": "guessed"}
        assert outcome(post("revoke", token=tokens[kind], **wrong)) == INVALID_CLIENT
    assert outcome(app.refresh(tokens["refresh_token"])) == (200, None)
    assert outcome(post("revoke", **app.credentials())) == (400, "invalid_request")


def test_an_application_may_ask_about_its_own_tokens(app: App, alice: User) -> None:
    with time_machine.travel(NOW, tick=False) as clock:
        tokens = app.tokens(alice)
        now, known = int(NOW.timestamp()), {
            "active": True, "client_id": app.client_id, "sub": alice.uuid, "scope": SCOPES,
            "iss": "http://localhost",
        }  # fmt: skip
        for kind, lasts in (("access_token", 3_600), ("refresh_token", 3_600 + 90 * 86_400)):
            answer = post("introspect", token=tokens[kind], **app.credentials())
            assert answer.json() == {**known, "iat": now, "exp": now + lasts}
        clock.shift(timedelta(hours=1))
        over = post("introspect", token=tokens["access_token"], **app.credentials())
        assert over.json() == {"active": False}


def test_a_stranger_learns_nothing_of_a_token(app: App, alice: User, charlie: User) -> None:
    token = app.tokens(alice)["access_token"]
    other = app_of(charlie, now=timezone.now())
    public = app_of(charlie, now=timezone.now(), public=True)
    inactive = post("introspect", token=token, **other.credentials())
    assert (inactive.status_code, inactive.json()) == (200, {"active": False})
    for caller in (public.credentials(), {}, {"client_id": app.client_id}):
        assert outcome(post("introspect", token=token, **caller)) == INVALID_CLIENT
    bearing = Client(headers={"Authorization": f"Bearer {token}"}).post(
        "/oauth/introspect", f"token={token}", "application/x-www-form-urlencoded"
    )
    assert outcome(bearing) == INVALID_CLIENT


# --- whatever is sent ----------------------------------------------------------------------------


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
    for value in ("Basic", "Basic !", "Basic AAAA", "Basic AGE6YgA=", "Basic /////w==", "Bearer x",
                  "\xff", "Basic " + "A" * 20_000):  # fmt: skip
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
            "client_secret_basic", "client_secret_post", "none",
        ],
        "revocation_endpoint_auth_methods_supported": [
            "client_secret_basic", "client_secret_post", "none",
        ],
        "introspection_endpoint_auth_methods_supported": [
            "client_secret_basic", "client_secret_post",
        ],
        "authorization_response_iss_parameter_supported": True,
        "service_documentation": "http://localhost/api/docs",
    }  # fmt: skip


def test_what_is_kept_opens_nothing(app: App, alice: User) -> None:
    tokens = app.tokens(alice)
    kept = str(everything())
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
