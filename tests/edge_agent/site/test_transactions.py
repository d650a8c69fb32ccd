"""Starts, stops and meter values: recorded whatever they are, recognised when they come again."""

from datetime import UTC, datetime
from typing import Any

import pytest

from edge_agent.site.reports import MeterGroup, MeterReport, StartReport, StopReport
from sitelink.events import MeterSample, MeterValuesReported
from sitelink.ids import StationKey
from sitelink.states import AuthorizationStatus
from tests.doubles.core import Core

CP = StationKey("cp001")
TEN = "2026-11-23T10:00:00Z"
ELEVEN = "2026-11-23T11:00:00Z"


def at(text: str) -> datetime:
    return datetime.fromisoformat(text.replace("Z", "+00:00")).astimezone(UTC)


def start(**changes: Any) -> StartReport:
    return StartReport(**{"connector": 1, "id_token": "DRIVER1", "meter_start_wh": 100, "at": at(TEN),
                          "station_time": TEN, **changes})  # fmt: skip


def stop(transaction: int | None, **changes: Any) -> StopReport:
    return StopReport(**{"transaction": transaction, "meter_stop_wh": 900, "at": at(ELEVEN),
                         "station_time": ELEVEN, **changes})  # fmt: skip


async def booted() -> Core:
    core = Core()
    await core.import_job()
    await core.boot("CP001")
    return core


async def test_ids_are_positive_and_never_twice() -> None:
    core = await booted()
    ids = [(await core.desk.start(CP, start(station_time=f"2026-11-23T10:00:{n:02}Z"))).transaction for n in range(20)]
    assert ids == sorted(set(ids))
    assert ids[0] >= 1


async def test_a_start_sent_again_gets_the_same_transaction() -> None:
    core = await booted()
    first = await core.desk.start(CP, start())
    seq = core.journal.seq
    assert await core.desk.start(CP, start()) == first
    assert core.journal.seq == seq


async def test_a_clock_that_never_runs_makes_no_two_charges_one() -> None:
    """A station that stamps everything 1970, and counts energy from the start of each charge."""
    core = await booted()
    stuck: dict[str, Any] = {"at": None, "station_time": "1970-01-01T00:00:00Z"}
    first = await core.desk.start(CP, start(**stuck, meter_start_wh=0))
    assert await core.desk.start(CP, start(**stuck, meter_start_wh=0)) == first, "sent again while it runs"
    await core.desk.stop(CP, stop(-1, **stuck))
    second = await core.desk.start(CP, start(**stuck, meter_start_wh=0))
    assert second.transaction != first.transaction
    await core.desk.stop(CP, stop(-1, **stuck))
    assert core.journal.state.stations[CP].transactions == {}
    assert not core.journal.state.transactions[second.transaction].open


async def test_a_start_sent_again_after_its_stop_is_still_recognised() -> None:
    core = await booted()
    first = await core.desk.start(CP, start())
    await core.desk.stop(CP, stop(first.transaction))
    assert (await core.desk.start(CP, start())).transaction == first.transaction
    assert core.journal.state.stations[CP].transactions == {}


async def test_the_disk_is_asked_only_for_what_can_have_come_before(monkeypatch: pytest.MonkeyPatch) -> None:
    """A start later than every other cannot, nor can a stop by number: what became of that one is known."""
    core = await booted()
    asked: list[str] = []
    for name in ("started", "stopped"):
        real = getattr(core.journal, name)
        monkeypatch.setattr(core.journal, name, lambda *about, real=real, name=name: asked.append(name) or real(*about))
    first = await core.desk.start(CP, start())
    assert asked == ["started"], "nothing is known yet"
    await core.desk.stop(CP, stop(first.transaction))
    await core.desk.stop(CP, stop(first.transaction))
    second = await core.desk.start(CP, start(at=at(ELEVEN), station_time=ELEVEN))
    assert asked == ["started"]
    assert (await core.desk.start(CP, start())).transaction == first.transaction
    assert (await core.desk.start(CP, start(at=at(ELEVEN), station_time=ELEVEN))).transaction == second.transaction
    await core.desk.stop(CP, stop(-1))
    await core.desk.stop(CP, stop(4711))
    assert asked == ["started"] * 3 + ["stopped"] * 2


