"""The page of a box whose storage cannot be opened."""

from aiohttp.test_utils import TestClient, TestServer

from edge_agent.pages.waiting import build_waiting_app


async def test_people_and_programs_are_told_on_every_address() -> None:
    async with TestClient(TestServer(build_waiting_app("read_only"))) as client:
        health = await client.get("/healthz")
        assert (health.status, await health.json()) == (503, {"status": "read_only"})
        page = await client.get("/j", headers={"Accept": "text/html"})
        assert page.status == 503
        assert "storage takes nothing" in await page.text()
        assert "default-src 'none'" in page.headers["Content-Security-Policy"]
        assert page.headers["Retry-After"] == "5"
        refused = await client.post("/api/v1/job/complete", json={})
        body = await refused.json()
        assert (refused.status, body["code"], body["reason"]) == (503, "store_unavailable", "read_only")
