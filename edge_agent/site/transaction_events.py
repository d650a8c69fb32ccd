"""Transactions as OCPP 2.x tells them: events with numbers, about an id of the station's own making.

Pure decisions. Start at `decide_transaction_event`. Nothing is refused, an event that came before is recognised by its
transaction and number, and one that comes late still takes its place. Sources: OCPP 2.0.1 part 2, E01, E02, E04, E05,
E13, E14 and E 1.3.2; OCPP.md §8.3.
"""

from __future__ import annotations  # those of the functions made for each message would be worked out each time

from datetime import datetime

from msgspec.structs import replace

from edge_agent.site.admission import Policy, room_for
from edge_agent.site.authorisation import is_test_token, verdict_on
from edge_agent.site.ports import Decide, Decision, Ledger
from edge_agent.site.reports import UNNUMBERED, MeterGroup, TransactionReport, TransactionStage, Verdict
from edge_agent.site.transactions import content_of, value_facts
from sitelink.events import MeterValuesReported, TransactionStarted, TransactionStopped, TransactionUpdated
from sitelink.folding.transactions import PROVISIONAL, SUPERSEDED, began_before
from sitelink.ids import StationKey, TransactionId
from sitelink.model import Transaction
from sitelink.ops import BOX, STATION, Fact
from sitelink.ranges import has
from sitelink.redact import MASK
from sitelink.states import AuthorizationStatus, IdTokenType

RUNNING = frozenset({"charging_s", "cost"})
"""Of what it tells besides, what changes with every event: taken over with the next one that changes anything else."""
ENERGY_REGISTER = "Energy.Active.Import.Register"


def decide_transaction_event(policy: Policy, station: StationKey, report: TransactionReport) -> Decide[Verdict | None]:
    """Record the event; the verdict on its id token, also where it was started offline (E01.FR.11, E04)."""
    content = content_of("transaction", report.name)

    def decide(ledger: Ledger) -> Decision[Verdict | None]:
        known = _known(ledger, station, report.name, content)
        return told(ledger, known, _numbered_after(known, report) if report.seq_no == UNNUMBERED else report)

    def told(ledger: Ledger, known: Transaction | None, report: TransactionReport) -> Decision[Verdict | None]:
        place = report.connector or (known.connector if known is not None else _place_unsaid(ledger, station, report))
        verdict = None
        if report.id_token is not None:
            verdict = _verdict(policy, ledger, station, report, place, known)
        if known is not None and has(known.numbers, report.seq_no) and not _ends(report, known):
            return Decision((), verdict)
        if known is None:
            facts = _begun(ledger, station, report, content, place, verdict)
        else:
            facts = _went_on(ledger, station, report, known, verdict)
        return Decision((*room_for(ledger.state, station), *facts), verdict)

    return decide


def _numbered_after(known: Transaction | None, report: TransactionReport) -> TransactionReport:
    """An event without a number comes after all that are known: nothing is missed because of it."""
    return replace(report, seq_no=known.numbers[-1][1] + 1 if known is not None and known.numbers else 0)


def _known(ledger: Ledger, station: StationKey, name: str, content: str) -> Transaction | None:
    """The running ones are looked at first: an event of a running transaction costs no question to the disk."""
    here = ledger.state.stations.get(station)
    for id_ in here.transactions.values() if here is not None else ():
        running = ledger.transaction(id_)
        if running is not None and running.name == name:
            return running
    return ledger.started(station, content)


def _place_unsaid(ledger: Ledger, station: StationKey, report: TransactionReport) -> int:
    """Where a transaction begins that names no EVSE: where it was ordered, else at the only one there is.

    Of several it may be any: it stands at none (0) until an event says so, and ends nothing that runs. So it is where
    the card comes before the cable (E02).
    """
    state = ledger.state
    if report.remote_start is not None:
        ordered = (
            each for each in state.commands.values()
            if each.station == station and each.detail.get("remote_start") == report.remote_start
        )  # fmt: skip
        command = next(ordered, None)
        if command is not None:
            return command.connector
    here = state.stations.get(station)
    if here is None:
        return 1
    places = {place for place in here.connectors if place} | {
        row.connector for _, row in state.rows_of_station(station)
    }
    return 1 if max(here.connector_count or 0, len(places)) <= 1 else 0


