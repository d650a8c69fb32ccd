"""The box in figures for Prometheus, read when somebody asks. Nothing is counted here.

Start at `BoxMetrics`; `compose` says where the figures come from. docs/api.md names every metric.
"""

from collections.abc import Callable, Iterator, Mapping

import msgspec
from prometheus_client.core import CounterMetricFamily, GaugeMetricFamily, Metric
from prometheus_client.registry import Collector


class Figures(msgspec.Struct, frozen=True):
    """`trouble`: why nothing can be saved, a code. `ocpp`: totals since the start, by what happened."""

    version: str
    seq: int
    trouble: str | None
    salvaged: bool
    disk_free_bytes: int | None
    charge_points_known: int
    charge_points_connected: int
    jobs_open: int
    ocpp: Mapping[str, int]


class BoxMetrics(Collector):
    def __init__(self, figures: Callable[[], Figures]) -> None:
        self._figures = figures

    def describe(self) -> Iterator[Metric]:
        """Nothing: so registering asks for no figures."""
        return iter(())

    def collect(self) -> Iterator[Metric]:
        now = self._figures()
        about = GaugeMetricFamily("gatepost_info", "The version that runs.", labels=["version"])
        about.add_metric([now.version], 1)
        yield about
        trouble = GaugeMetricFamily("gatepost_store_trouble", "1 while nothing can be saved.", labels=["reason"])
        trouble.add_metric([now.trouble or ""], int(now.trouble is not None))
        yield trouble
        yield GaugeMetricFamily("gatepost_store_salvaged", "1 until a salvage is acknowledged.", int(now.salvaged))
        yield GaugeMetricFamily("gatepost_store_seq", "Key of the newest committed fact.", now.seq)
        if now.disk_free_bytes is not None:
            yield GaugeMetricFamily("gatepost_disk_free_bytes", "What may still be written.", now.disk_free_bytes)
        yield GaugeMetricFamily("gatepost_charge_points_known", "Stations on record.", now.charge_points_known)
        yield GaugeMetricFamily("gatepost_charge_points_connected", "Served now.", now.charge_points_connected)
        yield GaugeMetricFamily("gatepost_jobs_open", "Jobs that are open.", now.jobs_open)
        ocpp = CounterMetricFamily("gatepost_ocpp_events", "On the OCPP port, since the start.", labels=["what"])
        for what, number in sorted(now.ocpp.items()):
            ocpp.add_metric([what], number)
        yield ocpp
