"""Plans of PostgreSQL for the hot paths' queries, inside a deployment: see `growth.explain`.

Each path runs many times, so that the session has prepared its statements. By then the server has
chosen between a generic plan and one for these values. The chosen plan is shown.
"""

import itertools
import re
import time
from collections.abc import Callable
from datetime import timedelta
from typing import Any

import psycopg
from django.db import connection
from django.test import Client
from django.utils import timezone

from accounts.models import User
from benchmarks import roles
from core.ops import metrics
from core.people import privacy
from meetings.models import MeetingRequest
from meetings.tasks import sweep_meetings
from notifications.domain import sending
from scheduling.models import Booking, EventType
from scheduling.models.enums import Status
from scheduling.tasks import sweep_bookings
from tests import factories
from tests.outbox import mail
from webhooks.domain.dispatch import Dispatcher
from webhooks.tasks import sweep_deliveries

# psycopg prepares what has come five times, and PostgreSQL then looks at five plans.
TIMES = 15
_BIG_ROWS = 10_000
_TURN_SECONDS = 0.3
_PLACEHOLDER = re.compile(r"%([s%])")
_SCAN = re.compile(r"Seq Scan on (\w+)")
# Lists of values, in statements and in plans.
_VALUES = re.compile(r"(?<=IN \()\$\d+(, \$\d+)*(?=\))|(?<=\{)[^{}]+(?=\})|(?<=ARRAY\[)[^]]+(?=\])")
_COLUMNS = re.compile(r'("\w+"\."\w+"( AS "\w+")?, ){3,}"\w+"\."\w+"( AS "\w+")?')


def explain() -> list[tuple[str, str, str, list[str]]]:
    """Return the path, statement, plan and fully scanned big tables of each statement.

    A statement is listed once, for the first path that sends it.
    """
    big, seen = _big_tables(), set[str]()
    shown = []
    for path, act in _paths().items():
        heard: dict[str, Any] = {}
        with connection.execute_wrapper(_listener(heard)):
            for _time in range(TIMES):
                act()
        for text, values in heard.items():
            statement = _VALUES.sub("...", _COLUMNS.sub("...", _numbered(text)))
            if statement not in seen:
                seen.add(statement)
                plan = _VALUES.sub("...", _plan(text, values))
                scanned = sorted(big & {*_SCAN.findall(plan)})
                shown.append((path, statement, plan, scanned))
    return shown


def _paths() -> dict[str, Callable[[], object]]:
    host = User.objects.get(username="load-000001")
    event_type = EventType.objects.filter(host=host).earliest("pk")
    event, hook = Booking.objects.filter(host=host).earliest("pk"), host.webhooks.get()
    now = timezone.now()
    in_a_year = now + timedelta(days=366)
    # Undo the sweeps' record that these have taken place.
    for model in (Booking, MeetingRequest):
        for row in model.objects.filter(status=Status.COMPLETED)[:TIMES]:
            row.history.filter(to_status=Status.COMPLETED).delete()
            row.status = Status.CONFIRMED
            row.save(update_fields=["status"])
    [starts] = roles.free_starts(1, TIMES)
    free = iter(starts)
    program = Client(
        headers={"host": "localhost", "authorization": f"Bearer {factories.token(host)}"}
    )
    browser = Client(headers={"host": "localhost"})
    browser.force_login(host)
    days = f"start_date={now.date()}&end_date={now.date() + timedelta(days=59)}"

    def get(client: Client, path: str) -> Callable[[], object]:
        def act() -> None:
            response = client.get(path)
            assert response.status_code == 200, response.content

        return act

    def book() -> None:
        body = {
            "event_type_id": event_type.pk,
            "start_time": next(free),
            "attendee_name": "John Doe",
            "attendee_email": "john@example.com",
        }
        response = program.post("/api/v1/events", body, content_type="application/json")
        assert response.status_code == 201, response.content

    def send() -> None:
        mail("john@example.com", now=timezone.now())
        assert sending.deliver(channel="email")

    def deliver() -> None:
        factories.delivery(hook, now=timezone.now())
        Dispatcher().run()

    listed = (
        "/api/v1/events",
        "/api/v1/events?status=confirmed",
        "/api/v1/event_types",
        "/api/v3/meeting/list?tab=pending-meeting",
        "/api/v3/meeting/list?tab=sent",
        "/api/v1/webhooks",
        f"/api/v1/events/{event.pk}",
        f"/api/v1/event_types/{event_type.pk}/availability?{days}",
    )
    return {
        **{f"GET {path}": get(program, path) for path in listed},
        "GET /, signed in": get(browser, "/"),
        "GET /load-000001/...": get(
            Client(headers={"host": "localhost"}), f"/{event_type.scheduling_url}"
        ),
        "POST /api/v1/events": book,
        "the sweep of bookings": sweep_bookings,
        "the sweep of meetings": sweep_meetings,
        "a notification is sent": send,
        "the sweep of deliveries": sweep_deliveries,
        "a delivery is sent": deliver,
        "GET /readyz": lambda: metrics.behind(timezone.now()),
        # Last, since it deletes what the other paths look for.
        "retention": lambda: privacy.retain(now=in_a_year, until=time.monotonic() + _TURN_SECONDS),
    }


def _listener(heard: dict[str, Any]) -> Callable[..., Any]:
    """Return a wrapper that notes the last values of each statement that an index could serve."""

    def listen(
        execute: Callable[..., Any], text: str, values: Any, many: bool, context: Any
    ) -> Any:
        if text.startswith(("SELECT", "UPDATE", "DELETE")):
            heard[text] = values
        return execute(text, values, many, context)

    return listen


def _plan(text: str, values: Any) -> str:
    """Return the plan of the session's own prepared statement.

    If none is prepared, plan the text.
    """
    session: psycopg.Connection[Any] = connection.connection
    with psycopg.ClientCursor(session) as cursor:
        cursor.execute(
            "SELECT name FROM pg_prepared_statements WHERE statement = %s"
            " ORDER BY generic_plans + custom_plans DESC",
            [_numbered(text)],
        )
        found = cursor.fetchone()
        if found:
            text = f"EXECUTE {found[0]}" + (
                f"({', '.join(['%s'] * len(values))})" if values else ""
            )
        cursor.execute(f"EXPLAIN {text}".encode(), values or None)
        return "\n".join(line for (line,) in cursor)


def _numbered(text: str) -> str:
    """Return a statement in the form that psycopg sends."""
    numbers = itertools.count(1)
    return _PLACEHOLDER.sub(lambda found: f"${next(numbers)}" if found[1] == "s" else "%", text)


def _big_tables() -> set[str]:
    with connection.cursor() as cursor:
        cursor.execute(
            "SELECT relname FROM pg_class WHERE relkind = 'r' AND reltuples >= %s", [_BIG_ROWS]
        )
        return {name for (name,) in cursor.fetchall()}