def _ends(report: TransactionReport, known: Transaction) -> bool:
    """Whether it is an end nobody has heard of: some stations begin to count anew."""
    return report.stage is TransactionStage.ENDED and not _is_over(known)


def _verdict(
    policy: Policy, ledger: Ledger, station: StationKey, report: TransactionReport, place: int,
    known: Transaction | None,
) -> Verdict:  # fmt: skip
    """A token begins a charge with the event that brings it, which need not be the first; one that was accepted for
    this transaction is not asked again whether it charges elsewhere."""
    begins = known is None or known.verdict is not AuthorizationStatus.ACCEPTED
    return verdict_on(
        ledger.state, policy, station, report.id_token or "", place, now=ledger.now.wall,
        token_type=report.token_type, starting=begins and report.stage is not TransactionStage.ENDED,
    )  # fmt: skip


def _recorded(report: TransactionReport) -> str | None:
    """The token as it is kept. A key code is a secret a person types: that there was one is all that stays."""
    return MASK if report.token_type == IdTokenType.KEY_CODE and report.id_token else report.id_token


def _begun(
    ledger: Ledger, station: StationKey, report: TransactionReport, content: str, place: int,
    verdict: Verdict | None,
) -> list[Fact]:  # fmt: skip
    """The first that is heard of it, whatever its stage: what came before is still missing then."""
    entity = f"station:{station}"
    id_ = ledger.next_transaction_id()
    at = report.at or ledger.now.wall
    started = TransactionStarted(
        id=id_, connector=place, id_token=_recorded(report), token_type=report.token_type, at=at, content=content,
        verdict=verdict.status if verdict else None, name=report.name, seq_no=report.seq_no,
        remote_start=report.remote_start, plug=report.plug,
        charging=report.charging, offline=report.offline, extras=report.extras, station_time=report.station_time,
        payload=report.payload,
        test=report.id_token is not None and is_test_token(ledger.state, station, report.id_token),
        meter_start_wh=register_wh(
            report.groups, "Transaction.Begin", last=False, needed=report.stage is not TransactionStage.STARTED
        ),
    )  # fmt: skip
    facts = []
    here = ledger.state.stations.get(station)
    running = ledger.transaction(here.transactions[place]) if here is not None and place in here.transactions else None
    of_the_past = running is not None and began_before(started, running)
    if running is not None and not of_the_past:
        facts.append(_superseded(station, running.id, at))
    facts.append(Fact(entity, started, STATION))
    facts += value_facts(ledger, station, place, id_, report.groups)
    if report.stage is TransactionStage.ENDED:
        facts.append(_ended(station, report, id_, ledger))
    elif running is not None and of_the_past:
        facts.append(_superseded(station, id_, running.started_at or at))
    return facts


def _superseded(station: StationKey, id_: TransactionId, at: datetime) -> Fact:
    return Fact(f"station:{station}", TransactionStopped(id=id_, at=at, content="", reason=SUPERSEDED), BOX)


def _went_on(
    ledger: Ledger, station: StationKey, report: TransactionReport, known: Transaction,
    verdict: Verdict | None,
) -> list[Fact]:  # fmt: skip
    place = report.connector or known.connector
    facts = _making_room(ledger, station, report, known)
    facts += value_facts(ledger, station, place, known.id, report.groups)
    if _ends(report, known):
        if known.id_token is None and report.id_token is not None:
            facts.append(_updated(ledger, station, report, known, verdict))
        return [*facts, _ended(station, report, known.id, ledger)]
    if _only_values(report, known) and facts:
        facts[0] = _numbered(facts[0], report.seq_no)
        return facts
    return [*facts, _updated(ledger, station, report, known, verdict)]


