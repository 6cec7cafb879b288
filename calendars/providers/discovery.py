"""The way from an address that a person pastes to the calendars of an account (RFC 6764)."""

import re
from collections.abc import Iterator
from urllib.parse import unquote, urlsplit

from calendars.providers.base import ProviderError, RemoteCalendar, plain_color
from calendars.providers.dav import DavClient
from calendars.providers.dav_xml import CALDAV, DAV, Response
from calendars.providers.hrefs import canonical, collection
from calendars.rules.clocks import named

_PRINCIPAL, _HOME = f"{DAV}current-user-principal", f"{CALDAV}calendar-home-set"
_TYPE, _NAME = f"{DAV}resourcetype", f"{DAV}displayname"
_COMPONENTS = f"{CALDAV}supported-calendar-component-set"
_ZONE, _ZONE_NAME = f"{CALDAV}calendar-timezone", f"{CALDAV}calendar-timezone-id"
_COLOR = "{http://apple.com/ns/ical/}calendar-color"
_PRIVILEGES = f"{DAV}current-user-privilege-set"
_WRITING = frozenset(f"{DAV}{name}" for name in ("all", "write", "write-content", "bind"))
_ASKED = (
    "<d:resourcetype/><d:displayname/><d:current-user-principal/><d:current-user-privilege-set/>"
    "<c:calendar-home-set/><c:supported-calendar-component-set/><c:calendar-timezone/>"
    "<c:calendar-timezone-id/><a:calendar-color/>"
)
# A wrong password that is sent again may lock its owner out, and there is no time for another try.
_FINAL = frozenset({"unauthorized", "timeout"})
_MOST_HOMES = 5
_LONGEST_NAME = 200
_ZONE_LINE = re.compile(r"^(?:X-LIC-LOCATION|TZID)[^:\r\n]*:([^\r\n]+)", re.MULTILINE)


def find_calendars(client: DavClient, address: str) -> list[RemoteCalendar]:
    """Return the calendars of the account that this address belongs to.

    It may be the server's, a principal's, a calendar home's or a calendar's. If it leads nowhere,
    the well-known address and the root of its host are tried. ProviderError of the first if none
    leads to calendars.
    """
    first: ProviderError | None = None
    for url in _starts(address):
        try:
            return _calendars_from(client, url)
        except ProviderError as error:
            if error.code in _FINAL:
                raise
            first = first or error
    raise first or ProviderError("invalid_url")


def _starts(address: str) -> Iterator[str]:
    address = address.strip()
    try:
        pasted = collection(address if "://" in address else f"https://{address}")
    except ProviderError:
        raise ProviderError("invalid_url") from None
    yield pasted
    yield canonical("/.well-known/caldav", base=pasted)
    if urlsplit(pasted).path != "/":
        yield canonical("/", base=pasted)


def _calendars_from(client: DavClient, url: str) -> list[RemoteCalendar]:
    at, own = _properties(client, url)
    homes = _homes(client, at, own)
    if not homes and f"{DAV}collection" in own.names(_TYPE):
        homes = [collection(at)]
    if not homes:
        raise ProviderError("not_a_calendar")
    found: dict[str, RemoteCalendar] = {}
    for home in homes[:_MOST_HOMES]:
        answered_at, listed = client.propfind(home, _ASKED, depth=1)
        if not listed.responses:  # the home itself is missing
            raise ProviderError("invalid_answer")
        for response in listed.responses:
            if _is_calendar(response):
                calendar = _calendar(response, answered_at)
                found[calendar.href] = calendar
    if _is_calendar(own):
        found.setdefault(collection(own.href, base=at), _calendar(own, at))
    return list(found.values())


def _properties(client: DavClient, url: str) -> tuple[str, Response]:
    at, answer = client.propfind(url, _ASKED, depth=0)
    if not answer.responses:
        raise ProviderError("invalid_answer")
    return at, answer.responses[0]


def _homes(client: DavClient, at: str, own: Response) -> list[str]:
    """Return the calendar homes that a resource names, or that its principal does."""
    homes, principals = own.hrefs(_HOME), own.hrefs(_PRINCIPAL)
    if not homes and principals:
        at, principal = _properties(client, collection(principals[0], base=at))
        homes = principal.hrefs(_HOME)
    return [collection(home, base=at) for home in homes]


def _is_calendar(response: Response) -> bool:
    """Tell whether this is a calendar that takes events."""
    if f"{CALDAV}calendar" not in response.names(_TYPE):
        return False
    components = response.attributes(_COMPONENTS, "name")
    return not components or "VEVENT" in components


def _calendar(response: Response, at: str) -> RemoteCalendar:
    href = collection(response.href, base=at)
    name = " ".join(response.text(_NAME).split()) or unquote(href.rstrip("/").rpartition("/")[2])
    return RemoteCalendar(
        href=href,
        name=name[:_LONGEST_NAME],
        color=plain_color(response.text(_COLOR)),
        timezone=_zone_of(response),
        is_writable=(
            _PRIVILEGES not in response.found or bool(response.names(_PRIVILEGES) & _WRITING)
        ),
    )


def _zone_of(response: Response) -> str:
    """Return the IANA name of the calendar's zone. Empty if the server tells none."""
    written = [response.text(_ZONE_NAME), *_ZONE_LINE.findall(response.text(_ZONE))]
    return next((zone.key for name in written if (zone := named(name.strip()[:100]))), "")
