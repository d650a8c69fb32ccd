"""Who is served: the pairing rule, BootNotification, and the list of those who call in vain.

Pure decisions. Start at `standing` and `decide_boot`. Sources: DESIGN §7 (10), (13), (19); OCPP 1.6 §4.2.
"""

from collections import Counter

import msgspec

from edge_agent.site import trust
from edge_agent.site.ports import Decide, Decision, Ledger, Standing, StationKind
from edge_agent.site.reports import BootAnswer, BootReport
from edge_agent.site.trust import NOTHING_SHOWN, Proof, Trust, security_of
from sitelink.box_settings import value_of
from sitelink.events import (
    CredentialRemoved,
    CredentialSet,
    Event,
    KnockCleared,
    Knocked,
    ProfileSettled,
    StationBooted,
    StationFaultCleared,
    StationFaulted,
    StationForgotten,
    Traits,
)
from sitelink.ids import StationKey, station_key
from sitelink.model import Job, Knock, SiteState, Station
from sitelink.ops import BOX, STATION, Fact, Stamp
from sitelink.security import CredentialOrigin, StationSecurity
from sitelink.states import JobStatus, Registration

WAITING_ROOM = 64
"""Callers that are remembered; then one makes room."""
MAKE_ROOM_EVERY_S = 5
"""How often a stranger may take another's place: callers under ever new names cost a bounded number of writes."""
KNOCK_AGAIN_S = 600
"""A caller that says nothing new is written down again after this long."""


class Policy(msgspec.Struct, frozen=True):
    """The settings that decide who is served and who may charge."""

    security: str = "pair"
    unknown_tokens: str = "accept"
    concurrent_tokens: str = "accept"
    """Whether one token may charge at two places at once: accept or reject."""
    heartbeat_interval_s: int = 60
    retry_interval_s: int = 20
    """When a station that was answered Pending may boot again."""


OF_POLICY = {
    "authorisation.unknown": "unknown_tokens", "authorisation.concurrent": "concurrent_tokens",
    "ocpp.heartbeat_interval_s": "heartbeat_interval_s", "ocpp.retry_interval_s": "retry_interval_s",
}  # fmt: skip
"""Settings that can be changed from above, and where they stand in a Policy."""


def policy_now(state: SiteState, own: Policy) -> Policy:
    """The box's own settings, with what came from above in their place."""
    if not state.settings:
        return own
    found = {field: value_of(state, key) for key, field in OF_POLICY.items()}
    return msgspec.structs.replace(own, **{field: value for field, value in found.items() if value is not None})


def pairing_open(job: Job, now: Stamp) -> bool:
    """Whether stations named by the job may connect for the first time."""
    if job.status is not JobStatus.OPEN:
        return False
    if job.open_pairing:
        return True
    opened = job.pairing
    return opened is not None and opened.boot == now.boot and now.mono_ms - opened.mono_ms < job.pairing_for_s * 1000


def standing(state: SiteState, policy: Policy, identity: str, now: Stamp, proof: Proof = NOTHING_SHOWN) -> Standing:
    """How an identity stands that shows `proof`. A station accepted once stays served while a job names it."""
    key = station_key(identity)
    station = state.stations.get(key)
    registration = station.registration if station is not None else Registration.NONE
    security = security_of(state, key)
    proof = trust.by_now(security, proof)
    reason = _reason_against(state, policy, key, security, registration, now, proof)
    held = 0 if trust.pairs_anew(security, now) else security.profile or 0
    return Standing(reason is None, registration, reason, proof.trust is Trust.RIGHT, held)


def kind_of(station: Station | None) -> StationKind | None:
    if station is None or not station.boots:
        return None
    return StationKind(station.vendor, station.model, station.firmware, station.version, station.connector_count or 0)


def _reason_against(
    state: SiteState, policy: Policy, key: StationKey, security: StationSecurity, registration: Registration,
    now: Stamp, proof: Proof,
) -> str | None:  # fmt: skip
    if not key:
        return "identity_missing"
    rows = state.rows_of_station(key)
    if not rows:
        return "unknown_identity"
    for _, row in rows:
        if row.owner:
            return "serial_in_use"
    if policy.security != "open" and trust.is_revoked(state, proof.certificate):
        return "certificate_revoked"
    is_open = window_open(state, key, now)
    return trust.reason_against(policy.security, security, proof, registration, now, window_open=is_open)


