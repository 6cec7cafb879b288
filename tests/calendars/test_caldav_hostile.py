"""CalDAV servers that fail, lie or drip: each way has its code, and none reads as an empty list."""

import time
from collections.abc import Callable, Iterator
from ipaddress import ip_network

import pytest
from pytest_django import Settings

from calendars.providers import connect, dav_xml
from calendars.providers.base import Changes, Known, ProviderError
from calendars.providers.policy import policy
from core.web.guarded_http import Policy
from tests.calendars.conftest import Connect
from tests.calendars.objects import calendar_object
from tests.calendars.servers import PASSWORD, USERNAME, Asked, Said, Scripted, scripted

NEVER = Known(token="", etags={})
XML = {"Content-Type": "application/xml; charset=utf-8"}
BOMB = b"""<?xml version="1.0"?>
<!DOCTYPE multistatus [<!ENTITY a "aaaaaaaaaa"><!ENTITY b "&a;&a;&a;&a;&a;&a;&a;&a;&a;&a;">]>
<multistatus xmlns="DAV:"><response><href>/c/&b;.ics</href></response>
<sync-token>1</sync-token></multistatus>"""


def xml(*parts: str) -> bytes:
    """Return a multistatus with these parts."""
    text = f'<multistatus xmlns="DAV:" xmlns:C="urn:ietf:params:xml:ns:caldav">{"".join(parts)}'
    return f"{text}</multistatus>".encode()


def multistatus(*parts: str) -> Said:
    return Said(207, XML, xml(*parts))


def listed(href: str, etag: str) -> str:
    return (
        f'<response><href>{href}</href><propstat><prop><getetag>"{etag}"</getetag></prop>'
        "<status>HTTP/1.1 200 OK</status></propstat></response>"
    )


def handed_out(href: str, etag: str) -> str:
    return (
        f'<response><href>{href}</href><propstat><prop><getetag>"{etag}"</getetag>'
        f"<C:calendar-data>{calendar_object(etag)}</C:calendar-data></prop>"
        "<status>HTTP/1.1 200 OK</status></propstat></response>"
    )


def with_status(href: str, status: int) -> str:
    return f"<response><href>{href}</href><status>HTTP/1.1 {status} x</status></response>"


def token(text: str) -> str:
    return f"<sync-token>{text}</sync-token>"


def is_sync(asked: Asked) -> bool:
    return "sync-collection" in asked.body


@pytest.fixture
def read(account: Connect) -> Callable[[Scripted, Known], Changes]:
    return lambda server, known: account(server.url).changes(f"{server.url}c/", known)


Read = Callable[[Scripted, Known], Changes]


def code_of(ask: Callable[[], object]) -> str:
    with pytest.raises(ProviderError) as raised:
        ask()
    assert raised.value.args == (raised.value.code,)
    assert raised.value.__cause__ is None
    return raised.value.code


# --- answers that are none --------------------------------------------------------------------


