"""Watches over what alerts are about: all teams now and then, and a team soon after something happened there.

Of several nodes one looks at all teams; each looks where it brought news itself. Two that look at once do no harm: an
alert is opened once, and what an older look got wrong the next one puts right. Start at `AlertWatch.run`.
"""

import asyncio
import contextlib
from collections.abc import Iterator, Mapping, Sequence
from datetime import datetime
from functools import partial

import msgspec
import structlog

from cloud_relay.fleet import alerts, nodes
from cloud_relay.fleet.alert_causes import as_known, causes_of_boxes, causes_of_site, causes_of_webhooks, due
from cloud_relay.fleet.alert_records import Alert, Cause, RuleSetting
from cloud_relay.fleet.gateways import Gateways, last_connected
from cloud_relay.fleet.ids import GatewayId, SiteId, TeamId
from cloud_relay.fleet.log_records import BoxLink, Place
from cloud_relay.fleet.news import News, SiteNews
from cloud_relay.fleet.ports import Books, Store
from sitelink.clock import Clock
from sitelink.errors import StoreUnavailable
from sitelink.events import MeterRead, MeterValuesReported, StationHeard, TransactionUpdated

log = structlog.get_logger()

EVERY_S = 30.0
SOON_S = 1.0
"""Several news in a row are looked at once."""
SITES_MAX = 10_000
SITES_AT_ONCE = 20
_SAYS_NOTHING_NEW = (MeterRead, MeterValuesReported, StationHeard, TransactionUpdated)
_Version = tuple[int, GatewayId | None, int]


class _Team(msgspec.Struct, frozen=True):
    """Of a team, as of one moment. `versions`: what sites' records are folded from; `causes`: but those of sites."""

    places: Mapping[SiteId, Place]
    versions: Mapping[SiteId, _Version]
    links: Mapping[SiteId, Sequence[BoxLink]]
    causes: Sequence[Cause]
    rules: Mapping[str, RuleSetting]
    standing: Sequence[Alert]


class AlertWatch:
    """One a node. What it found at a site it keeps until something is written there."""

    def __init__(self, store: Store, gateways: Gateways, news: News, clock: Clock, *, node: str) -> None:
        self._store = store
        self._gateways = gateways
        self._news = news
        self._clock = clock
        self._node = node
        self._found: dict[SiteId, tuple[_Version, Sequence[Cause]]] = {}
        self._heard: set[TeamId] = set()
        self._hearing = asyncio.Event()

    def hurry(self, team: TeamId) -> None:
        """Something that alerts of the team go by has changed."""
        self._heard.add(team)
        self._hearing.set()

    async def run(self) -> None:
        """Until cancelled."""
        loop = asyncio.get_running_loop()
        next_look = loop.time()
        with contextlib.ExitStack() as stack:
            stack.callback(self._news.listen(self._hear))
            while True:
                self._hearing.clear()
                teams, self._heard = self._heard, set()
                try:
                    if loop.time() >= next_look:
                        next_look = loop.time() + EVERY_S
                        await self.look_around()
                    for team in teams:
                        await self.check(team)
                except StoreUnavailable as error:
                    log.warning("alerts_wait", reason=error.fields.get("reason"))
                await asyncio.sleep(SOON_S)
                with contextlib.suppress(TimeoutError):
                    async with asyncio.timeout_at(next_look):
                        await self._hearing.wait()

    def _hear(self, news: SiteNews) -> None:
        if news.links or any(not isinstance(op.event, _SAYS_NOTHING_NEW) for op in news.ops):
            self.hurry(news.team)

    async def beat(self) -> None:
        """Say that this node is alive; to be done before it serves boxes. Raises StoreUnavailable."""
        await self._store.write(lambda books: nodes.beat(books, self._node, self._clock.now()))

    async def look_around(self) -> None:
        """Beat, and look at all teams if this is the node that does. Raises StoreUnavailable."""
        now, online = self._clock.now(), self._gateways.online
        leads = await self._store.write(lambda books: _begin(books, self._node, now))

        def astray(books: Books) -> tuple[Sequence[tuple[BoxLink, datetime]], Sequence[BoxLink]]:
            lost = nodes.lost_links(books, now) if leads else ()
            return lost, nodes.wrongly_lost(books, self._node, online)

        lost, back = await self._store.read(astray)
        if lost or back:
            await self._store.write(lambda books: nodes.put_right(books, lost, back, now))
        if leads:
            for team in await self._store.read(lambda books: books.accounts.teams()):
                await self.check(team.id)

    async def check(self, team: TeamId) -> None:
        """Look at a team: open what is wrong, close what is over. Raises StoreUnavailable."""
        known = await self._store.read(lambda books: _team(books, team))
        await self._look_at_sites(known)
        now = self._clock.now()
        what = alerts.move(known.standing, due([*known.causes, *self._of_sites(known)], known.rules, now))
        if any(each.rule == "job_idle" for each in what.opened):
            what = await self._store.read(partial(_without_reopened, what=what, known=known, now=now))
        if not what:
            return
        changed = await self._store.write(partial(alerts.carry_out, team=team, what=what, now=now))
        if changed:
            self._news.tell(SiteNews(team, SiteId("")))

    async def _look_at_sites(self, known: _Team) -> None:
        stale = [site for site, version in known.versions.items() if self._found.get(site, ((),))[0] != version]
        for at in range(0, len(stale), SITES_AT_ONCE):
            some = stale[at : at + SITES_AT_ONCE]
            held = await self._gateways.states([known.places[site] for site in some])
            for site, each in zip(some, held, strict=True):
                self._found[site] = known.versions[site], causes_of_site(site, each.state)

    def _of_sites(self, known: _Team) -> Iterator[Cause]:
        for site in known.versions:
            yield from as_known(self._found[site][1], known.links.get(site, ()))


