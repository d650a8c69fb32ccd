"""Certificates of charge points over HTTP, for an operator's tool: requests, what was issued, roots. docs/security.md.

Start at `ROUTES`.
"""

from datetime import datetime
from typing import Any

import msgspec
from aiohttp import web

from edge_agent.pages.admin import ADMIN, authorise
from edge_agent.pages.ports import Certificates
from sitelink.commands import CertificateHash, OrderAnswer, RootUse
from sitelink.errors import CertificateInvalid, NoAnswer, NotFound, RequestInvalid, StationOffline, StoreUnavailable
from sitelink.ids import StationKey, station_key
from sitelink.ops import Author
from sitelink.security import IssuedCertificate
from sitelink.states import AuthorType
from web_ui.bodies import read_json
from web_ui.job_api import answer
from web_ui.routes import Route
from web_ui.surface import UNHURRIED

CERTIFICATES: web.AppKey[Certificates] = web.AppKey("certificates")
OPERATOR = Author(type=AuthorType.OPERATOR)


class ChainBody(msgspec.Struct, forbid_unknown_fields=True):
    """PEM, the charge point's own certificate first."""

    chain: str


class RootBody(msgspec.Struct, forbid_unknown_fields=True):
    """`certificate` (PEM) left out: the site's own root. `use`: central_system, manufacturer."""

    certificate: str | None = None
    use: RootUse = RootUse.CENTRAL_SYSTEM


class Requested(msgspec.Struct):
    """A request that waits for the operator's authority; `csr` is PEM."""

    identity: str
    csr: str
    at: datetime


class Certificate(msgspec.Struct):
    serial: str
    identity: str
    common_name: str
    ends: datetime
    issued_at: datetime
    revoked_at: datetime | None


class StationWord(msgspec.Struct):
    """The charge point's own word, and our reading of it."""

    answer: str
    accepted: bool


class Roots(msgspec.Struct):
    answer: str
    roots: list[CertificateHash]


async def get_requests(request: web.Request) -> web.Response:
    authorise(request)
    return answer([Requested(str(key), each.csr, each.at) for key, each in request.app[CERTIFICATES].requests()])


async def post_request(request: web.Request) -> web.Response:
    """Have it make a key and ask for a certificate; what comes of it stands in GET …/security."""
    authorise(request)
    return _word(await request.app[CERTIFICATES].ask_for_request(_known(request)))


async def post_certificate(request: web.Request) -> web.Response:
    """What the operator's authority signed for its last request."""
    authorise(request)
    body = await read_json(request, ChainBody)
    return _word(await request.app[CERTIFICATES].upload(_known(request), body.chain, OPERATOR))


async def get_issued(request: web.Request) -> web.Response:
    authorise(request)
    return answer([_certificate(each) for each in request.app[CERTIFICATES].issued()])


async def post_revoke(request: web.Request) -> web.Response:
    authorise(request)
    serial = request.match_info["serial"].upper()
    return answer(_certificate(await request.app[CERTIFICATES].revoke(serial, OPERATOR)))


async def get_roots(request: web.Request) -> web.Response:
    """Which roots the charge point has."""
    authorise(request)
    use = request.query.get("use", RootUse.CENTRAL_SYSTEM.value)
    if use not in set(RootUse):
        raise RequestInvalid(where="use", problem="not_allowed", allowed=", ".join(RootUse))
    found = await request.app[CERTIFICATES].roots(_known(request), RootUse(use))
    return answer(Roots(found.word, list(found.payload) if isinstance(found.payload, tuple) else []))


async def post_root(request: web.Request) -> web.Response:
    """Give it a root to trust: the site's own, or the one that is sent."""
    authorise(request)
    body = await read_json(request, RootBody)
    return _word(await request.app[CERTIFICATES].install_root(_known(request), body.certificate, body.use))


async def delete_root(request: web.Request) -> web.Response:
    """Take a root away from it, named as GET …/roots names it."""
    authorise(request)
    body = await read_json(request, CertificateHash)
    return _word(await request.app[CERTIFICATES].delete_root(_known(request), body))


for _handler in (post_request, post_certificate, get_roots, post_root, delete_root):
    setattr(_handler, UNHURRIED, True)  # the station has 30 s of its own


def _word(said: OrderAnswer) -> web.Response:
    return answer(StationWord(said.word, said.accepted))


def _certificate(each: IssuedCertificate) -> Certificate:
    return Certificate(each.id, str(each.station), each.common_name, each.ends, each.at, each.revoked_at)


def _known(request: web.Request) -> StationKey:
    key = station_key(request.match_info["identity"])
    state: Any = request.app[ADMIN].snapshot().state
    if key not in state.stations and not state.rows_of_station(key):
        raise NotFound(what="charge_point", key=key[:64])
    return key


_ONE = "/api/v1/charge-points/{identity}"
_ASKED = (NotFound, StationOffline, NoAnswer)

ROUTES = (
    Route("GET", "/api/v1/certificate-requests", get_requests, "Requests that wait for the operator's authority.",
          answer=list[Requested], auth="admin"),
    Route("POST", f"{_ONE}/certificate-request", post_request, "Have a charge point ask for a certificate.",
          answer=StationWord, auth="admin", errors=_ASKED),
    Route("POST", f"{_ONE}/certificate", post_certificate, "Hand over what the operator's authority signed.",
          ChainBody, StationWord, auth="admin", errors=(*_ASKED, CertificateInvalid, StoreUnavailable)),
    Route("GET", "/api/v1/certificates", get_issued, "Certificates of charge points, newest first.",
          answer=list[Certificate], auth="admin"),
    Route("POST", "/api/v1/certificates/{serial}/revoke", post_revoke, "Let a certificate count no more.",
          answer=Certificate, auth="admin", errors=(NotFound, StoreUnavailable)),
    Route("GET", f"{_ONE}/roots", get_roots, "Which roots a charge point has.", answer=Roots, auth="admin",
          errors=(*_ASKED, RequestInvalid), query=("use",)),
    Route("POST", f"{_ONE}/roots", post_root, "Give a charge point a root to trust.", RootBody, StationWord,
          auth="admin", errors=_ASKED),
    Route("DELETE", f"{_ONE}/roots", delete_root, "Take a root away from a charge point.", CertificateHash,
          StationWord, auth="admin", errors=_ASKED),
)  # fmt: skip
