"""Lists of stations follow the site's list, and what a station did not confirm is not believed."""

import asyncio
from collections.abc import AsyncIterator
from contextlib import asynccontextmanager
from typing import Any

import pytest

from edge_agent.site.local_lists import LocalLists, Pace
from edge_agent.site.reports import BootReport, ListReport
from sitelink.commands import (
    ClearCache,
    GetLocalListVersion,
    ListLimits,
    Order,
    OrderAnswer,
    ReadListLimits,
    SendLocalList,
)
from sitelink.errors import NoAnswer, StationOffline
from sitelink.id_token_rules import TokenEntry
from sitelink.ids import StationKey
from sitelink.inventory import LIST_ENTRIES
from sitelink.states import IdTokenType, LocalListState, ReportKind
from tests.doubles.core import Core

CP = StationKey("cp001")
QUICK = Pace(coalesce_s=0.02, settle_s=0.05)


def accepted(payload: Any = None) -> OrderAnswer:
    return OrderAnswer("Accepted", accepted=True, payload=payload)


class Keeping:
    """A station that holds a list: what it is sent, it keeps, unless `refusals` hold something else to say.

    `limits` None: it refuses to say what it can hold.
    """

    def __init__(self, core: Core) -> None:
        self.core = core
        self.version = 0
        self.limits: ListLimits | None = ListLimits(enabled=True, per_message=2)
        self.tokens: set[str] = set()
        self.sent: list[Order] = []
        self.refusals: list[str] = []
        core.stations.send = self.send  # type: ignore[method-assign]

    async def send(self, station: StationKey, order: Order, late: Any = None) -> OrderAnswer:
        if station not in self.core.stations.online:
            raise StationOffline(identity=station)
        if station != CP:
            return OrderAnswer("NotImplemented", accepted=False)
        self.sent.append(order)
        await asyncio.sleep(0)
        if isinstance(order, ReadListLimits):
            if self.limits is None:
                return OrderAnswer("NotSupported", accepted=False)
            return accepted(self.limits)
        if isinstance(order, GetLocalListVersion):
            return accepted(self.version)
        if isinstance(order, SendLocalList):
            if self.refusals:
                word = self.refusals.pop(0)
                if word == "no answer":
                    raise NoAnswer(identity=station, action="SendLocalList", after_s=30)
                return OrderAnswer(word, accepted=False)
            self.tokens -= {each.id_token for each in order.removed}
            self.tokens = (set() if order.full else self.tokens) | {each.id_token for each in order.entries}
            self.version = order.version
        return accepted()

    def messages(self) -> list[SendLocalList]:
        return [order for order in self.sent if isinstance(order, SendLocalList)]


async def site() -> tuple[Core, Keeping]:
    core = Core()
    keeping = Keeping(core)
    await core.import_job()
    for identity in ("CP001", "CP002"):
        await core.boot(identity)
    await core.jobs.set_activity([row.id for row in core.journal.state.rows(core.job())], active=True)
    for token in ("A", "B", "C"):
        await core.tokens.put(TokenEntry(token))
    return core, keeping


@asynccontextmanager
async def by_itself(core: Core, *, enabled: bool = True) -> AsyncIterator[LocalLists]:
    lists = LocalLists(core.journal, core.stations, enabled=enabled, pace=QUICK)
    task = asyncio.ensure_future(lists.run())
    try:
        yield lists
    finally:
        task.cancel()
        await asyncio.gather(task, return_exceptions=True)


def state_of(lists: LocalLists) -> LocalListState | None:
    view = lists.view(CP)
    return view.state if view is not None else None


async def until(condition: Any) -> None:
    async with asyncio.timeout(5):
        while not condition():  # noqa: ASYNC110 (the condition may be anything)
            await asyncio.sleep(0.005)


async def test_a_request_sends_the_list_in_parts_and_keeps_what_was_confirmed() -> None:
    core, keeping = await site()
    assert core.lists.view(CP) is None
    await core.lists.bring_up_to_date(CP)
    assert keeping.tokens == {"A", "B", "C", core.job().test_token}
    assert [(each.full, len(each.entries)) for each in keeping.messages()] == [(True, 2), (False, 2)]
    view = core.lists.view(CP)
    assert view is not None
    assert (view.version, view.entries, view.state) == (2, 4, LocalListState.CURRENT)
    await core.lists.bring_up_to_date(CP)
    assert len(keeping.messages()) == 2, "nothing changed, nothing is sent"


