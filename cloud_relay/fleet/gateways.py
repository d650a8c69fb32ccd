"""The boxes of this node: what they bring and fetch, and what is ordered of them. The core behind `cloud_relay.links`.

Every step is a transaction; who follows a site is told after its commit. Records of sites stay in memory between
transactions, and are used only as far as nobody else wrote since. Start at `Gateways.take`.
"""

import asyncio
import contextlib
from collections import OrderedDict, deque
from collections.abc import Callable, Mapping, Sequence
from datetime import datetime, timedelta
from typing import Any, Protocol

import msgspec
import structlog

from cloud_relay.fleet.acts import SYSTEM, Act
from cloud_relay.fleet.announcing import Announcing, announce, claim_box
from cloud_relay.fleet.delivery import shown_links
from cloud_relay.fleet.enrolment import enrol
from cloud_relay.fleet.follow_ups import follow, recheck
from cloud_relay.fleet.ids import GatewayId, SiteId, TeamId
from cloud_relay.fleet.intake import take
from cloud_relay.fleet.log_records import BoxLink, Enrolled, Held, Place
from cloud_relay.fleet.news import News, SiteNews
from cloud_relay.fleet.ports import Books, Store
from cloud_relay.fleet.presence import leave
from cloud_relay.fleet.records import Gateway
from cloud_relay.fleet.registration import Refused, Verify, Welcomed, is_over, register
from cloud_relay.fleet.site_desk import SiteDesk, load, open_desk
from cloud_relay.fleet.sites import find_site
from sitelink.clock import Clock
from sitelink.decisions import Decide, T
from sitelink.digest import digest_of
from sitelink.errors import ClaimInvalid, GatewayOffline, NoAnswer, StoreUnavailable
from sitelink.events import MeterRead
from sitelink.ids import CommandId, JobId
from sitelink.meter_values import Moment
from sitelink.model import Entity
from sitelink.ops import decode_op
from sitelink.records import decode_record, encode_record
from sitelink.wire import messages as m
from sitelink.wire.cloud import Taken
from web_ui.limits import Limit

log = structlog.get_logger()

SITES_HELD = 512
BATCHES_TIMED = 1000
ORDER_ANSWERED_IN_S = 10.0
ORDER_TTL_MS = 30_000
CODE_TRIES = 10
CODE_TRIES_IN_S = 600.0
"""A team may be wrong so often; of 32^8 codes that finds one in some million years."""
MINUTES_BACK = timedelta(days=31)
MINUTES_READ = 50_000
"""More than there are in that time."""
AHEAD = timedelta(hours=1)
"""A box's clock may be so much ahead."""
NOW_KINDS = ("station:", "transaction:", "readings:", "reading:")


class Wire(Protocol):
    """A live link, as the core uses it. Both are called on the event loop."""

    def news(self, end: int) -> None: ...
    def order(self, cmd: m.Cmd) -> None: ...
    def end(self, code: str) -> None: ...


