"""What charge points measure, in the words in which meters speak: one vocabulary for both. Pure. Start at `values_of`.

By quantity and phase as `power_w.l1`, in V, A, W, Hz and Wh; power that flows out is below zero. Source: OCPP 1.6
§7.31 and 2.0.1 part 2 §3.50 (measurands), §3.58 (phases; without one a value is the whole).
"""

from collections.abc import Iterable

from sitelink.events import MeterSample

QUANTITIES = {
    "Power.Active.Import": "power_w", "Current.Import": "current_a", "Voltage": "voltage_v",
    "Frequency": "frequency_hz",
    "Energy.Active.Import.Register": "energy_import_wh", "Energy.Active.Export.Register": "energy_export_wh",
}  # fmt: skip
PHASES = {None: "total", "L1": "l1", "L2": "l2", "L3": "l3", "L1-N": "l1", "L2-N": "l2", "L3-N": "l3"}
EXPORT = "Power.Active.Export"


def values_of(samples: Iterable[MeterSample]) -> dict[str, float]:
    """Those that have a place in the vocabulary; voltages between phases and currents of N have none."""
    found: dict[str, float] = {}
    exported: dict[str, float] = {}
    for sample in samples:
        phase = PHASES.get(sample.phase)
        if phase is None or sample.value is None:
            continue
        if sample.measurand == EXPORT:
            exported[f"power_w.{phase}"] = -sample.value
        elif sample.measurand in QUANTITIES:
            found[f"{QUANTITIES[sample.measurand]}.{phase}"] = sample.value
    for key, value in exported.items():
        if value and not found.get(key):
            found[key] = value
    return found
