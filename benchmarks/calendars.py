"""Benchmark of outside calendars: what a reading costs, and what the rows cost availability.

The CPU is that of the reading process alone. Radicale and the server of the ICS file are processes
of their own, on the same machine.

Bounds: a first reading of 5,000 entries takes at most 10 s of CPU. A reading that finds nothing new
has 3 statements and takes at most 5 ms of CPU, by `sync-collection` and by an ICS address. 60 days
of availability with 2,000 rows of outside calendars take at most twice the CPU of the same with
none; both are asked in turn, and the best round of each counts.
"""

from collections.abc import Callable, Iterator, Mapping
from contextlib import contextmanager
from datetime import UTC, datetime, timedelta
from itertools import pairwise
from pathlib import Path
from tempfile import TemporaryDirectory

from benchmarks.places import do
from benchmarks.table import Row, finish
from tests import environment  # noqa: F401  keys, and limits that are in nobody's way
from tests.calendars import servers
from tests.calendars.ics import calendar, entry
from tests.calendars.servers import PASSWORD, USERNAME, Asked, Said
from tests.torture.deployment import Deployment, deployed

ENTRIES, OUTSIDE_ROWS = 5_000, 2_000
_UP_SECONDS = 300
FIRST_SECONDS, POLL_STATEMENTS, POLL_MS, TIMES_NO_ROWS = 10.0, 3.0, 5.0, 2.0


def table() -> Iterator[Row]:
    with _calendars() as secrets:
        for name, url in (("PostgreSQL", True), ("SQLite", False)):
            with _place(has_url=url) as deployment:
                for provider, secret in secrets.items():
                    yield from _readings(deployment, name, provider, secret)
                yield from _availability(deployment, name)


@contextmanager
def _calendars() -> Iterator[Mapping[str, Mapping[str, str]]]:
    """Serve the same calendar by CalDAV and as a file. Yield what opens each."""
    text = _text()
    with (
        TemporaryDirectory(prefix="parley-benchmark-") as name,
        servers.radicale(Path(name)) as server,
        servers.scripted(_file(text.encode())) as file,
    ):
        server.call("PROPFIND", server.home, Depth="0")  # the first sign-in makes it
        path = f"{server.home}work/"
        status, _headers, answer = server.call("PUT", path, text, timeout=_UP_SECONDS)
        assert status == 201, answer
        # Radicale looks at each object when it is first asked for a token.
        token = '<propfind xmlns="DAV:"><prop><sync-token/></prop></propfind>'
        xml = {"Depth": "0", "Content_Type": "text/xml"}
        server.call("PROPFIND", path, token, timeout=_UP_SECONDS, **xml)
        yield {
            "caldav": {"url": server.at(path), "username": USERNAME, "password": PASSWORD},
            "ics": {"url": file.url},
        }


def _text() -> str:
    """Return a calendar of entries of five minutes, one after the other from today."""
    today = datetime.now(UTC).replace(hour=0, minute=0, second=0, microsecond=0)
    times = [today + timedelta(minutes=5 * number) for number in range(ENTRIES + 1)]
    written = [f"{each:%Y%m%dT%H%M%SZ}" for each in times]
    return calendar(
        *(
            entry(f"DTSTART:{start}", f"DTEND:{end}", "SUMMARY:Entry", uid=f"{number}@example.com")
            for number, (start, end) in enumerate(pairwise(written))
        )
    )


def _file(body: bytes) -> Callable[[Asked], Said]:
    def answer(asked: Asked) -> Said:
        if asked.headers.get("if-none-match") == '"one"':
            return Said(304)
        return Said(headers={"ETag": '"one"'}, body=body)

    return answer


def _readings(
    deployment: Deployment, name: str, provider: str, secret: Mapping[str, str]
) -> Iterator[Row]:
    found = do(deployment, "readings.polls", provider, dict(secret), ENTRIES)
    what = f"{provider}, {name}"
    yield Row(f"{what}: 5,000 entries, first", found["first"], "s of CPU", FIRST_SECONDS)
    yield Row(f"{what}: nothing new", found["statements"], "statements", POLL_STATEMENTS)
    yield Row(f"{what}: nothing new", found["poll"] * 1000, "ms of CPU", POLL_MS)


def _availability(deployment: Deployment, name: str) -> Iterator[Row]:
    full, empty = do(deployment, "readings.availability", OUTSIDE_ROWS)
    what = f"60 days, {name}"
    yield Row(f"{what}: 2,000 outside rows to none", full / empty, "times", TIMES_NO_ROWS)
    yield Row(f"{what}: 2,000 outside rows", full * 1000, "ms of CPU")
    yield Row(f"{what}: none", empty * 1000, "ms of CPU")


@contextmanager
def _place(*, has_url: bool) -> Iterator[Deployment]:
    """Yield a deployment on PostgreSQL, or on SQLite as `make run` has it."""
    with (
        TemporaryDirectory(prefix="parley-benchmark-") as name,
        deployed(Path(name), CALENDAR_ALLOWED_NETWORKS="127.0.0.0/8") as deployment,
    ):
        if not has_url:
            del deployment.environment["DATABASE_URL"]
        deployment.manage("migrate", "--verbosity", "0")
        (deployment.directory / "static").mkdir()
        yield deployment


if __name__ == "__main__":
    finish(table())
