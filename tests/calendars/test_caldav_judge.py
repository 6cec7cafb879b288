"""The client of the package `caldav` reads from real servers what the provider has written."""

import json
import subprocess
from pathlib import Path

import pytest

from tests.calendars.conftest import Connect
from tests.calendars.ics import calendar, entry
from tests.calendars.servers import PASSWORD, USERNAME, Server
from tests.readers.python import python

pytestmark = pytest.mark.look

PROGRAM = Path(__file__).with_name("read_with_caldav.py")


def read(url: str) -> list[list[str]]:
    """Return UID, start, end and summary of all entries, sorted."""
    done = subprocess.run(
        [python(), PROGRAM, url, USERNAME, PASSWORD],
        capture_output=True,
        text=True,
        timeout=60,
        check=False,
    )
    assert done.returncode == 0, done.stderr
    found: list[list[str]] = json.loads(done.stdout)
    return found


def written(uid: str, start: str, end: str, summary: str) -> str:
    lines = ("DTSTAMP:20261130T000000Z", f"DTSTART:{start}", f"DTEND:{end}", f"SUMMARY:{summary}")
    return calendar("PRODID:-//tests//EN", entry(*lines, uid=uid))


def test_it_finds_what_was_written_moved_and_deleted(server: Server, account: Connect) -> None:
    url = server.at(server.make_calendar())
    provider = account(server.url)
    uids = ("evt_1@parley.example", "odd uid/2", "evt_3@parley.example")
    hrefs = [provider.href_for(url, uid) for uid in uids]
    text = "Tea\\, with Zoë\\; outside"
    etags = [
        provider.put(href, written(uid, "20261201T100000Z", "20261201T103000Z", text), etag="")
        for uid, href in zip(uids, hrefs, strict=True)
    ]
    hour = ("2026-12-01T10:00:00+00:00", "2026-12-01T10:30:00+00:00")
    plain = "Tea, with Zoë; outside"
    assert read(url) == [[uid, *hour, plain] for uid in sorted(uids)]

    moved = written(uids[0], "20270701T090000Z", "20270701T094500Z", "Moved")
    provider.put(hrefs[0], moved, etag=etags[0])
    provider.delete(hrefs[2], etag=etags[2])
    later = ("2027-07-01T09:00:00+00:00", "2027-07-01T09:45:00+00:00")
    assert read(url) == [[uids[0], *later, "Moved"], [uids[1], *hour, plain]]
