"""Everything a team has, for other programs: one JSON object a line, site after site. Start at `get_export`.

It is written while it is read, so a large team needs no more memory than its largest site.
"""

from collections.abc import AsyncIterator, Sequence
from typing import Any

import msgspec
import structlog
from aiohttp import web

from cloud_relay.console.caller import STORE, Caller, caller_of
from cloud_relay.console.job_work import links_of, view_for
from cloud_relay.console.operator_api import GATEWAYS
from cloud_relay.fleet.ids import SiteId
from cloud_relay.fleet.log_records import Held, Place
from cloud_relay.fleet.ports import Books
from cloud_relay.fleet.records import AuditEntry, Gateway, Site
from cloud_relay.fleet.site_view import sync_of
from sitelink.errors import NotFound, StoreUnavailable
from sitelink.ids import TransactionId
from sitelink.model import Transaction
from sitelink.redact import mask_id_token
from web_ui.routes import Route
from web_ui.surface import UNHURRIED

log = structlog.get_logger()

SITES_AT_ONCE = 50
CHARGES_AT_ONCE = 500
ENTRIES_AT_ONCE = 500
MEDIA = "application/x-ndjson"


async def get_export(request: web.Request) -> web.StreamResponse:
    """Lines of kind site, box, job, charge and, for a token that may read it, audit; the last is of kind end.

    `site` narrows it to one. Without its last line it is not whole: the store failed in the middle.
    """
    caller, site = await caller_of(request, "sites:read"), request.query.get("site", "")
    if site and await request.app[STORE].read(lambda books: books.sites.of(caller.team, SiteId(site))) is None:
        raise NotFound(what="site", key=site[:64])
    response = web.StreamResponse(headers={"Content-Type": MEDIA})
    await response.prepare(request)
    count = 0
    try:
        async for line in _lines(request, caller, site):
            count += 1
            await response.write(msgspec.json.encode(line) + b"\n")
        await response.write(msgspec.json.encode({"kind": "end", "lines": count}) + b"\n")
    except StoreUnavailable as error:  # the answer has begun: its last line stays away
        log.warning("export_broke_off", reason=error.fields.get("reason"))
    await response.write_eof()
    return response


setattr(get_export, UNHURRIED, True)


async def _lines(request: web.Request, caller: Caller, wanted: str) -> AsyncIterator[dict[str, Any]]:
    async for site in _sites(request, caller):
        if not wanted or site.id == wanted:
            async for line in _of_site(request, caller, site):
                yield line
    if caller.may("audit:read") and not wanted:
        async for entry in _audit(request, caller):
            yield {**msgspec.to_builtins(entry), "kind": "audit", "what": entry.kind}


async def _sites(request: web.Request, caller: Caller) -> AsyncIterator[Site]:
    after: tuple[str, str] | None = None
    while True:
        page = await request.app[STORE].read(
            lambda books, after=after: books.sites.page(caller.team, after=after, limit=SITES_AT_ONCE)  # type: ignore[misc]
        )
        for site in page:
            yield site
        if len(page) < SITES_AT_ONCE:
            return
        after = (page[-1].name.strip().casefold(), page[-1].id)


async def _of_site(request: web.Request, caller: Caller, site: Site) -> AsyncIterator[dict[str, Any]]:
    yield {"kind": "site", **msgspec.to_builtins(site)}
    boxes: Sequence[Gateway] = await request.app[STORE].read(
        lambda books: books.sites.gateways_of(caller.team, site.id)
    )
    for box in boxes:
        shown = msgspec.to_builtins(box)
        del shown["device_key"]
        yield {"kind": "box", **shown}
    place = Place(caller.team, caller.team_name, site.id)
    held = await request.app[GATEWAYS].state(place)
    if caller.may("installer-jobs:read"):
        sync = sync_of(held, await links_of(request, place), request.app[GATEWAYS].online)
        for job in held.state.jobs:
            view = msgspec.to_builtins(view_for(held, sync, job, caller.clock.now()))
            yield {"kind": "job", "id": job, "site_id": site.id, **view}
    async for charge in _charges(request, site, held):
        yield _charge(site, charge)


async def _charges(request: web.Request, site: Site, held: Held) -> AsyncIterator[Transaction]:
    for station in held.state.stations:
        before: TransactionId | None = None
        while True:

            def work(books: Books, station: str = station, before: TransactionId | None = before) -> Any:
                return books.logs.transactions(site.id, station, CHARGES_AT_ONCE, before)

            page: Sequence[Transaction] = await request.app[STORE].read(work)
            for charge in page:
                yield charge
            if len(page) < CHARGES_AT_ONCE:
                break
            before = page[-1].id


def _charge(site: Site, charge: Transaction) -> dict[str, Any]:
    """The token as pages show it: enough to tell two cards apart."""
    values = msgspec.to_builtins(charge)
    masked = mask_id_token(charge.id_token) if charge.id_token else charge.id_token
    return {"kind": "charge", "site_id": site.id, **values, "id_token": masked}


async def _audit(request: web.Request, caller: Caller) -> AsyncIterator[AuditEntry]:
    before: int | None = None
    while True:
        page = await request.app[STORE].read(
            lambda books, before=before: books.audit.page(caller.team, before=before, limit=ENTRIES_AT_ONCE)  # type: ignore[misc]
        )
        for entry in page:
            yield entry
        if len(page) < ENTRIES_AT_ONCE:
            return
        before = page[-1].seq


ROUTES = (
    Route("GET", "/api/v1/export", get_export, "Everything the team has, a JSON object a line.", auth="team",
          scope="sites:read", media=MEDIA, query=("site",), errors=(NotFound,)),
)  # fmt: skip
