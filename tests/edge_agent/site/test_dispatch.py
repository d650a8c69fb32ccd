"""Remote actions: at most once, and followed to what actually changed."""

import asyncio
from collections.abc import AsyncIterator
from contextlib import asynccontextmanager

import pytest

from edge_agent.site import dispatch
from edge_agent.site.dispatch import Patience
from edge_agent.site.ports import Decision, Trouble
from edge_agent.site.reports import BootReport, ConnectorReport
from sitelink.commands import OrderAnswer, RemoteStart, RemoteStop, Reset, UnlockConnector
from sitelink.errors import ActionUnavailable, ConfirmationNeeded, NoAnswer, StationOffline
from sitelink.events import CommandRequested, Traits
from sitelink.ids import CommandId
from sitelink.model import Command
from sitelink.ops import Fact
from sitelink.states import ActionName, CommandState, ConnectorStatus
from tests.doubles.core import INSTALLER, Core
from tests.edge_agent.site.test_transaction_events import event, told
from tests.edge_agent.site.test_transactions import CP, start, stop

START, STOP, UNLOCK, REBOOT = ActionName.START, ActionName.STOP, ActionName.UNLOCK, ActionName.REBOOT


@asynccontextmanager
async def running(patience: Patience | None = None) -> AsyncIterator[Core]:
    core = Core(patience=patience or Patience(start_s=5, stop_s=5, reboot_s=5))
    await core.import_job()
    await core.boot("CP001")
    await core.desk.connector_changed(CP, ConnectorReport(1, ConnectorStatus.PREPARING))
    async with asyncio.TaskGroup() as group:
        task = group.create_task(core.dispatch.run())
        try:
            yield core
        finally:
            task.cancel()


async def press(core: Core, action: ActionName, command: str = "c1", **how: bool) -> CommandId:
    return await core.jobs.act(
        core.job().id, core.row("Bay 1").id, action, INSTALLER, command=CommandId(command), **how
    )


async def state_of(core: Core, command: str, *states: CommandState) -> Command:
    changed = asyncio.Event()
    core.journal.subscribe(lambda _committed: changed.set())
    async with asyncio.timeout(5):
        while core.journal.state.commands[CommandId(command)].state not in states:
            changed.clear()
            await changed.wait()
    return core.journal.state.commands[CommandId(command)]


async def test_a_start_is_done_when_the_transaction_begins() -> None:
    async with running() as core:
        await press(core, START)
        answered = await state_of(core, "c1", CommandState.ANSWERED)
        assert answered.answer == "Accepted"
        token = core.job().test_token
        number = core.journal.state.commands[CommandId("c1")].detail["remote_start"]
        assert number > 0
        assert core.stations.orders == [(CP, RemoteStart(1, token, number))]
        core.clock.advance(3)
        answer = await core.desk.start(CP, start(id_token=token))
        done = await state_of(core, "c1", CommandState.DONE)
        assert (done.outcome, done.outcome_detail["transaction"]) == ("started", answer.transaction)


async def test_accepted_but_nothing_started_is_told_apart() -> None:
    async with running(Patience(start_s=0.05)) as core:
        await press(core, START)
        ended = await state_of(core, "c1", CommandState.TIMED_OUT)
        assert (ended.answer, ended.outcome) == ("Accepted", "nothing_started")


async def test_a_refusal_is_the_stations_word() -> None:
    async with running() as core:
        core.stations.answers[RemoteStart] = OrderAnswer("Rejected", accepted=False)
        await press(core, START)
        assert (await state_of(core, "c1", CommandState.REFUSED)).outcome == "refused"


async def test_a_call_error_is_a_failure_with_its_code() -> None:
    async with running() as core:
        core.stations.answers[RemoteStart] = OrderAnswer("InternalError", accepted=False)
        await press(core, START)
        ended = await state_of(core, "c1", CommandState.FAILED)
        assert (ended.answer, ended.outcome) == ("InternalError", "call_error")


async def test_no_answer_is_said_and_a_late_one_still_counts() -> None:
    async with running() as core:
        core.stations.answers[RemoteStart] = NoAnswer(identity="CP001", action="x", after_s=30)
        await press(core, START)
        assert (await state_of(core, "c1", CommandState.TIMED_OUT)).outcome == "no_answer"
        assert core.stations.late is not None
        await core.stations.late(OrderAnswer("Accepted", accepted=True))
        late = await state_of(core, "c1", CommandState.ANSWERED)
        assert late.late
        await core.desk.start(CP, start(id_token=core.job().test_token))
        assert (await state_of(core, "c1", CommandState.DONE)).outcome == "started"


async def test_a_stop_is_done_when_the_transaction_ends() -> None:
    async with running() as core:
        id_ = (await core.desk.start(CP, start())).transaction
        await press(core, STOP)
        await state_of(core, "c1", CommandState.ANSWERED)
        assert core.stations.orders == [(CP, RemoteStop(id_))]
        await core.desk.stop(CP, stop(id_))
        done = await state_of(core, "c1", CommandState.DONE)
        assert (done.outcome, done.outcome_detail["energy_wh"]) == ("stopped", 800)


