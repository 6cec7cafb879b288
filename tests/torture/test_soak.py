"""Soak test: after minutes of traffic and of kill -9, every answered change is in the database."""

import json
from collections import Counter
from collections.abc import Iterator

import pytest

from core.db.crypto import decrypt
from core.ops.shares import MAIL, places
from notifications.domain import sending
from tests import wire
from tests.torture import soak
from tests.torture.conftest import FULL, Report
from tests.torture.deployment import EMBEDDED_WORKER
from webhooks.domain import dispatch

if EMBEDDED_WORKER:
    pytest.skip("two web servers and two workers need Redis", allow_module_level=True)

pytestmark = [pytest.mark.torture, pytest.mark.alone, pytest.mark.both]

SECONDS = 300 if FULL else 20
_CATCH_UP_SECONDS = 120
_DUE = "state = 'waiting' AND due_at <= now()"


@pytest.fixture(scope="module")
def place(tmp_path_factory: pytest.TempPathFactory, report: Report) -> Iterator[soak.Place]:
    with soak.place(tmp_path_factory.mktemp("soak")) as place:
        with report.line("soak", f"{SECONDS} s, {soak.CREW} clients") as findings:
            soak.soak(place, seconds=SECONDS, seed=6)
            findings["killed"] = dict(place.kills)
            findings["answers"] = dict(place.statuses)
            findings["without answer"] = len(place.lost)
            findings["bookings"] = len(place.bookings)
            findings["meetings"] = len(place.meetings)
            wire.until(lambda: not waiting(place), seconds=_CATCH_UP_SECONDS, what="all sent")
        yield place


def waiting(place: soak.Place) -> int:
    return sum(
        int(count)
        for table in ("notifications_notification", "webhooks_delivery")
        for (count,) in place.deployment.rows(f"SELECT count(*) FROM {table} WHERE {_DUE}")
    )


def test_both_kinds_were_killed_and_much_was_done(place: soak.Place) -> None:
    assert min(place.kills["web"], place.kills["worker"]) >= SECONDS // 15
    assert len(place.bookings) >= SECONDS
    assert len(place.meetings) >= SECONDS // 2
    changed = [known for known in place.bookings.values() if known.changes]
    assert len(changed) >= SECONDS // 4


def test_nobody_was_answered_with_a_fault_of_ours(place: soak.Place) -> None:
    assert place.faults == []
    away = {web.port: web for web in place.webs}
    unexplained = [one for one in place.lost if not away[one.port].was_away(one.began, one.ended)]
    assert unexplained == []


def test_no_log_tells_of_an_error(place: soak.Place) -> None:
    lines = [
        line
        for post in place.posts
        for log in post.logs
        for line in log.read_text(errors="replace").splitlines()
        if "level=error" in line or "Traceback" in line
    ]
    assert lines == []


def test_every_booking_is_there_once_and_as_it_was_told(place: soak.Place) -> None:
    rows = place.deployment.rows(
        "SELECT b.id, b.status, to_char(b.start AT TIME ZONE 'UTC', 'YYYY-MM-DD\"T\"HH24:MI:SSZ'),"
        " b.sequence, (SELECT count(*) FROM scheduling_historyentry h WHERE h.booking_id = b.id)"
        " FROM scheduling_booking b"
    )
    assert {row[0]: row[1:] for row in rows} == {
        key: (known.status, known.start, known.changes, known.changes + 1)
        for key, known in place.bookings.items()
    }


def test_every_meeting_is_there_once_and_as_it_was_told(place: soak.Place) -> None:
    rows = place.deployment.rows(
        "SELECT m.id, m.status, m.sequence,"
        " (SELECT count(*) FROM meetings_historyentry h WHERE h.meeting_id = m.id)"
        " FROM meetings_meetingrequest m"
    )
    assert {row[0]: row[1:] for row in rows} == {
        key: (known.status, known.changes, known.changes + 1)
        for key, known in place.meetings.items()
    }
    numbers = place.deployment.rows("SELECT booking_number FROM meetings_meetingrequest")
    assert len(set(numbers)) == len(place.meetings)


def test_nobody_is_booked_twice_and_no_time_is_held_by_nothing(place: soak.Place) -> None:
    overlapping = place.deployment.rows(
        "SELECT a.id, b.id FROM calendars_busytime a JOIN calendars_busytime b"
        " ON a.user_id = b.user_id AND a.id < b.id AND a.start < b.end AND b.start < a.end"
    )
    assert overlapping == []
    held = sum(known.status in ("pending", "confirmed") for known in place.bookings.values())
    held += 2 * sum(known.status == "confirmed" for known in place.meetings.values())
    assert place.deployment.rows("SELECT count(*) FROM calendars_busytime") == [(held,)]


def test_every_event_was_told_to_its_webhook(place: soak.Place) -> None:
    rows = place.deployment.rows(
        "SELECT e.message_id, e.body FROM webhooks_webhookevent e"
        " JOIN webhooks_delivery d ON d.event_id = e.id WHERE d.state = 'sent'"
    )
    written = {
        message_id: decrypt(body, context="webhooks.webhookevent.body") for message_id, body in rows
    }
    everything = place.deployment.rows("SELECT count(*) FROM webhooks_webhookevent")
    assert everything == [(len(written),)]
    told = Counter(call.headers["webhook-id"] for call in place.endpoint.received)
    assert set(told) == set(written)
    assert all(
        call.body.decode() == written[call.headers["webhook-id"]]
        for call in place.endpoint.received
    )
    created = Counter(
        event["data"]["id"]
        for event in map(json.loads, written.values())
        if event["type"] == "booking.created"
    )
    assert created == Counter(dict.fromkeys(place.bookings, 1))
    assert again(told) <= place.kills["worker"] * dispatch.threads()


def test_every_mail_has_arrived(place: soak.Place) -> None:
    rows = place.deployment.rows(
        "SELECT message_id, state FROM notifications_notification"
        " WHERE channel = 'email' AND due_at <= now()"
    )
    states = Counter(state for _message_id, state in rows)
    assert set(states) <= {"sent", "withdrawn"}  # a reminder is withdrawn with its booking
    arrived = Counter(mail.message_id for mail in place.mail_server.received)
    sent = {f"<{message_id}@localhost>" for message_id, state in rows if state == "sent"}
    assert sent <= set(arrived)
    assert again(arrived) <= place.kills["worker"] * places(MAIL) * sending.BATCH


def again(arrived: Counter[str]) -> int:
    """Return how many arrivals are repeats."""
    return sum(arrived.values()) - len(arrived)
