"""The desk at which stations report: each report becomes a decision, and is on disk before the station is answered.

Start at `StationDesk`; it is `edge_agent.site.ports.Desk`. What is decided stands in `admission`, `authorisation` and
`transactions`; nothing is decided here.
"""

from __future__ import annotations  # those of the functions made for each message would be worked out each time

import asyncio
from collections import OrderedDict
from collections.abc import Awaitable, Collection, Mapping
from typing import Any

from msgspec.structs import replace

from edge_agent.site import key_rules
from edge_agent.site.admission import (
    WAITING_ROOM,
    Caller,
    Policy,
    decide_boot,
    decide_knock,
    decide_knock_gone,
    kind_of,
    knock_cleared,
    policy_now,
    room_for,
    secured,
    shown_profile,
    standing,
)
from edge_agent.site.authorisation import verdict_on
from edge_agent.site.certificate_service import CertificateService
from edge_agent.site.corrections import Tally
from edge_agent.site.examiner import Examiner
from edge_agent.site.ports import Decision, Journal, Ledger, Standing, StationKind
from edge_agent.site.reports import (
    BootAnswer,
    BootReport,
    ConnectorReport,
    ListReport,
    MeterReport,
    StartAnswer,
    StartReport,
    StopReport,
    TransactionReport,
    TransferReport,
    Verdict,
)
from edge_agent.site.security_log import SecurityLog
from edge_agent.site.station_reports import decide_listed, decide_noted, stock_due
from edge_agent.site.transaction_events import decide_transaction_event
from edge_agent.site.transaction_status import decide_transaction_status, in_doubt
from edge_agent.site.transactions import decide_meter_values, decide_start, decide_stop
from edge_agent.site.transfer_rules import decide_told
from edge_agent.site.trust import NOTHING_SHOWN, Presented, Proof
from edge_agent.site.verifiers import slow_verifier
from sitelink.clock import Clock
from sitelink.events import (
    AvailabilityOrdered,
    ConnectorChanged,
    Event,
    SecurityNoted,
    StationConfigured,
    StationConnected,
    StationDisconnected,
    StationFaultCleared,
    StationFaulted,
    StationHeard,
    StationMessage,
    StationNeedsReboot,
)
from sitelink.ids import StationKey, station_key
from sitelink.model import Station, StationReport
from sitelink.ops import BOX, STATION, Author, Fact, Stamp
from sitelink.states import ConnectorStatus, Registration, ReportKind

STOCK_EVERY_S = 0.5
"""A full inventory costs a small box some 200 ms."""


def stamp(clock: Clock) -> Stamp:
    """Now, as an op would carry it."""
    return Stamp(boot=clock.boot_id(), mono_ms=int(clock.monotonic() * 1000), wall=clock.now())


