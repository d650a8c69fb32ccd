"""Transaction events of OCPP 2.x: in order, again, late, and with holes."""

import asyncio
from typing import Any

import pytest
from hypothesis import given
from hypothesis import strategies as st
from msgspec.structs import replace

from edge_agent.site.admission import Policy
from edge_agent.site.ports import Decision
from edge_agent.site.reports import UNNUMBERED, MeterGroup, TransactionReport, TransactionStage
from sitelink.events import (
    CommandRequested,
    MeterSample,
    MeterValuesReported,
    TransactionStarted,
    TransactionStopped,
    TransactionUpdated,
)
from sitelink.id_token_rules import TokenEntry
from sitelink.ids import StationKey, TransactionId
from sitelink.model import Transaction
from sitelink.ops import BOX, Fact
from sitelink.states import ActionName, AuthorizationStatus, ConnectorStatus
from tests.doubles.core import Core
from tests.edge_agent.site.test_transactions import at, booted

CP = StationKey("cp001")


def energy(wh: float, context: str = "Sample.Periodic", time: str = "2026-11-23T10:00:00Z") -> MeterGroup:
    return MeterGroup((MeterSample("Energy.Active.Import.Register", "Wh", wh, context=context),), at(time), time)


def event(stage: str, seq_no: int, name: str = "tx-1", **changes: Any) -> TransactionReport:
    time = f"2026-11-23T10:{seq_no:02}:00Z"
    return TransactionReport(
        stage=TransactionStage(stage), name=name, seq_no=seq_no,
        **{"trigger": "Trigger", "connector": 1, "at": at(time), "station_time": time, **changes},
    )  # fmt: skip


STORY = [
    event("Started", 0, charging=ConnectorStatus.PREPARING, groups=(energy(100, "Transaction.Begin"),)),
    event("Updated", 1, id_token="DRIVER1", token_type="ISO14443"),
    event("Updated", 2, charging=ConnectorStatus.CHARGING),
    event("Updated", 3, groups=(energy(400, time="2026-11-23T10:03:00Z"),)),
    event("Ended", 4, stop_reason="EVDisconnected", groups=(energy(900, "Transaction.End"),)),
]


async def told(core: Core, *reports: TransactionReport) -> None:
    for report in reports:
        await core.desk.transaction_event(CP, report)


def only(core: Core) -> Transaction:
    (found,) = core.journal.state.transactions.values()
    return found


async def test_a_charge_from_plug_to_plug() -> None:
    core = await booted()
    await told(core, STORY[0])
    begun = only(core)
    assert (begun.authorised, begun.meter_start_wh, begun.charging) == (False, 100, ConnectorStatus.PREPARING)
    assert core.journal.state.charge_of(core.row("Bay 1")) is None
    await told(core, STORY[1])
    assert only(core).id_token == "DRIVER1"
    assert core.journal.state.charge_of(core.row("Bay 1")) is not None
    await told(core, *STORY[2:])
    ended = only(core)
    assert (ended.open, ended.meter_stop_wh, ended.reason, ended.missing_events) == (False, 900, "EVDisconnected", 0)
    assert core.journal.state.stations[CP].transactions == {}


async def test_an_event_that_only_measures_is_telemetry_and_still_counted() -> None:
    core = await booted()
    await told(core, *STORY[:4])
    kinds = [type(op.event) for op in core.journal.recorded if "transaction" in op.kind or "meter" in op.kind]
    assert kinds == [
        TransactionStarted, MeterValuesReported, TransactionUpdated, TransactionUpdated, MeterValuesReported,
    ]  # fmt: skip
    assert only(core).numbers == ((0, 3),)


@given(st.lists(st.sampled_from(STORY), max_size=12))
def test_whatever_order_and_however_often_the_whole_is_the_same(reports: list[TransactionReport]) -> None:
    async def run() -> None:
        core = await booted()
        await told(core, *reports, *STORY)
        whole = only(core)
        assert (whole.numbers, whole.missing_events, whole.open) == (((0, 4),), 0, False)
        assert (whole.id_token, whole.meter_start_wh, whole.meter_stop_wh) == ("DRIVER1", 100, 900)
        assert whole.started_at == at("2026-11-23T10:00:00Z")
        seq = core.journal.seq
        await told(core, *reports)
        assert core.journal.seq == seq, "what came before is recognised"

    asyncio.run(run())


async def test_holes_are_counted_and_filled_by_late_events() -> None:
    core = await booted()
    await told(core, STORY[0], STORY[4])
    assert only(core).missing_events == 3
    await told(core, STORY[2], STORY[1])
    assert only(core).missing_events == 1
    assert not only(core).open


async def test_a_transaction_of_which_only_the_end_comes_is_kept() -> None:
    core = await booted()
    await told(core, STORY[4])
    ended = only(core)
    assert (ended.name, ended.open, ended.meter_stop_wh, ended.missing_events) == ("tx-1", False, 900, 4)


