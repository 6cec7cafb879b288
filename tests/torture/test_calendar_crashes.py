"""`kill -9` while outside calendars are read and written: nothing vanishes, nothing stands twice.

Like `test_crash_matrix` for notifications: each round is a worker of its own that dies. Each host
has a calendar on one Radicale. Another worker finds what is left when the leases have ended.
"""

import signal
import threading
from collections.abc import Iterator, Mapping, Sequence
from contextlib import contextmanager
from dataclasses import dataclass, field, replace
from datetime import UTC, datetime, timedelta
from itertools import count
from pathlib import Path
from typing import Any

import pytest

from tests.calendars import servers
from tests.calendars.servers import Server
from tests.calendars.world import Outside, event, text_of
from tests.torture.conftest import Report, sized
from tests.torture.deployment import Deployment, Zygote, deployed, zygote

pytestmark = [pytest.mark.torture, pytest.mark.alone, pytest.mark.both]

# A quarter of it is for one object.
LEASE_SECONDS = 6
DIED = -signal.SIGKILL
# Two transactions of a first reading.
ENTRIES = 400
CHANGED = 10
HOUR = timedelta(hours=1)
TODAY = datetime.now(UTC).replace(hour=0, minute=0, second=0, microsecond=0)
# Entries are in the first month, bookings later.
FIRST, BOOKED = TODAY + timedelta(days=1), TODAY + timedelta(days=40)


@dataclass(frozen=True)
class Host:
    """A host, and the calendar that is read and written."""

    id: int
    token: str
    event_type: int
    outside: Outside


@dataclass
class Watch:
    """Faults of the outside claims of some hosts, looked for all through a test."""

    complaints: list[str] = field(default_factory=list)
    looks: int = 0


@dataclass
class Place:
    """Deployment, the means to kill it, and the server of the calendars."""

    deployment: Deployment
    zygote: Zygote
    server: Server
    numbers: Iterator[int] = field(default_factory=count)

    def hosts(self, many: int, *, entries: int) -> list[Host]:
        """Make so many hosts whose calendars have so many entries, not read yet."""
        outsides: dict[str, Outside] = {}
        for number in (next(self.numbers) for _ in range(many)):
            name = f"host{number}"
            home = f"/{name}/"
            server = replace(self.server, username=name, principal=home, home=home)
            server.call("PROPFIND", home, Depth="0")  # the first sign-in makes it
            text = text_of(*(event(f"entry{n}", FIRST + n * HOUR) for n in range(entries)))
            status, _headers, answer = server.call("PUT", f"{home}work/", text)
            assert status == 201, answer
            outsides[name] = Outside(server, f"{home}work/")
        secrets = {name: outside.secret for name, outside in outsides.items()}
        made = self.zygote.do("set_up_calendars", secrets)
        return [
            Host(**values, outside=outside)
            for values, outside in zip(made, outsides.values(), strict=True)
        ]

    def kill_workers(self, many: int, *, step: str) -> None:
        for _ in range(many):
            assert self.zygote.fork("work", fault=step).wait() == (DIED, None)

    def kill_readers(self, hosts: Sequence[Host], *, step: str) -> None:
        """Kill a worker for each host. What one has saved is not saved again, so by turns."""
        for host in hosts:
            self.zygote.do("have_read", [host.id])
            self.kill_workers(1, step=step)

    def taken(self, host: Host) -> list[datetime]:
        """Return the starts that entries of the calendar close."""
        rows = self.deployment.rows(
            'SELECT "start" FROM calendars_busytime'
            f' WHERE user_id = {host.id} AND NOT exclusive ORDER BY "start"'
        )
        return [datetime.fromtimestamp(start, UTC) for (start,) in rows]

    def tokens(self, hosts: Sequence[Host]) -> list[str]:
        """Return what is asked for later changes by, of each host's calendar."""
        rows = self.deployment.rows("SELECT user_id, token FROM calendars_calendar")
        by_host = dict(rows)
        return [by_host[host.id] for host in hosts]

    def assert_all_read(self, hosts: Sequence[Host], expected: Sequence[datetime]) -> None:
        """Check that each host is busy at these times alone, and that no calendar fails."""
        for host in hosts:
            assert self.taken(host) == sorted(expected)
        assert self.tokens(hosts) == [server_token(host.outside) for host in hosts]
        states = self.deployment.rows("SELECT DISTINCT state, error FROM calendars_calendaraccount")
        assert states == [("ok", "")]

    @contextmanager
    def watched(self, hosts: Sequence[Host], *, at_least: int) -> Iterator[Watch]:
        """Look at the hosts' outside claims again and again: none vanishes, none is there twice."""
        watch, over = Watch(), threading.Event()
        least = dict.fromkeys((host.id for host in hosts), at_least)
        keys = ", ".join(map(str, least))

        def look() -> None:
            while not over.wait(0.02):
                rows = self.deployment.rows(
                    'SELECT user_id, count(*), count(DISTINCT "start") FROM calendars_busytime'
                    f" WHERE NOT exclusive AND user_id IN ({keys}) GROUP BY user_id"
                )
                found = {user: (held, starts) for user, held, starts in rows}
                for user, before in least.items():
                    held, starts = found.get(user, (0, 0))
                    if held < before or held != starts:
                        watch.complaints.append(f"{held} of {before}, {starts} starts")
                    least[user] = max(before, held)
                watch.looks += 1

        thread = threading.Thread(target=look, name="watch")
        thread.start()
        try:
            yield watch
        finally:
            over.set()
            thread.join()
        assert watch.complaints == []


