"""The boxes of a node: what is told after a commit, and orders that are done now or not at all."""

import asyncio
import itertools
from typing import Any

import msgspec
import pytest

from cloud_relay.fleet.gateways import Gateways
from cloud_relay.fleet.ids import GatewayId
from cloud_relay.fleet.log_records import BoxLink, Place
from cloud_relay.fleet.news import News, SiteNews
from cloud_relay.fleet.registration import Welcomed
from cloud_relay.store.store import Store
from sitelink import job_rules as rules
from sitelink.digest import digest_of
from sitelink.errors import GatewayOffline, JobReadOnly
from sitelink.ids import ChargePointId, CommandId, JobId
from sitelink.wire import messages as m
from tests.cloud_relay.made import NOW, OPERATOR, batch, imported, site
from tests.doubles.clock import FakeClock


class Socket:
    """See `fleet.gateways.Wire`."""

    def __init__(self) -> None:
        self.heard: list[Any] = []

    def news(self, end: int) -> None:
        self.heard.append(end)

    def order(self, cmd: m.Cmd) -> None:
        self.heard.append(cmd)

    def end(self, code: str) -> None:
        self.heard.append(code)


class Node:
    def __init__(self, store: Store) -> None:
        self.store = store
        self.place: Place
        self.gateway: GatewayId
        self.place, self.gateway = site(store)
        self.news = News()
        self.told: list[SiteNews] = []
        self.news.listen(self.told.append)
        numbers = itertools.count(1)
        self.clock = FakeClock()
        self.gateways = Gateways(
            store, self.clock, self.news, lambda *_: True, node="n", new_id=lambda: f"id-{next(numbers)}"
        )
        store.write_now(
            lambda books: books.links.put(BoxLink(self.gateway, self.place.site, self.place.team, stream="s1"))
        )


async def test_who_follows_is_told_after_the_commit_and_the_box_of_its_log(store: Store) -> None:
    node, socket = Node(store), Socket()
    node.gateways.came(node.gateway, node.place.site, socket)
    taken = await node.gateways.take(node.place, node.gateway, batch(imported("CP001")))
    assert taken.ack is not None
    assert node.told[-1].place == 2, "the import, and the verdict on its identity"
    assert socket.heard == [2]
    assert node.gateways.acked == 1
    feed = await node.gateways.feed(node.place.site, 0, 9)
    assert [item.place for item in feed] == [1, 2]


async def test_a_box_and_a_person_may_write_by_turns(store: Store) -> None:
    """What a node holds of a site is used only as far as nobody else wrote."""
    node = Node(store)
    await node.gateways.take(node.place, node.gateway, batch(imported("CP001")))
    for text in ("one", "two"):
        note = rules.decide_note(JobId("j1"), ChargePointId("j1-1"), OPERATOR, text, by_operator=True)
        await node.gateways.decide(node.place, note)
    await node.gateways.take(node.place, node.gateway, batch(imported("CP002", job="j2"), first=2))
    held = await node.gateways.state(node.place)
    notes = held.state.charge_points[ChargePointId("j1-1")].notes
    assert [note.text for note in notes] == ["one", "two"]
    assert set(held.state.jobs) == {"j1", "j2"}
    at, records = await node.gateways.snapshot(node.place.site)
    assert at == held.version.place
    assert {key.partition(":")[0] for key, _ in records} == {"job", "cp"}
    assert await node.gateways.compare(node.place.site, at, digest_of(held.state))
    assert not await node.gateways.compare(node.place.site, at, "another")
    assert await node.gateways.compare(node.place.site, at - 1, "another"), "of another place it says nothing"


async def test_a_refusal_reaches_who_asked(store: Store) -> None:
    node = Node(store)
    await node.gateways.take(node.place, node.gateway, batch(imported("")))
    await node.gateways.decide(node.place, rules.decide_archive(JobId("j1"), OPERATOR))
    edit = rules.decide_edit(JobId("j1"), ChargePointId("j1-1"), OPERATOR, identity="CP001")
    with pytest.raises(JobReadOnly):
        await node.gateways.decide(node.place, edit)


async def test_an_order_is_done_now_or_not_at_all(store: Store) -> None:
    node, socket, command = Node(store), Socket(), CommandId("c1")
    with pytest.raises(GatewayOffline):
        await node.gateways.order(node.gateway, "start", {}, "Ann", command)
    node.gateways.came(node.gateway, node.place.site, socket)
    asked = asyncio.ensure_future(node.gateways.order(node.gateway, "start", {"job": "j1"}, "Ann", command))
    await asyncio.sleep(0)
    (cmd,) = socket.heard
    assert (cmd.action, cmd.arguments, cmd.by) == ("start", {"job": "j1"}, "Ann")
    node.gateways.answered(m.CmdAck(CommandId("another")))
    node.gateways.answered(m.CmdAck(command, code="station_offline"))
    assert (await asked).code == "station_offline"
    node.gateways.answered(m.CmdAck(command))  # too late: nobody waits, and nothing happens


