"""A dump of a meter's registers, answering as the meter would. Start at `answering`."""

import json
from collections.abc import Callable
from pathlib import Path
from typing import Any

from edge_agent.meters.identify import Answer, Read

CORPUS = Path("tests/corpus/meters")


def dump_of(id_: str) -> dict[str, Any]:
    found: dict[str, Any] = json.loads((CORPUS / f"{id_}.json").read_text("utf-8"))
    return found


def registers_of(dump: dict[str, Any]) -> dict[int, dict[int, int]]:
    """By function and address."""
    found: dict[int, dict[int, int]] = {3: {}, 4: {}}
    for function, area in ((3, "holding"), (4, "input")):
        for at, words in dump.get(area, {}).items():
            for number in range(0, len(words), 4):
                found[function][int(at, 16) + number // 4] = int(words[number : number + 4], 16)
    return found


def answering(dump: dict[str, Any]) -> Callable[[Read], Answer]:
    registers = registers_of(dump)

    def answer(read: Read) -> Answer:
        if read.function == 43:
            names = dump.get("device")
            return (names[0], names[1]) if names else None
        area = registers[read.function]
        wanted = range(read.at, read.at + read.count)
        return [area[at] for at in wanted] if all(at in area for at in wanted) else None

    return answer


def run(steps: Any, answer: Callable[[Read], Answer]) -> Any:
    """What a generator of reads comes to."""
    try:
        read = next(steps)
        while True:
            read = steps.send(answer(read))
    except StopIteration as done:
        return done.value