class StationDesk:
    """See `edge_agent.site.ports.Desk`."""

    def __init__(self, journal: Journal, clock: Clock, policy: Policy, tally: Tally | None = None) -> None:
        self.log = SecurityLog(journal, clock)
        self.certificates: CertificateService | None = None
        """Who takes requests for certificates; None: nobody does."""
        self._examiner = Examiner(strict=policy.security == "strict")
        self._journal = journal
        self._clock = clock
        self._own_policy = policy
        self._stock_turn_at = 0.0
        self._tally = tally or Tally(journal, clock)
        self._knocks: OrderedDict[str, int] = OrderedDict()
        """How often each caller knocked since the start, the last ones only."""

    @property
    def _policy(self) -> Policy:
        return policy_now(self._journal.state, self._own_policy)

    @property
    def heartbeat_interval_s(self) -> int:
        return self._policy.heartbeat_interval_s

    async def prove(self, identity: str, shown: Presented) -> Proof:
        return await self._examiner.examine(self._journal.state, station_key(identity), shown, stamp(self._clock))

    def standing(self, identity: str, proof: Proof = NOTHING_SHOWN) -> Standing:
        return standing(self._journal.state, self._policy, identity, stamp(self._clock), proof)

    def kind(self, station: StationKey) -> StationKind | None:
        return kind_of(self._journal.state.stations.get(station))

    def is_named(self, station: StationKey) -> bool:
        return bool(self._journal.state.rows_of_station(station))

    async def refused(self, identity: str, ip: str, reason: str, proof: Proof = NOTHING_SHOWN) -> None:
        key = station_key(identity)
        named = bool(self._journal.state.rows_of_station(key))
        detail = {"ip": ip, "profile": str(proof.profile), "identity": identity}
        if proof.certificate is not None:
            detail |= {"serial": proof.certificate.serial, "common_name": proof.certificate.common_name}
        await self.log.note(key if named else None, reason, detail)
        if named and self._policy.security != "strict":
            await self.knocked(identity, ip, reason)

    async def certificate_requested(self, station: StationKey, request: str, number: int | None) -> bool:
        return self.certificates is not None and await self.certificates.requested(station, request, number)

    async def security_event(self, station: StationKey, kind: str, payload: Any) -> None:
        def decide(ledger: Ledger) -> Decision[None]:
            record = Fact(f"station:{station}", StationMessage("SecurityEventNotification", payload), STATION)
            noted = Fact(f"security:{station}", SecurityNoted("station_event", {"type": kind}), STATION)
            return Decision((*room_for(ledger.state, station), record, noted), None)

        await self._journal.write(decide)

    async def key_offered(self, station: StationKey, password: str) -> str:
        verifier = await asyncio.to_thread(slow_verifier, password.encode())
        await self._journal.write(key_rules.decide_offer(station, verifier, BOX))
        return verifier

    async def key_answered(self, station: StationKey, verifier: str, word: str, *, accepted: bool) -> None:
        state = key_rules.reading(word, accepted=accepted)
        await self._journal.write(key_rules.decide_key_answer(station, verifier, state, word or None))

    async def noted(self, station: StationKey, code: str, detail: dict[str, str]) -> None:
        await self.log.note(station, code, detail)

    async def connected(
        self, identity: str, ip: str, version: str, subprotocol: str | None, proof: Proof = NOTHING_SHOWN,
        ended: Collection[str] = (),
    ) -> None:  # fmt: skip
        key = station_key(identity)

        def decide(ledger: Ledger) -> Decision[None]:
            event = StationConnected(
                identity=identity, ip=ip, version=version, subprotocol=subprotocol, encrypted=proof.encrypted,
                profile=shown_profile(ledger, key, proof),
            )  # fmt: skip
            known = ledger.state.stations.get(key)
            accepted = known is not None and known.registration is Registration.ACCEPTED
            held = secured(ledger, self._policy, identity, proof) if accepted else ()
            connected = Fact(f"station:{key}", event, BOX)
            moved = _moved(known, ip) if event.profile == 0 else ()
            over = (*_over(known, ended), *knock_cleared(ledger.state, identity, ip))
            proven = key_rules.proven_facts(ledger, key, proof)
            return Decision((*room_for(ledger.state, key), connected, *proven, *held, *moved, *over), None)

        await self._journal.write(decide)

    async def disconnected(self, station: StationKey, reason: str) -> None:
        await self._record(station, StationDisconnected(reason), BOX)

    async def heard(self, station: StationKey) -> None:
        await self._record(station, StationHeard(), BOX)

    async def knocked(
        self, identity: str, ip: str, reason: str, boot: BootReport | None = None, offered: tuple[str, ...] = ()
    ) -> None:
        caller = Caller(identity, ip, reason, boot, offered)
        await self._journal.write(decide_knock(replace(caller, count=self._knocks_of(caller))))

    async def knock_gone(self, identity: str, ip: str) -> None:
        await self._journal.write(decide_knock_gone(identity, ip))

    async def boot(self, identity: str, ip: str, report: BootReport, proof: Proof = NOTHING_SHOWN) -> BootAnswer:
        caller = Caller(identity, ip, "", report)
        knocks = 1 if self.standing(identity, proof).served else self._knocks_of(caller)
        return await self._journal.write(decide_boot(self._policy, identity, ip, report, knocks, proof))

    def _knocks_of(self, caller: Caller) -> int:
        known = self._journal.state.knocks.get(caller.id)
        count = max(self._knocks.pop(caller.id, 0), known.count if known else 0) + 1
        self._knocks[caller.id] = count
        if len(self._knocks) > 2 * WAITING_ROOM:
            self._knocks.popitem(last=False)
        return count

    def connector_changed(self, station: StationKey, report: ConnectorReport) -> Awaitable[None]:
        event = ConnectorChanged(
            connector=report.connector, status=report.status, at=report.at or self._clock.now(),
            error_code=report.error_code, info=report.info, vendor_id=report.vendor_id,
            vendor_error_code=report.vendor_error_code, station_time=report.station_time, text=report.text,
            plug=report.plug,
        )  # fmt: skip
        return self._record(station, event, STATION)

    async def authorize(
        self, station: StationKey, id_token: str, token_type: str | None = None, connector: int | None = None
    ) -> Verdict:
        state, now = self._journal.state, self._clock.now()
        return verdict_on(state, self._policy, station, id_token, connector, now=now, token_type=token_type)

    async def start(self, station: StationKey, report: StartReport) -> StartAnswer:
        return await self._journal.write(decide_start(self._policy, station, report))

    async def stop(self, station: StationKey, report: StopReport) -> Verdict | None:
        return await self._journal.write(decide_stop(self._policy, station, report))

    def transaction_event(self, station: StationKey, report: TransactionReport) -> Awaitable[Verdict | None]:
        return self._journal.write(decide_transaction_event(self._policy, station, report))

    def meter_values(self, station: StationKey, report: MeterReport) -> Awaitable[None]:
        return self._journal.write(decide_meter_values(station, report))

    async def configured(self, station: StationKey, values: dict[str, str | None]) -> None:
        await self._record(station, StationConfigured(values), STATION)

    async def transfer_told(self, station: StationKey, report: TransferReport) -> None:
        await self._journal.write(decide_told(station, report))

    async def message(self, station: StationKey, action: str, payload: Any) -> None:
        await self._record(station, StationMessage(action, payload), STATION)

    async def listed(self, station: StationKey, report: ListReport) -> None:
        await self._journal.write(decide_listed(station, report))

    async def list_changed(
        self, station: StationKey, kind: ReportKind, put: dict[str, Any], drop: tuple[str, ...] = (), source: str = ""
    ) -> None:
        await self._journal.write(decide_noted(station, kind, put, drop, source))

    def report_of(self, station: StationKey, kind: ReportKind) -> StationReport | None:
        return self._journal.state.report_of(station, kind)

    def stock_due(self, station: StationKey, *, first: bool) -> bool:
        return stock_due(self._journal.state, station, first=first)

    def stock_turn_s(self) -> float:
        now = self._clock.monotonic()
        turn = max(now, self._stock_turn_at)
        self._stock_turn_at = turn + STOCK_EVERY_S
        return turn - now

    def is_out_of_service(self, station: StationKey) -> bool:
        known = self._journal.state.stations.get(station)
        places = [each.status for place, each in known.connectors.items() if place] if known is not None else []
        quiet = known is not None and not known.transactions
        return quiet and bool(places) and all(each is ConnectorStatus.UNAVAILABLE for each in places)

    def in_doubt(self, station: StationKey, *, also_running: bool) -> tuple[str, ...]:
        return in_doubt(self._journal.state, station, also_running=also_running)

    async def transaction_status(self, station: StationKey, name: str, *, ongoing: bool | None) -> None:
        await self._journal.write(decide_transaction_status(station, name, ongoing=ongoing))

    async def availability(
        self, station: StationKey, answer: str, *, operative: bool, connector: int, plug: int | None
    ) -> None:
        event = AvailabilityOrdered(operative=operative, answer=answer, connector=connector, plug=plug)
        await self._record(station, event, STATION)

    async def needs_reboot(self, station: StationKey, keys: tuple[str, ...]) -> None:
        await self._record(station, StationNeedsReboot(keys), BOX)

    def corrected(self, station: StationKey, kinds: Mapping[str, int]) -> None:
        self._tally.count(station, kinds)

    async def faulted(self, station: StationKey, code: str, detail: dict[str, str]) -> None:
        await self._record(station, StationFaulted(code, detail), BOX)

    async def fault_cleared(self, station: StationKey, code: str) -> None:
        def decide(ledger: Ledger) -> Decision[None]:
            return Decision(_over(ledger.state.stations.get(station), (code,)), None)

        await self._journal.write(decide)

    def _record(self, station: StationKey, event: Event, author: Author) -> Awaitable[None]:
        def decide(ledger: Ledger) -> Decision[None]:
            return Decision((*room_for(ledger.state, station), Fact(f"station:{station}", event, author)), None)

        return self._journal.write(decide)


def _over(known: Station | None, codes: Collection[str]) -> tuple[Fact, ...]:
    """Those of the faults that the station has are cleared."""
    if known is None or not known.faults:
        return ()
    there = [fault.code for fault in known.faults if fault.code in codes]
    return tuple(Fact(f"station:{known.id}", StationFaultCleared(code), BOX) for code in there)


def _moved(known: Station | None, ip: str) -> tuple[Fact, ...]:
    """Nothing but its address tells one without a password from another: that it changed stands in the log
    (SECURITY §3.4 (6))."""
    if known is None or known.ip is None or known.ip == ip:
        return ()
    detail = {"before": known.ip, "ip": ip}
    return (Fact(f"security:{known.id}", SecurityNoted("address_changed", detail), BOX),)
