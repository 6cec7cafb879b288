"""The spans that Parley makes itself, and which spans are left out. Imported if traces are sent."""

import sys
from collections.abc import Callable, Sequence
from typing import Any

from django.conf import settings
from django.core.signals import got_request_exception
from django.http import HttpRequest
from django.http.response import HttpResponseBase
from opentelemetry import propagate, trace
from opentelemetry.context import Context
from opentelemetry.sdk.trace import sampling
from opentelemetry.trace import Link, SpanKind, Status, StatusCode, TraceState
from opentelemetry.util.types import Attributes

from core.ops.request_log import route_of

_TRACER = trace.get_tracer("parley")
# Set on the context of a sweep, which has no span, so that what it hands out begins a trace.
_SWEEP = ("parley", "sweep")


class SpanMiddleware:
    """A span for each request, named by its method and its route.

    It stands outside the API's middleware, where refused requests and preflights have one too, and
    asks for no host.
    """

    def __init__(self, get_response: Callable[[HttpRequest], HttpResponseBase]) -> None:
        self._get_response = get_response

    def __call__(self, request: HttpRequest) -> HttpResponseBase:
        method = request.method or ""
        with _TRACER.start_as_current_span(
            method, context=propagate.extract(request.headers), kind=SpanKind.SERVER
        ) as span:
            response = self._get_response(request)
            route = route_of(request, response)
            span.update_name(f"{method} {route}")
            span.set_attributes(
                {
                    "http.method": method,
                    "http.route": route,
                    "http.status_code": response.status_code,
                }
            )
            if response.status_code >= 500:
                span.set_status(Status(StatusCode.ERROR))
            return response


def record_crash(**_: Any) -> None:
    """Add the exception that Django answers with 500 to the span of its request."""
    error = sys.exc_info()[1]
    if error:
        trace.get_current_span().record_exception(error)


got_request_exception.connect(record_crash)


class QuietSampler(sampling.Sampler):
    """Leaves out the sweeps, which run every few seconds and mostly find nothing to do.

    What a sweep hands to a worker begins a trace of its own. A query outside of requests and tasks,
    such as a probe's, has no span either. Of all else `inner` decides.
    """

    def __init__(self, inner: sampling.Sampler) -> None:
        self._inner = inner
        self._sweeps = {
            f"{act}/{name}"
            for name in settings.CELERY_BEAT_SCHEDULE
            for act in ("apply_async", "run")
        }

    def should_sample(
        self,
        parent_context: Context | None,
        trace_id: int,
        name: str,
        kind: SpanKind | None = None,
        attributes: Attributes = None,
        links: Sequence[Link] | None = None,
        trace_state: TraceState | None = None,
    ) -> sampling.SamplingResult:
        parent = trace.get_current_span(parent_context).get_span_context()
        if name in self._sweeps:
            return _drop(TraceState([_SWEEP]))
        if _SWEEP in parent.trace_state.items():
            if kind != SpanKind.PRODUCER:
                return _drop(parent.trace_state)
            parent_context = Context()
        elif kind == SpanKind.CLIENT and not parent.is_valid:
            return _drop(None)
        return self._inner.should_sample(
            parent_context, trace_id, name, kind, attributes, links, trace_state
        )

    def get_description(self) -> str:
        return f"Quiet{{{self._inner.get_description()}}}"


def _drop(state: TraceState | None) -> sampling.SamplingResult:
    return sampling.SamplingResult(sampling.Decision.DROP, trace_state=state)
