"""Webhook secrets and header values at rest: hidden from everybody else, and rotation of keys."""

import base64
import io
from collections.abc import Callable
from datetime import datetime

import pytest
from allauth.mfa.totp.internal.auth import TOTP
from allauth.mfa.utils import decrypt
from django.apps import apps
from django.core.management import CommandError, call_command
from django.db import connection
from django.test import Client
from pytest_django import Settings

from accounts.domain import services as services_of_accounts
from accounts.models import Session, User
from core.db import keys
from core.db.crypto import DecryptionError, opened
from core.models import IdempotencyRecord
from notifications.models import Notification, PushDevice
from tests import factories, wire
from tests.delivering import deliver_due
from tests.pages import NOW, START
from webhooks.domain import services
from webhooks.models import Attempt, Webhook, WebhookEvent

OLD, NEW, LOST = (base64.b64encode(bytes([number]) * 32).decode() for number in (1, 2, 3))
VALUE = "Bearer header-value-of-alice"


def stored() -> str:
    """Return the whole database in its stored form."""
    texts = []
    with connection.cursor() as cursor:
        for model in apps.get_models():
            cursor.execute(f"SELECT * FROM {model._meta.db_table}")
            texts += [str(row) for row in cursor.fetchall()]
    return "\n".join(texts)


def token_as_stored(device: PushDevice) -> str:
    with connection.cursor() as cursor:
        cursor.execute("SELECT token FROM notifications_pushdevice WHERE id = %s", [device.pk])
        return str(cursor.fetchone())


def repeating(status: int) -> Callable[[wire.Call], tuple[int, dict[str, str], bytes]]:
    """Return an endpoint's answer that repeats the call. Some real endpoints do so."""
    return lambda call: (status, {}, f"on {call.headers}".encode())


def test_neither_the_database_nor_a_log_has_them_in_clear(
    webhook: Webhook,
    endpoint: wire.Endpoint,
    now: datetime,
    caplog: pytest.LogCaptureFixture,
) -> None:
    caplog.set_level("DEBUG")
    services.update(webhook=webhook, now=now, headers={"Authorization": VALUE, "X-Flag": "on"})
    first = webhook.secret
    second = services.rotate_secret(webhook=webhook, now=now).secret
    for status in (500, 200):
        endpoint.answer = repeating(status)
        factories.delivery(webhook, now=now)
        deliver_due()
        services.send_test(webhook=webhook, now=now)
    with connection.cursor() as cursor:
        cursor.execute("UPDATE webhooks_webhook SET previous_secret = 'junk'")
    factories.delivery(webhook, now=now)
    deliver_due()
    assert "delivery_broken" in caplog.text
    assert [call.headers["authorization"] for call in endpoint.received] == [VALUE] * 4
    for secret in (first, second, first.removeprefix("whsec_"), VALUE):
        assert secret not in stored()
        assert secret not in caplog.text
    body = Attempt.objects.order_by("id")[0].response_body
    assert body.startswith("on {")
    assert "'authorization': '[secret]', 'x-flag': 'on'" in body


def test_links_of_an_event_are_cut_in_what_the_endpoint_repeats(
    alice: User, endpoint: wire.Endpoint
) -> None:
    """PHP writes a slash in JSON in another way, so the endpoint repeats both."""
    factories.webhook(alice, url=endpoint.url, events=["booking.created"])
    endpoint.answer = lambda call: (200, {}, call.body + call.body.replace(b"/", b"\\/"))
    factories.booking(factories.event_type(alice), start=START, now=NOW)
    deliver_due()
    told = Attempt.objects.get().response_body
    assert told.count('"cancel_url"') == 2
    assert "bookings" not in told


