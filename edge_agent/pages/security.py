"""The security of charge points over HTTP, for an operator's tool: passwords, keys, pairing, the log. docs/security.md.

A password comes in and never goes out again. Start at `ROUTES`.
"""

from datetime import datetime
from typing import Any

import msgspec
from aiohttp import web

from edge_agent.pages.admin import ADMIN, authorise
from edge_agent.pages.ports import Security
from sitelink.errors import (
    KeyUnderway,
    NotFound,
    PasswordInvalid,
    RequestInvalid,
    StationOffline,
    StoreUnavailable,
)
from sitelink.ids import StationKey, check_identity, station_key
from sitelink.ops import Author
from sitelink.security import StationSecurity
from sitelink.states import AuthorType
from web_ui.bodies import read_json
from web_ui.job_api import answer
from web_ui.routes import Route

SECURITY: web.AppKey[Security] = web.AppKey("security")
OPERATOR = Author(type=AuthorType.OPERATOR)
LOG_MAX = 1000


class PasswordBody(msgspec.Struct, forbid_unknown_fields=True):
    """`password` as the charge point sends it; `user_may_differ`: its user name need not be its identity."""

    password: str | None = None
    user_may_differ: bool | None = None


class KeyAnswer(msgspec.Struct):
    """What became of the last key of the box: offered, accepted, refused, uncertain, proven. `word`: its own."""

    state: str
    word: str | None
    at: datetime | None


class SecurityAnswer(msgspec.Struct):
    """`profile`: what it is held to, null before it was ever accepted. `password`: typed, learned, pushed or null."""

    identity: str
    profile: int | None
    current_profile: int
    encrypted: bool
    password: str | None
    proven: bool
    user_may_differ: bool
    key: KeyAnswer | None
    certificate: KeyAnswer | None
    """Its last request for a certificate: waiting, signed, accepted, rejected, refused (`word`: why)."""


class LogEntry(msgspec.Struct):
    """A fact of the security log. `about`: the charge point's identity in its comparable form, or null."""

    seq: int
    at: datetime
    kind: str
    about: str | None
    by: str
    detail: dict[str, Any]


class LogPage(msgspec.Struct):
    """Newest first. `next`: pass it as `before` for older ones; null at the end."""

    entries: list[LogEntry]
    next: int | None


async def get_security(request: web.Request) -> web.Response:
    authorise(request)
    return answer(_shown(request, _known(request)))


async def put_credentials(request: web.Request) -> web.Response:
    """Give its password, or say whether its user name may differ. It is asked for at the next connection."""
    authorise(request)
    key = _named(request)
    body = await read_json(request, PasswordBody)
    if body.password is None and body.user_may_differ is None:
        raise RequestInvalid(where="body", problem="nothing_to_change", allowed="password, user_may_differ")
    if body.user_may_differ is not None:
        await request.app[SECURITY].let_user_differ(key, OPERATOR, may_differ=body.user_may_differ)
    if body.password is not None:
        await request.app[SECURITY].set_password(key, body.password, OPERATOR)
    return answer(_shown(request, key))


async def delete_credentials(request: web.Request) -> web.Response:
    authorise(request)
    key = _known(request)
    await request.app[SECURITY].remove_password(key, OPERATOR)
    return answer(_shown(request, key))


async def post_key(request: web.Request) -> web.Response:
    """Make a key for it and send it; how it goes is told by `key` of GET …/security."""
    authorise(request)
    key = _known(request)
    await request.app[SECURITY].push_key(key, OPERATOR)
    return answer(_shown(request, key), status=202)


async def post_station_pairing(request: web.Request) -> web.Response:
    """Let it in once in the next 30 minutes, whatever it shows."""
    authorise(request)
    key = _known(request)
    await request.app[SECURITY].pair_anew(key, OPERATOR)
    return answer(_shown(request, key))


async def get_log(request: web.Request) -> web.Response:
    authorise(request)
    limit, before = _number(request, "limit", 200, LOG_MAX, least=1), _number(request, "before", 0, 2**62)
    entries = await request.app[SECURITY].log(limit, before or None)
    page = [LogEntry(**entry) for entry in entries]
    return answer(LogPage(page, page[-1].seq if len(page) == limit else None))


def _number(request: web.Request, name: str, default: int, most: int, least: int = 0) -> int:
    text = request.query.get(name, str(default))
    if not (text.isascii() and text.isdecimal() and len(text) < 20 and least <= int(text) <= most):
        raise RequestInvalid(where=name, problem="not_allowed", allowed=f"{least} to {most}")
    return int(text)


def _named(request: web.Request) -> StationKey:
    """The identity of the path, known or not: a password may be given before the job comes. Raises IdentityInvalid."""
    identity = check_identity(request.match_info["identity"])
    if not identity:
        raise NotFound(what="charge_point", key="")
    return station_key(identity)


def _known(request: web.Request) -> StationKey:
    """Raises NotFound where neither a job nor a station has it, nor anything was set for it."""
    key = station_key(request.match_info["identity"])
    state = request.app[ADMIN].snapshot().state
    if key not in state.stations and key not in state.security and not state.rows_of_station(key):
        raise NotFound(what="charge_point", key=key[:64])
    return key


def _shown(request: web.Request, key: StationKey) -> SecurityAnswer:
    state = request.app[ADMIN].snapshot().state
    known, station = state.security.get(key) or StationSecurity(id=key), state.stations.get(key)
    credential, signing = known.credential, known.signing
    return SecurityAnswer(
        identity=station.identity if station else str(key), profile=known.profile,
        current_profile=station.profile if station else 0, encrypted=station is not None and station.encrypted,
        password=credential.origin.value if credential else None, proven=credential is not None and credential.proven,
        user_may_differ=known.user_may_differ,
        key=KeyAnswer(known.key_state.value, known.key_word, known.key_at) if known.key_state else None,
        certificate=KeyAnswer(signing.state.value, signing.word, signing.at) if signing else None,
    )  # fmt: skip


_ONE = "/api/v1/charge-points/{identity}"

ROUTES = (
    Route("GET", f"{_ONE}/security", get_security, "What a charge point must show, and what became of its key.",
          answer=SecurityAnswer, auth="admin", errors=(NotFound,)),
    Route("PUT", f"{_ONE}/credentials", put_credentials, "Give a charge point's password, as it sends it.",
          PasswordBody, SecurityAnswer, auth="admin", errors=(PasswordInvalid, RequestInvalid, StoreUnavailable)),
    Route("DELETE", f"{_ONE}/credentials", delete_credentials, "Forget a charge point's password.",
          answer=SecurityAnswer, auth="admin", errors=(NotFound, StoreUnavailable)),
    Route("POST", f"{_ONE}/key", post_key, "Give a charge point a key of its own.", answer=SecurityAnswer, status=202,
          auth="admin", errors=(NotFound, StationOffline, KeyUnderway, StoreUnavailable)),
    Route("POST", f"{_ONE}/pairing", post_station_pairing, "Let a charge point pair anew, at any security profile.",
          answer=SecurityAnswer, auth="admin", errors=(NotFound, StoreUnavailable)),
    Route("GET", "/api/v1/security-log", get_log, "What happened to security, newest first.", answer=LogPage,
          auth="admin", errors=(RequestInvalid, StoreUnavailable), query=("limit", "before")),
)  # fmt: skip
