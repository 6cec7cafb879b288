"""Unattended browser: lasting changes need the password, and Back shows no private page."""

from collections.abc import Iterator
from datetime import timedelta
from typing import Any

import pytest
import time_machine
from django.conf import settings as configured
from django.test import Client
from django.urls import URLPattern, URLResolver
from pytest_django import Settings

from accounts.libraries import allauth_urls
from tests.page_table import ROWS, Row, World
from tests.pages import NOW, content
from tests.test_pages_access import Watched

pytestmark = pytest.mark.django_db

LATER = NOW + timedelta(seconds=configured.ACCOUNT_REAUTHENTICATION_TIMEOUT)
ASKING = "/accounts/reauthenticate/?next="
# What lets somebody in for good, and what shows a secret or all that is known of a person.
ASKS = {
    ("POST", "accounts:tokens"),
    ("POST", "accounts:export"),
    ("GET", "accounts:new_application"),
    ("POST", "accounts:new_application"),
    ("GET", "accounts:application"),
    ("POST", "accounts:application"),
    ("POST", "accounts:rotate_application"),
    ("GET", "oauth2_provider:authorize"),
    ("POST", "oauth2_provider:authorize"),
    ("GET", "webhooks:new_webhook"),
    ("POST", "webhooks:new_webhook"),
    ("GET", "webhooks:edit"),
    ("POST", "webhooks:edit"),
    ("GET", "webhooks:secret"),
    ("POST", "webhooks:rotate"),
    ("GET", "calendars:connect_ics"),
    ("POST", "calendars:connect_ics"),
    ("GET", "calendars:connect_caldav"),
    ("POST", "calendars:connect_caldav"),
    ("GET", "calendars:account"),
    ("POST", "calendars:account"),
    ("POST", "calendars:make_feed"),
}


def send(client: Client, world: World, row: Row) -> Any:
    page: Any = client.generic(row.method, world.path_of(row.name), *world.form_of(row.name))
    content(page)
    return page


# --- the password once more ---------------------------------------------------------------------


def test_what_is_for_good_asks_for_the_password_after_a_while(
    world: World, settings: Settings
) -> None:
    """Exactly the pages of ASKS ask for the password, and they write nothing before."""
    settings.LIMITS = settings.LIMITS | {"sessions": 0}  # there are more rows than it allows
    asked = set()
    for row in ROWS:
        client = world.client("owner", row.name)
        with Watched() as watched, time_machine.travel(LATER, tick=False):
            url = send(client, world, row).headers.get("Location", "")
        if url.startswith(ASKING):
            asked.add((row.method, row.name))
            assert watched.touched == {}
    assert asked == ASKS


def test_every_page_of_allauths_is_known() -> None:
    """A page that a new version of allauth adds could write for a person, or show a secret."""
    assert {name for name in names(allauth_urls.urlpatterns) if name} == {
        "account_login",
        "account_logout",
        "account_inactive",
        "account_signup",
        "account_reauthenticate",
        "account_email",
        "account_email_verification_sent",
        "account_change_password",
        "account_set_password",
        "account_reset_password",
        "account_confirm_login_code",
        "account_confirm_email",
        "account_reset_password_from_key_done",
        "account_reset_password_from_key",
        "account_reset_password_done",
        "mfa_index",
        "mfa_authenticate",
        "mfa_reauthenticate",
        "mfa_activate_totp",
        "mfa_deactivate_totp",
        "mfa_view_recovery_codes",
        "mfa_generate_recovery_codes",
        "mfa_download_recovery_codes",
    }


def names(patterns: list[Any]) -> Iterator[str]:
    for each in patterns:
        if isinstance(each, URLResolver):
            yield from names(each.url_patterns)
        elif isinstance(each, URLPattern):
            yield each.name or ""


# --- Back ---------------------------------------------------------------------------------------


def test_no_page_for_somebody_signed_in_is_kept(world: World, settings: Settings) -> None:
    """Refusals and redirects are not kept either.

    Public booking pages are the same for everybody.
    """
    settings.LIMITS = settings.LIMITS | {"sessions": 0}  # there are more rows than it allows
    kept = {}
    for row in ROWS:
        client = world.client("owner", row.name)
        with Watched():
            page = send(client, world, row)
        kept[row.name] = page.headers.get("Cache-Control") != "no-store"
    assert {name for name, is_kept in kept.items() if is_kept} == {
        "public:host",
        "public:picture",
        "public:event_type",
        "public:qr_of_host",
        "public:qr_of_event_type",
    }


def test_a_page_that_is_not_there_is_not_kept_either(world: World) -> None:
    """The page shows who is signed in, and a public page could later have this URL."""
    page = world.client("owner", "meetings:home").get("/nobody-of-this-name")
    assert (page.status_code, page.headers.get("Cache-Control")) == (404, "no-store")
