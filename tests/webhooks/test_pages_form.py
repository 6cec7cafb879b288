"""Settings, webhook form: webhooks are made and edited; the secret is shown whole once."""

import re
from datetime import datetime, timedelta
from typing import Any

import pytest
import time_machine
from django.test import Client
from pytest_django import Settings

from accounts.models import Session, User
from tests import factories
from tests.pages import UNSEEN, Answer, everything, main, words
from webhooks.domain.events import BOOKING, EVENTS
from webhooks.models import Webhook
from webhooks.pages import forms

NEW = "/settings/webhooks/new"
URL = "https://example.com/hook"
NOT_SAVED = "Not saved yet. Please correct the fields marked below."


def sent(*headers: dict[str, object], kept: object = 0, **fields: object) -> dict[str, object]:
    """Return the form's fields as a browser sends them, with these header rows."""
    form: dict[str, object] = {
        "name": "Main",
        "url": URL,
        "events": ["booking.created"],
        "timeout_seconds": 30,
        "max_retries": 3,
        "verify_ssl": "on",
        "active": "on",
        "headers-TOTAL_FORMS": len(headers),
        "headers-INITIAL_FORMS": kept,
    } | fields
    for number, row in enumerate(headers):
        form |= {f"headers-{number}-{name}": value for name, value in row.items()}
    return {name: value for name, value in form.items() if value is not None}


def header(name: str, value: str = "", **more: object) -> dict[str, object]:
    return {"name": name, "value": value, **more}


def errors(page: Answer) -> list[str]:
    return re.findall(r'<ul class="errorlist[^>]*><li>([^<]*)</li></ul>', main(page))


@pytest.fixture
def page_of(webhook: Webhook) -> str:
    return f"/settings/webhooks/{webhook.pk}"


# --- making one ---------------------------------------------------------------------------------


def test_every_event_is_offered_with_words_and_nothing_is_ticked(signed_in: Client) -> None:
    page = signed_in.get(NEW)
    boxes = re.findall(r'name="events" value="([^"]*)"([^>]*)>', main(page))
    assert [event for event, _more in boxes] == list(EVENTS)
    assert [more for _event, more in boxes if "checked" in more] == []
    assert set(forms._WORDS) == set(EVENTS)


def test_a_webhook_is_made_as_it_was_asked_for(
    signed_in: Client, alice: User, settings: Settings
) -> None:
    form = sent(
        header("X-API-Key", "sesame"),
        header("", ""),
        events=["meeting.created"],
        everything=["booking"],
        timeout_seconds=5,
        max_retries=0,
        verify_ssl=None,
        active=None,
    )
    answer = signed_in.post(NEW, form)
    [made] = Webhook.objects.all()
    assert answer.headers["Location"] == f"/settings/webhooks/{made.pk}/secret"
    assert (made.owner, made.name, made.url) == (alice, "Main", URL)
    assert made.events == [*(f"booking.{change}" for change in BOOKING), "meeting.created"]
    assert made.headers == {"X-API-Key": "sesame"}
    assert (made.timeout_seconds, made.max_retries, made.verify_ssl) == (5, 0, False)
    assert made.status == Webhook.Status.INACTIVE


@pytest.mark.parametrize(
    ("fields", "said"),
    [
        ({"name": ""}, "This field is required."),
        (
            {"name": "a\u202eb"},
            UNSEEN,
        ),
        ({"name": "x" * 121}, "Ensure this value has at most 120 characters (it has 121)."),
        ({"url": "http://example.com"}, "Use an https:// URL on port 443 or 8443, without a user"),
        ({"url": "https://10.0.0.1"}, "This address is not public."),
        ({"events": []}, "Choose at least one event."),
        ({"events": ["booking.bribed"]}, "Select a valid choice. booking.bribed is not one of"),
        ({"timeout_seconds": 31}, "Ensure this value is less than or equal to 30."),
        ({"max_retries": 10}, "Ensure this value is less than or equal to 9."),
    ],
)
def test_what_is_wrong_stands_beside_its_field_and_the_rest_stays(
    signed_in: Client, fields: dict[str, object], said: str
) -> None:
    page = signed_in.post(NEW, sent(header("X-Typed", "typed"), **fields))
    [error] = errors(page)
    assert error.startswith(said)
    assert NOT_SAVED in words(page)
    assert 'value="X-Typed"' in main(page)
    assert Webhook.objects.count() == 0


