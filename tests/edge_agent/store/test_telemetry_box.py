"""Which telemetry the cloud has, in a few stretches."""

from itertools import pairwise
from pathlib import Path

from hypothesis import given
from hypothesis import strategies as st

from edge_agent.store.telemetry_box import together
from tests.edge_agent.store.facts import meter, opened, writing


async def test_what_is_missing_lies_between_what_was_acknowledged(tmp_path: Path) -> None:
    async with opened(tmp_path) as store:
        await store.journal.write(writing(*(meter(f"v{n}") for n in range(10))))
        box = store.uplink._telemetry
        assert box.missing(10) == ((0, 10),)
        await box.ack([(6, 8)])
        await box.ack([(0, 2)])
        assert box.missing(10) == ((2, 6), (8, 10))
        assert box.missing(4) == ((2, 4),)
        assert [seq for seq, _ in await box.rows(2, 6, 99)] == [3, 4, 5, 6]
        assert [seq for seq, _ in await box.rows(8, None, 1)] == [9]
        await box.ack([(2, 10)])
        assert (box.missing(10), box.acked) == ((), ((0, 10),))
    async with opened(tmp_path) as store:
        assert store.uplink._telemetry.acked == ((0, 10),)


@given(st.lists(st.tuples(st.integers(0, 30), st.integers(0, 30)), max_size=12))
def test_stretches_joined_cover_what_they_covered_apart(stretches: list[tuple[int, int]]) -> None:
    joined = together(stretches)
    covered = {n for after, upto in stretches for n in range(after + 1, upto + 1)}
    assert {n for after, upto in joined for n in range(after + 1, upto + 1)} == covered
    assert all(one[1] < other[0] for one, other in pairwise(joined))