def test_every_key_is_changed_in_every_app(alice: User, now: datetime, settings: Settings) -> None:
    settings.ENCRYPTION_KEYS = [OLD]
    keys.write_canary(replace=True)
    webhook = factories.webhook(alice, headers={"Authorization": VALUE})
    secrets = [webhook.secret, services.rotate_secret(webhook=webhook, now=now).secret]
    many = 401  # more than two batches
    Notification.objects.bulk_create(
        Notification(
            user=alice,
            channel="email",
            address=alice.email,
            kind="test",
            content=f"mail {n}",
            due_at=now,
            created_at=now,
        )
        for n in range(many)
    )
    IdempotencyRecord.objects.create(
        user=alice,
        method="POST",
        path="/",
        key="one",
        body_digest="",
        status=201,
        answer="an answer",
        created_at=now,
    )
    services_of_accounts.register_device(user=alice, token="registration-token", platform="web")
    browser = Client()
    browser.force_login(alice)
    app = TOTP.activate(alice, "ABCDEFGH")
    body = factories.delivery(Webhook.objects.get(), now=now).event.body
    settings.ENCRYPTION_KEYS = [NEW, OLD]
    printed = io.StringIO()
    call_command("rotate_keys", stdout=printed)
    assert sorted(printed.getvalue().split("\n")) == [
        "",
        "accounts.Session: 1",
        "calendars.CalendarAccount: 0",
        "calendars.Entry: 0",
        "calendars.Feed: 0",
        "core.IdempotencyRecord: 1",
        "mfa.Authenticator: 1",
        f"notifications.Notification: {many}",
        "notifications.PushDevice: 1",
        "scheduling.Hold: 0",
        "webhooks.Webhook: 1",
        "webhooks.WebhookEvent: 1",
    ]
    settings.ENCRYPTION_KEYS = [NEW]
    found = Webhook.objects.get()
    assert ([found.previous_secret, found.secret], found.headers) == (
        secrets,
        {"Authorization": VALUE},
    )
    contents = Notification.objects.order_by("id").values_list("content", flat=True)
    assert [opened(each) for each in contents] == [f"mail {n}" for n in range(many)]
    assert WebhookEvent.objects.get().body == body
    assert IdempotencyRecord.objects.get().answer == "an answer"
    assert PushDevice.objects.get().token == "registration-token"
    assert Session.objects.get().get_decoded()["_auth_user_id"] == str(alice.pk)
    app.instance.refresh_from_db()
    assert decrypt(app.instance.data["secret"]) == "ABCDEFGH"
    settings.ENCRYPTION_KEYS = [OLD]
    with pytest.raises(DecryptionError):
        _ = Webhook.objects.get().secret


def test_what_no_key_opens_keeps_no_other_row_from_a_new_key(
    alice: User, bob: User, now: datetime, settings: Settings
) -> None:
    devices: list[PushDevice] = []
    for key in (OLD, LOST, OLD, LOST, OLD):
        settings.ENCRYPTION_KEYS = [key]
        devices.append(
            services_of_accounts.register_device(
                user=alice, token=f"token-{len(devices)}", platform="web"
            )
        )
    TOTP.activate(bob, "ABCDEFGH")
    settings.ENCRYPTION_KEYS = [LOST]
    TOTP.activate(alice, "ABCDEFGH")
    before = token_as_stored(devices[1])
    settings.ENCRYPTION_KEYS = [NEW, OLD]
    keys.write_canary(replace=True)
    printed = io.StringIO()
    with pytest.raises(CommandError, match="No key opens 3 of the rows"):
        call_command("rotate_keys", stdout=printed)
    assert "notifications.PushDevice: 3, and 2 that no key opens\n" in printed.getvalue()
    assert "mfa.Authenticator: 1, and 1 that no key opens\n" in printed.getvalue()
    assert token_as_stored(devices[1]) == before
    settings.ENCRYPTION_KEYS = [NEW]
    opened = PushDevice.objects.filter(pk__in=[each.pk for each in devices[::2]])
    assert sorted(each.token for each in opened) == ["token-0", "token-2", "token-4"]
