"""Error reports to Sentry and traces by OpenTelemetry, each only if a setting gives its target.

Both start in the process that works, since their threads do not survive a fork. If neither is set,
neither is imported, except the part of OpenTelemetry that Redis's client imports.
`core.ops.redaction` cleans everything they send. Of a request, they send only its method and the
pattern of its URL.
"""

from collections.abc import Mapping, Sequence
from functools import cache
from typing import TYPE_CHECKING, Any

from django.conf import settings
from structlog.contextvars import get_contextvars

from core.db import outages
from core.ops import redaction
from core.web import clients

if TYPE_CHECKING:
    from opentelemetry.sdk.trace import Event as SpanEvent
    from opentelemetry.sdk.trace import ReadableSpan
    from sentry_sdk.types import Event, Hint

# What a span may say; of all else nobody has judged whether it is secret.
_ATTRIBUTES = {
    "http.method",
    "http.request.method",
    "http.route",
    "http.status_code",
    "http.response.status_code",
    "db.system",
    "db.system.name",
    "db.operation",
    "db.operation.name",
    "db.statement",
    "db.query.text",
    "celery.action",
    "celery.task_name",
    "celery.state",
    "messaging.message.id",
    "messaging.destination",
    "exception.type",
    "exception.message",
    "exception.stacktrace",
    "error.type",
}
# Probes have no span.
_PROBES, _SPANS = "core.ops.health.ProbesMiddleware", "core.ops.tracing.SpanMiddleware"


@cache
def start() -> None:
    """Start the configured services, once a process.

    Call it before the application starts, because tracing adds a middleware.
    """
    if settings.SENTRY_DSN:
        _report()
    if settings.OTEL_EXPORTER_OTLP_ENDPOINT:
        _trace()


# --- Sentry -----------------------------------------------------------------------------------


def _report() -> None:
    import sentry_sdk

    sentry_sdk.init(
        dsn=settings.SENTRY_DSN,
        environment=settings.SENTRY_ENVIRONMENT,
        traces_sample_rate=settings.SENTRY_TRACES_SAMPLE_RATE,
        max_request_body_size="never",
        include_local_variables=False,
        # Outgoing requests go to whom strangers choose: they learn nothing of us.
        trace_propagation_targets=[],
        before_send=_clean_error,
        before_send_transaction=_clean_event,
    )


def _clean_error(event: "Event", hint: "Hint") -> "Event | None":
    """Clean an error. None for an outage, in which each request would make a report."""
    _kind, error, _traceback = hint.get("exc_info") or (None, None, None)
    return None if outages.is_outage(error) else _clean_event(event, hint)


def _clean_event(event: "Event", hint: "Hint") -> "Event":
    """Clean an error or a transaction, with all the breadcrumbs and spans in it."""
    told: dict[str, Any] = redaction.clean(event)
    request, account = told.pop("request", {}), clients.account()
    if "method" in request:
        told["request"] = {"method": request["method"]}
    # Of an address that no view answers the name would be the address.
    if told.get("transaction_info", {}).get("source") == "url":
        told["transaction"] = "unknown"
    told.pop("user", None)
    if account is not None:
        told["user"] = {"id": str(account)}
    if request_id := get_contextvars().get("request_id"):
        told["tags"] = {**(told.get("tags") or {}), "request_id": request_id}
    return told  # type: ignore[return-value]  # a TypedDict, cleaned


# --- OpenTelemetry ----------------------------------------------------------------------------


def _trace() -> None:
    from opentelemetry import trace
    from opentelemetry.exporter.otlp.proto.http.trace_exporter import OTLPSpanExporter
    from opentelemetry.instrumentation.celery import CeleryInstrumentor
    from opentelemetry.instrumentation.psycopg import PsycopgInstrumentor
    from opentelemetry.sdk.resources import Resource
    from opentelemetry.sdk.trace import TracerProvider
    from opentelemetry.sdk.trace.export import BatchSpanProcessor

    from core.ops.tracing import QuietSampler

    class Exporter(OTLPSpanExporter):
        def export(self, spans: "Sequence[ReadableSpan]") -> Any:
            return super().export([clean_span(span) for span in spans])

    endpoint = settings.OTEL_EXPORTER_OTLP_ENDPOINT.rstrip("/")
    provider = TracerProvider(
        resource=Resource.create({"service.name": settings.OTEL_SERVICE_NAME})
    )
    provider.sampler = QuietSampler(provider.sampler)
    provider.add_span_processor(BatchSpanProcessor(Exporter(endpoint=f"{endpoint}/v1/traces")))
    trace.set_tracer_provider(provider)
    settings.MIDDLEWARE.insert(settings.MIDDLEWARE.index(_PROBES) + 1, _SPANS)
    PsycopgInstrumentor().instrument()
    CeleryInstrumentor().instrument()  # type: ignore[no-untyped-call]


def clean_span(span: "ReadableSpan") -> "ReadableSpan":
    """Return a copy of the span that holds only the attributes that a span may show."""
    from opentelemetry.sdk.trace import ReadableSpan
    from opentelemetry.trace import Status

    return ReadableSpan(
        name=redaction.text(span.name),
        context=span.context,
        parent=span.parent,
        resource=span.resource,
        attributes=_clean_attributes(span.attributes),
        events=[_clean_span_event(event) for event in span.events],
        links=span.links,
        kind=span.kind,
        status=Status(
            span.status.status_code,
            span.status.description and redaction.text(span.status.description),
        ),
        start_time=span.start_time,
        end_time=span.end_time,
        instrumentation_scope=span.instrumentation_scope,
    )


def _clean_span_event(event: "SpanEvent") -> "SpanEvent":
    from opentelemetry.sdk.trace import Event

    return Event(redaction.text(event.name), _clean_attributes(event.attributes), event.timestamp)


def _clean_attributes(attributes: Mapping[str, Any] | None) -> dict[str, Any]:
    return {
        name: redaction.clean(value)
        for name, value in (attributes or {}).items()
        if name in _ATTRIBUTES
    }
