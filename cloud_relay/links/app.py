"""The routes by which boxes come: their socket, and how they are enrolled. Start at `ROUTES`."""

from typing import Any

import msgspec
from aiohttp import web

from cloud_relay.links.keys import is_key
from cloud_relay.links.server import GATEWAYS, get_relay
from sitelink.errors import ClaimInvalid, RequestInvalid, TooMany
from web_ui.access import GATE
from web_ui.bodies import read_json
from web_ui.job_api import answer
from web_ui.limits import address_key
from web_ui.routes import Route
from web_ui.surface import UNHURRIED


class Enrol(msgspec.Struct, forbid_unknown_fields=True):
    """`public_key`: raw Ed25519 in base64. `box`: what the box says of itself; shown, and never trusted."""

    claim: str
    public_key: str
    box: dict[str, Any] = {}


class EnrolledAs(msgspec.Struct):
    gateway: str
    team: str
    site: str


async def post_enrol(request: web.Request) -> web.Response:
    """A box shows its claim, once."""
    limits, key = request.app[GATE].limits, address_key(request.remote)
    limits.bad_tokens.check(key)
    body = await read_json(request, Enrol)
    if not is_key(body.public_key):
        raise ClaimInvalid(problem="key")
    try:
        found = await request.app[GATEWAYS].enrol(body.claim, body.public_key)
    except ClaimInvalid:
        limits.bad_tokens.count(key)
        raise
    return answer(EnrolledAs(found.gateway, found.team_name, found.site_name))


setattr(get_relay, UNHURRIED, True)
ROUTES = (
    Route("GET", "/relay", get_relay, "The socket of a box.", auth="", status=101, media="", errors=(RequestInvalid,)),
    Route(
        "POST", "/relay/enrol", post_enrol, "A box becomes a gateway, by its claim.", body=Enrol, answer=EnrolledAs,
        auth="", errors=(ClaimInvalid, TooMany),
    ),
)  # fmt: skip
