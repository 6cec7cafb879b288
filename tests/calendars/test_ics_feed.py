"""Calendars at an ICS address, on a server that answers what a test says."""

import json
import time
from collections.abc import Callable, Iterator
from hashlib import sha256
from typing import TypeAlias

import pytest

from calendars.providers import connect
from calendars.providers.base import Changes, Known, Provider, ProviderError, RemoteCalendar
from core.web.guarded_http import Policy
from tests.calendars.ics import calendar, entry
from tests.calendars.servers import Asked, Said, scripted

NEVER = Known(token="", etags={})
HREF = "feed"
TYPE = {"Content-Type": "text/calendar; charset=utf-8"}

Subscribe: TypeAlias = Callable[[str], Provider]


def feed(*uids: str, start: str = "20261201T100000Z") -> bytes:
    head = ("X-WR-CALNAME:Ada", "X-WR-TIMEZONE:Europe/London", "X-APPLE-CALENDAR-COLOR:#AABBCCFF")
    entries = (entry(f"DTSTART:{start}", "DURATION:PT1H", uid=uid) for uid in uids)
    return calendar(*head, *entries).encode()


@pytest.fixture
def subscribe(loopback: Policy) -> Subscribe:
    def subscribe(url: str) -> Provider:
        return connect("ics", {"url": url}, until=time.monotonic() + 10, policy=loopback)

    return subscribe


def code_of(ask: Callable[[], object]) -> str:
    with pytest.raises(ProviderError) as raised:
        ask()
    assert raised.value.args == (raised.value.code,)
    assert raised.value.__cause__ is None
    return raised.value.code


def nothing(token: str) -> Changes:
    return Changes(items=(), gone=(), token=token, is_full=False, same=frozenset(), unreadable=0)


def test_a_feed_is_one_calendar_that_is_not_written(subscribe: Subscribe) -> None:
    with scripted(lambda _: Said(200, TYPE, feed("a"))) as server:
        provider = subscribe(f"{server.url}private-1234/basic.ics?x=1")
        assert provider.calendars() == [
            RemoteCalendar(HREF, "Ada", "#aabbcc", "Europe/London", is_writable=False)
        ]
        assert [asked.path for asked in server.asked] == ["/private-1234/basic.ics?x=1"]
        assert code_of(lambda: provider.put("a", "", etag="")) == "forbidden"
        assert code_of(lambda: provider.delete("a", etag="")) == "forbidden"
        assert provider.href_for(HREF, "a") == "a"


def test_the_first_reading_has_everything(subscribe: Subscribe) -> None:
    with scripted(lambda _: Said(200, TYPE, feed("a", "b"))) as server:
        changes = subscribe(server.url).changes(HREF, NEVER)
        one = subscribe(server.url).get("a")
        assert subscribe(server.url).get("c") is None
    assert one == changes.items[0]
    assert [item.href for item in changes.items] == ["a", "b"]
    assert "UID:a\r\n" in changes.items[0].text
    assert (changes.gone, changes.is_full, changes.same, changes.unreadable) == ((), True, set(), 0)


def test_later_readings_have_what_differs(subscribe: Subscribe) -> None:
    bodies = iter((feed("same", "moved", "deleted"), feed("same", "new")))
    with scripted(lambda _: Said(200, TYPE, next(bodies))) as server:
        first = subscribe(server.url).changes(HREF, NEVER)
        known = Known(first.token, {item.href: item.etag for item in first.items})
        second = subscribe(server.url).changes(HREF, known)
    assert [item.href for item in second.items] == ["new"]
    assert (second.same, second.is_full, second.gone) == ({"same"}, True, ())


@pytest.mark.parametrize(
    ("sent", "condition"),
    [
        ({"ETag": 'W/"1"'}, ("if-none-match", 'W/"1"')),
        (
            {"Last-Modified": "Tue, 01 Dec 2026 00:00:00 GMT"},
            ("if-modified-since", "Tue, 01 Dec 2026 00:00:00 GMT"),
        ),
    ],
)
def test_the_server_is_asked_whether_it_changed(
    subscribe: Subscribe, sent: dict[str, str], condition: tuple[str, str]
) -> None:
    name, value = condition

    def answer(asked: Asked) -> Said:
        return Said(304) if asked.headers.get(name) == value else Said(200, sent, feed("a"))

    with scripted(answer) as server:
        first = subscribe(server.url).changes(HREF, NEVER)
        known = Known(first.token, {"a": first.items[0].etag})
        assert subscribe(server.url).changes(HREF, known) == nothing(first.token)
        assert [asked.headers.get(name) for asked in server.asked] == [None, value]


