"""The desk: what a station reports is in the state when the call returns."""

import pytest

from edge_agent.site.ports import Trouble
from edge_agent.site.reports import ConnectorReport
from edge_agent.site.trust import Proof, Trust
from sitelink.errors import StoreUnavailable
from sitelink.events import SecurityNoted
from sitelink.ids import StationKey
from sitelink.states import ConnectorStatus, Registration
from tests.doubles.core import Core
from tests.edge_agent.site.test_transactions import start

CP = StationKey("cp001")


async def test_what_is_reported_is_in_the_state_when_the_call_returns() -> None:
    core = Core()
    await core.import_job()
    await core.boot("CP001")
    await core.desk.connector_changed(CP, ConnectorReport(1, ConnectorStatus.FAULTED, "GroundFailure", info="RCD"))
    await core.desk.configured(CP, {"NumberOfConnectors": "2"})
    await core.desk.faulted(CP, "duplicate_identity", {"ip": "192.0.2.8"})
    station = core.journal.state.stations[CP]
    assert (station.connectors[1].error_code, station.connectors[1].info) == ("GroundFailure", "RCD")
    assert station.connector_count == 2
    assert station.faults[0].code == "duplicate_identity"
    await core.desk.fault_cleared(CP, "duplicate_identity")
    seq = core.journal.seq
    await core.desk.fault_cleared(CP, "duplicate_identity")
    assert core.journal.state.stations[CP].faults == ()
    assert core.journal.seq == seq, "clearing what is clear writes nothing"


async def test_connecting_hearing_and_parting_change_the_link() -> None:
    core = Core()
    await core.import_job()
    await core.boot("CP001")
    assert core.journal.state.stations[CP].connected
    await core.desk.disconnected(CP, "closed")
    assert not core.journal.state.stations[CP].connected
    await core.desk.heard(CP)
    assert core.journal.state.stations[CP].connected
    assert core.desk.standing("CP001").registration is Registration.ACCEPTED


async def test_another_address_is_noted_of_who_shows_nothing_else() -> None:
    core = Core()
    await core.import_job()
    await core.boot("CP001")

    def noted() -> list[dict[str, str]]:
        events = (op.event for op in core.journal.recorded)
        return [each.detail for each in events if isinstance(each, SecurityNoted) and each.code == "address_changed"]

    before = core.journal.state.stations[CP].ip or ""
    await core.desk.connected("CP001", before, "1.6", "ocpp1.6")
    assert noted() == []
    await core.desk.connected("CP001", "192.0.2.99", "1.6", "ocpp1.6")
    assert noted() == [{"before": before, "ip": "192.0.2.99"}]
    await core.desk.connected("CP001", "192.0.2.7", "1.6", "ocpp1.6", Proof(Trust.RIGHT, 1, False, verifier="v1"))
    assert len(noted()) == 1, "a password says who it is, wherever it calls from"


async def test_when_the_disk_takes_nothing_the_desk_confirms_nothing() -> None:
    core = Core()
    await core.import_job()
    await core.boot("CP001")
    core.journal.fail(Trouble("disk_full", core.clock.now()))
    with pytest.raises(StoreUnavailable):
        await core.desk.start(CP, start())
    core.journal.fail(None)
    assert (await core.desk.start(CP, start())).transaction == 1


async def test_a_caller_who_is_served_leaves_the_waiting_room() -> None:
    core = Core()
    await core.desk.knocked("X", "192.0.2.9", "unsupported_subprotocol")
    assert len(core.journal.state.knocks) == 1
    await core.desk.knock_gone("X", "192.0.2.9")
    await core.desk.knock_gone("X", "192.0.2.9")
    assert core.journal.state.knocks == {}


async def test_a_station_that_connects_knocks_no_longer_and_is_without_the_faults_that_ended_with_it() -> None:
    core = Core()
    await core.import_job()
    await core.boot("CP001")
    for code in ("unsupported_subprotocol", "duplicate_identity", "serial_changed"):
        await core.desk.faulted(CP, code, {})
    await core.desk.knocked("CP001", "192.0.2.7", "unsupported_subprotocol")
    await core.desk.knocked("CP001", "192.0.2.8", "duplicate_identity")
    ended = ("unsupported_subprotocol", "duplicate_identity")
    await core.desk.connected("CP001", "192.0.2.7", "1.6", "ocpp1.6", ended=ended)
    assert [fault.code for fault in core.journal.state.stations[CP].faults] == ["serial_changed"]
    assert [knock.ip for knock in core.journal.state.knocks.values()] == ["192.0.2.8"]
    seq = core.journal.seq
    await core.desk.connected("CP001", "192.0.2.7", "1.6", "ocpp1.6", ended=ended)
    assert core.journal.seq == seq + 1, "that it is connected is all there is to write"


async def test_a_station_that_calls_again_without_a_boot_is_held_to_what_it_shows_then() -> None:
    core = Core()
    await core.import_job()
    await core.boot("CP001")
    assert core.journal.state.security[CP].profile == 0
    await core.desk.connected("CP001", "192.0.2.7", "1.6", "ocpp1.6", Proof(Trust.RIGHT, 2, True, verifier="v1"))
    assert core.journal.state.security[CP].profile == 2
    assert core.journal.state.stations[CP].profile == 2
    await core.desk.connected("CP002", "192.0.2.8", "1.6", "ocpp1.6", Proof(Trust.RIGHT, 2, True, verifier="v1"))
    assert StationKey("cp002") not in core.journal.state.security, "it was not accepted yet"
