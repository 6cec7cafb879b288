"""Request bodies on the wire: chunked, broken, too large, compressed."""

import gzip
import json
from collections.abc import Iterator
from contextlib import closing
from datetime import timedelta
from typing import Any

import pytest

from tests.strangers import Stranger, answer_of, chunked, head
from tests.torture.served import Client, Served, event, in_a_month, served

CLOSE = {"Connection": "close"}
# The most that Django takes, and is asked to.
LARGEST = 2_621_440


@pytest.fixture(scope="module")
def parley(tmp_path_factory: pytest.TempPathFactory) -> Iterator[Served]:
    offers = [{"requires_approval": True}]
    with served(tmp_path_factory.mktemp("bodies"), offers=offers) as parley:
        yield parley


@pytest.fixture
def booking(parley: Served) -> int:
    """Return a new booking of Alice's, an hour after the one before."""
    start = in_a_month() + timedelta(hours=parley.count("scheduling_booking"))
    with closing(Client(parley.ports[0], parley.cast["alice"])) as client:
        made = client.ask("POST", "/api/v1/events", event(parley.event_types[0], start))
    assert made.status == 201, made.body
    return int(made.data["data"]["id"])


def ask(
    parley: Served, method: str, path: str, body: bytes = b"", **headers: str
) -> tuple[int, Any]:
    """Send Alice's request with this raw body. Return the answer's status and JSON."""
    told = {
        "Authorization": f"Bearer {parley.cast['alice']}",
        "Content_Type": "application/json",
        **CLOSE,
        **headers,
    }
    with closing(Stranger(parley.ports[0])) as stranger:
        status, answer = stranger.ask(head(method, path, **told) + body)
    return status, json.loads(answer)


def in_chunks(parley: Served, method: str, path: str, data: object, **headers: str) -> Any:
    text = json.dumps(data).encode()
    body = chunked(text[:5], text[5:])
    return ask(parley, method, path, body, Transfer_Encoding="chunked", **headers)


def broken(parley: Served, method: str, path: str, end: bytes) -> Any:
    body = chunked(b'{"notes": "x"}', end=end)
    return ask(parley, method, path, body, Transfer_Encoding="chunked")


def stored(parley: Served, booking: int, column: str) -> Any:
    ((value,),) = parley.deployment.rows(
        f"SELECT {column} FROM scheduling_booking WHERE id = {booking}"
    )
    return value


def test_a_change_in_chunks_changes(parley: Served, booking: int) -> None:
    path = f"/api/v1/events/{booking}"
    status, answer = in_chunks(parley, "PATCH", path, {"notes": "in chunks"})
    assert (status, answer["data"]["notes"]) == (200, "in chunks")
    assert ask(parley, "GET", path)[1]["data"]["notes"] == "in chunks"


def test_a_cancellation_in_chunks_keeps_its_reason(parley: Served, booking: int) -> None:
    path = f"/api/v1/events/{booking}"
    status, _answer = in_chunks(parley, "POST", f"{path}/cancel", {"reason": "I am ill"})
    assert status == 200
    _status, history = ask(parley, "GET", f"{path}/history")
    assert "I am ill" in {entry.get("reason") for entry in history["data"]}


def test_two_bodies_in_chunks_are_two_to_an_idempotency_key(parley: Served) -> None:
    start = in_a_month() + timedelta(days=1)
    bodies = [json.loads(event(parley.event_types[0], start)) | {"notes": text} for text in "ab"]
    key = {"Idempotency_Key": "in-chunks"}
    first, again, other = (
        in_chunks(parley, "POST", "/api/v1/events", body, **key) for body in (bodies[0], *bodies)
    )
    assert (first[0], again[0], other[0]) == (201, 201, 422)
    assert first[1]["data"]["id"] == again[1]["data"]["id"]


@pytest.mark.parametrize("end", [b"zz\r\n", b"5\r\nabc\r\n0\r\n\r\n", b"0\r\nA: b\r\n\r\n"])
def test_a_broken_chunk_is_no_body(parley: Served, booking: int, end: bytes) -> None:
    path = f"/api/v1/events/{booking}"
    for method, door in (("PATCH", path), ("POST", f"{path}/cancel")):
        status, answer = broken(parley, method, door, end)
        assert (status, answer["error"]) == (400, "bad_request")
        assert answer["message"] == "The body is incomplete or malformed."
    assert stored(parley, booking, "status") == "pending"
    assert stored(parley, booking, "notes") == ""


