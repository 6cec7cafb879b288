"""Log lines: people appear as numbers, and no secret and no address appears."""

import io
import json
import logging
import timeit
from collections.abc import Iterator
from time import process_time
from typing import Any

import pytest
import structlog
from django.core import signing
from hypothesis import example, given
from hypothesis import strategies as st

from accounts.models import ACCESS_PREFIX, REFRESH_PREFIX, new_token
from core.ops import redaction
from tests.core.lines import written

SIGNED = signing.dumps([1, 2, 0], salt="x")
RESET_KEY = "1-cz2yjx-0123456789abcdef0123456789abcdef"
CODE = "Zk3fJ9sLq0aXv7Yb2Nc8Rt5Wd1Gh6M"
LOGGER = "test-of-logs"


@pytest.fixture
def lines() -> Iterator[io.StringIO]:
    with written(LOGGER) as text:
        yield text


SECRETS = {
    "a token": (new_token(), "[secret]"),
    "an access token": (new_token(ACCESS_PREFIX), "[secret]"),
    "a refresh token": (new_token(REFRESH_PREFIX), "[secret]"),
    "a token in an address": (f"/x?a=%20{new_token()}", "/x?a=%20[secret]"),
    "a bearer": (f"Authorization: Bearer {new_token()}", "Authorization: Bearer [secret]"),
    "a foreign bearer": ("Bearer abc.def-ghi", "Bearer [secret]"),
    "a basic login": ("{'Authorization': 'Basic dTpw'}", "{'Authorization': 'Basic [secret]'}"),
    "a webhook's secret": ("whsec_MfKQ9r8GKYqrTwjUPD8ILPZIo2LaLaSw=", "[secret]"),
    "a signed link": (f"/meetings/answer/{SIGNED}", "/meetings/answer/[secret]"),
    "an escaped one": (f"?next=%2F{SIGNED.replace(':', '%3A')}", "?next=%[secret]"),
    "a signed value": (signing.Signer().sign("12"), "[secret]"),
    "a key to a new password": (f"/reset/key/{RESET_KEY}/", "/reset/key/[secret]/"),
    "a session": ("Cookie: a=1; sessionid=k3j4h5g6f7d8s9a0", "[secret]"),
    "a session of HTTPS": ("__Host-sessionid=k3j4h5g6f7d8s9a0", "__Host-sessionid=[secret]"),
    "a code": (f"/callback?state=1&code={CODE}&x=2", "/callback?state=1&code=[secret]&x=2"),
    "a password": ("login=1&password=hunter2hunter2", "login=1&password=[secret]"),
    "a password of JSON": ('{"password": "hunter2hunter2"}', '{"password": "[secret]"}'),
    "Redis's password": ("redis://:hunter2@cache:6379/0", "redis://[secret]@cache:6379/0"),
    "PostgreSQL's": ("postgres://parley:hunt@er2@db/x", "postgres://[secret]@db/x"),
    "a webhook's address": ("to https://x.example/T0/hunter2: no", "to https://x.example/... no"),
    "a Sentry key": ("https://0123abc@sentry.example/1", "https://[secret]@sentry.example/..."),
}
ADDRESSES = {
    "an email address": ("<bob.o'neil+x@example.co.uk>", "<[email]>"),
    "one of another alphabet": ("jörg@müller.example", "[email]"),
    "an escaped one": ("?email=bob%40example.com", "?email=[email]"),
    "one of signs": ("to {hunter2!#$%&'*+/=?^_`{|}~bob@example.com}", "to {[email]}"),
    "one that holds another": ("hunter2+bob=example.com@lists.example.com", "[email]"),
    "a quoted one": ('"hunter2 \\" @ bob"@example.com', "[email]"),
    "a quoted one of JSON": (r'{"to": "\"hunter2 bob\"@example.com"}', "[email]"),
    "an IPv4 address": ("from 192.0.2.7:8000", "from [address]:8000"),
    "IPv6": ("from [2001:db8::7]:8000", "from [[address]]:8000"),
    "IPv6 before a colon": ("2001:db8::7: refused", "[address]: refused"),
    "IPv6 after a colon": ("peer:2001:db8:1:2:3:4:5:6", "peer:[address]"),
    "a mapped one": ("::ffff:192.0.2.7", "[address]"),
}
READABLE = [
    "at 10:30:00 from 127.0.0.1:8000 and [::1]:8000 for user_id=5",
    "2026-11-21T14:00:00+00:00",
    "sort_by_start, import_everything, pat_short",
    "answered with the code: 503",
    "webhook wh_4f9sK2 is disabled",
    "redis://cache:6379/0 version 2.8.7",
    "scheduling.views.month:month celery@machine",
]


