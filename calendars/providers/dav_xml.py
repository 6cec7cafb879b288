"""XML of WebDAV servers, read with suspicion.

No document type and no entity is taken. What is built at once is one response, however many there
are. An answer that breaks off, or is anything other than a multistatus, is an error: it is never
read as an empty list.
"""

import io
from collections.abc import Iterator, Mapping
from dataclasses import dataclass
from xml.etree.ElementTree import Element

from defusedxml.ElementTree import ParseError, iterparse

from calendars.providers.base import ProviderError

DAV = "{DAV:}"
CALDAV = "{urn:ietf:params:xml:ns:caldav}"
_MOST_ELEMENTS = 1_000_000
_MOST_RESPONSES = 100_000
_MOST_ELEMENTS_OF_A_RESPONSE = 2_000
_DEEPEST = 32
_LONGEST_STATUS_LINE = 200


@dataclass(frozen=True)
class Response:
    """A server's word on one href.

    `status` is that of the whole, or 0 where each property has its own. `found` has the properties
    that the server handed out.
    """

    href: str
    status: int
    found: Mapping[str, Element]

    def text(self, name: str) -> str:
        """Return the text of a property. Empty if there is none."""
        return _text(self.found.get(name))

    def names(self, name: str) -> frozenset[str]:
        """Return the names of the elements in a property, at any depth."""
        element = self.found.get(name)
        return frozenset(() if element is None else (each.tag for each in element.iter()))

    def attributes(self, name: str, attribute: str) -> frozenset[str]:
        """Return the values of an attribute of the elements in a property, at any depth."""
        element = self.found.get(name)
        found = () if element is None else (each.get(attribute, "") for each in element.iter())
        return frozenset(filter(None, found))

    def hrefs(self, name: str) -> list[str]:
        """Return the hrefs in a property."""
        element = self.found.get(name)
        found = [] if element is None else element.iter(f"{DAV}href")
        return [text for each in found if (text := _text(each))]


@dataclass(frozen=True)
class Multistatus:
    """All responses, and the token of a `sync-collection`. It is empty elsewhere."""

    responses: list[Response]
    token: str


def read_multistatus(body: bytes) -> Multistatus:
    """Read a multistatus.

    ProviderError(`invalid_answer`) for anything else, and `too_large` beyond the bounds.
    """
    responses: list[Response] = []
    token = ""
    for element in _children(body, f"{DAV}multistatus"):
        if element.tag == f"{DAV}response":
            responses += _responses(element)
            if len(responses) > _MOST_RESPONSES:
                raise ProviderError("too_large")
        elif element.tag == f"{DAV}sync-token":
            token = _text(element)
    return Multistatus(responses, token)


def read_conditions(body: bytes) -> frozenset[str]:
    """Return the names of the conditions that an error says were not met. Empty for other texts."""
    try:
        return frozenset(element.tag for element in _children(body, f"{DAV}error"))
    except ProviderError:
        return frozenset()


def _children(body: bytes, root: str) -> Iterator[Element]:
    """Yield the children of this root. ProviderError if it is another one, or has no end."""
    depth = count = before = 0
    top: Element | None = None
    events: Iterator[tuple[str, Element]] = iterparse(
        io.BytesIO(body), ("start", "end"), forbid_dtd=True
    )
    try:
        for event, element in events:
            if event == "end":
                depth -= 1
                if depth == 1 and top is not None:
                    yield element
                    top.clear()
                    before = count
                continue
            depth += 1
            count += 1
            if top is None:
                top = element
                if element.tag != root:
                    raise ProviderError("invalid_answer")
            if depth > _DEEPEST or count - before > _MOST_ELEMENTS_OF_A_RESPONSE:
                raise ProviderError("invalid_answer")
            if count > _MOST_ELEMENTS:
                raise ProviderError("too_large")
    except (ParseError, ValueError, LookupError):  # the last for an encoding that nobody knows
        raise ProviderError("invalid_answer") from None


def _responses(element: Element) -> list[Response]:
    """Return one response for each href: several may share a status."""
    hrefs = [_text(each) for each in element.findall(f"{DAV}href")]
    found = {
        each.tag: each
        for group in element.findall(f"{DAV}propstat")
        if _status(group) in (200, 0)
        for each in group.iterfind(f"{DAV}prop/*")
    }
    return [Response(href, _status(element), found) for href in hrefs if href]


def _status(element: Element) -> int:
    """Return the number in a status line such as `HTTP/1.1 404 Not Found`. 0 if there is none."""
    line = _text(element.find(f"{DAV}status"))
    if not line:
        return 0
    parts = line[:_LONGEST_STATUS_LINE].split()
    if len(parts) < 2 or not (len(parts[1]) == 3 and parts[1].isascii() and parts[1].isdigit()):
        raise ProviderError("invalid_answer")
    return int(parts[1])


def _text(element: Element | None) -> str:
    return "" if element is None else (element.text or "").strip()
