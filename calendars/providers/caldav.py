"""CalDAV (RFC 4791): calendars that are read by what changed, and written under their ETags."""

from collections.abc import Sequence
from dataclasses import dataclass, field
from html import escape

from calendars.providers.base import Changes, Known, ProviderError, RemoteCalendar, RemoteItem
from calendars.providers.client import Reply
from calendars.providers.dav import NAMESPACES, DavClient, multistatus_of
from calendars.providers.dav_xml import CALDAV, DAV, Multistatus, read_conditions
from calendars.providers.discovery import find_calendars
from calendars.providers.hrefs import Place, canonical, collection, file_name
from calendars.rules.expansion import uid_of
from core.web.guarded_http import Policy

_ETAG, _DATA, _TYPE = f"{DAV}getetag", f"{CALDAV}calendar-data", f"{DAV}resourcetype"
_BATCH = 100
_MOST_OBJECTS = 100_000
_TEXT = "text/calendar; charset=utf-8"


class _TokenLost(Exception):
    """The server does not know the token any more."""


class _NoSync(Exception):
    """The server has no `sync-collection` for this calendar."""


@dataclass
class _Listing:
    """The objects that a server lists, by their known hrefs, and those that it has deleted.

    `failing` are hrefs that it lists with an error.
    """

    place: Place
    is_full: bool
    token: str = ""
    etags: dict[str, str] = field(default_factory=dict)
    gone: set[str] = field(default_factory=set)
    failing: set[str] = field(default_factory=set)
    strangers: int = 0

    def add(self, answer: Multistatus) -> tuple[bool, bool]:
        """Take in an answer. Return whether it has the calendar itself, and whether it was cut."""
        has_itself = is_cut = False
        for response in answer.responses:
            href = self.place.known_href(response.href)
            if href is None:
                self.strangers += 1
            elif href == self.place.known:
                has_itself = True
                is_cut = is_cut or response.status == 507
            elif f"{DAV}collection" in response.names(_TYPE):
                continue
            else:
                self._add_object(href, response.status, response.text(_ETAG))
        if len(self.etags) + len(self.gone) + len(self.failing) > _MOST_OBJECTS:
            raise ProviderError("too_large")
        return has_itself, is_cut

    def _add_object(self, href: str, status: int, etag: str) -> None:
        self.etags.pop(href, None)
        self.gone.discard(href)
        self.failing.discard(href)
        if status in (404, 410):
            self.gone.add(href)
        elif status in (0, 200):
            self.etags[href] = etag
        else:
            self.failing.add(href)


