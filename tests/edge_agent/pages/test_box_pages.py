"""The box's admin pages with script switched off: the list, a charge point, its messages, calls by hand."""

import asyncio
import html
import json
from collections.abc import AsyncIterator
from typing import Any

import pytest
from aiohttp import ClientResponse
from aiohttp.test_utils import TestClient

from sitelink.errors import CallInvalid, CallRefused, NoAnswer, StationOffline
from sitelink.ids import StationKey
from tests.doubles.box_pages import Box, running_box

CP001 = "/admin/charge-points/CP001"


@pytest.fixture
async def box() -> AsyncIterator[Box]:
    async with running_box() as running:
        await running.core.boot("CP001", serial="S-1")
        running.stations.framed("CP001", "in", [2, "a", "Authorize", {"idTag": "04A1B2C3D4"}])
        yield running


@pytest.fixture
async def admin(box: Box) -> TestClient[Any, Any]:
    client = box.client()
    token = await box.core.jobs.new_admin_token("desk")
    await client.post("/admin/open", data={"token": token}, headers={"Origin": box.origin})
    return client


async def submit(box: Box, admin: TestClient[Any, Any], payload: str, action: str = "Reset") -> ClientResponse:
    page = await (await admin.get(f"{CP001}/calls")).text()
    csrf = page.split('name="csrf" value="', 1)[1].split('"', 1)[0]
    data = {"csrf": csrf, "action": action, "payload": payload}
    return await admin.post(f"{CP001}/calls", data=data, headers={"Origin": box.origin}, allow_redirects=False)


async def test_the_list_has_everybody_and_the_waiting_room(box: Box, admin: TestClient[Any, Any]) -> None:
    await box.core.desk.knocked("STRANGER <1>", "192.0.2.7", "unknown_identity", offered=("ocpp2.1",))
    page = await (await admin.get("/admin")).text()
    assert 'href="/admin/charge-points/CP002"' in page
    assert 'href="/admin/charge-points/STRANGER%20%3C1%3E"' in page
    assert "Calling, but not in this job." in page
    answer = await admin.get("/admin/charge-points/STRANGER%20%3C1%3E")
    assert answer.status == 200
    assert "192.0.2.7" in await answer.text()


async def test_a_charge_point_has_the_installers_parts_and_calls_by_hand(box: Box, admin: TestClient[Any, Any]) -> None:
    page = await (await admin.get(CP001)).text()
    for title in (
        "Status",
        "What it is",
        "Connectors",
        "Charges",
        "Put right",
        "Settings",
        "Messages",
        "Calls by hand",
    ):
        assert f">{title}</h2>" in page
    assert "Job 1042, Bay 1" in page
    assert 'href="/admin/charge-points/cp001/calls"' in page


async def test_nobody_knows_such_a_charge_point(admin: TestClient[Any, Any]) -> None:
    answer = await admin.get("/admin/charge-points/NOBODY")
    assert answer.status == 404
    assert 'href="/admin"' in await answer.text()


async def test_messages_and_their_files(box: Box, admin: TestClient[Any, Any]) -> None:
    page = await (await admin.get(f"{CP001}/frames")).text()
    assert "Authorize" in page
    for ending in ("jsonl", "csv"):
        answer = await admin.get(f"{CP001}/frames.{ending}")
        assert answer.headers["Content-Disposition"] == f'attachment; filename="frames-CP001.{ending}"'
        assert "A1B2" not in page + await answer.text()


async def test_the_form_begins_with_an_example_of_the_chosen_call(admin: TestClient[Any, Any]) -> None:
    page = html.unescape(await (await admin.get(f"{CP001}/calls?action=Reset")).text())
    assert '{\n  "type": "Soft"\n}</textarea>' in page
    assert '"enum"' in page, "the schema can be looked at"
    assert "<option selected>Reset</option>" in page
    assert "<option selected>GetConfiguration</option>" in await (await admin.get(f"{CP001}/calls?action=No")).text()


