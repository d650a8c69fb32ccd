"""The box in figures."""

import msgspec

from edge_agent.pages.metrics import BoxMetrics, exposition
from edge_agent.pages.ports import Figures
from edge_agent.site.measured import Measured
from tests.house.files import ROOT

WELL = Figures(
    version="1.2.3", seq=41, trouble=None, salvaged=False, disk_free_bytes=4096, charge_points_known=14,
    charge_points_connected=9, jobs_open=1, ocpp={"calls_answered": 7, "faults": 1},
)  # fmt: skip


def text_of(figures: Figures) -> str:
    body, content_type = exposition(figures, 2, 3)
    assert content_type.startswith("text/plain")
    return body.decode()


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
        "gatepost_http_faults_total 2.0",
        "gatepost_http_live_pages 3.0",
    ):
        assert line in lines


def test_the_link_to_a_cloud_is_told_where_there_is_one() -> None:
    assert "gatepost_relay" not in text_of(WELL)
    away = msgspec.structs.replace(WELL, relay_connected=False, relay_backlog=12, relay_attempts=3)
    lines = text_of(away).splitlines()
    for line in ("gatepost_relay_connected 0.0", "gatepost_relay_backlog 12.0", "gatepost_relay_attempts_total 3.0"):
        assert line in lines


def test_trouble_is_told_with_its_reason() -> None:
    ill = text_of(msgspec.structs.replace(WELL, trouble="disk_full", salvaged=True, disk_free_bytes=None))
    assert 'gatepost_store_trouble{reason="disk_full"} 1.0' in ill
    assert "gatepost_store_salvaged 1.0" in ill
    assert "gatepost_disk_free_bytes" not in ill


def test_what_is_measured_is_told_while_it_is_of_now() -> None:
    measured = (
        Measured("meter", "1042/Main", "Main", 0, "ok", True, {"power_w.l1": 5.0}),
        Measured("meter", "1042/Old", "Old", 0, "silent", False, {"power_w.l1": 5.0}),
        Measured("charge_point", "CP001", "Bay 1", 2, "connected (available)", True, {"energy_import_wh.total": 9.0}),
    )
    text = text_of(msgspec.structs.replace(WELL, measured=measured))
    for line in (
        'gatepost_meter_ok{meter="1042/Main"} 1.0',
        'gatepost_meter_ok{meter="1042/Old"} 0.0',
        'gatepost_meter_value{meter="1042/Main",phase="l1",quantity="power_w"} 5.0',
        'gatepost_charge_point_value{charge_point="CP001",connector="2",phase="total",quantity="energy_import_wh"} 9.0',
    ):
        assert line in text.splitlines()
    assert 'gatepost_meter_value{meter="1042/Old"' not in text


def test_every_metric_is_documented() -> None:
    document = (ROOT / "docs/api.md").read_text("utf-8")
    names = [each.name + ("_total" if each.type == "counter" else "") for each in BoxMetrics(WELL, 0, 0).collect()]
    assert [name for name in names if f"`{name}`" not in document] == []
