"""First run in Chromium, counted: from the first page to a link that others can book by."""

from dataclasses import dataclass, field
from urllib.parse import urlsplit

import pytest
from django.conf import settings
from django.utils import timezone
from playwright.sync_api import Locator, Page, expect

from accounts.domain import teams
from accounts.models import User
from config.worker import EmbeddedWorker
from tests import factories, wire
from tests.journeys.browser import Visit
from tests.journeys.test_browser_settings import link_in

pytestmark = [pytest.mark.django_db(transaction=True), pytest.mark.look]

DORA = "dora@example.com"


@dataclass
class Hand:
    """A hand on a page, which counts its clicks and the pages on which it typed."""

    page: Page
    clicks: int = 0
    forms: set[str] = field(default_factory=set)

    def click(self, wanted: Locator) -> None:
        self.clicks += 1
        wanted.click()

    def follow(self, link: str) -> None:
        """Click on a link in an email, which opens in this browser."""
        self.clicks += 1
        self.page.goto(link)

    def fill(self, label: str, text: str) -> None:
        self.forms.add(urlsplit(self.page.url).path)
        self.page.get_by_label(label, exact=True).fill(text)

    def sign_up(self, email: str) -> None:
        self.fill("First name", "Dora")
        self.fill("Email", email)
        self.fill("Password", factories.PASSWORD)
        self.click(self.page.get_by_role("button", name="Create account"))
        expect(self.page.get_by_role("main")).to_contain_text(email)


@pytest.mark.parametrize("size", ["phone", "desk"])
@pytest.mark.parametrize("scripts", [True, False], ids=["scripts", "no-scripts"])
def test_from_the_first_page_to_a_link_in_four_clicks_and_one_form(
    visit: Visit,
    worker: EmbeddedWorker,
    mail_server: wire.MailServer,
    size: str,
    scripts: bool,
) -> None:
    visitor = visit("/", size, zone="Asia/Tokyo", scripts=scripts)
    page = visitor.page
    hand = Hand(page)
    hand.click(page.get_by_role("link", name="Create an account"))
    expect(page.get_by_role("heading", level=1)).to_have_text("Create an account")
    hand.sign_up(DORA)
    hand.follow(link_in(mail_server, DORA, ""))
    if not scripts:
        hand.click(page.get_by_role("button", name="Confirm and sign in"))
    expect(page.get_by_role("heading", level=1)).to_have_text("These are your hours")
    address = f"{settings.PUBLIC_URL}/dora"
    expect(page.locator(".share-address")).to_have_text(address)
    if scripts:
        page.context.grant_permissions(["clipboard-read", "clipboard-write"])
        copy = page.get_by_role("main").get_by_role("button", name="Copy link")
        expect(copy).to_be_in_viewport()
        hand.click(copy)
        expect(page.get_by_role("main").get_by_role("button", name="Copied")).to_be_visible()
        assert page.evaluate("navigator.clipboard.readText()") == address
    else:
        expect(page.get_by_role("button", name="Copy link")).to_have_count(0)
    assert (hand.clicks, len(hand.forms)) == (4, 1)

    expect(page.get_by_role("main")).to_contain_text("Monday – Friday")
    visitor.look(f"start-{'scripts' if scripts else 'plain'}", checked=scripts)
    page.locator("summary", has_text="QR code").click()
    code = page.get_by_role("img", name=f"QR code of {address}")
    expect(code).to_have_js_property("complete", True)
    assert code.evaluate("image => image.naturalWidth") > 0
    visitor.look(f"start-qr-{'scripts' if scripts else 'plain'}", checked=scripts)
    zone = "Asia/Tokyo" if scripts else "UTC"
    assert User.objects.get().weekly_availability.timezone == zone
    page.get_by_role("main").get_by_role("link", name="Preview").click()
    page.get_by_role("link", name="30-minute meeting").click()
    expect(page.get_by_role("heading", level=1)).to_contain_text("30-minute meeting")


def test_in_another_browser_the_link_takes_one_post_with_the_password(
    visit: Visit, worker: EmbeddedWorker, mail_server: wire.MailServer
) -> None:
    Hand(visit("/accounts/signup/", "desk").page).sign_up(DORA)
    elsewhere = visit(link_in(mail_server, DORA, ""), "phone")
    page = elsewhere.page
    hand = Hand(page)
    elsewhere.look("address-elsewhere")
    hand.fill("Password of this account", factories.PASSWORD)
    hand.click(page.get_by_role("button", name="Confirm and sign in"))
    expect(page.get_by_role("heading", level=1)).to_have_text("These are your hours")
    assert (hand.clicks, len(hand.forms)) == (1, 1)


@pytest.mark.parametrize("size", ["phone", "desk"])
def test_a_new_person_joins_a_team_by_two_clicks_and_one_form(
    visit: Visit,
    worker: EmbeddedWorker,
    mail_server: wire.MailServer,
    alice: User,
    size: str,
) -> None:
    band = teams.create(owner=alice, name="Band")
    teams.invite(team=band, actor=alice, email=DORA, now=timezone.now())
    visitor = visit("", size, zone="Asia/Tokyo")
    page = visitor.page
    hand = Hand(page)
    hand.follow(link_in(mail_server, DORA, "Band"))
    expect(page.get_by_label("Email", exact=True)).to_have_value(DORA)
    visitor.look("join-new")
    hand.fill("First name", "Dora")
    hand.fill("Password", factories.PASSWORD)
    hand.click(page.get_by_role("button", name="Create account and join"))
    expect(page.get_by_role("status")).to_contain_text("Welcome to Band.")
    assert (hand.clicks, len(hand.forms)) == (2, 1)
    assert User.objects.get(email=DORA).timezone == "Asia/Tokyo"


def test_a_password_is_shown_and_hidden_and_never_sent_as_a_text(visit: Visit, db: None) -> None:
    visitor = visit("/accounts/signup/", "phone")
    page = visitor.page
    password = page.get_by_label("Password", exact=True)
    show = page.get_by_role("button", name="Show Password")
    password.fill("dora")
    show.click()
    expect(password).to_have_attribute("type", "text")
    expect(show).to_have_attribute("aria-pressed", "true")
    visitor.look("signup-shown")
    show.click()
    expect(password).to_have_attribute("type", "password")
    show.press("Enter")
    expect(password).to_have_attribute("type", "text")
    sent = page.evaluate(
        """() => new Promise((done) => {
            const form = document.querySelector("main form");
            addEventListener("submit", (event) => {
                event.preventDefault();
                done(form.elements.password1.type);
            });
            form.noValidate = true;
            form.requestSubmit();
        })"""
    )
    assert sent == "password"
