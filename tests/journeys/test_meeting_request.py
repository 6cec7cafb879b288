"""Meeting request on real parts: from one API call to an entry in both calendars."""

from collections.abc import Callable
from dataclasses import dataclass
from datetime import UTC, datetime, timedelta
from html.parser import HTMLParser
from typing import Any
from urllib.parse import urlsplit

import pytest
from django.conf import settings
from django.db import connection
from django.test import Client
from django.utils import timezone
from icalendar import Calendar
from pytest_django import Settings

from accounts.models import Team, User
from calendars.models import BusyTime
from config.worker import EmbeddedWorker
from core.db import outbox
from meetings.models import MeetingRequest
from notifications.models import Notification, PushDevice
from notifications.tasks import deliver
from tests import factories, wire

pytestmark = pytest.mark.django_db(transaction=True)

LINK = "https://zoom.us/j/1234567890"
REMINDER = "meeting_reminder"
LATER = [REMINDER, "meeting_unanswered"]


@dataclass(frozen=True)
class Story:
    """Meeting request of Alice in New York to Bob in Kathmandu."""

    alice: User
    bob: User
    team: Team
    start: datetime

    def call(self, person: User, path: str, **body: object) -> dict[str, Any]:
        """Return the API's answer to a POST of this person's."""
        response = Client().post(
            f"/api/v3/meeting/{path}",
            body,
            content_type="application/json",
            headers={"authorization": f"Bearer {factories.token(person)}"},
        )
        assert response.status_code in (200, 201), response.content
        answer: dict[str, Any] = response.json()
        return answer

    def ask(self) -> MeetingRequest:
        """Send Alice's request for `start`. The API reads its time on Bob's clock."""
        wall_clock = self.start.astimezone(self.bob.zone)
        answer = self.call(
            self.alice,
            "create",
            user_id=self.bob.pk,
            team_id=self.team.pk,
            date=f"{wall_clock:%Y-%m-%d %H:%M:%S}",
            link=LINK,
        )
        return MeetingRequest.objects.get(pk=answer["id"])


@pytest.fixture
def story(transactional_db: None) -> Story:
    people = User.objects
    alice = people.create_user(
        "alice@example.com", first_name="Alice", last_name="Ames", timezone="America/New_York"
    )
    bob = people.create_user(
        "bob@example.com", first_name="Bob", last_name="Byrd", timezone="Asia/Kathmandu"
    )
    start = timezone.now().replace(hour=9, minute=15, second=0, microsecond=0) + timedelta(days=5)
    return Story(alice, bob, factories.team("Founders", alice, bob), start)


@dataclass
class Form:
    """Form of a page, and the buttons that send it."""

    method: str
    action: str
    fields: dict[str, str]
    buttons: list[tuple[str, str]]


class Forms(HTMLParser):
    """Parser of a page's forms, as a browser would see them."""

    def __init__(self, page: str) -> None:
        super().__init__()
        self.found: list[Form] = []
        self.feed(page)

    def handle_starttag(self, tag: str, attrs: list[tuple[str, str | None]]) -> None:
        values = {name: value or "" for name, value in attrs}
        if tag == "form":
            form = Form(values.get("method", "get").lower(), values.get("action", ""), {}, [])
            self.found.append(form)
        elif tag == "input" and self.found:
            self.found[-1].fields[values.get("name", "")] = values.get("value", "")
        elif tag == "button" and self.found:
            self.found[-1].buttons.append((values.get("name", ""), values.get("value", "")))

    def with_button(self, name: str, value: str) -> Form:
        (form,) = (form for form in self.found if (name, value) in form.buttons)
        return form


def everything_in_the_database() -> dict[str, list[tuple[object, ...]]]:
    """Return every row of every table."""
    with connection.cursor() as cursor:
        tables = connection.introspection.table_names(cursor)
        rows = {}
        for table in tables:
            cursor.execute(f"SELECT * FROM {connection.ops.quote_name(table)}")
            rows[table] = sorted(cursor.fetchall(), key=repr)
    return rows


def mail_to(person: User, subject: str) -> Callable[[wire.Mail], bool]:
    return lambda mail: (person.email,) == mail.recipients and subject in mail.subject


def path_of(address: str) -> str:
    parts = urlsplit(address)
    return f"{parts.path}?{parts.query}" if parts.query else parts.path