@pytest.mark.parametrize(
    ("said", "code"),
    [
        (Said(401, {"WWW-Authenticate": "Basic"}), "unauthorized"),
        (Said(403), "forbidden"),
        (Said(404), "not_found"),
        (Said(410), "not_found"),
        (Said(405), "not_a_calendar"),
        (Said(429), "http_429"),
        (Said(500, body=b"at /etc/passwd"), "http_500"),
        (Said(503), "http_503"),
        (Said(204), "invalid_answer"),
        (Said(302), "invalid_answer"),
        (Said(302, {"Location": "/c/"}), "invalid_answer"),
        (Said(302, {"Location": "http://[::"}), "invalid_answer"),
        (Said(302, {"Location": "file:///etc/passwd"}), "invalid_url"),
        (Said(302, {"Location": "http://169.254.169.254/"}), "blocked_address"),
        (Said(302, {"Location": "http://10.0.0.1/"}), "blocked_address"),
        (Said(302, {"Location": "http://9.9.9.9/"}), "invalid_url"),
        (Said(207, XML, b""), "invalid_answer"),
        (
            Said(200, {"Content-Type": "text/html"}, b"<html><p>Sign in<br></html>"),
            "invalid_answer",
        ),
        (Said(200, {"Content-Type": "text/html"}, b"<html></html>"), "invalid_answer"),
        (Said(207, XML, b"<multistatus/>"), "invalid_answer"),
        (Said(207, XML, BOMB), "invalid_answer"),
        (Said(207, XML, b"<!DOCTYPE multistatus>" + xml(token("1"))), "invalid_answer"),
        (Said(207, XML, b"<?xml version='1.0' encoding='x-none'?><a/>"), "invalid_answer"),
        (Said(207, XML, b"\x00\xff\xfe"), "invalid_answer"),
        (Said(207, XML, xml(token("1")).replace(b"multistatus", b"error")), "invalid_answer"),
        (Said(207, XML, xml(token("1"))[:-2]), "invalid_answer"),
        (Said(207, XML, xml(token("1"))[:-2], length=200), "invalid_answer"),
        (Said(207, {**XML, "Content-Encoding": "gzip"}, b"\x1f\x8b"), "invalid_answer"),
        (Said(207, XML, b"", length=20_000_001), "too_large"),
        (multistatus(token("1"), "<a>" * 40, "</a>" * 40), "invalid_answer"),
        (multistatus(token("1"), f"<response>{'<a/>' * 2_000}</response>"), "invalid_answer"),
        (multistatus(with_status("/c/a.ics", 20)), "invalid_answer"),
    ],
)
def test_each_failure_has_its_code(read: Read, said: Said, code: str) -> None:
    with scripted(lambda _: said) as server:
        assert code_of(lambda: read(server, NEVER)) == code
        assert code_of(lambda: read(server, Known("before", {}))) == code


def test_an_empty_multistatus_is_no_empty_calendar(read: Read) -> None:
    with scripted(lambda _: multistatus()) as server:
        assert code_of(lambda: read(server, NEVER)) == "invalid_answer"
        assert [asked.method for asked in server.asked] == ["REPORT", "PROPFIND"]


def test_twenty_megabytes_are_read_and_no_more(read: Read) -> None:
    blanks = b" " * 1_000_000
    begin, end = xml(token("1")).split(b"<sync-token")
    sizes = iter((19, 20))

    def answer(_asked: Asked) -> Said:
        return Said(207, XML, begin + blanks * next(sizes) + b"<sync-token" + end)

    with scripted(answer) as server:
        assert read(server, NEVER).token == "1"
        assert code_of(lambda: read(server, NEVER)) == "too_large"


def test_too_many_elements_are_too_large(read: Read, monkeypatch: pytest.MonkeyPatch) -> None:
    monkeypatch.setattr(dav_xml, "_MOST_ELEMENTS", 3_000)
    with scripted(lambda _: multistatus("<a/>" * 3_000)) as server:
        assert code_of(lambda: read(server, NEVER)) == "too_large"


def test_a_server_that_drips_is_left_at_the_deadline(loopback: Policy) -> None:
    def drip(asked: Asked) -> Said:
        def pieces() -> Iterator[bytes]:
            while not server.ended.wait(0.05):
                yield b" "

        return Said(207, XML, pieces(), length=1_000_000)

    with scripted(drip) as server:
        secret = {"url": server.url, "username": USERNAME, "password": PASSWORD}
        begun = time.monotonic()
        provider = connect("caldav", secret, until=begun + 0.5, policy=loopback)
        assert code_of(lambda: provider.changes(f"{server.url}c/", NEVER)) == "timeout"
        assert code_of(provider.calendars) == "timeout"
        assert time.monotonic() - begun < 5


def test_private_addresses_need_a_setting(settings: Settings) -> None:
    settings.CALENDAR_ALLOWED_NETWORKS = [ip_network("10.0.0.0/8")]
    with scripted(lambda _: multistatus(token("1"))) as server:
        secret = {"url": server.url, "username": USERNAME, "password": PASSWORD}
        provider = connect("caldav", secret, until=time.monotonic() + 5, policy=policy())
        assert code_of(lambda: provider.changes(f"{server.url}c/", NEVER)) == "blocked_address"
        assert server.asked == []


