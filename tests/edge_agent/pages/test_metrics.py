"""The box in figures."""

import msgspec
from prometheus_client import CollectorRegistry, generate_latest

from edge_agent.pages.metrics import BoxMetrics, Figures
from tests.house.files import ROOT

WELL = Figures(
    version="1.2.3", seq=41, trouble=None, salvaged=False, disk_free_bytes=4096, charge_points_known=14,
    charge_points_connected=9, jobs_open=1, ocpp={"calls_answered": 7, "faults": 1},
)  # fmt: skip


def text_of(figures: Figures) -> str:
    registry = CollectorRegistry()
    registry.register(BoxMetrics(lambda: figures))
    return generate_latest(registry).decode()


def test_every_figure_is_told() -> None:
    lines = text_of(WELL).splitlines()
    for line in (
        'gatepost_info{version="1.2.3"} 1.0',
        'gatepost_store_trouble{reason=""} 0.0',
        "gatepost_store_salvaged 0.0",
        "gatepost_store_seq 41.0",
        "gatepost_disk_free_bytes 4096.0",
        "gatepost_charge_points_known 14.0",
        "gatepost_charge_points_connected 9.0",
        "gatepost_jobs_open 1.0",
        'gatepost_ocpp_events_total{what="calls_answered"} 7.0',
        'gatepost_ocpp_events_total{what="faults"} 1.0',
    ):
        assert line in lines


def test_trouble_is_told_with_its_reason() -> None:
    ill = text_of(msgspec.structs.replace(WELL, trouble="disk_full", salvaged=True, disk_free_bytes=None))
    assert 'gatepost_store_trouble{reason="disk_full"} 1.0' in ill
    assert "gatepost_store_salvaged 1.0" in ill
    assert "gatepost_disk_free_bytes" not in ill


def test_figures_are_read_when_somebody_asks_and_not_before() -> None:
    asked: list[int] = []

    def figures() -> Figures:
        asked.append(1)
        return WELL

    registry = CollectorRegistry()
    registry.register(BoxMetrics(figures))
    assert asked == []
    generate_latest(registry)
    assert asked == [1]


def test_every_metric_is_documented() -> None:
    document = (ROOT / "docs/api.md").read_text("utf-8")
    registry = CollectorRegistry()
    registry.register(BoxMetrics(lambda: WELL))
    names = [each.name + ("_total" if each.type == "counter" else "") for each in registry.collect()]
    assert [name for name in names if f"`{name}`" not in document] == []
