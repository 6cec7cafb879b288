"""Request bodies that the server cannot read: Django refuses them under any WSGI server."""

import pytest
from django.test import Client

CHUNKED, GZIP = {"Transfer-Encoding": "chunked"}, {"Content-Encoding": "gzip"}
PATHS = ["/api/v1/events", "/api/v3/meeting/create", "/oauth/token", "/nothing"]


@pytest.mark.parametrize("path", PATHS)
@pytest.mark.parametrize(
    ("headers", "status"),
    [(CHUNKED, 411), (GZIP, 415), ({"Transfer-Encoding": "gzip, chunked"}, 415)],
)
def test_a_body_that_nobody_can_read_is_refused(
    client: Client, path: str, headers: dict[str, str], status: int
) -> None:
    answer = client.post(path, "{}", content_type="application/json", headers=headers)
    said = answer.json()
    assert answer.status_code == status
    assert said["error"] in (status, "length_required", "unsupported_media_type")
    assert answer["Cache-Control"] == "no-store"
    assert ("Access-Control-Allow-Origin" in answer) == path.startswith("/api/")
    assert "X-RateLimit-Limit" not in answer


@pytest.mark.parametrize("coding", ["identity", "", " Identity "])
def test_a_body_that_is_as_it_is_may_say_so(client: Client, coding: str) -> None:
    answer = client.post(
        "/api/v1/x", "{}", content_type="application/json", headers={"Content-Encoding": coding}
    )
    assert answer.status_code == 404


def test_where_there_is_no_body_nothing_is_compressed(client: Client) -> None:
    assert client.get("/api/v1/x", headers=GZIP).status_code == 404