def test_secrets_are_in_no_text(account: Connect) -> None:
    with scripted(lambda asked: Said(500, body=asked.headers["authorization"].encode())) as server:
        provider = account(f"{server.url}secret/")
        try:
            provider.calendars()
        except ProviderError as error:
            told = "".join((repr(error), str(error), repr(provider), str(provider)))
        assert "secret" not in told
        assert PASSWORD not in told
        assert server.asked[0].headers["authorization"] not in told


# --- partial answers --------------------------------------------------------------------------


def test_a_cut_listing_is_asked_for_again(read: Read) -> None:
    """The second part deletes an object of the first, and has one again that the first deleted."""

    def answer(asked: Asked) -> Said:
        if not is_sync(asked):
            return multistatus(handed_out("/c/a.ics", "a"), handed_out("/c/c.ics", "c"))
        if token("two") in asked.body.replace("d:", ""):
            return multistatus(with_status("/c/b.ics", 404), listed("/c/c.ics", "c"), token("end"))
        listing = (listed("/c/a.ics", "a"), listed("/c/b.ics", "b"), with_status("/c/c.ics", 404))
        return multistatus(*listing, with_status("/c/", 507), token("two"))

    with scripted(answer) as server:
        changes = read(server, NEVER)
    assert [item.etag for item in changes.items] == ['"a"', '"c"']
    assert changes.gone == [f"{server.url}c/b.ics"]
    assert (changes.token, changes.is_full, changes.unreadable) == ("end", True, 0)


def test_a_listing_that_is_cut_for_ever_is_an_error(read: Read) -> None:
    with scripted(lambda _: multistatus(with_status("/c/", 507), token("same"))) as server:
        assert code_of(lambda: read(server, NEVER)) == "invalid_answer"
        assert len(server.asked) == 2


def test_an_object_that_is_not_handed_out_is_unreadable_and_not_gone(read: Read) -> None:
    """Four objects are listed; one is left out, one fails and one is not whole."""
    names = ("good", "lacking", "failing", "cut")
    broken = handed_out("/c/cut.ics", "cut").replace("END:VCALENDAR", "")

    def answer(asked: Asked) -> Said:
        if is_sync(asked):
            return multistatus(*(listed(f"/c/{name}.ics", name) for name in names), token("new"))
        failing = with_status("/c/failing.ics", 500)
        return multistatus(handed_out("/c/good.ics", "good"), failing, broken)

    with scripted(answer) as server:
        hrefs = {name: f"{server.url}c/{name}.ics" for name in names}
        held = {hrefs["good"]: "old", hrefs["lacking"]: "old", hrefs["failing"]: "old", "x": "old"}
        for before, is_full in (("", True), ("old", False)):
            changes = read(server, Known(before, held))
            assert [item.href for item in changes.items] == [hrefs["good"]]
            assert (changes.gone, changes.unreadable) == ([], 3)
            assert changes.same == {hrefs["lacking"], hrefs["failing"], hrefs["cut"]}
            # The token stays, so the next reading lists them again.
            assert (changes.token, changes.is_full) == (before, is_full)


def test_an_object_that_is_listed_with_an_error_is_unreadable(read: Read) -> None:
    with scripted(lambda _: multistatus(with_status("/c/a.ics", 500), token("new"))) as server:
        href = f"{server.url}c/a.ics"
        changes = read(server, Known("", {href: "old"}))
    assert (changes.items, changes.gone, changes.same) == ([], [], {href})
    assert (changes.unreadable, changes.token) == (1, "")


def test_hrefs_from_elsewhere_are_no_members(read: Read) -> None:
    strange = (
        "/other/a.ics",
        "/c/../d/a.ics",
        "/c/%2e%2e/d/a.ics",
        "http://[::/a.ics",
        "mailto:a@b.example",
    )

    def answer(asked: Asked) -> Said:
        if is_sync(asked):
            return multistatus(*(listed(href, "x") for href in strange), token("new"))
        raise AssertionError("nothing is to be asked for")

    with scripted(answer) as server:
        changes = read(server, NEVER)
    assert (changes.items, changes.unreadable) == ([], len(strange))
    assert not changes.is_full