@pytest.mark.parametrize(("word", "state", "outcome"), [
    ("Unlocked", CommandState.DONE, "unlocked"),
    ("UnlockFailed", CommandState.FAILED, "unlock_failed"),
    ("NotSupported", CommandState.REFUSED, "not_supported"),
])  # fmt: skip
async def test_an_unlock_is_worded_by_its_answer(word: str, state: CommandState, outcome: str) -> None:
    async with running() as core:
        core.stations.answers[UnlockConnector] = OrderAnswer(word, accepted=word == "Unlocked")
        await press(core, UNLOCK)
        assert (await state_of(core, "c1", state)).outcome == outcome


async def test_a_reboot_is_done_when_the_station_is_back() -> None:
    async with running() as core:
        await press(core, REBOOT)
        await state_of(core, "c1", CommandState.ANSWERED)
        assert core.stations.orders == [(CP, Reset(hard=False))]
        await core.desk.disconnected(CP, "closed")
        core.clock.advance(108)
        await core.boot("CP001")
        done = await state_of(core, "c1", CommandState.DONE)
        assert (done.outcome, done.outcome_detail["seconds"]) == ("rebooted", 108)


async def test_a_reboot_that_waits_for_the_charge_is_told_apart_and_a_lost_link_is_none() -> None:
    async with running(Patience(reboot_s=0.1)) as core:
        core.stations.answers[Reset] = OrderAnswer("Scheduled", accepted=True)
        await press(core, REBOOT)
        await state_of(core, "c1", CommandState.ANSWERED)
        await core.desk.disconnected(CP, "closed")
        core.clock.advance(1)
        await core.desk.connected("CP001", "192.0.2.7", "2.0.1", "ocpp2.0.1")
        assert (await state_of(core, "c1", CommandState.TIMED_OUT)).outcome == "reboot_waits"
    async with running() as core:
        core.stations.answers[Reset] = OrderAnswer("Scheduled", accepted=True)
        await press(core, REBOOT)
        await state_of(core, "c1", CommandState.ANSWERED)
        core.clock.advance(1)
        await core.boot("CP001")
        assert (await state_of(core, "c1", CommandState.DONE)).outcome == "rebooted"


async def test_of_2x_a_charge_counts_as_started_by_its_number_or_token() -> None:
    async with running() as core:
        await press(core, START)
        command = await state_of(core, "c1", CommandState.ANSWERED)
        number = command.detail["remote_start"]
        await told(core, event("Started", 0), event("Updated", 1, id_token="DRIVER1"))
        await told(core, event("Ended", 2), event("Started", 0, "tx-2", id_token="DRIVER1", remote_start=number + 1))
        await told(core, event("Ended", 2, "tx-2"))
        assert core.journal.state.commands[CommandId("c1")].state is CommandState.ANSWERED, "somebody else's"
        await told(core, event("Started", 0, "tx-3", id_token="DRIVER1", remote_start=number))
        done = await state_of(core, "c1", CommandState.DONE)
        assert done.outcome_detail["transaction"] == 3 + number


async def test_a_reboot_answered_by_a_dropped_link_counts_when_the_link_is_back() -> None:
    async with running() as core:
        core.stations.answers[Reset] = StationOffline(identity="CP001", sent=True)
        core.clock.advance(1)
        await press(core, REBOOT)
        core.stations.online.discard(CP)
        await core.desk.disconnected(CP, "closed")
        core.clock.advance(20)
        core.stations.online.add(CP)
        await core.desk.connected("CP001", "192.0.2.7", "1.6", "ocpp1.6")
        assert (await state_of(core, "c1", CommandState.DONE)).outcome == "rebooted"


async def test_the_same_command_id_is_run_once() -> None:
    async with running() as core:
        for _ in range(3):
            await press(core, UNLOCK)
        await state_of(core, "c1", CommandState.DONE)
        await press(core, UNLOCK)
        assert len(core.stations.orders) == 1


async def test_a_disabled_action_is_refused_with_its_reason() -> None:
    async with running() as core:
        with pytest.raises(ActionUnavailable) as caught:
            await press(core, STOP)
        assert caught.value.fields["reason"] == "nothing_charging"
        assert core.journal.state.commands == {}


async def test_while_a_car_charges_unlock_and_reboot_want_a_confirmation() -> None:
    async with running() as core:
        await core.desk.start(CP, start())
        for action in (UNLOCK, REBOOT):
            with pytest.raises(ConfirmationNeeded):
                await press(core, action, command=f"c-{action}")
        await press(core, UNLOCK, confirm=True)
        await state_of(core, "c1", CommandState.DONE)


