"""Roles of the zygote's children: each runs in its own process, which a test may kill.

They use Parley's real parts: the API behind Django's test client, and the embedded worker, which
works with Redis too. Arguments and values pass as JSON.
"""

import threading
from collections.abc import Mapping
from datetime import timedelta
from typing import Any

from django.conf import settings
from django.core.checks import run_checks
from django.db.models import Q
from django.template.loader import get_template
from django.test import Client
from django.utils import timezone

from accounts.models import Team, User
from calendars.domain import accounts, reading
from calendars.models import Calendar, CalendarAccount, Push
from calendars.providers.base import RemoteCalendar
from config.celery import app
from config.worker import EmbeddedWorker
from core.db.outbox import OutboxState
from notifications.models import Notification
from scheduling.domain import services
from scheduling.domain.services import DayChange
from tests import factories, wire
from webhooks.models import Delivery

# A child that waits to be killed ends by itself after this many seconds.
_LONGEST = 30.0
# A reading may take as long as ever, but the lease of one that has died ends soon.
_USUAL_LEASE_PART = reading._LEASE_PART
_LEASE_SECONDS = 2.0
_client = Client(headers={"host": "localhost"})


def warm_up() -> None:
    """Load in the zygote what each child needs. Open nothing and start no thread."""
    # What the dead have left is found soon after their leases end.
    for entry in settings.CELERY_BEAT_SCHEDULE.values():
        if entry["schedule"] == settings.SWEEP_SECONDS:
            entry["schedule"] = 0.2
    reading._LEASE_PART = _LEASE_SECONDS / reading.SECONDS
    Push.DELAYS = [timedelta(seconds=0.2)] * len(Push.DELAYS)
    run_checks()
    settings.STATIC_ROOT.mkdir(exist_ok=True)
    _client.handler.load_middleware()
    EmbeddedWorker()
    app.connection_for_write().transport  # noqa: B018  the attribute loads it
    for path in (settings.BASE_DIR / "templates/emails").rglob("*.*"):
        get_template(str(path.relative_to(settings.BASE_DIR / "templates")))


def set_up() -> dict[str, Any]:
    """Make the people of an empty, migrated database."""
    alice, bob = (User.objects.create_user(f"{name}@example.com") for name in ("alice", "bob"))
    team = factories.team("Founders", alice, bob)
    return {
        "alice": factories.token(alice),
        "bob": factories.token(bob),
        "bob_id": bob.pk,
        "team_id": team.pk,
    }


def set_up_webhooks(url: str, count: int) -> list[str]:
    """Make `count` people who can ask Bob for meetings, each with a webhook.

    Return their tokens.
    """
    team, tokens = Team.objects.get(), []
    for number in range(count):
        member = User.objects.create_user(f"member{number}@example.com")
        factories.join(team, member)
        factories.webhook(member, url=url, events=["meeting.created"])
        tokens.append(factories.token(member))
    return tokens


def set_up_hosts(url: str, count: int) -> list[dict[str, Any]]:
    """Make `count` hosts with an event type that needs approval, and a webhook for each."""
    hosts = []
    for number in range(count):
        host = User.objects.create_user(f"host{number}@example.com")
        offered = factories.event_type(host, requires_approval=True)
        factories.webhook(host, url=f"{url}/{number}", events=["booking.created"])
        hosts.append({"token": factories.token(host), "event_type": offered.pk})
    return hosts


def give_webhooks(email: str, url: str, count: int) -> None:
    """Give this person `count` more webhooks, each for new bookings."""
    owner = User.objects.get(email=email)
    for number in range(count):
        factories.webhook(owner, url=f"{url}/{number}", events=["booking.created"])


def set_up_company(url: str, count: int) -> list[dict[str, Any]]:
    """Make `count` team mates with bookings around the clock, and a webhook for all events each.

    Each has two event types: one confirmed at once, and one that needs approval.
    """
    people = [User.objects.create_user(f"host{number}@example.com") for number in range(count)]
    team = factories.team("Company", *people)
    company = []
    for person in people:
        fields = {"duration": 15, "slot_interval": 15, "min_advance_booking": 0}
        offers = [
            {**fields, "name": "At once"},
            {**fields, "name": "Asked", "requires_approval": True},
        ]
        factories.webhook(person, url=f"{url}/{person.pk}", max_retries=9)
        company.append(
            {
                "id": person.pk,
                "username": person.username,
                "team_id": team.pk,
                "token": factories.token(person),
                "event_types": offer(person.email, offers),
            }
        )
    return company


def set_up_two(url: str, webhooks: int) -> list[dict[str, Any]]:
    """Make Alice and Mallory, bookable around the clock, and `webhooks` webhooks of Mallory's."""
    two = []
    for name, count in (("alice", 1), ("mallory", webhooks)):
        person = User.objects.create_user(f"{name}@example.com")
        fields = {"duration": 15, "slot_interval": 15, "max_advance_booking": 365}
        [event_type] = offer(person.email, [fields])
        made = [
            factories.webhook(person, url=f"{url}/{name}", timeout_seconds=28, max_retries=0)
            for _ in range(count)
        ]
        two.append(
            {
                "token": factories.token(person),
                "event_type": event_type,
                "webhooks": [webhook.pk for webhook in made],
            }
        )
    return two