class Gateways:
    """One for each node."""

    def __init__(
        self, store: Store, clock: Clock, news: News, verify: Verify, *, node: str, new_id: Callable[[], str]
    ) -> None:
        self._store = store
        self._clock = clock
        self._news = news
        self._verify = verify
        self._node = node
        self._new_id = new_id
        self._held: OrderedDict[tuple[SiteId, GatewayId | None], Held] = OrderedDict()
        self._wires: dict[GatewayId, tuple[SiteId, Wire]] = {}
        self._homes: dict[GatewayId, tuple[TeamId, SiteId]] = {}
        self._now: dict[GatewayId, Sequence[Entity]] = {}
        self._orders: dict[CommandId, asyncio.Future[m.CmdAck]] = {}
        self._code_tries = Limit(clock, count=CODE_TRIES, per_s=CODE_TRIES_IN_S)
        """Of a team, at codes that boxes show."""
        self.acked = 0
        """Ops of boxes that this node has stored since its start."""
        self._took: deque[tuple[float, float]] = deque(maxlen=BATCHES_TIMED)
        """When the last batches were committed, and how long each took; by the steady clock, in seconds."""

    # ---- the link of a box ----

    async def register(self, hello: m.Hello, nonce: str) -> Welcomed | Refused:
        """Raises StoreUnavailable."""
        session, now = self._new_id(), self._clock.now()

        def work(books: Books) -> Welcomed | Refused:
            return register(
                books, hello, nonce, verify=self._verify, node=self._node, session=session, now=now
            )  # fmt: skip

        found = await self._store.write(work)
        if isinstance(found, Welcomed):
            self._homes[found.enrolled.gateway] = found.enrolled.team, found.enrolled.site
            self._news.tell(SiteNews(found.enrolled.team, found.enrolled.site, found.registered.end, links=True))
        return found

    def came(self, gateway: GatewayId, site: SiteId, wire: Wire) -> None:
        """From here on the gateway is spoken to by `wire`; one it had before ends."""
        before = self._wires.get(gateway)
        self._wires[gateway] = (site, wire)
        if before is not None:
            before[1].end("fenced")

    def went(self, gateway: GatewayId, wire: Wire) -> None:
        home = self._forget(gateway, wire)
        if home is not None:
            self._news.tell(SiteNews(*home, links=True))

    async def left(self, gateway: GatewayId, wire: Wire) -> None:
        """The same, and when it was is kept: people are told since when it is offline."""
        home, now = self._forget(gateway, wire), self._clock.now()

        def work(books: Books) -> None:
            link = books.links.of(gateway)
            if link is not None and link.node == self._node:
                leave(books, link, now)

        if home is not None:
            with contextlib.suppress(StoreUnavailable):
                await self._store.write(work)
            self._news.tell(SiteNews(*home, links=True))

    def _forget(self, gateway: GatewayId, wire: Wire) -> tuple[TeamId, SiteId] | None:
        """Whose it is; None where another link has taken its place."""
        known = self._wires.get(gateway)
        if known is None or known[1] is not wire:
            return None
        del self._wires[gateway]
        self._now.pop(gateway, None)
        return self._homes.pop(gateway, None)

    def is_online(self, gateway: GatewayId) -> bool:
        return gateway in self._wires

    async def take(self, place: Place, gateway: GatewayId, batch: m.Batch) -> Taken:
        """Raises StoreUnavailable."""

        def work(desk: SiteDesk) -> tuple[Taken, BoxLink | None]:
            link = desk.books.links.of(gateway)
            if link is None:
                return Taken(nack=m.Nack("fenced")), None
            taken, moved = take(desk, link, batch)
            if taken.ack is not None:
                desk.books.links.put(moved)
            return taken, moved

        began = self._clock.monotonic()
        taken, link = await self._at(place, gateway, work)
        if link is not None and is_over(link, self._clock.now()):
            await self.end(gateway, "replaced")
        if taken.ack is not None:
            self.acked += len(batch.ops)
            ended = self._clock.monotonic()
            self._took.append((ended, ended - began))
        return taken

    @property
    def slowest_batch_s(self) -> float:
        """Of the last minute, from its arrival to its commit."""
        since = self._clock.monotonic() - 60
        return max((took for ended, took in self._took if ended >= since), default=0.0)

    async def feed(self, site: SiteId, after: int, limit: int) -> Sequence[m.FeedItem]:
        stored = await self._store.read(lambda books: books.logs.after(site, after, limit))
        return [m.FeedItem(each.place, msgspec.Raw(each.body)) for each in stored if each.place is not None]

    async def snapshot(self, site: SiteId) -> tuple[int, Sequence[tuple[str, bytes]]]:
        """The end of the log, and all shared records as of it."""

        def work(books: Books) -> tuple[int, Sequence[tuple[str, bytes]]]:
            records = books.logs.records(site, None)
            return books.logs.end(site), [(each.key, encode_record(each)) for each in records]

        return await self._store.read(work)

    async def compare(self, site: SiteId, at: int, sha256: str) -> bool:
        """Whether a box's digest is ours; one of another place says nothing."""

        def work(books: Books) -> str | None:
            return digest_of(load(books, site, None)) if books.logs.end(site) == at else None

        ours = await self._store.read(work)
        if ours is not None and ours != sha256:
            log.error("site_differs", site=site, at=at)
        return ours is None or ours == sha256

    async def feed_taken(self, gateway: GatewayId, upto: int) -> None:
        """The box has the site's log up to there on its disk."""

        def work(books: Books) -> BoxLink | None:
            link = books.links.of(gateway)
            if link is None or link.cursor >= upto:
                return None
            books.links.put(msgspec.structs.replace(link, cursor=upto))
            return link

        link = await self._store.write(work)
        if link is not None:
            self._news.tell(SiteNews(link.team, link.site, upto, links=True))

    # ---- what people do ----

    async def decide(self, place: Place, decide: Decide[T]) -> T:
        """Run a rule on a site and write what it says. Raises what it raises, StoreUnavailable."""
        return await self.work(place, lambda desk: desk.decide(decide))

    async def work(self, place: Place, work: Callable[[SiteDesk], T]) -> T:
        """The same for more than one rule: all in one transaction."""
        gateway = await self.gateway_of(place.site)

        def followed(desk: SiteDesk) -> T:
            result = work(desk)
            follow(desk)
            return result

        return await self._at(place, gateway, followed)

    async def gateway_of(self, site: SiteId) -> GatewayId | None:
        """The one whose charge points are shown: the last that was connected."""
        return last_connected(await self._store.read(lambda books: shown_links(books, site)))

    async def state(self, place: Place) -> Held:
        """A site's records as they are now. To be read, never changed."""
        gateway = await self.gateway_of(place.site)
        held = self._held.get((place.site, gateway))

        def work(books: Books) -> Held:
            return open_desk(books, place, gateway, held, self._clock.now(), self._new_id).held()

        found = await self._store.read(work)
        self._hold((place.site, gateway), found)
        return self._as_it_is(gateway, found)

    async def meter_minutes(self, site: SiteId, job: JobId, name: str, since: datetime) -> Sequence[Moment]:
        """What a meter said, minute by minute, oldest first; of the last month at most."""
        now = self._clock.now()
        since = max(since, now - MINUTES_BACK)

        def work(books: Books) -> list[Moment]:
            rows = books.logs.measured(site, f"{job}/{name}", since, now + AHEAD, MINUTES_READ)
            events = (decode_op(row.body).event for row in rows)
            return [Moment(int(each.at.timestamp()), each.values) for each in events if isinstance(each, MeterRead)]

        return await self._store.read(work)

    async def states(self, places: Sequence[Place]) -> list[Held]:
        """The same of several sites, all as of one moment."""
        now = self._clock.now()

        def work(books: Books) -> list[tuple[GatewayId | None, Held]]:
            found = []
            for place in places:
                gateway = last_connected(shown_links(books, place.site))
                held = self._held.get((place.site, gateway))
                found.append((gateway, open_desk(books, place, gateway, held, now, self._new_id).held()))
            return found

        found = await self._store.read(work)
        for place, (gateway, held) in zip(places, found, strict=True):
            self._hold((place.site, gateway), held)
        return [self._as_it_is(gateway, held) for gateway, held in found]

    def _as_it_is(self, gateway: GatewayId | None, held: Held) -> Held:
        now = self._now.get(gateway) if gateway is not None else None
        return _with(held, now) if now else held

    async def _at(self, place: Place, gateway: GatewayId | None, work: Callable[[SiteDesk], T]) -> T:
        held = self._held.get((place.site, gateway))
        now = self._clock.now()

        def whole(books: Books) -> tuple[T, Held, SiteDesk]:
            desk = open_desk(books, place, gateway, held, now, self._new_id)
            result = work(desk)
            return result, desk.flush(), desk

        result, left, desk = await self._store.write(whole)
        self._hold((place.site, gateway), left)
        self._tell(place, held, left, desk)
        for identity in desk.released:
            await self._recheck(identity)
        return result

    def _hold(self, key: tuple[SiteId, GatewayId | None], held: Held) -> None:
        self._held[key] = held
        self._held.move_to_end(key)
        if len(self._held) > SITES_HELD:
            self._held.popitem(last=False)

    def _tell(self, place: Place, before: Held | None, left: Held, desk: SiteDesk) -> None:
        if before is not None and before.version == left.version and not desk.changed:
            return
        for site, wire in tuple(self._wires.values()):
            if site == place.site:
                wire.news(left.version.place)
        self._news.tell(SiteNews(place.team, place.site, left.version.place, ops=tuple(desk.touched.ops)))

    async def _recheck(self, identity: str) -> None:
        """It is nobody's now: the first site that waits for it may have it."""

        def waiting(books: Books) -> Sequence[Place]:
            return books.links.places(books.identities.waiting(identity))

        for place in await self._store.read(waiting):
            await self.work(place, lambda desk: recheck(desk, identity))

    # ---- orders ----

    async def order(
        self, gateway: GatewayId | None, action: str, arguments: Mapping[str, Any], by: str, command: CommandId,
        ttl_ms: int = ORDER_TTL_MS,
    ) -> m.CmdAck:  # fmt: skip
        """Now or not at all. Raises GatewayOffline, and NoAnswer when the box does not say whether it took it."""
        wire = self._wires.get(gateway) if gateway is not None else None
        if wire is None:
            raise GatewayOffline()
        answer: asyncio.Future[m.CmdAck] = asyncio.get_running_loop().create_future()
        self._orders[command] = answer
        try:
            wire[1].order(m.Cmd(command, action, dict(arguments), ttl_ms, by))
            async with asyncio.timeout(ORDER_ANSWERED_IN_S):
                return await answer
        except TimeoutError as error:
            raise NoAnswer(after_s=int(ORDER_ANSWERED_IN_S)) from error
        finally:
            self._orders.pop(command, None)

    def shown(self, gateway: GatewayId, records: Sequence[tuple[str, msgspec.Raw]]) -> None:
        """How its charge points stand, while its older ops are still coming; nothing: they are there. Never stored."""
        if not records:
            self._now.pop(gateway, None)
            return
        self._now[gateway] = [decode_record(key, body) for key, body in records if key.startswith(NOW_KINDS)]

    def answered(self, ack: m.CmdAck) -> None:
        waiting = self._orders.get(ack.command)
        if waiting is not None:
            with contextlib.suppress(asyncio.InvalidStateError):
                waiting.set_result(ack)

    async def end(self, gateway: GatewayId, code: str) -> None:
        """The gateway is not to be served any more: revoked, replaced."""
        known = self._wires.get(gateway)
        if known is not None:
            known[1].end(code)

    @property
    def online(self) -> frozenset[GatewayId]:
        """Those whose link is here."""
        return frozenset(self._wires)

    async def enrol(self, claim: str, device_key: str) -> Enrolled:
        """A box comes with its claim for the first time. Raises ClaimInvalid."""
        act = Act(SYSTEM, self._clock.now())
        return await self._store.write(lambda books: enrol(books, act, claim, device_key))

    async def announce(self, device_key: str, *, name: str, software: str, renew: bool) -> Announcing:
        """A box without a claim is there. Raises TooMany."""
        act = Act(SYSTEM, self._clock.now())
        return await self._store.write(
            lambda books: announce(books, act, device_key, name=name, software=software, renew=renew)
        )

    async def claim_box(self, act: Act, team: TeamId, site: str, name: str, code: str) -> Gateway:
        """See `announcing.claim_box`. `site`: id or name. Raises also NotFound, and TooMany after bad codes."""
        return await self.trying_codes(
            team, lambda books: claim_box(books, act, find_site(books, team, site), name, code)
        )

    async def trying_codes(self, team: TeamId, work: Callable[[Books], T]) -> T:
        """`work` tries a code: a bad one counts. Raises what it raises, TooMany."""
        self._code_tries.take(team)
        try:
            done = await self._store.write(work)
        except ClaimInvalid:
            raise
        except BaseException:
            self._code_tries.give_back(team)
            raise
        self._code_tries.give_back(team)
        return done


def last_connected(links: Sequence[BoxLink]) -> GatewayId | None:
    newest = max(links, key=lambda each: each.connected_at.timestamp() if each.connected_at else 0, default=None)
    return newest.gateway if newest is not None else None


def _with(held: Held, now: Sequence[Entity]) -> Held:
    """What is held, with how things stand by now in place of what was."""
    state = held.state.copy()
    for entity in now:
        state.put(entity)
    return Held(held.version, state)