@pytest.mark.parametrize(
    "headers", [{"Transfer_Encoding": "chunked"}, {"Content_Length": "500"}], ids=str
)
def test_a_body_that_ends_too_early_does_nothing(
    parley: Served, booking: int, headers: dict[str, str]
) -> None:
    path = f"/api/v1/events/{booking}/cancel"
    told = {"Authorization": f"Bearer {parley.cast['alice']}", **headers}
    with closing(Stranger(parley.ports[0])) as stranger:
        stranger.send(head("POST", path, **told) + chunked(b'{"reason": "x"}', end=b""))
        stranger.socket.shutdown(1)
        stranger.rest()
    assert stored(parley, booking, "status") == "pending"


def test_what_is_too_large_is_413(parley: Served) -> None:
    for path, code in (("/api/v1/events", "content_too_large"), ("/api/v3/meeting/create", 413)):
        told = ask(parley, "POST", path, bytes(LARGEST + 1), Content_Length=str(LARGEST + 1))
        assert (told[0], told[1]["error"]) == (413, code)
        body = chunked(*[bytes(65_536)] * 41)
        told = ask(parley, "POST", path, body, Transfer_Encoding="chunked")
        assert (told[0], told[1]["error"]) == (413, code)
    # As large as may be comes through, and is no JSON.
    told = ask(parley, "POST", "/api/v1/events", bytes(LARGEST), Content_Length=str(LARGEST))
    assert (told[0], told[1]["message"][:26]) == (400, "The body is not valid JSON")


def test_what_is_compressed_is_415(parley: Served, booking: int) -> None:
    body = gzip.compress(b'{"notes": "compressed"}')
    path, length = f"/api/v1/events/{booking}", str(len(body))
    told = ask(parley, "PATCH", path, body, Content_Length=length, Content_Encoding="gzip")
    assert (told[0], told[1]["message"]) == (415, "The body must not be compressed.")
    told = ask(parley, "PATCH", path, chunked(body), Transfer_Encoding="gzip, chunked")
    assert told[0] == 415
    told = ask(parley, "PATCH", path, b"{}", Content_Length="2", Content_Encoding="identity")
    assert told[0] == 200


def test_a_refused_answer_can_be_read_by_a_browser_and_tells_no_limits(parley: Served) -> None:
    with closing(Client(parley.ports[0])) as client:
        answer = client.ask("POST", "/api/v1/events", bytes(LARGEST + 1))
    assert answer.status == 413
    assert answer.headers["Access-Control-Allow-Origin"] == "*"
    assert answer.headers["X-Content-Type-Options"] == "nosniff"
    assert answer.headers["X-Request-Id"]
    assert not [name for name in answer.headers if name.lower().startswith("x-ratelimit")]


def test_a_connection_goes_on_after_a_body_and_requests_may_follow_at_once(
    parley: Served,
) -> None:
    first = head("POST", "/oauth/token", Transfer_Encoding="chunked") + chunked(b"a=b")
    last = head("GET", "/healthz", **CLOSE)
    with closing(Stranger(parley.ports[0])) as stranger:
        stranger.send(first + first + last)
        received = stranger.rest()
    assert received.count(b"HTTP/1.1 ") == 3
    assert received.endswith(b'{"status": "ok", "checks": {}}')


def test_a_client_that_asks_whether_to_go_on_is_told(parley: Served) -> None:
    expecting = {"Expect": "100-continue", **CLOSE}
    with closing(Stranger(parley.ports[0])) as stranger:
        stranger.send(head("POST", "/oauth/token", Content_Length="3", **expecting))
        assert stranger.socket.recv(100) == b"HTTP/1.1 100 Continue\r\n\r\n"
        assert stranger.ask(b"a=b")[0] == 400
    with closing(Stranger(parley.ports[0])) as stranger:
        too_large = head("POST", "/oauth/token", Content_Length=str(10**9), **expecting)
        stranger.send(too_large)
        assert answer_of(stranger.rest())[0] == 413
