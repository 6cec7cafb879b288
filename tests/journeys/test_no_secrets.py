"""Secrets after a full journey: no row, log line or error report holds one in clear."""

import gzip
import json
import re
from collections.abc import Iterator
from datetime import UTC, datetime, timedelta
from functools import partial
from ipaddress import ip_network
from typing import Any
from urllib.parse import urlsplit

import pytest
import sentry_sdk
from allauth.mfa.models import Authenticator
from django.conf import settings as configured
from django.db import connection
from django.test import Client
from django.utils import timezone
from oauth2_provider.models import Grant
from pytest_django import Settings

from accounts.libraries.allauth_adapter import MfaAdapter
from accounts.models import AuditEntry, Session, User
from config.celery import app
from config.worker import EmbeddedWorker
from core.db.outbox import OutboxState
from core.ops import telemetry
from notifications.models import Notification
from notifications.tasks import sweep_notifications
from tests import factories, oauth, wire
from tests.accounts.test_pages_allauth import switch_on
from tests.core.lines import written
from tests.pages import stand_alone
from webhooks.models import Attempt

pytestmark = [
    pytest.mark.alone,  # the process is watched meanwhile
    pytest.mark.django_db(transaction=True),
    pytest.mark.urls("tests.core.probe_urls"),
]

EMAIL = "dora.journey@example.com"
PASSWORD, NEW_PASSWORD = "first-horse-of-dora-8271", "second-horse-of-dora-9382"
HEADER = "value-of-doras-header-5543"
DEVICE = "device-of-dora-" + "x7Kq" * 20
KEY = "idempotency-key-of-dora-1"
ADDRESS = "192.0.2.7"  # where everybody is; the worker and what it calls are on loopback
outside = partial(Client, REMOTE_ADDR=ADDRESS)


@app.task(name="tests.crash_over")
def crash_over(secret: str) -> None:
    raise ValueError(f"no {secret} of {EMAIL} at {ADDRESS}")


