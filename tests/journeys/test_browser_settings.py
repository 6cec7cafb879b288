"""Settings and setup in Chromium: on a desk and on a phone."""

import json
from collections.abc import Iterator
from datetime import UTC, datetime, timedelta
from http import HTTPStatus
from ipaddress import ip_network
from typing import Any
from urllib.error import HTTPError
from urllib.parse import urlsplit
from urllib.request import Request, urlopen

import pytest
from django.utils import timezone
from playwright.sync_api import expect
from pytest_django import Settings
from pytest_django.live_server_helper import LiveServer
from standardwebhooks import Webhook

from accounts.models import Membership, Team, User
from config.worker import EmbeddedWorker
from scheduling.models import EventType
from tests import factories, wire
from tests.journeys.browser import Enter, Visit
from webhooks.models import Attempt

pytestmark = [pytest.mark.django_db(transaction=True), pytest.mark.look]


def link_in(mail_server: wire.MailServer, address: str, subject: str) -> str:
    """Return the path of the only link in the email with this subject to this address."""
    (mail,) = mail_server.wait_for(
        lambda mail: address in mail.recipients and subject in mail.subject
    )
    (link,) = set(wire.links_in(mail.text()))
    return urlsplit(link).path


def ask_the_api(live_server: LiveServer, path: str, token: str) -> tuple[int, Any]:
    """Return status and JSON of a GET by a program without a browser."""
    request = Request(live_server.url + path, headers={"Authorization": f"Bearer {token}"})
    try:
        with urlopen(request, timeout=10) as answer:
            return answer.status, json.load(answer)
    except HTTPError as refusal:
        with refusal:
            return refusal.code, json.load(refusal)


def test_from_signing_up_to_a_public_page(
    visit: Visit, worker: EmbeddedWorker, mail_server: wire.MailServer, size: str
) -> None:
    visitor = visit("/accounts/signup/", size, zone="Asia/Tokyo")
    page = visitor.page
    page.get_by_label("First name").fill("Dora")
    page.get_by_label("Email").fill("dora@example.com")
    page.get_by_label("Password", exact=True).fill(factories.PASSWORD)
    page.get_by_role("button", name="Create account").click()
    expect(page.get_by_role("heading", level=1)).to_have_text("Check your email")

    page.goto(link_in(mail_server, "dora@example.com", ""))
    expect(page.get_by_role("heading", level=1)).to_have_text("These are your hours")
    dora = User.objects.get()
    page.goto("/")
    expect(page.get_by_role("heading", level=1)).to_contain_text("Dora")
    visitor.look("home-new")

    page.goto("/settings/hours")
    expect(page.get_by_label("Time zone of your availability")).to_have_value("Asia/Tokyo")
    monday = page.get_by_role("group", name="Monday", exact=True)
    monday.get_by_label("Until").fill("25:00")
    page.get_by_role("button", name="Save availability").last.click()
    expect(page.get_by_role("alert")).to_contain_text("Not saved yet")
    visitor.look("hours-refused")
    monday.get_by_label("Until").fill("12:30")
    page.get_by_role("checkbox", name="Friday").first.uncheck()
    page.get_by_role("button", name="Save availability").last.click()
    expect(page.get_by_role("status").first).to_have_text("Your availability is saved.")
    visitor.look("hours-saved")

    page.goto("/event-types")
    visitor.look("event-types-first")
    page.get_by_role("link", name="New event type").click()
    visitor.look("event-type-new")
    page.get_by_label("Name", exact=True).first.fill("Tea with Dora")
    page.get_by_role("radio", name="45 min").check()
    page.get_by_role("checkbox", name="The link follows later").check()
    page.get_by_role("button", name="Save").last.click()
    expect(page.get_by_role("status").first).to_have_text("Tea with Dora is saved.")
    visitor.look("event-types")

    page.get_by_role("link", name="Your public page").last.click()
    page.get_by_role("link", name="Tea with Dora").click()
    expect(page.get_by_role("heading", level=1)).to_contain_text("Tea with Dora")
    assert EventType.objects.get(name="Tea with Dora").host == dora


