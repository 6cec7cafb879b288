"""Benchmark of bookings a second and their waits: 50 clients at once, each with its own hosts.

Each of 500 hosts is booked in turn, every time at another free start, and every answer must be 201.
Two servers share one database: one with one worker process, one with two. They are asked in turn,
round by round, and the best round of each counts. No worker sends the notifications of the
bookings. In each round the server with two workers also lists 20 events.

Bounds: with two workers, the wait of the slowest hundredth is at most 5 times the median. Two
workers make more bookings a second than one. A booking takes at most 5 times the server's CPU time
of the list.
"""

import json
from collections.abc import Mapping
from contextlib import ExitStack
from typing import Any

from benchmarks.load import Question, Run, Server, bearing, drive, request
from benchmarks.places import do, filled, served, tidy
from benchmarks.table import Row, finish

CLIENTS, HOSTS, BOOKINGS, ROUNDS = 50, 500, 5_000, 4
WORKERS = (1, 2)
TIMES_MEDIAN, TIMES_ONE_WORKER, TIMES_LIST = 5.0, 1.0, 5.0
LIST_SECONDS = 2.0


def table() -> list[Row]:
    with ExitStack() as stack:
        deployment = stack.enter_context(filled(bookings=BOOKINGS, hosts=HOSTS))
        hosts = do(deployment, "roles.hosts", HOSTS)
        turns = ROUNDS * len(WORKERS)
        starts = do(deployment, "roles.free_starts", HOSTS, turns)
        tidy(deployment)
        servers = [stack.enter_context(served(deployment, workers=count)) for count in WORKERS]
        runs: dict[int, list[Run]] = {count: [] for count in WORKERS}
        listed: list[Run] = []
        for turn in range(turns):
            bookings = [_booking(host, own[turn]) for host, own in zip(hosts, starts, strict=True)]
            which = turn % len(WORKERS)
            shares = [bookings[client::CLIENTS] for client in range(CLIENTS)]
            run = drive(servers[which], shares, status=201)
            assert len(run.waits) == HOSTS
            runs[WORKERS[which]].append(run)
            if WORKERS[which] == 2:
                listed.append(_list(servers[which], hosts[0]))
    one, two = (max(run.rate for run in runs[workers]) for workers in WORKERS)
    median, slowest = (min(run.wait(share) for run in runs[2]) for share in (0.5, 0.99))
    cpu, of_list = (min(run.cpu for run in each) for each in (runs[2], listed))
    return [
        Row("a booking: CPU to the list of 20 events", cpu / of_list, "times", TIMES_LIST),
        Row("bookings: the slowest 1 % to the median", slowest / median, "times", TIMES_MEDIAN),
        Row("bookings: rate of 2 workers to 1", two / one, "times", TIMES_ONE_WORKER, least=True),
        Row("bookings, 1 worker", one, "a second"),
        Row("bookings, 2 workers", two, "a second"),
        Row("bookings, 2 workers: median", median, "ms"),
        Row("bookings, 2 workers: the slowest 1 %", slowest, "ms"),
        Row("a booking, 2 workers", cpu, "ms of CPU"),
        Row("20 events, 2 workers", of_list, "ms of CPU"),
    ]


def _list(server: Server, host: Mapping[str, Any]) -> Run:
    question = Question(server, [request("/api/v1/events", bearing(host))], b'"invitee":', 10)
    return question.drive(connections=16, seconds=LIST_SECONDS)


def _booking(host: Mapping[str, Any], start: str) -> bytes:
    body = {
        "event_type_id": host["event_type"],
        "start_time": start,
        "attendee_name": "John Doe",
        "attendee_email": "john@example.com",
    }
    text = json.dumps(body).encode()
    return request("/api/v1/events", bearing(host), method="POST", body=text)


if __name__ == "__main__":
    finish(table())