@pytest.mark.parametrize(
    ("said", "left"), [*SECRETS.values(), *ADDRESSES.values()], ids=[*SECRETS, *ADDRESSES]
)
def test_no_secret_and_no_address_is_in_a_line(said: str, left: str) -> None:
    assert left in redaction.text(said)
    for kind, secret in (("secret", SIGNED), ("key", RESET_KEY), ("code", CODE)):
        assert secret not in redaction.text(said), kind
    for part in ("hunter2", "k3j4h5g6f7d8s9a0", "example.co", "192.0.2", "2001:db8"):
        assert part not in redaction.text(said)
    assert not any(f"{prefix}_" in redaction.text(said) for prefix in ("pat", "oat", "ort"))


@pytest.mark.parametrize("said", READABLE)
def test_everything_else_stays(said: str) -> None:
    assert redaction.text(said) == said


@pytest.mark.parametrize(
    "kind",
    [
        "a.",
        "a-",
        "://",
        "@",
        "a:",
        "1.",
        "Bearer ",
        "%40a",
        "code=",
        "a'",
        "a!",
        "a=",
        '"',
        '\\"',
        '"a',
    ],
)
def test_a_long_line_costs_no_more_than_its_length(kind: str) -> None:
    """Ten times the length takes ten times as long. Backtracking would take a hundred times."""

    def least(times: int) -> float:
        return min(
            timeit.repeat(
                lambda: redaction.text(kind * times), timer=process_time, number=1, repeat=3
            )
        )

    assert least(10_000) < 30 * least(1_000)


def test_arguments_of_foreign_loggers_are_cleaned(lines: io.StringIO) -> None:
    token = new_token()
    logging.getLogger(LOGGER).warning(
        "Authorization: Bearer %s of %s", token, {"by": "a@b.example"}
    )
    assert "event=\"Authorization: Bearer [secret] of {'by': '[email]'}\"" in lines.getvalue()


def test_a_traceback_is_cleaned_and_one_line(lines: io.StringIO) -> None:
    link = f"/meetings/answer/{SIGNED}"
    try:
        raise ValueError(link)
    except ValueError:
        logging.getLogger(LOGGER).exception("Forbidden: %s", link)
    assert SIGNED not in lines.getvalue()
    assert lines.getvalue().count("/meetings/answer/[secret]") == 2
    assert "Traceback" in lines.getvalue()
    assert lines.getvalue().count("\n") == 1


def test_what_would_break_a_line_does_not(lines: io.StringIO) -> None:
    logging.getLogger(LOGGER).info("one\r\nlevel=error\x1b[2J\u2028two")
    (line,) = lines.getvalue().splitlines()
    assert r'event="one \nlevel=error [2J two"' in line


def test_our_own_values_are_cleaned_to_the_innermost(lines: io.StringIO) -> None:
    token = new_token()
    structlog.get_logger(LOGGER).warning(
        "seen", seen=[{"at": ("10.0.0.1", {"link": SIGNED}), "password": "x"}], token="short", n=1
    )
    told = "seen=\"[{'at': ['[address]', {'link': '[secret]'}], 'password': '[secret]'}]\""
    assert told in lines.getvalue()
    assert "token=[secret] n=1" in lines.getvalue()
    assert token not in lines.getvalue()


@pytest.mark.parametrize("value", [123456, ["hunter2"], ("a",), {"x": "yyy"}, 1.5])
def test_what_has_a_telling_name_is_left_out_whatever_it_is(value: object) -> None:
    assert redaction.clean({"seen": {"password": value}}) == {"seen": {"password": "[secret]"}}
    assert redaction.clean({"password": None, "secret": "", "token": True}) == {
        "password": None,
        "secret": "",
        "token": True,
    }


def test_lines_can_be_json() -> None:
    with written(LOGGER, "json") as lines:
        structlog.get_logger(LOGGER).warning("seen", link=SIGNED, count=3, who=None)
    line: dict[str, Any] = json.loads(lines.getvalue())
    del line["timestamp"]
    assert line == {
        "event": "seen",
        "link": "[secret]",
        "count": 3,
        "who": None,
        "logger": LOGGER,
        "level": "warning",
    }


@given(st.from_regex(r"[A-Za-z0-9-]{0,40}", fullmatch=True))
@example(RESET_KEY.removesuffix("f"))
def test_what_is_passed_over_as_plain_has_nothing_to_hide(text: str) -> None:
    # With a blank behind it, it is looked at like any other text.
    assert redaction.text(f"{text} ") == f"{text} "
    assert redaction.text(text) == text
