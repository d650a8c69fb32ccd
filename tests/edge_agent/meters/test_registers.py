"""Words to values: every type, both orders, scales, marks of absence."""

import struct

import pytest
from hypothesis import given
from hypothesis import strategies as st

from edge_agent.meters.registers import REGISTERS, Field, decode


@pytest.mark.parametrize(
    ("type_", "words", "value"),
    [
        ("u16", [0xFFFF], 65535), ("s16", [0xFFFF], -1), ("u32", [1, 2], 65538), ("s32", [0xFFFF, 0xFFFE], -2),
        ("u64", [0, 0, 1, 0], 65536), ("s64", [0xFFFF, 0xFFFF, 0xFFFF, 0xFF9C], -100), ("f32", [0x4366, 0x8000], 230.5),
        ("f64", [0x406C, 0xC000, 0, 0], 230.0), ("t5", [0xFE00, 0x59D8], 230.0), ("t6", [0x00FF, 0xFF9C], -100.0),
        ("t6", [0xFFFF, 0xFF9C], -10.0),
    ],
)  # fmt: skip
def test_every_type(type_, words, value) -> None:
    assert decode(words, Field(at=0, type=type_)) == pytest.approx(value)
    assert decode(words[::-1], Field(at=0, type=type_, words="low_first")) == pytest.approx(value)
    assert len(words) == REGISTERS[type_]


def test_scales_leave_no_dust() -> None:
    assert decode([2301], Field(at=0, type="u16", scale=0.1)) == 230.1
    assert decode([0, 4200], Field(at=0, type="u32", scale=1000)) == 4_200_000
    (high, low) = struct.unpack(">HH", struct.pack(">f", 4.2))
    assert decode([high, low], Field(at=0, type="f32", scale=1000)) == 4200.0


def test_powers_of_ten_stand_elsewhere() -> None:
    field = Field(at=0, type="s16", scale_at=9)
    assert decode([2301], field, 0xFFFF) == 230.1
    assert decode([23], field, 1) == 230
    assert decode([23], field, 0x8000) is None, "a scale factor that is not there"
    assert decode([23], field) is None


@pytest.mark.parametrize(
    ("type_", "words", "marks"),
    [
        ("u32", [0xFFFF, 0xFFFF], ("ones",)), ("s32", [0x7FFF, 0xFFFF], ("largest",)), ("s16", [0x8000], ("smallest",)),
        ("u32", [0, 0], ("zero",)), ("f32", [0x7FC0, 0], ()), ("f32", [0x7F80, 0], ()), ("t5", [0x7F00, 1], ()),
    ],
)  # fmt: skip
def test_what_a_meter_has_not_is_no_value(type_, words, marks) -> None:
    assert decode(words, Field(at=0, type=type_, absent=marks)) is None


def test_marks_are_values_where_they_mean_nothing() -> None:
    assert decode([0xFFFF], Field(at=0, type="s16")) == -1
    assert decode([0, 0], Field(at=0, type="u32")) == 0


def test_texts_are_what_can_be_read_of_them() -> None:
    field = Field(at=0, type="text", registers=4)
    assert decode([0x534F, 0x434F, 0, 0x2020], field) == "SOCO"
    assert decode([0, 0, 0, 0], field) is None


def test_too_few_registers_are_an_error() -> None:
    with pytest.raises(ValueError, match="1 registers for u32, not 2"):
        decode([1], Field(at=0, type="u32"))


@given(st.sampled_from(sorted(REGISTERS)), st.data())
def test_no_registers_break_it(type_, data) -> None:
    words = data.draw(st.lists(st.integers(0, 0xFFFF), min_size=REGISTERS[type_], max_size=REGISTERS[type_]))
    value = decode(words, Field(at=0, type=type_, scale=0.001))
    assert value is None or isinstance(value, int | float)
