"""Every kind of email, caused by what people do."""

from datetime import timedelta
from typing import Any

import time_machine
from django.core.mail import EmailMultiAlternatives

from accounts.domain import leaks, teams
from accounts.models import Team, User
from calendars.domain import notices as calendar_notices
from calendars.models import Calendar, CalendarAccount
from core.people import privacy
from meetings.domain import services as meetings
from notifications.models import Notification
from scheduling.domain import bookings, holds
from scheduling.domain.bookings import INVITEE
from tests import factories
from tests.oauth import app_of
from tests.outbox import posted
from tests.outbox import send as send_due
from tests.pages import NOW, START
from webhooks.domain import notices

HALF_HOUR, DAY = timedelta(minutes=30), timedelta(days=1)

ROOM = {
    "location": "custom",
    "location_custom": "Donaudampfschifffahrtsgesellschaftskapitänshaus, 2nd floor",
    "location_link": "https://meet.example.com/rooms/2f8d1c9e-7b64-4f0e-a1d5-3c6e9b2f7a80?pwd=1",
}
QUESTIONS: list[dict[str, Any]] = [
    {"name": "size", "label": "How many of you?", "type": "number", "required": False},
    {"name": "new", "label": "Is this your first interview with us?", "type": "boolean"},
]
GUESTS = ("mary@example.com", "peter@example.com")
TYPED: dict[str, Any] = {
    "notes": "I would like to talk about the new contract.\nCan we start with the budget?",
    "answers": {"size": 3, "new": True},
    "phone": "+49 30 1234",
}


def send(
    alice: User, bob: User, charlie: User, team: Team
) -> list[tuple[str, EmailMultiAlternatives]]:
    """Cause every kind of email at NOW, and send it. Return each with its kind, by kind."""
    booked_and_ended(alice)
    asked_and_ended(alice, bob, team)
    leaked_invited_and_deleted(alice, charlie, team)
    unread_and_unwritten(alice)
    for at in (START - DAY, START - DAY + 10 * HALF_HOUR, START + 10 * HALF_HOUR, START + DAY):
        with time_machine.travel(at, tick=False):
            send_due()
    kinds = dict(Notification.objects.values_list("message_id", "kind"))
    return sorted(
        ((kinds[name_of(message)], message) for message in posted()), key=lambda each: each[0]
    )


def name_of(message: EmailMultiAlternatives) -> str:
    return str(message.extra_headers["Message-ID"]).strip("<>").partition("@")[0]


def booked_and_ended(alice: User) -> None:
    host, starts = bookings.host(alice), (START + number * HALF_HOUR for number in range(10))
    at_once = factories.event_type(alice, name="Intro call", price="25.00", **ROOM)
    with_approval = factories.event_type(
        alice,
        name="Interview",
        location="google_meet",
        requires_approval=True,
        custom_fields=[{"required": False, "options": [], **asked} for asked in QUESTIONS],
    )
    held = factories.event_type(alice, name="First call", confirm_email=True)
    holds.place(
        event_type=held,
        start=START + 2 * DAY,
        invitee=bookings.Invitee("John Doe", "john@example.com", "Europe/Berlin"),
        now=NOW,
    )
    cancelled, expired, rejected, moved, confirmed = (
        factories.booking(of, start=next(starts), now=NOW, guests=GUESTS, **TYPED)
        for of in (at_once, with_approval, with_approval, with_approval, with_approval)
    )
    call = factories.event_type(alice, name="Call", location="phone_call")
    factories.booking(call, start=START + DAY, now=NOW, actor=host, **TYPED)
    send_due()
    bookings.cancel(booking=cancelled, actor=INVITEE, now=NOW, reason="I have to leave earlier.")
    bookings.reject(booking=rejected, actor=host, now=NOW, reason="I am away that week.")
    moved = bookings.reschedule(booking=moved, start=next(starts), actor=INVITEE, now=NOW)
    bookings.cancel(booking=moved, actor=host, now=NOW, reason="I am ill.")
    confirmed = bookings.confirm(booking=confirmed, actor=host, now=NOW)
    confirmed = bookings.reschedule(booking=confirmed, start=next(starts), actor=host, now=NOW)
    bookings.reschedule(booking=confirmed, start=next(starts), actor=INVITEE, now=NOW)
    reminded = factories.booking(at_once, start=START, now=NOW)
    bookings.update(booking=reminded, join_url="https://zoom.us/j/1234567890", now=NOW)
    waiting = factories.booking(with_approval, start=next(starts), now=NOW)
    bookings.note_undelivered(booking=waiting, now=NOW)
    bookings.record_overdue(booking=expired, now=expired.start)
    send_due()


def asked_and_ended(alice: User, bob: User, team: Team) -> None:
    expired, rejected, cancelled, called_off, standing, _waiting = (
        meetings.request_meeting(
            requester=alice,
            team_id=team.pk,
            recipient_id=bob.pk,
            date=(START + DAY + number * 2 * HALF_HOUR).isoformat(),
            link="https://zoom.us/j/1234567890",
            now=NOW,
        )
        for number in range(6)
    )
    send_due()
    meetings.reject(meeting=rejected, actor=bob, now=NOW)
    meetings.cancel(meeting=cancelled, actor=alice, now=NOW)
    for meeting in (called_off, standing):
        meetings.confirm(meeting=meeting, actor=bob, now=NOW)
    meetings.cancel(meeting=called_off, actor=bob, now=NOW)
    meetings.record_overdue(meeting=expired, now=expired.start)
    send_due()


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
    send_due()


def unread_and_unwritten(alice: User) -> None:
    """Let two calendars of Alice fail, one of them because of its password, and be well again."""
    calendar = factories.chosen_calendar(alice, now=NOW)
    refused = factories.chosen_calendar(alice, now=NOW, username="other")
    for number, error, state in (
        (calendar.account_id, "timeout", CalendarAccount.State.FAILING),
        (refused.account_id, "unauthorized", CalendarAccount.State.REVOKED),
    ):
        rows = CalendarAccount.objects.filter(pk=number)
        rows.update(state=state, error=error, state_since=NOW - HALF_HOUR)
        calendar_notices.failing(rows.get(), now=NOW)
    CalendarAccount.objects.filter(pk=calendar.account_id).update(read_at=NOW - DAY)
    Calendar.objects.filter(pk=calendar.pk).update(write_error="forbidden")
    calendar_notices.not_written(Calendar.objects.get(pk=calendar.pk), now=NOW)
    calendar_notices.emptied(Calendar.objects.get(pk=calendar.pk), gone=12, now=NOW)
    send_due()
    CalendarAccount.objects.update(state=CalendarAccount.State.OK, error="")
    calendar_notices.recovered(calendar.account, now=NOW)
    send_due()
