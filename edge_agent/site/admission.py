"""Who is served: the pairing rule, BootNotification, and the list of those who call in vain.

Pure decisions. Start at `standing` and `decide_boot`. Sources: DESIGN §7 (10), (13), (19); OCPP 1.6 §4.2.
"""

import msgspec

from edge_agent.site.ports import Decide, Decision, Ledger, Standing
from edge_agent.site.reports import BootAnswer, BootReport
from sitelink.events import (
    KnockCleared,
    Knocked,
    StationBooted,
    StationFaultCleared,
    StationFaulted,
    StationForgotten,
)
from sitelink.ids import StationKey, station_key
from sitelink.model import Job, SiteState, Station
from sitelink.ops import BOX, STATION, Fact, Stamp
from sitelink.states import JobStatus, Registration

WAITING_ROOM = 64
"""Callers no job names that are remembered; then the oldest makes room."""
KNOCK_AGAIN_S = 600
"""A caller that says nothing new is written down again after this long."""


class Policy(msgspec.Struct, frozen=True):
    """The settings that decide who is served and who may charge."""

    security: str = "pair"
    unknown_tokens: str = "accept"
    heartbeat_interval_s: int = 60
    retry_interval_s: int = 20
    """When a station that was answered Pending may boot again."""


def pairing_open(job: Job, now: Stamp) -> bool:
    """Whether stations named by the job may connect for the first time."""
    if job.status is not JobStatus.OPEN:
        return False
    if job.open_pairing:
        return True
    opened = job.pairing
    return opened is not None and opened.boot == now.boot and now.mono_ms - opened.mono_ms < job.pairing_for_s * 1000


def standing(state: SiteState, policy: Policy, identity: str, now: Stamp) -> Standing:
    """How an identity stands. A station accepted once stays served for as long as a job names it."""
    key = station_key(identity)
    station = state.stations.get(key)
    registration = station.registration if station else Registration.NONE
    rows = list(state.rows_of_station(key))
    if not key:
        return Standing(False, registration, "identity_missing")
    if not rows:
        return Standing(False, registration, "unknown_identity")
    if any(row.owner for _, row in rows):
        return Standing(False, registration, "serial_in_use")
    if policy.security == "strict":
        return Standing(False, registration, "credentials_needed")
    if registration is Registration.ACCEPTED or policy.security == "open":
        return Standing(True, registration)
    if any(pairing_open(job, now) for job, _ in rows):
        return Standing(True, registration)
    return Standing(False, registration, "pairing_closed")


def decide_boot(policy: Policy, identity: str, ip: str, report: BootReport) -> Decide[BootAnswer]:
    """Answer a BootNotification: Accepted when served, else Pending and a place in the waiting room."""

    def decide(ledger: Ledger) -> Decision[BootAnswer]:
        stands = standing(ledger.state, policy, identity, ledger.now)
        if not stands.served:
            facts = _pending(ledger, stands, identity, ip, report)
            return Decision(facts, BootAnswer(Registration.PENDING, policy.retry_interval_s, stands.reason))
        facts = _accepted(ledger.state, identity, ip, report)
        return Decision(facts, BootAnswer(Registration.ACCEPTED, policy.heartbeat_interval_s))

    return decide


def _booted(identity: str, report: BootReport, verdict: Registration, reason: str | None) -> StationBooted:
    return StationBooted(
        identity=identity, vendor=report.vendor, model=report.model, serial=report.serial, firmware=report.firmware,
        verdict=verdict, reason=reason, payload=report.payload,
    )  # fmt: skip


def _accepted(state: SiteState, identity: str, ip: str, report: BootReport) -> tuple[Fact, ...]:
    key = station_key(identity)
    entity = f"station:{key}"
    facts = [Fact(entity, _booted(identity, report, Registration.ACCEPTED, None), STATION)]
    known = state.stations.get(key)
    if known is not None and known.serial and report.serial and known.registration is Registration.ACCEPTED:
        change = _serial_change(known, report.serial)
        if change is not None:
            facts.append(Fact(entity, change, BOX))
    knock = f"{key}@{ip}"
    if knock in state.knocks:
        facts.append(Fact(f"knock:{knock}", KnockCleared(), BOX))
    return tuple(facts)


