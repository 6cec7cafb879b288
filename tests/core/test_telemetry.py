"""Crash reports to Sentry and by OTLP: they contain no secret in clear."""

import gzip
import json
import os
import subprocess
import sys
from pathlib import Path
from typing import Any
from urllib.parse import urlsplit

import pytest
from django.core import signing
from opentelemetry.proto.collector.trace.v1.trace_service_pb2 import ExportTraceServiceRequest
from opentelemetry.proto.trace.v1.trace_pb2 import Span

from accounts.models import new_token
from tests import wire
from tests.core import crashing
from tests.core.starting import refusal

ROOT = Path(__file__).resolve().parents[2]
TOKEN = new_token()
LINK = signing.dumps([TOKEN], salt="x")
SECRETS = [
    TOKEN,
    LINK,
    crashing.HEADER,
    crashing.LOCAL,
    crashing.PARAMETER,
    crashing.PASSWORD,
    crashing.CODE,
    crashing.QUERY,
    crashing.UNKNOWN,
    crashing.HOOK,
    "bob@example.com",
    "192.0.2.7",
]


def run(tmp_path: Path, *module: str, **environment: str) -> "subprocess.CompletedProcess[str]":
    """Run a process of this module with these settings and return the completed process."""
    inherited = {name: os.environ[name] for name in ("PATH", "DATABASE_URL") if name in os.environ}
    inherited["DJANGO_SETTINGS_MODULE"] = "config.settings"
    keys = {name: os.environ[name] for name in ("SECRET_KEY", "ENCRYPTION_KEYS")}
    ended = subprocess.run(
        [sys.executable, "-m", *module],
        env=inherited | keys | {"DATA_DIR": str(tmp_path), "HOME": str(tmp_path)} | environment,
        cwd=ROOT,
        capture_output=True,
        text=True,
        timeout=60,
        check=False,
    )
    assert ended.returncode == 0, ended.stderr
    return ended


def crash(tmp_path: Path, **environment: str) -> str:
    """Return the output of a process that crashes with these settings; check stderr for secrets."""
    ended = run(tmp_path, "tests.core.crashing", LINK, **environment)
    assert [
        secret for secret in SECRETS if secret in ended.stderr.replace(crashing.UNKNOWN, "")
    ] == []
    return ended.stdout


def bodies(endpoint: wire.Endpoint, path: str) -> list[bytes]:
    return [
        gzip.decompress(call.body) if call.headers.get("content-encoding") == "gzip" else call.body
        for call in endpoint.received
        if urlsplit(call.path).path == path
    ]


def found_in(sent: list[bytes]) -> list[str]:
    return [secret for secret in SECRETS if any(secret.encode() in body for body in sent)]


@pytest.mark.both
def test_nothing_is_imported_that_is_not_set(tmp_path: Path) -> None:
    assert crash(tmp_path).splitlines() == [
        "500 Internal Server Error",
        "404 Not Found",
        "imported:",
    ]


@pytest.mark.both
def test_an_error_report_has_no_secret_and_no_address(tmp_path: Path) -> None:
    with wire.endpoint() as endpoint:
        host = urlsplit(endpoint.url).netloc
        crash(
            tmp_path,
            SENTRY_DSN=f"http://public@{host}/42",
            SENTRY_ENVIRONMENT="tests",
            SENTRY_TRACES_SAMPLE_RATE="1",
        )
        sent = bodies(endpoint, "/api/42/envelope/")
    events: dict[str, list[Any]] = {"event": [], "transaction": []}
    for body in sent:
        lines = body.splitlines()
        for header, item in zip(lines[1::2], lines[2::2], strict=False):
            events.setdefault(json.loads(header)["type"], []).append(json.loads(item))
    (error,) = events["event"]
    (value,) = error["exception"]["values"]
    assert value["type"] == "ValueError"
    assert value["value"] == "no [secret] for [email] at [address] by https://hooks.example/..."
    assert (error["transaction"], error["environment"]) == ("/crash/{token}", "tests")
    assert error["request"] == {"method": "POST"}
    assert error["tags"]["request_id"] == "request-1"
    assert "user" not in error
    names = sorted(transaction["transaction"] for transaction in events["transaction"])
    assert names == ["/crash/{token}", "unknown"]
    assert found_in(sent) == []
    assert found_in([f"{TOKEN} {LINK}".encode()]) == [TOKEN, LINK]