async def test_a_change_shows_as_outdated_and_goes_as_a_difference() -> None:
    core, keeping = await site()
    async with by_itself(core, enabled=False) as lists:
        await lists.bring_up_to_date(CP)
        assert state_of(lists) is LocalListState.CURRENT
        await core.tokens.remove("B")
        await until(lambda: state_of(lists) is LocalListState.OUTDATED)
        await core.tokens.put(TokenEntry("B"))
        await until(lambda: state_of(lists) is LocalListState.CURRENT)
        await core.tokens.remove("B")
        await until(lambda: state_of(lists) is LocalListState.OUTDATED)
        assert len(keeping.messages()) == 2
        await lists.bring_up_to_date(CP)
        assert state_of(lists) is LocalListState.CURRENT
    assert keeping.sent[-1] == ClearCache(), "whoever is off the list is not to be known from the cache"
    last = keeping.messages()[-1]
    assert (last.full, [each.id_token for each in last.removed], last.entries) == (False, ["B"], ())
    assert keeping.tokens == {"A", "C", core.job().test_token}


@pytest.mark.parametrize("word", ["VersionMismatch", "Failed"])
async def test_a_station_that_cannot_use_a_difference_gets_the_whole(word: str) -> None:
    core, keeping = await site()
    await core.lists.bring_up_to_date(CP)
    await core.tokens.remove("B")
    keeping.refusals = [word]
    await core.lists.bring_up_to_date(CP)
    assert [each.full for each in keeping.messages()][-3:] == [False, True, False]
    assert keeping.tokens == {"A", "C", core.job().test_token}
    view = core.lists.view(CP)
    assert view is not None
    assert view.state is LocalListState.CURRENT


@pytest.mark.parametrize(
    ("refusals", "state", "reason"),
    [
        (["Failed", "Failed"], LocalListState.FAILED, "Failed"),
        (["Odd"], LocalListState.FAILED, "Odd"),
        (["NotSupported"], LocalListState.NOT_SUPPORTED, "NotSupported"),
    ],
)
async def test_a_station_that_takes_no_list_is_shown_so(
    refusals: list[str], state: LocalListState, reason: str
) -> None:
    core, keeping = await site()
    keeping.refusals = list(refusals)
    await core.lists.bring_up_to_date(CP)
    view = core.lists.view(CP)
    assert view is not None
    assert (view.state, view.reason, view.version, view.entries) == (state, reason, 0, 0)
    await core.lists.bring_up_to_date(CP)
    assert keeping.tokens == {"A", "B", "C", core.job().test_token}, "asked again, it is tried again"


async def test_a_part_that_was_not_answered_is_made_good_by_the_whole() -> None:
    core, keeping = await site()
    await core.lists.bring_up_to_date(CP)
    await core.tokens.put(TokenEntry("D"))
    keeping.refusals = ["no answer"]
    with pytest.raises(NoAnswer):
        await core.lists.bring_up_to_date(CP)
    view = core.lists.view(CP)
    assert view is not None
    assert (view.state, view.reason) == (LocalListState.FAILED, "no_answer")
    await core.lists.bring_up_to_date(CP)
    assert keeping.messages()[-3].full
    assert keeping.tokens == {"A", "B", "C", "D", core.job().test_token}


@pytest.mark.parametrize(("version", "kind"), [("1.6", None), ("2.0.1", IdTokenType.CENTRAL)])
async def test_a_station_that_does_not_say_what_it_can_hold_gets_what_its_version_takes(
    version: str, kind: IdTokenType | None
) -> None:
    core, keeping = await site()
    await core.desk.connected("CP001", "192.0.2.7", version, f"ocpp{version}")
    await core.desk.boot("CP001", "192.0.2.7", BootReport("Acme", "Post 2", "SN-CP001", version=version))
    keeping.limits = None
    await core.lists.bring_up_to_date(CP)
    (message,) = keeping.messages()
    assert {each.type for each in message.entries} == {kind}
    assert len(message.entries) == 4


@pytest.mark.parametrize(("version", "longest"), [("1.6", 20), ("2.0.1", 36), ("2.1", 255)])
@pytest.mark.parametrize("says", [True, False])
async def test_tokens_go_as_far_as_the_version_carries_them(version: str, longest: int, says: bool) -> None:
    core, keeping = await site()
    await core.desk.connected("CP001", "192.0.2.7", version, f"ocpp{version}")
    await core.desk.boot("CP001", "192.0.2.7", BootReport("Acme", "Post 2", "SN-CP001", version=version))
    typed = version != "1.6"
    keeping.limits = ListLimits(id_token_characters=36 if typed else 20, typed=typed) if says else None
    for length in (20, 36, 255):
        await core.tokens.put(TokenEntry("L" * length, parent="G" * length))
    await core.lists.bring_up_to_date(CP)
    sent = [entry for message in keeping.messages() for entry in message.entries]
    assert {len(each.id_token) for each in sent if each.id_token[0] == "L"} == {
        n for n in (20, 36, 255) if n <= longest
    }
    view = core.lists.view(CP)
    assert view is not None
    assert view.left_out == sum(n > longest for n in (20, 36, 255))