def test_hrefs_are_members_whatever_the_server_calls_itself(read: Read) -> None:
    written = ("http://inside.example:81/c/%61%40b.ics", "//other/c/d.ics", "e.ics", "./f.ics")

    def answer(asked: Asked) -> Said:
        if is_sync(asked):
            return multistatus(*(listed(href, "x") for href in written), token("new"))
        return multistatus(*(handed_out(href, "x") for href in written))

    with scripted(answer) as server:
        changes = read(server, NEVER)
    assert [item.href for item in changes.items] == [
        f"{server.url}c/{name}.ics" for name in ("a%40b", "d", "e", "f")
    ]


def test_objects_that_are_too_large_together_are_asked_for_apart(read: Read) -> None:
    names = [f"{number}" for number in range(5)]

    def answer(asked: Asked) -> Said:
        if is_sync(asked):
            return multistatus(*(listed(f"/c/{name}.ics", name) for name in names), token("new"))
        wanted = [name for name in names if f"/c/{name}.ics" in asked.body]
        if len(wanted) > 2 or "4" in wanted:
            return Said(207, XML, b"", length=20_000_001)
        return multistatus(*(handed_out(f"/c/{name}.ics", name) for name in wanted))

    with scripted(answer) as server:
        changes = read(server, NEVER)
    assert [item.etag for item in changes.items] == [f'"{name}"' for name in names[:4]]
    assert changes.unreadable == 1


def test_objects_are_asked_for_by_the_hundred(read: Read) -> None:
    names = [f"{number}" for number in range(201)]

    def answer(asked: Asked) -> Said:
        if is_sync(asked):
            return multistatus(*(listed(f"/c/{name}.ics", name) for name in names), token("new"))
        wanted = [name for name in names if f"/c/{name}.ics" in asked.body]
        return multistatus(*(handed_out(f"/c/{name}.ics", name) for name in wanted))

    with scripted(answer) as server:
        changes = read(server, NEVER)
    assert [item.etag for item in changes.items] == [f'"{name}"' for name in names]
    assert [asked.body.count(".ics") for asked in server.asked] == [0, 100, 100, 1]


def test_what_was_read_before_the_deadline_is_kept(loopback: Policy) -> None:
    names = [f"{number}" for number in range(150)]

    def answer(asked: Asked) -> Said:
        if is_sync(asked):
            return multistatus(*(listed(f"/c/{name}.ics", name) for name in names), token("new"))
        wanted = [name for name in names if f"/c/{name}.ics" in asked.body]
        if len(wanted) < 100:
            server.ended.wait(20)
        return multistatus(*(handed_out(f"/c/{name}.ics", name) for name in wanted))

    with scripted(answer) as server:
        secret = {"url": server.url, "username": USERNAME, "password": PASSWORD}
        provider = connect("caldav", secret, until=time.monotonic() + 3, policy=loopback)
        changes = provider.changes(f"{server.url}c/", NEVER)
    assert (len(changes.items), changes.unreadable, changes.token) == (100, 50, "")


# --- servers without sync-collection ------------------------------------------------------------


@pytest.mark.parametrize("refusal", [400, 403, 405, 415, 501, 507])
def test_without_sync_etags_tell_what_changed(read: Read, refusal: int) -> None:
    collection = (
        "<response><href>/c/</href><propstat><prop><resourcetype><collection/></resourcetype>"
        "</prop><status>HTTP/1.1 200 OK</status></propstat></response>"
    )
    inner = collection.replace("/c/", "/c/folder/")

    def answer(asked: Asked) -> Said:
        if is_sync(asked):
            return Said(refusal)
        if asked.method == "PROPFIND":
            assert asked.headers["depth"] == "1"
            etags = [listed(f"/c/{name}.ics", f"{name}2") for name in ("same", "changed", "new")]
            return multistatus(collection, inner, *etags)
        return multistatus(
            handed_out("/c/changed.ics", "changed2"), handed_out("/c/new.ics", "new2")
        )

    with scripted(answer) as server:
        same, changed, new, gone = (
            f"{server.url}c/{name}.ics" for name in ("same", "changed", "new", "gone")
        )
        known = Known("", {same: '"same2"', changed: '"changed1"', gone: '"gone1"'})
        changes = read(server, known)
    assert [(item.href, item.etag) for item in changes.items] == [
        (changed, '"changed2"'),
        (new, '"new2"'),
    ]
    assert (changes.same, changes.gone, changes.token) == ({same}, [], "")
    assert (changes.is_full, changes.unreadable) == (True, 0)


