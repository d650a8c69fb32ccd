"""Power and energy of a charge over time, from the meter values its station told. Pure. Start at `curve_of`.

Power that was not told is worked out from the energy between two values. Sources: OCPP 1.6 §7.31 (measurands; a value
without a phase is the whole).
"""

from collections.abc import Iterable, Sequence
from datetime import datetime
from itertools import pairwise

import msgspec

from sitelink.events import MeterSample, MeterValuesReported
from sitelink.model import Transaction

ENERGY = "Energy.Active.Import.Register"
POWER = "Power.Active.Import"
POINTS_MAX = 600
PHASES = ("L1", "L2", "L3")


class CurvePoint(msgspec.Struct, frozen=True):
    """One moment of a charge. None: not told then. `energy_wh` counts from its beginning."""

    at: datetime
    power_w: float | None
    energy_wh: float | None


class Curve(msgspec.Struct, frozen=True):
    """Oldest first. `derived`: the power was worked out from the energy."""

    points: tuple[CurvePoint, ...]
    derived: bool = False


def curve_of(charge: Transaction, values: Iterable[MeterValuesReported]) -> Curve:
    """`values`: of the charge's connector or of the charge itself, in any order."""
    told = sorted((each for each in values if _belongs(charge, each)), key=lambda each: each.at)
    points = [CurvePoint(each.at, _power_w(each.samples), _energy_wh(charge, each.samples)) for each in told]
    points = [each for each in points if each.power_w is not None or each.energy_wh is not None]
    points = _with_ends(charge, points)
    derived = all(each.power_w is None for each in points)
    if derived:
        points = _derived(points)
    return Curve(tuple(thinned(points, POINTS_MAX)), derived=derived and any(p.power_w is not None for p in points))


def _belongs(charge: Transaction, event: MeterValuesReported) -> bool:
    """Some stations name no transaction: then connector and time say it."""
    if event.transaction is not None:
        return event.transaction == charge.id
    after = charge.started_at is None or event.at >= charge.started_at
    return (
        event.connector == charge.connector and after and (charge.stopped_at is None or event.at <= charge.stopped_at)
    )


def _power_w(samples: Sequence[MeterSample]) -> float | None:
    return _whole(samples, POWER)


def _energy_wh(charge: Transaction, samples: Sequence[MeterSample]) -> float | None:
    register = _whole(samples, ENERGY)
    if register is None or charge.meter_start_wh is None:
        return None
    return max(0.0, register - charge.meter_start_wh)


def _whole(samples: Sequence[MeterSample], measurand: str) -> float | None:
    """The value without a phase, else the sum of the phases."""
    found = {each.phase: each.value for each in samples if each.measurand == measurand and each.value is not None}
    if None in found:
        return found[None]
    phases = [found[phase] for phase in PHASES if phase in found]
    return sum(phases) if phases else None


def _with_ends(charge: Transaction, points: list[CurvePoint]) -> list[CurvePoint]:
    """Beginning and end are known by the transaction itself."""
    if charge.meter_start_wh is None:
        return points
    begin, end = charge.started_at, charge.stopped_at
    if begin is not None and (points[0].at > begin if points else end is not None):
        points = [CurvePoint(begin, None, 0.0), *points]
    if end is not None and charge.meter_stop_wh is not None and points and points[-1].at < end:
        points = [*points, CurvePoint(end, None, max(0.0, charge.meter_stop_wh - charge.meter_start_wh))]
    return points


def _derived(points: list[CurvePoint]) -> list[CurvePoint]:
    known = [each for each in points if each.energy_wh is not None]
    found = known[:1]
    for before, each in pairwise(known):
        hours = (each.at - before.at).total_seconds() / 3600
        power_w = ((each.energy_wh or 0) - (before.energy_wh or 0)) / hours if hours > 0 else None
        found.append(CurvePoint(each.at, power_w, each.energy_wh))
    return found


def thinned(points: Sequence[CurvePoint], most: int) -> list[CurvePoint]:
    """`most` of them at even distances, the first and the last among them."""
    if len(points) <= most:
        return list(points)
    return [points[round(number * (len(points) - 1) / (most - 1))] for number in range(most)]
