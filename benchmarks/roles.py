"""Functions that prepare data inside a deployment (see `benchmarks.inside`).

The hosts are those of `make_load`, unless a docstring says otherwise.
"""

import itertools
from collections.abc import Sequence
from datetime import UTC, datetime, timedelta
from typing import Any

from django.contrib.auth.hashers import make_password
from django.db.models import QuerySet
from django.utils import timezone

from accounts.models import ApiToken, Session, User
from benchmarks import slots
from calendars.models import BusyTime
from core.db.outbox import OutboxState
from notifications.models import Notification, PushDevice
from scheduling.domain import availability
from scheduling.models import DateOverride, EventType
from tests import factories
from webhooks.models import Attempt, Delivery, Webhook, WebhookEvent

_ACROSS_DAYS = 28
_WEBHOOKS = 100
_BATCH = 5_000


def hosts(count: int) -> list[dict[str, Any]]:
    """Return the first hosts, each with a token for every scope."""
    return [
        {
            "username": host.username,
            "email": host.email,
            "token": factories.token(host),
            "event_type": EventType.objects.filter(host=host).earliest("pk").pk,
        }
        for host in _first(count)
    ]


def give_password(count: int, password: str) -> None:
    """Give the first hosts this password. `make_load` gives none."""
    _first(count).update(password=make_password(password))


def _first(count: int) -> "QuerySet[User, User]":
    return User.objects.filter(
        username__startswith="load-", username__lte=f"load-{count:06}"
    ).order_by("pk")


def free_starts(hosts: int, count: int) -> list[list[str]]:
    """Return free starts of each first host's first event type, from tomorrow on.

    There are at most `count` starts for each host, in ISO 8601 and UTC.
    """
    now = timezone.now()
    first = now.date() + timedelta(days=1)
    offers = EventType.objects.with_hours().filter(host__in=_first(hosts))
    return [
        [
            datetime.fromtimestamp(slot.start, UTC).isoformat()
            for _date, of_day in availability.slots_by_date(
                each, zone=each.zone, first=first, last=first + timedelta(_ACROSS_DAYS), now=now
            )
            for slot in of_day
            if not slot.reason
        ][:count]
        for each in offers.order_by("host_id", "pk").distinct("host_id")
    ]


def book_each(hosts: int) -> None:
    """Book the first free start of each of the first hosts, as an invitee does."""
    now = timezone.now()
    types = EventType.objects.bookable().filter(host__in=_first(hosts))
    first_of_each = types.order_by("host_id", "pk").distinct("host_id")
    starts = free_starts(hosts, 1)
    for event_type, [start] in zip(first_of_each, starts, strict=True):
        factories.booking(event_type, start=datetime.fromisoformat(start), now=now)


def busy_host() -> dict[str, Any]:
    """Make a host without bookings, with 1,000 ledger rows in the next 60 days."""
    host = factories.user("busy", timezone="America/New_York")
    since = int(timezone.now().timestamp())
    BusyTime.objects.bulk_create(
        BusyTime(user=host, start=start, end=end, exclusive=False)
        for start, end in slots.rows(60, since=since)
    )
    event_type = factories.event_type(host, timezone=host.timezone)
    return {"token": factories.token(host), "event_type": event_type.pk}


def webhooks(username: str, count: int) -> None:
    """Make so many webhooks for this host, without deliveries."""
    owner = User.objects.get(username=username)
    for _number in range(count):
        factories.webhook(owner)


def live(told: int) -> None:
    """Add the other data that the hot paths look for.

    Each person has two tokens, sessions and days off, and a phone. `told` notifications and as many
    deliveries were sent, the deliveries to a hundred webhooks. Nothing is pending.
    """
    now = timezone.now()
    people = list(User.objects.order_by("pk"))
    for person in people:
        PushDevice.objects.create(user=person, token=f"phone {person.pk}", platform="ios")
    in_a_month = now + timedelta(days=30)
    for number in (1, 2):
        ApiToken.objects.bulk_create(
            ApiToken(
                user=each,
                name="one",
                digest=f"{each.pk} {number}",
                hint="pat_",
                scopes=["events:read"],
            )
            for each in people
        )
        Session.objects.bulk_create(
            Session(
                session_key=f"{each.pk} {number}",
                session_data="",
                user=each,
                seen_at=now,
                expire_date=in_a_month,
            )
            for each in people
        )
        DateOverride.objects.bulk_create(
            DateOverride(user=each, date=(now + timedelta(days=number)).date()) for each in people
        )
    _tell(told, [factories.webhook(each) for each in people[:_WEBHOOKS]], now)
    # It is refused before anything is sent.
    Webhook.objects.update(url="https://127.0.0.1/hook")


def _tell(count: int, hooks: Sequence[Webhook], now: datetime) -> None:
    sent = {"state": OutboxState.SENT, "attempts": 1, "settled_at": now}
    for first in range(0, count, _BATCH):
        ages = [now - timedelta(minutes=first + number) for number in range(_BATCH)]
        events = WebhookEvent.objects.bulk_create(
            WebhookEvent(owner=hook.owner, type="booking.created", body="{}", created_at=at)
            for hook, at in zip(itertools.cycle(hooks), ages, strict=False)
        )
        deliveries = Delivery.objects.bulk_create(
            Delivery(webhook=hook, event=event, due_at=event.created_at, created_at=now, **sent)
            for hook, event in zip(itertools.cycle(hooks), events, strict=False)
        )
        Attempt.objects.bulk_create(
            Attempt(delivery=each, at=each.due_at, succeeded=True, response_time_ms=245)
            for each in deliveries
        )
        Notification.objects.bulk_create(
            Notification(
                channel=Notification.Channel.EMAIL,
                address="john@example.com",
                kind="booked",
                topic=f"{at}",
                content="{}",
                due_at=at,
                created_at=at,
                **sent,
            )
            for at in ages
        )