async def test_a_call_goes_out_and_the_answer_is_shown(box: Box, admin: TestClient[Any, Any]) -> None:
    box.stations.result = {"status": "Accepted"}
    answer = await submit(box, admin, '{"type": "Hard"}')
    assert (answer.status, answer.headers["Location"]) == (303, "/admin/charge-points/cp001/calls?action=Reset")
    assert box.stations.calls == [(StationKey("cp001"), "Reset", {"type": "Hard"})]
    box.stations.kept_calls = [
        {"id": 7, "action": "Reset", "payload": {"type": "Hard"}, "at": box.core.clock.now(), "state": "late",
         "answered_at": box.core.clock.now(), "result": {"status": "Accepted"}, "error": None}
    ]  # fmt: skip
    page = html.unescape(await (await admin.get(answer.headers["Location"])).text())
    assert "Answered late." in page
    assert '"status": "Accepted"' in page


async def test_an_error_of_the_station_is_an_answer(box: Box, admin: TestClient[Any, Any]) -> None:
    box.stations.result = CallRefused(identity="CP001", action="Reset", error_code="NotSupported", description="no")
    assert (await submit(box, admin, "{}")).status == 303


@pytest.mark.parametrize(
    ("trouble", "status", "words"),
    [
        (CallInvalid(action="Reset", where="type", problem="'x' is not one of"), 422, "type: 'x' is not one of"),
        (StationOffline(identity="CP001"), 409, "not connected"),
        (NoAnswer(identity="CP001", action="Reset", after_s=30), 504, "No answer within 30 s."),
    ],
)
async def test_what_went_wrong_is_said_and_what_was_typed_stays(
    box: Box, admin: TestClient[Any, Any], trouble: Exception, status: int, words: str
) -> None:
    box.stations.result = trouble
    answer = await submit(box, admin, '{"type": "x"}')
    page = html.unescape(await answer.text())
    assert answer.status == status
    assert words in page
    assert '{"type": "x"}</textarea>' in page


async def test_json_that_is_none_never_leaves(box: Box, admin: TestClient[Any, Any]) -> None:
    answer = await submit(box, admin, '{"type": }')
    page = await answer.text()
    assert answer.status == 400
    assert "line 1, column 10" in page
    assert box.stations.calls == []


async def test_an_installer_cannot_send_calls(box: Box) -> None:
    browser = await box.browser()
    csrf = await browser.csrf()
    for headers in (browser.own, {**browser.own, **box.bearer}):
        answer = await browser.client.post(
            f"{CP001}/calls", data={"csrf": csrf, "action": "Reset", "payload": "{}"}, headers=headers,
            allow_redirects=False,
        )  # fmt: skip
        assert answer.status == 401
    assert box.stations.calls == []


async def test_regions_are_those_of_the_page(box: Box, admin: TestClient[Any, Any]) -> None:
    drawn = await (await admin.get(f"{CP001}/regions?names=state,calls,hand_calls,nonsense")).json()
    assert set(drawn) == {"state", "calls", "hand_calls"}
    assert drawn["state"] in await (await admin.get(CP001)).text()
    assert set(await (await admin.get("/admin/regions?names=stations,x")).json()) == {"stations"}


async def events_of(box: Box, admin: TestClient[Any, Any], path: str, act: Any) -> str:
    answer = await admin.get(path)
    box.streams_read.append(answer)
    act()
    async with asyncio.timeout(10):
        async for line in answer.content:
            if line.startswith(b"event: "):
                return line.decode().strip()
    return ""


async def test_news_of_a_charge_point_are_its_messages(box: Box, admin: TestClient[Any, Any]) -> None:
    heard = await events_of(
        box, admin, f"{CP001}/events", lambda: box.stations.framed("CP001", "in", json.dumps([2, "b", "Heartbeat", {}]))
    )
    assert heard == "event: wire"


async def test_news_end_when_the_token_is_taken_back(box: Box, admin: TestClient[Any, Any]) -> None:
    answer = await admin.get(f"{CP001}/events")
    box.streams_read.append(answer)
    links = box.core.journal.state.links
    for id_ in [id_ for id_, link in links.items() if link.role.value == "admin"]:
        del links[id_]
    async with asyncio.timeout(10):
        await answer.content.read()
