"""Form of every kind of email: its parts, and the calendar methods in them."""

from collections import defaultdict
from collections.abc import Iterator
from email.message import Message
from pathlib import Path

import pytest
import time_machine
from django.conf import settings as configured
from pytest_django import Settings

from accounts.models import Team, User
from notifications.domain import notifications
from tests import every_mail
from tests.pages import NOW, stand_alone

pytestmark = pytest.mark.django_db


@pytest.fixture(autouse=True)
def _at_now(settings: Settings) -> Iterator[None]:
    stand_alone(settings)
    with time_machine.travel(NOW, tick=False):
        yield


def tree(part: Message) -> str:
    """Return the parts of a message: their types, the calendar's method and names of files."""
    name = part.get_content_subtype()
    if part.is_multipart():
        children = [each for each in part.get_payload() if isinstance(each, Message)]
        return f"{name}({', '.join(map(tree, children))})"
    assert part.get_content_charset() == "utf-8"
    return " ".join(filter(None, [name, str(part.get_param("method", "")), part.get_filename()]))


TEXT = "alternative(plain, html)"
INVITATION = "mixed(alternative(plain, html, calendar REQUEST), calendar REQUEST invite.ics)"
CANCELLATION = "mixed(alternative(plain, html, calendar CANCEL), calendar CANCEL invite.ics)"

FORMS = {
    "account_deleted": {TEXT},
    "booking_requested": {TEXT},
    "booking_confirmed": {INVITATION},
    "booking_rejected": {TEXT},
    "booking_cancelled": {TEXT, CANCELLATION},
    # One that waits for approval is in no calendar, and one that must be approved again leaves it.
    "booking_rescheduled": {TEXT, INVITATION, CANCELLATION},
    "booking_linked": {INVITATION},
    "booking_expired": {TEXT},
    "booking_reminder": {TEXT},
    "booking_unanswered": {TEXT},
    "booking_undelivered": {TEXT},
    "calendar_emptied": {TEXT},
    "calendar_failing": {TEXT},
    "calendar_recovered": {TEXT},
    "calendar_not_written": {TEXT},
    "guest_invited": {INVITATION},
    "guest_changed": {INVITATION},
    "guest_cancelled": {CANCELLATION},
    "hold_confirm": {TEXT},
    "meeting_requested": {TEXT},
    "meeting_confirmed": {INVITATION},
    "meeting_rejected": {TEXT},
    "meeting_cancelled": {TEXT, CANCELLATION},
    "meeting_expired": {TEXT},
    "meeting_reminder": {TEXT},
    "meeting_unanswered": {TEXT},
    "team_invitation": {TEXT},
    "token_leaked": {TEXT},
    "token_reused": {TEXT},
    "webhook_disabled": {TEXT},
}


def test_the_table_names_every_kind() -> None:
    folders = (Path(configured.BASE_DIR) / "templates/emails").iterdir()
    assert set(FORMS) == {folder.name for folder in folders if folder.is_dir()}


def test_every_email_has_its_form(alice: User, bob: User, charlie: User, team: Team) -> None:
    found = defaultdict(set)
    for kind, message in every_mail.send(alice, bob, charlie, team):
        found[kind].add(tree(message.message()))
        text = str(message.body)
        assert "\n\n\n" not in text, kind
        # A program that makes links of texts takes what follows for a part of them.
        assert [line for line in text.splitlines() if "://" in line and " " in line] == [], kind
    assert dict(found) == FORMS


LONG = "Rhabarber\r\n" * 50


@pytest.mark.parametrize("is_host", [True, False])
@pytest.mark.parametrize(("language", "_name"), configured.LANGUAGES)
@pytest.mark.parametrize("kind", FORMS)
def test_a_subject_is_one_short_line(kind: str, language: str, _name: str, is_host: bool) -> None:
    context = {
        **{"what": LONG, "name": LONG, "is_host": is_host, "is_ours": is_host},
        **{"lead": "in 15 minutes", "when": "Wed 4 Mar, 10:00 AM"},
        "invitation": {"invited_by": {"name": LONG}, "team": {"name": LONG}},
        **{name: {"name": LONG} for name in ("webhook", "account", "calendar")},
    }
    subject = notifications.render_email(kind, context, language=language)["subject"]
    assert len(subject) <= 200
    assert subject.splitlines() == [subject]
    has_date = kind.startswith(("booking", "guest", "hold", "meeting"))
    is_of_date = has_date and kind != "meeting_requested"
    assert subject.endswith(", Wed 4 Mar, 10:00 AM") is is_of_date
