"""The cloud of the demo: a process of its own, with a team, somebody who signs in, and a site whose box is expected.

Everything is done as an operator does it, by commands and by the operator API. Start at `start_cloud`.
"""

import asyncio
import secrets
from asyncio.subprocess import Process
from dataclasses import dataclass
from pathlib import Path
from typing import Any

import aiohttp

from tests.doubles.demo_processes import BoxFailed, as_options, end, run_command, start_box

TEAM = "Harbour Charging"
EMAIL = "demo@example.com"
DELIVERED_S = 30.0
FROM_THE_JOB_FILE = ("description", "instructions", "number")


@dataclass(frozen=True, slots=True)
class DemoCloud:
    """`url` without a slash at its end. `claim` goes to the box as relay.claim."""

    process: Process
    url: str
    claim: str
    team: str
    site: str
    email: str
    password: str
    api_token: str

    @property
    def relay_url(self) -> str:
        return f"{self.url.replace('http', 'ws', 1)}/relay"

    async def make_job(self, job: dict[str, Any]) -> dict[str, Any]:
        """The job and a link to it: {"job", "number", "token", "cloud_link"}. Raises BoxFailed."""
        body = {name: job[name] for name in FROM_THE_JOB_FILE if name in job}
        body |= {"siteId": self.site, "chargePoints": job["charge_points"], "activateByDefault": True}
        made = await self._post("/installer-jobs", body)
        link = await self._post(f"/installer-jobs/{made['id']}/links", {})
        return {"job": made["id"], "number": made["number"], "token": link["token"], "cloud_link": link["url"]}

    async def _post(self, path: str, body: dict[str, Any]) -> Any:
        headers = {"Authorization": f"Bearer {self.api_token}"}
        url = f"{self.url}/api/v1{path}"
        async with aiohttp.request("POST", url, json=body, headers=headers) as response:
            answer = await response.json()
            if response.status != 201:
                raise BoxFailed(f"The cloud refused {path}: {answer['message']}")
            return answer


async def start_cloud(folder: Path, port: int, site: str) -> DemoCloud:
    """Raises BoxFailed."""
    settings = {"data_dir": str(folder / "cloud"), "http.port": str(port)}
    process = await start_box(settings, folder / "cloud.log", program="cloud_relay")
    try:
        where = as_options({"data_dir": settings["data_dir"]})
        password = secrets.token_urlsafe(12)
        team = (await _command("team", "add", "--name", TEAM, *where))["team"]
        person = _command("user", "add", "--team", team, "--email", EMAIL, "--password-stdin", *where, typed=password)
        expected = _command("gateway", "enrol", "--team", team, "--site", site, "--name", "Box of the demo", *where)
        program = _command("token", "new", "--team", team, "--name", "demo", *where)
        _, place, made = await asyncio.gather(person, expected, program)
    except BaseException:
        await end(process)
        raise
    return DemoCloud(
        process, f"http://127.0.0.1:{port}", place["claim"], team, place["site"], EMAIL, password, made["token"]
    )


async def until_delivered(http_url: str, token: str) -> None:
    """The box knows the job. Raises BoxFailed after `DELIVERED_S`."""
    headers = {"Authorization": f"Bearer {token}"}
    loop = asyncio.get_running_loop()
    deadline = loop.time() + DELIVERED_S
    async with aiohttp.ClientSession(headers=headers) as session:
        while loop.time() < deadline:
            async with session.get(f"{http_url}/api/v1/job") as response:
                if response.status == 200:
                    return
            await asyncio.sleep(0.3)
    raise BoxFailed(f"The box did not get its job from the cloud within {DELIVERED_S:.0f} seconds")


async def _command(*arguments: str, typed: str | None = None) -> Any:
    return await run_command(*arguments, program="cloud_relay", typed=typed)
