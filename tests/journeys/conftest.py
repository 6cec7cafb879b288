"""Real parts for whole stories: a worker of ours, and the wire's far ends."""

from collections.abc import Iterator

import firebase_admin
import pytest
from firebase_admin import _http_client, messaging
from pytest_django import Settings

from accounts import channels
from config.worker import EmbeddedWorker
from tests import wire


@pytest.fixture
def mail_server(settings: Settings) -> Iterator[wire.MailServer]:
    """Where the settings of this test send mail."""
    with wire.MailServer() as server:
        settings.EMAIL_BACKEND = "django.core.mail.backends.smtp.EmailBackend"
        settings.EMAIL_HOST = "127.0.0.1"
        settings.EMAIL_PORT = server.port
        yield server


@pytest.fixture
def firebase(settings: Settings, monkeypatch: pytest.MonkeyPatch) -> Iterator[wire.Firebase]:
    """Where the settings of this test send push messages."""
    with wire.firebase() as fake:
        settings.FIREBASE_CREDENTIALS = fake.credentials
        settings.FIREBASE_ENDPOINT = fake.endpoint
        # The channel writes the endpoint there.
        monkeypatch.setattr(messaging._MessagingService, "FCM_URL", fake.endpoint)
        # Between tries of its own the client waits for up to four seconds.
        monkeypatch.setattr(_http_client.DEFAULT_RETRY_CONFIG, "backoff_factor", 0)
        yield fake
        if channels._firebase.cache_info().currsize:
            firebase_admin.delete_app(channels._firebase())
            channels._firebase.cache_clear()


@pytest.fixture
def worker(transactional_db: None) -> Iterator[EmbeddedWorker]:
    """A worker and a beat on the broker of the settings: in memory, or on Redis."""
    worker = EmbeddedWorker()
    worker.start()
    assert worker.wait_until_ready()
    yield worker
    worker.stop()