def having(hosts: Sequence[Host], tokens: Sequence[str]) -> list[Host]:
    """Return the hosts whose calendar has a token."""
    return [host for host, token in zip(hosts, tokens, strict=True) if token]


def server_token(outside: Outside) -> str:
    """Return the token of the calendar as it stands on the server."""
    body = '<propfind xmlns="DAV:"><prop><sync-token/></prop></propfind>'
    _status, _headers, answer = outside.server.call(
        "PROPFIND", outside.path, body, Depth="0", Content_Type="text/xml"
    )
    return answer.partition("sync-token>")[2].partition("</")[0]


@pytest.fixture(scope="module")
def place(tmp_path_factory: pytest.TempPathFactory) -> Iterator[Place]:
    directory: Path = tmp_path_factory.mktemp("calendar-crashes")
    everybody = ("--auth-type", "none", "--rights-type", "authenticated")
    with (
        servers.radicale(tmp_path_factory.mktemp("radicale"), *everybody) as server,
        deployed(
            directory,
            migrated=True,
            OUTBOX_LEASE_SECONDS=str(LEASE_SECONDS),
            CALENDAR_ALLOWED_NETWORKS="127.0.0.0/8",
        ) as deployment,
        zygote(deployment) as forking,
    ):
        yield Place(deployment, forking, server)


@pytest.mark.parametrize("step", ["calendar.claimed", "calendar.batch", "calendar.read"])
def test_a_reader_dies(place: Place, report: Report, step: str) -> None:
    rounds = sized(30)
    hosts = place.hosts(rounds, entries=ENTRIES)
    expected = [FIRST + n * HOUR for n in range(ENTRIES)]
    size = f"{2 * rounds} kills, {ENTRIES} entries"
    with report.line(f"kill -9 of the worker at {step}", size) as findings:
        with place.watched(hosts, at_least=0) as watch:
            place.kill_workers(rounds, step=step)
            # The token is written last: a calendar that has one has everything.
            tokens = place.tokens(hosts)
            assert all(place.taken(each) == expected for each in having(hosts, tokens))
            assert step != "calendar.read" or any(tokens)
            assert step != "calendar.claimed" or not any(tokens)
            place.zygote.do("drain_calendars")
            place.assert_all_read(hosts, expected)
        for host in hosts:
            for n in range(CHANGED):
                host.outside.put(f"new{n}", event(f"new{n}", FIRST + (ENTRIES + n) * HOUR))
        expected += [FIRST + (ENTRIES + n) * HOUR for n in range(CHANGED)]
        looks, before = watch.looks, place.tokens(hosts)
        with place.watched(hosts, at_least=ENTRIES) as watch:
            place.kill_readers(hosts, step=step)
            if step == "calendar.claimed":
                assert place.tokens(hosts) == before
            place.zygote.do("drain_calendars")
            place.assert_all_read(hosts, expected)
            findings["new"] = len(hosts) * CHANGED
            moved = timedelta(days=30)
            for host in hosts:
                for n in range(CHANGED):
                    start = FIRST + (ENTRIES + n) * HOUR + moved
                    host.outside.put(f"new{n}", event(f"new{n}", start))
            place.kill_readers(hosts, step=step)
            place.zygote.do("drain_calendars")
        expected[ENTRIES:] = [each + moved for each in expected[ENTRIES:]]
        place.assert_all_read(hosts, expected)
        findings["looks at the ledger"] = looks + watch.looks


