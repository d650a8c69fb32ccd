"""A program that does not know whether its request arrived sends it again under the same key: it happens once.

The key is written down before the request is carried out, and its answer after. When the node breaks off in between,
nobody knows what became of it, so that it is not carried out again under that key. Answers may hold secrets (a claim, a
link): they are kept sealed. Start at `once`. Source: draft-ietf-httpapi-idempotency-key-header.
"""

import hashlib
from dataclasses import replace
from datetime import timedelta

import msgspec
from aiohttp import web

from cloud_relay.console.caller import STORE, Caller, caller_of
from cloud_relay.console.sealing import Sealing
from cloud_relay.fleet.ports import Books
from cloud_relay.fleet.records import KeptAnswer
from cloud_relay.fleet.tokens import sha256_of
from sitelink.errors import KeyBusy, KeyReused, RequestInvalid, SiteError
from web_ui.routes import Route

HEADER = "Idempotency-Key"
REPLAYED = "Idempotency-Replayed"
KEY_MAX_CHARACTERS = 255
KEPT_FOR = timedelta(hours=24)
UNDER_WAY_AT_MOST = timedelta(minutes=2)
"""No request takes that long."""
ANSWERS: web.AppKey[Sealing] = web.AppKey("kept_answers")


def once(route: Route) -> Route:
    """The route, with its handler behind the memory of keys where it is a team's POST."""
    if route.method != "POST" or route.auth != "team":
        return route

    async def handle(request: web.Request) -> web.StreamResponse:
        if HEADER not in request.headers:
            return await route.handler(request)
        caller = await caller_of(request, route.scope)
        kept = await _asked(request, caller)
        known = await request.app[STORE].write(lambda books: _begin(books, kept))
        if known is not None:
            return _again(request, known, kept)
        return await _first(request, route, kept)

    return replace(route, handler=handle)


async def _asked(request: web.Request, caller: Caller) -> KeptAnswer:
    """Raises RequestInvalid."""
    key = request.headers[HEADER]
    if not 0 < len(key) <= KEY_MAX_CHARACTERS or not all("!" <= each <= "~" for each in key):
        raise RequestInvalid(where=HEADER, problem="not_allowed", allowed="1 to 255 visible characters of ASCII")
    whole = hashlib.sha256(f"{request.method} {request.path_qs}\n".encode())
    whole.update(await request.read())
    return KeptAnswer(caller.team, sha256_of(key), whole.hexdigest(), caller.clock.now())


def _begin(books: Books, kept: KeptAnswer) -> KeptAnswer | None:
    """What is known of the key; None: it is written down now."""
    books.kept_answers.drop_before(kept.at - KEPT_FOR)
    return None if books.kept_answers.begin(kept) else books.kept_answers.of(kept.team, kept.key)


def _again(request: web.Request, known: KeptAnswer, asked: KeptAnswer) -> web.Response:
    """Raises KeyReused, KeyBusy."""
    if known.request != asked.request:
        raise KeyReused
    body = request.app[ANSWERS].unseal(known.sealed, _of(known)) if known.status is not None else None
    if known.status is None or body is None:
        if asked.at - known.at < UNDER_WAY_AT_MOST:
            raise KeyBusy(problem="in_progress", retry_after_s=1)
        raise KeyBusy(problem="broke_off")
    return web.Response(
        status=known.status, body=body, content_type="application/json" if body else None, headers={REPLAYED: "true"}
    )


async def _first(request: web.Request, route: Route, kept: KeptAnswer) -> web.StreamResponse:
    """A request that was refused did nothing, and is forgotten; of one that broke off nobody knows."""
    store = request.app[STORE]
    try:
        response = await route.handler(request)
    except SiteError as error:
        if error.http_status < 500:
            await store.write(lambda books: books.kept_answers.drop(kept.team, kept.key))
        raise
    body = response.body if isinstance(response, web.Response) else None
    sealed = request.app[ANSWERS].seal(body if isinstance(body, bytes) else b"", _of(kept))
    done = msgspec.structs.replace(kept, status=response.status, sealed=sealed)
    await store.write(lambda books: books.kept_answers.put(done))
    return response


def _of(kept: KeptAnswer) -> str:
    return f"{kept.team} {kept.key}"