@pytest.mark.parametrize(
    ("headers", "said"),
    [
        ([header("Host", "x")], "This header is set by Parley."),
        ([header("X Y", "x")], "This is no name of a header."),
        ([header("X-Y", "ü")], "Use at most 1000 printable ASCII characters."),
        ([header("X-Y")], "Give it a value."),
        ([header("", "x")], "Give it a name."),
        ([header("X-Y", "1"), header("x-y", "2")], "This header is there twice."),
    ],
)
def test_what_is_wrong_with_a_header_stands_beside_it(
    signed_in: Client, headers: list[dict[str, object]], said: str
) -> None:
    page = signed_in.post(NEW, sent(*headers))
    assert errors(page) == [said]
    assert NOT_SAVED in words(page)
    assert Webhook.objects.count() == 0


def test_too_many_headers_are_told(signed_in: Client) -> None:
    page = signed_in.post(NEW, sent(*(header(f"X-{n}", "x") for n in range(21))))
    assert "Use at most 20 headers." in words(page)
    assert Webhook.objects.count() == 0


@pytest.mark.parametrize("form", [{}, {"headers-TOTAL_FORMS": "x"}])
def test_a_form_that_no_page_has_sent_makes_nothing(
    signed_in: Client, form: dict[str, str]
) -> None:
    assert signed_in.post(NEW, form).status_code == 200
    assert Webhook.objects.count() == 0


# --- the secret ---------------------------------------------------------------------------------


def test_the_secret_is_shown_whole_once_and_kept_nowhere_on_the_way(signed_in: Client) -> None:
    answer = signed_in.post(NEW, sent())
    [made] = Webhook.objects.all()
    assert made.secret not in str(answer.headers) + str(dict(signed_in.session))
    assert made.secret not in str([session.get_decoded() for session in Session.objects.all()])
    page = signed_in.get(answer.headers["Location"])
    assert f'<code id="secret">{made.secret}</code>' in main(page)
    assert "no-store" in page.headers["Cache-Control"]
    assert "webhook-id , webhook-timestamp and webhook-signature ." in words(page)
    again = signed_in.get(answer.headers["Location"])
    assert again.headers["Location"] == f"/settings/webhooks/{made.pk}"
    page = signed_in.get(again.headers["Location"])
    assert made.secret not in page.content.decode()
    assert f"{made.secret[:22]}..." in main(page)


def test_a_look_at_the_headers_alone_does_not_use_it_up(signed_in: Client) -> None:
    place = signed_in.post(NEW, sent()).headers["Location"]
    assert signed_in.head(place).status_code == 200
    assert signed_in.get(place).status_code == 200


def test_nobody_else_sees_it(signed_in: Client, charlie: User) -> None:
    place = signed_in.post(NEW, sent()).headers["Location"]
    other = Client()
    other.force_login(charlie)
    assert other.get(place).status_code == 404


def test_another_webhooks_secret_is_not_shown(signed_in: Client, alice: User) -> None:
    older = factories.webhook(alice)
    signed_in.post(NEW, sent())
    place = f"/settings/webhooks/{older.pk}"
    assert signed_in.get(f"{place}/secret").headers["Location"] == place


def test_a_new_secret_is_shown_once_and_until_when_the_old_one_signs(
    signed_in: Client, webhook: Webhook, page_of: str, clock: time_machine.Traveller, now: datetime
) -> None:
    old = webhook.secret
    page = signed_in.post(f"{page_of}/rotate", follow=True)
    webhook.refresh_from_db()
    assert webhook.secret != old
    assert f'<code id="secret">{webhook.secret}</code>' in main(page)
    until = "signs as well until Tue 03/03/2026, 9:00 AM (UTC)"
    assert f"The secret before it {until}" in words(page)
    assert f"The one before it {until}" in words(signed_in.get(page_of))
    clock.move_to(now + timedelta(hours=24))
    assert "The one before it" not in words(signed_in.get(page_of))


# --- editing one --------------------------------------------------------------------------------


def test_the_form_shows_what_is_without_the_values_of_headers(
    signed_in: Client, alice: User
) -> None:
    webhook = factories.webhook(
        alice, events=["booking.created"], headers={"X-API-Key": "sesame"}, verify_ssl=False
    )
    page = signed_in.get(f"/settings/webhooks/{webhook.pk}/edit")
    assert "sesame" not in page.content.decode()
    assert "X-API-Key New value (••••••, kept unless you type one) Remove" in words(page)
    ticked = re.findall(r'value="([^"]*)"[^>]* checked', main(page))
    assert ticked == ["booking.created"]
    assert 'value="https://example.com/hook"' in main(page)