def test_a_token_that_is_shown_once(enter: Enter, live_server: LiveServer, alice: User) -> None:
    visitor = enter(alice, "/settings/tokens")
    page = visitor.page
    visitor.look("tokens-none")
    page.get_by_label("Name").fill("Laptop")
    page.get_by_role("button", name="Create token").click()
    expect(page.get_by_text("Choose at least one.")).to_be_visible()
    visitor.look("token-refused")
    page.get_by_label("See your profile").check()
    page.get_by_role("button", name="Create token").click()
    expect(page.get_by_role("heading", level=1)).to_have_text("Your new token")
    visitor.look("token")
    token = page.locator("#token").inner_text()
    status, answer = ask_the_api(live_server, "/api/v1/users/me", token)
    assert (status, answer["data"]["email"]) == (HTTPStatus.OK, alice.email)
    status, _answer = ask_the_api(live_server, "/api/v1/event_types", token)
    assert status == HTTPStatus.FORBIDDEN

    page.get_by_role("link", name="Done").click()
    expect(page.get_by_role("listitem").filter(has_text="Laptop")).to_contain_text("last used")
    assert token not in page.content()
    page.locator("summary", has_text="Revoke").click()
    visitor.look("token-revoking")
    page.get_by_role("button", name="Revoke the token").click()
    expect(page.get_by_role("status")).to_contain_text("Laptop has been revoked")
    visitor.look("tokens")
    status, _answer = ask_the_api(live_server, "/api/v1/users/me", token)
    assert status == HTTPStatus.UNAUTHORIZED


@pytest.fixture
def endpoint(settings: Settings) -> Iterator[wire.Endpoint]:
    settings.WEBHOOK_ALLOWED_NETWORKS = [ip_network("127.0.0.0/8")]
    with wire.endpoint() as endpoint:
        yield endpoint


def test_a_webhook_and_what_was_delivered(
    enter: Enter, worker: EmbeddedWorker, endpoint: wire.Endpoint, alice: User
) -> None:
    visitor = enter(alice, "/settings/webhooks")
    page = visitor.page
    visitor.look("webhooks-none")
    page.get_by_role("link", name="New webhook").click()
    page.get_by_label("Name").first.fill("Door bell")
    page.get_by_label("Address").fill("ftp://example.com")
    page.get_by_role("button", name="Create webhook").click()
    expect(page.get_by_role("alert").first).to_be_visible()
    visitor.look("webhook-refused")
    page.get_by_label("Address").fill(endpoint.url)
    page.get_by_label("booking.created").check()
    page.get_by_role("button", name="Create webhook").click()
    expect(page.get_by_role("heading", level=1)).to_have_text("The signing secret")
    visitor.look("webhook-secret")
    secret = page.locator("#secret").inner_text()

    page.get_by_role("link", name="Done").click()
    visitor.look("webhook-new")
    page.get_by_role("button", name="Send a test").click()
    expect(page.get_by_role("status")).to_contain_text("The test arrived")
    now = timezone.now()
    day = now.date() + timedelta(days=14 - now.weekday())  # the next Monday but one
    start = datetime(day.year, day.month, day.day, 10, tzinfo=UTC)
    factories.booking(factories.event_type(alice), start=start, now=now)
    _test, booked = endpoint.wait_for(2)
    told = Webhook(secret).verify(booked.body, booked.headers)
    assert told["type"] == "booking.created"
    wire.until(Attempt.objects.filter(delivery__event__type="booking.created").exists)
    page.reload()
    delivered = page.get_by_role("listitem").filter(has_text="booking.created")
    expect(delivered.last).to_contain_text("Delivered")
    visitor.look("webhook")

    page.goto("/settings/webhooks")
    visitor.look("webhooks")


def test_an_invitation_to_a_team(
    enter: Enter,
    visit: Visit,
    worker: EmbeddedWorker,
    mail_server: wire.MailServer,
    alice: User,
    bob: User,
    size: str,
) -> None:
    visitor = enter(alice, "/settings/teams")
    page = visitor.page
    visitor.look("teams-none")
    page.get_by_label("Name of the team").fill("Band")
    page.get_by_role("button", name="Create team").click()
    expect(page.get_by_role("status")).to_contain_text("Band is created.")
    page.get_by_label("Email address").fill(bob.email)
    page.get_by_role("button", name="Send an invitation").click()
    invitations = page.get_by_role("region", name="Invitations").get_by_role("listitem")
    expect(invitations).to_contain_text(f"{bob.email} Invited")
    visitor.look("team-invited")

    invited = visit(link_in(mail_server, bob.email, "Band"), size)
    expect(invited.page.get_by_role("heading", level=1)).to_have_text("Join Band")
    invited.look("join-stranger")
    invited.page.get_by_role("main").get_by_role("link", name="Sign in").click()
    invited.sign_in(bob)
    invited.look("join")
    invited.page.get_by_role("button", name="Join the team").click()
    expect(invited.page.get_by_role("status")).to_contain_text("Welcome to Band.")
    page.reload()
    page.locator("summary", has_text="Change").last.click()
    visitor.look("team")
    roles = Membership.objects.order_by("pk").values_list("user__username", "role")
    assert list(roles) == [("alice", "owner"), ("bob", "member")]
    assert Team.objects.get().name == "Band"
