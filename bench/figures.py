"""How results are told: each figure beside its floor and its goal, medians of interleaved rounds.

Start at `Result`. Goals and floors are those of the release; one below its floor is a finding, no failure.
"""

from collections.abc import Iterable, Sequence
from dataclasses import dataclass
from statistics import median

__all__ = ["Result", "line_of", "median", "table"]


@dataclass(frozen=True)
class Result:
    """`value` against `floor` and `goal` in `unit`; `detail` says what it was made of."""

    id: str
    what: str
    value: float | None
    unit: str
    floor: float
    goal: float
    detail: str = ""
    smaller_is_better: bool = False

    @property
    def verdict(self) -> str:
        if self.value is None:
            return "not measured"
        reached = [self.value <= bound if self.smaller_is_better else self.value >= bound
                   for bound in (self.floor, self.goal)]  # fmt: skip
        return "goal" if reached[1] else "floor" if reached[0] else "BELOW FLOOR"


def line_of(result: Result) -> str:
    value = "–" if result.value is None else f"{result.value:.3g}"
    sign = "≤" if result.smaller_is_better else "≥"
    return (
        f"{result.id:4} {value:>8} {result.unit:7} floor {sign} {result.floor:<7.3g} goal {sign} {result.goal:<7.3g} "
        f"{result.verdict:13} {result.what}" + (f"  [{result.detail}]" if result.detail else "")
    )


def table(results: Iterable[Result]) -> str:
    """For docs/performance.md."""
    rows = ["| # | what | found | floor | goal | verdict | made of |", "|---|---|---|---|---|---|---|"]
    for each in results:
        value = "not measured" if each.value is None else f"{each.value:.3g} {each.unit}".strip()
        sign = "≤" if each.smaller_is_better else "≥"
        bounds = f"{sign} {each.floor:.3g} | {sign} {each.goal:.3g}"
        rows.append(f"| {each.id} | {each.what} | {value} | {bounds} | {each.verdict} | {each.detail} |")
    return "\n".join(rows)


def ratio(reference: Sequence[float], ours: Sequence[float]) -> float:
    """Median of the rounds' own ratios: what disturbed a round disturbed both of its halves."""
    return median(a / b for a, b in zip(reference, ours, strict=True))