@pytest.mark.parametrize(
    ("rows", "after"),
    [
        ([header("X-A"), header("X-B")], {"X-A": "one", "X-B": "two"}),
        ([header("X-A", "new"), header("X-B")], {"X-A": "new", "X-B": "two"}),
        ([header("X-A", DELETE="on"), header("X-B")], {"X-B": "two"}),
        (
            [header("X-A"), header("X-B"), header("X-C", "three")],
            {"X-A": "one", "X-B": "two", "X-C": "three"},
        ),
    ],
)
def test_values_of_headers_stay_unless_replaced_or_taken_out(
    signed_in: Client, alice: User, rows: list[dict[str, object]], after: dict[str, str]
) -> None:
    webhook = factories.webhook(alice, headers={"X-A": "one", "X-B": "two"})
    answer = signed_in.post(f"/settings/webhooks/{webhook.pk}/edit", sent(*rows, kept=2))
    assert answer.headers["Location"] == f"/settings/webhooks/{webhook.pk}"
    webhook.refresh_from_db()
    assert webhook.headers == after


def test_what_is_changed_is_saved_and_said(
    signed_in: Client, webhook: Webhook, page_of: str
) -> None:
    form = sent(name="Other", events=["meeting.expired"], verify_ssl=None)
    page = signed_in.post(f"{page_of}/edit", form, follow=True)
    assert words(page).startswith("Other is saved.")
    assert "Certificates are not checked" in words(page)
    webhook.refresh_from_db()
    assert (webhook.name, webhook.url, webhook.events) == ("Other", URL, ["meeting.expired"])


def test_one_that_was_stopped_starts_anew(signed_in: Client, alice: User) -> None:
    webhook = factories.webhook(alice)
    Webhook.objects.update(status="inactive", disabled_reason="gone")
    page = signed_in.get(f"/settings/webhooks/{webhook.pk}")
    assert "Stopped" in words(page)
    assert "Parley stopped it: the endpoint answered 410 Gone." in words(page)
    signed_in.post(f"/settings/webhooks/{webhook.pk}/edit", sent())
    webhook.refresh_from_db()
    assert (webhook.status, webhook.disabled_reason) == ("active", "")


def test_an_edit_that_is_refused_changes_nothing(
    signed_in: Client, webhook: Webhook, page_of: str
) -> None:
    before = everything()
    page = signed_in.post(f"{page_of}/edit", sent(url="https://10.0.0.1"))
    assert errors(page) == ["This address is not public."]
    assert everything() == before


def test_one_that_is_deleted_is_gone_with_its_log(
    signed_in: Client, webhook: Webhook, page_of: str, now: datetime
) -> None:
    factories.delivery(webhook, now=now)
    page = signed_in.post(f"{page_of}/delete", follow=True)
    assert words(page).startswith("Main Webhook is deleted. You Profile")
    assert "No webhooks yet" in words(page)
    assert Webhook.objects.count() == 0


# --- whose it is --------------------------------------------------------------------------------

PAGES = ("", "/edit", "/secret")
ACTIONS: dict[str, dict[str, Any]] = {
    "/edit": sent(),
    "/rotate": {},
    "/delete": {},
    "/test": {},
    "/recover": {"since": "2026-03-01"},
}


def test_a_stranger_finds_nothing_and_changes_nothing(
    signed_in: Client, webhook: Webhook, page_of: str, charlie: User
) -> None:
    signed_in.force_login(charlie)
    before = everything()
    assert "No webhooks yet" in words(signed_in.get("/settings/webhooks"))
    assert [signed_in.get(page_of + page).status_code for page in PAGES] == [404] * 3
    for action, form in ACTIONS.items():
        assert signed_in.post(page_of + action, form).status_code == 404
    assert everything() == before


def test_who_has_not_signed_in_is_led_there(client: Client, webhook: Webhook, page_of: str) -> None:
    before = everything()
    for place in ("/settings/webhooks", NEW, *(page_of + page for page in PAGES)):
        assert client.get(place).headers["Location"] == f"/accounts/login/?next={place}"
    for action, form in ACTIONS.items():
        answer = client.post(page_of + action, form)
        assert answer.headers["Location"].startswith("/accounts/login/?next=/settings/webhooks/")
    assert everything() == before


def test_looking_changes_nothing(signed_in: Client, webhook: Webhook, page_of: str) -> None:
    before = everything()
    for place in ("/settings/webhooks", NEW, page_of, f"{page_of}/edit"):
        for method in (signed_in.get, signed_in.head):
            assert method(place).status_code == 200
    for action in ("rotate", "delete", "test", "recover"):
        assert signed_in.get(f"{page_of}/{action}").status_code == 405
    assert everything() == before


def test_a_post_wants_the_token_of_the_page(
    signed_in: Client, alice: User, webhook: Webhook, page_of: str
) -> None:
    careful = Client(enforce_csrf_checks=True)
    careful.force_login(alice)
    for action, form in ACTIONS.items():
        assert careful.post(page_of + action, form).status_code == 403
    assert careful.post(NEW, sent()).status_code == 403
    assert Webhook.objects.count() == 1
