"""A real box's own pages with a station of each version: from the token to the answer of a call sent by hand.

Everything by forms, as a browser without script would: nothing here knows more than stands on the pages.
"""

import html
import json
import re
from collections.abc import AsyncIterator
from pathlib import Path

import aiohttp
import pytest

from tests.doubles.box import BoxProcess, job_data, running_box
from tests.doubles.charge_point import VirtualChargePoint
from tests.doubles.charge_point_frames import Version
from tests.doubles.directions import VERSIONS

CANARY = "canary-4711-never-shown"
SECRETS = {
    "1.6": ("ChangeConfiguration", {"key": "AuthorizationKey", "value": CANARY}),
    "2.0.1": ("SetVariables", {"setVariableData": [{
        "attributeValue": CANARY, "component": {"name": "SecurityCtrlr"}, "variable": {"name": "BasicAuthPassword"}}]}),
}  # fmt: skip
SECRETS["2.1"] = SECRETS["2.0.1"]
HARMLESS = {"1.6": "GetLocalListVersion", "2.0.1": "GetLocalListVersion", "2.1": "GetLocalListVersion"}


@pytest.fixture(scope="module")
async def box(tmp_path_factory: pytest.TempPathFactory) -> AsyncIterator[BoxProcess]:
    folder: Path = tmp_path_factory.mktemp("box")
    async with running_box(folder, **{"log.level": "warning"}) as running:
        await running.import_job(job_data([f"CP-{version}" for version in VERSIONS]))
        yield running


class Form:
    """What stands in a form of a page."""

    def __init__(self, page: str, action: str) -> None:
        self.csrf = page.split('name="csrf" value="', 1)[1].split('"', 1)[0]
        typed = re.search(r'<textarea id="payload"[^>]*>(.*?)</textarea>', page, re.DOTALL)
        assert typed is not None
        self.fields = {"csrf": self.csrf, "action": action, "payload": html.unescape(typed[1])}


@pytest.mark.parametrize("version", VERSIONS)
async def test_a_call_by_hand_from_the_token_to_the_answer(box: BoxProcess, version: Version) -> None:
    identity = f"CP-{version}"
    here = f"/admin/charge-points/{identity}"
    token = (await box.cli("token", "new", "--name", "journey"))["token"]
    jar = aiohttp.CookieJar(unsafe=True)
    headers = {"Origin": box.http}
    async with (
        aiohttp.ClientSession(box.http, cookie_jar=jar, headers=headers) as browser,
        VirtualChargePoint(box.ocpp, identity, version=version, speed=20) as cp,
    ):
        await cp.wait_until(lambda: cp.accepted, 20)
        async with browser.post("/admin/open", data={"token": token}) as answer:
            assert identity in await answer.text()
        async with browser.get(here) as answer:
            details = await answer.text()
            assert answer.status == 200
            assert f"<dd>{version}<span" in details
            assert "Anybody on this network could pass for it" in details
        async with browser.get(f"{here}/calls", params={"action": HARMLESS[version]}) as answer:
            form = Form(await answer.text(), HARMLESS[version])
        async with browser.post(f"{here}/calls", data=form.fields) as answer:
            page = html.unescape(await answer.text())
            assert answer.status == 200
            assert "Answered." in page
            assert '"versionNumber"' in page or '"listVersion"' in page
        assert HARMLESS[version] in {said.action for said in cp.received}
        await nothing_secret_is_shown(browser, here, form, version)
        assert CANARY in repr([said.payload for said in cp.received]), "the station got it in plain"


async def nothing_secret_is_shown(browser: aiohttp.ClientSession, here: str, form: Form, version: Version) -> None:
    action, payload = SECRETS[version]
    form.fields |= {"action": action, "payload": json.dumps(payload)}
    async with browser.post(f"{here}/calls", data=form.fields) as answer:
        assert CANARY not in await answer.text()
    for where in ("", "/calls", "/frames", "/frames.csv", "/frames.jsonl", f"/frames?text={CANARY}"):
        async with browser.get(here + where) as answer:
            assert answer.status == 200
            text = await answer.text()
            assert CANARY not in text.replace(f'value="{CANARY}"', "").replace(f"text={CANARY}", "")
    async with browser.get(f"{here}/frames", params={"action": action}) as answer:
        assert action in await answer.text()
