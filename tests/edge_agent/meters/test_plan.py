"""What is asked for at once."""

import pytest
from hypothesis import given
from hypothesis import strategies as st

from edge_agent.meters.plan import GAP_MAX, Block, blocks, values_of
from edge_agent.meters.profiles import bundled


def test_requests_are_as_few_as_gaps_and_limits_allow() -> None:
    found = blocks(bundled()["eastron-sdm630"])
    assert [(block.at, block.count, block.optional) for block in found] == [
        (0, 18, False), (0x34, 2, False), (0x46, 6, False), (0x15A, 12, True),
    ]  # fmt: skip
    assert [(block.at, block.count) for block in blocks(bundled()["eastron-sdm72d-m-v2"])][:2] == [(0, 10), (10, 8)]


def test_one_that_wants_each_value_from_its_first_register_gets_that() -> None:
    profile = bundled()["siemens-pac2200"]
    asked = {(block.at, block.count) for block in blocks(profile)}
    assert asked == {(row.at, row.count) for row in profile.keyed.values()}


@given(st.sampled_from(sorted(bundled())), st.integers(0, 1000))
def test_a_value_comes_whole_within_one_request_and_no_request_is_too_long(id_: str, base: int) -> None:
    profile = bundled()[id_]
    found = blocks(profile, base=base)
    assert all(1 <= block.count <= profile.registers_max for block in found)
    for key, row in profile.keyed.items():
        assert any(block.holds(base + row.at, row.count) and key in block.keys for block in found), key
    required = [key for key, row in profile.keyed.items() if not row.optional]
    needed = [key for block in found if not block.optional for key in block.keys]
    assert set(required) <= set(needed)


def test_what_is_left_out_is_not_asked_for() -> None:
    profile = bundled()["carlo-gavazzi-em24-din"]
    without = blocks(profile, without=["energy_export_wh.total"])
    assert not any(block.holds(0x5C, 2) for block in without)
    assert len(without) == len(blocks(profile)) - 1


def test_scale_factors_are_read_with_their_values() -> None:
    profile = bundled()["sunspec-meter"]
    found = blocks(profile, base=40069)
    assert found == (Block(3, 40072, 20, found[0].keys), Block(3, 40107, 17, found[1].keys))
    words = {40069 + at: 1 for at in range(60)} | {40069 + 15: 0xFFFF}
    assert values_of(profile, words, base=40069)["voltage_v.l1"] == 0.1


def test_a_gap_too_wide_costs_another_request() -> None:
    profile = bundled()["janitza-umg604"]
    for before, after in zip(blocks(profile), blocks(profile)[1:], strict=False):
        assert after.at - (before.at + before.count) > GAP_MAX


def test_values_whose_registers_were_not_read_are_left_out() -> None:
    profile = bundled()["abb-b23"]
    assert values_of(profile, {}) == {}
    assert values_of(profile, {0x5B00: 0}) == {}
    assert values_of(profile, {0x5B00: 0, 0x5B01: 2312}) == {"voltage_v.l1": pytest.approx(231.2)}
