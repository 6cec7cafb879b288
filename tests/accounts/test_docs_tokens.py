"""`docs/api-tokens.md`: its commands run, and its tables and its program match the code."""

import json
import re
import shlex
import shutil
import subprocess
from pathlib import Path
from typing import Any
from urllib.parse import parse_qsl, urlsplit

import pytest
from django.utils import timezone
from pytest_django import Settings
from pytest_django.live_server_helper import LiveServer

from accounts.domain import applications, leaks
from accounts.models import ACCESS_PREFIX, REFRESH_PREFIX, TOKEN_PREFIX, User, new_token, scopes
from tests import factories
from tests.oauth import SCOPES, VERIFIER, App, app_of, challenge_of
from tests.pages import stand_alone

TEXT = (Path(__file__).resolve().parents[2] / "docs/api-tokens.md").read_text()
HOST = "https://parley.example"
CURLS = re.findall(r"^ *(curl .*)$", TEXT, re.M)


def run(live_server: LiveServer, command: str, **values: str) -> Any:
    """Run a command with these values inserted and return its JSON output."""
    for name, value in values.items():
        assert name in command
        command = command.replace(name, value)
    done = subprocess.run(
        shlex.split(command.replace(HOST, live_server.url)),
        capture_output=True,
        text=True,
        timeout=30,
        check=True,
    )
    return json.loads(done.stdout)


@pytest.mark.django_db(transaction=True)
@pytest.mark.skipif(not shutil.which("curl"), reason="no curl on this machine")
def test_its_commands_do_what_it_says(
    live_server: LiveServer, settings: Settings, alice: User, bob: User
) -> None:
    stand_alone(settings)
    app = app_of(bob, now=timezone.now())
    client = {"CLIENT_ID": app.client_id, "CLIENT_SECRET": app.secret}
    exchange, call, refresh, introspect, revoke, leaked = CURLS
    code = app.code(alice)
    tokens = run(live_server, exchange, CODE=code, VERIFIER=VERIFIER, **client)
    me = run(live_server, call, ACCESS_TOKEN=tokens["access_token"])
    assert me["data"]["email"] == alice.email
    renewed = run(live_server, refresh, REFRESH_TOKEN=tokens["refresh_token"], **client)
    asked = run(live_server, introspect, ACCESS_TOKEN=renewed["access_token"], **client)
    assert (asked["active"], asked["scope"]) == (True, SCOPES)
    assert run(live_server, revoke, REFRESH_TOKEN=renewed["refresh_token"], **client) == {}
    over = run(live_server, introspect, ACCESS_TOKEN=renewed["access_token"], **client)
    assert over == {"active": False}
    token = factories.token(alice)
    assert "revoked" in run(live_server, leaked, **{"pat_...": token})["message"]
    assert run(live_server, call, ACCESS_TOKEN=token)["error"] == "unauthorized"


@pytest.mark.django_db
def test_its_link_leads_to_the_consent(settings: Settings, alice: User, bob: User) -> None:
    stand_alone(settings)
    app: App = app_of(bob, now=timezone.now())
    [link] = re.findall(rf"^ *({HOST}/oauth/authorize\S+)$", TEXT, re.M)
    ours = {"CLIENT_ID": app.client_id, "STATE": "of-the-app", "CHALLENGE": challenge_of(VERIFIER)}
    sent = {name: ours.get(value, value) for name, value in parse_qsl(urlsplit(link).query)}
    assert sent == app.request()
    app.browser.force_login(alice)
    assert app.browser.get("/oauth/authorize", sent).status_code == 200


def test_its_tables_are_whole() -> None:
    told = dict(re.findall(r"^\| `(\w+:\w+)` \| (.*) \|$", TEXT, re.M))
    assert told == {name: str(words) for name, words in scopes.SCOPES.items()}
    kinds = re.findall(r"^\| `(\w+_)` \|", TEXT, re.M)
    assert kinds == [TOKEN_PREFIX, ACCESS_PREFIX, REFRESH_PREFIX, applications.SECRET_PREFIX]


def test_its_pattern_and_its_program_know_our_tokens() -> None:
    assert f"\n{leaks.PATTERN}\n" in TEXT
    [program] = re.findall(r"```python\n(.*?)```", TEXT, re.S)
    there: dict[str, Any] = {}
    exec(program, there)
    for prefix in (TOKEN_PREFIX, ACCESS_PREFIX, REFRESH_PREFIX):
        token = new_token(prefix)
        assert re.fullmatch(leaks.PATTERN, token)
        assert there["is_token"](token)
        assert not there["is_token"](token[:-1] + ("0" if token[-1] != "0" else "1"))
