"""Parley on SQLite moves to PostgreSQL by docs/deploy.md: passwords, tokens and sessions go on."""

import os
import subprocess
from collections.abc import Iterator
from contextlib import ExitStack, closing, contextmanager
from dataclasses import replace
from functools import partial
from http.cookiejar import CookieJar
from pathlib import Path
from urllib.parse import urlencode
from urllib.request import HTTPCookieProcessor, OpenerDirector, build_opener

import pytest

from tests import recipes, services, wire
from tests.torture.deployment import EMBEDDED_WORKER, Deployment, deployed, zygote
from tests.torture.served import Client, answers, event, in_a_month

pytestmark = [
    pytest.mark.alone,
    pytest.mark.postgresql,
    pytest.mark.skipif(EMBEDDED_WORKER, reason="the web of compose.yaml has Redis"),
]


@pytest.fixture
def new(tmp_path: Path) -> Iterator[Deployment]:
    """Yield the deployment on PostgreSQL and Redis, whose database is empty."""
    with deployed(tmp_path) as deployment:
        yield deployment


@pytest.fixture
def old(new: Deployment) -> Deployment:
    """Return the deployment on SQLite that makes its own keys."""
    own = {name: value for name, value in new.environment.items() if name not in _OF_PRODUCTION}
    deployment = replace(new, environment=own)
    deployment.manage("migrate", "--verbosity", "0")
    return deployment


ADA = "ada@example.com"
_OF_PRODUCTION = ("DATABASE_URL", "REDIS_URL", "SECRET_KEY", "ENCRYPTION_KEYS")


@contextmanager
def serving(deployment: Deployment, *command: str) -> Iterator[int]:
    port = services.free_port()
    words = [word.replace("8000", str(port)) for word in command]
    with deployment.running(*words, PORT=str(port), GRANIAN_WORKERS="1") as server:
        wire.until(partial(answers, port), seconds=90, what=server.output)
        yield port


def sign_in(browser: OpenerDirector, port: int) -> str:
    """Sign Ada in with her password. Return where she is then."""
    page = f"http://localhost:{port}/accounts/login/"
    text = browser.open(page).read().decode()
    token = text.partition('name="csrfmiddlewaretoken" value="')[2].partition('"')[0]
    form = {"login": ADA, "password": "demo-password"}
    fields = urlencode({**form, "csrfmiddlewaretoken": token}).encode()
    return str(browser.open(page, fields).url)


def content_of(deployment: Deployment, name: str) -> str:
    return (deployment.directory / name).read_text().strip()


def test_what_people_had_is_there_after_the_move(old: Deployment, new: Deployment) -> None:
    old.manage("seed_demo")
    token = old.manage("create_token", ADA, "--name", "program").split()[-1]
    with zygote(old) as forking:
        (event_type,) = forking.do("offer", ADA, [{}])
    browser = build_opener(HTTPCookieProcessor(CookieJar()))
    serve = (str(recipes.ROOT / "manage.py"), "serve", "--no-demo")
    with serving(old, *serve) as port, closing(Client(port, token)) as client:
        body = event(event_type, in_a_month())
        assert client.ask("POST", "/api/v1/events", body).status == 201
        before = client.ask("GET", "/api/v1/events").data
        assert sign_in(browser, port) == f"http://localhost:{port}/"

    line = recipes.in_shell("Moving to PostgreSQL", "    .venv/bin/python manage.py move")
    subprocess.run(
        ["bash", "-c", recipes.python_as_here(line)],
        env=old.environment | {"TARGET_DATABASE_URL": new.environment["DATABASE_URL"]},
        check=True,
        stdout=subprocess.DEVNULL,
    )
    os.rename(new.directory / "parley.sqlite3", new.directory / "parley.sqlite3.moved")
    keys = {
        "SECRET_KEY": content_of(new, "secret_key"),
        "ENCRYPTION_KEYS": content_of(new, "encryption_key"),
    }
    moved = replace(new, environment=new.environment | keys)
    moved.manage("migrate", "--check")
    web = recipes.by_python(recipes.command("web"), port=8000)
    with ExitStack() as stack:
        port = stack.enter_context(serving(moved, *web))
        client = stack.enter_context(closing(Client(port, token)))
        assert client.ask("GET", "/api/v1/events").data == before
        assert client.ask("POST", "/api/v1/events", body).status == 409
        other = event(event_type, in_a_month().replace(hour=15))
        assert client.ask("POST", "/api/v1/events", other).status == 201
        # Ada is still signed in, and can sign in anew elsewhere.
        assert browser.open(f"http://localhost:{port}/settings/profile").status == 200
        elsewhere = build_opener(HTTPCookieProcessor(CookieJar()))
        assert sign_in(elsewhere, port) == f"http://localhost:{port}/"
