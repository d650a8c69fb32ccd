"""What the link needs of the store."""

from datetime import timedelta
from pathlib import Path

import msgspec

from edge_agent.store.uplink import LIVE
from sitelink import events as e
from sitelink.ids import JobId
from sitelink.ops import BOX, Fact
from sitelink.states import LinkRole
from tests.doubles.clock import FakeClock
from tests.edge_agent.store.facts import connected, meter, opened, status, writing


async def test_what_stays_at_the_box_is_passed_over_and_counts_as_told(tmp_path: Path) -> None:
    admin = Fact("link:admin", e.LinkCreated(JobId(""), "0" * 64, LinkRole.ADMIN), BOX)
    offered = Fact("security:cp001", e.KeyOffered("a hash"), BOX)
    async with opened(tmp_path) as store:
        await store.journal.write(writing(connected(), admin, offered, status()))
        found = await store.uplink.load("log", 0, None, 99)
        assert [msgspec.json.decode(body)["kind"] for _, body in found.rows] == [
            "station.connected",
            "connector.changed",
        ]
        assert (found.upto, found.more) == (4, False)
        some = await store.uplink.load("log", 1, None, 2)
        assert (list(some.rows), some.upto, some.more) == ([], 3, True)
        await store.uplink.acked("log", ((0, 4),))
        assert store.uplink.backlog == 0


async def test_the_last_minutes_of_telemetry_go_before_the_rest(tmp_path: Path) -> None:
    clock = FakeClock()
    async with opened(tmp_path, clock) as store:
        await store.journal.write(writing(meter("old 1"), meter("old 2")))
        clock.advance(LIVE.total_seconds() + 60)
        await store.journal.write(writing(meter("new 1"), meter("new 2")))
        standing = await store.uplink.standing(clock.now())
        assert (standing.live_after, standing.missing) == (2, ((0, 2),))
        live = await store.uplink.load("live", standing.live_after, None, 99)
        assert [seq for seq, _ in live.rows] == [3, 4]
        old = await store.uplink.load("backlog", 0, 2, 99)
        assert ([seq for seq, _ in old.rows], old.upto, old.more) == ([1, 2], 2, False)
        await store.uplink.acked("live", ((2, 4),))
        await store.uplink.acked("backlog", ((0, 2),))
        assert (await store.uplink.standing(clock.now() + timedelta(days=1))).missing == ()
