from collections.abc import AsyncIterator

import pytest

from edge_agent.pages.app import PageSettings
from edge_agent.site.ports import Trouble
from tests.doubles.box_pages import Box, running_box


@pytest.fixture
async def box() -> AsyncIterator[Box]:
    async with running_box() as running:
        yield running


async def test_health_says_only_whether_the_box_can_save(box: Box) -> None:
    client = box.client()
    well = await client.get("/healthz")
    assert (well.status, await well.json()) == (200, {"status": "ok"})
    box.core.journal.fail(Trouble("read_only", box.core.clock.now()))
    ill = await client.get("/healthz")
    assert (ill.status, await ill.json()) == (503, {"status": "read_only"})


async def test_metrics_are_prometheus_text(box: Box) -> None:
    answer = await box.client().get("/metrics")
    assert answer.status == 200
    assert answer.headers["Content-Type"].startswith("text/plain; version=")
    assert "gatepost_http_live_pages 0.0" in await answer.text()


async def test_metrics_can_be_switched_off() -> None:
    async with running_box(settings=PageSettings(metrics=False)) as box:
        assert (await box.client().get("/metrics")).status == 404
        assert "/metrics" not in await (await box.client().get("/openapi.json")).text()


@pytest.mark.parametrize("host", ["box.example", "box.example:8080", "garage.example", "gate-7f3a"])
async def test_the_names_of_the_settings_are_answered(host: str) -> None:
    settings = PageSettings(hosts=("box.example",), public_url="http://garage.example:8080/")
    async with running_box(settings=settings) as box:
        assert (await box.client().get("/healthz", headers={"Host": host})).status == 200
        assert (await box.client().get("/healthz", headers={"Host": "other.example"})).status == 421


async def test_the_sites_certificate_is_given_to_everybody_where_there_is_one() -> None:
    async with running_box() as box:
        assert (await box.client().get("/ca.pem")).status == 404
    async with running_box(site_root=b"-----BEGIN CERTIFICATE-----\n") as box:
        answer = await box.client().get("/ca.pem")
        assert (answer.status, await answer.read()) == (200, b"-----BEGIN CERTIFICATE-----\n")
        assert answer.headers["Content-Disposition"] == 'attachment; filename="gatepost-site-ca.pem"'