async def test_how_many_a_list_may_hold_is_known_from_the_inventory_where_a_station_does_not_say_it_itself() -> None:
    core, _ = await site()
    await core.desk.listed(CP, ListReport(ReportKind.INVENTORY, {}, "GetBaseReport", facts={LIST_ENTRIES: 3}))
    await core.lists.bring_up_to_date(CP)
    view = core.lists.view(CP)
    assert view is not None
    assert (view.entries, view.left_out) == (3, 1)


async def test_a_station_with_its_list_switched_off_is_left_alone() -> None:
    core, keeping = await site()
    keeping.limits = ListLimits(enabled=False)
    await core.lists.bring_up_to_date(CP)
    assert keeping.messages() == []
    view = core.lists.view(CP)
    assert view is not None
    assert view.state is LocalListState.NOT_ENABLED


async def test_a_station_without_the_profile_is_shown_so_and_not_asked_again_before_it_boots() -> None:
    core, keeping = await site()
    keeping.version = -1
    async with by_itself(core) as lists:
        await until(lambda: (view := lists.view(CP)) is not None and view.state is LocalListState.NOT_SUPPORTED)
        asked = len(keeping.sent)
        await core.tokens.put(TokenEntry("D"))
        await asyncio.sleep(QUICK.coalesce_s * 4)
        assert len(keeping.sent) == asked
        keeping.version = 0
        await core.boot("CP001")
        await until(lambda: keeping.tokens == {"A", "B", "C", "D", core.job().test_token})


async def test_stations_are_kept_up_to_date_by_themselves_many_changes_at_once() -> None:
    core, keeping = await site()
    async with by_itself(core) as lists:
        await until(lambda: (view := lists.view(CP)) is not None and view.state is LocalListState.CURRENT)
        before = len(keeping.messages())
        for n in range(20):
            await core.tokens.put(TokenEntry("D", note=str(n)))
        await core.tokens.remove("A")
        await until(lambda: keeping.tokens == {"B", "C", "D", core.job().test_token})
        assert len(keeping.messages()) == before + 1
        await core.jobs.set_activity([core.row("Bay 1").id], active=False)
        await until(lambda: keeping.tokens == {core.job().test_token})
        await core.jobs.set_test_token(CP, "0001")
        await until(lambda: keeping.tokens == {"0001"})


async def test_what_changed_while_a_station_was_away_is_sent_when_it_is_back() -> None:
    core, keeping = await site()
    async with by_itself(core):
        await until(lambda: len(keeping.tokens) == 4)
        core.stations.online.discard(CP)
        await core.desk.disconnected(CP, "closed")
        await core.tokens.remove("A")
        await asyncio.sleep(QUICK.coalesce_s * 4)
        assert "A" in keeping.tokens
        core.stations.online.add(CP)
        await core.desk.connected("CP001", "192.0.2.7", "1.6", "ocpp1.6")
        await until(lambda: "A" not in keeping.tokens)


async def test_after_a_boot_the_version_is_asked_again() -> None:
    core, keeping = await site()
    async with by_itself(core):
        await until(lambda: len(keeping.tokens) == 4)
        keeping.version, keeping.tokens = 0, set()
        await core.boot("CP001")
        await until(lambda: len(keeping.tokens) == 4)
        assert keeping.version > 2


async def test_nothing_is_sent_by_itself_while_it_is_switched_off() -> None:
    core, keeping = await site()
    async with by_itself(core, enabled=False):
        await core.tokens.put(TokenEntry("D"))
        await core.boot("CP001")
        await asyncio.sleep(QUICK.settle_s * 3)
        assert keeping.sent == []


async def test_a_bug_with_one_station_does_not_end_the_others() -> None:
    core, keeping = await site()
    core.stations.answers = {}
    first = keeping.send
    failed: list[StationKey] = []

    async def send(station: StationKey, order: Order, late: Any = None) -> OrderAnswer:
        if station != CP:
            failed.append(station)
            raise RuntimeError("a bug")
        return await first(station, order, late)

    core.stations.send = send  # type: ignore[method-assign]
    async with by_itself(core):
        await until(lambda: len(keeping.tokens) == 4)
        await until(lambda: failed)
        await core.tokens.put(TokenEntry("D"))
        await until(lambda: len(keeping.tokens) == 5)
