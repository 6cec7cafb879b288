"""Fixtures for whole journeys: Parley's worker, a browser, and fake external servers."""

import asyncio
import os
from collections import defaultdict
from collections.abc import Iterator
from datetime import UTC, datetime
from pathlib import Path
from typing import Any
from urllib.parse import urlsplit

import firebase_admin
import pytest
from django.db import connections
from django.test import Client
from django.utils import timezone
from playwright.sync_api import Browser, Page, expect, sync_playwright
from pytest_django import Settings
from pytest_django.live_server_helper import LiveServer

from accounts.models import User
from config.worker import EmbeddedWorker
from core.ops.private_names import firebase_messages, firebase_retries
from notifications.domain import channels
from tests import wire
from tests.journeys.browser import ARGUMENTS, CHROMIUM, SIZES, Enter, Scheme, Visit, Visitor
from tests.oauth import App, app_of
from tests.pages import stand_alone
from tests.private_names import set_running_loop


@pytest.fixture
def mail_server(settings: Settings) -> Iterator[wire.MailServer]:
    """Yield a mail server that the settings of this test use."""
    with wire.MailServer() as server:
        settings.EMAIL_BACKEND = "django.core.mail.backends.smtp.EmailBackend"
        settings.EMAIL_HOST = "127.0.0.1"
        settings.EMAIL_PORT = server.port
        yield server


@pytest.fixture
def firebase(settings: Settings, monkeypatch: pytest.MonkeyPatch) -> Iterator[wire.Firebase]:
    """Yield a fake Firebase that the settings of this test send push messages to."""
    with wire.firebase() as fake:
        settings.FIREBASE_CREDENTIALS = fake.credentials
        settings.FIREBASE_ENDPOINT = fake.endpoint
        # The channel writes the endpoint there.
        monkeypatch.setattr(firebase_messages(), "FCM_URL", fake.endpoint)
        # Between tries of its own the client waits for up to four seconds.
        monkeypatch.setattr(firebase_retries(), "backoff_factor", 0)
        yield fake
        if channels._firebase.cache_info().currsize:
            firebase_admin.delete_app(channels._firebase())
            channels._firebase.cache_clear()


@pytest.fixture
def worker(transactional_db: None) -> Iterator[EmbeddedWorker]:
    """Run a worker and a beat on the broker of the settings: in memory, or on Redis."""
    worker = EmbeddedWorker()
    worker.start()
    assert worker.wait_until_ready()
    yield worker
    worker.stop()


@pytest.fixture(scope="session")
def playing() -> Iterator[tuple[Browser, asyncio.AbstractEventLoop]]:
    """Yield one browser for all journeys of this process, and Playwright's event loop."""
    if not CHROMIUM:
        why = "no chromium on this machine: the stories in a browser are not told"
        if os.environ.get("REQUIRE_BROWSER") == "1":
            pytest.fail(why)
        pytest.skip(why)
    with pytest.MonkeyPatch.context() as patch:
        # Under faketime a page would never load. So the browser has the real date, and each page a
        # clock that shows the other one. The driver has the real date too: a page adds to its clock
        # the time since the driver set it.
        patch.delenv("LD_PRELOAD", raising=False)
        with sync_playwright() as playwright:
            patch.undo()
            loop = asyncio.get_running_loop()
            expect.set_options(timeout=15_000)  # as patient as `wire.until`
            browser = playwright.chromium.launch(executable_path=CHROMIUM, args=ARGUMENTS)
            set_running_loop(None)
            yield browser, loop
            set_running_loop(loop)


@pytest.fixture
def chromium(playing: tuple[Browser, asyncio.AbstractEventLoop]) -> Iterator[Browser]:
    """Yield the browser for one test.

    Playwright's event loop runs in this thread. Django takes it for async code, and then uses other
    connections than those that pytest-django closes. Other tests must not see the loop.
    """
    browser, loop = playing
    with pytest.MonkeyPatch.context() as patch:
        patch.setenv("DJANGO_ALLOW_ASYNC_UNSAFE", "1")
        set_running_loop(loop)
        yield browser
        connections.close_all()
        set_running_loop(None)


@pytest.fixture(scope="session")
def seen(tmp_path_factory: pytest.TempPathFactory) -> Path:
    """Return the folder in which all processes of this run note the elements checked by axe."""
    folder = tmp_path_factory.getbasetemp()
    if "PYTEST_XDIST_WORKER" in os.environ:
        folder = folder.parent
    (folder / "seen").mkdir(exist_ok=True)
    return folder / "seen"


@pytest.fixture(scope="session")
def free_pages(playing: tuple[Browser, asyncio.AbstractEventLoop]) -> dict[str, list[Page]]:
    """Return the pages that earlier visitors have left, by the kind of their browser."""
    return defaultdict(list)


@pytest.fixture
def visit(
    chromium: Browser,
    free_pages: dict[str, list[Page]],
    live_server: LiveServer,
    settings: Settings,
    seen: Path,
) -> Iterator[Visit]:
    """Yield a maker of visitors with a fresh browser. No visitor may have complaints at the end."""
    stand_alone(settings)
    settings.PUBLIC_URL = live_server.url
    visitors: list[tuple[str, Visitor]] = []

    def visit(
        path: str = "/",
        size: str = "desk",
        scheme: Scheme = "light",
        locale: str = "en-US",
        zone: str = "America/New_York",
        scripts: bool = True,
        session: str = "",
    ) -> Visitor:
        kind = f"{size} {scheme} {locale} {zone} {scripts}"
        if free_pages[kind]:
            page = free_pages[kind].pop()
        else:
            page = chromium.new_context(
                base_url=live_server.url,
                viewport=SIZES[size],
                is_mobile=size == "phone",
                has_touch=size == "phone",
                color_scheme=scheme,
                reduced_motion="reduce",  # a look is at what stands, not at what fades
                timezone_id=zone,
                locale=locale,
                java_script_enabled=scripts,
            ).new_page()
            if "faketime" in os.environ.get("LD_PRELOAD", ""):
                page.clock.install(time=datetime.now(UTC))
        visitor = Visitor(page, urlsplit(live_server.url).netloc, size, scheme, seen)
        visitors.append((kind, visitor))
        if session:
            visitor.bring(session)
        if path:
            page.goto(path)
        return visitor

    yield visit
    for kind, visitor in visitors:
        visitor.leave()
        free_pages[kind].append(visitor.page)
    assert [visitor.complaints for _, visitor in visitors] == [[] for _ in visitors]


@pytest.fixture
def size() -> str:
    """Return the device size of a journey. A module can override it."""
    return "desk"


@pytest.fixture
def enter(visit: Visit, size: str) -> Enter:
    """Return a maker of signed-in visitors, on a given page."""

    def enter(person: User, path: str = "", **options: Any) -> Visitor:
        client = Client()
        client.force_login(person)
        session = client.cookies["sessionid"].value
        return visit(path, **{"size": size, "session": session, **options})

    return enter


@pytest.fixture
def limits_start_anew(settings: Settings) -> None:
    stand_alone(settings)


@pytest.fixture
def app(bob: User) -> App:
    """Return Bob's confidential application."""
    return app_of(bob, now=timezone.now())
