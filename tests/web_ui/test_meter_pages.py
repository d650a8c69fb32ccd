"""Meters over HTTP with script off, and by the job's API: listed, added, changed, taken off."""

import re
from collections.abc import AsyncIterator
from typing import Any

import pytest

from edge_agent.site.ports import MeterPoll
from sitelink.states import LinkRole
from tests.doubles.box_pages import Box, Browser, running_box

FORM = {
    "name": "Main / 1",
    "profile": "eastron-sdm630",
    "transport": "tcp://192.168.1.20",
    "unit_id": "3",
    "ratio": "40",
}
API = "/api/v1/job/meters"
MAIN = {"name": "Main", "profile": "abb-b23", "transport": "rtu:///dev/ttyUSB0?speed=19200"}


@pytest.fixture
async def box() -> AsyncIterator[Box]:
    async with running_box() as running:
        yield running


@pytest.fixture
async def browser(box: Box) -> Browser:
    return await box.browser()


async def ask(box: Box, method: str, path: str, body: Any = None) -> tuple[int, Any]:
    async with box.client().request(method, path, json=body, headers=box.bearer) as response:
        return response.status, await response.json() if response.content_type == "application/json" else None


async def test_a_meter_is_added_changed_and_taken_off_without_script(browser: Browser) -> None:
    page = await (await browser.get("/j")).text()
    assert 'href="/j/meters"' in page
    done = await browser.submit("/j/meters", FORM)
    assert done.headers["Location"] == "/j/meters?saved=meter_added"
    page = await (await browser.get("/j/meters?saved=meter_added")).text()
    assert "The meter is added." in page
    assert 'href="/j/meters/Main%20%2F%201"' in page
    one = await (await browser.get("/j/meters/Main%20%2F%201")).text()
    assert re.search(r'name="ratio" value="40"', one)
    done = await browser.submit("/j/meters/Main%20%2F%201", {**FORM, "name": "Yard", "reversed": "1", "ratio": "1,5"})
    assert done.headers["Location"] == "/j/meters/Yard?saved=saved"
    one = await (await browser.get("/j/meters/Yard")).text()
    assert 'value="1.5"' in one
    assert 'name="reversed" value="1" checked' in one
    done = await browser.submit("/j/meters/Yard/removal", {})
    assert done.headers["Location"] == "/j/meters?saved=meter_removed"
    assert (await browser.get("/j/meters/Yard")).status == 404


@pytest.mark.parametrize(
    ("field", "typed"),
    [("name", " "), ("transport", "tcp://8.8.8.8"), ("unit_id", "300"), ("unit_id", "x"), ("ratio", "many"),
     ("ratio", "0"), ("unit_id", "1.0"), ("ratio", "nan")],
)  # fmt: skip
async def test_what_cannot_be_is_said_at_its_field_and_nothing_typed_is_lost(
    browser: Browser, field: str, typed: str
) -> None:
    answer = await browser.submit("/j/meters", {**FORM, field: typed})
    page = await answer.text()
    assert answer.status == 422
    assert f'aria-describedby="e-{field}"' in page
    assert 'value="tcp://192.168.1.20"' in page or field == "transport"
    assert (await (await browser.get("/j/meters")).text()).count('<article class="meter"') == 0


async def test_a_page_of_a_meter_is_drawn_anew_in_parts(box: Box, browser: Browser) -> None:
    await ask(box, "POST", API, MAIN)
    parts = await (await browser.get("/j/meters/Main/regions?names=meter,other")).json()
    assert list(parts) == ["meter"]
    assert "It was not asked yet." in parts["meter"]


async def test_the_api_does_the_same(box: Box) -> None:
    status, made = await ask(box, "POST", API, MAIN)
    assert status == 201
    assert (made["name"], made["unit_id"], made["state"], made["ratio"]) == ("Main", 1, "not_read", 1.0)
    assert (await ask(box, "POST", API, MAIN))[1]["code"] == "meter_exists"
    status, changed = await ask(box, "PATCH", f"{API}/Main", {"unit_id": 9, "reversed": True})
    assert (status, changed["unit_id"], changed["reversed"], changed["profile"]) == (200, 9, True, "abb-b23")
    assert (await ask(box, "PATCH", f"{API}/Main", {"transport": "ftp://x"}))[0] == 422
    assert (await ask(box, "GET", f"{API}/Main"))[1] == changed
    assert (await ask(box, "GET", API))[1] == [changed]
    assert (await ask(box, "DELETE", f"{API}/Main"))[0] == 204
    for method, body in (("GET", None), ("PATCH", {"unit_id": 1}), ("DELETE", None)):
        assert (await ask(box, method, f"{API}/Main", body))[0] == 404


