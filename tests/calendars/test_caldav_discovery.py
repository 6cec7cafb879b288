"""The way from an address that a person pastes to the calendars, on servers as products are."""

import base64
import time
from collections.abc import Callable, Mapping
from typing import TypeAlias

import pytest

from calendars.providers import connect
from calendars.providers.base import ProviderError, RemoteCalendar
from core.web.guarded_http import Policy
from tests.calendars.conftest import Connect
from tests.calendars.servers import Asked, Said, Scripted, scripted

XML = {"Content-Type": "application/xml"}
Find: TypeAlias = Callable[[Scripted, str], list[RemoteCalendar]]

PRINCIPAL = "<current-user-principal><href>{}</href></current-user-principal>"
HOME = "<C:calendar-home-set><href>{}</href></C:calendar-home-set>"
COLLECTION = "<resourcetype><collection/></resourcetype>"
CALENDAR = "<resourcetype><collection/><C:calendar/></resourcetype>"


def described(href: str, *properties: str) -> str:
    return (
        f"<response><href>{href}</href><propstat><prop>{''.join(properties)}</prop>"
        "<status>HTTP/1.1 200 OK</status></propstat><propstat><prop><displayname/></prop>"
        "<status>HTTP/1.1 404 Not Found</status></propstat></response>"
    )


def multistatus(*responses: str) -> Said:
    text = (
        '<multistatus xmlns="DAV:" xmlns:C="urn:ietf:params:xml:ns:caldav"'
        f' xmlns:A="http://apple.com/ns/ical/">{"".join(responses)}</multistatus>'
    )
    return Said(207, XML, text.encode())


def place(pages: Mapping[tuple[str, str], Said]) -> Callable[[Asked], Said]:
    """Return the answers of a server with these resources, by depth and path."""
    return lambda asked: pages.get((asked.headers["depth"], asked.path), Said(404))


def calendars_in(home: str, *properties: str) -> Said:
    """Return the answer of a calendar home with one calendar."""
    return multistatus(
        described(home, COLLECTION), described(f"{home}work/", CALENDAR, *properties)
    )


@pytest.fixture
def find(account: Connect) -> Find:
    return lambda server, path: account(f"{server.url}{path}").calendars()


def found(server: Scripted, path: str, name: str = "work") -> list[RemoteCalendar]:
    return [RemoteCalendar(f"{server.url}{path}", name, "", "", is_writable=True)]


def code_of(ask: Callable[[], object]) -> str:
    with pytest.raises(ProviderError) as raised:
        ask()
    return raised.value.code


def test_the_front_page_may_be_a_website(find: Find) -> None:
    """Nextcloud's root leads to a page to sign in, and its well-known address to its CalDAV."""
    pages = {
        ("0", "/"): Said(302, {"Location": "/login"}),
        ("0", "/login"): Said(200, {"Content-Type": "text/html"}, b"<!doctype html><p>Hello"),
        ("0", "/.well-known/caldav"): Said(301, {"Location": "/remote.php/dav/"}),
        ("0", "/remote.php/dav/"): multistatus(
            described("/remote.php/dav/", PRINCIPAL.format("/remote.php/dav/principals/users/jo/"))
        ),
        ("0", "/remote.php/dav/principals/users/jo/"): multistatus(
            described(
                "/remote.php/dav/principals/users/jo/",
                HOME.format("/remote.php/dav/calendars/jo/"),
            )
        ),
        ("1", "/remote.php/dav/calendars/jo/"): calendars_in("/remote.php/dav/calendars/jo/"),
    }
    with scripted(place(pages)) as server:
        assert find(server, "") == found(server, "remote.php/dav/calendars/jo/work/")


