"""The cloud in figures."""

from pathlib import Path

import aiohttp

from cloud_relay.console.metrics import CloudMetrics, Figures, exposition
from tests.cloud_relay.links.test_server import cloud_at
from tests.house.files import ROOT

BUSY = Figures("1.2.3", 3, 41, 0.25, 2)


def test_every_figure_is_told_and_documented() -> None:
    body, content_type = exposition(BUSY)
    assert content_type.startswith("text/plain")
    lines = body.decode().splitlines()
    for line in (
        'gatepost_info{version="1.2.3"} 1.0', "gatepost_cloud_links 3.0", "gatepost_cloud_ops_total 41.0",
        "gatepost_cloud_batch_seconds 0.25", "gatepost_http_faults_total 2.0",
    ):  # fmt: skip
        assert line in lines
    document = (ROOT / "docs/api.md").read_text("utf-8")
    for metric in CloudMetrics(BUSY).collect():
        assert f"`{metric.name}" in document


async def test_they_are_served(tmp_path: Path) -> None:
    async with (
        cloud_at(tmp_path) as (_, url), aiohttp.ClientSession() as session, session.get(f"{url}/metrics") as response,
    ):  # fmt: skip
        assert response.status == 200
        assert "gatepost_cloud_links 0.0" in await response.text()
