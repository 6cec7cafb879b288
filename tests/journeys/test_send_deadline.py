"""Send deadlines: a server that drips holds a worker no longer than its lease, in any library.

Each drop arrives long before any timeout of a socket.
"""

import socket
import time
from collections.abc import Iterator
from contextlib import contextmanager

import firebase_admin
import pytest
from django.utils import timezone
from pytest_django import Settings

from accounts.models import User
from core.db import outbox
from core.web.deadline import Deadline
from notifications.domain import channels, notifications, sending
from notifications.models import Notification
from tests import wire

pytestmark = pytest.mark.django_db(transaction=True)

SMTP = "django.core.mail.backends.smtp.EmailBackend"
# A TLS record whose header promises 16 kB, and how the server's first message in it begins.
TLS = b"\x16\x03\x03\x40\x00\x02\x00\x3f\xfc"
HEADERS = b"HTTP/1.1 200 OK\r\nX-A: "
STARTTLS = (b"220 mail.test\r\n", b"250-mail.test\r\n250 STARTTLS\r\n", b"220 Go on\r\n", TLS)
TO_DATA = (
    b"220 mail.test\r\n",
    b"250 mail.test\r\n",
    b"250 OK\r\n",
    b"250 OK\r\n",
    b"354 Go on\r\n",
    b"250-",
)


@pytest.fixture(autouse=True)
def lease(settings: Settings) -> None:
    settings.OUTBOX_LEASE_SECONDS = 0.6


def write_mail(alice: User) -> None:
    content: channels.EmailContent = {"subject": "Hello", "text": "Hello", "html": "<p>Hello"}
    row = notifications.written("test", content, address=alice.email, user=alice)
    notifications.enqueue([row], now=timezone.now())


def write_push(alice: User) -> None:
    content: channels.PushContent = {"title": "Hello", "body": "Hello", "data": {}}
    row = notifications.push("test", dict(content), user=alice)
    row.is_written = True
    notifications.enqueue([row], now=timezone.now())


def outcome(channel: str = "email") -> tuple[str, int, str]:
    """Deliver the one waiting notification and return its state, attempts and last error.

    Its lease is released afterwards.
    """
    assert sending.deliver(channel=channel) is True
    row = Notification.objects.latest("pk")
    assert (row.lease, row.lease_until) == ("", None)
    return row.state, row.attempts, row.last_error


TIMED_OUT = ("waiting", 1, "timeout")


@contextmanager
def mail_server_that_drips(settings: Settings, *answers: bytes, drop: bytes) -> Iterator[None]:
    with wire.dripping_server(*answers, drop=drop) as address:
        settings.EMAIL_BACKEND = SMTP
        settings.EMAIL_HOST, _colon, port = address.partition(":")
        settings.EMAIL_PORT = int(port)
        yield


@pytest.mark.parametrize(
    ("answers", "drop", "options"),
    [
        ((b"220-",), b"hello\r\n220-", {}),
        (TO_DATA, b"hello\r\n250-", {}),
        (STARTTLS, b"\0", {"EMAIL_USE_TLS": True}),
        ((b"", TLS), b"\0", {"EMAIL_USE_SSL": True}),
    ],
    ids=["greeting", "after the message", "STARTTLS", "TLS"],
)
def test_a_mail_server(
    alice: User,
    settings: Settings,
    answers: tuple[bytes, ...],
    drop: bytes,
    options: dict[str, bool],
) -> None:
    for name, value in options.items():
        setattr(settings, name, value)
    write_mail(alice)
    with mail_server_that_drips(settings, *answers, drop=drop):
        assert outcome() == TIMED_OUT


def test_a_mail_that_was_taken_is_sent_though_the_farewell_drips(
    alice: User, settings: Settings
) -> None:
    farewell = (*TO_DATA[:-1], b"250 Taken\r\n", b"221-")
    write_mail(alice)
    with mail_server_that_drips(settings, *farewell, drop=b"bye\r\n221-"):
        assert outcome() == ("sent", 1, "")


