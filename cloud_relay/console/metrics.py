"""The cloud in figures for Prometheus. docs/api.md names every metric. Start at `exposition`."""

from collections.abc import Iterator

import msgspec
from prometheus_client import CONTENT_TYPE_LATEST, CollectorRegistry, generate_latest
from prometheus_client.core import CounterMetricFamily, GaugeMetricFamily, Metric
from prometheus_client.registry import Collector


class Figures(msgspec.Struct, frozen=True):
    """Of this node. `batch_seconds`: the slowest batch of the last minute, from its arrival to its commit."""

    version: str
    links: int
    ops: int
    batch_seconds: float
    http_faults: int


def exposition(figures: Figures) -> tuple[bytes, str]:
    """The text and its content type."""
    registry = CollectorRegistry()
    registry.register(CloudMetrics(figures))
    return generate_latest(registry), CONTENT_TYPE_LATEST


class CloudMetrics(Collector):
    def __init__(self, figures: Figures) -> None:
        self._figures = figures

    def collect(self) -> Iterator[Metric]:
        now = self._figures
        about = GaugeMetricFamily("gatepost_info", "The version that runs.", labels=["version"])
        about.add_metric([now.version], 1)
        yield about
        yield GaugeMetricFamily("gatepost_cloud_links", "Boxes whose link is at this node.", now.links)
        yield CounterMetricFamily("gatepost_cloud_ops", "Facts of boxes acknowledged since the start.", now.ops)
        slow = "The slowest batch of the last minute, from its arrival to its commit."
        yield GaugeMetricFamily("gatepost_cloud_batch_seconds", slow, now.batch_seconds)
        told = "Requests that ended in an unexpected exception."
        yield CounterMetricFamily("gatepost_http_faults", told, now.http_faults)
