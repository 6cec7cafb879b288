"""One slot over HTTP: many clients on real servers."""

import random
from collections import Counter
from collections.abc import Iterator
from contextlib import closing
from datetime import timedelta
from functools import partial

import pytest

from tests.torture.conftest import Report, sized
from tests.torture.deployment import EMBEDDED_DATABASE
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

# Whatever is booked of these claims half past ten.
OFFERS = [
    {"duration": 60, "slot_interval": 60},
    {"duration": 15, "buffer_time_before": 30, "buffer_time_after": 30, "slot_interval": 15},
    {"duration": 120, "slot_interval": 30},
    {"duration": 30, "buffer_time_before": 60, "slot_interval": 30},
]
SAME, *OVERLAPPING = [(0, 0), (1, 15), (1, 45), (2, -60), (2, -30), (2, 0), (3, 60)]


@pytest.fixture(scope="module")
def parley(tmp_path_factory: pytest.TempPathFactory) -> Iterator[Served]:
    with served(tmp_path_factory.mktemp("slot"), offers=OFFERS) as parley:
        yield parley


def test_one_slot_is_booked_once(parley: Served, report: Report) -> None:
    clients, tries = sized(100), sized(1000)
    dice, ten = random.Random(6), in_a_month()
    bodies = [
        event(parley.event_types[offer], ten + timedelta(minutes=minutes))
        for offer, minutes in (
            SAME if number % 2 else dice.choice(OVERLAPPING) for number in range(tries)
        )
    ]

    def work(number: int) -> list[Answer]:
        port = parley.ports[number % len(parley.ports)]
        with closing(Client(port, parley.cast["alice"])) as client:
            return [client.ask("POST", "/api/v1/events", body) for body in bodies[number::clients]]

    size = f"{clients} clients, {tries} tries, {PROCESSES} processes"
    with report.line("one slot booked over HTTP", size) as findings:
        told = together([partial(work, number) for number in range(clients)])
        answers = [answer for each in told for answer in each]

        assert Counter(answer.status for answer in answers) == {201: 1, 409: tries - 1}
        refusals = [answer.data for answer in answers if answer.status == 409]
        assert {refusal["error"] for refusal in refusals} == {"conflict"}
        reasons = Counter(refusal["reason"] for refusal in refusals)
        assert set(reasons) <= {"busy", "buffer"}
        (made,) = (answer.data["data"] for answer in answers if answer.status == 201)
        assert parley.deployment.rows(
            "SELECT b.id, b.status, b.sequence, h.sequence, h.change FROM scheduling_booking b"
            " JOIN calendars_busytime t ON b.busy_time_id = t.id"
            " JOIN scheduling_historyentry h ON h.booking_id = b.id"
        ) == [(made["id"], "confirmed", 0, 0, "created")]
        assert parley.count("calendars_busytime") == 1
        notifications = parley.deployment.rows(
            "SELECT kind, count(*) FROM notifications_notification WHERE channel = 'email'"
            " GROUP BY kind ORDER BY kind"
        )
        assert notifications == [("booking_confirmed", 2), ("booking_reminder", 4)]
        assert parley.complaints == []
        findings["booked"] = 1
        findings.update(reasons)
        if not EMBEDDED_DATABASE:
            findings["connections to PostgreSQL"] = parley.count(
                "pg_stat_activity", "datname = current_database() AND pid <> pg_backend_pid()"
            )
