"""Who asks for something of a team: a program with a token of it, or a member at a browser (`members`).

What another team has is not there for them: every look-up goes through their team (404, never 403). Start at
`caller_of`.
"""

from dataclasses import dataclass
from datetime import timedelta

import msgspec
from aiohttp import web

from cloud_relay.fleet.acts import Act, Actor, ActorKind
from cloud_relay.fleet.ids import TeamId
from cloud_relay.fleet.ports import Books, Store
from cloud_relay.fleet.records import ApiToken
from cloud_relay.fleet.tokens import API_TOKEN, find, sha256_of
from sitelink.clock import Clock
from sitelink.errors import ScopeMissing, SignInNeeded
from sitelink.ops import Author
from sitelink.states import AuthorType
from web_ui.access import GATE
from web_ui.limits import address_key

STORE: web.AppKey[Store] = web.AppKey("store")
USED_NOTED_EVERY = timedelta(minutes=1)
PROGRAM: web.RequestKey["Caller"] = web.RequestKey("program")
RATE: web.RequestKey[str] = web.RequestKey("rate")
"""The token whose share of requests the answer tells of."""


@dataclass(frozen=True, slots=True)
class Caller:
    """Whoever is let in now, and what they may do. `name` is what others read beside what they did."""

    team: TeamId
    team_name: str
    actor: Actor
    rights: frozenset[str]
    name: str
    ip: str
    clock: Clock

    @property
    def act(self) -> Act:
        return Act(self.actor, self.clock.now(), self.ip)

    @property
    def author(self) -> Author:
        return Author(type=AuthorType.OPERATOR, name=self.name)

    def may(self, right: str) -> bool:
        return not right or right in self.rights


async def caller_of(request: web.Request, scope: str) -> Caller:
    """The program whose token this is. Asked again for the same request it takes nothing more of its share.

    Raises SignInNeeded, ScopeMissing, and TooMany after too many bad tokens or requests.
    """
    caller = request.get(PROGRAM) or await _let_in(request)
    if not caller.may(scope):
        raise ScopeMissing(scope=scope)
    return caller


async def _let_in(request: web.Request) -> Caller:
    gate, key = request.app[GATE], address_key(request.remote)
    scheme, _, credentials = request.headers.get("Authorization", "").partition(" ")
    shown = find(API_TOKEN, credentials) if scheme.casefold() == "bearer" else None
    found = await request.app[STORE].read(lambda books: _good(books, shown, gate.clock)) if shown else None
    if found is None:
        gate.limits.bad_tokens.check(key)
        gate.limits.bad_tokens.count(key)
        raise SignInNeeded(reason="api_token")
    token, team_name = found
    actor = Actor(ActorKind.TOKEN, token.id, token.name)
    caller = Caller(token.team, team_name, actor, token.scopes, token.name, key, gate.clock)
    request[RATE] = token.id
    gate.limits.program_writes.take(token.id)
    await _note_use(request.app[STORE], token, gate.clock)
    request[PROGRAM] = caller
    return caller


async def tell_rate(request: web.Request, response: web.StreamResponse) -> None:
    """What is left of a token's share, in every answer to it. On `app.on_response_prepare`."""
    token = request.get(RATE)
    if token is not None:
        standing = request.app[GATE].limits.program_writes.standing(token)
        names = ("RateLimit-Limit", "RateLimit-Remaining", "RateLimit-Reset")
        response.headers.update(zip(names, map(str, standing), strict=True))


def _good(books: Books, shown: str, clock: Clock) -> tuple[ApiToken, str] | None:
    token = books.tokens.with_sha256(sha256_of(shown))
    if token is None or token.revoked_at is not None:
        return None
    if token.expires_at is not None and clock.now() >= token.expires_at:
        return None
    team = books.accounts.team(token.team)
    return (token, team.name) if team is not None else None


async def _note_use(store: Store, token: ApiToken, clock: Clock) -> None:
    now = clock.now()
    if token.last_used_at is None or now - token.last_used_at > USED_NOTED_EVERY:
        used = msgspec.structs.replace(token, last_used_at=now)
        await store.write(lambda books: books.tokens.put(used))
