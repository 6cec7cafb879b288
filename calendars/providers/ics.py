"""Calendars at an ICS address: one file with everything, which can only be read."""

import json
from collections.abc import Mapping
from hashlib import sha256

from calendars.providers.base import (
    Changes,
    Known,
    ProviderError,
    RemoteCalendar,
    RemoteItem,
    plain_color,
)
from calendars.providers.client import Client, Reply
from calendars.rules.expansion import Feed, Unreadable, split
from core.web.guarded_http import Policy

# The address is a secret, so the calendar is not called by it.
HREF = "feed"
_MOST_SERIES = 20_000
_CODES = {
    "not_a_calendar": "not_a_calendar",
    "too_large": "too_large",
    "too_many": "too_large",
}
# Addresses that calendar programs open by themselves.
_SCHEMES = {"webcal": "https", "webcals": "https"}


class IcsFeed:
    """The calendar at an ICS address. The href of an object is its UID, and its ETag a digest."""

    def __init__(self, url: str, *, until: float, policy: Policy) -> None:
        scheme, separator, rest = url.strip().partition("://")
        self._url = f"{_SCHEMES.get(scheme.lower(), scheme)}{separator}{rest}"
        self._client = Client({"Accept": "text/calendar, */*;q=0.1"}, until=until, policy=policy)

    def calendars(self) -> list[RemoteCalendar]:
        feed = _read(self._ask({}))
        return [
            RemoteCalendar(
                href=HREF,
                name=feed.name,
                color=plain_color(feed.color),
                timezone=feed.zone,
                is_writable=False,
            )
        ]

    def changes(self, href: str, known: Known) -> Changes:
        """Return the series that differ, or nothing while the file is the same."""
        validators = _validators(known.token)
        reply = self._ask(validators)
        if reply.status == 304:
            return _nothing(known)
        digest = sha256(reply.body).hexdigest()
        if digest == validators.get("digest"):
            return _nothing(known)
        feed = _read(reply)
        same = {uid for uid, each in feed.series.items() if known.etags.get(uid) == each.digest}
        return Changes(
            items=[
                RemoteItem(uid, each.digest, each.text)
                for uid, each in feed.series.items()
                if uid not in same
            ],
            gone=(),
            token=_token(reply, digest),
            is_full=True,
            same=same,
            unreadable=0,
        )

    def get(self, href: str) -> RemoteItem | None:
        series = _read(self._ask({})).series.get(href)
        return RemoteItem(href, series.digest, series.text) if series else None

    def find(self, calendar: str, uid: str) -> RemoteItem | None:
        return self.get(uid)

    def put(self, href: str, text: str, *, etag: str) -> str:
        raise ProviderError("forbidden")

    def delete(self, href: str, *, etag: str) -> None:
        raise ProviderError("forbidden")

    def href_for(self, calendar: str, uid: str) -> str:
        return uid

    def _ask(self, validators: Mapping[str, str]) -> Reply:
        conditions = {
            header: validators[name]
            for name, header in (("etag", "If-None-Match"), ("modified", "If-Modified-Since"))
            if validators.get(name)
        }
        reply = self._client.ask("GET", self._url, headers=conditions)
        if reply.status != 200 and not (reply.status == 304 and conditions):
            raise reply.error
        return reply


def _read(reply: Reply) -> Feed:
    """Read the file. ProviderError(`not_a_calendar`) for a page, `invalid_answer` if it was cut."""
    try:
        feed = split(reply.body, most_series=_MOST_SERIES)
    except Unreadable as error:
        raise ProviderError(_CODES.get(error.code, "invalid_answer")) from None
    if feed.unreadable:  # it was cut, and so perhaps its last entry
        raise ProviderError("invalid_answer")
    return feed


def _nothing(known: Known) -> Changes:
    return Changes(
        items=(), gone=(), token=known.token, is_full=False, same=frozenset(), unreadable=0
    )


def _token(reply: Reply, digest: str) -> str:
    """Return a token that has what the next request asks by."""
    validators = {
        "etag": reply.headers.get("etag", ""),
        "modified": reply.headers.get("last-modified", ""),
        "digest": digest,
    }
    return json.dumps({name: value for name, value in validators.items() if value})


def _validators(token: str) -> Mapping[str, str]:
    validators: dict[str, str] = json.loads(token or "{}")
    return validators
