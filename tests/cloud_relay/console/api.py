"""A running cloud and programs that call its API. Start at `calling`."""

from collections.abc import AsyncIterator
from contextlib import asynccontextmanager
from pathlib import Path
from typing import Any

import aiohttp

from cloud_relay.compose import Cloud
from cloud_relay.fleet.permissions import RIGHTS
from cloud_relay.fleet.teams import add_team, find_team, new_api_token
from sitelink.errors import NotFound
from tests.cloud_relay.links.test_server import cloud_at
from tests.cloud_relay.made import ACT


class Program:
    """Calls with a token of its team."""

    def __init__(self, cloud: Cloud, url: str, token: str, session: aiohttp.ClientSession) -> None:
        self.cloud = cloud
        self.url = url
        self._session = session
        self.headers = {"Authorization": f"Bearer {token}"}

    async def call(self, method: str, path: str, body: Any = None) -> tuple[int, Any]:
        url = f"{self.url}/api/v1{path}"
        async with self._session.request(method, url, json=body, headers=self.headers) as response:
            return response.status, await response.json()

    async def get(self, path: str) -> Any:
        status, answer = await self.call("GET", path)
        assert status == 200, answer
        return answer

    async def post(self, path: str, body: Any, status: int = 201) -> Any:
        found, answer = await self.call("POST", path, body)
        assert found == status, answer
        return answer

    async def job(self, *identities: str) -> tuple[str, str]:
        """A site with a job that names these: site and job."""
        site = (await self.post("/sites", {"name": "Harbour"}))["id"]
        rows = [{"name": f"Bay {n}", "identity": identity} for n, identity in enumerate(identities, 1)]
        made = await self.post("/installer-jobs", {"siteId": site, "chargePoints": rows})
        return site, made["id"]


@asynccontextmanager
async def calling(folder: Path, *teams: str, scopes: tuple[str, ...] = RIGHTS) -> AsyncIterator[list[Program]]:
    """One program a team."""
    async with cloud_at(folder) as (cloud, url), aiohttp.ClientSession() as session:
        programs = []
        for team in teams or ("Acme",):

            def work(books: Any, name: str = team) -> str:
                try:
                    found = find_team(books, name)
                except NotFound:
                    found = add_team(books, ACT, name)
                return new_api_token(books, ACT, found, "ci", scopes)[1]

            programs.append(Program(cloud, url, await cloud.store.write(work), session))
        yield programs
