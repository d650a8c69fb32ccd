"""D7: one bit flips in the database, anywhere. No wrong value is ever served, and the box starts."""

import random
import shutil
from pathlib import Path
from typing import Any

from edge_agent.store.database import DATABASE
from edge_agent.store.store import Store
from sitelink.errors import StoreUnavailable
from sitelink.ids import TransactionId
from sitelink.model import Transaction
from tests.edge_agent.store.facts import (
    CP001,
    completed,
    connected,
    contents,
    job,
    knock,
    meter,
    note,
    opened,
    requested,
    start,
    status,
    stop,
    writing,
)

FLIPS = 300
SEED = 7
STARTS = 2
"""Damage that only a read finds ends the process; the next start mends it."""


class Written:
    """What the sound store said."""

    def __init__(self, state: dict[str, Any], log: dict[int, bytes], past: dict[TransactionId, Transaction]) -> None:
        self.state = state
        self.log = log
        self.past = past

    async def serves_only_this(self, store: Store, where: str) -> bool:
        """False: it refused to say, because the damage was just found."""
        found = contents(store.journal.state, readings=False)
        for place in ("jobs", "charge_points", "stations", "transactions", "knocks", "commands"):
            for key, record in found[place].items():
                assert self.state[place].get(key, self.past.get(key)) == record, where
            assert set(found[place]) >= set(self.state[place]), where
        try:
            bodies = await store.history.bodies(0, 1000)
            transactions = await store.history.transactions(CP001)
            new = await store.journal.write(start("new"))
        except StoreUnavailable:
            return False
        for seq, body in bodies:
            assert self.log[seq] == body, where
        assert len(bodies) > len(self.log) / 2, where
        for each in transactions:
            assert self.past[each.id] == each, where
        assert new > max(self.past), where
        return True


async def write_some(data_dir: Path) -> Written:
    async with opened(data_dir) as store:
        write = store.journal.write
        await write(writing(job(rows=3), connected(), status(), requested("c1"), knock("k1")))
        for number in range(6):
            id_ = await write(start(f"s{number}"))
            await write(stop(id_, f"t{number}"))
            await write(writing(meter(f"m{number}"), note(f"note {number}")))
        await write(start("open"))
        await write(writing(completed("done-1")))
        return Written(
            contents(store.journal.state, readings=False),
            dict(await store.history.bodies(0, 1000)),
            {each.id: each for each in await store.history.transactions(CP001)},
        )


def flip(file: Path, at: int, bit: int) -> None:
    with file.open("r+b") as opened_file:
        opened_file.seek(at)
        (byte,) = opened_file.read(1)
        opened_file.seek(at)
        opened_file.write(bytes([byte ^ 1 << bit]))


async def test_no_wrong_value_is_served_after_any_flip(tmp_path: Path) -> None:
    chance = random.Random(SEED)
    written = await write_some(tmp_path / "good")
    size = (tmp_path / "good" / DATABASE).stat().st_size
    noticed = 0
    for number in range(FLIPS):
        bad = tmp_path / "bad"
        shutil.copytree(tmp_path / "good", bad)
        at, bit = chance.randrange(size), chance.randrange(8)
        flip(bad / DATABASE, at, bit)
        for _ in range(STARTS):
            async with opened(bad) as store:
                served = await written.serves_only_this(store, f"seed {SEED}, flip {number}: byte {at}, bit {bit}")
                noticed += store.salvaged is not None
            if served:
                break
        assert served, f"still refused: byte {at}, bit {bit}"
        shutil.rmtree(bad)
    assert noticed > FLIPS / 10, "hardly any flip was noticed: nothing was tested"