async def test_a_reboot_wants_a_confirmation_while_somebody_charges_at_its_other_connector() -> None:
    async with running() as core:
        await core.desk.start(CP, start(connector=2))
        with pytest.raises(ConfirmationNeeded):
            await press(core, REBOOT)
        await press(core, UNLOCK, command="c2")
        await state_of(core, "c2", CommandState.DONE)


async def test_what_was_under_way_when_the_box_stopped_is_interrupted_and_not_rerun() -> None:
    core = Core()
    await core.import_job()
    await core.boot("CP001")
    event = CommandRequested(START, core.row("Bay 1").id, CP, 1, {"id_token": "X"})
    await core.journal.write(lambda _ledger: Decision((Fact("command:old", event, INSTALLER),), None))
    await core.dispatch.interrupt_unfinished()
    ended = await state_of(core, "old", CommandState.INTERRUPTED)
    assert ended.outcome == "interrupted"
    assert core.stations.orders == []


async def test_a_command_the_memory_has_forgotten_is_still_known_by_its_id() -> None:
    async with running() as core:
        await press(core, UNLOCK)
        await state_of(core, "c1", CommandState.DONE)
        del core.journal.state.commands[CommandId("c1")]
        await press(core, UNLOCK)
        assert len(core.stations.orders) == 1


async def test_an_answer_that_comes_while_the_disk_is_full_is_recorded_when_there_is_room(
    monkeypatch: pytest.MonkeyPatch,
) -> None:
    monkeypatch.setattr(dispatch, "RECORD_AGAIN_S", 0.01)
    async with running() as core:
        core.stations.answers[UnlockConnector] = OrderAnswer("Unlocked", accepted=True)
        full = asyncio.Event()
        core.journal.on_trouble(lambda _trouble: full.set())
        core.stations.before_answer = lambda: core.journal.fail(Trouble("disk_full", core.clock.now()))
        await press(core, UNLOCK)
        await asyncio.wait_for(full.wait(), 5)
        assert core.journal.state.commands[CommandId("c1")].state is CommandState.SENT
        core.journal.fail(None)
        assert (await state_of(core, "c1", CommandState.DONE)).outcome == "unlocked"


async def test_a_wall_clock_that_jumps_back_does_not_hide_that_a_station_is_back() -> None:
    async with running() as core:
        await press(core, REBOOT)
        await state_of(core, "c1", CommandState.ANSWERED)
        await core.desk.disconnected(CP, "closed")
        core.clock.set_wall(core.clock.now().replace(year=2019))
        await core.boot("CP001")
        assert (await state_of(core, "c1", CommandState.DONE)).outcome_detail["seconds"] == 0


async def test_a_start_refused_with_the_cable_still_in_says_to_unplug_first() -> None:
    async with running() as core:
        core.stations.answers[RemoteStart] = OrderAnswer("Rejected", accepted=False)

        async def finishing() -> None:
            await core.desk.connector_changed(CP, ConnectorReport(1, ConnectorStatus.FINISHING))

        await press(core, START)
        assert (await state_of(core, "c1", CommandState.REFUSED)).outcome == "refused"
        traits = Traits(finishing_sticks=True)
        await core.desk.boot("CP001", "192.0.2.7", BootReport("Acme", "Post 2", "SN-CP001", traits=traits))
        await finishing()
        await press(core, START, "c2")
        assert (await state_of(core, "c2", CommandState.REFUSED)).outcome == "unplug_first"


async def test_a_stop_that_is_refused_says_what_is_left_to_try() -> None:
    async with running() as core:
        await core.desk.start(CP, start(id_token=core.job().test_token))
        core.stations.answers[RemoteStop] = OrderAnswer("Rejected", accepted=False)
        await press(core, STOP)
        assert (await state_of(core, "c1", CommandState.REFUSED)).outcome == "stop_refused"


async def test_a_station_known_to_be_slow_has_longer_to_come_back() -> None:
    async with running(Patience(start_s=5, stop_s=5, reboot_s=0.05)) as core:
        traits = Traits(back_after_reset_s=20)
        await core.desk.boot("CP001", "192.0.2.7", BootReport("Teison", "T", "SN-CP001", traits=traits))
        await press(core, REBOOT)
        await state_of(core, "c1", CommandState.ANSWERED)
        await asyncio.sleep(0.2)
        assert core.journal.state.commands[CommandId("c1")].state is CommandState.ANSWERED
        core.clock.advance(5)
        await core.desk.boot("CP001", "192.0.2.7", BootReport("Teison", "T", "SN-CP001", traits=traits))
        assert (await state_of(core, "c1", CommandState.DONE)).outcome == "rebooted"


async def test_an_impossible_meter_is_no_energy() -> None:
    async with running() as core:
        answer = await core.desk.start(CP, start(id_token=core.job().test_token, meter_start_wh=1000))
        await press(core, STOP)
        await state_of(core, "c1", CommandState.ANSWERED)
        await core.desk.stop(CP, stop(int(answer.transaction), meter_stop_wh=10))
        assert (await state_of(core, "c1", CommandState.DONE)).outcome_detail["energy_wh"] is None
