"""A box without a claim announces itself, and shows people a short code; who types it makes it a gateway of a site.

The code proves nothing alone: what is claimed is the device key that announced itself with it, and whoever has that key
is told where it belongs. Of a code only a hash is kept, and it ends by itself. Start at `announce` and `claim_box`.
"""

import secrets
from datetime import timedelta

import msgspec

from cloud_relay.fleet.acts import Act
from cloud_relay.fleet.audit import note
from cloud_relay.fleet.ids import GatewayId, new_id
from cloud_relay.fleet.log_records import Enrolled
from cloud_relay.fleet.ports import Books
from cloud_relay.fleet.records import Announced, Gateway, Site
from cloud_relay.fleet.texts import text_in
from cloud_relay.fleet.tokens import sha256_of
from sitelink.errors import ClaimInvalid, TooMany

ALPHABET = "23456789ABCDEFGHJKLMNPQRSTUVWXYZ"
"""32 signs that nobody takes for one another: no 0, O, 1, I."""
CODE_SIGNS = 8
GROUP = 4
CODE_GOOD_FOR = timedelta(minutes=15)
TOLD_FOR = timedelta(days=1)
"""How long a box that was claimed may take to ask."""
ANNOUNCED_MAX = 10_000
FULL_RETRY_S = 600
TEXT_MAX_CHARACTERS = 64


class Announcing(msgspec.Struct, frozen=True):
    """`code`: a new one, to be shown; None: the last one still holds, for `good_for_s`. `enrolled`: it was claimed."""

    code: str | None
    good_for_s: int
    enrolled: Enrolled | None = None


def announce(books: Books, act: Act, device_key: str, *, name: str, software: str, renew: bool) -> Announcing:
    """A box is there. `device_key`: its own, which the caller has checked. `renew`: it has no code to show.

    Raises TooMany where more boxes wait than can be remembered.
    """
    books.announced.drop_before(act.at)
    known = books.announced.of(device_key)
    if known is not None and known.gateway is not None:
        enrolled = books.links.enrolled(known.gateway)
        if enrolled is not None and enrolled.revoked_at is None and enrolled.device_key == device_key:
            return Announcing(None, 0, enrolled)
        known = None
    if known is not None and not renew:
        return Announcing(None, int((known.expires_at - act.at).total_seconds()))
    if known is None and books.announced.count() >= ANNOUNCED_MAX:
        raise TooMany(retry_after_s=FULL_RETRY_S)
    code = "".join(secrets.choice(ALPHABET) for _ in range(CODE_SIGNS))
    shown = name[:TEXT_MAX_CHARACTERS], software[:TEXT_MAX_CHARACTERS]
    books.announced.put(Announced(device_key, sha256_of(code), *shown, act.at, act.at + CODE_GOOD_FOR))
    return Announcing(f"{code[:GROUP]}-{code[GROUP:]}", int(CODE_GOOD_FOR.total_seconds()))


def claim_box(books: Books, act: Act, site: Site, name: str, code: str) -> Gateway:
    """The box that shows `code` is a gateway of the site from now on. An empty name: what the box calls itself.

    The caller limits how often a team may try. Raises ClaimInvalid (code_unknown, code_used), RequestInvalid.
    """
    found = announced_with(books, act, code)
    gateway = Gateway(
        GatewayId(new_id()), site.team, site.id, text_in(name or found.name, "name"), act.at,
        device_key=found.device_key, enrolled_at=act.at,
    )  # fmt: skip
    books.sites.add_gateway(gateway, None)
    told(books, act, found, gateway)
    return gateway


def announced_with(books: Books, act: Act, code: str) -> Announced:
    """Who shows this code now. Raises ClaimInvalid."""
    signs = signs_of(code)
    found = books.announced.with_code(sha256_of(signs)) if signs else None
    if found is None or found.expires_at <= act.at:
        raise ClaimInvalid(problem="code_unknown")
    if found.gateway is not None:
        raise ClaimInvalid(problem="code_used")
    return found


def told(books: Books, act: Act, found: Announced, gateway: Gateway) -> None:
    """Note that it was claimed; the box hears it when it asks next."""
    claimed = msgspec.structs.replace(found, gateway=gateway.id, expires_at=act.at + TOLD_FOR)
    books.announced.put(claimed)
    box = {"device_key": found.device_key[:8], "box": found.name, "software": found.software}
    note(books, act, "gateway.created", gateway.team, "gateway", gateway.id, gateway.name, after={"name": gateway.name})
    note(books, act, "gateway.enrolled", gateway.team, "gateway", gateway.id, gateway.name, after=box)


def signs_of(code: str) -> str | None:
    """What was typed, in capitals and without what people put between; None where it is no code."""
    signs = "".join(each for each in code.upper() if each.isalnum())
    return signs if len(signs) == CODE_SIGNS and all(each in ALPHABET for each in signs) else None
