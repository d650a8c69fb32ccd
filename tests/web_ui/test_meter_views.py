"""Meters as a page shows them."""

from datetime import timedelta

import msgspec

from sitelink.events import MeterListed
from sitelink.model import SiteState
from tests.sitelink.builders import WHEN, Site, bay
from web_ui.meter_views import MeterView, meters_of
from web_ui.ports import MeterState, Relay, Snapshot

MAIN = MeterListed("Main", "abb-b23", "tcp://192.0.2.7", 3)


def view(state: MeterState | None = None, *, in_cloud: bool = False) -> MeterView:
    site = Site()
    site.imported(bay())
    job = msgspec.structs.replace(site.job, meters=(MAIN,))
    known = {(job.id, "Main"): state} if state is not None else {}
    snapshot = Snapshot(SiteState(), WHEN, 1, {}, {}, Relay(), None, "ws://192.0.2.1/", in_cloud=in_cloud, meters=known)
    (found,) = meters_of(snapshot, job)
    return found


def test_values_stand_by_quantity_and_phase() -> None:
    values = {"voltage_v.l1": 231.25, "power_w.l1": -2400.0, "power_w.total": 7000.0, "frequency_hz.total": 50.01}
    shown = view(MeterState(values=values, at=WHEN))
    assert (shown.state, shown.state_text, shown.is_ok, shown.at) == ("ok", "", True, WHEN)
    assert shown.readings["power_w"] == {"l1": -2400.0, "total": 7000.0}
    assert shown.phases == ("l1", "total")
    assert shown.shown("power_w", "l1", 0) == "−2,400"
    assert shown.shown("voltage_v", "l1", 1) == "231.2"
    assert shown.shown("current_a", "l1", 2) == "–"


def test_trouble_says_what_to_do_and_the_last_values_stay() -> None:
    shown = view(MeterState(problem="silent", values={"power_w.total": 1.0}, at=WHEN - timedelta(hours=1), since=WHEN))
    assert (shown.state, shown.readings) == ("silent", {"power_w": {"total": 1.0}})
    assert shown.state_text.startswith("No answer from address 3 at tcp://192.0.2.7. Check power")
    assert "exception 2" in view(MeterState(problem="refused", exception=2)).state_text


def test_what_cannot_be_right_is_named() -> None:
    shown = view(MeterState(values={"power_w.l2": 9e9}, flags={"power_w.l2": "implausible"}, at=WHEN))
    assert shown.is_flagged("power_w", "l2")
    assert shown.flag_texts == ("L2 power: This value cannot be right.",)
    assert "application H" in view(MeterState(notes=("application_not_h",), at=WHEN)).notes[0]


def test_one_nobody_asked_yet_and_one_that_is_read_elsewhere() -> None:
    assert view().state == "not_read"
    assert view(in_cloud=True).state == "elsewhere"
