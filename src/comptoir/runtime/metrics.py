"""What this process does, counted for Prometheus. No label names a tenant, a company or a connection.

Counters and histograms are of this process alone; `figures` are looked up when they are asked for, and told alike by
every process of an installation.
"""

from __future__ import annotations

from collections.abc import Callable, Iterable, Mapping

import msgspec
import prometheus_client
from prometheus_client import CollectorRegistry, Counter, Histogram
from prometheus_client.core import GaugeMetricFamily, Metric
from prometheus_client.registry import Collector

__all__ = ["CONTENT_TYPE", "Figure", "Metrics"]

CONTENT_TYPE = prometheus_client.CONTENT_TYPE_LATEST
_METHODS = frozenset({"GET", "HEAD", "POST", "PUT", "PATCH", "DELETE", "OPTIONS"})  # others are any text at all
_ANSWER_SECONDS = (0.001, 0.0025, 0.005, 0.01, 0.025, 0.05, 0.1, 0.25, 0.5, 1, 2.5, 10)
_CALL_SECONDS = (0.025, 0.05, 0.1, 0.25, 0.5, 1, 2.5, 5, 10, 30, 60)
_SYNC_SECONDS = (1, 5, 15, 60, 300, 900, 3600, 4 * 3600, 12 * 3600)


class Figure(msgspec.Struct, frozen=True, kw_only=True):
    """A gauge: one value for each set of its labels' values."""

    name: str
    text: str
    labels: tuple[str, ...] = ()
    values: Mapping[tuple[str, ...], float]


class Metrics:
    """All metrics of an installation. Safe to use from threads."""

    def __init__(self) -> None:
        self._registry = CollectorRegistry()
        self._answers = Counter(
            "comptoir_http_requests",
            "Requests answered, by the pattern of their address.",
            ("surface", "method", "route", "status"),
            registry=self._registry,
        )
        self._answer_seconds = Histogram(
            "comptoir_http_request_duration_seconds",
            "How long requests took until their answer was ready.",
            ("surface", "method", "route"),
            buckets=_ANSWER_SECONDS,
            registry=self._registry,
        )
        self._calls = Counter(
            "comptoir_upstream_calls",
            "Calls to the software that books are read from; status none: no answer came.",
            ("integration", "resource", "status"),
            registry=self._registry,
        )
        self._call_seconds = Histogram(
            "comptoir_upstream_call_duration_seconds",
            "How long those calls took.",
            ("integration",),
            buckets=_CALL_SECONDS,
            registry=self._registry,
        )
        self._refreshes = Counter(
            "comptoir_token_refreshes",
            "Access tokens renewed, refused for good, or to be tried again later.",
            ("integration", "outcome"),
            registry=self._registry,
        )
        self._syncs = Counter("comptoir_syncs", "Syncs that ended.", ("outcome",), registry=self._registry)
        self._sync_seconds = Histogram(
            "comptoir_sync_duration_seconds",
            "How long syncs took from their first call to the check of the books.",
            buckets=_SYNC_SECONDS,
            registry=self._registry,
        )

    def answered(self, surface: str, method: str, route: str, status: int, seconds: float) -> None:
        """A request was answered. `route` is a pattern, never the address itself."""
        method = method if method in _METHODS else "other"
        self._answers.labels(surface, method, route, status).inc()
        self._answer_seconds.labels(surface, method, route).observe(seconds)

    def called(self, integration: str) -> Callable[[str, int | None, float], None]:
        """What is to be told of each call to an integration."""
        calls, took = self._calls, self._call_seconds.labels(integration)

        def called(resource: str, status: int | None, seconds: float) -> None:
            calls.labels(integration, resource, "none" if status is None else status).inc()
            took.observe(seconds)

        return called

    def refreshed(self, integration: str) -> Callable[[str], None]:
        """What is to be told of each renewal of a token."""
        return lambda outcome: self._refreshes.labels(integration, outcome).inc()

    def sync_ended(self, outcome: str, seconds: float) -> None:
        self._syncs.labels(outcome).inc()
        self._sync_seconds.observe(seconds)

    def text(self, figures: Iterable[Figure]) -> bytes:
        """Everything in the text form of Prometheus, with what the process itself uses."""
        asked = CollectorRegistry()
        asked.register(_Once(figures))
        written = map(prometheus_client.generate_latest, (self._registry, asked, prometheus_client.REGISTRY))
        return b"".join(written)


class _Once(Collector):
    def __init__(self, figures: Iterable[Figure]) -> None:
        self._figures = figures

    def describe(self) -> Iterable[Metric]:  # what registering asks for
        return ()

    def collect(self) -> Iterable[Metric]:
        for figure in self._figures:
            gauge = GaugeMetricFamily(figure.name, figure.text, labels=figure.labels)
            for labels, value in figure.values.items():
                gauge.add_metric(labels, value)
            yield gauge
