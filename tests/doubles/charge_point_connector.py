"""One connector of a virtual charge point: cable, authorisation, transaction, and the status that follows from them.

Pure: no I/O, no clock. The status is never set, always derived. Source: OCPP 1.6 §4.9 (statuses), §4.8, §4.10.
Start at `Connector.status`.
"""

from dataclasses import dataclass
from datetime import datetime
from typing import Any

from tests.doubles.charge_point_power import Car, Outlet


@dataclass(slots=True)
class Transaction:
    """As the station knows it. `transaction_id` is None until the central system has confirmed the start."""

    connector: int
    id_tag: str
    meter_start_wh: int
    started_at: datetime
    transaction_id: int | None = None
    start_answer: str = ""
    """The idTagInfo.status of the confirmed start."""
    start_discarded: bool = False
    stopped_at: datetime | None = None
    meter_stop_wh: int | None = None
    reason: str = ""
    stop_confirmed: bool = False

    @property
    def running(self) -> bool:
        return self.stopped_at is None


@dataclass(slots=True)
class Connector:
    """`number` counts from 1. What persists over a power cut is all but the authorisation."""

    number: int
    outlet: Outlet
    car: Car | None = None
    authorised: str | None = None
    """An id tag that may start here as soon as a cable is in."""
    authorised_left_s: float = 0.0
    transaction: Transaction | None = None
    finished: bool = False
    """A transaction ended and the cable is still in."""
    withheld: bool = False
    """The id tag was refused after the start and the station holds the power back instead of stopping."""
    error_code: str = "NoError"
    operative: bool = True

    @property
    def plugged(self) -> bool:
        return self.car is not None

    @property
    def closed(self) -> bool:
        """Whether current may flow."""
        return self.transaction is not None and not self.withheld and self.error_code == "NoError"

    @property
    def ready_to_start(self) -> bool:
        usable = self.operative and self.error_code == "NoError"
        return usable and self.plugged and self.authorised is not None and self.transaction is None

    def status(self) -> str:
        """A ChargePointStatus of OCPP 1.6."""
        if self.error_code != "NoError":
            return "Faulted"
        if self.transaction is not None:
            return self._status_in_transaction(self.car)
        if not self.operative:
            return "Unavailable"
        if self.finished:
            return "Finishing"
        return "Preparing" if self.plugged or self.authorised else "Available"

    def _status_in_transaction(self, car: Car | None) -> str:
        if self.withheld:
            return "SuspendedEVSE"
        if car is None or car.full or not car.takes_power:
            return "SuspendedEV"
        return "Charging"


def sampled_values(
    outlet: Outlet, *, context: str = "Sample.Periodic", energy_in_kwh: bool = False, kwh_labelled_wh: bool = False
) -> list[dict[str, Any]]:
    """One reading of the meter: energy in Wh, power in W, current and voltage of each phase (OCPP 1.6 §7.43)."""
    energy, unit = str(round(outlet.energy_wh)), "Wh"
    if energy_in_kwh or kwh_labelled_wh:
        energy, unit = f"{outlet.energy_wh / 1000:.3f}", "Wh" if kwh_labelled_wh else "kWh"
    common = {"context": context, "format": "Raw"}
    values: list[dict[str, Any]] = [
        {"value": energy, "measurand": "Energy.Active.Import.Register", "unit": unit, "location": "Outlet", **common},
        {"value": f"{outlet.power_w:.1f}", "measurand": "Power.Active.Import", "unit": "W", **common},
    ]
    for phase, current in enumerate(outlet.currents_a(), 1):
        values.append(
            {"value": f"{current:.2f}", "measurand": "Current.Import", "unit": "A", "phase": f"L{phase}", **common}
        )
    for phase, volt in enumerate(outlet.voltages_v, 1):
        values.append({"value": f"{volt:.1f}", "measurand": "Voltage", "unit": "V", "phase": f"L{phase}-N", **common})
    return values
