"""The operator API: teams, sites and gateways. Jobs: `jobs_api`. DESIGN §6. Start at `ROUTES`."""

import base64
from datetime import datetime
from typing import Any

import msgspec
from aiohttp import web

from cloud_relay.console.caller import STORE, caller_of
from cloud_relay.fleet.gateways import Gateways
from cloud_relay.fleet.ids import GatewayId
from cloud_relay.fleet.ports import Books
from cloud_relay.fleet.records import Gateway, Site
from cloud_relay.fleet.replacing import release_quarantine, replace_gateway
from cloud_relay.fleet.sites import add_gateway, add_site, find_site, revoke_gateway
from sitelink.errors import ClaimInvalid, GatewayBusy, NameTaken, NotFound, RequestInvalid, TooMany
from web_ui.bodies import read_json
from web_ui.job_api import answer
from web_ui.routes import Route

GATEWAYS: web.AppKey[Gateways] = web.AppKey("operator_gateways", Gateways)
PAGE_DEFAULT = 50
PAGE_MAX = 200


class TeamView(msgspec.Struct):
    id: str
    name: str


class Teams(msgspec.Struct):
    items: list[TeamView]
    next: str | None = None


class NewSite(msgspec.Struct, forbid_unknown_fields=True):
    name: str
    address: str = ""


class SiteView(msgspec.Struct):
    id: str
    name: str
    address: str
    created_at: datetime


class Sites(msgspec.Struct):
    """`next`: the cursor of the next page; null: this was the last."""

    items: list[SiteView]
    next: str | None = None


class NewGateway(msgspec.Struct, forbid_unknown_fields=True, rename="camel"):
    """`code`: what a box shows; without it a claim is made for a box that is to come. `name` may be empty with it."""

    site_id: str
    name: str = ""
    code: str | None = None


class GatewayView(msgspec.Struct):
    """`alarm`: restored or copied, what its history betrays. `behind`: places of the site's log it has not got.

    `quarantined_at`: two boxes came with its disk and both are stopped; `boots`: the starts they came from.
    """

    id: str
    site: str
    name: str
    online: bool
    enrolled_at: datetime | None
    revoked_at: datetime | None
    last_seen_at: datetime | None
    software: str
    alarm: str | None
    behind: int
    replaced_by: str | None = None
    quarantined_at: datetime | None = None
    boots: list[str] = []


class NewGatewayAnswer(msgspec.Struct):
    """The claim goes to the box as relay.claim and is shown only here; null where a code was given."""

    gateway: str
    site: str
    claim: str | None = None


class ReplaceGateway(msgspec.Struct, forbid_unknown_fields=True):
    """`name` empty: that of the box before. `code`: what the new box shows; without it a claim is made."""

    name: str = ""
    code: str | None = None


class ReleaseQuarantine(msgspec.Struct, forbid_unknown_fields=True):
    """`boot`: one of the gateway's `boots`."""

    boot: str


class GatewayList(msgspec.Struct):
    items: list[GatewayView]
    next: str | None = None


async def get_teams(request: web.Request) -> web.Response:
    """The token's own."""
    caller = await caller_of(request, "")
    return answer(Teams([TeamView(caller.team, caller.team_name)]))


async def get_sites(request: web.Request) -> web.Response:
    caller = await caller_of(request, "sites:read")
    limit, after = page_of(request)
    found = await request.app[STORE].read(lambda books: books.sites.page(caller.team, after=after, limit=limit + 1))
    last = found[limit - 1] if len(found) > limit else None
    following = cursor_of(last.name.strip().casefold(), last.id) if last is not None else None
    return answer(Sites([_site(each) for each in found[:limit]], following))


async def post_site(request: web.Request) -> web.Response:
    caller = await caller_of(request, "sites:write")
    body = await read_json(request, NewSite)
    made = await request.app[STORE].write(
        lambda books: add_site(books, caller.act, caller.team, body.name, body.address)
    )
    return answer(_site(made), status=201)


async def get_site(request: web.Request) -> web.Response:
    caller = await caller_of(request, "sites:read")
    wanted = request.match_info["site"]
    return answer(_site(await request.app[STORE].read(lambda books: find_site(books, caller.team, wanted))))


async def get_gateways(request: web.Request) -> web.Response:
    caller = await caller_of(request, "sites:read")
    online = request.app[GATEWAYS].online

    def work(books: Books) -> list[GatewayView]:
        return [_gateway(books, each, online) for each in books.sites.gateways_of(caller.team)]

    return answer(GatewayList(await request.app[STORE].read(work)))


async def post_gateway(request: web.Request) -> web.Response:
    """Expect a box at a site, or take the one that shows a code."""
    caller = await caller_of(request, "sites:write")
    body = await read_json(request, NewGateway)
    if body.code is not None:
        gateways = request.app[GATEWAYS]
        taken = await gateways.claim_box(caller.act, caller.team, body.site_id, body.name, body.code)
        return answer(NewGatewayAnswer(taken.id, taken.site), status=201)

    def work(books: Books) -> NewGatewayAnswer:
        site = find_site(books, caller.team, body.site_id)
        made, claim = add_gateway(books, caller.act, site, body.name)
        return NewGatewayAnswer(made.id, site.id, claim)

    return answer(await request.app[STORE].write(work), status=201)


