"""Who calls the operator API: a program with a token of a team. Start at `caller_of`.

What another team has is not there for it: every look-up goes through its team (404, never 403).
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


@dataclass(frozen=True, slots=True)
class Caller:
    """A token that is good now."""

    token: ApiToken
    team_name: str
    ip: str
    clock: Clock

    @property
    def team(self) -> TeamId:
        return self.token.team

    @property
    def act(self) -> Act:
        return Act(Actor(ActorKind.TOKEN, self.token.id, self.token.name), self.clock.now(), self.ip)

    @property
    def author(self) -> Author:
        return Author(type=AuthorType.OPERATOR, name=self.token.name)


async def caller_of(request: web.Request, scope: str) -> Caller:
    """Raises SignInNeeded, ScopeMissing, and TooMany after too many bad tokens or requests."""
    gate, key = request.app[GATE], address_key(request.remote)
    scheme, _, credentials = request.headers.get("Authorization", "").partition(" ")
    shown = find(API_TOKEN, credentials) if scheme.casefold() == "bearer" else None
    found = await request.app[STORE].read(lambda books: _good(books, shown, gate.clock)) if shown else None
    if found is None:
        gate.limits.bad_tokens.check(key)
        gate.limits.bad_tokens.count(key)
        raise SignInNeeded(reason="api_token")
    token, team_name = found
    if scope and scope not in token.scopes:
        raise ScopeMissing(scope=scope)
    gate.limits.program_writes.take(token.id)
    await _note_use(request.app[STORE], token, gate.clock)
    return Caller(token, team_name, key, gate.clock)


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
