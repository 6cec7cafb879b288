"""Security headers of every answer, and the stricter headers and cookies with HTTPS."""

import json
import os
import subprocess
import sys
from pathlib import Path
from typing import Any

import pytest
from django.test import Client

from tests.page_table import ROWS, World

ROOT = Path(__file__).resolve().parents[2]
# Headers are the same on either database.
pytestmark = pytest.mark.look
SHOWN = [row for row in ROWS if row.method == "GET"]


def check(answer: Any) -> None:
    headers = answer.headers
    assert headers["X-Content-Type-Options"] == "nosniff"
    assert headers["Cross-Origin-Resource-Policy"] == "same-origin"
    assert headers["Cross-Origin-Opener-Policy"] == "same-origin"
    unused = {part.removesuffix("=()") for part in headers["Permissions-Policy"].split(", ")}
    assert unused >= {"camera", "microphone", "geolocation", "payment"}
    assert headers["X-Frame-Options"] == "DENY"
    assert headers["Referrer-Policy"] in ("same-origin", "no-referrer")


def policy(answer: Any) -> dict[str, list[str]]:
    parts = (part.split() for part in answer.headers["Content-Security-Policy"].split(";"))
    return {name: sources for name, *sources in parts}


def test_every_page_says_what_it_does_not_need(world: World) -> None:
    for row in SHOWN:
        for who in ("owner", "nobody"):
            answer: Any = world.client(who, row.name).get(world.path_of(row.name))
            check(answer)
            told = policy(answer)
            assert told["default-src"] == told["base-uri"] == told["frame-ancestors"] == ["'none'"]
            assert told["script-src"] == told["style-src"] == ["'self'"]
            # What is not named is `default-src`'s: no plugin, no frame, no worker.
            assert not {"object-src", "frame-src", "child-src", "worker-src"} & set(told), row


def test_so_do_those_of_others(client: Client, world: World) -> None:
    for path in ("/accounts/login/", "/accounts/signup/", "/admin/login/", "/nowhere/at/all"):
        answer = client.get(path)
        check(answer)
        assert policy(answer)["default-src"] == ["'none'"]


@pytest.mark.django_db
def test_so_do_the_apis_refusals(client: Client) -> None:
    for path in ("/api/v1/events", "/api/nowhere"):
        answer = client.get(path)
        assert answer.status_code in (401, 404)
        assert answer.headers["X-Content-Type-Options"] == "nosniff"
        assert answer.headers["Cross-Origin-Resource-Policy"] == "same-origin"


@pytest.mark.django_db
def test_a_form_that_is_too_large_is_refused(client: Client, world: World) -> None:
    """Parley refuses the form before it reads it.

    The proxies of deploy/ refuse still larger ones.
    """
    body = "email=" + "a" * 3_000_000
    answer = client.post("/accounts/login/", body, content_type="application/x-www-form-urlencoded")
    assert answer.status_code == 400


# --- with HTTPS -------------------------------------------------------------------------------

_NAMES = (
    "SESSION_COOKIE_NAME",
    "CSRF_COOKIE_NAME",
    "SESSION_COOKIE_SECURE",
    "CSRF_COOKIE_SECURE",
    "SESSION_COOKIE_HTTPONLY",
    "SESSION_COOKIE_SAMESITE",
    "LANGUAGE_COOKIE_SECURE",
    "SECURE_SSL_REDIRECT",
    "SECURE_HSTS_SECONDS",
    "SECURE_HSTS_INCLUDE_SUBDOMAINS",
    "SECURE_HSTS_PRELOAD",
)
_TELL = f"""
import json
from django.conf import settings
told = {{name: getattr(settings, name) for name in {_NAMES}}}
told["upgrade"] = settings.CONTENT_SECURITY_POLICY["DIRECTIVES"]["upgrade-insecure-requests"]
told["proxy"] = settings.SECURE_PROXY_SSL_HEADER
print(json.dumps(told))
"""


def settings_of(tmp_path: Path, **variables: str) -> Any:
    done = subprocess.run(
        [sys.executable, "-c", _TELL],
        cwd=ROOT,
        env={
            "PATH": os.environ["PATH"],
            "DJANGO_SETTINGS_MODULE": "config.settings",
            "DATA_DIR": str(tmp_path),
            **variables,
        },
        check=True,
        stdout=subprocess.PIPE,
        text=True,
    )
    return json.loads(done.stdout)


def test_with_https_cookies_are_of_this_host_alone(tmp_path: Path) -> None:
    """tests/journeys/test_deploy_production.py checks the cookies on the wire."""
    assert settings_of(tmp_path, PUBLIC_URL="https://parley.example", TRUSTED_PROXIES="1") == {
        "SESSION_COOKIE_NAME": "__Host-sessionid",
        "CSRF_COOKIE_NAME": "__Host-csrftoken",
        "SESSION_COOKIE_SECURE": True,
        "CSRF_COOKIE_SECURE": True,
        "SESSION_COOKIE_HTTPONLY": True,
        "SESSION_COOKIE_SAMESITE": "Lax",
        "LANGUAGE_COOKIE_SECURE": True,
        "SECURE_SSL_REDIRECT": True,
        "SECURE_HSTS_SECONDS": 31_536_000,
        "SECURE_HSTS_INCLUDE_SUBDOMAINS": True,
        "SECURE_HSTS_PRELOAD": False,
        "upgrade": True,
        "proxy": ["HTTP_X_FORWARDED_PROTO", "https"],
    }


def test_without_it_a_browser_would_not_take_such_cookies(tmp_path: Path) -> None:
    assert settings_of(tmp_path, PUBLIC_URL="http://localhost:8000") == {
        "SESSION_COOKIE_NAME": "sessionid",
        "CSRF_COOKIE_NAME": "csrftoken",
        "SESSION_COOKIE_SECURE": False,
        "CSRF_COOKIE_SECURE": False,
        "SESSION_COOKIE_HTTPONLY": True,
        "SESSION_COOKIE_SAMESITE": "Lax",
        "LANGUAGE_COOKIE_SECURE": False,
        "SECURE_SSL_REDIRECT": False,
        "SECURE_HSTS_SECONDS": 0,
        "SECURE_HSTS_INCLUDE_SUBDOMAINS": False,
        "SECURE_HSTS_PRELOAD": False,
        "upgrade": False,
        "proxy": None,
    }
