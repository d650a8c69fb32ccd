"""Which numbers of a sequence have come, as a few ranges. Pure. Start at `with_number`."""

Ranges = tuple[tuple[int, int], ...]
"""Sorted, apart by at least one missing number, both ends included."""

RANGES_MAX = 64
"""A sequence with more holes is no sequence: its lowest ranges are joined then, so that it stays bounded."""


def with_number(ranges: Ranges, number: int) -> Ranges:
    """`ranges` with `number` in it; the same object when it was there already."""
    if ranges and ranges[-1][1] + 1 == number:  # the usual case: the next one
        return (*ranges[:-1], (ranges[-1][0], number))
    if has(ranges, number):
        return ranges
    joined: list[tuple[int, int]] = []
    for low, high in sorted((*ranges, (number, number))):
        if joined and low <= joined[-1][1] + 1:
            joined[-1] = (joined[-1][0], max(joined[-1][1], high))
        else:
            joined.append((low, high))
    if len(joined) > RANGES_MAX:
        joined[:2] = [(joined[0][0], joined[1][1])]
    return tuple(joined)


def has(ranges: Ranges, number: int) -> bool:
    return any(low <= number <= high for low, high in ranges)


def missing(ranges: Ranges, last: int) -> int:
    """How many numbers from 0 (or from the first that came, where that is lower) up to `last` have not come."""
    first = min(0, ranges[0][0]) if ranges else 0
    come = sum(min(high, last) - low + 1 for low, high in ranges if low <= last)
    return max(0, last - first + 1 - come)
