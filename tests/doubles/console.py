"""A running cloud with people who sign in to its console, as browsers without script do. Start at `running_console`."""

import re
from collections.abc import AsyncIterator, Mapping
from contextlib import asynccontextmanager
from dataclasses import dataclass
from datetime import UTC, datetime
from pathlib import Path

import aiohttp
from yarl import URL

from cloud_relay.compose import Cloud, serving
from cloud_relay.config import Http, Settings
from cloud_relay.console.passwords import hash_now
from cloud_relay.fleet.acts import SYSTEM, Act
from cloud_relay.fleet.ports import Books
from cloud_relay.fleet.records import Team
from cloud_relay.fleet.roles import Role
from cloud_relay.fleet.teams import add_team, add_user, find_team, set_member, set_password
from sitelink.errors import NotFound

PASSWORD = "correct horse battery"
ACT = Act(SYSTEM, datetime(2026, 11, 26, 9, 30, tzinfo=UTC))
_CSRF = re.compile(r'name="csrf" value="([^"]*)"')


@dataclass(frozen=True)
class Page:
    """An answer. `path`: where it was found in the end, with its query."""

    status: int
    text: str
    path: str
    headers: Mapping[str, str]


@dataclass
class Person:
    """Somebody at a browser. `team` is the id of the team they were let into."""

    url: str
    email: str
    team: str
    http: aiohttp.ClientSession
    csrf: str = ""

    @property
    def base(self) -> str:
        return f"/t/{self.team}"

    async def sign_in(self, password: str = PASSWORD) -> Page:
        return await self.post("/sign-in", {"email": self.email, "password": password, "next": self.base})

    async def get(self, path: str) -> Page:
        async with self.http.get(URL(self.url + path, encoded=True)) as response:
            return await self._page(response)

    async def post(self, path: str, fields: Mapping[str, str] | None = None, *, csrf: str | None = None) -> Page:
        """With the field our own pages have, unless another is given."""
        data = {**(fields or {}), "csrf": self.csrf if csrf is None else csrf}
        async with self.http.post(self.url + path, data=data) as response:
            return await self._page(response)

    async def _page(self, response: aiohttp.ClientResponse) -> Page:
        text = await response.text()
        found = _CSRF.search(text)
        self.csrf = found[1] if found is not None and found[1] else self.csrf
        return Page(response.status, text, response.url.raw_path_qs, response.headers)


@dataclass(frozen=True)
class Console:
    cloud: Cloud
    url: str
    sessions: list[aiohttp.ClientSession]

    async def team(self, name: str = "Acme") -> Team:
        """Made where there is none of that name."""

        def work(books: Books) -> Team:
            try:
                return find_team(books, name)
            except NotFound:
                return add_team(books, ACT, name)

        return await self.cloud.store.write(work)

    async def person(self, role: Role = Role.ADMIN, team: str = "Acme", email: str = "") -> Person:
        """Somebody with that role, with a password, who has not signed in yet."""
        address, kept = email or f"{role.value}@{team.lower()}.example", hash_now(PASSWORD)
        found = await self.team(team)

        def work(books: Books) -> None:
            user = add_user(books, ACT, address, role.value.title())
            set_member(books, ACT, found, user, role)
            if user.password_hash is None:
                set_password(books, ACT, user, kept)

        await self.cloud.store.write(work)
        return Person(self.url, address, found.id, self._browser())

    async def stranger(self) -> Person:
        """Somebody without an account."""
        return Person(self.url, "", "", self._browser())

    def _browser(self) -> aiohttp.ClientSession:
        session = aiohttp.ClientSession(cookie_jar=aiohttp.CookieJar(unsafe=True))
        self.sessions.append(session)
        return session

    async def member(self, role: Role = Role.ADMIN, team: str = "Acme", email: str = "") -> Person:
        """The same, signed in."""
        person = await self.person(role, team, email)
        assert (await person.sign_in()).path == person.base
        return person


@asynccontextmanager
async def running_console(folder: Path, settings: Settings | None = None) -> AsyncIterator[Console]:
    """A cloud on a port of its own, and everybody's browser closed at the end."""
    chosen = settings or Settings(data_dir=folder, http=Http(bind="127.0.0.1", port=0))
    async with serving(chosen) as cloud:
        console = Console(cloud, f"http://127.0.0.1:{cloud.http_port}", [])
        try:
            yield console
        finally:
            for session in console.sessions:
                await session.close()
