"""Frames of real stations, replayed through a real session. Start at `replay`.

A case is a JSON file in tests/corpus/: `vendor`, `firmware`, `source` (a public repository and thread, or "made up")
and `note` say where it comes from; `frame` is what the station sends (a JSON value, or the text where it is no JSON),
`bytes` the same in hexadecimal, as a binary frame; `before` are frames sent and answered first. "$TX" stands for the
id of the transaction started before. `expect` is the verdict: `answer` ("result", an error code, "none"), `payload`
that the answer holds, `facts` [kind, fields] that were recorded, `counted` what was put right.
"""

import json
from collections import Counter
from pathlib import Path
from typing import Any

import msgspec

from sitelink.ids import station_key
from tests.doubles.ocpp_box import OcppBox, Socket, until

FOLDER = Path(__file__).parents[1] / "corpus"
IDENTITY = "CP001"
TRANSACTION = "$TX"


def cases(version: str) -> list[Path]:
    return sorted((FOLDER / f"ocpp{version.replace('.', '')}").glob("*.json"))


class Verdict(msgspec.Struct):
    answer: str
    payload: Any
    facts: list[tuple[str, dict[str, Any]]]
    corrections: list[str]


async def replay(box: OcppBox, station: Socket, case: dict[str, Any]) -> Verdict:
    """Send what the case says over an open socket; what came of it."""
    transaction = 0
    for number, frame in enumerate(case.get("before", ())):
        answer = await _sent(station, _filled(frame, transaction), f"b{number}")
        if answer[0] == 3 and isinstance(answer[2], dict):
            transaction = answer[2].get("transactionId", transaction)
    before, counted = len(box.ops()), _counted(box)
    if "bytes" in case:
        await station.send(bytes.fromhex(case["bytes"]))
    else:
        frame = _filled(case["frame"], transaction)
        await station.send(frame if isinstance(frame, str) else json.dumps(frame))
    last = await _answer(box, station, str(case.get("id", "1")), none=case["expect"]["answer"] == "none")
    facts = [(op.kind, msgspec.to_builtins(op.event)) for op in box.ops()[before:]]
    more = _counted(box) - counted
    return Verdict(
        "none" if last is None else "result" if last[0] == 3 else last[2],
        last[2] if last is not None and last[0] == 3 else None,
        facts, sorted(more.elements()),
    )  # fmt: skip


def _counted(box: OcppBox) -> Counter[str]:
    return Counter(box.server.corrections.get(station_key(IDENTITY), Counter()))


def _filled(frame: Any, transaction: int) -> Any:
    if isinstance(frame, str):
        return frame.replace(f'"{TRANSACTION}"', str(transaction))
    return json.loads(json.dumps(frame).replace(f'"{TRANSACTION}"', str(transaction)))


async def _sent(station: Socket, frame: list[Any], id_: str) -> list[Any]:
    await station.send([frame[0], id_, *frame[2:]])
    return await station.answer_to(id_)


async def _answer(box: OcppBox, station: Socket, id_: str, *, none: bool) -> list[Any] | None:
    """The answer; where none is due, a Heartbeat after it must be answered and nothing before."""
    if not none:
        return await station.answer_to(id_)
    handled = box.server.counts["calls_answered"]
    await station.send([2, "after", "Heartbeat", {}])
    answer = await station.receive()
    assert answer[1] == "after", answer
    await until(lambda: box.server.counts["calls_answered"] > handled)
    return None


def holds(found: Any, expected: Any) -> bool:
    """Whether everything that is expected is there; more may be."""
    if isinstance(expected, dict):
        return isinstance(found, dict) and all(key in found and holds(found[key], expected[key]) for key in expected)
    if isinstance(expected, list) and isinstance(found, (list, tuple)):
        return len(found) == len(expected) and all(map(holds, found, expected))
    return bool(found == expected)