async def test_a_start_refused_by_authorisation_is_recorded_all_the_same() -> None:
    core = await booted()
    answer = await core.desk.start(CP, start())
    assert answer.verdict.status is AuthorizationStatus.INVALID
    assert core.journal.state.transactions[answer.transaction].open


async def test_a_start_before_any_boot_is_stored_and_not_accepted() -> None:
    core = Core()
    await core.import_job()
    answer = await core.desk.start(CP, start(id_token=core.job().test_token))
    assert answer.verdict.status is AuthorizationStatus.INVALID
    assert core.journal.state.transactions[answer.transaction].meter_start_wh == 100


async def test_a_stop_closes_its_transaction_once() -> None:
    core = await booted()
    id_ = (await core.desk.start(CP, start())).transaction
    await core.desk.stop(CP, stop(id_, reason="EVDisconnected"))
    seq = core.journal.seq
    await core.desk.stop(CP, stop(id_, reason="EVDisconnected"))
    await core.desk.stop(CP, stop(id_, reason="PowerLoss", station_time="2026-11-23T11:00:05Z"))
    assert core.journal.seq == seq, "retried and doubled stops change nothing"
    closed = core.journal.state.transactions[id_]
    assert (closed.meter_stop_wh, closed.reason) == (900, "EVDisconnected")


async def test_minus_one_zero_and_nothing_find_the_one_running_transaction() -> None:
    for said in (-1, 0, None):
        core = await booted()
        id_ = (await core.desk.start(CP, start())).transaction
        await core.desk.stop(CP, stop(said))
        assert core.journal.state.transactions[id_].meter_stop_wh == 900, said


async def test_minus_one_that_fits_two_transactions_closes_neither() -> None:
    core = await booted()
    await core.desk.start(CP, start())
    await core.desk.start(CP, start(connector=2))
    await core.desk.stop(CP, stop(-1))
    assert len(core.journal.state.stations[CP].transactions) == 2
    orphan = max(core.journal.state.transactions.values(), key=lambda each: each.id)
    assert orphan.orphan


async def test_a_repeated_minus_one_does_not_close_the_charge_that_began_since() -> None:
    core = await booted()
    await core.desk.start(CP, start())
    await core.desk.stop(CP, stop(-1))
    later = (await core.desk.start(CP, start(connector=2))).transaction
    await core.desk.stop(CP, stop(-1))
    assert core.journal.state.stations[CP].transactions == {2: later}


async def test_minus_one_with_another_token_or_less_energy_is_an_orphan() -> None:
    for changes in ({"id_token": "OTHER"}, {"meter_stop_wh": 50}, {"at": at("2026-11-23T09:00:00Z")}):
        core = await booted()
        id_ = (await core.desk.start(CP, start())).transaction
        await core.desk.stop(CP, stop(-1, **changes))
        assert core.journal.state.transactions[id_].open, changes


async def test_an_unknown_transaction_is_an_orphan_and_closes_nobody() -> None:
    core = await booted()
    id_ = (await core.desk.start(CP, start())).transaction
    await core.desk.stop(CP, stop(4711))
    seq = core.journal.seq
    await core.desk.stop(CP, stop(4711))
    assert core.journal.seq == seq
    assert core.journal.state.transactions[id_].open


async def test_another_stations_transaction_cannot_be_stopped() -> None:
    core = await booted()
    await core.boot("CP002")
    id_ = (await core.desk.start(StationKey("cp002"), start())).transaction
    await core.desk.stop(CP, stop(id_))
    assert core.journal.state.transactions[id_].open


