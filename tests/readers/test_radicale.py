"""Radicale, a calendar server, takes every calendar object, and gives it back as it was."""

from collections.abc import Iterator

import pytest
from icalendar import Calendar, Component

from tests.calendars.servers import Server, radicale
from tests.readers.objects import Object

pytestmark = [pytest.mark.django_db, pytest.mark.look]


@pytest.fixture(scope="module")
def server(tmp_path_factory: pytest.TempPathFactory) -> Iterator[Server]:
    with radicale(tmp_path_factory.mktemp("radicale")) as running:
        yield running


def kept(server: Server, number: int, sent: Object) -> str:
    """Put an object into a calendar of its own, and return what the server keeps of it."""
    if len(sent.entries) == 1:
        path = f"{server.make_calendar()}entry.ics"
    else:
        path = f"{server.home}{number}/"
    server.put(path, sent.text)
    status, _headers, text = server.call("GET", path)
    assert status == 200, text
    return text


def test_it_keeps_what_was_sent(server: Server, sent: dict[str, Object]) -> None:
    for number, (name, each) in enumerate(sent.items()):
        found = Calendar.from_ical(kept(server, number, each))
        assert entries(found) == entries(Calendar.from_ical(each.text)), name
        assert found.get("METHOD") == each.method, name


def entries(calendar: Component) -> list[Component]:
    """Return the entries in one order: Radicale keeps none."""
    return sorted(calendar.walk("VEVENT"), key=lambda event: str(event["UID"]))
