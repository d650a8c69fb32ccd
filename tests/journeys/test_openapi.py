"""What the OpenAPI documents say of box and cloud is so, whatever is sent: schemathesis against both, running.

No limit on how often somebody may ask stands in the way here; that limits hold is tried elsewhere. Streams are left
out: they do not end.
"""

import asyncio
import json
import re
import sys
from collections import Counter
from collections.abc import AsyncIterator
from contextlib import asynccontextmanager
from pathlib import Path
from typing import Any

import aiohttp
import pytest

from cloud_relay.config import Http as CloudHttp
from cloud_relay.config import Settings as CloudSettings
from cloud_relay.fleet.permissions import RIGHTS
from cloud_relay.fleet.roles import Role
from edge_agent.compose import serving
from edge_agent.config import Http, Ocpp, Settings
from tests.cloud_relay.console.test_jobs_pages import made_job
from tests.doubles.console import running_console
from tests.doubles.demo_processes import run_command
from tests.doubles.demo_story import site
from web_ui.limits import Limit

CHECKS = "not_a_server_error,status_code_conformance,content_type_conformance,response_schema_conformance"
IN_CHECK, NIGHTLY = 5, 100
pytestmark = pytest.mark.timeout(1800)


@pytest.fixture(autouse=True)
def unlimited(monkeypatch: pytest.MonkeyPatch) -> None:
    monkeypatch.setattr(Limit, "check", lambda _self, _key: None)


async def schemathesis(url: str, token: str, examples: int, *more: str) -> str:
    """Its report; it must have found nothing."""
    command = [
        sys.executable, "-W", "ignore", "-m", "schemathesis.cli", "run", f"{url}/openapi.json",
        "--header", f"Authorization:Bearer {token}", "--checks", CHECKS, "--phases", "coverage,fuzzing",
        "--max-examples", str(examples), "--seed", "1", "--generation-database", "none", "--no-color",
        "--suppress-health-check", "all", "--continue-on-failure", "--request-timeout", "30", "--no-shrink",
        "--exclude-path-regex", "/events$", *more,
    ]  # fmt: skip
    process = await asyncio.create_subprocess_exec(
        *command, stdout=asyncio.subprocess.PIPE, stderr=asyncio.subprocess.STDOUT
    )
    report = (await process.communicate())[0].decode()
    assert process.returncode == 0, report
    return report


def tried(report: str) -> int:
    return int(re.findall(r"(\d+) generated", report)[-1])


async def document(url: str) -> dict[str, Any]:
    async with aiohttp.ClientSession() as session, session.get(f"{url}/openapi.json") as response:
        found: dict[str, Any] = await response.json()
        return found


async def operations_have_names_of_their_own(url: str) -> None:
    names = Counter(
        operation["operationId"] for path in (await document(url))["paths"].values() for operation in path.values()
    )
    assert [name for name, count in names.items() if count > 1] == []


@pytest.mark.parametrize("examples", [IN_CHECK, pytest.param(NIGHTLY, marks=pytest.mark.nightly)])
async def test_the_cloud_is_as_its_document_says(tmp_path: Path, examples: int) -> None:
    settings = CloudSettings(data_dir=tmp_path, http=CloudHttp(bind="127.0.0.1", port=0))
    async with running_console(tmp_path, settings) as console:
        person = await console.member(Role.ADMIN)
        await made_job(person)
        page = await person.post(
            f"{person.base}/team/tokens", {"name": "ci", **{f"right {right}": "1" for right in RIGHTS}}
        )
        token = re.findall(r"gc1_[\w-]{43}", page.text)[0]
        await operations_have_names_of_their_own(console.url)
        assert tried(await schemathesis(console.url, token, examples, "--exclude-path-regex", "^/relay$")) > 200


@asynccontextmanager
async def box_with_a_job(folder: Path) -> AsyncIterator[tuple[str, str, str]]:
    """Its address, a token of the box and one of the job's link."""
    settings = Settings(data_dir=folder, ocpp=Ocpp(bind="127.0.0.1", port=0), http=Http(bind="127.0.0.1", port=0))
    async with serving(settings):
        where = ("--set", f"data_dir={folder}")
        (folder / "job.json").write_text(json.dumps(site(3).job_file()))
        job = await run_command("job", "import", str(folder / "job.json"), *where)
        token = await run_command("token", "new", "--name", "ci", *where)
        yield job["link"].partition("/j#")[0], token["token"], job["token"]


@pytest.mark.parametrize("examples", [IN_CHECK, pytest.param(NIGHTLY, marks=pytest.mark.nightly)])
@pytest.mark.parametrize("whose", ["box", "link"])
async def test_the_box_is_as_its_document_says(tmp_path: Path, examples: int, whose: str) -> None:
    async with box_with_a_job(tmp_path) as (url, token, link):
        await operations_have_names_of_their_own(url)
        path = "^/api/v1/(?!job(/|$))" if whose == "box" else "^/api/v1/job(/|$)"
        report = await schemathesis(url, token if whose == "box" else link, examples, "--include-path-regex", path)
        assert tried(report) > 100