async def test_a_new_start_ends_what_ran_at_the_connector_and_a_late_stop_still_counts() -> None:
    core = await booted()
    old = (await core.desk.start(CP, start())).transaction
    new = (await core.desk.start(CP, start(station_time="2026-11-23T12:00:00Z", meter_start_wh=2000))).transaction
    assert core.journal.state.stations[CP].transactions == {1: new}
    assert core.journal.state.transactions[old].reason == "Superseded"
    await core.desk.stop(CP, stop(old, reason="Local"))
    assert core.journal.state.transactions[old].meter_stop_wh == 900
    assert core.journal.state.stations[CP].transactions == {1: new}


def values(*amounts: float, transaction: int | None = None, station_time: str = TEN) -> MeterReport:
    samples = tuple(MeterSample("Energy.Active.Import.Register", "Wh", amount) for amount in amounts)
    return MeterReport(1, (MeterGroup(samples, at(station_time), station_time),), transaction)


async def test_meter_values_are_kept_once_and_go_to_the_running_transaction() -> None:
    core = await booted()
    id_ = (await core.desk.start(CP, start())).transaction
    await core.desk.meter_values(CP, values(150))
    await core.desk.meter_values(CP, values(150))
    kept = [op.event for op in core.journal.recorded if isinstance(op.event, MeterValuesReported)]
    assert [event.transaction for event in kept] == [id_]
    readings = core.journal.state.readings[CP, 1]
    assert readings.value("Energy.Active.Import.Register") == 150


async def test_values_sent_again_after_their_charge_ended_are_not_kept_twice() -> None:
    core = await booted()
    id_ = (await core.desk.start(CP, start())).transaction
    await core.desk.meter_values(CP, values(150))
    await core.desk.stop(CP, stop(id_))
    await core.desk.meter_values(CP, values(150))
    assert sum(isinstance(op.event, MeterValuesReported) for op in core.journal.recorded) == 1


async def test_closing_meter_values_belong_to_the_closed_transaction() -> None:
    core = await booted()
    id_ = (await core.desk.start(CP, start())).transaction
    await core.desk.stop(CP, stop(id_))
    await core.desk.meter_values(CP, values(900, transaction=id_, station_time=ELEVEN))
    (event,) = [op.event for op in core.journal.recorded if isinstance(op.event, MeterValuesReported)]
    assert event.transaction == id_


async def test_older_values_do_not_overwrite_newer_readings() -> None:
    core = await booted()
    await core.desk.meter_values(CP, values(200, station_time=ELEVEN))
    await core.desk.meter_values(CP, values(100, station_time=TEN))
    assert core.journal.state.readings[CP, 1].value("Energy.Active.Import.Register") == 200


async def test_the_values_inside_a_stop_are_kept_with_it() -> None:
    core = await booted()
    id_ = (await core.desk.start(CP, start())).transaction
    group = MeterGroup((MeterSample("Energy.Active.Import.Register", "Wh", 880.0),), at(ELEVEN), ELEVEN)
    await core.desk.stop(CP, stop(id_, groups=(group,)))
    (event,) = [op.event for op in core.journal.recorded if isinstance(op.event, MeterValuesReported)]
    assert (event.connector, event.transaction) == (1, id_)


async def test_values_that_come_after_the_stop_belong_to_the_charge_that_ended() -> None:
    core = await booted()
    answer = await core.desk.start(CP, start())
    await core.desk.stop(CP, stop(answer.transaction))
    closing = MeterSample("Energy.Active.Import.Register", "Wh", 5000, context="Transaction.End")
    await core.desk.meter_values(CP, MeterReport(1, (MeterGroup((closing,), core.clock.now(), "late"),)))
    plain = MeterSample("Energy.Active.Import.Register", "Wh", 5001)
    await core.desk.meter_values(CP, MeterReport(1, (MeterGroup((plain,), core.clock.now(), "later"),)))
    values = [op.event for op in core.journal.recorded if isinstance(op.event, MeterValuesReported)]
    assert [each.transaction for each in values] == [answer.transaction, None]
