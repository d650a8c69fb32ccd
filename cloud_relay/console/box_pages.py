"""The boxes of a site on its page: taken in, replaced, released, revoked.

Start at `post_box`. The rules stand in `fleet.sites`, `fleet.announcing` and `fleet.replacing`.
"""

from collections.abc import Callable
from typing import Any

from aiohttp import web

from cloud_relay.console.caller import STORE
from cloud_relay.console.drawing import drawn, gone_to, team_path
from cloud_relay.console.jobs_api import PUBLIC_URL
from cloud_relay.console.members import caller_here, form_of
from cloud_relay.console.operator_api import GATEWAYS
from cloud_relay.console.site_pages import refused, site_here
from cloud_relay.fleet.announcing import claim_box
from cloud_relay.fleet.ids import GatewayId
from cloud_relay.fleet.ports import Books
from cloud_relay.fleet.records import Gateway, Site
from cloud_relay.fleet.replacing import release_quarantine, replace_gateway
from cloud_relay.fleet.sites import add_gateway, clear_alarm, revoke_gateway
from sitelink.errors import ClaimInvalid, GatewayBusy, NotFound, RequestInvalid, TooMany
from web_ui.routes import Route

Made = tuple[Site, Gateway, str | None]
"""A box, and its claim where it is still to come."""


async def post_box(request: web.Request) -> web.Response:
    """Take in the box that shows `code`; without one expect a box that brings a claim."""
    caller, form = caller_here(request), form_of(request)
    code, name = form.get("code", "").strip(), form.get("name", "")

    def work(books: Books) -> Made:
        site = site_here(books, request)
        if code:
            return site, claim_box(books, caller.act, site, name, code), None
        return site, *add_gateway(books, caller.act, site, name)

    return await _made(request, "box", work, code)


async def post_replace(request: web.Request) -> web.Response:
    """Another box takes its place, by a code it shows or with a claim. The one before is let in once more."""
    caller, form = caller_here(request), form_of(request)
    code, name = form.get("code", "").strip(), form.get("name", "").strip()

    def work(books: Books) -> Made:
        site, gateway = _box(books, request)
        return site, *replace_gateway(books, caller.act, caller.team, gateway, name, code or None)

    gateway = GatewayId(request.match_info["gateway"])
    answer = await _made(request, f"replace-{gateway}", work, code)
    if answer.status < 400:
        await request.app[GATEWAYS].end(gateway, "replaced")
    return answer


async def _made(request: web.Request, about: str, work: Callable[[Books], Made], code: str) -> web.Response:
    """A claim is on the answer's page and nowhere else."""
    gateways = request.app[GATEWAYS]
    try:
        trying = gateways.trying_codes(caller_here(request).team, work) if code else request.app[STORE].write(work)
        site, box, claim = await trying
    except (RequestInvalid, ClaimInvalid, GatewayBusy, TooMany) as error:
        return await refused(request, about, error)
    if claim is None:
        return gone_to(team_path(request, f"/sites/{site.id}"))
    relay = f"{request.app[PUBLIC_URL].replace('http', 'ws', 1)}/relay"
    return drawn(request, "box_claim", here="sites", site=site, box=box, claim=claim, relay=relay)


async def post_revoke(request: web.Request) -> web.Response:
    caller = caller_here(request)

    def work(books: Books) -> Site:
        site, gateway = _box(books, request)
        revoke_gateway(books, caller.act, caller.team, gateway)
        return site

    site = await request.app[STORE].write(work)
    await request.app[GATEWAYS].end(GatewayId(request.match_info["gateway"]), "revoked")
    return gone_to(team_path(request, f"/sites/{site.id}"))


async def post_clear(request: web.Request) -> web.Response:
    """Somebody has looked at the box: its alarm is over, and it may connect again; of two with one disk, only the one
    that started as `boot`, where that is said.
    """
    caller, boot = caller_here(request), form_of(request).get("boot", "")

    def work(books: Books) -> Site:
        site, gateway = _box(books, request)
        if boot:
            release_quarantine(books, caller.act, caller.team, gateway, boot)
        else:
            clear_alarm(books, caller.act, caller.team, gateway)
        return site

    try:
        site = await request.app[STORE].write(work)
    except GatewayBusy as error:
        return await refused(request, f"clear-{request.match_info['gateway']}", error)
    return gone_to(team_path(request, f"/sites/{site.id}"))


def _box(books: Books, request: web.Request) -> tuple[Site, GatewayId]:
    """The box of the address, at its site. Raises NotFound."""
    site, gateway = site_here(books, request), GatewayId(request.match_info["gateway"])
    if all(each.id != gateway for each in books.sites.gateways_of(site.team, site.id)):
        raise NotFound(what="gateway", key=gateway[:64])
    return site, gateway


def _page(path: str, handler: Any, summary: str) -> Route:
    return Route(
        "POST", f"/t/{{team}}/sites/{{site}}/boxes{path}", handler, summary, media="text/html", auth="member",
        scope="sites:write",
    )  # fmt: skip


ROUTES = (
    _page("", post_box, "Take a box in, or expect one."),
    _page("/{gateway}/replace", post_replace, "Another box takes its place."),
    _page("/{gateway}/revoke", post_revoke, "Serve a box no more."),
    _page("/{gateway}/clear", post_clear, "Its alarm was looked at."),
)
