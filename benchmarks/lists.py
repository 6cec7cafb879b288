"""Benchmark of lists and availability over HTTP, compared with the same list of a stock project.

Parley is called as usual: with a token and its scopes, and counted in all four windows. The stock
project (`benchmarks.stock`) does none of that. Both run on one database and on granian with as many
workers and threads: Parley by production's command, the stock project by granian's own WSGI
interface. They are asked in turn, round by round, and the best round of each counts.

Bounds: the list of 20 events has at least 3.5 times the requests a second of the stock list. 60
days' availability with 1,000 busy rows takes at most 3 times the server's CPU time of Parley's
list.
"""

import json
from collections.abc import Mapping
from contextlib import ExitStack
from datetime import UTC, datetime, timedelta
from typing import Any

from benchmarks.load import Question, Run, Server, bearing, request
from benchmarks.places import STOCK_COMMAND, do, filled, served, tidy
from benchmarks.table import Row, finish

CONNECTIONS, ROUNDS, SECONDS = 16, 8, 2.0
HOSTS, BOOKINGS, WEBHOOKS = 20, 20_000, 20
TIMES_STOCK, TIMES_LIST = 3.5, 3.0

LIST, STOCK, AVAILABILITY = "20 events", "20 events of the stock project", "60 days, 1,000 rows"


def table() -> list[Row]:
    with ExitStack() as stack:
        deployment = stack.enter_context(filled(bookings=BOOKINGS, hosts=HOSTS))
        [host], busy = do(deployment, "roles.hosts", 1), do(deployment, "roles.busy_host")
        do(deployment, "roles.webhooks", host["username"], WEBHOOKS)
        tidy(deployment)
        parley = stack.enter_context(served(deployment))
        stock = stack.enter_context(
            served(
                deployment,
                *STOCK_COMMAND,
                DJANGO_SETTINGS_MODULE="benchmarks.stock_settings",
            )
        )
        questions = _questions(parley, stock, host, busy)
        runs: dict[str, list[Run]] = {name: [] for name in questions}
        for _round in range(ROUNDS):
            for name, question in questions.items():
                runs[name].append(question.drive(connections=CONNECTIONS, seconds=SECONDS))
    rate = {name: max(run.rate for run in each) for name, each in runs.items()}
    cpu = {name: min(run.cpu for run in each) for name, each in runs.items()}
    return [
        Row(
            f"{LIST}: rate to the stock project's",
            rate[LIST] / rate[STOCK],
            "times",
            TIMES_STOCK,
            least=True,
        ),
        Row(
            f"{AVAILABILITY}: CPU to the list's", cpu[AVAILABILITY] / cpu[LIST], "times", TIMES_LIST
        ),
        *(Row(name, rate[name], "a second") for name in questions),
        *(Row(name, cpu[name], "ms of CPU") for name in questions),
    ]


def _questions(
    parley: Server, stock: Server, host: Mapping[str, Any], busy: Mapping[str, Any]
) -> dict[str, Question]:
    def ask(path: str, text: bytes, times: int, whose: Mapping[str, Any] = host) -> Question:
        return Question(parley, [request(path, bearing(whose))], text, times)

    listed = ask("/api/v1/events", b'"invitee":', 20)
    of_stock = Question(
        stock, [request(f"/events/{host['username']}", {})], listed.text, listed.times
    )
    ours, theirs = (json.loads(each.server.ask(each.requests[0])) for each in (listed, of_stock))
    assert ours["data"] == theirs["results"]
    event, first = ours["data"][0]["id"], datetime.now(UTC).date()
    days = f"start_date={first}&end_date={first + timedelta(days=59)}"
    slots = f"/api/v1/event_types/{busy['event_type']}/availability?{days}"
    return {
        LIST: listed,
        STOCK: of_stock,
        AVAILABILITY: ask(slots, b'"start_time":', 200, whose=busy),
        "100 events": ask("/api/v1/events?limit=100", b'"invitee":', 100),
        "one event": ask(f"/api/v1/events/{event}", b'"invitee":', 1),
        "3 event types": ask("/api/v1/event_types", b'"slug":', 3),
        "20 meetings (v3)": ask("/api/v3/meeting/list?tab=sent", b'"booking_number":', 20),
        f"{WEBHOOKS} webhooks": ask("/api/v1/webhooks", b'"url":', WEBHOOKS),
    }


if __name__ == "__main__":
    finish(table())