async def test_who_may_only_read_changes_no_meter(box: Box) -> None:
    token = await box.core.jobs.new_link(box.core.job().id, LinkRole.READ)
    async with box.client().post(API, json=MAIN, headers={"Authorization": f"Bearer {token}"}) as response:
        assert response.status == 403


async def test_models_are_chosen_by_name_where_they_are_known(box: Box, browser: Browser) -> None:
    core = box.core
    core.meters.models = {"abb-b23": "ABB B23 <b>"}
    await ask(box, "POST", API, MAIN)
    page = await (await browser.get("/j/meters/Main")).text()
    assert '<option value="abb-b23" selected>ABB B23 &lt;b&gt;</option>' in page
    core.meters.take(MeterPoll(meter=(core.job().id, "Main"), values={"power_w.total": -1500.0, "power_w.l1": -1500.0}))
    page = await (await browser.get("/j")).text()
    assert "ABB B23 &lt;b&gt;" in page
    assert "<td>−1,500</td>" in page


async def test_what_a_meter_said_is_told_and_drawn(box: Box, browser: Browser) -> None:
    core = box.core
    await ask(box, "POST", API, MAIN)
    assert "The last hour" not in await (await browser.get("/j/meters/Main")).text()
    begin_s = int(core.clock.now().timestamp())
    for number in range(3):
        values = {"power_w.total": 1000.0 * number, "voltage_v.l1": 2310.0}
        core.meters.take(MeterPoll(meter=(core.job().id, "Main"), values=values, flags={"voltage_v.l1": "implausible"}))
        core.clock.advance(20)
    status, told = await ask(box, "GET", f"{API}/Main/readings")
    assert (status, told["span"], told["keys"]) == (200, "hour", ["power_w.total"])
    assert told["rows"] == [[begin_s + 20 * n, 1000.0 * n] for n in range(3)], "what cannot be right is not kept"
    assert (await ask(box, "GET", f"{API}/Main/readings?span=week"))[0] == 400
    assert (await ask(box, "GET", f"{API}/Other/readings"))[0] == 404
    assert "The last hour" in await (await browser.get("/j/meters/Main")).text()
    part = await (await browser.get("/j/meters/Main/regions?names=plots")).json()
    assert "1.0 kW on average" in part["plots"]


async def test_how_a_meter_is_wired_is_shown_and_goes_into_the_report(box: Box, browser: Browser) -> None:
    core = box.core
    await ask(box, "POST", API, MAIN)
    assert (await ask(box, "GET", f"{API}/Main/wiring"))[1] == {"now": None, "saved": None}
    assert (await ask(box, "POST", f"{API}/Main/wiring"))[0] == 409
    values = {"power_w.l1": 2000.0, "power_w.l2": -1900.0, "power_w.l3": 2100.0}
    core.meters.take(MeterPoll(meter=(core.job().id, "Main"), values=values))
    page = await (await browser.get("/j/meters/Main")).text()
    assert "L2 flows backwards. Turn the clamp" in page
    part = await (await browser.get("/j/meters/Main/regions?names=wiring")).json()
    assert "L2 flows backwards." in part["wiring"]
    done = await browser.submit("/j/meters/Main/wiring", {})
    assert done.headers["Location"] == "/j/meters/Main?saved=wiring_saved"
    assert "In the report since" in await (await browser.get("/j/meters/Main")).text()
    _, told = await ask(box, "POST", f"{API}/Main/wiring")
    assert told["saved"]["findings"] == told["now"]["findings"]
    assert told["saved"]["findings"][0]["code"] == "backwards"
    _, record = await ask(box, "GET", "/api/v1/job/report")
    assert record["meters"][0]["wiring"]["findings"] == [
        {"code": "backwards", "phase": "l2", "other": "", "factor": 0.0}
    ]
    async with box.client().get("/api/v1/job/report.html", headers=box.bearer) as response:
        assert "L2 flows backwards." in await response.text()