def event_in(mail: wire.Mail) -> tuple[str, Any]:
    """Return the method and the one event of the calendar object in this mail."""
    text, method_of_the_part = mail.calendar()
    calendar = Calendar.from_ical(text)
    method = str(calendar["METHOD"])
    assert method_of_the_part == method  # RFC 6047, 2.4: they must agree
    event: Any  # icalendar's own type is a union of every property there is
    (event,) = calendar.walk("VEVENT")
    assert not event.errors
    return method, event


def settled() -> bool:
    """Tell whether every due notification has been sent, and recorded as sent."""
    due = Notification.objects.filter(state="waiting", due_at__lte=timezone.now())
    return not due.exists()


def test_from_a_call_to_both_calendars_and_out_again(  # noqa: PLR0915  one story
    story: Story, worker: EmbeddedWorker, mail_server: wire.MailServer, settings: Settings
) -> None:
    # Nobody has collected the static files that the page names.
    settings.STORAGES = settings.STORAGES | {
        "staticfiles": {"BACKEND": "django.contrib.staticfiles.storage.StaticFilesStorage"}
    }
    alice, bob = story.alice, story.bob
    meeting = story.ask()

    (asked,) = mail_server.wait_for(mail_to(bob, "meeting request"))
    assert asked.subject == "You have received new meeting request!"
    row = Notification.objects.get(kind="meeting_requested")
    assert asked.message_id == f"<{row.message_id}@{settings.PUBLIC_HOST}>"
    text = asked.text()
    assert "Alice Ames" in text
    assert f"{story.start:%H:%M} – {story.start + timedelta(hours=1):%H:%M} UTC" in text
    local = story.start.astimezone(bob.zone)
    assert f"{local:%A, %-d %B %Y}, {local:%-I:%M %p}" in text
    assert "Asia/Kathmandu" in text
    link, answer, decline, pending = wire.links_in(text)
    assert link == LINK
    assert pending == f"{settings.PUBLIC_URL}/meetings?tab=pending-meeting"
    assert answer.startswith(f"{settings.PUBLIC_URL}/meetings/answer/")
    assert decline == answer.replace("?answer=confirm", "?answer=reject")
    html = asked.text("html")
    assert all(f'href="{address}"' in html for address in (link, answer, decline, pending))

    # A mail scanner follows every link in every way: nothing happens.
    wire.until(settled)
    before = everything_in_the_database()
    scanner = Client()
    for _ in range(100):
        assert scanner.get(path_of(answer)).status_code == 200
        assert scanner.head(path_of(answer)).status_code == 200
        assert scanner.options(path_of(answer)).status_code == 200
    assert everything_in_the_database() == before

    # Bob opens it and confirms. Without the page's own token nobody can do it for him.
    browser = Client(enforce_csrf_checks=True)
    assert browser.post(path_of(answer), {"answer": "confirm"}).status_code == 403
    assert everything_in_the_database() == before
    page = browser.get(path_of(answer))
    form = Forms(page.content.decode()).with_button("answer", "confirm")
    assert form.method == "post"
    posted = browser.post(form.action or path_of(answer), form.fields | {"answer": "confirm"})
    assert posted.status_code == 302
    meeting.refresh_from_db()
    assert meeting.status == "confirmed"
    claimed = (int(story.start.timestamp()), int(story.start.timestamp()) + 3600)
    assert list(BusyTime.objects.order_by("user_id").values_list("user", "start", "end")) == [
        (alice.pk, *claimed),
        (bob.pk, *claimed),
    ]

    # It is in both calendars.
    events = []
    for person in (alice, bob):
        (confirmed,) = mail_server.wait_for(mail_to(person, "Confirmed"))
        method, event = event_in(confirmed)
        assert method == "REQUEST"
        events.append(event)
        assert event["STATUS"] == "CONFIRMED"
        for name, moment in (("DTSTART", story.start), ("DTEND", meeting.end)):
            assert event[name].to_ical() == f"{moment:%Y%m%dT%H%M%SZ}".encode()
        assert event["ORGANIZER"] == f"mailto:{settings.DEFAULT_FROM_EMAIL.split('<')[1][:-1]}"
        assert event["ORGANIZER"].removeprefix("mailto:") in str(confirmed.message["From"])
        attendees = {str(attendee): attendee.params for attendee in event["ATTENDEE"]}
        assert set(attendees) == {f"mailto:{alice.email}", f"mailto:{bob.email}"}
        assert {params["PARTSTAT"] for params in attendees.values()} == {"ACCEPTED"}
        assert event["LOCATION"] == LINK
        local = story.start.astimezone(person.zone)
        assert f"{local:%A, %-d %B %Y}, {local:%-I:%M %p}" in confirmed.text()
    assert events[0]["UID"] == events[1]["UID"]
    assert events[0]["SEQUENCE"] == events[1]["SEQUENCE"]

    # Both will be reminded.
    reminders = Notification.objects.filter(kind=REMINDER, channel="email")
    due = [story.start - timedelta(days=1), story.start - timedelta(minutes=15)]
    for person in (alice, bob):
        rows = reminders.filter(user=person).order_by("due_at")
        assert list(rows.values_list("due_at", "state")) == [(at, "waiting") for at in due]

    # Alice calls it off: it leaves both calendars, and nobody is reminded.
    story.call(alice, f"{meeting.pk}/cancel")
    for person in (alice, bob):
        (cancelled,) = mail_server.wait_for(mail_to(person, "Cancelled"))
        method, event = event_in(cancelled)
        assert method == "CANCEL"
        assert event["STATUS"] == "CANCELLED"
        assert event["UID"] == events[0]["UID"]
        assert event["SEQUENCE"] > events[0]["SEQUENCE"]
        assert {str(attendee) for attendee in event["ATTENDEE"]} == set(attendees)
    assert set(reminders.values_list("state", flat=True)) == {"withdrawn"}
    assert not BusyTime.objects.exists()

    wire.until(settled)
    received = [mail.message_id for mail in mail_server.received]
    assert len(received) == len(set(received)) == 5
    sent = Notification.objects.filter(channel="email").exclude(kind__in=LATER)
    assert set(sent.values_list("state", "attempts")) == {("sent", 1)}


