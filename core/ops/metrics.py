"""Metrics for Prometheus at /metrics: counts of requests, and the state of work in the database.

Each process counts its requests. If there are several processes, `PROMETHEUS_MULTIPROC_DIR` adds
their counts up. Everything else is queried at the moment of the request, so every process gives the
right numbers.
"""

import os
from collections.abc import Iterator, Mapping, Sequence
from datetime import datetime, timedelta
from importlib import import_module
from typing import Protocol, cast

import structlog
from django.conf import settings
from django.db import DatabaseError
from django.http import HttpRequest, HttpResponse
from django.utils import timezone
from django.utils.crypto import constant_time_compare
from prometheus_client import (
    CollectorRegistry,
    Counter,
    Histogram,
    Metric,
    disable_created_metrics,
    generate_latest,
)
from prometheus_client.core import GaugeMetricFamily
from prometheus_client.exposition import CONTENT_TYPE_PLAIN_0_0_4
from prometheus_client.multiprocess import MultiProcessCollector
from prometheus_client.registry import Collector

RECENT = timedelta(minutes=5)
_METHODS = {"GET", "HEAD", "POST", "PUT", "PATCH", "DELETE", "OPTIONS"}
# A second series for each, for which nobody asks.
disable_created_metrics()  # type: ignore[no-untyped-call]
_OWN = CollectorRegistry()
_REQUESTS = Counter(
    "parley_requests",
    "Requests answered, by route pattern.",
    ["method", "route", "status"],
    registry=_OWN,
)
_SECONDS = Histogram(
    "parley_request_seconds",
    "How long answers took, by route pattern.",
    ["route"],
    registry=_OWN,
    buckets=(0.005, 0.01, 0.025, 0.05, 0.1, 0.25, 0.5, 1.0, 2.5, 5.0, 10.0),
)

log = structlog.get_logger(__name__)


class Part(Protocol):
    """Metrics of one app's own work: `<app>/metrics.py`, named in `settings.MEASURED`."""

    def families(self, now: datetime) -> Iterator[Metric]:
        """Yield the app's metrics, read by queries that an index answers."""

    def behind(self, now: datetime) -> Mapping[str, timedelta]:
        """Return, for each sweep of the app, how long the oldest overdue item has waited."""


def parts() -> list[Part]:
    return [cast(Part, import_module(name)) for name in settings.MEASURED]


def behind(now: datetime) -> dict[str, timedelta]:
    """Return, for each sweep of every app, how long the oldest overdue item has waited."""
    return {sweep: waited for part in parts() for sweep, waited in part.behind(now).items()}


def count(*, method: str, route: str, status: int, seconds: float) -> None:
    """Count an answered request."""
    _REQUESTS.labels(method if method in _METHODS else "other", route, str(status)).inc()
    _SECONDS.labels(route).observe(seconds)


def gauge(
    name: str, help_: str, labels: Sequence[str], values: Mapping[tuple[str, ...], float]
) -> GaugeMetricFamily:
    """Return a metric family of numbers that are true now."""
    family = GaugeMetricFamily(name, help_, labels=labels)
    for names, value in values.items():
        family.add_metric(names, value)
    return family


class _Work(Collector):
    """The metric families of every app. Families with the same name are merged."""

    def collect(self) -> Iterator[Metric]:
        now, found, answers = timezone.now(), dict[str, Metric](), 1.0
        try:
            for part in parts():
                for family in part.families(now):
                    if family.name in found:
                        found[family.name].samples.extend(family.samples)
                    else:
                        found[family.name] = family
            lags: dict[tuple[str, ...], float] = {
                (sweep,): waited.total_seconds() for sweep, waited in behind(now).items()
            }
            lag = "How long the oldest thing has waited that this sweep should have done."
            found["lag"] = gauge("parley_sweep_lag_seconds", lag, ["sweep"], lags)
        except DatabaseError as error:
            log.warning("not_measured", error=type(error).__name__)
            answers, found = 0.0, {}
        yield from found.values()
        yield gauge("parley_database_up", "Whether the database answers.", [], {(): answers})


def answer(request: HttpRequest) -> HttpResponse:
    """Answer /metrics for a caller with `METRICS_TOKEN`.

    If none is set, the page does not exist.
    """
    if not settings.METRICS_TOKEN:
        return HttpResponse(status=404, content_type="text/plain")
    scheme, _, token = request.headers.get("Authorization", "").partition(" ")
    if scheme.lower() != "bearer" or not constant_time_compare(
        token.strip(), settings.METRICS_TOKEN
    ):
        return HttpResponse(
            status=401, content_type="text/plain", headers={"WWW-Authenticate": "Bearer"}
        )
    registry = _OWN
    if os.environ.get("PROMETHEUS_MULTIPROC_DIR"):
        registry = CollectorRegistry()
        MultiProcessCollector(registry)  # type: ignore[no-untyped-call]
    work = CollectorRegistry()
    work.register(_Work())
    text = generate_latest(registry) + generate_latest(work)
    return HttpResponse(text, content_type=CONTENT_TYPE_PLAIN_0_0_4)
