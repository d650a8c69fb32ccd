"""Charging transactions: a start, a stop, the values in between, each recognised when it comes again.

Pure decisions. Start at `decide_start`. Nothing a station reports is refused: what fits nowhere is stored as it is.
Sources: OCPP 1.6 §3.7, §4.7, §4.8, §4.10, errata 3.18 and 3.54; OCPP.md §4.3.
"""

from __future__ import annotations  # those of the functions made for each message would be worked out each time

import hashlib
from collections.abc import Iterable
from datetime import datetime

import msgspec

from edge_agent.site.admission import Policy, room_for
from edge_agent.site.authorisation import is_test_token, same_holder, verdict_on
from edge_agent.site.plausibility import flags_of, flags_of_stop
from edge_agent.site.ports import Decide, Decision, Ledger
from edge_agent.site.reports import MeterGroup, MeterReport, StartAnswer, StartReport, StopReport, Verdict
from sitelink.events import MeterValuesReported, TransactionStarted, TransactionStopped
from sitelink.folding.transactions import SUPERSEDED, by_measurand
from sitelink.ids import StationKey, TransactionId
from sitelink.model import Readings, SiteState, Station, Transaction
from sitelink.ops import BOX, STATION, Fact
from sitelink.states import AuthorizationStatus

_encode = msgspec.json.Encoder().encode


def content_of(*parts: object) -> str:
    """A short digest by which the same message is recognised when it is sent again, under whatever message id."""
    return hashlib.blake2b("\x1f".join(map(str, parts)).encode("utf-8", "replace"), digest_size=12).hexdigest()


def values_content(connector: int, group: MeterGroup) -> str:
    """The same for values of one moment; quick, since it is made of every one of them."""
    said = _encode((connector, group.station_time, group.samples))
    return hashlib.blake2b(said, digest_size=12).hexdigest()


def decide_start(policy: Policy, station: StationKey, report: StartReport) -> Decide[StartAnswer]:
    """Give the transaction an id, or the id it was given when the same start came before."""
    content = content_of(report.connector, report.id_token, report.meter_start_wh, report.station_time)

    def decide(ledger: Ledger) -> Decision[StartAnswer]:
        here = ledger.state.stations.get(station)
        newest = here.newest_start if here is not None else None
        is_new = report.at is not None and newest is not None and report.at > newest
        known = None if is_new else ledger.started(station, content)
        if known is not None and (report.at is not None or known.open):
            return Decision((), StartAnswer(known.id, Verdict(known.verdict or AuthorizationStatus.INVALID)))
        state = ledger.state
        verdict = verdict_on(
            state, policy, station, report.id_token, report.connector, now=ledger.now.wall, starting=True
        )
        id_ = ledger.next_transaction_id()
        started = TransactionStarted(
            id=id_, connector=report.connector, id_token=report.id_token, at=report.at or ledger.now.wall,
            content=content, verdict=verdict.status, meter_start_wh=report.meter_start_wh,
            test=is_test_token(state, station, report.id_token), station_time=report.station_time,
            payload=report.payload,
        )  # fmt: skip
        entity = f"station:{station}"
        facts = [*room_for(state, station)]
        running = here.transactions.get(report.connector) if here is not None else None
        if running is not None:
            closed = TransactionStopped(
                id=running, at=started.at, content="", meter_stop_wh=None, reason=SUPERSEDED
            )  # fmt: skip
            facts.append(Fact(entity, closed, BOX))
        facts.append(Fact(entity, started, STATION))
        return Decision(tuple(facts), StartAnswer(id_, verdict))

    return decide


def decide_stop(policy: Policy, station: StationKey, report: StopReport) -> Decide[Verdict | None]:
    """End a transaction. One that is not known is stored as an orphan, and closes nobody else's."""

    def decide(ledger: Ledger) -> Decision[Verdict | None]:
        answer = None
        if report.id_token is not None:
            answer = verdict_on(ledger.state, policy, station, report.id_token, now=ledger.now.wall)
        known = _meant(ledger, station, report)
        if known is not None and known.stopped_at is not None and known.reason != SUPERSEDED:
            return Decision((), answer)
        content = ""
        if known is None or not _has_number(report):  # else the number tells when it comes again
            content = content_of(report.transaction, report.meter_stop_wh, report.station_time, report.id_token)
            before = ledger.stopped(station, content)
            if before is not None and (known is None or report.at is not None):
                return Decision((), answer)
        id_ = known.id if known is not None else ledger.next_transaction_id()
        stopped = TransactionStopped(
            id=id_, at=report.at or ledger.now.wall, content=content, meter_stop_wh=report.meter_stop_wh,
            reason=report.reason, id_token=report.id_token, orphan=known is None,
            station_time=report.station_time, payload=report.payload,
            flags=flags_of_stop(known, report.meter_stop_wh),
        )  # fmt: skip
        connector = known.connector if known is not None else 0
        values = value_facts(ledger, station, connector, id_, report.groups)
        return Decision(
            (*room_for(ledger.state, station), *values, Fact(f"station:{station}", stopped, STATION)), answer
        )

    return decide


