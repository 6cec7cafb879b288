"""OAuth in a browser: a person connects an application and disconnects it."""

import threading
from collections.abc import Iterator
from http.server import BaseHTTPRequestHandler, HTTPServer
from typing import Any
from urllib.parse import parse_qsl, urlencode, urlsplit

import pytest
from django.utils import timezone
from playwright.sync_api import expect

from accounts.models import User
from tests import factories
from tests.journeys.browser import Enter, Visit
from tests.oauth import app_of

pytestmark = [pytest.mark.django_db(transaction=True), pytest.mark.look]

LONG = "Donaudampfschifffahrtsgesellschaftskapitän"
MANY = "events:write event_types:read users:read webhooks:write availability:read meetings:write"


@pytest.fixture
def program() -> Iterator[str]:
    """Yield the callback URL of a program on the visitor's computer."""

    class Callback(BaseHTTPRequestHandler):
        def do_GET(self) -> None:
            self.send_response(200 if self.path.startswith("/callback") else 204)
            self.end_headers()
            self.wfile.write(b"<!doctype html><title>Back</title><h1>Thank you</h1>")

        def log_message(self, *_arguments: Any) -> None: ...

    with HTTPServer(("127.0.0.1", 0), Callback) as server:
        threading.Thread(target=server.serve_forever, daemon=True).start()
        yield f"http://127.0.0.1:{server.server_port}/callback"
        server.shutdown()


@pytest.mark.parametrize("answer", ["Connect", "Cancel"])
def test_the_browser_follows_back_to_the_application(
    visit: Visit, alice: User, bob: User, program: str, answer: str
) -> None:
    """The redirect passes the sign-in and the page's `form-action` policy."""
    app = app_of(bob, now=timezone.now(), public=True, redirect_uris=["http://127.0.0.1/callback"])
    asked = app.request(redirect_uri=program, scope="users:read")
    visitor = visit(f"/oauth/authorize?{urlencode(asked)}")
    page = visitor.page
    visitor.sign_in(alice)
    expect(page.get_by_role("heading", level=1)).to_contain_text("Connect Calendar on the wall")
    page.get_by_role("button", name=answer, exact=True).click()
    expect(page.get_by_role("heading", level=1)).to_have_text("Thank you")
    told = dict(parse_qsl(urlsplit(page.url).query))
    assert told["state"] == "of-the-app"
    assert ("code" in told) == (answer == "Connect")
    foreign = [f"request to {page.url}"]
    assert [each for each in visitor.complaints if "favicon" not in each] == foreign
    visitor.complaints.clear()


def test_being_asked_and_ending_it(enter: Enter, alice: User, bob: User) -> None:
    app = app_of(bob, now=timezone.now(), name=f"{LONG}s Kalender")
    visitor = enter(alice, "/settings/connections")
    page = visitor.page
    visitor.look("connections-none")
    page.goto(f"/oauth/authorize?{urlencode(app.request(scope=MANY))}")
    visitor.look("consent")
    app.tokens(alice, scope=MANY)
    page.reload()
    expect(page.get_by_text("You have connected it before.")).to_be_visible()
    visitor.look("consent-again")
    page.goto(f"/oauth/authorize?{urlencode(app.request(client_id='nobody'))}")
    visitor.look("consent-broken")
    visitor.refused(400)
    page.goto("/settings/connections")
    visitor.unfold()
    visitor.look("connections")
    page.get_by_role("button", name="Disconnect it").click()
    expect(page.get_by_text("is disconnected and can no longer act for you")).to_be_visible()


def test_making_an_application(enter: Enter, alice: User, bob: User) -> None:
    visitor = enter(alice, "/settings/applications")
    page = visitor.page
    visitor.look("applications-none")
    page.get_by_role("link", name="New application").click()
    page.get_by_label("Name").fill(LONG)
    page.get_by_label("Redirect URIs").fill("http://example.com/")
    page.get_by_role("button", name="Create application").click()
    expect(page.locator(".errorlist")).to_contain_text("Use https.")
    visitor.look("application-refused")
    page.get_by_label("Redirect URIs").fill("https://app.example/callback")
    page.get_by_role("button", name="Create application").click()
    expect(page.get_by_role("heading", level=1)).to_have_text("Your new application")
    visitor.look("application-made")
    page.get_by_role("link", name="Done").click()
    visitor.unfold()
    visitor.look("application")
    app_of(alice, now=timezone.now(), public=True).tokens(bob)
    app_of(alice, now=timezone.now(), name="Third").tokens(factories.user("dora"))
    page.goto("/settings/applications")
    visitor.look("applications")
