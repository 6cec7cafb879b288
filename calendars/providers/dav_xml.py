"""XML of WebDAV servers, read with suspicion.

No document type and no entity is taken. What is built at once is one response, however many there
are. An answer that breaks off, or is anything other than a multistatus, is an error: it is never
read as an empty list.
"""

from collections.abc import Callable, Mapping
from dataclasses import dataclass
from xml.etree.ElementTree import Element, TreeBuilder

from defusedxml.ElementTree import DefusedXMLParser, ParseError

from calendars.providers.base import ProviderError

DAV = "{DAV:}"
CALDAV = "{urn:ietf:params:xml:ns:caldav}"
_MOST_ELEMENTS = 700_000
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
    tokens: list[str] = []

    def take(element: Element) -> None:
        if element.tag == f"{DAV}response":
            responses.extend(_responses(element))
            if len(responses) > _MOST_RESPONSES:
                raise ProviderError("too_large")
        elif element.tag == f"{DAV}sync-token":
            tokens.append(_text(element))

    _read_children(body, f"{DAV}multistatus", take)
    return Multistatus(responses, tokens[-1] if tokens else "")


def read_conditions(body: bytes) -> frozenset[str]:
    """Return the names of the conditions that an error says were not met. Empty for other texts."""
    names: set[str] = set()
    try:
        _read_children(body, f"{DAV}error", lambda element: names.add(element.tag))
    except ProviderError:
        return frozenset()
    return frozenset(names)


def _read_children(body: bytes, root: str, take: Callable[[Element], None]) -> None:
    """Hand over each child of this root. ProviderError if it is another one, or has no end."""
    parser = DefusedXMLParser(target=_Children(root, take), forbid_dtd=True)
    try:
        parser.feed(body)
        parser.close()
    except (ParseError, ValueError, LookupError):  # the last for an encoding that nobody knows
        raise ProviderError("invalid_answer") from None


class _Children(TreeBuilder):
    """Builder that hands over each child of the root when it has ended, and forgets it."""

    def __init__(self, root: str, take: Callable[[Element], None]) -> None:
        super().__init__()
        self._root, self._take = root, take
        self._top: Element | None = None
        self._depth = self._count = self._before = 0

    def start(self, tag: str, attributes: dict[str, str], /) -> Element:
        element = super().start(tag, attributes)
        self._depth += 1
        self._count += 1
        if self._top is None:
            self._top = element
            if tag != self._root:
                raise ProviderError("invalid_answer")
        of_this_child = self._count - self._before
        if self._depth > _DEEPEST or of_this_child > _MOST_ELEMENTS_OF_A_RESPONSE:
            raise ProviderError("invalid_answer")
        if self._count > _MOST_ELEMENTS:
            raise ProviderError("too_large")
        return element

    def end(self, tag: str, /) -> Element:
        element = super().end(tag)
        self._depth -= 1
        if self._depth == 1 and self._top is not None:
            self._take(element)
            self._top.clear()
            self._before = self._count
        return element


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
