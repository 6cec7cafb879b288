"""Readings of an outside calendar, and availability beside it, in a deployment.

See `benchmarks.calendars`.
"""

from collections.abc import Callable, Mapping
from datetime import timedelta
from functools import partial
from time import process_time
from typing import Any

from django.db import connection
from django.db.models import Q
from django.test import Client
from django.test.utils import CaptureQueriesContext
from django.utils import timezone

from calendars.domain import ledger, reading
from calendars.models import BusyTime
from tests import factories
from tests.calendars import world

_POLLS, _ROUNDS = 40, 40
_DAYS = 60
_QUARTER = 15 * 60


def polls(provider: str, secret: Mapping[str, str], entries: int) -> dict[str, Any]:
    """Connect and read a calendar, then read it again and again.

    Return the CPU seconds of the first reading and of the best later one, and the statements of a
    later one.
    """
    user = factories.user(provider)
    calendar = world.connected(user, secret, provider=provider, now=timezone.now())
    first = _cpu(lambda: _read(calendar.account_id))
    assert BusyTime.objects.filter(user=user).count() == entries
    _read(calendar.account_id)  # statements that are prepared once
    later = [_cpu(lambda: _read(calendar.account_id)) for _ in range(_POLLS)]
    with CaptureQueriesContext(connection) as asked:
        _read(calendar.account_id)
    return {"first": first, "poll": min(later), "statements": len(asked)}


def _read(account: int) -> None:
    """Read an account as a worker does, due or not."""
    now = timezone.now()
    claimed = reading.claim(account, condition=Q(), now=now, seconds=reading.SECONDS)
    assert claimed is not None
    assert reading.read(claimed, now=now)


def availability(rows: int) -> tuple[float, float]:
    """Return the CPU seconds of 60 days of availability with outside rows, and with none."""
    now = timezone.now()
    since = int(now.timestamp()) // _QUARTER * _QUARTER
    apart = _DAYS * 24 * 3600 // rows
    spans = [(since + n * apart, since + n * apart + _QUARTER) for n in range(rows)]
    questions: list[Callable[[], None]] = []
    for name, claimed in (("busy", spans), ("free", [])):
        host = factories.user(name)
        ledger.claim_outside(user_id=host.pk, spans=claimed)
        event_type = factories.event_type(host)
        last = now.date() + timedelta(days=_DAYS - 1)
        days = f"start_date={now.date()}&end_date={last}"
        path = f"/api/v1/event_types/{event_type.pk}/availability?{days}"
        client = Client(
            headers={"host": "localhost", "authorization": f"Bearer {factories.token(host)}"}
        )
        questions.append(partial(_ask, client, path))
    best = [float("inf"), float("inf")]
    for _round in range(_ROUNDS):
        for number, question in enumerate(questions):
            best[number] = min(best[number], _cpu(question))
    return best[0], best[1]


def _ask(client: Client, path: str) -> None:
    response = client.get(path)
    assert response.status_code == 200, response.content


def _cpu(act: Callable[[], object]) -> float:
    began = process_time()
    act()
    return process_time() - began
