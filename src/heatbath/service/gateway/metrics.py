"""Numbers for operators, in the format of Prometheus.

While requests run they are plain sums in Python; they become metrics when somebody asks for them.
"""

from bisect import bisect_left
from collections.abc import Iterable, Iterator

from prometheus_client import CollectorRegistry, generate_latest
from prometheus_client.core import CounterMetricFamily, GaugeMetricFamily, HistogramMetricFamily, Metric

from heatbath.service.gateway.upstream import Upstream

SECONDS = (0.0005, 0.001, 0.0025, 0.005, 0.01, 0.025, 0.05, 0.1, 0.25, 0.5, 1, 2.5, 5, 10, 30, 60, 120)
"""Borders of the histograms."""


class Histogram:
    """Counts between the borders, and their sum."""

    __slots__ = ("counts", "total")

    def __init__(self) -> None:
        self.counts = [0] * (len(SECONDS) + 1)
        self.total = 0.0

    def add(self, seconds: float) -> None:
        """Count one."""
        self.counts[bisect_left(SECONDS, seconds)] += 1
        self.total += seconds

    def buckets(self) -> Iterator[tuple[str, float]]:
        """Border and how many lie at or below it."""
        below = 0
        for border, count in zip((*map(str, SECONDS), "+Inf"), self.counts, strict=True):
            below += count
            yield border, below


class Metrics:
    """All numbers of one gateway; a collector of prometheus_client."""

    def __init__(self) -> None:
        self.requests: dict[tuple[str, str, str], int] = {}
        """By route, task and status; the names are those of the configuration, so that clients cannot add any."""
        self.seconds: dict[str, Histogram] = {}
        self.first: dict[str, Histogram] = {}
        self.decide = Histogram()
        """Between the request's arrival and its going on to the upstream."""
        self.rejections: dict[str, int] = {}
        """By route, how often it was learned that a model takes no temperature."""
        self.unrecorded = 0
        """Decisions that the recorder failed to keep."""
        self.reloads = {"done": 0, "refused": 0}
        self.running = 0
        self.upstreams: Iterable[Upstream] = ()
        self._registry = CollectorRegistry(auto_describe=False)
        self._registry.register(self)

    def finished(self, route: str, task: str, status: int, seconds: float, first: float | None) -> None:
        """Count an answered request."""
        key = (route, task, str(status))
        self.requests[key] = self.requests.get(key, 0) + 1
        self._of(self.seconds, route).add(seconds)
        if first is not None:
            self._of(self.first, route).add(first)

    @staticmethod
    def _of(histograms: dict[str, Histogram], route: str) -> Histogram:
        found = histograms.get(route)
        if found is None:
            found = histograms[route] = Histogram()
        return found

    def collect(self) -> Iterator[Metric]:
        """The numbers as metrics."""
        requests = CounterMetricFamily("heatbath_requests", "Requests answered.", labels=("route", "task", "status"))
        for labels, count in self.requests.items():
            requests.add_metric(labels, count)
        yield requests
        for name, text, found in (
            ("heatbath_request_seconds", "Until the last byte.", self.seconds),
            ("heatbath_first_seconds", "Until the first byte of a stream.", self.first),
        ):
            family = HistogramMetricFamily(name, text, labels=("route",))
            for route, histogram in found.items():
                family.add_metric((route,), [*histogram.buckets()], histogram.total)
            yield family
        family = HistogramMetricFamily(
            "heatbath_decide_seconds", "From the whole request to its sending on.", labels=()
        )
        family.add_metric((), [*self.decide.buckets()], self.decide.total)
        yield family
        rejections = CounterMetricFamily(
            "heatbath_temperature_rejections", "Times a model was seen to take no temperature.", labels=("route",)
        )
        for route, count in self.rejections.items():
            rejections.add_metric((route,), count)
        yield rejections
        reloads = CounterMetricFamily("heatbath_reloads", "Reloads of the configuration.", labels=("outcome",))
        for outcome, count in self.reloads.items():
            reloads.add_metric((outcome,), count)
        yield reloads
        yield CounterMetricFamily("heatbath_unrecorded", "Decisions that could not be recorded.", value=self.unrecorded)
        yield GaugeMetricFamily("heatbath_running", "Requests being answered.", value=self.running)
        attempts = CounterMetricFamily(
            "heatbath_upstream_attempts", "Tries, by the status or the error.", labels=("upstream", "outcome")
        )
        opened = GaugeMetricFamily("heatbath_breaker_open", "1 while an upstream is left alone.", labels=("upstream",))
        for upstream in self.upstreams:
            opened.add_metric((upstream.name,), float(upstream.breaker.state == "open"))
            for outcome, count in upstream.attempts.items():
                attempts.add_metric((upstream.name, outcome), count)
        yield attempts
        yield opened

    def text(self) -> bytes:
        """The page that a scraper reads."""
        return generate_latest(self._registry)