async def post_revoke(request: web.Request) -> web.Response:
    """The box is not served any more, from this moment on."""
    caller = await caller_of(request, "sites:write")
    gateway, gateways = GatewayId(request.match_info["gateway"]), request.app[GATEWAYS]

    def work(books: Books) -> GatewayView:
        return _gateway(books, revoke_gateway(books, caller.act, caller.team, gateway), frozenset())

    view = await request.app[STORE].write(work)
    await gateways.end(gateway, "revoked")
    return answer(view)


async def post_replace(request: web.Request) -> web.Response:
    """Another box takes its place: the one that shows `code`, or one that is to come with the claim."""
    caller = await caller_of(request, "sites:write")
    gateway, gateways = GatewayId(request.match_info["gateway"]), request.app[GATEWAYS]
    body = await read_json(request, ReplaceGateway)

    def work(books: Books) -> NewGatewayAnswer:
        made, claim = replace_gateway(books, caller.act, caller.team, gateway, body.name, body.code)
        return NewGatewayAnswer(made.id, made.site, claim)

    made = await (gateways.trying_codes(caller.team, work) if body.code else request.app[STORE].write(work))
    await gateways.end(gateway, "replaced")
    return answer(made, status=201)


async def post_release(request: web.Request) -> web.Response:
    """Of two boxes with one disk the one that started as `boot` stays."""
    caller = await caller_of(request, "sites:write")
    gateway = GatewayId(request.match_info["gateway"])
    body = await read_json(request, ReleaseQuarantine)

    def work(books: Books) -> GatewayView:
        return _gateway(books, release_quarantine(books, caller.act, caller.team, gateway, body.boot), frozenset())

    return answer(await request.app[STORE].write(work))


def page_of(request: web.Request) -> tuple[int, tuple[str, str] | None]:
    """`limit` and `cursor`. Raises RequestInvalid."""
    text = request.query.get("limit", str(PAGE_DEFAULT))
    if not text.isdecimal() or not 1 <= int(text) <= PAGE_MAX:
        raise RequestInvalid(where="limit", problem="not_allowed", allowed=f"1 to {PAGE_MAX}")
    cursor = request.query.get("cursor", "")
    if not cursor:
        return int(text), None
    try:
        first, second = msgspec.json.decode(
            base64.urlsafe_b64decode(cursor + "=" * (-len(cursor) % 4)), type=tuple[str, str]
        )
    except (ValueError, msgspec.DecodeError) as error:
        raise RequestInvalid(where="cursor", problem="not_allowed", allowed="what an answer gave as next") from error
    return int(text), (first, second)


def cursor_of(*parts: str) -> str:
    return base64.urlsafe_b64encode(msgspec.json.encode(parts)).rstrip(b"=").decode()


def _site(site: Site) -> SiteView:
    return SiteView(site.id, site.name, site.address, site.created_at)


def _gateway(books: Books, gateway: Gateway, online: frozenset[GatewayId]) -> GatewayView:
    link = books.links.of(gateway.id)
    behind = books.logs.end(gateway.site) - link.cursor if link is not None else 0
    return GatewayView(
        id=gateway.id, site=gateway.site, name=gateway.name, online=gateway.id in online,
        enrolled_at=gateway.enrolled_at, revoked_at=gateway.revoked_at,
        last_seen_at=link.seen_at if link else None, software=link.software if link else "",
        alarm=link.alarm if link else None, behind=max(0, behind), replaced_by=gateway.replaced_by,
        quarantined_at=link.quarantined_at if link else None, boots=list(dict.fromkeys(link.boots)) if link else [],
    )  # fmt: skip


def _route(method: str, path: str, handler: Any, summary: str, scope: str, **more: Any) -> Route:
    return Route(method, f"/api/v1{path}", handler, summary, auth="team", scope=scope, **more)


_NEW = {"status": 201, "errors": (NameTaken, NotFound)}
ROUTES = (
    _route("GET", "/teams", get_teams, "The token's team.", "", answer=Teams),
    _route("GET", "/sites", get_sites, "The team's sites.", "sites:read", answer=Sites, query=("limit", "cursor")),
    _route("POST", "/sites", post_site, "A new site.", "sites:write", body=NewSite, answer=SiteView, **_NEW),
    _route("GET", "/sites/{site}", get_site, "A site.", "sites:read", answer=SiteView, errors=(NotFound,)),
    _route("GET", "/gateways", get_gateways, "The team's boxes.", "sites:read", answer=GatewayList),
    _route("POST", "/gateways", post_gateway, "Expect a box at a site.", "sites:write", body=NewGateway,
           answer=NewGatewayAnswer, status=201, errors=(NameTaken, NotFound, ClaimInvalid, TooMany)),
    _route("POST", "/gateways/{gateway}/revoke", post_revoke, "Serve a box no more.", "sites:write",
           answer=GatewayView, errors=(NotFound,)),
    _route("POST", "/gateways/{gateway}/replace", post_replace, "Another box takes its place.", "sites:write",
           body=ReplaceGateway, answer=NewGatewayAnswer, status=201,
           errors=(NotFound, GatewayBusy, ClaimInvalid, TooMany)),
    _route("POST", "/gateways/{gateway}/release-quarantine", post_release, "Choose which of two boxes stays.",
           "sites:write", body=ReleaseQuarantine, answer=GatewayView, errors=(NotFound, GatewayBusy)),
)  # fmt: skip