def _serial_change(known: Station, serial: str) -> StationFaulted | StationFaultCleared | None:
    """Another serial under one identity is an error until a person confirms it or the first one is back."""
    fault = next((fault for fault in known.faults if fault.code == "serial_changed"), None)
    if fault is not None and fault.detail.get("before") == serial:
        return StationFaultCleared("serial_changed")
    if serial == known.serial:
        return None
    before = fault.detail.get("before", "") if fault is not None else known.serial or ""
    return StationFaulted("serial_changed", {"serial": serial, "before": before})


def _pending(ledger: Ledger, stands: Standing, identity: str, ip: str, report: BootReport) -> tuple[Fact, ...]:
    facts = list(knock_facts(ledger, identity, ip, stands.reason or "unknown_identity", report))
    named = any(ledger.state.rows_of_station(station_key(identity)))
    if named and stands.registration is not Registration.PENDING:
        event = _booted(identity, report, Registration.PENDING, stands.reason)
        facts.append(Fact(f"station:{station_key(identity)}", event, STATION))
    return tuple(facts)


def decide_knock(identity: str, ip: str, reason: str, report: BootReport | None) -> Decide[None]:
    """Remember a caller who is not served."""

    def decide(ledger: Ledger) -> Decision[None]:
        return Decision(knock_facts(ledger, identity, ip, reason, report), None)

    return decide


def knock_facts(ledger: Ledger, identity: str, ip: str, reason: str, report: BootReport | None) -> tuple[Fact, ...]:
    """Nothing when it says what it said before and not long ago."""
    id_ = f"{station_key(identity)}@{ip}"
    known = ledger.state.knocks.get(id_)
    event = Knocked(
        identity=identity, ip=ip, reason=reason,
        vendor=report.vendor if report else (known.vendor if known else None),
        model=report.model if report else (known.model if known else None),
        serial=report.serial if report else (known.serial if known else None),
    )  # fmt: skip
    if known is not None:
        said = (known.reason, known.vendor, known.model, known.serial)
        fresh = (ledger.now.wall - known.at).total_seconds() < KNOCK_AGAIN_S
        if fresh and said == (event.reason, event.vendor, event.model, event.serial):
            return ()
    facts = [Fact(f"knock:{id_}", event, STATION)]
    if known is None and len(ledger.state.knocks) >= WAITING_ROOM:
        oldest = min(ledger.state.knocks.values(), key=lambda knock: knock.at)
        facts.append(Fact(f"knock:{oldest.id}", KnockCleared(), BOX))
    return tuple(facts)


def decide_knock_gone(identity: str, ip: str) -> Decide[None]:
    """The caller is served now, or went away for good."""
    id_ = f"{station_key(identity)}@{ip}"

    def decide(ledger: Ledger) -> Decision[None]:
        if id_ not in ledger.state.knocks:
            return Decision((), None)
        return Decision((Fact(f"knock:{id_}", KnockCleared(), BOX),), None)

    return decide


def room_for(state: SiteState, key: StationKey) -> tuple[Fact, ...]:
    """Facts that keep stations no job names within the waiting room, before one more is written down."""
    if key in state.stations or any(state.rows_of_station(key)):
        return ()
    named = {row.station for row in state.charge_points.values()}
    strangers = [each for id_, each in state.stations.items() if id_ not in named and not each.transactions]
    if len(strangers) < WAITING_ROOM:
        return ()
    oldest = min(strangers, key=lambda station: (station.connected, station.changed_at is not None, station.id))
    return (Fact(f"station:{oldest.id}", StationForgotten(), BOX),)
