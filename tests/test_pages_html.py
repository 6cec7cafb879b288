"""Rules for every page: browser policies, valid HTML, and no secret in it."""

from typing import Any
from urllib.parse import unquote

import pytest
from django.test import Client

from tests.page_rules import broken_rules
from tests.page_table import BEHIND_LINKS, ROWS, Row, World
from tests.pages import content

pytestmark = [pytest.mark.django_db, pytest.mark.look]

SECRET = {
    "accounts:new_application",
    "accounts:rotate_application",
    "accounts:tokens",
    "webhooks:new_webhook",
    "webhooks:edit",
    "webhooks:secret",
}
POLICY = {
    "default-src 'none'",
    "script-src 'self'",
    "style-src 'self'",
    "img-src 'self' data:",
    "font-src 'self'",
    "connect-src 'self'",
    "manifest-src 'self'",
    "form-action 'self'",
    "base-uri 'none'",
    "frame-ancestors 'none'",
}
# Its form leads on to where the application is.
CONSENT = "form-action 'self' https://app.example"
SHOWN = [row for row in ROWS if row.method == "GET" and row.owner in (200, 404)]


def keeps_to(name: str, page: Any, language: str = "en") -> None:
    """Check any answer, HTML or not, against the rules."""
    headers, whole = page.headers, content(page)
    policy = set(headers["Content-Security-Policy"].split("; "))
    if name == "oauth2_provider:authorize" and page.status_code == 200:
        assert policy == POLICY - {"form-action 'self'"} | {CONSENT}
    else:
        assert policy == POLICY
    assert headers["X-Frame-Options"] == "DENY"
    assert headers["X-Content-Type-Options"] == "nosniff"
    assert headers["Content-Language"] == language
    if page.status_code in (302, 403):  # to the sign-in, or without the token: not this page yet
        assert b"whsec_" not in whole
    elif name in BEHIND_LINKS:
        # Calendars that subscribe to a feed ask whether it is still the same.
        keeping = "no-store" if name != "calendars:feed" else "private, no-cache"
        assert headers["Cache-Control"] in ("no-store", keeping)
        assert (headers["Referrer-Policy"], headers["X-Robots-Tag"]) == ("no-referrer", "noindex")
    elif name in SECRET and page.status_code == 200:
        assert "no-store" in headers["Cache-Control"]
    if headers["Content-Type"].startswith("text/html") and whole:
        assert broken_rules(whole.decode(), language) == []


@pytest.mark.parametrize("row", SHOWN, ids=lambda row: row.name)
def test_a_page_keeps_to_the_rules(row: Row, world: World) -> None:
    for who in ("owner", "stranger", "nobody"):
        keeps_to(row.name, world.client(who, row.name).get(world.path_of(row.name)))
    world.people["owner"].language = "fr"
    world.people["owner"].save()
    if row.name != "accounts:join_team":  # Dora's
        page = world.client("owner", row.name).get(world.path_of(row.name))
        keeps_to(row.name, page, language="fr")


@pytest.mark.parametrize(
    "row", [row for row in ROWS if row.method == "POST"], ids=lambda row: row.name
)
def test_what_a_form_answers_keeps_to_them_too(row: Row, world: World) -> None:
    """Three posts: an empty form, a valid form, and a form without its CSRF token."""
    client, path = world.client("owner", row.name), world.path_of(row.name)
    keeps_to(row.name, client.post(path))
    page: Any = client.generic("POST", path, *world.form_of(row.name))
    if page.streaming or page.content:
        keeps_to(row.name, page)
    late: Any = Client(enforce_csrf_checks=True).post(path)
    assert late.status_code == 403
    keeps_to(row.name, late)


@pytest.mark.parametrize(
    "query",
    [
        "scheduling:dates ?date=2026-03-20",
        "scheduling:booking ?day=",
        "scheduling:booking ?start={free}",
        "scheduling:manage ?start={free}",
        "meetings:meetings ?tab=sent",
        "scheduling:bookings ?tab=pending",
        "meetings:home ?week=2026-03-09",
        "webhooks:webhook ?state=failed",
        "public:event_type ?start={free}",
        "public:event_type ?start=1",
        "public:event_type ?zone=Mars&hours=24",
    ],
)
def test_so_do_the_other_faces_of_a_page(query: str, world: World) -> None:
    name, _blank, said = query.partition(" ")
    path = world.path_of(name).partition("?")[0] + said.format(**world.parts)
    page: Any = world.client("owner", name).get(path)
    assert page.status_code == 200
    keeps_to(name, page)


def test_so_does_the_page_of_components(world: World) -> None:
    world.people["owner"].is_staff = True
    world.people["owner"].save()
    page: Any = world.client("owner", "components").get(world.path_of("components"))
    assert page.status_code == 200
    keeps_to("components", page)


# --- secrets -------------------------------------------------------------------------------------


@pytest.mark.parametrize("row", SHOWN, ids=lambda row: row.name)
def test_no_page_says_a_secret(row: Row, world: World) -> None:
    """Owners see no secrets either. A page behind a link shows no other link."""
    path = world.path_of(row.name)
    for who in ("owner", "mate", "stranger", "nobody"):
        page: Any = world.client(who, row.name).get(path)
        text = content(page).decode(errors="replace")
        assert [
            secret for secret in world.secrets if secret in text and secret not in unquote(path)
        ] == []


def test_a_new_secret_is_said_once_to_whoever_made_it(world: World) -> None:
    client, path = world.client("owner", "webhooks:rotate"), world.path_of("webhooks:secret")
    client.post(world.path_of("webhooks:rotate"))
    first: Any = client.get(path)
    keeps_to("webhooks:secret", first)
    assert "whsec_" in first.content.decode()
    assert client.get(path).status_code == 302


def test_a_new_token_is_not_kept_by_browsers(world: World) -> None:
    client, path = world.client("owner", "accounts:tokens"), world.path_of("accounts:tokens")
    made: Any = client.generic("POST", path, *world.form_of("accounts:tokens"))
    assert made.status_code == 200
    keeps_to("accounts:tokens", made)
