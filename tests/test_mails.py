"""Form of every kind of email: its parts, and the calendar methods in them."""

from collections import defaultdict
from collections.abc import Iterator
from datetime import timedelta
from email.message import Message
from pathlib import Path

import pytest
import time_machine
from django.conf import settings as configured
from pytest_django import Settings

from accounts.domain import leaks, teams
from accounts.models import Team, User
from core.people import privacy
from meetings.domain import services as meetings
from notifications.domain import notifications
from notifications.models import Notification
from scheduling.domain import bookings
from scheduling.domain.bookings import INVITEE
from tests import factories
from tests.oauth import app_of
from tests.outbox import posted, send
from tests.pages import NOW, START, stand_alone
from webhooks.domain import notices

pytestmark = pytest.mark.django_db

HALF_HOUR, DAY = timedelta(minutes=30), timedelta(days=1)


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
    "booking_expired": {TEXT},
    "booking_reminder": {TEXT},
    "booking_unanswered": {TEXT},
    "booking_undelivered": {TEXT},
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
    booked_and_ended(alice)
    asked_and_ended(alice, bob, team)
    leaked_invited_and_deleted(alice, charlie, team)
    for at in (START - DAY, START - DAY + 10 * HALF_HOUR, START + 10 * HALF_HOUR, START + DAY):
        with time_machine.travel(at, tick=False):
            send()
    kinds = dict(Notification.objects.values_list("message_id", "kind"))
    found = defaultdict(set)
    for message in posted():
        name = str(message.extra_headers["Message-ID"]).strip("<>").partition("@")[0]
        found[kinds[name]].add(tree(message.message()))
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
        "webhook": {"name": LONG},
    }
    subject = notifications.render_email(kind, context, language=language)["subject"]
    assert len(subject) <= 200
    assert subject.splitlines() == [subject]
    is_of_date = kind.startswith(("booking", "meeting")) and kind != "meeting_requested"
    assert subject.endswith(", Wed 4 Mar, 10:00 AM") is is_of_date


def booked_and_ended(alice: User) -> None:
    host, starts = bookings.host(alice), (START + number * HALF_HOUR for number in range(10))
    at_once = factories.event_type(alice)
    with_approval = factories.event_type(alice, name="Interview", requires_approval=True)
    cancelled, expired, rejected, moved, confirmed = (
        factories.booking(of, start=next(starts), now=NOW)
        for of in (at_once, with_approval, with_approval, with_approval, with_approval)
    )
    send()
    bookings.cancel(booking=cancelled, actor=INVITEE, now=NOW)
    bookings.reject(booking=rejected, actor=host, now=NOW)
    moved = bookings.reschedule(booking=moved, start=next(starts), actor=INVITEE, now=NOW)
    bookings.cancel(booking=moved, actor=host, now=NOW)
    confirmed = bookings.confirm(booking=confirmed, actor=host, now=NOW)
    confirmed = bookings.reschedule(booking=confirmed, start=next(starts), actor=host, now=NOW)
    bookings.reschedule(booking=confirmed, start=next(starts), actor=INVITEE, now=NOW)
    factories.booking(at_once, start=START, now=NOW)  # to be reminded of
    waiting = factories.booking(with_approval, start=next(starts), now=NOW)
    bookings.note_undelivered(booking=waiting, now=NOW)
    bookings.record_overdue(booking=expired, now=expired.start)
    send()


def asked_and_ended(alice: User, bob: User, team: Team) -> None:
    expired, rejected, cancelled, called_off, standing, _waiting = (
        meetings.request_meeting(
            requester=alice,
            team_id=team.pk,
            recipient_id=bob.pk,
            date=(START + DAY + number * 2 * HALF_HOUR).isoformat(),
            link="",
            now=NOW,
        )
        for number in range(6)
    )
    send()
    meetings.reject(meeting=rejected, actor=bob, now=NOW)
    meetings.cancel(meeting=cancelled, actor=alice, now=NOW)
    for meeting in (called_off, standing):
        meetings.confirm(meeting=meeting, actor=bob, now=NOW)
    meetings.cancel(meeting=called_off, actor=bob, now=NOW)
    meetings.record_overdue(meeting=expired, now=expired.start)
    send()


def leaked_invited_and_deleted(alice: User, charlie: User, team: Team) -> None:
    teams.invite(team=team, actor=alice, email="dora@example.com", now=NOW)
    leaks.revoke(token=factories.token(alice), now=NOW)
    app = app_of(alice, now=NOW)
    code = app.code(alice)
    for _time in range(2):
        app.exchange(code)
    webhook = factories.webhook(alice)
    webhook.disabled_reason = "gone"
    webhook.save()
    notices.disabled(webhook, now=NOW)
    privacy.erase(person_id=charlie.pk, now=NOW)
    send()