def set_up_calendars(secrets: Mapping[str, Mapping[str, str]]) -> list[dict[str, Any]]:
    """Make a host with each of these names, and connect a calendar that is written to as well."""
    hosts = []
    for name, secret in secrets.items():
        host = User.objects.create_user(f"{name}@example.com")
        [event_type] = offer(host.email, [{"duration": 30, "min_advance_booking": 0}])
        now = timezone.now()
        found = accounts.look(user=host, provider="caldav", secret=secret)
        account = accounts.connect(
            user=host, provider="caldav", name="", secret=secret, found=found, now=now
        )
        calendar = Calendar.objects.select_related("account__user").get(account=account)
        accounts.change_calendar(calendar=calendar, writes=True, now=now)
        hosts.append({"id": host.pk, "token": factories.token(host), "event_type": event_type})
    return hosts


def connect_feeds(email: str, urls: list[str]) -> int:
    """Connect these ICS addresses, which need not answer. Return the person's number."""
    owner, now = User.objects.get(email=email), timezone.now()
    for url in urls:
        found = [RemoteCalendar("feed", "Calendar", "", "", is_writable=False)]
        accounts.connect(
            user=owner, provider="ics", name="", secret={"url": url}, found=found, now=now
        )
    return owner.pk


def refresh_calendars(email: str) -> None:
    """Have this person's calendars read whole at once."""
    for account in CalendarAccount.objects.filter(user__email=email):
        accounts.refresh(account=account, now=timezone.now())


def disconnect_feeds(email: str) -> None:
    """Disconnect all calendars of this person."""
    for account in CalendarAccount.objects.filter(user__email=email):
        accounts.disconnect(account=account, takes_back=False, now=timezone.now())


def have_read(hosts: list[int]) -> None:
    """Have the calendars of these hosts read for changes at once."""
    CalendarAccount.objects.filter(user__in=hosts).update(due_at=timezone.now())


def drain_calendars() -> None:
    """Run a worker until each calendar is read, and each booking is written."""

    def left() -> int:
        now = timezone.now()
        unread = CalendarAccount.objects.filter(Q(due_at__lte=now) | ~Q(lease=""))
        return unread.count() + Push.objects.filter(state=OutboxState.WAITING).count()

    settings.OUTBOX_LEASE_SECONDS = 60
    reading._LEASE_PART = _USUAL_LEASE_PART
    EmbeddedWorker().start()
    wire.until(lambda: not left(), seconds=120, what="everything read and written")


def offer(email: str, event_types: list[dict[str, Any]]) -> list[int]:
    """Open this person's hours around the clock.

    Make these event types and return their numbers.
    """
    host = User.objects.get(email=email)
    all_day: DayChange = {"enabled": True, "start": "00:00", "end": "24:00"}
    services.set_hours(user=host, days={str(number): all_day for number in range(1, 8)})
    return [factories.event_type(host, **fields).pk for fields in event_types]


def tokens(email: str, count: int) -> list[str]:
    owner = User.objects.get(email=email)
    return [factories.token(owner) for _ in range(count)]


def call(token: str, path: str, body: dict[str, Any]) -> Any:
    """Call the v3 meeting API in the server's process and return its answer."""
    response = _client.post(
        f"/api/v3/meeting/{path}",
        body,
        content_type="application/json",
        headers={"authorization": f"Bearer {token}"},
    )
    assert response.status_code in (200, 201), (response.status_code, response.content)
    answer = response.json()
    # What a client has been told must hold, whatever happens to us next.
    with (settings.DATA_DIR / "answered").open("a") as file:
        file.write(f"{answer['id']}\n")
    return answer


def call_v1(token: str, path: str, body: dict[str, Any], key: str) -> Any:
    """Call the v1 API under an Idempotency-Key. Return the data, and whether it was replayed.

    An endpoint that acts once anyway needs no key: an empty key is not sent.
    """
    response = _client.post(
        f"/api/v1/{path}",
        body,
        content_type="application/json",
        headers={"authorization": f"Bearer {token}"} | ({"idempotency-key": key} if key else {}),
    )
    assert response.status_code in (200, 201), (response.status_code, response.content)
    return response.json()["data"], response.get("Idempotent-Replayed") == "true"


def call_beside_worker(token: str, path: str, body: dict[str, Any]) -> None:
    """Call the API beside the embedded worker, a few threads of the same process (the default)."""
    worker = EmbeddedWorker()
    worker.start()
    assert worker.wait_until_ready()
    call(token, path, body)
    threading.Event().wait(_LONGEST)


def work() -> None:
    """Run a worker until it is killed."""
    EmbeddedWorker().start()
    threading.Event().wait(_LONGEST)


def drain() -> int:
    """Run a worker until nothing due is left. Return how many rows were due at the start."""

    def left() -> int:
        due = Q(state=OutboxState.WAITING, due_at__lte=timezone.now())
        return Notification.objects.filter(due).count() + Delivery.objects.filter(due).count()

    # Nobody dies any more: who is only slow must not be taken for dead.
    settings.OUTBOX_LEASE_SECONDS = 60
    found = left()
    EmbeddedWorker().start()
    wire.until(lambda: not left(), seconds=60, what="everything sent")
    return found
