"""The physical side of a virtual charge point: a car with a battery, the mains with their noise, an energy register.

Pure: no I/O, no clock; time comes in as seconds that have passed, randomness as a seeded generator. Not a model of
any vendor: enough that a curve looks like charging. Start at `Outlet.advance`.
"""

import random
from dataclasses import dataclass, field

NOMINAL_VOLTAGE_V = 230.0
RAMP_S = 15.0
"""From the first ampere to full power."""
TAPER_FROM = 0.8
"""Share of the wanted energy after which the car takes less and less, down to TAPER_TO of its power."""
TAPER_TO = 0.08


@dataclass(slots=True)
class Car:
    """What hangs on the cable. `takes_power` False is a car that waits for its own timer."""

    wants_wh: float = 8_000.0
    max_power_w: float = 11_000.0
    phases: int = 3
    takes_power: bool = True
    charged_wh: float = 0.0

    @property
    def full(self) -> bool:
        return self.charged_wh >= self.wants_wh

    def wanted_power_w(self) -> float:
        """Before any limit of the station."""
        if self.full or not self.takes_power:
            return 0.0
        share = self.charged_wh / self.wants_wh
        if share <= TAPER_FROM:
            return self.max_power_w
        left = (1.0 - share) / (1.0 - TAPER_FROM)
        return self.max_power_w * max(TAPER_TO, left)


@dataclass(slots=True)
class Outlet:
    """One connector's power stage. `energy_wh` is the meter's lifetime register and only ever grows."""

    energy_wh: float
    max_current_a: float = 16.0
    limit_a: float | None = None
    """What the central system's charging profiles leave, per phase; None: no profile."""
    power_w: float = 0.0
    phases: int = 3
    voltages_v: list[float] = field(default_factory=lambda: [NOMINAL_VOLTAGE_V] * 3)

    def advance(self, seconds: float, car: Car | None, *, closed: bool, noise: random.Random) -> None:
        """Let `seconds` pass with the contactor `closed` or open."""
        self.voltages_v = [_wandered(volt, noise) for volt in self.voltages_v]
        if car is None or not closed:
            self.power_w = 0.0
            return
        self.phases = car.phases
        current_a = self.max_current_a if self.limit_a is None else min(self.max_current_a, self.limit_a)
        limit_w = current_a * sum(self.voltages_v[: car.phases])
        target_w = min(car.wanted_power_w(), limit_w)
        step_w = car.max_power_w * seconds / RAMP_S
        self.power_w = min(target_w, self.power_w + step_w)
        taken_wh = self.power_w * seconds / 3600.0
        self.energy_wh += taken_wh
        car.charged_wh += taken_wh

    def currents_a(self) -> list[float]:
        """L1 to L3; a phase that is not used reads 0."""
        used = [self.power_w / self.phases / volt for volt in self.voltages_v[: self.phases]]
        return [round(current, 2) for current in used] + [0.0] * (3 - self.phases)


def _wandered(volt: float, noise: random.Random) -> float:
    pulled_home = volt + (NOMINAL_VOLTAGE_V - volt) * 0.05
    return min(253.0, max(207.0, pulled_home + noise.gauss(0.0, 0.4)))