def test_the_phone_rings(
    story: Story, worker: EmbeddedWorker, mail_server: wire.MailServer, firebase: wire.Firebase
) -> None:
    PushDevice.objects.create(user=story.bob, token="bobs-phone", platform="android")
    meeting = story.ask()

    (message,) = wire.until(lambda: firebase.to("bobs-phone"))
    row = Notification.objects.get(kind="meeting-created")
    assert message == {
        "token": "bobs-phone",
        "notification": {
            "title": "MEETING ALERT",
            "body": "Alice Ames requested a meeting with you. Click to Confirm or Reject.",
        },
        "data": {
            "type": "meeting-created",
            "meeting_id": str(meeting.pk),
            "url": f"{settings.PUBLIC_URL}/meetings?tab=pending-meeting",
            "message_id": row.message_id,
        },
    }
    wire.until(settled)
    row.refresh_from_db()
    assert (row.state, row.attempts) == ("sent", 1)
    assert firebase.sign_ins == 1


def test_a_phone_that_is_gone_is_not_rung_again(
    story: Story, worker: EmbeddedWorker, mail_server: wire.MailServer, firebase: wire.Firebase
) -> None:
    old = PushDevice.objects.create(user=story.bob, token="old-phone", platform="ios")
    new = PushDevice.objects.create(user=story.bob, token="new-phone", platform="ios")
    firebase.fail("old-phone", 404, "NOT_FOUND", "UNREGISTERED")
    meeting = story.ask()
    wire.until(settled)
    wire.until(lambda: firebase.to("new-phone"))

    old.refresh_from_db()
    new.refresh_from_db()
    assert (old.is_active, new.is_active) == (False, True)
    row = Notification.objects.get(channel="push", address=old.digest)
    assert (row.state, row.attempts, row.last_error) == ("failed", 1, "unregistered")

    story.call(story.alice, f"{meeting.pk}/cancel")
    wire.until(lambda: len(firebase.to("new-phone")) == 2)
    wire.until(settled)
    assert len(firebase.to("old-phone")) == 1