async def test_two_ends_leave_one_record() -> None:
    core = await booted()
    await told(core, *STORY, event("Ended", 5, stop_reason="Other", groups=(energy(950, "Transaction.End"),)))
    assert (only(core).meter_stop_wh, only(core).reason) == (900, "EVDisconnected")
    assert sum(isinstance(op.event, TransactionStopped) for op in core.journal.recorded) == 1


async def test_a_token_is_judged_each_time_also_when_told_later() -> None:
    core = await booted()
    verdict = await core.desk.transaction_event(CP, event("Started", 0, id_token="DRIVER1", offline=True))
    assert verdict is not None
    assert verdict.status is AuthorizationStatus.INVALID, "the bay is not active"
    assert only(core).verdict is AuthorizationStatus.INVALID
    assert await core.desk.transaction_event(CP, event("Updated", 1)) is None
    await core.jobs.set_activity([core.row("Bay 1").id], active=True)
    free = await core.desk.transaction_event(CP, event("Updated", 2, id_token="", token_type="NoAuthorization"))
    assert free is not None
    assert free.status is AuthorizationStatus.ACCEPTED


async def test_the_next_transaction_at_the_place_closes_one_whose_end_never_came() -> None:
    core = await booted()
    await told(core, STORY[0], event("Started", 0, name="tx-2"))
    first, second = sorted(core.journal.state.transactions.values(), key=lambda each: each.id)
    assert (first.reason, second.open) == ("Superseded", True)
    await told(core, event("Ended", 4, name="tx-1", groups=(energy(900, "Transaction.End"),)))
    first = core.journal.state.transactions[first.id]
    assert (first.reason, first.meter_stop_wh) == ("Local", 900), "its real end replaces what was assumed"
    assert core.journal.state.stations[CP].transactions == {1: second.id}


@pytest.mark.parametrize("place", [2, None])
async def test_where_it_runs_may_be_told_later(place: int | None) -> None:
    core = await booted()
    await told(core, event("Started", 0, connector=None), event("Updated", 1, connector=place, id_token="A"))
    assert core.journal.state.stations[CP].transactions == {place or 1: only(core).id}


PAST = "2026-11-23T09:00:00Z"


def of_the_morning(stage: str, seq_no: int, **changes: Any) -> TransactionReport:
    return event(stage, seq_no, "tx-0", offline=True, at=at(PAST), station_time=PAST, **changes)


@pytest.mark.parametrize("late", ["Started", "Updated", "Ended"])
async def test_what_began_offline_before_the_running_one_ends_nothing(late: str) -> None:
    core = await booted()
    await told(core, STORY[0])
    running = only(core)
    await told(core, of_the_morning(late, 1))
    assert core.journal.state.stations[CP].transactions == {1: running.id}
    assert core.journal.state.transactions[running.id].open
    past = core.journal.state.transactions[TransactionId(running.id + 1)]
    assert (past.name, past.open) == ("tx-0", False)
    await told(core, of_the_morning("Ended", 2, stop_reason="EVDisconnected"), *STORY[1:3])
    past = core.journal.state.transactions[past.id]
    assert past.reason == ("Local" if late == "Ended" else "EVDisconnected")
    assert core.journal.state.charge_of(core.row("Bay 1")) == core.journal.state.transactions[running.id]


async def two_places() -> Core:
    core = await booted()
    await core.desk.configured(CP, {"NumberOfConnectors": "2"})
    return core


async def test_one_that_names_no_evse_does_not_end_what_runs_at_another() -> None:
    core = await two_places()
    await told(core, STORY[0])
    running = only(core)
    await told(core, event("Started", 0, "tx-2", connector=None, id_token="B"))
    assert core.journal.state.transactions[running.id].open
    assert core.journal.state.transaction_of(core.row("Bay 1")) == running
    await told(core, event("Updated", 1, "tx-2", connector=2))
    assert core.journal.state.stations[CP].transactions == {1: running.id, 2: running.id + 1}


async def test_one_that_moves_to_an_evse_ends_what_ran_there() -> None:
    core = await two_places()
    await told(core, event("Started", 0, connector=2), event("Started", 0, "tx-2", connector=None, id_token="B"))
    await told(core, event("Updated", 1, "tx-2", connector=2))
    first, second = sorted(core.journal.state.transactions.values(), key=lambda each: each.id)
    assert (first.reason, second.open) == ("Superseded", True)
    assert core.journal.state.stations[CP].transactions == {2: second.id}


async def test_one_that_was_ordered_runs_where_it_was_ordered() -> None:
    core = await two_places()
    command = CommandRequested(
        action=ActionName.START, charge_point=core.row("Bay 1").id, station=CP, connector=2,
        detail={"id_token": "T", "remote_start": 77},
    )  # fmt: skip
    await core.journal.write(lambda _ledger: Decision((Fact("command:c", command, BOX),), None))
    await told(core, event("Started", 0, connector=None, remote_start=77))
    assert core.journal.state.stations[CP].transactions == {2: only(core).id}


