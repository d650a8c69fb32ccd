"""How a box becomes a gateway of a site: by a claim the operator made for it. Start at `enrol`.

The claim is good once. A box that brings it again with the same key (its answer was lost) is the same box.
"""

import msgspec

from cloud_relay.fleet.acts import Act
from cloud_relay.fleet.audit import note
from cloud_relay.fleet.log_records import Enrolled
from cloud_relay.fleet.ports import Books
from cloud_relay.fleet.records import Gateway
from cloud_relay.fleet.tokens import CLAIM, find, sha256_of
from sitelink.errors import ClaimInvalid


def enrol(books: Books, act: Act, claim: str, device_key: str) -> Enrolled:
    """`device_key`: the raw Ed25519 public key in base64, which the caller has checked. Raises ClaimInvalid."""
    token = find(CLAIM, claim)
    gateway = books.sites.gateway_with_claim(sha256_of(token)) if token else None
    if gateway is None:
        raise ClaimInvalid(problem="unknown")
    if gateway.device_key != device_key:
        _refuse(gateway, act)
        taken = msgspec.structs.replace(gateway, device_key=device_key, enrolled_at=act.at)
        books.sites.put_gateway(taken)
        after = {"device_key": device_key[:8]}
        note(books, act, "gateway.enrolled", gateway.team, "gateway", gateway.id, gateway.name, after=after)
    found = books.links.enrolled(gateway.id)
    if found is None:
        raise ClaimInvalid(problem="unknown")
    return found


def _refuse(gateway: Gateway, act: Act) -> None:
    if gateway.revoked_at is not None:
        raise ClaimInvalid(problem="unknown")
    if gateway.enrolled_at is not None:
        raise ClaimInvalid(problem="used")
    if gateway.claim_expires_at is not None and act.at > gateway.claim_expires_at:
        raise ClaimInvalid(problem="expired")