def spans_in(sent: list[bytes]) -> list[Span]:
    spans: list[Span] = []
    for body in sent:
        (resource,) = ExportTraceServiceRequest.FromString(body).resource_spans
        told = {pair.key: pair.value.string_value for pair in resource.resource.attributes}
        assert told["service.name"] == "parley-tests"
        spans += [span for scope in resource.scope_spans for span in scope.spans]
    return spans


@pytest.mark.both
def test_each_request_of_the_api_has_a_span_named_by_its_route(tmp_path: Path) -> None:
    with wire.endpoint() as endpoint:
        ended = run(
            tmp_path,
            "tests.core.asking",
            OTEL_EXPORTER_OTLP_ENDPOINT=endpoint.url.removesuffix("/hook"),
            OTEL_SERVICE_NAME="parley-tests",
            API_RATE_LIMITS="4/min",
        )
        sent = bodies(endpoint, "/v1/traces")
    assert ended.stdout.split() == ["401", "401", "404", "400", "204", "411", "429", "200"]
    assert [(span.name, status) for span in spans_in(sent) for status in status_of(span)] == [
        ("GET api/v1/users/me", 401),
        ("PATCH api/v1/events/<str:key>", 401),
        ("GET api/", 404),
        ("GET unknown", 400),
        ("OPTIONS unknown", 204),
        ("POST unknown", 411),
        ("GET unknown", 429),
    ]
    for telling in (b"secret-path", b"evt_", b"192.0.2.7", b"wrong.example"):
        assert telling not in b"".join(sent)


def status_of(span: Span) -> list[int]:
    return [each.value.int_value for each in span.attributes if each.key == "http.status_code"]


@pytest.mark.both
def test_a_trace_has_no_secret_and_no_address(tmp_path: Path) -> None:
    with wire.endpoint() as endpoint:
        crash(
            tmp_path,
            OTEL_EXPORTER_OTLP_ENDPOINT=endpoint.url.removesuffix("/hook"),
            OTEL_SERVICE_NAME="parley-tests",
        )
        sent = bodies(endpoint, "/v1/traces")
    spans = spans_in(sent)
    (request,) = [span for span in spans if span.name == "POST crash/<str:token>"]
    attributes = {pair.key for pair in request.attributes}
    assert {"http.method", "http.route", "http.status_code"} <= attributes
    assert not attributes & {"http.target", "http.url", "net.peer.ip", "http.user_agent"}
    (event,) = request.events
    message = {pair.key: pair.value.string_value for pair in event.attributes}["exception.message"]
    assert message == "no [secret] for [email] at [address] by https://hooks.example/..."
    assert found_in(sent) == []


@pytest.mark.parametrize(
    ("name", "value"),
    [
        ("SENTRY_DSN", "pass-word"),
        ("SENTRY_DSN", "https://sentry.example/pass-word"),
        ("SENTRY_TRACES_SAMPLE_RATE", "pass-word"),
        ("SENTRY_TRACES_SAMPLE_RATE", "2"),
        ("OTEL_EXPORTER_OTLP_ENDPOINT", "grpc://pass-word:4317"),
        ("OTEL_EXPORTER_OTLP_ENDPOINT", "http://user:pass-word@collector:4318"),
        ("LOG_LEVEL", "pass-word"),
        ("LOG_FORMAT", "pass-word"),
        ("PROMETHEUS_MULTIPROC_DIR", "/proc/pass-word"),
        ("READY_SWEEP_SECONDS", "pass-word"),
    ],
)
def test_a_wrong_setting_stops_the_start_with_one_line(
    tmp_path: Path, name: str, value: str
) -> None:
    line = refusal(DATA_DIR=str(tmp_path), **{name: value})
    assert line.startswith(f"parley: {name} must ")
    assert "\n" not in line
    assert "pass" not in line
