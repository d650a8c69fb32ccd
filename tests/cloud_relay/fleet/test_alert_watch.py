"""Alerts come and go with what boxes tell, and with time."""

import asyncio

import msgspec
import pytest

from cloud_relay.fleet import alert_watch, alerts
from cloud_relay.fleet.alert_records import RuleSetting
from cloud_relay.fleet.alert_watch import AlertWatch
from cloud_relay.fleet.gateways import Gateways
from cloud_relay.fleet.log_records import BoxLink
from cloud_relay.fleet.news import News, SiteNews
from cloud_relay.store.store import Store
from sitelink import events as e
from sitelink.ids import JobId
from sitelink.ops import Fact, Op, encode_op
from tests.cloud_relay.made import ACT, NOW, OPERATOR, at, imported, new_id, op, site
from tests.doubles.clock import FakeClock


class Node:
    """One of the cloud's, with a site of Acme's that has a box."""

    def __init__(self, store: Store) -> None:
        self.store = store
        self.clock = FakeClock(NOW)
        self.place, self.gateway = site(store)
        self.news, self.watch = self.another("one")
        self.link(connected_at=NOW, seen_at=NOW)

    def another(self, name: str) -> tuple[News, AlertWatch]:
        news = News()
        gateways = Gateways(self.store, self.clock, news, lambda *_: True, node=name, new_id=new_id)
        return news, AlertWatch(self.store, gateways, news, self.clock, node=name)

    def link(self, **changes: object) -> None:
        def work(books: object) -> None:
            known = books.links.of(self.gateway) or BoxLink(self.gateway, self.place.site, self.place.team)  # type: ignore[attr-defined]
            books.links.put(msgspec.structs.replace(known, **changes))  # type: ignore[attr-defined]

        self.store.write_now(work)

    def bring(self, *ops: Op) -> None:
        def work(desk: object) -> None:
            for each in ops:
                desk.bring(each, encode_op(each))  # type: ignore[attr-defined]
            link = desk.books.links.of(self.gateway)  # type: ignore[attr-defined]
            desk.books.links.put(msgspec.structs.replace(link, written=desk.written))  # type: ignore[attr-defined]

        at(self.store, self.place, work, self.gateway)

    def standing(self) -> list[tuple[str, str]]:
        found = self.store.read_now(lambda books: books.alerts.standing(self.place.team))
        return sorted((each.rule, each.name) for each in found)


async def test_a_box_is_missed_after_ten_minutes_and_not_any_more_when_it_is_back(store: Store) -> None:
    node = Node(store)
    node.link(left_at=NOW)
    await node.watch.look_around()
    node.clock.advance(599)
    await node.watch.look_around()
    assert node.standing() == []
    node.clock.advance(1)
    for _ in range(2):
        await node.watch.look_around()
    assert node.standing() == [("gateway_offline", "Box")]
    node.link(left_at=None)
    await node.watch.look_around()
    assert node.standing() == []


async def test_what_is_found_at_a_site_follows_what_is_written_there(store: Store) -> None:
    node = Node(store)
    node.bring(imported("CP001"))
    await node.watch.check(node.place.team)
    assert node.standing() == []
    node.bring(op("cp:j1-1", e.OwnershipLearned("Other", "CP001"), job="j1"))
    await node.watch.check(node.place.team)
    assert node.standing() == [("serial_conflict", "Bay 1")]
    node.bring(op("cp:j1-1", e.OwnershipLearned(None, "CP001"), job="j1"))
    await node.watch.check(node.place.team)
    assert node.standing() == []


async def test_a_site_nothing_was_written_to_is_not_read_again(store: Store) -> None:
    node = Node(store)
    node.bring(imported("CP001"))
    read: list[int] = []
    states = node.watch._gateways.states

    async def counting(places: object) -> object:
        read.append(len(places))  # type: ignore[arg-type]
        return await states(places)  # type: ignore[arg-type]

    node.watch._gateways.states = counting  # type: ignore[method-assign, assignment]
    for _ in range(3):
        await node.watch.check(node.place.team)
    assert read == [1]
    node.bring(op("cp:j1-1", e.NoteAdded("x"), job="j1"))
    await node.watch.check(node.place.team)
    assert read == [1, 1]