@pytest.mark.parametrize(
    ("status", "body"),
    [
        (400, b'<error xmlns="DAV:"><valid-sync-token/></error>'),
        (403, b'<error xmlns="DAV:"><valid-sync-token/></error>'),
        (507, b'<error xmlns="DAV:"><valid-sync-token/></error>'),
        (409, b""),
        (410, b""),
        (412, b"gone"),
    ],
)
def test_a_lost_token_has_many_forms(read: Read, status: int, body: bytes) -> None:
    def answer(asked: Asked) -> Said:
        if "<d:sync-token>lost" in asked.body:
            return Said(status, XML, body)
        return multistatus(token("new"))

    with scripted(answer) as server:
        changes = read(server, Known("lost", {"x": "y"}))
    assert (changes.token, changes.is_full, changes.gone) == ("new", True, [])
    assert [asked.method for asked in server.asked] == ["REPORT", "REPORT"]


# --- writing ----------------------------------------------------------------------------------


@pytest.mark.parametrize(
    ("said", "code"),
    [
        (Said(401), "unauthorized"),
        (Said(403), "forbidden"),
        (Said(403, XML, b'<error xmlns="DAV:"><need-privileges/></error>'), "forbidden"),
        (
            Said(
                403,
                XML,
                b'<error xmlns="DAV:"><no-uid-conflict xmlns="urn:ietf:params:xml:ns:caldav"/>'
                b"</error>",
            ),
            "conflict",
        ),
        (Said(404), "not_found"),
        (Said(409), "conflict"),
        (Said(412), "conflict"),
        (Said(413), "too_large"),
        (Said(500), "http_500"),
        (Said(507), "http_507"),
        (Said(303, {"Location": "/done"}), "invalid_answer"),
    ],
)
def test_a_refused_object_has_its_code(account: Connect, said: Said, code: str) -> None:
    with scripted(lambda _: said) as server:
        provider = account(server.url)
        href = f"{server.url}c/a.ics"
        assert code_of(lambda: provider.put(href, calendar_object("a"), etag='"1"')) == code
        assert [(asked.method, asked.headers["if-match"]) for asked in server.asked] == [
            ("PUT", '"1"')
        ]


def test_a_server_need_not_tell_an_etag(account: Connect) -> None:
    with scripted(lambda _: Said(201)) as server:
        assert account(server.url).put(f"{server.url}c/a.ics", calendar_object("a"), etag="") == ""
        assert server.asked[0].headers["if-none-match"] == "*"
        assert server.asked[0].body == calendar_object("a")


@pytest.mark.parametrize("status", [200, 204, 404, 410])
def test_what_is_gone_counts_as_deleted(account: Connect, status: int) -> None:
    with scripted(lambda _: Said(status)) as server:
        account(server.url).delete(f"{server.url}c/a.ics", etag="")
        assert "if-match" not in server.asked[0].headers


def test_an_etag_that_is_no_header_is_not_sent(account: Connect) -> None:
    with scripted(lambda _: Said(204)) as server:
        provider = account(server.url)
        href = f"{server.url}c/a.ics"
        code = code_of(lambda: provider.delete(href, etag='"1"\r\nX-Evil: 1'))
        assert (code, server.asked) == ("invalid_answer", [])


def test_a_page_is_no_object(account: Connect) -> None:
    with scripted(lambda _: Said(200, body=b"<html>")) as server:
        assert code_of(lambda: account(server.url).get(f"{server.url}c/a.ics")) == "invalid_answer"
