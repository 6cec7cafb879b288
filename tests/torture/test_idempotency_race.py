"""Races with one Idempotency-Key: the same request many times at once."""

from collections import Counter
from collections.abc import Iterator
from contextlib import closing
from datetime import timedelta
from functools import partial

import pytest

from tests.torture.conftest import Report, sized
from tests.torture.served import (
    PROCESSES,
    Answer,
    Client,
    Served,
    event,
    in_a_month,
    served,
    together,
)

pytestmark = [pytest.mark.torture, pytest.mark.alone, pytest.mark.both]

_MOST_TRIES = 20


@pytest.fixture(scope="module")
def parley(tmp_path_factory: pytest.TempPathFactory) -> Iterator[Served]:
    with served(tmp_path_factory.mktemp("keys"), offers=[{"duration": 30}]) as parley:
        yield parley


def test_one_key_books_once(parley: Served, report: Report) -> None:
    """A client that gets 409, since the first request still runs, asks again until it succeeds."""
    clients, rounds = sized(100), sized(10)
    first = in_a_month()

    def work(number: int, key: str, body: bytes) -> list[Answer]:
        port = parley.ports[number % len(parley.ports)]
        answers: list[Answer] = []
        with closing(Client(port, parley.cast["alice"])) as client:
            while not answers or (answers[-1].status == 409 and len(answers) < _MOST_TRIES):
                answers.append(client.ask("POST", "/api/v1/events", body, Idempotency_Key=key))
        return answers

    size = f"{rounds} rounds of {clients} clients, {PROCESSES} processes"
    with report.line("one Idempotency-Key", size) as findings:
        told_to_wait = 0
        for round_number in range(rounds):
            body = event(parley.event_types[0], first + timedelta(hours=round_number))
            key = f"round-{round_number}"
            told = together([partial(work, number, key, body) for number in range(clients)])

            refused = [answer for answers in told for answer in answers[:-1]]
            assert {answer.data["message"] for answer in refused} <= {
                "The first request with this key is still being worked on."
            }
            told_to_wait += len(refused)
            final = [answers[-1] for answers in told]
            assert Counter(answer.status for answer in final) == {201: clients}
            assert len({answer.body for answer in final}) == 1
            replayed = Counter(answer.headers.get("Idempotent-Replayed") for answer in final)
            assert replayed == {None: 1, "true": clients - 1}
            assert len({answer.headers["X-Request-Id"] for answer in final}) == clients
            assert parley.count("scheduling_booking") == round_number + 1
            assert parley.count("calendars_busytime") == round_number + 1
        assert parley.count("scheduling_historyentry") == rounds
        assert parley.count("core_idempotencyrecord") == rounds
        assert (
            parley.count("notifications_notification", "kind = 'booking_confirmed'") == 2 * rounds
        )
        assert parley.complaints == []
        findings["booked"] = rounds
        findings["replayed"] = rounds * (clients - 1)
        findings["told to wait"] = told_to_wait
