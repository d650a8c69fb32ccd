"""A team's sites with their boxes and open jobs, searched and filtered: what lists of sites are made of.

Start at `site_lines`; `chosen` narrows them. Everything but the books is looked at in memory: a team has thousands of
sites at most.
"""

from collections.abc import Callable, Collection, Iterable, Sequence
from datetime import datetime
from enum import StrEnum

import msgspec

from cloud_relay.fleet.ids import GatewayId, SiteId, TeamId, key_of
from cloud_relay.fleet.log_records import BoxLink, Listed
from cloud_relay.fleet.ports import Books
from cloud_relay.fleet.records import Gateway, Site
from sitelink.states import JobStatus

SITES_MAX = 10_000


class BoxState(StrEnum):
    ONLINE = "online"
    OFFLINE = "offline"
    EXPECTED = "expected"
    """Its claim waits for it."""
    EXPIRED = "expired"
    """Its claim ran out before it came."""
    NEW = "new"
    """It has a key, and did not connect yet."""
    STOPPED = "stopped"
    """Two boxes take turns under its name: none is served until somebody chooses."""
    REVOKED = "revoked"


class BoxLine(msgspec.Struct, frozen=True):
    """`behind`: places of the site's log it has not got."""

    gateway: Gateway
    link: BoxLink | None
    state: BoxState
    behind: int

    @property
    def alarm(self) -> str | None:
        """restored, copied: something an operator must look at."""
        return self.link.alarm if self.link is not None and self.state is not BoxState.REVOKED else None


class SiteLine(msgspec.Struct, frozen=True):
    """`boxes`: those that are not revoked. `jobs`: the open ones, newest first."""

    site: Site
    boxes: tuple[BoxLine, ...]
    jobs: tuple[Listed, ...]

    @property
    def online(self) -> bool:
        return any(box.state is BoxState.ONLINE for box in self.boxes)

    @property
    def offline(self) -> bool:
        """It has a box that was there, and none is now."""
        return not self.online and any(box.state in (BoxState.OFFLINE, BoxState.STOPPED) for box in self.boxes)

    @property
    def alarm(self) -> bool:
        return any(box.alarm is not None or box.state is BoxState.STOPPED for box in self.boxes)


SHOWN: dict[str, Callable[[SiteLine], bool]] = {
    "online": lambda line: line.online,
    "offline": lambda line: line.offline,
    "job": lambda line: bool(line.jobs),
    "alarm": lambda line: line.alarm,
}
"""What the list can be narrowed to."""


def site_lines(books: Books, team: TeamId, online: Collection[GatewayId], now: datetime) -> list[SiteLine]:
    """In the order of names. `online`: the gateways whose link is there."""
    links = {link.gateway: link for link in books.links.of_team(team)}
    boxes: dict[SiteId, list[BoxLine]] = {}
    for gateway in books.sites.gateways_of(team):
        if gateway.revoked_at is None:
            boxes.setdefault(gateway.site, []).append(box_line(gateway, links.get(gateway.id), 0, online, now))
    jobs: dict[str, list[Listed]] = {}
    for job in books.logs.jobs(team, after=None, limit=SITES_MAX, status=JobStatus.OPEN):
        jobs.setdefault(job.site, []).append(job)
    sites = books.sites.page(team, after=None, limit=SITES_MAX)
    return [SiteLine(site, tuple(boxes.get(site.id, ())), tuple(jobs.get(site.id, ()))) for site in sites]


def site_boxes(books: Books, site: Site, online: Collection[GatewayId], now: datetime) -> list[BoxLine]:
    """All boxes of a site, also revoked ones, with how far behind they are."""
    end = books.logs.end(site.id)
    links = {link.gateway: link for link in books.links.of_site(site.id)}
    return [
        box_line(gateway, links.get(gateway.id), end, online, now)
        for gateway in books.sites.gateways_of(site.team, site.id)
    ]


def box_line(
    gateway: Gateway, link: BoxLink | None, end: int, online: Collection[GatewayId], now: datetime
) -> BoxLine:  # fmt: skip
    """`end`: of the site's log; 0 where it does not matter."""
    behind = max(0, end - link.cursor) if link is not None else end
    return BoxLine(gateway, link, _state(gateway, link, online, now), behind)


def _state(gateway: Gateway, link: BoxLink | None, online: Collection[GatewayId], now: datetime) -> BoxState:
    if gateway.revoked_at is not None:
        return BoxState.REVOKED
    if gateway.enrolled_at is None:
        expires = gateway.claim_expires_at
        return BoxState.EXPIRED if expires is not None and now > expires else BoxState.EXPECTED
    if link is not None and link.quarantined_at is not None:
        return BoxState.STOPPED
    if gateway.id in online:
        return BoxState.ONLINE
    return BoxState.OFFLINE if link is not None and link.seen_at is not None else BoxState.NEW


def chosen(lines: Iterable[SiteLine], text: str, show: str, named: Collection[SiteId] = ()) -> list[SiteLine]:
    """Those with `text` in what is read of them, or that are in `named`; `show` is "" or one of SHOWN."""
    wanted = key_of(text)
    keep = SHOWN.get(show)
    return [
        line for line in lines
        if (keep is None or keep(line)) and (not wanted or line.site.id in named or wanted in _read(line))
    ]  # fmt: skip


def counted(lines: Sequence[SiteLine]) -> dict[str, int]:
    """How many there are of each: "" is all of them."""
    return {"": len(lines), **{name: sum(keep(line) for line in lines) for name, keep in SHOWN.items()}}


def _read(line: SiteLine) -> str:
    boxes = [text for box in line.boxes for text in (box.gateway.name, box.gateway.id, _software(box))]
    return "\n".join((line.site.name, line.site.address, *boxes, *(job.number for job in line.jobs))).casefold()


def _software(box: BoxLine) -> str:
    return box.link.software if box.link is not None else ""
