"""Factories of rows for tests, in the form that the product itself writes."""

from collections.abc import Mapping, Sequence
from datetime import datetime, timedelta
from functools import cache
from io import BytesIO
from typing import Any

from django.contrib.auth.hashers import make_password
from django.test import Client
from django.utils import timezone
from PIL import Image

from accounts.domain import services
from accounts.models import Membership, Team, User, scopes
from calendars.domain import accounts as calendar_accounts
from calendars.domain import entries
from calendars.models import Calendar, Entry
from calendars.providers.base import RemoteCalendar
from calendars.rules.expansion import Occurrence, ShownAs
from scheduling.domain import bookings
from scheduling.domain import services as scheduling_services
from scheduling.models import Booking, EventType
from webhooks.domain import publishing
from webhooks.domain import services as webhook_services
from webhooks.domain.events import EVENTS
from webhooks.models import Attempt, Delivery, Webhook

PASSWORD = "correct-horse-battery"


@cache
def _hashed() -> str:
    return make_password(PASSWORD)


def user(name: str, **fields: Any) -> User:
    """Make a user with PASSWORD.

    The password is hashed once, because hashing is slow on purpose.
    """
    made = User.objects.create_user(
        f"{name}@example.com", **{"username": name, "timezone": "UTC", **fields}
    )
    made.password = _hashed()
    made.save(update_fields=["password"])
    return made


def picture(size: tuple[int, int] = (8, 8), kind: str = "PNG", **options: Any) -> bytes:
    """Return a file with a picture: its left half is red, its right half blue."""
    image, file = Image.new("RGB", size, "red"), BytesIO()
    image.paste("blue", (size[0] // 2, 0, *size))
    image.save(file, kind, **options)
    return file.getvalue()


def team(name: str, owner: User, *members: User) -> Team:
    made = Team.objects.create(name=name)
    Membership.objects.create(team=made, user=owner, role=Membership.Role.OWNER)
    for member in members:
        join(made, member)
    return made


def join(team: Team, member: User) -> None:
    Membership.objects.create(team=team, user=member)


def token(owner: User, *wanted: str) -> str:
    """Return a new bearer token with these scopes, or with all of them."""
    _row, text = services.create_token(user=owner, name="test", scopes=wanted or scopes.SCOPES)
    return text


def client(owner: User, *wanted: str) -> Client:
    """Return an API client that sends such a token."""
    return Client(headers={"Authorization": f"Bearer {token(owner, *wanted)}"})


def event_type(host: User, **fields: Any) -> EventType:
    """Make an event type of half an hour on a new account's hours. `fields` changes it."""
    return scheduling_services.create_event_type(
        host=host, **{"name": "30 Minute Meeting", "duration": 30, **fields}
    )


def booking(
    event_type: EventType,
    *,
    start: datetime,
    now: datetime,
    actor: bookings.Actor = bookings.INVITEE,
    notes: str = "",
    answers: Mapping[str, object] | None = None,
    join_url: str = "",
    metadata: Mapping[str, str] | None = None,
    guests: Sequence[str] = (),
    **invitee: str,
) -> Booking:
    """Book an event type for John Doe in Berlin, unless `invitee` says otherwise."""
    john = {"name": "John Doe", "email": "john@example.com", "timezone": "Europe/Berlin"}
    return bookings.book(
        event_type=event_type,
        start=start,
        invitee=bookings.Invitee(**{**john, **invitee}),
        actor=actor,
        now=now,
        notes=notes,
        answers=answers,
        join_url=join_url,
        metadata=metadata,
        with_guests=guests,
    )


def webhook(owner: User, **fields: Any) -> Webhook:
    """Make a webhook that gets all events, unless `fields` says otherwise."""
    usual = {"name": "Main Webhook", "url": "https://example.com/hook", "events": list(EVENTS)}
    return webhook_services.create(owner=owner, **{**usual, **fields})


def delivery(webhook: Webhook, *, now: datetime, type_: str = "booking.created") -> Delivery:
    """Make a pending delivery to this webhook."""
    [event] = publishing.write_events(
        wanted=[(webhook.owner_id, type_)], data={"uuid": "evt_1"}, now=now
    )
    [made] = publishing.enqueue(wanted=[(event, [webhook.pk])], now=now)
    return made


def attempt(delivery: Delivery, *, at: datetime, status: int = 200) -> Attempt:
    """Make an attempt of this delivery, with its HTTP status, that took a quarter of a second."""
    succeeded = status < 300
    return Attempt.objects.create(
        delivery=delivery,
        at=at,
        succeeded=succeeded,
        error="" if succeeded else f"http_{status}",
        response_code=status,
        response_time_ms=245,
    )


def calendar(
    owner: User, *, now: datetime, name: str = "Work", account: str = "", **secret: str
) -> Calendar:
    """Connect a CalDAV account with one calendar, which closes time. No server is asked."""
    usual = {"url": "https://cloud.example.com/dav/", "username": name, "password": "of-the-app"}
    made = calendar_accounts.connect(
        user=owner,
        provider="caldav",
        name=account or f"{name} account",
        secret={**usual, **secret},
        found=[RemoteCalendar(f"/{name}/", name, "#0082C9", "", is_writable=True)],
        now=now,
    )
    return Calendar.objects.select_related("account__user").get(account=made)


def chosen_calendar(owner: User, *, now: datetime, **secret: str) -> Calendar:
    """Connect such a calendar, which takes the bookings of its owner."""
    usual = {
        "url": "https://caldav.example/home/",
        "username": "office-user",
        "password": "office-secret",
    }
    made = calendar(owner, now=now, account="Office", **{**usual, **secret})
    return calendar_accounts.change_calendar(calendar=made, writes=True, now=now)


def read_calendar(owner: User, *, name: str = "Own", host: str = "dav.example.com") -> Calendar:
    """Connect such a calendar, as if it had just been read."""
    now = timezone.now()
    secret = {"url": f"https://{host}/", "password": "sesame-of-calendar"}
    account = calendar(owner, now=now, name=name, account=name, **secret).account
    account.read_at = account.whole_at = now
    account.due_at = now + timedelta(minutes=5)
    account.save()
    return Calendar.objects.select_related("account__user").get(account=account)


def entry(
    calendar: Calendar,
    *,
    start: datetime,
    end: datetime,
    title: str = "Dentist",
    shown_as: ShownAs = ShownAs.BUSY,
    is_all_day: bool = False,
    uid: str = "",
) -> Entry:
    """Keep an entry of this calendar, as a reading would. Its UID is of its title and its start."""
    first, last = int(start.timestamp()), int(end.timestamp())
    uid = uid or f"{title}-{first}"
    occurrence = Occurrence("", first, last, title, shown_as, is_all_day=is_all_day)
    entries.save(calendar, [entries.Reading(f"/{uid}.ics", "1", uid, [occurrence])])
    return Entry.objects.get(calendar=calendar, item__uid=uid)
