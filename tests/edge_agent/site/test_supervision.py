"""Silence and restarts."""

from edge_agent.site.ports import Trouble
from edge_agent.site.supervision import Supervision
from sitelink.ids import StationKey
from tests.doubles.core import Core

CP = StationKey("cp001")


def supervision(core: Core) -> Supervision:
    return Supervision(core.journal, core.stations, 60)


async def test_a_station_is_silent_after_three_heartbeat_intervals() -> None:
    core = Core()
    await core.import_job()
    await core.boot("CP001")
    core.clock.advance(180)
    assert supervision(core).silent() == []
    core.clock.advance(1)
    assert supervision(core).silent() == [CP]
    core.stations.heard_at[CP] = core.clock.monotonic() - 5
    assert supervision(core).silent() == []
    del core.stations.heard_at[CP]
    core.stations.online.discard(CP)
    assert supervision(core).silent() == [CP], "remembered as connected, and never heard since the box started"


async def test_a_station_heard_while_its_silence_was_written_is_connected_at_the_next_look() -> None:
    core = Core()
    await core.import_job()
    await core.boot("CP001")
    watch = supervision(core)
    core.clock.advance(181)
    await watch.check()
    station = core.journal.state.stations[CP]
    assert (station.connected, station.disconnect_reason) == (False, "silent")
    await watch.check()
    assert not core.journal.state.stations[CP].connected, "still silent"
    core.stations.heard_at[CP] = core.clock.monotonic()
    core.stations.online.discard(CP)
    await watch.check()
    assert not core.journal.state.stations[CP].connected, "its socket is closed"
    core.stations.online.add(CP)
    await watch.check()
    assert core.journal.state.stations[CP].connected


async def test_a_full_disk_at_the_start_is_no_reason_not_to_serve() -> None:
    core = Core()
    await core.import_job()
    await core.boot("CP001")
    core.journal.fail(Trouble("disk_full", core.clock.now()))
    await supervision(core).close_old_links()
    await core.dispatch.interrupt_unfinished()
    assert core.journal.state.stations[CP].connected


async def test_after_a_restart_no_link_counts_as_open() -> None:
    core = Core()
    await core.import_job()
    await core.boot("CP001")
    await supervision(core).close_old_links()
    station = core.journal.state.stations[CP]
    assert (station.connected, station.disconnect_reason) == (False, "box_restarted")
    seq = core.journal.seq
    await supervision(core).close_old_links()
    assert core.journal.seq == seq


async def test_a_wall_clock_that_jumps_silences_nobody() -> None:
    core = Core()
    await core.import_job()
    await core.boot("CP001")
    core.clock.set_wall(core.clock.now().replace(year=2038))
    assert supervision(core).silent() == []
