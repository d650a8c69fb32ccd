"""Whether what a meter says can be: codes for what cannot. Nothing is dropped for it.

Pure. Source: OCPP.md §4.3 (session energy in the lifetime register, kWh labelled Wh). Start at `flags_of`.
"""

from collections.abc import Iterable
from datetime import datetime

from sitelink.events import MeterSample
from sitelink.model import Readings, Transaction

REGISTER = "Energy.Active.Import.Register"
WENT_BACK, NEGATIVE, JUMPED = "energy_went_back", "energy_negative", "energy_jumped"
NOISE_WH = 1.0
"""Registers are rounded, now one way, now the other."""
FASTEST_W = 1_000_000
"""No connector gives more; with kWh said to be Wh the register crawls, the other way round it flies."""


def flags_of(
    samples: Iterable[MeterSample], at: datetime, before: Readings | None, running: Transaction | None, *,
    session_energy: bool = False,
) -> tuple[str, ...]:  # fmt: skip
    """`before`: the connector's readings until now. With `session_energy` the register may begin anew with a charge."""
    value = _register(samples)
    if value is None:
        return ()
    if value < 0:
        return (NEGATIVE,)
    known = before.value(REGISTER) if before is not None else None
    if known is None or before is None or at <= before.at:
        return ()
    if value < known - NOISE_WH:
        anew = session_energy and (
            running is None or (running.started_at is not None and running.started_at >= before.at)
        )
        return () if anew else (WENT_BACK,)
    hours = (at - before.at).total_seconds() / 3600
    return (JUMPED,) if value - known > max(FASTEST_W * hours, 1000) else ()


def _register(samples: Iterable[MeterSample]) -> float | None:
    """The connector's own import register: of no phase, at the outlet."""
    for sample in samples:
        if sample.measurand == REGISTER and sample.phase is None and sample.location in (None, "Outlet"):
            return sample.value
    return None


def flags_of_stop(transaction: Transaction | None, meter_stop_wh: float | None) -> tuple[str, ...]:
    """A charge that ends below its beginning, or below nothing."""
    if meter_stop_wh is None:
        return ()
    if meter_stop_wh < 0:
        return (NEGATIVE,)
    start_wh = transaction.meter_start_wh if transaction is not None else None
    return (WENT_BACK,) if start_wh is not None and meter_stop_wh < start_wh - NOISE_WH else ()