def test_the_home_may_be_on_another_server(find: Find) -> None:
    """iCloud's calendars are on servers that the principal names by whole URLs."""
    with scripted(lambda _: calendars_in("/1/calendars/")) as other:
        pages = {
            ("0", "/"): multistatus(described("/", PRINCIPAL.format("/1/principal/"))),
            ("0", "/1/principal/"): multistatus(
                described("/1/principal/", HOME.format(f"{other.url}1/calendars/"))
            ),
        }
        with scripted(place(pages)) as server:
            assert find(server, "") == found(other, "1/calendars/work/")
    assert base64.b64decode(other.asked[0].headers["authorization"][6:]).startswith(b"jo:")


def test_without_a_principal_the_collection_is_the_home(find: Find) -> None:
    pages = {
        ("0", "/dav/jo/"): multistatus(described("/dav/jo/", COLLECTION)),
        ("1", "/dav/jo/"): calendars_in("/dav/jo/"),
    }
    with scripted(place(pages)) as server:
        assert find(server, "dav/jo?export#x") == found(server, "dav/jo/work/")


def test_a_calendar_outside_of_the_home_is_found_by_its_own_address(find: Find) -> None:
    pages = {
        ("0", "/shared/team/"): multistatus(
            described("/shared/team/", CALENDAR, PRINCIPAL.format("/jo/"))
        ),
        ("0", "/jo/"): multistatus(described("/jo/", HOME.format("/jo/"))),
        ("1", "/jo/"): calendars_in("/jo/"),
    }
    with scripted(place(pages)) as server:
        assert find(server, "shared/team/") == [
            *found(server, "jo/work/"),
            *found(server, "shared/team/", "team"),
        ]


def test_a_home_without_calendars_is_empty(find: Find) -> None:
    pages = {
        ("0", "/"): multistatus(described("/", HOME.format("/jo/"))),
        ("1", "/jo/"): multistatus(described("/jo/", COLLECTION)),
    }
    with scripted(place(pages)) as server:
        assert find(server, "") == []


@pytest.mark.parametrize(
    ("said", "code"),
    [
        (multistatus(), "invalid_answer"),
        (multistatus(described("/", "<resourcetype/>")), "not_a_calendar"),
        (multistatus(described("/", HOME.format("/missing/"))), "not_found"),
        (multistatus(described("/", HOME.format("ftp://x/"))), "invalid_answer"),
        (Said(200, {}, b"<html></html>"), "invalid_answer"),
        (Said(405), "not_a_calendar"),
        (Said(403), "forbidden"),
        (Said(404), "not_found"),
        (Said(500), "http_500"),
    ],
)
def test_the_first_failure_is_told_where_nothing_leads_on(
    find: Find, said: Said, code: str
) -> None:
    with scripted(place({("0", "/"): said})) as server:
        assert code_of(lambda: find(server, "")) == code
        assert server.asked[-1].path == "/.well-known/caldav"


def test_a_wrong_password_is_sent_once(find: Find) -> None:
    with scripted(lambda _: Said(401)) as server:
        assert code_of(lambda: find(server, "somewhere/")) == "unauthorized"
        assert [asked.path for asked in server.asked] == ["/somewhere/"]


def test_an_empty_list_of_the_home_is_an_error(find: Find) -> None:
    pages = {
        ("0", "/"): multistatus(described("/", HOME.format("/jo/"))),
        ("1", "/jo/"): multistatus(),
    }
    with scripted(place(pages)) as server:
        assert code_of(lambda: find(server, "")) == "invalid_answer"


@pytest.mark.parametrize(
    ("url", "code"),
    [
        ("127.0.0.1:1", "refused"),
        ("9.9.9.9:1/dav", "invalid_url"),
        ("https://jo:secret@127.0.0.1:1/", "refused"),
        ("ftp://127.0.0.1/", "invalid_url"),
        ("https://[::/", "invalid_url"),
        ("", "invalid_url"),
    ],
)
def test_an_address_without_scheme_is_https(account: Connect, url: str, code: str) -> None:
    assert code_of(account(url).calendars) == code


# --- what a server tells of a calendar ----------------------------------------------------------


