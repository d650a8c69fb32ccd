"""The fold of transactions and readings. Pure. Start at `FOLDS`. Source: OCPP 1.6 §4.7 to §4.10, OCPP 2.0.1 E."""

from msgspec.structs import replace

from sitelink import events as e
from sitelink.folding.changes import NOTHING, Changes, Fold
from sitelink.folding.stations import station_of
from sitelink.ids import StationKey, TransactionId
from sitelink.model import Readings, SiteState, Transaction
from sitelink.ops import Op
from sitelink.ranges import Ranges, with_number
from sitelink.states import AuthorizationStatus

SUPERSEDED = "Superseded"
"""Reason of a transaction that ended only because the next one began; a real stop may still replace it."""
UNTOLD = "EndNotTold"
"""Reason of a transaction that ended while nobody was told; a real end may still replace it (OCPP 2.x E14)."""
PROVISIONAL = frozenset({SUPERSEDED, UNTOLD})


def _transaction_started(state: SiteState, op: Op, event: e.TransactionStarted) -> Changes:
    station = station_of(state, op)
    if event.id in state.transactions:
        return NOTHING
    transaction = Transaction(
        id=event.id, station=station.id, connector=event.connector, started_at=event.at, id_token=event.id_token,
        verdict=event.verdict, meter_start_wh=event.meter_start_wh, start_content=event.content, test=event.test,
        name=event.name, token_type=event.token_type, plug=event.plug, charging=event.charging,
        remote_start=event.remote_start, numbers=_numbered((), event.seq_no), extras=event.extras,
    )  # fmt: skip
    before = state.transactions.get(station.transactions.get(event.connector, TransactionId(0)))
    if before is not None and began_before(event, before):
        return Changes(put=(transaction,))
    running = {**station.transactions, event.connector: event.id}
    newest = max(event.at, station.newest_start or event.at)
    return Changes(put=(transaction, replace(station, transactions=running, newest_start=newest)))


def began_before(event: e.TransactionStarted, running: Transaction) -> bool:
    """Whether it is told late of what began before the one that runs there: that one goes on (OCPP 2.x E04, E12)."""
    return event.offline and running.started_at is not None and event.at < running.started_at


def _numbered(numbers: Ranges, seq_no: int | None) -> Ranges:
    return numbers if seq_no is None else with_number(numbers, seq_no)


def _is_accepted(verdict: AuthorizationStatus | None) -> bool:
    return verdict is AuthorizationStatus.ACCEPTED


def _transaction_updated(state: SiteState, op: Op, event: e.TransactionUpdated) -> Changes:
    """A late event of an ended transaction only fills its place in the sequence and what nobody knew yet.

    Whose it is says the first token, or the first accepted one where those before were refused.
    """
    known = state.transactions.get(event.id)
    if known is None:
        return NOTHING
    counts = known.id_token is None or (not _is_accepted(known.verdict) and _is_accepted(event.verdict))
    counting_token = event.id_token is not None and counts
    newest = event.seq_no is None or not known.numbers or event.seq_no > known.numbers[-1][1]
    updated = replace(
        known, numbers=_numbered(known.numbers, event.seq_no), plug=(newest and event.plug) or known.plug,
        charging=(newest and event.charging) or known.charging,
        extras={**known.extras, **event.extras} if newest else {**event.extras, **known.extras},
        remote_start=known.remote_start if known.remote_start is not None else event.remote_start,
        meter_start_wh=known.meter_start_wh if known.meter_start_wh is not None else event.meter_start_wh,
        started_at=min(known.started_at, event.at) if known.started_at is not None else None,
    )  # fmt: skip
    if counting_token:
        updated = replace(
            updated, id_token=event.id_token, token_type=event.token_type, verdict=event.verdict, test=event.test
        )
    updated = _mended(updated)
    station = station_of(state, op)
    if not newest or event.connector in (None, known.connector) or not known.open:
        return Changes(put=(updated,))
    running = {place: id_ for place, id_ in station.transactions.items() if id_ != event.id}
    updated = replace(updated, connector=event.connector)
    return Changes(put=(updated, replace(station, transactions={**running, event.connector: event.id})))


def _transaction_stopped(state: SiteState, op: Op, event: e.TransactionStopped) -> Changes:
    station = station_of(state, op)
    known = state.transactions.get(event.id)
    if known is not None and known.stopped_at is not None and known.reason not in PROVISIONAL:
        return NOTHING
    before = known or Transaction(id=event.id, station=station.id, connector=0, orphan=event.orphan)
    closed = replace(
        before, stopped_at=event.at, meter_stop_wh=event.meter_stop_wh, reason=event.reason,
        stop_content=event.content, flags=event.flags,
        numbers=_numbered(before.numbers, event.seq_no), last_number=event.seq_no,
        incomplete=False, extras={**before.extras, **event.extras},
    )  # fmt: skip
    if event.id not in station.transactions.values():
        return Changes(put=(closed,))
    running = {connector: id_ for connector, id_ in station.transactions.items() if id_ != event.id}
    return Changes(put=(closed, replace(station, transactions=running)))


def _meter_values_reported(state: SiteState, op: Op, event: e.MeterValuesReported) -> Changes:
    station = StationKey(op.entity.partition(":")[2])
    numbered = _numbered_by_values(state, event)
    before = state.readings.get((station, event.connector))
    if before is not None and before.at > event.at:
        return Changes(put=numbered)
    samples = by_measurand(event, before)
    return Changes(put=(Readings(station=station, connector=event.connector, at=event.at, samples=samples), *numbered))


def _transaction_incomplete(state: SiteState, _op: Op, event: e.TransactionIncomplete) -> Changes:
    known = state.transactions.get(event.id)
    return Changes(put=(replace(known, incomplete=True),)) if known is not None and not known.incomplete else NOTHING


def _numbered_by_values(state: SiteState, event: e.MeterValuesReported) -> tuple[Transaction, ...]:
    """The transaction with the event's number, where its event brought nothing but values."""
    known = state.transactions.get(event.transaction) if event.transaction is not None else None
    if known is None or event.seq_no is None:
        return ()
    return (_mended(replace(known, numbers=with_number(known.numbers, event.seq_no))),)


def _mended(transaction: Transaction) -> Transaction:
    """What was given up came after all."""
    whole = transaction.incomplete and transaction.last_number is not None and not transaction.missing_events
    return replace(transaction, incomplete=False) if whole else transaction


def by_measurand(event: e.MeterValuesReported, before: Readings | None) -> dict[str, e.MeterSample]:
    """The newest sample of each measurand and phase, with these."""
    samples = dict(before.samples) if before is not None else {}
    for sample in event.samples:
        if sample.value is not None and sample.location in _OF_THE_CONNECTOR:
            samples[_NAMES[sample.measurand, sample.phase]] = sample
    return samples


_OF_THE_CONNECTOR = (None, "Outlet")


class _Names(dict[tuple[str, str | None], str]):
    """What a sample goes by; the same few come over and over."""

    def __missing__(self, said: tuple[str, str | None]) -> str:
        measurand, phase = said
        if len(self) >= NAMES_MAX:
            self.clear()
        self[said] = name = f"{measurand}/{phase}" if phase else measurand
        return name


NAMES_MAX = 512
_NAMES = _Names()


FOLDS: dict[type[e.Event], Fold] = {
    e.TransactionStarted: _transaction_started,
    e.TransactionUpdated: _transaction_updated,
    e.TransactionStopped: _transaction_stopped,
    e.TransactionIncomplete: _transaction_incomplete,
    e.MeterValuesReported: _meter_values_reported,
}