class CalDav:
    """An account on a CalDAV server."""

    def __init__(
        self, url: str, username: str, password: str, *, until: float, policy: Policy
    ) -> None:
        self._url = url
        self._client = DavClient(username, password, until=until, policy=policy)

    def calendars(self) -> list[RemoteCalendar]:
        return find_calendars(self._client, self._url)

    def changes(self, href: str, known: Known) -> Changes:
        """Return what the server lists beside what is known, and the objects that differ.

        While an object cannot be read the token stays, so that it is asked for again.
        """
        listing = self._listing(collection(href), known.token)
        wanted = [
            each
            for each, etag in listing.etags.items()
            if not etag or known.etags.get(each) != etag
        ]
        items = self._objects(listing, wanted)
        unreadable = len(wanted) - len(items) + len(listing.failing) + listing.strangers
        listed = listing.etags.keys() | listing.failing
        return Changes(
            items=items,
            gone=sorted(listing.gone),
            token=known.token if unreadable else listing.token,
            is_full=listing.is_full and not listing.strangers,
            same=listed - {item.href for item in items},
            unreadable=unreadable,
        )

    def get(self, href: str) -> RemoteItem | None:
        reply = self._client.ask("GET", canonical(href), headers={"Accept": "text/calendar"})
        if reply.status in (404, 410):
            return None
        if reply.status != 200:
            raise reply.error
        text = reply.body.decode(errors="replace").strip()
        if not _is_whole(text):
            raise ProviderError("invalid_answer")
        return RemoteItem(canonical(href), _etag_of(reply), text)

    def find(self, calendar: str, uid: str) -> RemoteItem | None:
        """Look where Parley writes, then ask for the UID: it may have come by mail."""
        item = self.get(self.href_for(calendar, uid))
        if item is not None:
            return item
        url = collection(calendar)
        reply = self._client.report(
            url,
            f"<c:calendar-query {NAMESPACES}><d:prop><d:getetag/><c:calendar-data/></d:prop>"
            '<c:filter><c:comp-filter name="VCALENDAR"><c:comp-filter name="VEVENT">'
            '<c:prop-filter name="UID"><c:text-match collation="i;octet">'
            f"{escape(uid)}</c:text-match></c:prop-filter>"
            "</c:comp-filter></c:comp-filter></c:filter></c:calendar-query>",
            depth=1,
        )
        place = Place(url, collection(reply.url))
        for response in multistatus_of(reply).responses:
            href, text = place.known_href(response.href), response.text(_DATA)
            if href and _is_whole(text) and uid_of(text) == uid:  # a match may be a part of it
                return RemoteItem(href, response.text(_ETAG), text)
        return None

    def put(self, href: str, text: str, *, etag: str) -> str:
        condition = {"If-Match": etag} if etag else {"If-None-Match": "*"}
        headers = {"Content-Type": _TEXT, **condition}
        reply = self._client.ask("PUT", canonical(href), body=text.encode(), headers=headers)
        if not reply.is_success:
            raise _refusal(reply)
        return _etag_of(reply)

    def delete(self, href: str, *, etag: str) -> None:
        condition = {"If-Match": etag} if etag else {}
        reply = self._client.ask("DELETE", canonical(href), headers=condition)
        if not reply.is_success and reply.status not in (404, 410):
            raise reply.error

    def href_for(self, calendar: str, uid: str) -> str:
        return canonical(file_name(uid), base=collection(calendar))

    # --- listing -----------------------------------------------------------------------------

    def _listing(self, url: str, token: str) -> _Listing:
        """List what changed since this token, or all: without one, or if the server lost it."""
        for start in dict.fromkeys((token, "")):
            try:
                return self._synced(url, start)
            except _TokenLost:
                continue
            except _NoSync:
                break
        return self._all(url)

    def _synced(self, url: str, token: str) -> _Listing:
        """Ask for changes since this token (RFC 6578), until the server has told all of them."""
        listing = _Listing(Place(url, url), is_full=not token, token=token)
        while True:
            reply = self._client.report(
                url,
                f"<d:sync-collection {NAMESPACES}><d:sync-token>{escape(listing.token)}"
                "</d:sync-token><d:sync-level>1</d:sync-level><d:prop><d:getetag/>"
                "<d:resourcetype/></d:prop></d:sync-collection>",
            )
            answer = _sync_answer(reply, listing.token)
            listing.place = Place(url, collection(reply.url))
            _has_itself, is_cut = listing.add(answer)
            if is_cut and answer.token == listing.token:
                raise ProviderError("invalid_answer")
            listing.token = answer.token
            if not is_cut:
                return listing

    def _all(self, url: str) -> _Listing:
        """List all objects with their ETags, where the server has no `sync-collection`."""
        at, answer = self._client.propfind(url, "<d:getetag/><d:resourcetype/>", depth=1)
        listing = _Listing(Place(url, collection(at)), is_full=True)
        has_itself, is_cut = listing.add(answer)
        if not has_itself or is_cut:
            raise ProviderError("invalid_answer")
        return listing

    # --- objects -----------------------------------------------------------------------------

    def _objects(self, listing: _Listing, hrefs: Sequence[str]) -> list[RemoteItem]:
        """Return the objects that the server hands out.

        If the time is up after some of them, they are returned: the next reading asks for the rest.
        """
        found: list[RemoteItem] = []
        for start in range(0, len(hrefs), _BATCH):
            try:
                found += self._multiget(listing, hrefs[start : start + _BATCH])
            except ProviderError as error:
                if error.code != "timeout" or not found:
                    raise
                break
        return found

    def _multiget(self, listing: _Listing, hrefs: Sequence[str]) -> list[RemoteItem]:
        """Ask for these objects at once, and for fewer where they are too large together."""
        asked = "".join(f"<d:href>{listing.place.asked_path(href)}</d:href>" for href in hrefs)
        try:
            reply = self._client.report(
                listing.place.answers,
                f"<c:calendar-multiget {NAMESPACES}><d:prop><d:getetag/><c:calendar-data/>"
                f"</d:prop>{asked}</c:calendar-multiget>",
            )
            answer = multistatus_of(reply)
        except ProviderError as error:
            if error.code != "too_large":
                raise
            half = len(hrefs) // 2
            if not half:
                return []
            return self._multiget(listing, hrefs[:half]) + self._multiget(listing, hrefs[half:])
        found = {}
        for response in answer.responses:
            href, text = listing.place.known_href(response.href), response.text(_DATA)
            if href in listing.etags and response.status in (0, 200) and _is_whole(text):
                etag = response.text(_ETAG) or listing.etags[href]
                found[href] = RemoteItem(href, etag, text)
        return [found[href] for href in hrefs if href in found]


def _sync_answer(reply: Reply, token: str) -> Multistatus:
    """Read the answer to a `sync-collection`. _TokenLost or _NoSync if it is refused as such."""
    if reply.status >= 400:
        if f"{DAV}valid-sync-token" in read_conditions(reply.body):
            raise _TokenLost
        if token and reply.status in (409, 410, 412):
            raise _TokenLost
        is_refusal = reply.status < 500 or reply.status in (501, 507)
        if is_refusal and reply.status not in (401, 404, 410, 429):
            raise _NoSync
    answer = multistatus_of(reply)
    if not answer.token:
        raise _NoSync
    return answer


def _refusal(reply: Reply) -> ProviderError:
    """Return the error of a PUT. The same UID at another address is a conflict, not forbidden."""
    if f"{CALDAV}no-uid-conflict" in read_conditions(reply.body):
        return ProviderError("conflict")
    return reply.error


def _is_whole(text: str) -> bool:
    """Tell whether the text is a calendar object that was not cut."""
    return text.startswith("BEGIN:VCALENDAR") and text.endswith("END:VCALENDAR")


def _etag_of(reply: Reply) -> str:
    """Return the ETag of an answer. Empty for one that cannot be kept."""
    etag = reply.headers.get("etag", "")
    return etag if etag.isprintable() else ""