def test_a_mail_provider(alice: User, settings: Settings) -> None:
    write_mail(alice)
    with wire.dripping_server(b"", HEADERS, drop=b"b", hear=wire.http_request) as address:
        settings.EMAIL_BACKEND = "anymail.backends.postmark.EmailBackend"
        settings.ANYMAIL = {
            "POSTMARK_SERVER_TOKEN": "token",
            "POSTMARK_API_URL": f"http://{address}/",
        }
        assert outcome() == TIMED_OUT


# --- Firebase ---------------------------------------------------------------------------------


@pytest.fixture
def phone(alice: User, firebase: wire.Firebase, settings: Settings) -> User:
    """Give Alice a phone.

    Load all push modules first, since that takes longer than a short lease.
    """
    alice.devices.create(token="a-phone", platform="ios")
    settings.OUTBOX_LEASE_SECONDS = 60
    write_push(alice)
    assert outcome("push") == ("sent", 1, "")
    settings.OUTBOX_LEASE_SECONDS = 4  # a sign-in and a send fit into it on a busy machine
    firebase_admin.delete_app(channels.firebase())
    channels._firebase.cache_clear()
    firebase.received.clear()
    firebase.sign_ins = 0
    return alice


def test_firebase(phone: User, firebase: wire.Firebase, settings: Settings) -> None:
    write_push(phone)
    with wire.dripping_server(b"", HEADERS, drop=b"b", hear=wire.http_request) as address:
        settings.FIREBASE_ENDPOINT = f"http://{address}/{{0}}"
        assert outcome("push") == TIMED_OUT
    assert firebase.sign_ins == 1


def test_where_firebase_signs_in(phone: User, firebase: wire.Firebase, settings: Settings) -> None:
    write_push(phone)
    with wire.dripping_server(b"", HEADERS, drop=b"b", hear=wire.http_request) as address:
        settings.FIREBASE_CREDENTIALS["token_uri"] = f"http://{address}/token"
        assert outcome("push") == TIMED_OUT
    assert firebase.received == []


def test_a_connection_that_is_used_again(
    phone: User, firebase: wire.Firebase, settings: Settings
) -> None:
    taken = b'{"name": "projects/parley-tests/messages/1"}'
    answer = b"HTTP/1.1 200 OK\r\nContent-Type: application/json\r\nContent-Length: %d\r\n\r\n%s"
    answers = (b"", answer % (len(taken), taken), HEADERS)
    with wire.dripping_server(*answers, drop=b"b", hear=wire.http_request) as address:
        settings.FIREBASE_ENDPOINT = f"http://{address}/{{0}}"
        settings.OUTBOX_LEASE_SECONDS = 60
        write_push(phone)
        assert outcome("push") == ("sent", 1, "")
        settings.OUTBOX_LEASE_SECONDS = 0.6
        write_push(phone)
        assert outcome("push") == TIMED_OUT
    assert firebase.sign_ins == 1


# --- the deadline itself ----------------------------------------------------------------------


def test_after_it_no_connection_is_opened_and_other_threads_are_free() -> None:
    with wire.silent_server() as (address, _connected), Deadline(0.05) as limit:
        host, _colon, port = address.partition(":")
        with socket.create_connection((host, int(port))) as connection:
            assert connection.recv(1) == b""  # cut
        wire.until(lambda: limit.passed)
        with pytest.raises(TimeoutError):
            socket.create_connection((host, int(port)))
    with wire.silent_server() as (address, _connected):
        host, _colon, port = address.partition(":")
        socket.create_connection((host, int(port))).close()


def test_the_wait_for_the_database_counts_too(alice: User, settings: Settings) -> None:
    settings.OUTBOX_LEASE_SECONDS = 40
    write_mail(alice)
    [row] = outbox.claim(Notification.objects.all(), now=timezone.now(), most=1)
    assert row.send_by - time.monotonic() == pytest.approx(30, abs=5)
