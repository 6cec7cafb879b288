"""Benchmark of answer times while other people's bookings grow: databases of three sizes.

A host has as many bookings and meetings in each database, 200 and a fifth of that, and a team of
five. Only the number of hosts differs. Each database has a server of its own. All three are up the
whole time, since an idle server does nothing. They are asked in turn, question by question, so a
slowdown of the machine affects all of them. The least time of each counts. A single connection asks
for five hosts in turn, so an answer's time includes no queue.

Bound: for each question, the greatest time, and the greatest CPU time of the server, is at most 1.5
times the least.

`python -m benchmarks.growth explain` shows instead how PostgreSQL runs the queries of the hot paths
in the largest database. It ends with 1 if a query scans a big table from one end to the other. With
GROWTH=small the databases have a size for a quick look.
"""

import itertools
import os
import sys
from collections.abc import Mapping, Sequence
from contextlib import ExitStack
from datetime import UTC, datetime, timedelta
from http.cookiejar import CookieJar
from operator import itemgetter
from textwrap import indent
from typing import Any, NoReturn
from urllib.parse import urlencode
from urllib.request import HTTPCookieProcessor, build_opener

from benchmarks.load import Question, Run, Server, bearing, request
from benchmarks.places import do, filled, served, tidy
from benchmarks.table import Row, finish

SIZES = (
    (1_000, 10_000, 50_000) if os.environ.get("GROWTH") == "small" else (1_000, 100_000, 1_000_000)
)
OF_A_HOST, ASKED_FOR = 200, 5
ROUNDS, SECONDS = 6, 1.5
TOLD = SIZES[-1] // 10
TIMES_LEAST = 1.5
PASSWORD = "correct-horse-battery"


def table() -> list[Row]:
    with ExitStack() as stack:
        asked = []
        for bookings in SIZES:
            place = filled(bookings=bookings, hosts=bookings // OF_A_HOST)
            deployment = stack.enter_context(place)
            hosts = do(deployment, "roles.hosts", ASKED_FOR)
            do(deployment, "roles.give_password", ASKED_FOR, PASSWORD)
            tidy(deployment)
            asked.append(_questions(stack.enter_context(served(deployment)), hosts))
        runs: dict[str, list[list[Run]]] = {name: [[] for _ in SIZES] for name in asked[0]}
        for _round in range(ROUNDS):
            for name, of_sizes in runs.items():
                for questions, own in zip(asked, of_sizes, strict=True):
                    own.append(questions[name].drive(connections=1, seconds=SECONDS))
    return [row for name, of_sizes in runs.items() for row in _compared(name, of_sizes)]


def _compared(name: str, of_sizes: Sequence[Sequence[Run]]) -> list[Row]:
    times = [min(1000 / run.rate for run in own) for own in of_sizes]
    cpus = [min(run.cpu for run in own) for own in of_sizes]
    return [
        Row(f"growth of {name}: time", max(times) / min(times), "times", TIMES_LEAST),
        Row(f"growth of {name}: CPU", max(cpus) / min(cpus), "times", TIMES_LEAST),
        *(
            Row(f"{name}, {size:,} bookings", time, "ms")
            for size, time in zip(SIZES, times, strict=True)
        ),
    ]


def _questions(server: Server, hosts: Sequence[Mapping[str, Any]]) -> dict[str, Question]:
    bearers = [bearing(host) for host in hosts]
    browsers = [{"Cookie": _signed_in(server, host)} for host in hosts]
    first = datetime.now(UTC).date()

    def ask(
        paths: Sequence[str], callers: Sequence[dict[str, str]], text: bytes, times: int
    ) -> Question:
        return Question(server, list(map(request, paths, callers)), text, times)

    def availability(days: int) -> Question:
        dates = f"start_date={first}&end_date={first + timedelta(days=days - 1)}"
        paths = [f"/api/v1/event_types/{host['event_type']}/availability?{dates}" for host in hosts]
        return ask(paths, bearers, b'"start_time":', 5 * days)

    return {
        "20 events": ask(["/api/v1/events"] * len(hosts), bearers, b'"invitee":', 20),
        "7 days": availability(7),
        "60 days": availability(60),
        "the home page": ask(["/"] * len(hosts), browsers, b"/accounts/logout/", 1),
    }


def _signed_in(server: Server, host: Mapping[str, Any]) -> str:
    """Return the cookies of a browser in which this host has signed in by the form."""
    jar, page = CookieJar(), f"http://127.0.0.1:{server.port}/accounts/login/"
    browser = build_opener(HTTPCookieProcessor(jar))
    browser.open(page).close()
    (csrf,) = (cookie.value for cookie in jar if cookie.name == "csrftoken")
    form = {"login": host["email"], "password": PASSWORD, "csrfmiddlewaretoken": csrf}
    browser.open(page, urlencode(form).encode()).close()
    return "; ".join(f"{cookie.name}={cookie.value}" for cookie in jar)


def explain() -> NoReturn:
    """Print the plan of each statement of the hot paths, once, below the first path with it."""
    bookings, scanned = SIZES[-1], 0
    with filled(bookings=bookings, hosts=bookings // OF_A_HOST) as deployment:
        do(deployment, "roles.live", TOLD)
        tidy(deployment)
        print(f"{bookings:,} bookings; {TOLD:,} deliveries and notifications that were sent.")
        found = do(deployment, "plans.explain")
    for path, statements in itertools.groupby(found, itemgetter(0)):
        print(f"\n== {path}")
        for _path, statement, plan, big in statements:
            print(f"\n{statement}\n\n{indent(plan, '    ')}")
            if big:
                print(f"    SEQUENTIAL SCAN of {', '.join(big)}")
                scanned += 1
    sys.exit(scanned > 0)


if __name__ == "__main__":
    explain() if sys.argv[1:] == ["explain"] else finish(table())