@pytest.mark.parametrize("step", ["push.claimed", "push.sent"])
def test_a_writer_dies(place: Place, report: Report, step: str) -> None:
    """Each booking is written, moved and deleted by workers that die, and stands once or never."""
    rounds, entries = sized(30), 5
    hosts = place.hosts(rounds, entries=entries)
    place.zygote.do("drain_calendars")
    size = f"{3 * rounds} kills, {rounds} calendars"
    with (
        report.line(f"kill -9 of the worker at {step}", size) as findings,
        place.watched(hosts, at_least=entries) as watch,
    ):
        booked = [call(place, host, "events", start_time=BOOKED) for host in hosts]
        finish(place, hosts, step)
        assert_each_stands_once(place, hosts, booked, at=BOOKED)
        for host, booking in zip(hosts, booked, strict=True):
            call(place, host, f"events/{booking['id']}/reschedule", start_time=BOOKED + HOUR)
        finish(place, hosts, step)
        assert_each_stands_once(place, hosts, booked, at=BOOKED + HOUR)
        for host, booking in zip(hosts, booked, strict=True):
            call(place, host, f"events/{booking['id']}/cancel")
        finish(place, hosts, step)
        assert place.deployment.rows("SELECT count(*) FROM calendars_push") == [(0,)]
        for host in hosts:
            assert len(host.outside.objects()) == entries
        findings["looks at the ledger"] = watch.looks


def call(place: Place, host: Host, path: str, **times: datetime) -> Mapping[str, Any]:
    """Call the API as the host does."""
    body: dict[str, object] = {name: at.isoformat() for name, at in times.items()}
    if path == "events":
        invitee = {"attendee_name": "John Doe", "attendee_email": "john@example.com"}
        body |= {"event_type_id": host.event_type, **invitee}
    data, _replayed = place.zygote.do("call_v1", host.token, path, body, "")
    result: Mapping[str, Any] = data
    return result


def finish(place: Place, hosts: Sequence[Host], step: str) -> None:
    """Let as many workers die as there are rows to write, and one finish. Read what was written."""
    place.kill_workers(len(hosts), step=step)
    assert place.deployment.rows("SELECT count(*) FROM calendars_push WHERE state = 'waiting'") == [
        (len(hosts),)
    ]
    place.zygote.do("drain_calendars")
    place.zygote.do("have_read", [host.id for host in hosts])
    place.zygote.do("drain_calendars")


def assert_each_stands_once(
    place: Place, hosts: Sequence[Host], booked: Sequence[Mapping[str, Any]], *, at: datetime
) -> None:
    """Check that each booking is in its host's calendar once, and that its echo closes no time."""
    for host, booking in zip(hosts, booked, strict=True):
        texts = [text for text in host.outside.objects() if "John Doe" in text]
        assert len(texts) == 1, booking
        assert f"DTSTART:{at:%Y%m%dT%H%M%SZ}" in texts[0]
        assert len(place.taken(host)) == 5
        [(state, href, etag)] = place.deployment.rows(
            "SELECT p.state, p.href, p.etag FROM calendars_push p JOIN calendars_calendar c"
            f" ON p.calendar_id = c.id WHERE c.user_id = {host.id}"
        )
        path = href.removeprefix(host.outside.server.url.rstrip("/"))
        _status, headers, _text = host.outside.server.call("GET", path)
        assert (state, etag) == ("sent", headers["etag"])