def _meant(ledger: Ledger, station: StationKey, report: StopReport) -> Transaction | None:
    """The transaction a stop means. A station that never got our answer says −1, 0 or nothing (errata 3.18)."""
    if report.transaction is not None and _has_number(report):
        found = ledger.transaction(TransactionId(report.transaction))
        return found if found is not None and found.station == station else None
    here = ledger.state.stations.get(station)
    if here is None:
        return None
    fitting = [each for each in _running(ledger, here) if _fits(ledger.state, each, report)]
    return fitting[0] if len(fitting) == 1 else None


def _has_number(report: StopReport) -> bool:
    return report.transaction is not None and report.transaction >= 1


def _running(ledger: Ledger, station: Station) -> Iterable[Transaction]:
    for id_ in station.transactions.values():
        found = ledger.transaction(id_)
        if found is not None:
            yield found


def _fits(state: SiteState, transaction: Transaction, report: StopReport) -> bool:
    """Same token or group where both say one, no less energy, no earlier time."""
    said, started_by = report.id_token, transaction.id_token
    if said and started_by and not same_holder(state, transaction.station, started_by, said):
        return False
    stop_wh, start_wh = report.meter_stop_wh, transaction.meter_start_wh
    if stop_wh is not None and start_wh is not None and stop_wh < start_wh:
        return False
    return not (report.at and transaction.started_at and report.at < transaction.started_at)


def decide_meter_values(station: StationKey, report: MeterReport) -> Decide[None]:
    """Keep what was measured; values that came before under another message id are not kept twice."""

    def decide(ledger: Ledger) -> Decision[None]:
        facts = value_facts(ledger, station, report.connector, _transaction_of(ledger, station, report), report.groups)
        return Decision((*room_for(ledger.state, station), *facts) if facts else (), None)

    return decide


def _transaction_of(ledger: Ledger, station: StationKey, report: MeterReport) -> TransactionId | None:
    """The one it names, if it is this station's; else the one running at the connector."""
    if report.transaction is not None and report.transaction >= 1:
        found = ledger.transaction(TransactionId(report.transaction))
        if found is not None and found.station == station:
            return found.id
    here = ledger.state.stations.get(station)
    running = here.transactions.get(report.connector) if here else None
    if running is not None:
        return running
    ended = ledger.state.last_closed(station, report.connector)
    return ended.id if ended is not None and _closes(ended, report, ledger.now.wall) else None


CLOSING_S = 120
"""So long after a stop values may still belong to the charge."""


def _closes(ended: Transaction, report: MeterReport, now: datetime) -> bool:
    """Whether the values are the last of a charge that has just ended (some send them after the stop)."""
    if any(sample.context == "Transaction.End" for group in report.groups for sample in group.samples):
        return True
    if ended.stopped_at is None or report.transaction is None:
        return False
    times = [group.at or now for group in report.groups]
    return all(abs((at - ended.stopped_at).total_seconds()) <= CLOSING_S for at in times)


def value_facts(
    ledger: Ledger,
    station: StationKey,
    connector: int,
    transaction: TransactionId | None,
    groups: tuple[MeterGroup, ...],
) -> tuple[Fact, ...]:
    facts = []
    here = ledger.state.stations.get(station)
    session_energy = here is not None and here.traits.session_energy
    before = ledger.state.readings.get((station, connector))
    running = ledger.transaction(transaction) if transaction is not None and session_energy else None
    for group in groups:
        content = values_content(connector, group)
        if group.station_time is not None and ledger.is_known_telemetry(station, content):
            continue
        at: datetime = group.at or ledger.now.wall
        event = MeterValuesReported(
            connector=connector, at=at, samples=group.samples, content=content, transaction=transaction,
            station_time=group.station_time, payload=group.payload,
            flags=flags_of(group.samples, at, before, running, session_energy=session_energy),
        )  # fmt: skip
        if group is not groups[-1] and (before is None or at > before.at):
            before = Readings(station=station, connector=connector, at=at, samples=by_measurand(event, before))
        facts.append(Fact(f"station:{station}", event, STATION))
    return tuple(facts)
