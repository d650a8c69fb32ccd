"""What registers say: words on the wire to a number or a text, by type, order of words, scale and marks of absence.

Pure. Addresses are 0-based as on the wire. Start at `decode`. Source: METERS §6.1.
"""

import math
import struct
from collections.abc import Sequence
from typing import Literal

import msgspec

Type = Literal["u16", "s16", "u32", "s32", "u64", "s64", "f32", "f64", "t5", "t6", "text"]
Words = Literal["high_first", "low_first"]
Mark = Literal["ones", "largest", "smallest", "zero"]
"""How a meter says that it has no such value: all ones, the largest or smallest signed number, zero."""

REGISTERS = {
    "u16": 1, "s16": 1, "u32": 2, "s32": 2, "u64": 4, "s64": 4, "f32": 2, "f64": 4, "t5": 2, "t6": 2,
}  # fmt: skip
"""How many registers a value of a type takes; a text says so itself."""
DIGITS = {"f32": 7, "t5": 8, "t6": 8}
"""How many a value of a type has, where it is less than a double's."""
EXPONENTS = range(-10, 11)
"""Of scale factors that can be meant."""


class Field(msgspec.Struct, frozen=True, kw_only=True, forbid_unknown_fields=True):
    """Where a value stands. `scale_at`: a register that holds the power of ten it is to be multiplied with too."""

    at: int
    type: Type
    words: Words = "high_first"
    registers: int = 0
    """Of a text."""
    scale: float = 1
    scale_at: int | None = None
    absent: tuple[Mark, ...] = ()

    @property
    def count(self) -> int:
        return self.registers or REGISTERS[self.type]

    @property
    def end(self) -> int:
        """The first address behind it."""
        return self.at + self.count


def decode(words: Sequence[int], field: Field, exponent: int | None = None) -> float | str | None:
    """The value of a field's registers, scaled. None: the meter has none. Raises ValueError for too few registers.

    `exponent`: what stands at `scale_at`, as an unsigned word.
    """
    if len(words) != field.count:
        raise ValueError(f"{len(words)} registers for {field.type}, not {field.count}")
    if field.type == "text":
        return _text(words)
    raw = _raw(words, field)
    if raw is None:
        return None
    scale = field.scale
    if field.scale_at is not None:
        if exponent is None or (power := _signed(exponent, 16)) not in EXPONENTS:
            return None
        scale *= 10.0**power
    return raw if scale == 1 else _tidy(raw * scale, DIGITS.get(field.type, 13))


def _raw(words: Sequence[int], field: Field) -> float | None:
    data = struct.pack(f">{len(words)}H", *(words if field.words == "high_first" else reversed(words)))
    if field.type in ("f32", "f64"):
        (value,) = struct.unpack(">f" if field.type == "f32" else ">d", data)
        return _tidy(value, DIGITS.get(field.type, 13)) if math.isfinite(value) else None
    number, bits = int.from_bytes(data, "big"), 8 * len(data)
    if field.type in ("t5", "t6"):
        return _measured(number, signed=field.type == "t6")
    marks = {"ones": 2**bits - 1, "largest": 2 ** (bits - 1) - 1, "smallest": 2 ** (bits - 1), "zero": 0}
    if any(number == marks[mark] for mark in field.absent):
        return None
    return _signed(number, bits) if field.type[0] == "s" else number


def _measured(number: int, *, signed: bool) -> float | None:
    """Eight bits of a power of ten, 24 of a number."""
    power, mantissa = _signed(number >> 24, 8), number & 0xFFFFFF
    if power not in EXPONENTS:
        return None
    return _tidy((_signed(mantissa, 24) if signed else mantissa) * 10.0**power, DIGITS["t5"])


def _signed(number: int, bits: int) -> int:
    return number - 2**bits if number >= 2 ** (bits - 1) else number


def _tidy(value: float, digits: int) -> float:
    """Without digits that the registers do not have: 2301 x 0.1 is 230.1."""
    return float(f"{value:.{digits}g}")


def _text(words: Sequence[int]) -> str | None:
    data = struct.pack(f">{len(words)}H", *words)
    text = "".join(chr(byte) for byte in data if 32 <= byte < 127).strip()
    return text or None
