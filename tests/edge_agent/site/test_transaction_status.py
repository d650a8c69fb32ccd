"""What a station's word about a transaction in doubt makes of it."""

from sitelink.folding.transactions import UNTOLD
from sitelink.ids import StationKey
from tests.edge_agent.site.test_transaction_events import CP, STORY, event, only, told
from tests.edge_agent.site.test_transactions import booted


async def test_a_running_transaction_is_in_doubt_only_when_the_station_was_away() -> None:
    core = await booted()
    await told(core, STORY[0], STORY[1])
    assert core.desk.in_doubt(CP, also_running=False) == ()
    assert core.desk.in_doubt(CP, also_running=True) == ("tx-1",)
    assert core.desk.in_doubt(StationKey("other"), also_running=True) == ()


async def test_a_hole_is_in_doubt_until_it_is_filled_or_given_up() -> None:
    core = await booted()
    await told(core, STORY[0], STORY[4])
    assert core.desk.in_doubt(CP, also_running=False) == ("tx-1",)
    await core.desk.transaction_status(CP, "tx-1", ongoing=False)
    assert only(core).incomplete
    assert only(core).stopped_at is not None
    assert core.desk.in_doubt(CP, also_running=True) == ()
    await told(core, *STORY[1:4])
    assert not only(core).incomplete


async def test_one_that_is_over_without_an_end_is_closed_provisionally() -> None:
    core = await booted()
    await told(core, STORY[0])
    await core.desk.transaction_status(CP, "tx-1", ongoing=None)
    assert only(core).open
    await core.desk.transaction_status(CP, "tx-1", ongoing=False)
    assert (only(core).reason, only(core).incomplete) == (UNTOLD, True)
    assert core.journal.state.stations[CP].transactions == {}
    await told(core, event("Ended", 1, stop_reason="Local"))
    assert (only(core).reason, only(core).incomplete) == ("Local", False)


async def test_a_name_nobody_knows_changes_nothing() -> None:
    core = await booted()
    before = core.journal.seq
    await core.desk.transaction_status(CP, "no such", ongoing=False)
    assert core.journal.seq == before
