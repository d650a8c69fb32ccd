"""What real stations send, replayed through a real session: the verdict, the facts, and what was counted."""

import json
from collections import Counter
from pathlib import Path
from typing import Any

import pytest

from tests.doubles.corpus import FOLDER, IDENTITY, cases, holds, replay
from tests.doubles.ocpp_box import Socket, ocpp_box

VERSIONS = ("1.6", "2.0.1", "2.1")
FILES = [(version, file) for version in VERSIONS for file in cases(version)]


@pytest.mark.parametrize(("version", "file"), FILES, ids=[f"{version}-{file.stem}" for version, file in FILES])
async def test_what_real_stations_send(version: str, file: Path) -> None:
    case = json.loads(file.read_text("utf-8"))
    expect = case["expect"]
    async with ocpp_box() as box, box.station(IDENTITY, offer=[f"ocpp{version}"]) as station:
        if case.get("boot", True) is not None:
            await boot(station, version, case.get("boot", {}))
        verdict = await replay(box, station, case)
    assert verdict.answer == expect["answer"]
    if "payload" in expect:
        assert holds(verdict.payload, expect["payload"]), verdict.payload
    for kind, fields in expect.get("facts", ()):
        assert any(kind == each and holds(found, fields) for each, found in verdict.facts), (kind, verdict.facts)
    assert not set(expect.get("no_facts", ())) & {kind for kind, _ in verdict.facts}
    if "counted" in expect:
        assert verdict.corrections == expect["counted"]
    elif "corrections" in expect:
        action = case["frame"][2]
        own = [each for each in verdict.corrections if each.startswith(f"{action} ")]
        assert own == sorted(f"{action} {each}" for each in expect["corrections"])


async def boot(station: Socket, version: str, said: dict[str, Any]) -> None:
    if version == "1.6":
        assert await station.boot(**said) == "Accepted"
        return
    kind = {"vendorName": "Acme", "model": "Post 2", "serialNumber": "SN-1", **said}
    answer = await station.call("BootNotification", {"reason": "PowerUp", "chargingStation": kind})
    assert answer[2]["status"] == "Accepted"


def test_each_says_where_it_comes_from() -> None:
    for _, file in FILES:
        case = json.loads(file.read_text("utf-8"))
        for key in ("vendor", "firmware", "source", "note"):
            assert isinstance(case[key], str), file
            assert case[key].strip(), file


def test_there_are_enough_of_them_and_no_two_are_the_same() -> None:
    frames = Counter(
        json.dumps([version, case.get("boot"), case.get("before"), case.get("frame"), case.get("bytes")])
        for version, case in ((version, json.loads(file.read_text("utf-8"))) for version, file in FILES)
    )
    assert frames.most_common(1)[0][1] == 1, frames.most_common(1)
    sources = [json.loads(file.read_text("utf-8"))["source"] for _, file in FILES]
    assert sum(not source.startswith("made up") for source in sources) >= 60, "of the field, with where it was reported"


def test_no_file_is_left_out() -> None:
    assert {file for _, file in FILES} == set(FOLDER.glob("ocpp*/*.json"))
