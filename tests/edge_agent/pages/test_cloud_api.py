"""The link to the cloud on the box's admin page and API."""

from datetime import UTC, datetime
from pathlib import Path

import aiohttp

from edge_agent.compose import Box
from sitelink.decisions import Decision
from sitelink.events import SettingSet
from sitelink.ops import Author, Fact
from sitelink.states import AuthorType
from tests.cloud_relay.links.test_server import cloud_at
from tests.doubles.box_pages import running_box
from tests.edge_agent.relay.test_desk import status
from tests.edge_agent.relay.test_link import box_at

DESK = Author(type=AuthorType.OPERATOR, name="Desk")


async def seen(box: Box) -> tuple[dict[str, object], str]:
    """What the API says, and the page."""
    token = await box.jobs.new_admin_token("desk")
    base = f"http://127.0.0.1:{box.http_port}"
    headers = {"Authorization": f"Bearer {token}"}
    async with aiohttp.ClientSession(cookie_jar=aiohttp.CookieJar(unsafe=True)) as session:
        async with session.get(f"{base}/api/v1/relay", headers=headers) as response:
            assert response.status == 200
            told = await response.json()
        await session.post(f"{base}/admin/open", data={"token": token}, headers={"Origin": base})
        async with session.get(f"{base}/admin/cloud") as response:
            assert response.status == 200
            return told, await response.text()


async def test_the_code_the_link_and_the_settings_with_their_origin_are_shown(tmp_path: Path) -> None:
    async with cloud_at(tmp_path / "cloud") as (_, url), box_at(tmp_path / "box", url, "") as box:
        waits = await status(box, code=...)
        told, page = await seen(box)
        assert isinstance(told["cloud"], dict)
        assert told["cloud"]["code"] == waits["code"]
        assert f"<code>{waits['code']}</code>" in page
        assert "waits until somebody types its code" in page
        assert "as on this box" in page
    async with box_at(tmp_path / "box", "http://127.0.0.1:9", "") as box:  # nobody is there
        await status(box, problem="connection_refused")
        told, page = await seen(box)
        assert "Nobody listens at the cloud" in page
        assert "Offline since" in page


async def test_a_box_alone_says_so_and_strangers_see_nothing(tmp_path: Path) -> None:
    async with running_box() as box:
        token = await box.core.jobs.new_admin_token("desk")
        bearer = {"Authorization": f"Bearer {token}"}
        answer = await box.client().get("/api/v1/relay", headers=bearer)
        assert (await answer.json())["cloud"] is None
        assert (await box.client().get("/api/v1/relay")).status == 401
        fact = Fact("setting:authorisation.unknown", SettingSet("never"), DESK)
        await box.core.journal.write(lambda _ledger: Decision((fact,), None))
        told = await (await box.client().get("/api/v1/relay", headers=bearer)).json()
        found = {each["key"]: each for each in told["settings"]}["authorisation.unknown"]
        assert (found["origin"], found["set_aside"], found["by"]) == ("box", "never", "Desk")
        assert datetime.fromisoformat(found["at"]).tzinfo == UTC