def _begin(books: Books, node: str, now: datetime) -> bool:
    """Whether this node is the one that looks at all teams; it also forgets what is old."""
    nodes.beat(books, node, now)
    leads = nodes.leads(books, "alerts", node, now)
    if leads:
        books.alerts.forget_before(now - alerts.KEPT_FOR)
        nodes.forget(books, now)
    return leads


def _team(books: Books, team: TeamId) -> _Team:
    sites, found = books.sites.page(team, after=None, limit=SITES_MAX), books.accounts.team(team)
    places = {site.id: Place(team, found.name if found is not None else "", site.id) for site in sites}
    boxes = [each for each in books.sites.gateways_of(team) if each.site in places]
    served = {each.id for each in boxes if each.revoked_at is None and each.replaced_by is None}
    of_team, ends = books.links.of_team(team), books.logs.ends(team)
    links: dict[SiteId, list[BoxLink]] = {site: [] for site in places}
    for link in of_team:
        if link.site in places:
            links[link.site].append(link)
    by_box = {link.gateway: link for link in of_team}
    return _Team(
        places=places, versions={site: _version(ends.get(site, 0), links[site]) for site in places},
        links={site: [link for link in here if link.gateway in served] for site, here in links.items()},
        causes=[*causes_of_boxes(boxes, by_box), *causes_of_webhooks(books.webhooks.of_team(team))],
        rules=alerts.rules_of(books, team), standing=books.alerts.standing(team),
    )  # fmt: skip


def _version(end: int, links: Sequence[BoxLink]) -> _Version:
    shown = last_connected(links)
    return end, shown, next((link.written for link in links if link.gateway == shown), 0)


def _without_reopened(books: Books, what: alerts.Move, known: _Team, now: datetime) -> alerts.Move:
    """A job that was opened again, or got a link, is not idle since before: its log says when that was."""

    def counts(cause: Cause) -> bool:
        if cause.rule != "job_idle" or cause.site is None:
            return True
        newest = books.logs.about(cause.site, f"job:{cause.subject}", (), 1)
        since = max([cause.since, *(op.at for op in newest)])
        return bool(due([msgspec.structs.replace(cause, since=since)], known.rules, now))

    return msgspec.structs.replace(what, opened=tuple(each for each in what.opened if counts(each)))