def window_open(state: SiteState, key: StationKey, now: Stamp) -> bool:
    """Whether one of the jobs that name a station lets new ones in."""
    for job, _ in state.rows_of_station(key):  # noqa: SIM110 -- a generator takes as long as all else of a standing
        if pairing_open(job, now):
            return True
    return False


def decide_boot(
    policy: Policy, identity: str, ip: str, report: BootReport, knocks: int = 1, proof: Proof = NOTHING_SHOWN
) -> Decide[BootAnswer]:
    """Answer a BootNotification: Accepted when served, else Pending and a place in the waiting room.

    `knocks`: how often the caller has called until now, where it is not served.
    """

    def decide(ledger: Ledger) -> Decision[BootAnswer]:
        stands = standing(ledger.state, policy, identity, ledger.now, proof)
        if not stands.served:
            facts = _pending(ledger, stands, identity, ip, report, knocks)
            return Decision(facts, BootAnswer(Registration.PENDING, policy.retry_interval_s, stands.reason))
        facts = _accepted(ledger.state, identity, ip, report) + secured(ledger, policy, identity, proof)
        return Decision(facts, BootAnswer(Registration.ACCEPTED, policy.heartbeat_interval_s))

    return decide


def _booted(identity: str, report: BootReport, verdict: Registration, reason: str | None) -> StationBooted:
    return StationBooted(
        identity=identity, vendor=report.vendor, model=report.model, serial=report.serial, firmware=report.firmware,
        verdict=verdict, reason=reason, payload=report.payload, version=report.version,
        subprotocol=report.subprotocol, traits=report.traits if report.traits != Traits() else None,
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
    return (*facts, *knock_cleared(state, identity, ip))


def shown_profile(ledger: Ledger, key: StationKey, proof: Proof) -> int:
    """The security profile of a connection: what it has proven, or is being learned from it now."""
    known = security_of(ledger.state, key)
    right = trust.by_now(known, proof).trust is Trust.RIGHT
    is_open = window_open(ledger.state, key, ledger.now)
    return proof.profile if right or trust.learns(known, proof, ledger.now, window_open=is_open) else 0


def secured(ledger: Ledger, policy: Policy, identity: str, proof: Proof) -> tuple[Fact, ...]:
    """What an accepted station is held to from now on, also where it calls again without a boot.

    Under open nothing is: it would lock out who plays.
    """
    if policy.security == "open":
        return ()
    key = station_key(identity)
    known, now = security_of(ledger.state, key), ledger.now
    is_open = window_open(ledger.state, key, now)
    events: list[Event] = []
    if trust.learns(known, proof, now, window_open=is_open) and proof.verifier is not None:
        events.append(CredentialSet(proof.verifier, CredentialOrigin.LEARNED))
    elif trust.pairs_anew(known, now) and proof.trust is not Trust.RIGHT and known.credential is not None:
        events.append(CredentialRemoved())
    profile = trust.settled_profile(known, proof, now, window_open=is_open)
    if profile != known.profile or trust.pairs_anew(known, now):
        events.append(ProfileSettled(profile))
    return tuple(Fact(f"security:{key}", event, BOX) for event in events)


def _serial_change(known: Station, serial: str) -> StationFaulted | StationFaultCleared | None:
    """Another serial under one identity is an error until a person confirms it or the first one is back."""
    fault = next((fault for fault in known.faults if fault.code == "serial_changed"), None)
    if fault is not None and fault.detail.get("before") == serial:
        return StationFaultCleared("serial_changed")
    if serial == known.serial:
        return None
    before = fault.detail.get("before", "") if fault is not None else known.serial or ""
    return StationFaulted("serial_changed", {"serial": serial, "before": before})


def _pending(
    ledger: Ledger, stands: Standing, identity: str, ip: str, report: BootReport, knocks: int
) -> tuple[Fact, ...]:
    caller = Caller(identity, ip, stands.reason or "unknown_identity", report, report.offered, knocks)
    facts = list(knock_facts(ledger, caller))
    named = any(ledger.state.rows_of_station(station_key(identity)))
    if named and stands.registration is not Registration.PENDING:
        event = _booted(identity, report, Registration.PENDING, stands.reason)
        facts.append(Fact(f"station:{station_key(identity)}", event, STATION))
    return tuple(facts)


class Caller(msgspec.Struct, frozen=True):
    """Somebody who is not served, and what it says of itself. `count`: how often it has knocked until now."""

    identity: str
    ip: str
    reason: str
    report: BootReport | None = None
    offered: tuple[str, ...] = ()
    count: int = 1

    @property
    def id(self) -> str:
        """An empty identity is told apart by address, and by serial once a boot has said it (OCPP.md §4.1)."""
        serial = self.report.serial if self.report else None
        own = f"#{serial}" if serial and not station_key(self.identity) else ""
        return f"{station_key(self.identity)}@{self.ip}{own}"


def decide_knock(caller: Caller) -> Decide[None]:
    """Remember a caller who is not served."""

    def decide(ledger: Ledger) -> Decision[None]:
        return Decision(knock_facts(ledger, caller), None)

    return decide


def knock_facts(ledger: Ledger, caller: Caller) -> tuple[Fact, ...]:
    """Nothing when it says what it said before and not long ago, or when the room is full of the like of it."""
    state, report = ledger.state, caller.report
    known = state.knocks.get(caller.id)
    event = Knocked(
        identity=caller.identity, ip=caller.ip, reason=caller.reason,
        vendor=report.vendor if report else (known.vendor if known else None),
        model=report.model if report else (known.model if known else None),
        serial=report.serial if report else (known.serial if known else None),
        firmware=report.firmware if report else (known.firmware if known else None),
        version=report.version if report else (known.version if known else None),
        offered=caller.offered or (known.offered if known else ()), count=caller.count,
    )  # fmt: skip
    if known is not None:
        fresh = (ledger.now.wall - known.at).total_seconds() < KNOCK_AGAIN_S
        return () if fresh and _same(known, event) else (Fact(f"knock:{caller.id}", event, STATION),)
    leaving = [f"{station_key(caller.identity)}@{caller.ip}"] if "#" in caller.id else []
    leaving = [id_ for id_ in leaving if id_ in state.knocks]
    if not leaving and len(state.knocks) >= WAITING_ROOM:
        victim = _who_makes_room(state, caller, ledger.now)
        if victim is None:
            return ()
        leaving.append(victim.id)
    return (Fact(f"knock:{caller.id}", event, STATION), *(Fact(f"knock:{id_}", KnockCleared(), BOX) for id_ in leaving))


def _same(known: Knock, event: Knocked) -> bool:
    return all(getattr(known, name) == getattr(event, name) for name in _SAID)


_SAID = ("reason", "vendor", "model", "serial", "firmware", "version", "offered")


def _who_makes_room(state: SiteState, caller: Caller, now: Stamp) -> Knock | None:
    """The oldest of the address that takes most of the room; None: not now. A caller some job names always gets in.

    So one that calls under ever new names takes the room from itself.
    """
    knocks = state.knocks.values()
    taken = Counter(knock.ip for knock in knocks)
    most, share = taken.most_common(1)[0]
    expected = any(state.rows_of_station(station_key(caller.identity)))
    if share > taken[caller.ip] + 1:
        return min((knock for knock in knocks if knock.ip == most), key=lambda knock: knock.at)
    newest = max(knock.first_at or knock.at for knock in knocks)
    if not expected and (now.wall - newest).total_seconds() < MAKE_ROOM_EVERY_S:
        return None
    return min(knocks, key=lambda knock: knock.at)


def decide_knock_gone(identity: str, ip: str) -> Decide[None]:
    """The caller is served now, or went away for good."""

    def decide(ledger: Ledger) -> Decision[None]:
        return Decision(knock_cleared(ledger.state, identity, ip), None)

    return decide


def knock_cleared(state: SiteState, identity: str, ip: str) -> tuple[Fact, ...]:
    """A caller that is served has no place in the waiting room."""
    id_ = f"{station_key(identity)}@{ip}"
    return (Fact(f"knock:{id_}", KnockCleared(), BOX),) if id_ in state.knocks else ()


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
