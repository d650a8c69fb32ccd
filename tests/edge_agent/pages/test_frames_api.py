"""Frames for programs: filtered, followed, as files."""

import asyncio
import csv
import io
import json
from collections.abc import AsyncIterator
from typing import Any

import pytest
from aiohttp import ClientResponse

from tests.doubles.box_pages import Box, running_box

FRAMES = "/api/v1/charge-points/CP001/frames"
WAYS = ("", "/events", ".jsonl", ".csv")


@pytest.fixture
async def box() -> AsyncIterator[Box]:
    async with running_box() as running:
        running.stations.framed("CP001", "in", [2, "a", "BootNotification", {"chargePointVendor": "=Acme"}])
        running.stations.framed("CP001", "out", [3, "a", {"status": "Accepted"}])
        running.stations.framed("CP001", "in", [2, "b", "Authorize", {"idTag": "04A1B2C3D4"}])
        running.stations.framed("CP001", "in", "=1+1")
        yield running


@pytest.fixture
async def admin(box: Box) -> dict[str, str]:
    return {"Authorization": f"Bearer {await box.core.jobs.new_admin_token('desk')}"}


async def numbers(box: Box, admin: dict[str, str], query: str) -> list[int]:
    answer = await box.client().get(f"{FRAMES}?{query}", headers=admin)
    assert answer.status == 200, await answer.text()
    return [frame["number"] for frame in await answer.json()]


@pytest.mark.parametrize("way", WAYS)
async def test_only_a_token_of_the_box_opens_them(box: Box, way: str) -> None:
    browser = await box.browser()
    assert (await browser.get(FRAMES + way)).status == 401
    assert (await box.client().get(FRAMES + way, headers=box.bearer)).status == 401


async def test_frames_with_what_they_answer(box: Box, admin: dict[str, str]) -> None:
    found = await (await box.client().get(FRAMES, headers=admin)).json()
    assert [each["number"] for each in found] == [1, 2, 3, 4]
    answer = found[1]
    assert (answer["direction"], answer["type"], answer["action"]) == ("out", "result", "BootNotification")
    assert (answer["duration_ms"], answer["frame"]) == (0, [3, "a", {"status": "Accepted"}])
    assert found[2]["frame"][3] == {"idTag": "04***4"}
    assert (found[3]["type"], found[3]["error"]) == ("unreadable", True)


@pytest.mark.parametrize(
    ("query", "expected"),
    [
        ("direction=in", [1, 3, 4]), ("action=bootnotification", [1, 2]), ("message_id=a", [1, 2]),
        ("errors=true", [4]), ("text=acme", [1]), ("limit=1", [4]), ("after=2", [3, 4]),
        ("since=2999-01-01T00:00:00Z", []), ("action=", [1, 2, 3, 4]),
    ],
)  # fmt: skip
async def test_they_can_be_narrowed(box: Box, admin: dict[str, str], query: str, expected: list[int]) -> None:
    assert await numbers(box, admin, query) == expected


@pytest.mark.parametrize("query", ["direction=up", "errors=maybe", "limit=0", "limit=x", "since=yesterday", "after=-1"])
async def test_a_wrong_filter_is_told(box: Box, admin: dict[str, str], query: str) -> None:
    answer = await box.client().get(f"{FRAMES}?{query}", headers=admin)
    error = await answer.json()
    assert (answer.status, error["code"], error["where"]) == (400, "request_invalid", query.partition("=")[0])


async def test_nobody_knows_such_a_charge_point(box: Box, admin: dict[str, str]) -> None:
    assert (await box.client().get(FRAMES.replace("CP001", "NOBODY"), headers=admin)).status == 404


async def test_of_a_caller_in_the_waiting_room_too(box: Box, admin: dict[str, str]) -> None:
    await box.core.desk.knocked("STRANGER", "192.0.2.7", "unknown_identity")
    box.stations.framed("STRANGER", "in", [2, "1", "BootNotification", {}])
    answer = await box.client().get(FRAMES.replace("CP001", "STRANGER"), headers=admin)
    assert [each["action"] for each in await answer.json()] == ["BootNotification"]


async def test_as_json_lines(box: Box, admin: dict[str, str]) -> None:
    answer = await box.client().get(f"{FRAMES}.jsonl?direction=in", headers=admin)
    assert answer.headers["Content-Disposition"] == 'attachment; filename="frames-CP001.jsonl"'
    lines = [json.loads(line) for line in (await answer.text()).splitlines()]
    assert [line["number"] for line in lines] == [1, 3, 4]
    assert "A1B2" not in await answer.text()


async def test_as_a_table_that_runs_nothing(box: Box, admin: dict[str, str]) -> None:
    answer = await box.client().get(f"{FRAMES}.csv", headers=admin)
    text = (await answer.read()).decode("utf-8-sig")
    rows = list(csv.DictReader(io.StringIO(text)))
    assert [row["action"] for row in rows] == ["BootNotification", "BootNotification", "Authorize", ""]
    assert rows[3]["frame"] == "'=1+1"
    assert "A1B2" not in text


async def events(answer: ClientResponse, count: int) -> list[dict[str, Any]]:
    found: list[dict[str, Any]] = []
    async with asyncio.timeout(10):
        async for line in answer.content:
            if line.startswith(b"data: "):
                found.append(json.loads(line[6:]))
                if len(found) == count:
                    break
    return found


async def test_they_can_be_followed(box: Box, admin: dict[str, str]) -> None:
    answer = await box.client().get(f"{FRAMES}/events?action=Heartbeat", headers=admin)
    box.streams_read.append(answer)
    assert answer.content_type == "text/event-stream"
    box.stations.framed("CP001", "in", [2, "c", "Heartbeat", {}])
    box.stations.framed("CP001", "in", [2, "d", "MeterValues", {}])
    box.stations.framed("CP001", "out", [3, "c", {"currentTime": "2026-11-25T10:00:00Z"}])
    assert [(each["number"], each["type"]) for each in await events(answer, 2)] == [(5, "call"), (7, "result")]


async def test_who_comes_back_hears_what_came_meanwhile(box: Box, admin: dict[str, str]) -> None:
    answer = await box.client().get(f"{FRAMES}/events", headers={**admin, "Last-Event-ID": "2"})
    box.streams_read.append(answer)
    assert [each["number"] for each in await events(answer, 2)] == [3, 4]
