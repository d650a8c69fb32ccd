"""The routes by which boxes come: their socket, and how they are enrolled. Start at `ROUTES`."""

from typing import Any

import msgspec
from aiohttp import web

from cloud_relay.links.keys import is_key, verify
from cloud_relay.links.server import GATEWAYS, get_relay
from sitelink.errors import ClaimInvalid, RequestInvalid, TooMany
from sitelink.wire.messages import to_sign_announcement
from web_ui.access import GATE
from web_ui.bodies import read_json
from web_ui.job_api import answer
from web_ui.limits import Limit, address_key
from web_ui.routes import Route
from web_ui.surface import UNHURRIED

ANNOUNCEMENTS: web.AppKey[Limit] = web.AppKey("announcements", Limit)
"""By address: boxes of one site stand behind one."""
ANNOUNCEMENTS_A_MINUTE = 60
AGAIN_IN_S = 10


class Enrol(msgspec.Struct, forbid_unknown_fields=True):
    """`public_key`: raw Ed25519 in base64. `box`: what the box says of itself; shown, and never trusted."""

    claim: str
    public_key: str
    box: dict[str, Any] = {}


class Announce(msgspec.Struct, forbid_unknown_fields=True):
    """`signature`: by the key, over what `sitelink.wire.messages.to_sign_announcement` says. `renew`: no code is shown.

    `box` as in Enrol.
    """

    public_key: str
    signature: str
    renew: bool = False
    box: dict[str, Any] = {}


class AnnounceAnswer(msgspec.Struct):
    """`code`: a new one to show; null: the last one holds for `good_for_s`. `gateway`: it was claimed, and by whom."""

    code: str | None
    good_for_s: int
    again_in_s: int
    gateway: str | None = None
    team: str = ""
    site: str = ""


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


async def post_announce(request: web.Request) -> web.Response:
    """A box without a claim is there, and asks whether somebody claimed it."""
    limits, key = request.app[GATE].limits, address_key(request.remote)
    limits.bad_tokens.check(key)
    body = await read_json(request, Announce)
    if not verify(body.public_key, to_sign_announcement(body.public_key), body.signature):
        limits.bad_tokens.count(key)
        raise ClaimInvalid(problem="key")
    request.app[ANNOUNCEMENTS].take(key)
    said = {name: str(body.box.get(name, "")) for name in ("name", "software")}
    found = await request.app[GATEWAYS].announce(body.public_key, **said, renew=body.renew)
    if found.enrolled is not None:
        told = found.enrolled
        return answer(AnnounceAnswer(None, 0, 0, told.gateway, told.team_name, told.site_name))
    return answer(AnnounceAnswer(found.code, found.good_for_s, AGAIN_IN_S))


setattr(get_relay, UNHURRIED, True)
ROUTES = (
    Route("GET", "/relay", get_relay, "The socket of a box.", auth="", status=101, media="", errors=(RequestInvalid,)),
    Route(
        "POST", "/relay/enrol", post_enrol, "A box becomes a gateway, by its claim.", body=Enrol, answer=EnrolledAs,
        auth="", errors=(ClaimInvalid, TooMany),
    ),
    Route(
        "POST", "/relay/announce", post_announce, "A box shows a code, and asks who typed it.", body=Announce,
        answer=AnnounceAnswer, auth="", errors=(ClaimInvalid, TooMany),
    ),
)  # fmt: skip