class Journey:
    """Dora's actions, and every secret that she gets on the way."""

    def __init__(self, mail: wire.MailServer, endpoint: wire.Endpoint) -> None:
        self.mail = mail
        self.endpoint = endpoint
        self.browser = outside()
        self.secrets: dict[str, str] = {
            "password": PASSWORD,
            "new password": NEW_PASSWORD,
            "header": HEADER,
            "device": DEVICE,
            "SECRET_KEY": configured.SECRET_KEY,
            "ENCRYPTION_KEYS": configured.ENCRYPTION_KEYS[0],
        }

    def run(self) -> None:
        self.signs_up()
        self.signs_in_with_two_factors()
        token = self.makes_a_token()
        self.connects_an_application()
        self.has_a_webhook_and_a_device(token)
        self.is_booked(token)
        self.is_asked_for_a_meeting()
        self.invites_to_a_team()
        self.forgets_the_password()
        self.sees_a_crash(token)

    @property
    def person(self) -> User:
        return User.objects.get(email=EMAIL)

    def link(self, part: str, to: str = EMAIL) -> str:
        """Return the URL below `part` in a mail to this address. Its signature is a secret."""

        def wanted(mail: wire.Mail) -> bool:
            return mail.recipients == (to,) and part in mail.text()

        mail = self.mail.wait_for(wanted)[-1]
        link = next(link for link in wire.links_in(mail.text()) if part in link)
        path = urlsplit(link).path
        self.secrets[f"link {part}"] = re.split("[:/]", path.strip("/"))[-1]
        assert len(self.secrets[f"link {part}"]) >= 32
        return path

    def signs_up(self) -> None:
        self.browser.get("/accounts/signup/")
        fields = {"first_name": "Dora", "email": EMAIL, "password1": PASSWORD, "timezone": "UTC"}
        self.browser.post("/accounts/signup/", fields)
        confirm = self.link("/accounts/confirm-email/")
        self.browser.get(confirm)
        self.browser.post(confirm)

    def signs_in(self, password: str) -> None:
        self.browser.post("/accounts/login/", {"login": EMAIL, "password": password})

    def signs_in_with_two_factors(self) -> None:
        self.signs_in(PASSWORD)
        self.browser.post("/accounts/reauthenticate/", {"password": PASSWORD})
        switch_on(self.browser)
        mine = Authenticator.objects.filter(user=self.person)
        totp, recovery = (mine.get(type=kind) for kind in ("totp", "recovery_codes"))
        self.secrets["totp"] = MfaAdapter().decrypt(totp.data["secret"])
        codes = recovery.wrap().get_unused_codes()
        self.secrets |= {"recovery code": codes[0], "recovery code kept": codes[1]}
        self.browser.post("/accounts/logout/")
        self.signs_in(PASSWORD)
        self.browser.post("/accounts/2fa/authenticate/", {"code": self.secrets["recovery code"]})
        assert self.browser.get("/settings/profile").status_code == 200
        self.secrets["session"] = self.browser.cookies["sessionid"].value

    def makes_a_token(self) -> str:
        form = {"name": "laptop", "scopes": ["users:read"], "expires": "90"}
        page = self.browser.post("/settings/tokens", form)
        found = re.search(r"pat_\w{46}", page.content.decode())
        assert found
        self.secrets["token"] = found[0]
        self.secrets["token of all"] = factories.token(self.person)
        return self.secrets["token of all"]

    def connects_an_application(self) -> None:
        wall = oauth.app_of(self.person, now=timezone.now())
        self.secrets["application"] = wall.secret
        self.secrets["oauth code"] = wall.code(self.person)
        answer = wall.exchange(self.secrets["oauth code"]).json()
        again = wall.refresh(answer["refresh_token"]).json()
        for name, tokens in (("", answer), (" again", again)):
            self.secrets[f"access{name}"] = tokens["access_token"]
            self.secrets[f"refresh{name}"] = tokens["refresh_token"]
        assert oauth.api(again["access_token"]).get("/api/v1/users/me").status_code == 200
        assert not Grant.objects.exists()

    def has_a_webhook_and_a_device(self, token: str) -> None:
        api = outside(headers={"Authorization": f"Bearer {token}", "Idempotency-Key": KEY})
        body = {
            "name": "Hook",
            "url": f"{self.endpoint.url}",
            "events": ["booking.created"],
            "headers": {"X-Key": HEADER},
        }
        made = api.post("/api/v1/webhooks", body, content_type="application/json")
        assert made.status_code == 201, made.content
        self.secrets["webhook"] = made.json()["data"]["secret"]
        device = {"token": DEVICE, "platform": "ios", "name": "Phone"}
        made = api.post("/api/v1/users/me/devices", device, content_type="application/json")
        assert made.status_code == 201, made.content

    def is_booked(self, token: str) -> None:
        """Book Dora as an invitee, then cancel.

        The webhook fails and echoes the headers that it got.
        """
        self.endpoint.answer = lambda call: (500, {}, json.dumps(call.headers).encode())
        offered = factories.event_type(self.person)
        monday = datetime.now(UTC) + timedelta(days=7 - datetime.now(UTC).weekday())
        body = {
            "event_type_id": offered.pk,
            "attendee_name": "John",
            "attendee_email": "john@example.com",
            "start_time": f"{monday:%Y-%m-%d}T10:00:00Z",
        }
        api = outside(headers={"Authorization": f"Bearer {token}"})
        made = api.post("/api/v1/events", body, content_type="application/json")
        assert made.status_code == 201, made.content
        wire.until(lambda: Attempt.objects.filter(succeeded=False).exists(), what="the failure")
        self.endpoint.always(200)
        wire.until(lambda: Attempt.objects.filter(succeeded=True).exists(), what="the delivery")
        manage = self.link("/bookings/manage/", "john@example.com")
        assert outside().get(manage).status_code == 200
        outside().post(manage, {"act": "cancel", "sequence": 0, "reason": ""})

    def is_asked_for_a_meeting(self) -> None:
        erin = factories.user("erin")
        team = factories.team("Team", erin, self.person)
        body = {
            "user_id": self.person.pk,
            "team_id": team.pk,
            "date": f"{timezone.now() + timedelta(days=9):%Y-%m-%d} 14:00:00",
            "link": "",
        }
        self.secrets["token of erin"] = factories.token(erin)
        api = outside(headers={"Authorization": f"Bearer {self.secrets['token of erin']}"})
        made = api.post("/api/v3/meeting/create", body, content_type="application/json")
        assert made.status_code == 201, made.content
        answer = self.link("/meetings/answer/")
        assert outside().get(answer).status_code == 200
        assert outside().post(answer, {"answer": "confirm"}).status_code in (302, 200)

    def invites_to_a_team(self) -> None:
        team = factories.team("Wall", self.person)
        invited = {"email": "john@example.com"}
        self.browser.post(f"/settings/teams/{team.pk}/invitations", invited)
        assert outside().get(self.link("/teams/join/", "john@example.com")).status_code == 200

    def forgets_the_password(self) -> None:
        browser = outside()
        browser.post("/accounts/password/reset/", {"email": EMAIL})
        page = browser.get(self.link("/accounts/password/reset/key/"), follow=True)
        fields = {"password1": NEW_PASSWORD, "password2": NEW_PASSWORD}
        browser.post(page.redirect_chain[-1][0], fields)
        assert self.person.check_password(NEW_PASSWORD)

    def sees_a_crash(self, token: str) -> None:
        client = outside(
            headers={"Authorization": f"Bearer {token}"}, raise_request_exception=False
        )
        answer = client.get(
            "/api/v1/fail/crash", {"code": self.secrets["oauth code"], "key": token}
        )
        assert answer.status_code == 500
        assert client.get(f"/nothing/{self.secrets['refresh']}/at/all").status_code == 404
        app.send_task("tests.crash_over", [self.secrets["token"]])


