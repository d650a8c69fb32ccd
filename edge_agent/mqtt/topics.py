"""What is said on which topic: values as one flat JSON object a device, and Home Assistant's discovery. Pure.

Start at `messages_of`. Source: Home Assistant, MQTT integration, "MQTT discovery" and "sensor" (device classes and
their units); topics may hold anything but `+`, `#`, `/` within a level and the null character (MQTT 3.1.1 §4.7).
"""

import re
from collections.abc import Iterable, Mapping
from typing import Any

import msgspec

from edge_agent.site.measured import Measured

QUANTITIES = {
    "power_w": ("Power", "W", "power", "measurement"),
    "current_a": ("Current", "A", "current", "measurement"),
    "voltage_v": ("Voltage", "V", "voltage", "measurement"),
    "frequency_hz": ("Frequency", "Hz", "frequency", "measurement"),
    "energy_import_wh": ("Energy import", "Wh", "energy", "total_increasing"),
    "energy_export_wh": ("Energy export", "Wh", "energy", "total_increasing"),
}
"""By quantity: its name, unit, Home Assistant's device class and state class."""
_NOT_IN_A_LEVEL = re.compile(r"[+#/\x00-\x1f\x7f]")
_NOT_IN_AN_ID = re.compile(r"[^a-zA-Z0-9_-]")


class Names(msgspec.Struct, frozen=True):
    """`topic`: what all topics begin with. `discovery`: what Home Assistant listens below; "" for none. `box`: this
    box among others of the broker."""

    topic: str
    discovery: str
    box: str
    version: str = ""

    @property
    def status(self) -> str:
        return f"{self.topic}/{level(self.box)}/status"

    def state_of(self, device: Measured) -> str:
        return f"{self.topic}/{level(self.box)}/{device.kind}/{path_of(device)}"


def level(text: str) -> str:
    return _NOT_IN_A_LEVEL.sub("_", text)[:80] or "_"


def path_of(device: Measured) -> str:
    parts = device.id.split("/", 1) if device.kind == "meter" else [device.id, str(device.connector)]
    return "/".join(level(each) for each in parts)


def messages_of(names: Names, devices: Iterable[Measured]) -> dict[str, bytes]:
    """Payloads by topic; all are retained."""
    found: dict[str, bytes] = {}
    for device in devices:
        found[names.state_of(device)] = msgspec.json.encode(state_of(device))
        if names.discovery:
            found |= discovery_of(names, device)
    return found


def state_of(device: Measured) -> dict[str, Any]:
    values = {key.replace(".", "_"): round(value, 3) for key, value in device.values.items()} if device.online else {}
    return {"name": device.name, "state": device.state, "online": device.online, **values}


def discovery_of(names: Names, device: Measured) -> dict[str, bytes]:
    own = _NOT_IN_AN_ID.sub("_", f"{names.box}_{device.kind}_{path_of(device)}")
    shared = {
        "state_topic": names.state_of(device),
        "device": _device(names, device, own),
        "origin": {"name": "Gatepost", "sw_version": names.version},
    }
    found = {}
    for key in device.values:
        quantity, _, phase = key.partition(".")
        if quantity not in QUANTITIES:
            continue
        name, unit, device_class, state_class = QUANTITIES[quantity]
        flat = key.replace(".", "_")
        found[f"{names.discovery}/sensor/{own}/{flat}/config"] = msgspec.json.encode({
            "name": name if phase == "total" else f"{name} {phase.upper()}", "unique_id": f"{own}_{flat}",
            "value_template": f"{{{{ value_json.{flat} }}}}", "unit_of_measurement": unit, "device_class": device_class,
            "state_class": state_class, "availability": _availability(names, device), "availability_mode": "all",
            **shared,
        })  # fmt: skip
    found[f"{names.discovery}/sensor/{own}/state/config"] = msgspec.json.encode({
        "name": "Status", "unique_id": f"{own}_state", "value_template": "{{ value_json.state }}",
        "entity_category": "diagnostic", "availability": [{"topic": names.status}], **shared,
    })  # fmt: skip
    return found


def _availability(names: Names, device: Measured) -> list[dict[str, str]]:
    template = "{{ 'online' if value_json.online else 'offline' }}"
    return [{"topic": names.status}, {"topic": names.state_of(device), "value_template": template}]


def _device(names: Names, device: Measured, own: str) -> Mapping[str, Any]:
    kind = "Meter" if device.kind == "meter" else f"Charge point {device.id}"
    return {"identifiers": [own], "name": device.name, "model": kind, "manufacturer": "Gatepost"}
