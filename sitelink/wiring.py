"""Whether a meter is wired as it should be: by its live values, and by what it shows of a test charge. Pure.

Start at `findings_of` and `seen_of`. Nothing is certain that physics leaves open: three phases that rise alike do not
tell their order, and power that flows out may be a generator's. Source: UX §6.1 (8).
"""

from collections.abc import Mapping, Sequence
from itertools import pairwise

import msgspec

PHASES = ("l1", "l2", "l3")
MAINS_V = 150.0
"""Above it a phase is alive."""
DEAD_V = 80.0
FLOW_W = 50.0
"""Less says nothing about a direction."""
FLOW_A = 1.0
SHIFTED = (0.3, 0.7)
"""Power as a part of volts times amps where the clamp of another phase is around the wire: cos 120° = 0.5."""
CHARGE_W = 500.0
"""So much a charge takes before it is compared."""
PHASE_A = 1.5
ALIKE = 0.25
"""Two currents differ by less than so much of the larger: they cannot be told apart."""
RATIO = (0.7, 1.4)
SEEN = 0.1
"""A meter that rises by less than so much of what a charge takes does not see it."""

Values = Mapping[str, float]


class Finding(msgspec.Struct, frozen=True, omit_defaults=True):
    """`code`: no_voltage, backwards, all_backwards, shifted, charge_backwards, not_seen, wrong_ratio, other_phase,
    order_unknown, fits. `phase` l1, l2, l3 or "". `other`: the phase it is in truth. `factor`: how far the meter is
    off."""

    code: str
    phase: str = ""
    other: str = ""
    factor: float = 0.0

    @property
    def is_problem(self) -> bool:
        return self.code not in ("fits", "order_unknown", "other_phase")


class ChargeSeen(msgspec.Struct, frozen=True):
    """A test charge as a meter saw it: `charge_point` by its name in the job, what it said of itself, and by how much
    the meter rose, per phase where it is known."""

    charge_point: str
    station: dict[str, float]
    rise: dict[str, float]
    findings: tuple[Finding, ...]


def findings_of(values: Values) -> tuple[Finding, ...]:
    """What the live values alone say."""
    volts = {phase: values[f"voltage_v.{phase}"] for phase in PHASES if f"voltage_v.{phase}" in values}
    watts = {phase: values[f"power_w.{phase}"] for phase in PHASES if f"power_w.{phase}" in values}
    found = []
    if max(volts.values(), default=0.0) > MAINS_V:
        found += [Finding("no_voltage", phase) for phase, volt in volts.items() if volt < DEAD_V]
    shifted = [phase for phase in watts if _is_shifted(phase, values)]
    if len(shifted) > 1:  # one alone may be a motor
        return (*found, *(Finding("shifted", phase) for phase in shifted))
    flowing = {phase: watt for phase, watt in watts.items() if abs(watt) > FLOW_W}
    back = [phase for phase, watt in flowing.items() if watt < 0]
    if back and len(back) == len(flowing):
        found.append(Finding("all_backwards"))
    else:
        found += [Finding("backwards", phase) for phase in back]
    return tuple(found)


def _is_shifted(phase: str, values: Values) -> bool:
    volt, amp = values.get(f"voltage_v.{phase}", 0.0), values.get(f"current_a.{phase}", 0.0)
    if abs(amp) < FLOW_A or volt < MAINS_V:
        return False
    part = values[f"power_w.{phase}"] / abs(volt * amp)
    return part < 0 and SHIFTED[0] < abs(part) < SHIFTED[1]


def seen_of(charge_point: str, station: Values, before: Values, now: Values) -> ChargeSeen | None:
    """A charge compared with how the meter stood `before` it began. None: the charge takes too little to say."""
    taken_w = _power_w(station)
    if taken_w < CHARGE_W:
        return None
    rise = {
        key: round(now[key] - before[key], 2)
        for key in now if key in before and key.partition(".")[0] in ("power_w", "current_a")
    }  # fmt: skip
    said = {key: value for key, value in station.items() if key.partition(".")[0] in ("power_w", "current_a")}
    said |= {f"power_w.{phase}": round(_phase_w(station, phase), 2) for phase in PHASES if f"current_a.{phase}" in said}
    return ChargeSeen(charge_point, said, rise, _compared(taken_w, station, rise))


def _power_w(station: Values) -> float:
    if "power_w.total" in station:
        return station["power_w.total"]
    return sum(_phase_w(station, phase) for phase in PHASES)


def _phase_w(station: Values, phase: str) -> float:
    if f"power_w.{phase}" in station:
        return station[f"power_w.{phase}"]
    return station.get(f"current_a.{phase}", 0.0) * station.get(f"voltage_v.{phase}", 230.0)


def _compared(taken_w: float, station: Values, rise: Values) -> tuple[Finding, ...]:
    risen = {phase: rise[f"power_w.{phase}"] for phase in PHASES if f"power_w.{phase}" in rise}
    total_w = sum(risen.values()) if risen else rise.get("power_w.total", 0.0)
    used = {phase: watt for phase in PHASES if (watt := _phase_w(station, phase)) > PHASE_A * 230}
    moved = {phase: watt for phase, watt in risen.items() if abs(watt) > max(FLOW_W, taken_w / max(len(used), 1) * 0.4)}
    if not moved and abs(total_w) < taken_w * SEEN:
        return (Finding("not_seen"),)
    back = [Finding("charge_backwards", phase) for phase, watt in moved.items() if watt < 0]
    if back or (not moved and total_w < 0):
        return tuple(back) or (Finding("charge_backwards"),)
    if total_w < taken_w * SEEN:  # other loads went as it came
        return (Finding("not_seen"),)
    if not RATIO[0] < total_w / taken_w < RATIO[1]:
        return (Finding("wrong_ratio", factor=round(taken_w / total_w, 1)),)
    return tuple(_order(used, moved))


def _order(used: Mapping[str, float], moved: Mapping[str, float]) -> Sequence[Finding]:
    """Which phase of the meter is which of the charge point, by how much each takes."""
    if not used or not moved or len(used) != len(moved):
        return (Finding("order_unknown"),) if len(moved) != 1 else ()
    by_size = [sorted(each, key=lambda phase: -abs(each[phase])) for each in (used, moved)]
    if len(used) > 1 and (_has_alike(used) or _has_alike(moved)):
        return (Finding("order_unknown"),)
    pairs = list(zip(*by_size, strict=True))
    turned = [Finding("other_phase", own, other) for own, other in sorted(pairs) if own != other]
    return turned or (Finding("fits"),)


def _has_alike(of: Mapping[str, float]) -> bool:
    sizes = sorted(of.values())
    return any(after - before < ALIKE * after for before, after in pairwise(sizes))
