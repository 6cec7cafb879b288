"""OAuth 2.0 authorization flow, step by step, for tests that stop at one of its steps."""

import base64
import hashlib
import re
from dataclasses import dataclass, field
from datetime import datetime
from typing import Any
from urllib.parse import parse_qsl, urlsplit

from django.test import Client
from oauth2_provider.models import Application

from accounts.domain import applications
from accounts.models import User

CALLBACK = "https://app.example/callback"
VERIFIER = "a-verifier-of-at-least-forty-three-characters"
SCOPES = "users:read events:write"

INVALID_GRANT = (400, "invalid_grant")
INVALID_CLIENT = (401, "invalid_client")


def challenge_of(verifier: str) -> str:
    digest = hashlib.sha256(verifier.encode()).digest()
    return base64.urlsafe_b64encode(digest).rstrip(b"=").decode()


@dataclass
class App:
    """OAuth application, as its operators see it."""

    row: Application
    secret: str
    browser: Client = field(default_factory=Client)

    @property
    def client_id(self) -> str:
        return str(self.row.client_id)

    def request(self, **other: Any) -> dict[str, str]:
        """Return the parameters that the application sends a browser with.

        None omits a parameter.
        """
        usual = {
            "response_type": "code",
            "client_id": self.client_id,
            "redirect_uri": CALLBACK,
            "scope": SCOPES,
            "state": "of-the-app",
            "code_challenge": challenge_of(VERIFIER),
            "code_challenge_method": "S256",
        }
        return {name: value for name, value in (usual | other).items() if value is not None}

    def asks(self, person: User | None = None, **other: Any) -> Any:
        """Open the authorization page in a browser, signed in as `person` if given."""
        if person:
            self.browser.force_login(person)
        return self.browser.get("/oauth/authorize", self.request(**other))

    def answered(self, person: User, answer: str = "allow", **other: Any) -> dict[str, str]:
        """Send the form of the authorization page and return the parameters of the redirect."""
        page = self.asks(person, **other)
        assert page.status_code == 200, page.headers
        sent = self.browser.post(
            page.request["PATH_INFO"] + "?" + page.request["QUERY_STRING"], {"answer": answer}
        )
        return came_back(sent)

    def code(self, person: User, **other: Any) -> str:
        return self.answered(person, **other)["code"]

    def exchange(self, code: str, /, **other: Any) -> Any:
        usual = {
            "grant_type": "authorization_code",
            "code": code,
            "redirect_uri": CALLBACK,
            "code_verifier": VERIFIER,
            **self.credentials(),
        }
        return post("token", **{**usual, **other})

    def tokens(self, person: User, **other: Any) -> dict[str, str]:
        answer: dict[str, str] = self.exchange(self.code(person, **other)).json()
        return answer

    def refresh(self, token: str, /, **other: Any) -> Any:
        usual = {"grant_type": "refresh_token", "refresh_token": token, **self.credentials()}
        return post("token", **{**usual, **other})

    def credentials(self) -> dict[str, str]:
        secret = {"client_secret": self.secret} if self.secret else {}
        return {"client_id": self.client_id, **secret}


def app_of(owner: User, *, now: datetime, public: bool = False, **fields: Any) -> App:
    usual = {"name": "Calendar on the wall", "redirect_uris": [CALLBACK]}
    row, secret = applications.make(owner=owner, is_public=public, now=now, **{**usual, **fields})
    return App(row, secret)


def post(endpoint: str, **form: Any) -> Any:
    """POST to an OAuth endpoint as a program does, not a browser."""
    sent = {name: value for name, value in form.items() if value is not None}
    body = "&".join(f"{name}={_quoted(value)}" for name, value in sent.items())
    return Client(enforce_csrf_checks=True).generic(
        "POST", f"/oauth/{endpoint}", body, "application/x-www-form-urlencoded"
    )


def _quoted(value: str) -> str:
    return re.sub(
        r"[^A-Za-z0-9_.~-]",
        lambda each: "".join(f"%{byte:02X}" for byte in each[0].encode()),
        value,
    )


def came_back(answer: Any, to: str = CALLBACK) -> dict[str, str]:
    """Return the query parameters of the redirect to the application."""
    location = answer.headers["Location"]
    assert (answer.status_code, location.partition("?")[0]) == (302, to)
    return dict(parse_qsl(urlsplit(location).query, keep_blank_values=True))


def api(token: str) -> Client:
    return Client(headers={"Authorization": f"Bearer {token}"})


def outcome(answer: Any) -> tuple[int, str | None]:
    """Return the status and the error of an answer, in the format of RFC 6749, section 5.2."""
    assert answer.headers["Content-Type"] == "application/json"
    assert answer.headers["Cache-Control"] == "no-store"
    return answer.status_code, answer.json().get("error")