def zone(*lines: str) -> str:
    text = "\n".join(["BEGIN:VCALENDAR", "BEGIN:VTIMEZONE", *lines, "END:VTIMEZONE"])
    return f"<C:calendar-timezone>{text}</C:calendar-timezone>"


@pytest.mark.parametrize(
    ("properties", "timezone"),
    [
        (zone("TZID:Europe/Berlin"), "Europe/Berlin"),
        (zone("TZID:W. Europe Standard Time"), "Europe/Berlin"),
        (zone("TZID:/citadel.org/20211207_1/America/New_York"), "America/New_York"),
        (zone("TZID:Custom", "X-LIC-LOCATION:Asia/Kathmandu"), "Asia/Kathmandu"),
        (zone("TZID:Custom"), ""),
        (
            "<C:calendar-timezone-id>Asia/Tokyo</C:calendar-timezone-id>"
            + zone("TZID:Europe/Berlin"),
            "Asia/Tokyo",
        ),
        ("", ""),
    ],
)
def test_the_zone_is_one_of_iana(find: Find, properties: str, timezone: str) -> None:
    with scripted(lambda _: calendars_in("/", properties)) as server:
        assert [each.timezone for each in find(server, "")] == [timezone]


@pytest.mark.parametrize(
    ("written", "color"),
    [("#0082C9", "#0082c9"), ("#FF2968FF", "#ff2968"), ("tomato", ""), ("#12", ""), ("", "")],
)
def test_the_color_is_six_digits(find: Find, written: str, color: str) -> None:
    properties = f"<A:calendar-color>{written}</A:calendar-color>"
    with scripted(lambda _: calendars_in("/", properties)) as server:
        assert [each.color for each in find(server, "")] == [color]


@pytest.mark.parametrize(
    ("privileges", "is_writable"),
    [
        (["read"], False),
        (["read", "write-properties"], False),
        (["read", "write-content"], True),
        (["read", "bind"], True),
        (["write"], True),
        (["all"], True),
        ([], False),
        (None, True),  # a server without access control
    ],
)
def test_privileges_say_whether_it_is_writable(
    find: Find, privileges: list[str] | None, is_writable: bool
) -> None:
    inner = "".join(f"<privilege><{name}/></privilege>" for name in privileges or ())
    properties = (
        ""
        if privileges is None
        else f"<current-user-privilege-set>{inner}</current-user-privilege-set>"
    )
    with scripted(lambda _: calendars_in("/", properties)) as server:
        assert [each.is_writable for each in find(server, "")] == [is_writable]


@pytest.mark.parametrize(
    ("components", "is_listed"),
    [(["VEVENT"], True), (["VTODO", "VEVENT"], True), (["VTODO"], False), ([], True)],
)
def test_only_calendars_of_events_are_listed(
    find: Find, components: list[str], is_listed: bool
) -> None:
    inner = "".join(f'<C:comp name="{name}"/>' for name in components)
    properties = f"<C:supported-calendar-component-set>{inner}</C:supported-calendar-component-set>"
    with scripted(lambda _: calendars_in("/", properties)) as server:
        assert [each.name for each in find(server, "")] == (["work"] if is_listed else [])


def test_a_name_is_one_line_of_at_most_200_characters(find: Find) -> None:
    properties = f"<displayname>  Ada&#10;{'x' * 300}</displayname>"
    with scripted(lambda _: calendars_in("/", properties)) as server:
        assert [each.name for each in find(server, "")] == [f"Ada {'x' * 196}"]


def test_the_time_is_for_all_requests_together(loopback: Policy) -> None:
    def answer(asked: Asked) -> Said:
        server.ended.wait(0.3)
        return Said(404)

    with scripted(answer) as server:
        secret = {"url": f"{server.url}a/", "username": "jo", "password": "x"}
        provider = connect("caldav", secret, until=time.monotonic() + 0.5, policy=loopback)
        assert code_of(provider.calendars) == "timeout"
        assert len(server.asked) == 2