def _making_room(ledger: Ledger, station: StationKey, report: TransactionReport, known: Transaction) -> list[Fact]:
    """It moves to an EVSE where another one runs: that one is over (an EVSE has one transaction)."""
    here = ledger.state.stations.get(station)
    newest = not known.numbers or report.seq_no > known.numbers[-1][1]
    if here is None or report.connector in (None, known.connector) or not known.open or not newest:
        return []
    other = here.transactions.get(report.connector)
    return [_superseded(station, other, report.at or ledger.now.wall)] if other not in (None, known.id) else []


def _is_over(known: Transaction) -> bool:
    return known.stopped_at is not None and known.reason not in PROVISIONAL


def _only_values(report: TransactionReport, known: Transaction) -> bool:
    """Whether the event tells nothing but what was measured: then it is telemetry, not log."""
    return (
        report.stage is TransactionStage.UPDATED
        and report.charging in (None, known.charging)
        and report.id_token is None
        and report.remote_start in (None, known.remote_start)
        and report.connector in (None, known.connector)
        and report.plug in (None, known.plug)
        and all(known.extras.get(name) == value for name, value in report.extras.items() if name not in RUNNING)
    )


def _numbered(fact: Fact, seq_no: int) -> Fact:
    event = fact.event
    return replace(fact, event=replace(event, seq_no=seq_no)) if isinstance(event, MeterValuesReported) else fact


def _updated(
    ledger: Ledger, station: StationKey, report: TransactionReport, known: Transaction,
    verdict: Verdict | None,
) -> Fact:  # fmt: skip
    """Of the end of a transaction only what nobody knew yet."""
    late_start = report.stage is TransactionStage.STARTED
    event = TransactionUpdated(
        id=known.id, at=report.at or ledger.now.wall, trigger=report.trigger, plug=report.plug,
        seq_no=None if report.stage is TransactionStage.ENDED and not _is_over(known) else report.seq_no,
        connector=report.connector, charging=report.charging, id_token=_recorded(report), token_type=report.token_type,
        verdict=verdict.status if verdict else None, remote_start=report.remote_start, offline=report.offline,
        station_time=report.station_time, extras=report.extras,
        payload=report.payload, test=report.id_token is not None
        and is_test_token(ledger.state, station, report.id_token),
        meter_start_wh=register_wh(report.groups, "Transaction.Begin", last=False, needed=not late_start),
    )  # fmt: skip
    return Fact(f"station:{station}", event, STATION)


def _ended(station: StationKey, report: TransactionReport, id_: TransactionId, ledger: Ledger) -> Fact:
    event = TransactionStopped(
        id=id_, at=report.at or ledger.now.wall, content=content_of("end of", report.name, report.seq_no),
        meter_stop_wh=register_wh(report.groups, "Transaction.End", last=True), reason=report.stop_reason,
        id_token=_recorded(report), station_time=report.station_time, payload=report.payload, seq_no=report.seq_no,
        offline=report.offline, extras=report.extras,
    )  # fmt: skip
    return Fact(f"station:{station}", event, STATION)


def register_wh(groups: tuple[MeterGroup, ...], context: str, *, last: bool, needed: bool = False) -> float | None:
    """The energy register at the beginning or the end: of that context, else (unless `needed`) the first or last."""
    readings = [
        (sample.context, sample.value)
        for group in groups
        for sample in group.samples
        if sample.measurand == ENERGY_REGISTER and sample.phase is None and sample.location in (None, "Outlet")
    ]
    fitting = [value for said, value in readings if said == context]
    if not fitting and not needed:
        fitting = [value for _, value in readings]
    return fitting[-1 if last else 0] if fitting else None
