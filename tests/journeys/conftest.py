"""Real parts for whole stories: a worker of ours, a browser, and the wire's far ends."""

import os
from collections.abc import Iterator
from urllib.parse import urlsplit

import firebase_admin
import pytest
from django.db import connections
from django.test import Client
from django.utils import timezone
from firebase_admin import _http_client, messaging
from playwright.sync_api import Browser, sync_playwright
from pytest_django import Settings
from pytest_django.live_server_helper import LiveServer

from accounts import channels
from accounts.models import User
from config.worker import EmbeddedWorker
from tests import wire
from tests.journeys.browser import ARGUMENTS, CHROMIUM, SIZES, Enter, Scheme, Visit, Visitor
from tests.oauth import App, app_of
from tests.pages import stand_alone


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


@pytest.fixture(scope="module")
def chromium() -> Iterator[Browser]:
    """One browser for the stories of a module, which must all be such: see below."""
    if not CHROMIUM:
        why = "no chromium on this machine: the stories in a browser are not told"
        if os.environ.get("REQUIRE_BROWSER") == "1":
            pytest.fail(why)
        pytest.skip(why)
    with pytest.MonkeyPatch.context() as patch, sync_playwright() as playwright:
        # Playwright keeps an event loop in this thread, and Django takes its presence for async
        # code. It also keeps other connections beside one than those that pytest-django closes.
        patch.setenv("DJANGO_ALLOW_ASYNC_UNSAFE", "1")
        yield playwright.chromium.launch(executable_path=CHROMIUM, args=ARGUMENTS)
        connections.close_all()


@pytest.fixture
def visit(chromium: Browser, live_server: LiveServer, settings: Settings) -> Iterator[Visit]:
    """Opens a browser of its own for each visitor; at the end none may have complained."""
    stand_alone(settings)
    settings.PUBLIC_URL = live_server.url
    visitors: list[Visitor] = []

    def visit(
        path: str = "/",
        size: str = "desk",
        scheme: Scheme = "light",
        locale: str = "en-US",
        zone: str = "America/New_York",
        scripts: bool = True,
    ) -> Visitor:
        context = chromium.new_context(
            base_url=live_server.url,
            viewport=SIZES[size],
            is_mobile=size == "phone",
            has_touch=size == "phone",
            color_scheme=scheme,
            reduced_motion="reduce",  # a look is at what stands, not at what fades
            timezone_id=zone,
            locale=locale,
            java_script_enabled=scripts,
        )
        visitor = Visitor(context.new_page(), urlsplit(live_server.url).netloc, size, scheme)
        visitor.page.goto(path)
        visitors.append(visitor)
        return visitor

    yield visit
    for visitor in visitors:
        visitor.page.context.close()
    assert [visitor.complaints for visitor in visitors] == [[] for _ in visitors]


@pytest.fixture(params=SIZES)
def size(request: pytest.FixtureRequest) -> str:
    return str(request.param)


@pytest.fixture
def enter(visit: Visit, size: str) -> Enter:
    """Somebody's browser, in which they have signed in before."""

    def enter(person: User, **options: str) -> Visitor:
        client, visitor = Client(), visit("/accounts/login/", size, **options)
        client.force_login(person)
        session, site = client.cookies["sessionid"].value, f"http://{visitor.host}/"
        visitor.page.context.add_cookies([{"name": "sessionid", "value": session, "url": site}])
        return visitor

    return enter


@pytest.fixture
def limits_start_anew(settings: Settings) -> None:
    stand_alone(settings)


@pytest.fixture
def app(bob: User) -> App:
    """Bob's application, that keeps a secret."""
    return app_of(bob, now=timezone.now())
