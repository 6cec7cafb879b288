"""Every kind of email in Chromium: light and dark, on a phone and on a desk.

`screenshots/mails.html` shows all of them beside their texts.
"""

from collections.abc import Iterator
from html import escape
from pathlib import Path

import pytest
import time_machine
from django.conf import settings as configured
from django.core.mail import EmailMultiAlternatives
from playwright.sync_api import Browser, Page, ViewportSize
from pytest_django import Settings

from accounts.models import Team, User
from tests import every_mail
from tests.journeys.browser import SCHEMES, WCAG, Scheme, faults_of
from tests.pages import NOW, stand_alone

pytestmark = [pytest.mark.django_db(transaction=True), pytest.mark.look]

SIZES: dict[str, ViewportSize] = {
    "phone": {"width": 360, "height": 780},
    "desk": {"width": 1280, "height": 800},
}

PAGE = """<!doctype html>
<html lang="en">
<meta charset="utf-8">
<meta name="viewport" content="width=device-width">
<meta name="color-scheme" content="light dark">
<title>Emails of Parley</title>
<style>
body {{ margin: 1rem; font: 16px/1.5 sans-serif }}
div {{ display: grid; grid-template-columns: repeat(auto-fit, minmax(min(100%, 20rem), 1fr)) }}
iframe {{ width: 100%; border: 0 }}
pre {{ margin: 0; padding: 1rem; white-space: pre-wrap; overflow-wrap: anywhere }}
</style>
<h1>Emails of Parley</h1>
{mails}
<script>
const fit = () => document.querySelectorAll("iframe").forEach(
  (frame) => frame.height = frame.contentDocument.body.offsetHeight);
for (const event of ["load", "resize"]) addEventListener(event, fit);
</script>
"""
MAIL = """<h2>{kind}, to {to}</h2>
<p>{subject}</p>
<div><iframe srcdoc="{light}"></iframe><iframe srcdoc="{dark}"></iframe><pre>{text}</pre></div>
"""


@pytest.fixture
def mails(
    settings: Settings, alice: User, bob: User, charlie: User, team: Team
) -> list[tuple[str, EmailMultiAlternatives]]:
    stand_alone(settings)
    with time_machine.travel(NOW, tick=False):
        sent = every_mail.send(alice, bob, charlie, team)
    # One of each text: its greeting and its first sentence, before names and times.
    return list({(kind, mail.to[0], mail.body[:60]): (kind, mail) for kind, mail in sent}.values())


def html_of(mail: EmailMultiAlternatives) -> str:
    return str(mail.alternatives[0][0])


def in_scheme(html: str, scheme: Scheme) -> str:
    """Return the mail as a reader with this scheme sees it."""
    query = "all" if scheme == "dark" else "not all"
    return html.replace("(prefers-color-scheme: dark)", query)


def show(mails: list[tuple[str, EmailMultiAlternatives]]) -> Path:
    """Write the page of all mails, and return its path."""
    path = Path(configured.BASE_DIR) / "screenshots/mails.html"
    path.parent.mkdir(exist_ok=True)
    parts = [
        MAIL.format(
            kind=kind,
            to=mail.to[0],
            subject=escape(str(mail.subject)),
            light=escape(in_scheme(html_of(mail), "light")),
            dark=escape(in_scheme(html_of(mail), "dark")),
            text=escape(str(mail.body)),
        )
        for kind, mail in mails
    ]
    path.write_text(PAGE.format(mails="".join(parts)))
    return path


@pytest.fixture
def page(chromium: Browser) -> Iterator[Page]:
    context = chromium.new_context()
    yield context.new_page()
    context.close()


def test_every_email_can_be_read(
    mails: list[tuple[str, EmailMultiAlternatives]], page: Page
) -> None:
    """Nothing sticks out at the side, and every text stands out from its ground."""
    show(mails)
    for size, viewport in SIZES.items():
        page.set_viewport_size(viewport)
        page.emulate_media(color_scheme=SCHEMES[size])
        for kind, mail in mails:
            page.set_content(html_of(mail))
            width = page.evaluate("document.documentElement.scrollWidth")
            assert width <= viewport["width"], (kind, size)
            assert faults_of(page, WCAG) == [], (kind, size)
