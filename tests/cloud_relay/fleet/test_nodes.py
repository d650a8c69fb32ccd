"""Nodes of one cloud: one leads, and what a node that died left behind is put right."""

from datetime import timedelta

import msgspec

from cloud_relay.fleet import nodes
from cloud_relay.fleet.ids import GatewayId
from cloud_relay.fleet.log_records import BoxLink, Place
from cloud_relay.store.store import Store
from tests.cloud_relay.hooks import hook, kinds_told
from tests.cloud_relay.made import NOW, site

MINUTE = timedelta(minutes=1)


def linked(store: Store, place: Place, gateway: GatewayId, node: str = "one") -> BoxLink:
    link = BoxLink(gateway, place.site, place.team, node=node, connected_at=NOW, seen_at=NOW)
    store.write_now(lambda books: books.links.put(link))
    return link


def test_one_leads_until_it_stops_asking(store: Store) -> None:
    def leads(node: str, after: timedelta) -> bool:
        return store.write_now(lambda books: nodes.leads(books, "alerts", node, NOW + after))

    assert leads("one", timedelta())
    assert not leads("two", MINUTE)
    assert leads("one", MINUTE)
    assert not leads("two", 2 * MINUTE)
    assert leads("two", 3 * MINUTE), "the other is silent for two minutes"
    assert not leads("one", 3 * MINUTE)


def test_links_of_a_node_that_died_ended_when_it_was_last_there(store: Store) -> None:
    place, gateway = site(store)
    told = hook(store, place.team, "gateway.offline")
    linked(store, place, gateway)
    store.write_now(lambda books: nodes.beat(books, "one", NOW))
    alive = NOW + nodes.ALIVE_FOR - timedelta(seconds=1)
    assert store.read_now(lambda books: nodes.lost_links(books, alive)) == []
    dead = NOW + nodes.ALIVE_FOR
    lost = store.read_now(lambda books: nodes.lost_links(books, dead))
    assert [(link.gateway, at) for link, at in lost] == [(gateway, NOW)]
    for _ in range(2):
        store.write_now(lambda books: nodes.put_right(books, lost, (), dead))
    link = store.read_now(lambda books: books.links.of(gateway))
    assert link is not None
    assert link.left_at == NOW
    assert kinds_told(store, told) == ["gateway.offline"]
    assert store.read_now(lambda books: nodes.lost_links(books, dead)) == []


def test_who_came_to_another_node_meanwhile_is_left_alone(store: Store) -> None:
    place, gateway = site(store)
    linked(store, place, gateway)
    lost = store.read_now(lambda books: nodes.lost_links(books, NOW))
    assert len(lost) == 1
    linked(store, place, gateway, "two")
    store.write_now(lambda books: nodes.put_right(books, lost, (), NOW))
    link = store.read_now(lambda books: books.links.of(gateway))
    assert link is not None
    assert link.left_at is None


def test_a_node_that_could_not_beat_takes_its_links_back(store: Store) -> None:
    place, gateway = site(store)
    link = msgspec.structs.replace(linked(store, place, gateway), left_at=NOW)
    store.write_now(lambda books: books.links.put(link))
    assert store.read_now(lambda books: nodes.wrongly_lost(books, "one", frozenset())) == []
    assert store.read_now(lambda books: nodes.wrongly_lost(books, "two", {gateway})) == []
    back = store.read_now(lambda books: nodes.wrongly_lost(books, "one", {gateway}))
    store.write_now(lambda books: nodes.put_right(books, (), back, NOW))
    found = store.read_now(lambda books: books.links.of(gateway))
    assert found is not None
    assert found.left_at is None


def test_nodes_that_are_long_gone_are_forgotten(store: Store) -> None:
    store.write_now(lambda books: nodes.beat(books, "one", NOW))
    store.write_now(lambda books: nodes.forget(books, NOW + timedelta(hours=23)))
    assert store.read_now(lambda books: books.leases.of("node/one")) is not None
    store.write_now(lambda books: nodes.forget(books, NOW + timedelta(hours=25)))
    assert store.read_now(lambda books: books.leases.of("node/one")) is None
