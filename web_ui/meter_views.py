"""The job's meters as a page and the API show them. Pure. Start at `meters_of`."""

from collections.abc import Iterable, Mapping
from datetime import datetime

import msgspec

from sitelink.events import MeterListed, WiringProved
from sitelink.model import Job, Wiring
from sitelink.wiring import Finding
from web_ui import wording
from web_ui.ports import MeterState, Snapshot

PHASES = ("total", "l1", "l2", "l3")
SHOWN_BY_PHASE = (("voltage_v", "V", 1), ("current_a", "A", 2), ("power_w", "W", 0))
ENERGIES = (("energy_import_wh", "Import"), ("energy_export_wh", "Export"))


class MeterView(msgspec.Struct, frozen=True):
    """`model`: the profile in words. `state`: ok, or the code of why there are no new values. `readings` by quantity
    and phase, in V, A, W, Hz, Wh; `at` is their time. `flags`: values that cannot be right, as `power_w.l1`, with a
    code."""

    name: str
    profile: str
    model: str
    transport: str
    unit_id: int
    state: str
    state_text: str
    readings: dict[str, dict[str, float]]
    at: datetime | None
    flags: dict[str, str] = {}
    notes: tuple[str, ...] = ()
    reversed: bool = False
    ratio: float = 1.0

    @property
    def is_ok(self) -> bool:
        return self.state == "ok"

    def shown(self, quantity: str, phase: str, digits: int) -> str:
        value = self.readings.get(quantity, {}).get(phase)
        return "–" if value is None else f"{value:,.{digits}f}".replace("-", "−")

    def total(self, quantity: str) -> float | None:
        return self.readings.get(quantity, {}).get("total")

    def is_flagged(self, quantity: str, phase: str) -> bool:
        return f"{quantity}.{phase}" in self.flags

    @property
    def phases(self) -> tuple[str, ...]:
        """Those that any value is told of, the total last."""
        told = {phase for quantity, _, _ in SHOWN_BY_PHASE for phase in self.readings.get(quantity, {})}
        return tuple(phase for phase in (*PHASES[1:], PHASES[0]) if phase in told)

    @property
    def flag_texts(self) -> tuple[str, ...]:
        return tuple(f"{_named(key)}: {wording.full(f'meter_value_{code}', {})}" for key, code in self.flags.items())


class FindingView(msgspec.Struct, frozen=True):
    code: str
    text: str
    problem: bool
    phase: str
    other: str
    factor: float


class ChargeView(msgspec.Struct, frozen=True):
    """`station`: what the charge point said of itself; `rise`: by how much the meter rose. In W and A."""

    charge_point: str
    station: dict[str, float]
    rise: dict[str, float]
    findings: tuple[FindingView, ...]

    @property
    def phases(self) -> tuple[str, ...]:
        """Those of which either knows its power."""
        known = {key.partition(".")[2] for of in (self.station, self.rise) for key in of if key.startswith("power_w.")}
        return tuple(phase for phase in (*PHASES[1:], PHASES[0]) if phase in known)

    def shown(self, of: str, phase: str) -> str:
        value = (self.station if of == "station" else self.rise).get(f"power_w.{phase}")
        return "–" if value is None else f"{value:,.0f}".replace("-", "−")


class WiringView(msgspec.Struct, frozen=True):
    """`at` and `by` None: it is of this moment."""

    findings: tuple[FindingView, ...]
    charge: ChargeView | None
    at: datetime | None = None
    by: str | None = None


def wiring_view(wiring: WiringProved | Wiring, at: datetime | None = None, by: str | None = None) -> WiringView:
    charge = wiring.charge
    seen = ChargeView(charge.charge_point, charge.station, charge.rise, _findings(charge.findings)) if charge else None
    return WiringView(_findings(wiring.findings), seen, at, by)


def _findings(findings: Iterable[Finding]) -> tuple[FindingView, ...]:
    return tuple(
        FindingView(each.code, wording.full(f"wiring_{each.code}", _fields(each)), each.is_problem, each.phase,
                    each.other, each.factor)
        for each in findings
    )  # fmt: skip


def _fields(finding: Finding) -> dict[str, str]:
    return {"phase": finding.phase.upper(), "other": finding.other.upper(), "factor": f"{finding.factor:g}"}


def meters_of(snapshot: Snapshot, job: Job) -> tuple[MeterView, ...]:
    return tuple(_meter(meter, snapshot.meters.get((job.id, meter.name)), snapshot) for meter in job.meters)


def _meter(meter: MeterListed, known: MeterState | None, snapshot: Snapshot) -> MeterView:
    state = known or MeterState(problem="elsewhere" if snapshot.in_cloud else "not_read")
    fields = {
        "profile": meter.profile, "transport": meter.transport, "unit_id": meter.unit_id, "exception": state.exception,
    }  # fmt: skip
    return MeterView(
        name=meter.name, profile=meter.profile,
        model=snapshot.meter_models.get(meter.profile, meter.profile),
        transport=meter.transport, unit_id=meter.unit_id,
        state=state.problem or "ok", state_text=wording.full(f"meter_{state.problem}", fields) if state.problem else "",
        readings=by_quantity(state.values), at=state.at, flags=dict(state.flags),
        notes=tuple(wording.full(f"meter_{note}", fields) for note in state.notes), reversed=meter.reversed,
        ratio=meter.ratio,
    )  # fmt: skip


def by_quantity(values: Mapping[str, float]) -> dict[str, dict[str, float]]:
    """`power_w.l1` as `{"power_w": {"l1": …}}`."""
    found: dict[str, dict[str, float]] = {}
    for key, value in values.items():
        quantity, _, phase = key.partition(".")
        found.setdefault(quantity, {})[phase] = value
    return found


def _named(key: str) -> str:
    quantity, _, phase = key.partition(".")
    name = {"voltage_v": "voltage", "current_a": "current", "power_w": "power", "frequency_hz": "frequency",
            "energy_import_wh": "import", "energy_export_wh": "export"}.get(quantity, quantity)  # fmt: skip
    return f"{phase.upper() if phase != 'total' else 'Total'} {name}"
