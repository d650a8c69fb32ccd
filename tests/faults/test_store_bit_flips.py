"""D7: one bit flips in the database, anywhere. No wrong value is ever served, and the box starts."""

import random
import shutil
from contextlib import suppress
from pathlib import Path

from edge_agent.store.database import DATABASE
from sitelink.errors import StoreUnavailable
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

FLIPS = 400
SEED = 7


async def test_no_wrong_value_is_served_after_any_flip(tmp_path: Path) -> None:
    chance = random.Random(SEED)
    good = tmp_path / "good"
    async with opened(good) as store:
        write = store.journal.write
        await write(writing(job(rows=3), connected(), status(), requested("c1"), knock("k1")))
        for number in range(6):
            id_ = await write(start(f"s{number}"))
            await write(stop(id_, f"t{number}"))
            await write(writing(meter(f"m{number}"), note(f"note {number}")))
        await write(start("open"))
        await write(writing(completed("done-1")))
        state = contents(store.journal.state, readings=False)
        log = dict(await store.history.bodies(0, 1000))
        past = {each.id: each for each in await store.history.transactions(CP001)}
    size = (good / DATABASE).stat().st_size
    noticed = 0
    for flip in range(FLIPS):
        bad = tmp_path / "bad"
        shutil.copytree(good, bad)
        at, bit = chance.randrange(size), chance.randrange(8)
        with (bad / DATABASE).open("r+b") as file:
            file.seek(at)
            (byte,) = file.read(1)
            file.seek(at)
            file.write(bytes([byte ^ 1 << bit]))
        where = f"flip {flip}: byte {at}, bit {bit}"
        async with opened(bad) as store:
            found = contents(store.journal.state, readings=False)
            for place in ("jobs", "charge_points", "stations", "transactions", "knocks", "commands"):
                for key, record in found[place].items():
                    assert state[place].get(key, past.get(key)) == record, where
                assert set(found[place]) >= set(state[place]), where
            bodies = await store.history.bodies(0, 1000)
            for seq, body in bodies:
                assert log[seq] == body, where
            assert len(bodies) > len(log) / 2, where
            for each in await store.history.transactions(CP001):
                assert past[each.id] == each, where
            noticed += store.salvaged is not None or store.journal.failure.done()
            with suppress(StoreUnavailable):  # the damage was just found: refused until the next start
                assert await store.journal.write(start("new")) > max(past), where
        shutil.rmtree(bad)
    assert noticed > FLIPS / 10, "hardly any flip was noticed: nothing was tested"