async def test_a_job_is_idle_after_a_week(store: Store) -> None:
    node = Node(store)
    node.bring(imported("CP001"))
    node.clock.advance(7 * 86400 - 1)
    await node.watch.check(node.place.team)
    assert node.standing() == []
    node.clock.advance(1)
    await node.watch.check(node.place.team)
    assert node.standing() == [("job_idle", "j1")]


async def test_a_job_that_was_opened_again_has_its_week_from_then_on(store: Store) -> None:
    node = Node(store)
    node.bring(imported("CP001"), op("job:j1", e.JobCompleted(activate=(), round=1), job="j1", author=OPERATOR))
    node.clock.advance(8 * 86400)
    reopened = Fact("job:j1", e.JobReopened(), OPERATOR, job=JobId("j1"))
    await node.watch._gateways.work(node.place, lambda desk: desk.record([reopened]))
    await node.watch.check(node.place.team)
    assert node.standing() == []
    node.clock.advance(7 * 86400)
    await node.watch.check(node.place.team)
    assert node.standing() == [("job_idle", "j1")]


async def test_a_rule_that_is_off_closes_what_it_opened(store: Store) -> None:
    node = Node(store)
    node.link(alarm="restored")
    await node.watch.check(node.place.team)
    assert node.standing() == [("gateway_alarm", "Box")]
    off = [RuleSetting("gateway_alarm", enabled=False)]
    store.write_now(lambda books: alerts.change_rules(books, ACT, node.place.team, off))
    await node.watch.check(node.place.team)
    assert node.standing() == []


async def test_of_two_nodes_one_looks_at_all_teams_and_the_other_takes_over(store: Store) -> None:
    node = Node(store)
    _, other = node.another("two")
    await node.watch.look_around()
    node.link(alarm="restored", node="one")
    await other.look_around()
    assert node.standing() == [], "the first leads"
    node.clock.advance(91)
    await other.look_around()
    assert node.standing() == [("gateway_alarm", "Box")]
    node.link(alarm=None)
    await node.watch.look_around()
    assert node.standing() == [("gateway_alarm", "Box")], "the second leads now"


async def test_two_nodes_that_look_at_once_open_one(store: Store) -> None:
    node = Node(store)
    _, other = node.another("two")
    node.link(alarm="restored")
    await asyncio.gather(*(watch.check(node.place.team) for watch in (node.watch, other) for _ in range(3)))
    found = store.read_now(lambda books: books.alerts.page(node.place.team, before=None, limit=9))
    assert len(found) == 1


async def test_a_box_whose_node_died_is_offline(store: Store) -> None:
    node = Node(store)
    node.link(node="one")
    await node.watch.beat()
    _, other = node.another("two")
    node.clock.advance(181)
    await other.look_around()
    assert node.standing() == []
    node.clock.advance(420)
    await other.look_around()
    (alert,) = store.read_now(lambda books: books.alerts.standing(node.place.team))
    assert (alert.rule, alert.since) == ("gateway_offline", NOW)


async def test_news_are_looked_at_soon(store: Store, monkeypatch: pytest.MonkeyPatch) -> None:
    monkeypatch.setattr(alert_watch, "SOON_S", 0.01)
    node = Node(store)
    opened = asyncio.Event()
    node.news.listen(lambda news: opened.set() if not news.site else None)
    looked, look_around = asyncio.Event(), node.watch.look_around

    async def look() -> None:
        await look_around()
        looked.set()

    monkeypatch.setattr(node.watch, "look_around", look)
    async with asyncio.timeout(20), asyncio.TaskGroup() as group:
        running = group.create_task(node.watch.run())
        await looked.wait()
        node.link(alarm="restored")
        node.news.tell(SiteNews(node.place.team, node.place.site, links=True))
        await opened.wait()
        running.cancel()
    assert node.standing() == [("gateway_alarm", "Box")]