@pytest.mark.parametrize(
    ("status", "reason", "code", "tries"),
    [
        # The client itself tries again four times, for what may be a hiccup.
        (503, "UNAVAILABLE", "UNAVAILABLE", 5),
        (429, "RESOURCE_EXHAUSTED", "QUOTA_EXCEEDED", 1),
    ],
)
def test_a_push_that_firebase_has_no_time_for_is_sent_later(
    story: Story,
    worker: EmbeddedWorker,
    mail_server: wire.MailServer,
    firebase: wire.Firebase,
    status: int,
    reason: str,
    code: str,
    tries: int,
) -> None:
    phone = PushDevice.objects.create(user=story.bob, token="bobs-phone", platform="android")
    for _ in range(tries):
        firebase.fail("bobs-phone", status, reason, code)
    story.ask()

    def row() -> Notification:
        return Notification.objects.get(kind="meeting-created")

    wire.until(lambda: row().attempts == 1, seconds=30)
    waiting = row()
    assert waiting.state == "waiting"
    assert waiting.due_at > timezone.now()
    phone.refresh_from_db()
    assert phone.is_active
    assert len(firebase.to("bobs-phone")) == tries

    Notification.objects.filter(pk=waiting.pk).update(due_at=timezone.now())  # time passes
    wire.until(lambda: row().state == "sent")
    assert row().attempts == 2
    messages = firebase.to("bobs-phone")
    assert len(messages) == tries + 1
    assert all(message == messages[0] for message in messages)


def test_mail_that_is_put_off_is_sent_later_with_the_same_name(
    story: Story, worker: EmbeddedWorker, mail_server: wire.MailServer
) -> None:
    mail_server.refuse_next("451 4.7.1 Greylisted, try later")
    before = timezone.now()
    story.ask()

    def row() -> Notification:
        return Notification.objects.get(kind="meeting_requested")

    wire.until(lambda: row().attempts == 1)
    assert mail_server.received == []
    waiting = row()
    assert (waiting.state, waiting.lease, waiting.lease_until) == ("waiting", "", None)
    assert waiting.due_at >= before + Notification.DELAYS[0]
    assert story.bob.email not in waiting.last_error

    Notification.objects.filter(pk=waiting.pk).update(due_at=timezone.now())  # time passes
    (mail,) = mail_server.wait_for(mail_to(story.bob, "meeting request"))
    wire.until(settled)
    assert mail.message_id == f"<{waiting.message_id}@{settings.PUBLIC_HOST}>"
    assert (row().state, row().attempts) == ("sent", 2)


def test_an_address_that_refuses_for_good_is_not_tried_again(
    story: Story, worker: EmbeddedWorker, mail_server: wire.MailServer
) -> None:
    mail_server.refuse_next("550 5.1.1 No such user")
    story.ask()
    wire.until(settled)
    row = Notification.objects.get(kind="meeting_requested")
    assert (row.state, row.attempts) == ("failed", 1)
    assert row.settled_at is not None
    assert row.settled_at.astimezone(UTC) <= timezone.now()
    assert mail_server.received == []


def test_a_message_that_cannot_be_opened_holds_up_nobody(
    story: Story, mail_server: wire.MailServer
) -> None:
    for _ in range(2):
        story.ask()
    broken, sound = Notification.objects.filter(kind="meeting_requested").order_by("id")
    with connection.cursor() as cursor:  # as if its key had been taken away
        cursor.execute(
            "UPDATE notifications_notification SET content = 'lost.AAAA' WHERE id = %s", [broken.pk]
        )

    deliver("email")

    rows = Notification.objects.filter(kind="meeting_requested").order_by("id")
    assert list(rows.values_list("state", "attempts", "last_error")) == [
        ("waiting", 1, "DecryptionError"),
        ("sent", 1, ""),
    ]
    assert [mail.message_id for mail in mail_server.received] == [
        f"<{sound.message_id}@{settings.PUBLIC_HOST}>"
    ]


def test_a_hint_that_fails_is_not_the_callers_failure(
    story: Story, mail_server: wire.MailServer, monkeypatch: pytest.MonkeyPatch
) -> None:
    class Broken:
        def __getitem__(self, broker: object) -> None:
            raise RuntimeError("a fault of the broker's library")

    monkeypatch.setattr(outbox, "producers", Broken())
    meeting = story.ask()
    assert meeting.status == "pending"
    deliver("email")
    assert len(mail_server.received) == 1
