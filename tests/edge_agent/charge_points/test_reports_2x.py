"""Lists of OCPP 2.x stations, message by message."""

from typing import Any

import pytest
from hypothesis import given
from hypothesis import strategies as st

from edge_agent.charge_points.reports_2x import (
    NOTES,
    PARTS,
    REQUESTS,
    events_of,
    is_whole,
    mask_personal,
    part_of,
)
from edge_agent.charge_points.schemas import OCPP_21
from edge_agent.charge_points.streams_21 import meter_report, opened
from sitelink.packed import pack
from tests.doubles.payloads import example, message

TIME = "2026-11-23T12:00:00Z"
NAMES = (
    "requestId", "seqNo", "tbc", "reportData", "monitor", "variableMonitoring", "messageInfo", "chargingProfile",
    "evseId", "id", "component", "variable", "evse", "connectorId", "name", "instance", "variableAttribute", "value",
    "variableCharacteristics", "chargingLimit", "chargingLimitSource", "data", "eventData", "eventId", "timestamp",
    "reservationId", "transactionId", "constantStreamData", "variableMonitoringId", "params", "basetime", "t", "v",
)  # fmt: skip


@pytest.mark.parametrize("action", sorted(PARTS))
@pytest.mark.parametrize("version", ["2.0.1", "2.1"])
def test_every_message_that_is_a_part_brings_items(version: str, action: str) -> None:
    found: list[str] = []
    part = part_of(action, example(message(version, action), full=True), found)
    assert part is not None
    assert part.kind == PARTS[action].kind
    assert part.items
    assert found == []


@pytest.mark.parametrize("action", sorted(PARTS))
def test_a_part_without_a_request_belongs_to_nothing(action: str) -> None:
    assert part_of(action, {"seqNo": 0}, []) is None
    odd = part_of(action, {"requestId": 1, "seqNo": -5, "monitor": 7, "messageInfo": "x", "reportData": [5]}, [])
    assert odd is not None
    assert odd.items == {}


def test_that_more_is_to_come_may_be_said_by_a_word() -> None:
    for tbc, last in (("true", False), ("false", True), (1, False), (True, False), (None, True)):
        part = part_of("NotifyReport", {"requestId": 1, "seqNo": 0, "tbc": tbc, "reportData": []}, [])
        assert part is not None
        assert part.last is last


@pytest.mark.parametrize("action", sorted(NOTES))
def test_every_message_about_an_item_says_which(action: str) -> None:
    put, drop = NOTES[action].read(example(message("2.1", action), full=True), [])
    assert bool(put) != bool(drop)
    nothing_put, nothing_dropped = NOTES[action].read({}, [])
    assert len(nothing_put) + len(nothing_dropped) == 1


def test_a_limit_is_cleared_under_the_key_it_was_kept_by() -> None:
    said = {"evseId": 2, "chargingLimit": {"chargingLimitSource": "EMS", "isGridCritical": True}}
    put, _ = NOTES["NotifyChargingLimit"].read(said, [])
    _, drop = NOTES["ClearedChargingLimit"].read({"evseId": 2, "chargingLimitSource": "EMS"}, [])
    assert tuple(put) == drop


def test_a_request_is_whole_only_where_it_asks_for_everything() -> None:
    assert set(REQUESTS) <= OCPP_21.from_box
    assert is_whole("GetBaseReport", {"reportBase": "FullInventory"})
    assert not is_whole("GetBaseReport", {"reportBase": "SummaryInventory"})
    assert not is_whole("GetReport", {})
    assert is_whole("GetMonitoringReport", {})
    assert not is_whole("GetMonitoringReport", {"monitoringCriteria": ["DeltaMonitoring"]})
    assert not is_whole("GetDisplayMessages", {"id": [1]})
    assert not is_whole("GetChargingProfiles", {"chargingProfile": {"stackLevel": 1}})


def test_an_event_has_the_severity_it_names_or_that_of_its_monitor() -> None:
    def one(**more: Any) -> Any:
        event = {"eventId": 1, "timestamp": TIME, "component": {"name": "A"}, "variable": {"name": "B"}, **more}
        (read,) = events_of({"eventData": [event]}, {"9": 4}, []).values()
        return read.get("severity")

    assert one(variableMonitoringId=9) == 4
    assert one(variableMonitoringId=9, severity=0) == 0
    assert one() is None


def test_what_could_name_a_person_is_masked() -> None:
    text = mask_personal('{"mail":"jo.doe@example.org","tag":"04A2B3C4D5E6F7","city":"Oslo"}')
    assert "jo.doe@example.org" not in text
    assert "04A2B3C4D5E6F7" not in text
    assert "Oslo" in text


anything = st.recursive(
    st.none() | st.booleans() | st.integers(-(2**70), 2**70) | st.floats() | st.text(max_size=20),
    lambda inner: (
        st.lists(inner, max_size=3) | st.dictionaries(st.sampled_from(NAMES) | st.text(max_size=5), inner, max_size=5)
    ),
    max_leaves=12,
)


@given(st.dictionaries(st.sampled_from(NAMES), anything, max_size=8))
def test_whatever_comes_is_read_and_can_be_kept(payload: dict[str, Any]) -> None:
    for action in PARTS:
        part = part_of(action, payload, [])
        assert part is None or pack(part.items)
    for rule in NOTES.values():
        put, drop = rule.read(payload, [])
        assert pack(put)
        assert all(isinstance(name, str) for name in drop)
    assert pack(events_of(payload, {}, []))
    opened(payload, {}, [])
    meter_report(payload, {"component": "EVSE", "variable": "Power", "evse": 1}, None, [])
