"""What is said on which topic."""

import msgspec
import pytest

from edge_agent.mqtt.topics import QUANTITIES, Names, level, messages_of
from edge_agent.site.measured import Measured

NAMES = Names("gatepost", "homeassistant", "gate-7f3a", "1.0")
METER = Measured("meter", "1042/Main / hall+#", "Main / hall+#", 0, "ok", True,
                 {"power_w.total": 700.12345, "power_w.l1": 350.0, "energy_import_wh.total": 9000.0})  # fmt: skip
POINT = Measured("charge_point", "CP/001", "Bay 1", 2, "connected (available)", True, {"current_a.l2": 6.0})


def said(device: Measured, names: Names = NAMES) -> dict[str, dict[str, object]]:
    return {topic: msgspec.json.decode(payload) for topic, payload in messages_of(names, [device]).items()}


def test_a_device_is_one_flat_object_on_a_topic_of_its_own() -> None:
    assert said(METER)["gatepost/gate-7f3a/meter/1042/Main _ hall__"] == {
        "name": "Main / hall+#", "state": "ok", "online": True, "power_w_total": 700.123, "power_w_l1": 350.0,
        "energy_import_wh_total": 9000.0,
    }  # fmt: skip
    assert "gatepost/gate-7f3a/charge_point/CP_001/2" in said(POINT)


def test_what_is_not_of_now_says_no_values_and_keeps_its_entities() -> None:
    away = msgspec.structs.replace(METER, online=False, state="silent")
    assert said(away)["gatepost/gate-7f3a/meter/1042/Main _ hall__"] == {
        "name": "Main / hall+#", "state": "silent", "online": False
    }  # fmt: skip
    assert set(said(away)) == set(said(METER))


def test_home_assistant_is_told_units_and_classes() -> None:
    found = {topic: body for topic, body in said(METER).items() if topic.startswith("homeassistant/sensor/")}
    assert len(found) == 4
    energy = next(body for topic, body in found.items() if topic.endswith("/energy_import_wh_total/config"))
    assert (energy["unit_of_measurement"], energy["device_class"], energy["state_class"]) == (
        "Wh", "energy", "total_increasing",
    )  # fmt: skip
    assert energy["value_template"] == "{{ value_json.energy_import_wh_total }}"
    assert len({body["unique_id"] for body in found.values()}) == 4
    assert all(level_ok(part) for topic in found for part in topic.split("/"))
    assert {body["device"]["identifiers"][0] for body in found.values()} == {  # type: ignore[index]
        "gate-7f3a_meter_1042_Main___hall__"
    }


def level_ok(part: str) -> bool:
    return all(each.isalnum() or each in "_-" for each in part)


def test_without_discovery_nothing_is_said_there() -> None:
    assert list(said(POINT, msgspec.structs.replace(NAMES, discovery=""))) == [
        "gatepost/gate-7f3a/charge_point/CP_001/2"
    ]


@pytest.mark.parametrize(("text", "found"), [("a/b+c#d", "a_b_c_d"), ("\0", "_"), ("", "_"), ("Zähler", "Zähler")])
def test_a_level_holds_nothing_that_has_a_meaning(text: str, found: str) -> None:
    assert level(text) == found


def test_every_quantity_of_the_vocabulary_has_its_class() -> None:
    assert set(QUANTITIES) == {
        "power_w", "current_a", "voltage_v", "frequency_hz", "energy_import_wh", "energy_export_wh"
    }  # fmt: skip