async def test_a_newer_socket_ends_the_older_and_only_the_last_one_counts(store: Store) -> None:
    node, old, new = Node(store), Socket(), Socket()
    node.gateways.came(node.gateway, node.place.site, old)
    node.gateways.came(node.gateway, node.place.site, new)
    node.gateways.went(node.gateway, old)
    assert (old.heard, node.gateways.online) == (["fenced"], {node.gateway})
    await node.gateways.end(node.gateway, "revoked")
    assert new.heard == ["revoked"]
    node.gateways.went(node.gateway, new)
    assert not node.gateways.is_online(node.gateway)


async def test_how_far_a_box_has_the_log_is_kept(store: Store) -> None:
    node = Node(store)
    await node.gateways.take(node.place, node.gateway, batch(imported("CP001")))
    await node.gateways.feed_taken(node.gateway, 2)
    await node.gateways.feed_taken(node.gateway, 1)
    (link,) = store.read_now(lambda books: books.links.of_site(node.place.site))
    assert link.cursor == 2
    assert node.told[-1].links


async def test_a_hello_is_registered(store: Store) -> None:
    node = Node(store)
    hello = m.Hello(node.gateway, "s9", "x", epoch="epoch-1", clock=m.ClockState(NOW, "b", 1))
    found = await node.gateways.register(hello, "nonce")
    assert isinstance(found, Welcomed)


async def test_how_things_stand_is_shown_before_the_older_ops_are_there(store: Store) -> None:
    node = Node(store)
    await node.gateways.take(node.place, node.gateway, batch(imported("CP001")))
    record = ("station:cp001", msgspec.Raw(b'{"id":"cp001","identity":"CP001"}'))
    node.gateways.shown(node.gateway, (record, ("job:j1", msgspec.Raw(b"{}"))))
    assert set((await node.gateways.state(node.place)).state.stations) == {"cp001"}
    await node.gateways.take(node.place, node.gateway, batch(imported("CP002", job="j2"), first=2))
    node.gateways.shown(node.gateway, ())
    assert not (await node.gateways.state(node.place)).state.stations, "and it is never stored"


async def test_who_follows_hears_that_a_box_is_gone(store: Store) -> None:
    node, socket = Node(store), Socket()
    hello = m.Hello(node.gateway, "s9", "x", epoch="epoch-1", clock=m.ClockState(NOW, "b", 1))
    await node.gateways.register(hello, "nonce")
    node.gateways.came(node.gateway, node.place.site, socket)
    before = len(node.told)
    node.gateways.went(node.gateway, Socket())
    assert len(node.told) == before, "another socket, long replaced"
    node.gateways.went(node.gateway, socket)
    assert node.told[before:] == [SiteNews(node.place.team, node.place.site, links=True)]


async def test_many_sites_are_read_as_of_one_moment(store: Store) -> None:
    node = Node(store)
    other, _ = site(store, "Other")
    await node.gateways.take(node.place, node.gateway, batch(imported("CP001")))
    ours, theirs = await node.gateways.states([node.place, other])
    assert set(ours.state.jobs) == {"j1"}
    assert not theirs.state.jobs
    record = ("station:cp001", msgspec.Raw(b'{"id":"cp001","identity":"CP001"}'))
    node.gateways.shown(node.gateway, (record,))
    assert set((await node.gateways.states([node.place]))[0].state.stations) == {"cp001"}
    assert await node.gateways.states([]) == []


async def test_since_when_a_box_is_offline_is_kept(store: Store) -> None:
    node, socket = Node(store), Socket()
    hello = m.Hello(node.gateway, "s9", "x", epoch="epoch-1", clock=m.ClockState(NOW, "b", 1))
    await node.gateways.register(hello, "nonce")
    node.gateways.came(node.gateway, node.place.site, socket)
    node.clock.advance(3600)
    await node.gateways.left(node.gateway, Socket())
    assert node.gateways.is_online(node.gateway), "another socket, long replaced"
    await node.gateways.left(node.gateway, socket)
    (link,) = store.read_now(lambda books: books.links.of_site(node.place.site))
    assert (link.seen_at, link.stream) == (node.clock.now(), "s9")
    assert node.told[-1] == SiteNews(node.place.team, node.place.site, links=True)


async def test_a_box_that_went_on_at_another_node_is_not_offline(store: Store) -> None:
    node, socket = Node(store), Socket()
    hello = m.Hello(node.gateway, "s9", "x", epoch="epoch-1", clock=m.ClockState(NOW, "b", 1))
    await node.gateways.register(hello, "nonce")
    node.gateways.came(node.gateway, node.place.site, socket)
    elsewhere = BoxLink(node.gateway, node.place.site, node.place.team, stream="s10", node="other", seen_at=NOW)
    store.write_now(lambda books: books.links.put(elsewhere))
    await node.gateways.left(node.gateway, socket)
    assert store.read_now(lambda books: books.links.of_site(node.place.site)) == [elsewhere]