def test_the_same_file_is_no_change(subscribe: Subscribe) -> None:
    with scripted(lambda _: Said(200, TYPE, feed("a"))) as server:
        first = subscribe(server.url).changes(HREF, NEVER)
        assert json.loads(first.token) == {"digest": sha256(feed("a")).hexdigest()}
        known = Known(first.token, {"a": first.items[0].etag})
        assert subscribe(server.url).changes(HREF, known) == nothing(first.token)


def test_an_answer_to_a_question_that_was_not_asked_is_none(subscribe: Subscribe) -> None:
    with scripted(lambda _: Said(304)) as server:
        assert code_of(lambda: subscribe(server.url).changes(HREF, NEVER)) == "invalid_answer"


def test_redirects_are_followed_five_times(subscribe: Subscribe) -> None:
    def answer(asked: Asked) -> Said:
        left = int(asked.path[1:])
        if left == 0:
            return Said(200, TYPE, feed("a"))
        return Said((301, 302, 303, 307, 308)[left % 5], {"Location": f"/{left - 1}"})

    with scripted(answer) as server:
        assert len(subscribe(f"{server.url}5").changes(HREF, NEVER).items) == 1
        assert code_of(lambda: subscribe(f"{server.url}6").calendars()) == "invalid_answer"


@pytest.mark.parametrize(
    ("said", "code"),
    [
        (Said(401), "unauthorized"),
        (Said(403), "forbidden"),
        (Said(404), "not_found"),
        (Said(410), "not_found"),
        (Said(429), "http_429"),
        (Said(500), "http_500"),
        (Said(204), "invalid_answer"),
        (Said(206, TYPE, feed("a")), "invalid_answer"),
        (Said(200), "not_a_calendar"),
        (Said(200, {"Content-Type": "text/html"}, b"<!doctype html><p>Sign in"), "not_a_calendar"),
        (Said(200, TYPE, b"[]"), "not_a_calendar"),
        (Said(200, TYPE, feed("a", "b")[:-20]), "invalid_answer"),
        (Said(200, TYPE, feed("a", "b")[:-20], length=2_000), "invalid_answer"),
        (Said(200, {"Content-Encoding": "gzip"}, b"\x1f\x8b"), "invalid_answer"),
        (Said(200, TYPE, length=20_000_001), "too_large"),
        (Said(200, TYPE, feed(*map(str, range(20_001)))), "too_large"),
        (Said(302, {"Location": "http://169.254.169.254/"}), "blocked_address"),
        (Said(302, {"Location": "webcal://example.com/"}), "invalid_url"),
    ],
)
def test_each_failure_has_its_code(subscribe: Subscribe, said: Said, code: str) -> None:
    with scripted(lambda _: said) as server:
        assert code_of(lambda: subscribe(server.url).changes(HREF, NEVER)) == code
        assert code_of(lambda: subscribe(server.url).calendars()) == code


def test_a_feed_that_drips_is_left_at_the_deadline(loopback: Policy) -> None:
    def drip(_asked: Asked) -> Said:
        def pieces() -> Iterator[bytes]:
            while not server.ended.wait(0.05):
                yield b" "

        return Said(200, TYPE, pieces(), length=1_000_000)

    with scripted(drip) as server:
        begun = time.monotonic()
        provider = connect("ics", {"url": server.url}, until=begun + 0.5, policy=loopback)
        assert code_of(lambda: provider.changes(HREF, NEVER)) == "timeout"
        assert time.monotonic() - begun < 5


@pytest.mark.parametrize(
    ("url", "code"),
    [
        ("webcal://127.0.0.1:1/secret.ics", "refused"),
        ("WEBCALS://127.0.0.1:1/secret.ics", "refused"),
        (" https://127.0.0.1:1/secret.ics ", "refused"),
        ("http://9.9.9.9/secret.ics", "invalid_url"),
        ("https://10.0.0.1/secret.ics", "blocked_address"),
        ("https://ada:secret@example.com/", "invalid_url"),
        ("file:///secret", "invalid_url"),
        ("secret", "invalid_url"),
        ("", "invalid_url"),
    ],
)
def test_addresses_are_judged_and_never_told(subscribe: Subscribe, url: str, code: str) -> None:
    provider = subscribe(url)
    assert "secret" not in repr(provider)
    assert code_of(provider.calendars) == code


def test_webcal_stands_for_https(subscribe: Subscribe) -> None:
    with scripted(lambda _: Said(200, TYPE, feed("a"))) as server:
        provider = subscribe(server.url.replace("http:", "webcal:"))
        assert code_of(provider.calendars) == "tls"  # which that server does not speak
        assert server.asked == []
