"""Lists a charge point told, line by line."""

from datetime import timedelta
from typing import Any

import pytest

from sitelink.ids import StationKey
from sitelink.model import SiteState, StationReport
from sitelink.packed import pack
from sitelink.states import ReportKind
from tests.doubles.sites import NOW
from web_ui.told_views import LINES_SHOWN, ToldLine, told_views

KEY = StationKey("cp001")


def told(kind: ReportKind, *items: Any, missing: int = 0) -> SiteState:
    state = SiteState()
    packed = pack({str(number): item for number, item in enumerate(items)})
    state.put(StationReport(station=KEY, kind=kind, at=NOW, packed=packed, count=len(items), missing=missing))
    return state


@pytest.mark.parametrize(
    ("kind", "item", "line"),
    [
        (ReportKind.EVENTS,
         {"component": "EVSE", "variable": "Temperature", "evse": 1, "severity": 4, "value": "85",
          "trigger": "Alerting"},
         ToldLine("EVSE.Temperature, EVSE 1: error", "85, Alerting", "warn")),
        (ReportKind.EVENTS, {"component": "EVSE", "variable": "Temperature", "severity": 4, "cleared": True},
         ToldLine("EVSE.Temperature: error", "over")),
        (ReportKind.EVENTS, {"severity": 8}, ToldLine("Something: information")),
        (ReportKind.EVENTS, {}, ToldLine("Something: severity not told")),
        (ReportKind.CHARGING_LIMITS, {"evse": 0, "source": "EMS", "chargingLimit": {"isGridCritical": True}},
         ToldLine("The whole charge point, by EMS", "for the grid")),
        (ReportKind.CHARGING_PROFILES,
         {"evse": 2, "profile": {"id": 7, "stackLevel": 1, "chargingProfilePurpose": "TxProfile"}},
         ToldLine("EVSE 2: TxProfile", "number 7, level 1")),
        (ReportKind.COMPOSITE_SCHEDULES,
         {"evse": 1, "schedule": {"chargingSchedule": {"chargingSchedulePeriod": [{}]}}},
         ToldLine("EVSE 1", "1 period")),
        (ReportKind.CHARGING_SCHEDULES, {"transaction": "T", "priority": True},
         ToldLine("Transaction T", "charges with priority")),
        (ReportKind.RESERVATIONS, {"reservationId": 4, "connectorId": 2, "expiryDate": "2099-11-23T12:00:00Z"},
         ToldLine("Reservation 4", "at 2, until 2099-11-23T12:00:00Z")),
        (ReportKind.DISPLAY_MESSAGES, {"id": 1, "message": {"content": "Hello"}, "priority": "InFront"},
         ToldLine("Hello", "InFront")),
        (ReportKind.MONITORING, {"component": "EVSE", "variable": "Power", "type": "Delta", "value": 5, "severity": 9},
         ToldLine("EVSE.Power", "Delta, 5, debug")),
    ],
)  # fmt: skip
def test_a_line_says_what_and_the_rest(kind: ReportKind, item: dict[str, Any], line: ToldLine) -> None:
    (view,) = told_views(told(kind, item), KEY, NOW)
    assert view.lines == (line,)


@pytest.mark.parametrize("kind", [kind for kind in ReportKind if kind is not ReportKind.INVENTORY])
@pytest.mark.parametrize("item", [{}, {"profile": 5, "schedule": [], "message": None, "location": None}, "text", 7])
def test_whatever_a_list_holds_it_is_shown(kind: ReportKind, item: Any) -> None:
    (view,) = told_views(told(kind, item), KEY, NOW)
    assert len(view.lines) <= 1


def test_a_reservation_that_has_run_out_is_none_any_more() -> None:
    over, running = ({"id": number, "expiryDateTime": (NOW + timedelta(seconds=s)).isoformat()} for number, s in
                     ((1, 0), (2, 1)))  # fmt: skip
    (view,) = told_views(told(ReportKind.RESERVATIONS, over, running), KEY, NOW)
    assert [line.text for line in view.lines] == ["Reservation 2"]
    assert told_views(told(ReportKind.RESERVATIONS, over), KEY, NOW) == ()


def test_the_newest_stand_first_and_the_others_are_counted() -> None:
    items = [{"reservationId": number} for number in range(LINES_SHOWN + 3)]
    (view,) = told_views(told(ReportKind.RESERVATIONS, *items, missing=2), KEY, NOW)
    assert view.lines[0].text == f"Reservation {LINES_SHOWN + 2}"
    assert (len(view.lines), view.more, view.missing) == (LINES_SHOWN, 3, 2)


def test_empty_lists_and_the_inventory_are_left_out() -> None:
    assert told_views(told(ReportKind.EVENTS), KEY, NOW) == ()
    assert told_views(told(ReportKind.INVENTORY, {"name": "A"}), KEY, NOW) == ()
    assert told_views(SiteState(), KEY, NOW) == ()
