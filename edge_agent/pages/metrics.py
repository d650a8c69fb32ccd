"""The box in figures for Prometheus. Nothing is counted here; loaded when somebody asks for the first time.

Start at `exposition`; `compose` says where the figures come from. docs/api.md names every metric.
"""

from collections.abc import Iterator

from prometheus_client import CONTENT_TYPE_LATEST, CollectorRegistry, generate_latest
from prometheus_client.core import CounterMetricFamily, GaugeMetricFamily, Metric
from prometheus_client.registry import Collector

from edge_agent.pages.ports import Figures


def exposition(figures: Figures, http_faults: int, live_pages: int) -> tuple[bytes, str]:
    """The text and its content type."""
    registry = CollectorRegistry()
    registry.register(BoxMetrics(figures, http_faults, live_pages))
    return generate_latest(registry), CONTENT_TYPE_LATEST


class BoxMetrics(Collector):
    def __init__(self, figures: Figures, http_faults: int, live_pages: int) -> None:
        self._figures = figures
        self._http_faults = http_faults
        self._live_pages = live_pages

    def collect(self) -> Iterator[Metric]:
        now = self._figures
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
        if now.relay_connected is not None:
            yield GaugeMetricFamily("gatepost_relay_connected", "1 while the cloud is there.", int(now.relay_connected))
            yield GaugeMetricFamily("gatepost_relay_backlog", "Facts the cloud has not got yet.", now.relay_backlog)
            tries = "Links that were tried since the start."
            yield CounterMetricFamily("gatepost_relay_attempts", tries, now.relay_attempts)
        yield from self._measured()
        told = "Requests that ended in an unexpected exception."
        yield CounterMetricFamily("gatepost_http_faults", told, self._http_faults)
        yield GaugeMetricFamily("gatepost_http_live_pages", "Open live streams.", self._live_pages)

    def _measured(self) -> Iterator[Metric]:
        """What is not of now is not told: a gap says more than an old value."""
        meter_ok = GaugeMetricFamily("gatepost_meter_ok", "1 while the meter is read.", labels=["meter"])
        meter = GaugeMetricFamily("gatepost_meter_value", "In V, A, W, Hz, Wh.", labels=["meter", "quantity", "phase"])
        labels = ["charge_point", "connector", "quantity", "phase"]
        point = GaugeMetricFamily("gatepost_charge_point_value", "In V, A, W, Hz, Wh, as it told.", labels=labels)
        for each in self._figures.measured:
            if each.kind == "meter":
                meter_ok.add_metric([each.id], int(each.online))
            for key, value in each.values.items() if each.online else ():
                quantity, _, phase = key.partition(".")
                if each.kind == "meter":
                    meter.add_metric([each.id, quantity, phase], value)
                else:
                    point.add_metric([each.id, str(each.connector), quantity, phase], value)
        yield from (meter_ok, meter, point)
