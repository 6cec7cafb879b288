"""OTLP traces of a server and its worker while nearly nothing happens."""

import gzip
from pathlib import Path

import pytest
from opentelemetry.proto.collector.trace.v1.trace_service_pb2 import ExportTraceServiceRequest

from tests import wire
from tests.services import free_port
from tests.torture.deployment import EMBEDDED_WORKER, ROOT, deployed

pytestmark = [
    pytest.mark.both,
    pytest.mark.skipif(not EMBEDDED_WORKER, reason="the worker is a process of its own"),
]

# In a process of its own, so that no hint reaches the worker: a sweep has to find the row.
MAIL = """
from django.utils import timezone
from tests.outbox import mail

mail("bob@example.com", now=timezone.now())
"""


def names(endpoint: wire.Endpoint) -> set[str]:
    """Return the names of all spans received."""
    bodies = [
        gzip.decompress(call.body) if call.headers.get("content-encoding") == "gzip" else call.body
        for call in endpoint.received
    ]
    return {
        span.name
        for body in bodies
        for resource in ExportTraceServiceRequest.FromString(body).resource_spans
        for scope in resource.scope_spans
        for span in scope.spans
    }


def test_sweeps_make_no_spans_and_what_they_hand_out_does(tmp_path: Path) -> None:
    with (
        wire.endpoint() as endpoint,
        wire.MailServer() as mail,
        deployed(
            tmp_path,
            migrated=True,
            OTEL_EXPORTER_OTLP_ENDPOINT=endpoint.url.removesuffix("/hook"),
            OTEL_BSP_SCHEDULE_DELAY="100",
            EMAIL_URL=mail.url,
            PORT=str(free_port()),
        ) as deployment,
    ):
        with deployment.running(str(ROOT / "manage.py"), "serve", "--no-demo"):
            for number in range(2):  # so that sweeps have run before the second
                deployment.manage("shell", "-v", "0", "-c", MAIL)
                mail.wait_for(lambda _mail: True, count=number + 1)
            wire.until(
                lambda: "run/notifications.tasks.deliver" in names(endpoint),
                what="a span of a task",
            )
        found = names(endpoint)
    assert {"apply_async/notifications.tasks.deliver", "run/notifications.tasks.deliver"} <= found
    assert not [name for name in found if "sweep" in name or "retain" in name]