def dump() -> str:
    """Return every row of every table in its stored form."""
    if connection.vendor == "sqlite":
        with connection.cursor():
            return "\n".join(connection.connection.iterdump())
    tables = connection.introspection.table_names()
    with connection.cursor() as cursor:
        lines = []
        for table in tables:
            cursor.execute(f'SELECT t::text FROM "{table}" t')
            lines += [f"{table} {row[0]}" for row in cursor.fetchall()]
    return "\n".join(lines)


def unpacked(call: wire.Call) -> str:
    body = call.body
    return (gzip.decompress(body) if body.startswith(b"\x1f\x8b") else body).decode()


def said_of(reports: wire.Endpoint) -> str:
    return "\n".join(unpacked(call) for call in list(reports.received))


def found(secrets: dict[str, str], text: str) -> list[str]:
    return [name for name, secret in secrets.items() if secret in text]


@pytest.fixture
def endpoint(settings: Settings) -> Iterator[wire.Endpoint]:
    settings.WEBHOOK_ALLOWED_NETWORKS = [ip_network("127.0.0.0/8")]
    with wire.endpoint() as endpoint:
        yield endpoint


@pytest.fixture
def reports(settings: Settings) -> Iterator[wire.Endpoint]:
    """Yield the fake Sentry endpoint that receives error reports meanwhile."""
    with wire.endpoint() as sentry:
        settings.SENTRY_DSN = f"http://public@{urlsplit(sentry.url).netloc}/42"
        telemetry.start.__wrapped__()
        try:
            yield sentry
        finally:
            sentry_sdk.get_client().close()
            sentry_sdk.get_global_scope().set_client(None)


def test_no_secret_is_found_in_clear_after_a_full_journey(
    settings: Settings,
    mail_server: wire.MailServer,
    endpoint: wire.Endpoint,
    reports: wire.Endpoint,  # before the worker, whose tasks are watched from their start
    worker: EmbeddedWorker,
) -> None:
    stand_alone(settings)
    journey = Journey(mail_server, endpoint)
    with written("") as logs:
        journey.run()
        sweep_notifications()
        wire.until(
            lambda: (
                not Notification.objects.filter(
                    state=OutboxState.WAITING, due_at__lte=timezone.now()
                ).exists()
            ),
            what="all mail sent",
        )
    wire.until(lambda: "tests.crash_over" in said_of(reports), what="what the worker reports")
    sentry_sdk.flush()
    secrets, stored, said = journey.secrets, dump(), logs.getvalue()
    told = said_of(reports)
    assert all(len(secret) >= 8 for secret in secrets.values()), secrets
    assert found(secrets, stored) == []
    assert found(secrets, said) == []
    assert found(secrets, told) == []
    addresses = {"email": EMAIL, "invitee": "john@example.com", "address": ADDRESS}
    assert found(addresses, said) == []
    assert found(addresses, told) == []

    # It would have been found: the journey is in both, and so is a secret that is put there.
    assert EMAIL in stored
    assert "event=request" in said
    assert "ZeroDivisionError" in told
    assert "no [secret] of [email] at [address]" in told
    assert AuditEntry.objects.filter(address=ADDRESS).exists()
    assert "Internal Server Error" in said
    assert Session.objects.exists()
    person: Any = journey.person
    User.objects.filter(pk=person.pk).update(first_name=secrets["token"])
    assert found(secrets, dump()) == ["token"]
    assert found(secrets, f"{said} {secrets['session']}") == ["session"]
