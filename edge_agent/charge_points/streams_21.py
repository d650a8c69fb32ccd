"""Periodic event streams of OCPP 2.1: values of one monitored variable, sent without asking for an answer.

Pure. Where the variable is an electrical quantity of an EVSE its values are meter values like any others. Which
variable a stream is about was said when its monitor was set. Source: OCPP 2.1 part 2, N15 and N16. Start at
`meter_report`.
"""

from collections.abc import Mapping
from datetime import timedelta
from typing import Any

from edge_agent.charge_points.readings import Found, integer_of, number_of, sample_2x, time_of
from edge_agent.charge_points.reports_2x import objects
from edge_agent.site.reports import MeterGroup, MeterReport

STREAMS_MAX = 64
VALUES_MAX = 1000
EVSE_MAX = 100
OFFSET_MAX_S = 86_400.0
_MEASURANDS = {
    "power": "Power.Active.Import", "activepower": "Power.Active.Import", "accurrent": "Current.Import",
    "dccurrent": "Current.Import", "current": "Current.Import", "acvoltage": "Voltage", "dcvoltage": "Voltage",
    "voltage": "Voltage", "frequency": "Frequency", "temperature": "Temperature",
    "energy": "Energy.Active.Import.Register", "energyimport": "Energy.Active.Import.Register",
}  # fmt: skip
_COMPONENTS = frozenset({"evse", "connector", "electricalfeed", "fiscalmetering", "acdcconverter"})
_PHASES = frozenset({"L1", "L2", "L3", "N", "L1-N", "L2-N", "L3-N", "L1-L2", "L2-L3", "L3-L1"})


def opened(payload: Mapping[str, Any], known: Mapping[str, Any], found: Found) -> tuple[str, dict[str, Any]] | None:
    """The stream's number and what is to be remembered of it; None where it cannot be taken."""
    said = payload.get("constantStreamData")
    data: Mapping[str, Any] = said if isinstance(said, dict) else {}
    number, monitor = integer_of(data, "id", found), integer_of(data, "variableMonitoringId", found)
    if number is None or monitor is None or (str(number) not in known and len(known) >= STREAMS_MAX):
        return None
    how = data.get("params")
    params: Mapping[str, Any] = how if isinstance(how, dict) else {}
    stream = {
        "monitor": monitor, "interval_s": integer_of(params, "interval", found),
        "values": integer_of(params, "values", found),
    }  # fmt: skip
    return str(number), {name: value for name, value in stream.items() if value is not None}


def meter_report(
    payload: Mapping[str, Any], monitor: Mapping[str, Any] | None, unit: str | None, found: Found
) -> MeterReport | None:
    """The values as measured at an EVSE; None where they are nothing of the kind."""
    if monitor is None:
        return None
    variable, _, instance = str(monitor.get("variable") or "").partition(" (")
    component = str(monitor.get("component") or "").partition(" (")[0]
    measurand, place = _MEASURANDS.get(variable.casefold()), monitor.get("evse")
    if measurand is None or not isinstance(place, int) or not 0 < place <= EVSE_MAX:
        return None
    if component.casefold() not in _COMPONENTS:
        return None
    base, base_text = time_of(payload, found, "basetime")
    phase = instance.rstrip(")")
    groups = []
    for each in list(objects(payload.get("data")))[:VALUES_MAX]:
        raw = {"value": each.get("v"), "measurand": measurand, "context": "Sample.Periodic"}
        if unit is not None:
            raw["unitOfMeasure"] = {"unit": unit}
        if phase in _PHASES:
            raw["phase"] = phase
        sample = sample_2x(raw, [])
        offset = number_of(each, "t", found) or 0.0
        if sample is None:
            found.append("data:not_a_number")
        elif base is not None and abs(offset) <= OFFSET_MAX_S:
            groups.append(MeterGroup((sample,), base + timedelta(seconds=offset), base_text))
        else:
            groups.append(MeterGroup((sample,), None, base_text))
    return MeterReport(place, tuple(groups)) if groups else None
