"""CalDAV on real servers: Radicale, which asks for a password, and xandikos."""

import time
from dataclasses import replace
from urllib.parse import quote

import pytest

from calendars.providers import connect
from calendars.providers.base import Changes, Known, Provider, ProviderError, RemoteItem
from core.web.guarded_http import Policy
from tests.calendars.conftest import Connect
from tests.calendars.objects import calendar_object
from tests.calendars.servers import USERNAME, Server, redirecting

pytestmark = pytest.mark.look

NEVER = Known(token="", etags={})


@pytest.fixture
def calendar(server: Server) -> str:
    """Return the path of a new calendar."""
    return server.make_calendar("<displayname>Work</displayname>")


def known(changes: Changes, before: Known = NEVER) -> Known:
    """Return what is known after these changes."""
    etags = dict(before.etags)
    if changes.is_full:
        etags = {href: etag for href, etag in etags.items() if href in changes.same}
    etags = {href: etag for href, etag in etags.items() if href not in changes.gone}
    return Known(changes.token, etags | {item.href: item.etag for item in changes.items})


def nothing_new(token: str) -> Changes:
    return Changes(items=[], gone=[], token=token, is_full=False, same=set(), unreadable=0)


def uids(items: list[RemoteItem]) -> list[str]:
    return sorted(
        line.removeprefix("UID:")
        for item in items
        for line in item.text.splitlines()
        if line.startswith("UID:")
    )


def code_of(provider: Provider, verb: str, *arguments: object, **named: object) -> str:
    with pytest.raises(ProviderError) as raised:
        getattr(provider, verb)(*arguments, **named)
    return raised.value.code


# --- discovery --------------------------------------------------------------------------------


def test_any_address_leads_to_the_calendars(
    server: Server, calendar: str, account: Connect
) -> None:
    found = account(server.url).calendars()
    (made,) = (each for each in found if each.href == server.at(calendar))
    assert (made.name, made.is_writable) == ("Work", True)
    for path in (server.principal, server.home, ".well-known/caldav", calendar, calendar[:-1]):
        assert account(server.at(path)).calendars() == found


def test_an_address_that_leads_nowhere_gives_way_to_the_well_known_one(
    server: Server, account: Connect
) -> None:
    assert account(server.at("no/such/place/")).calendars() == account(server.url).calendars()


def test_calendars_without_events_are_left_out(server: Server, account: Connect) -> None:
    component = "<c:comp name='VTODO'/>"
    path = server.make_calendar(
        f"<c:supported-calendar-component-set>{component}</c:supported-calendar-component-set>",
    )
    assert server.at(path) not in [each.href for each in account(server.url).calendars()]


def test_color_and_zone_are_told(server: Server, account: Connect) -> None:
    zone = (
        "BEGIN:VCALENDAR&#13;\nVERSION:2.0&#13;\nPRODID:x&#13;\nBEGIN:VTIMEZONE&#13;\n"
        "TZID:W. Europe Standard Time&#13;\nBEGIN:STANDARD&#13;\nDTSTART:19701025T030000&#13;\n"
        "TZOFFSETFROM:+0200&#13;\nTZOFFSETTO:+0100&#13;\nEND:STANDARD&#13;\nEND:VTIMEZONE&#13;\n"
        "END:VCALENDAR&#13;\n"
    )
    path = server.make_calendar(
        "<a:calendar-color>#FF8800FF</a:calendar-color>",
        f"<c:calendar-timezone>{zone}</c:calendar-timezone>",
    )
    (found,) = (each for each in account(server.url).calendars() if each.href == server.at(path))
    assert (found.color, found.timezone) == ("#ff8800", "Europe/Berlin")


@pytest.mark.parametrize("server", ["radicale"], indirect=True)  # xandikos asks for none
def test_a_wrong_password_is_unauthorized(server: Server, loopback: Policy) -> None:
    secret = {"url": server.url, "username": USERNAME, "password": "wrong"}
    provider = connect("caldav", secret, until=time.monotonic() + 10, policy=loopback)
    assert code_of(provider, "calendars") == "unauthorized"
    assert code_of(provider, "changes", server.at(server.home), NEVER) == "unauthorized"


# --- reading ----------------------------------------------------------------------------------


def test_the_first_reading_has_everything(server: Server, calendar: str, account: Connect) -> None:
    names = ["plain", "with space", "at@sign", "ümlaut", "percent%25", "semi;colon"]
    etags = {}
    for number, name in enumerate(names):
        file = f"{quote(name, safe='')}.ics"
        etags[server.at(calendar) + file] = server.put(
            calendar + file, calendar_object(str(number))
        )
    changes = account(server.url).changes(server.at(calendar), NEVER)
    assert {item.href: item.etag for item in changes.items} == etags
    assert uids(list(changes.items)) == ["0", "1", "2", "3", "4", "5"]
    assert (changes.gone, changes.is_full, changes.same) == ([], True, set())
    assert changes.unreadable == 0
    assert changes.token


def test_an_empty_calendar_is_empty(server: Server, calendar: str, account: Connect) -> None:
    changes = account(server.url).changes(server.at(calendar), NEVER)
    assert changes == replace(nothing_new(changes.token), is_full=True)