async def test_an_end_nobody_heard_of_counts_though_its_number_came_before() -> None:
    core = await booted()
    await told(core, event("Started", 0), event("Updated", 1), event("Ended", 0, stop_reason="Remote"))
    assert (only(core).open, only(core).reason) == (False, "Remote")
    seq = core.journal.seq
    await told(core, event("Ended", 0, stop_reason="Remote"))
    assert core.journal.seq == seq, "sent again, it is known"


# ---- id tokens ----


async def test_a_card_that_is_accepted_takes_the_place_of_one_that_was_refused() -> None:
    core = await open_to_drivers(Policy())
    await core.tokens.put(TokenEntry("LOST", status="Blocked"))
    await told(core, event("Started", 0))
    assert await verdict(core, event("Updated", 1, id_token="LOST")) is AuthorizationStatus.BLOCKED
    assert await verdict(core, event("Updated", 2, id_token=core.job().test_token)) is AuthorizationStatus.ACCEPTED
    assert (only(core).id_token, only(core).verdict) == (core.job().test_token, AuthorizationStatus.ACCEPTED)
    assert only(core).test
    await told(core, event("Updated", 3, id_token="LOST"), event("Updated", 4, id_token="OTHER"))
    assert only(core).id_token == core.job().test_token, "whom it belongs to stays"


async def open_to_drivers(policy: Policy) -> Core:
    core = Core(policy)
    await core.import_job()
    for identity in ("CP001", "CP002"):
        await core.boot(identity)
    await core.jobs.set_activity([row.id for row in core.journal.state.rows(core.job())], active=True)
    return core


async def verdict(core: Core, report: TransactionReport, station: str = "cp001") -> AuthorizationStatus:
    found = await core.desk.transaction_event(StationKey(station), report)
    assert found is not None
    return found.status


async def test_a_token_that_comes_with_a_later_event_is_looked_for_elsewhere_all_the_same() -> None:
    core = await open_to_drivers(Policy(concurrent_tokens="reject"))
    await told(core, event("Started", 0))
    assert await verdict(core, event("Updated", 1, id_token="CARD")) is AuthorizationStatus.ACCEPTED
    await core.desk.transaction_event(StationKey("cp002"), event("Started", 0, "tx-2"))
    second = event("Updated", 1, "tx-2", id_token="CARD")
    assert await verdict(core, second, "cp002") is AuthorizationStatus.CONCURRENT_TX
    assert await verdict(core, second, "cp002") is AuthorizationStatus.CONCURRENT_TX, "sent again, answered the same"
    assert await verdict(core, event("Updated", 2, id_token="CARD")) is AuthorizationStatus.ACCEPTED, "it came first"
    assert await verdict(core, event("Ended", 3, id_token="CARD")) is AuthorizationStatus.ACCEPTED
    assert await verdict(core, event("Updated", 2, "tx-2", id_token="CARD"), "cp002") is AuthorizationStatus.ACCEPTED


async def test_what_was_started_offline_is_verified_when_it_is_told() -> None:
    core = await open_to_drivers(Policy())
    await core.tokens.put(TokenEntry("CARD", status="Blocked"))
    assert await verdict(core, event("Started", 0, id_token="CARD", offline=True)) is AuthorizationStatus.BLOCKED
    assert (only(core).verdict, only(core).id_token) == (AuthorizationStatus.BLOCKED, "CARD")


async def test_of_a_key_code_nothing_is_kept() -> None:
    core = await open_to_drivers(Policy(unknown_tokens="reject"))
    await core.tokens.put(TokenEntry("4711-0815", type="KeyCode"))
    seq = len(core.journal.recorded)
    for number, stage in enumerate(("Started", "Updated", "Ended")):
        report = event(stage, number, id_token="4711-0815", token_type="KeyCode")
        assert await verdict(core, report) is AuthorizationStatus.ACCEPTED
    assert "4711" not in str(core.journal.recorded[seq:])
    assert (only(core).id_token, only(core).token_type) == ("***", "KeyCode")


async def test_a_story_without_numbers_is_one_charge_and_complete_however_often_it_is_told() -> None:
    core = await booted()
    story = [replace(each, seq_no=UNNUMBERED) for each in STORY]
    await told(core, *story)
    first = only(core)
    assert (first.meter_start_wh, first.meter_stop_wh, first.reason) == (100, 900, "EVDisconnected")
    assert first.numbers == ((0, len(STORY) - 1),)
    await told(core, story[-1], story[0])
    again = only(core)
    assert (again.id, again.stopped_at, again.meter_stop_wh) == (first.id, first.stopped_at, first.meter_stop_wh)
    assert len([op for op in core.journal.recorded if isinstance(op.event, TransactionStopped)]) == 1
