"""Request handler: malformed character sets and content types crash nothing."""

from collections.abc import Callable
from typing import Any

import pytest
from django.test.client import FakePayload, RequestFactory
from pytest_django import Settings

from core.web.handler import Handler
from tests.pages import stand_alone

pytestmark = pytest.mark.django_db


def answered(path: str, content_type: str) -> int:
    """Return the status that the handler gives the server for this request."""
    environ = RequestFactory().post(f"{path}?a=%41").environ
    environ |= {
        "CONTENT_TYPE": content_type,
        "CONTENT_LENGTH": "3",
        "wsgi.input": FakePayload(b"a=1"),
    }
    told: list[Any] = []

    def start_response(status: str, headers: Any, failure: Any = None, /) -> Callable[[bytes], Any]:
        told.append(status)
        return told.append

    Handler()(environ, start_response)
    return int(told[0].split()[0])


@pytest.mark.parametrize("charset", ["hex", "idna", "utf-16", "utf-7", "nothing", "x" * 5000])
@pytest.mark.parametrize("kind", ["multipart/form-data; boundary=x", "text/plain"])
def test_a_charset_that_is_none_crashes_nothing(
    settings: Settings, kind: str, charset: str
) -> None:
    stand_alone(settings)
    content_type = f"{kind}; charset={charset}"
    assert answered("/accounts/login/", content_type) == 403  # no CSRF token could be read
    assert answered("/api/v1/events", content_type) == 401


@pytest.mark.parametrize(
    "parameter", ["charset*=bogus''abc", "x*=idna''abc", "x*" + "9" * 5000, "boundary*=hex''abc"]
)
@pytest.mark.parametrize("kind", ["multipart/form-data", "application/json", "text/plain"])
def test_a_content_type_that_cannot_be_taken_apart_crashes_nothing(
    settings: Settings, kind: str, parameter: str
) -> None:
    stand_alone(settings)
    content_type = f"{kind}; {parameter}"
    assert answered("/accounts/login/", content_type) == 403
    assert answered("/api/v1/events", content_type) == 401