def test_increments_have_what_changed(server: Server, calendar: str, account: Connect) -> None:
    provider = account(server.url)
    for name in ("kept", "moved", "deleted"):
        server.put(f"{calendar}{name}.ics", calendar_object(name))
    before = known(provider.changes(server.at(calendar), NEVER))
    unchanged = provider.changes(server.at(calendar), before)
    assert unchanged == nothing_new(unchanged.token)

    etag = server.put(f"{calendar}moved.ics", calendar_object("moved", start="20261201T103000Z"))
    added = server.put(f"{calendar}added.ics", calendar_object("added"))
    server.delete(f"{calendar}deleted.ics")
    changes = provider.changes(server.at(calendar), before)
    assert {item.href: item.etag for item in changes.items} == {
        server.at(f"{calendar}moved.ics"): etag,
        server.at(f"{calendar}added.ics"): added,
    }
    assert any("DTSTART:20261201T103000Z" in item.text for item in changes.items)
    assert changes.gone == [server.at(f"{calendar}deleted.ics")]
    assert (changes.is_full, changes.unreadable) == (False, 0)
    after = known(changes, before)
    assert provider.changes(server.at(calendar), after) == nothing_new(changes.token)


def test_a_lost_token_leads_to_a_full_reading(
    server: Server, calendar: str, account: Connect
) -> None:
    provider = account(server.url)
    for name in ("kept", "moved", "deleted"):
        server.put(f"{calendar}{name}.ics", calendar_object(name))
    before = known(provider.changes(server.at(calendar), NEVER))
    server.put(f"{calendar}moved.ics", calendar_object("moved", start="20261201T103000Z"))
    server.delete(f"{calendar}deleted.ics")
    changes = provider.changes(
        server.at(calendar), replace(before, token="http://example.com/lost?a=1&b=<2>")
    )
    assert uids(list(changes.items)) == ["moved"]
    assert changes.same == {server.at(f"{calendar}kept.ics")}
    assert (changes.is_full, changes.unreadable) == (True, 0)
    assert {*changes.gone} <= {server.at(f"{calendar}deleted.ics")}  # Radicale tells of it here too
    after = known(changes, before)
    assert sorted(after.etags) == [server.at(f"{calendar}{name}.ics") for name in ("kept", "moved")]
    assert provider.changes(server.at(calendar), after) == nothing_new(changes.token)


def test_a_calendar_that_moved_keeps_its_hrefs(
    server: Server, calendar: str, account: Connect
) -> None:
    server.put(f"{calendar}one.ics", calendar_object("one"))
    with redirecting("/old/", server.at(calendar)) as old:
        href = f"{old.url}old/"
        provider = account(href)
        first = provider.changes(href, NEVER)
        assert [item.href for item in first.items] == [f"{href}one.ics"]
        server.put(f"{calendar}two.ics", calendar_object("two"))
        server.delete(f"{calendar}one.ics")
        second = provider.changes(href, known(first))
        assert [item.href for item in second.items] == [f"{href}two.ics"]
        assert second.gone == [f"{href}one.ics"]
        etag = provider.put(f"{href}two.ics", calendar_object("two"), etag=second.items[0].etag)
        provider.delete(f"{href}two.ics", etag=etag)
        assert provider.get(f"{href}two.ics") is None


def test_a_calendar_that_is_gone_is_not_found(
    server: Server, calendar: str, account: Connect
) -> None:
    provider = account(server.url)
    server.put(f"{calendar}one.ics", calendar_object("one"))
    before = known(provider.changes(server.at(calendar), NEVER))
    server.delete(calendar)
    for each in (before, NEVER):
        assert code_of(provider, "changes", server.at(calendar), each) == "not_found"


# --- writing ----------------------------------------------------------------------------------


def test_an_object_is_written_moved_and_deleted(
    server: Server, calendar: str, account: Connect
) -> None:
    provider = account(server.url)
    before = known(provider.changes(server.at(calendar), NEVER))
    href = provider.href_for(server.at(calendar), "evt_1@parley.example")
    first = provider.put(href, calendar_object("evt_1@parley.example"), etag="")
    written = provider.get(href)
    assert written is not None
    assert (written.href, written.etag) == (href, first)
    assert uids([written]) == ["evt_1@parley.example"]
    assert "DTSTART:20261201T100000Z" in written.text

    moved = calendar_object("evt_1@parley.example", start="20261201T103000Z")
    second = provider.put(href, moved, etag=first)
    assert second != first
    changes = provider.changes(server.at(calendar), before)
    assert [(item.href, item.etag) for item in changes.items] == [(href, second)]
    assert "DTSTART:20261201T103000Z" in changes.items[0].text

    provider.delete(href, etag=second)
    assert provider.get(href) is None
    provider.delete(href, etag=second)
    assert provider.changes(server.at(calendar), known(changes, before)).gone == [href]


def test_what_somebody_else_has_changed_is_a_conflict(
    server: Server, calendar: str, account: Connect
) -> None:
    provider = account(server.url)
    href = provider.href_for(server.at(calendar), "one")
    etag = provider.put(href, calendar_object("one"), etag="")
    other = server.put(f"{calendar}one.ics", calendar_object("one", start="20261201T103000Z"))
    assert code_of(provider, "put", href, calendar_object("one"), etag="") == "conflict"
    assert code_of(provider, "put", href, calendar_object("one"), etag=etag) == "conflict"
    assert code_of(provider, "delete", href, etag=etag) == "conflict"
    assert provider.get(href) == RemoteItem(href, other, provider.get(href).text)  # type: ignore[union-attr]
    server.delete(f"{calendar}one.ics")
    assert code_of(provider, "put", href, calendar_object("one"), etag=other) == "conflict"


def test_a_uid_that_is_there_already_is_a_conflict(
    server: Server, calendar: str, account: Connect
) -> None:
    server.put(f"{calendar}first.ics", calendar_object("one"))
    provider = account(server.url)
    href = provider.href_for(server.at(calendar), "one")
    assert code_of(provider, "put", href, calendar_object("one"), etag="") == "conflict"
