"""The assembler: any order, any repetition, the same report; and what never comes is counted."""

from typing import Any

from hypothesis import given
from hypothesis import strategies as st

from edge_agent.charge_points.assembler import ITEMS_MAX, PARTS_MAX, REPORTS_MAX, Assembler, Part, Report

contents = st.lists(st.dictionaries(st.text("abc", max_size=3), st.integers(0, 9), max_size=3), min_size=1, max_size=8)


def parts_of(items: list[dict[str, Any]], numbered: bool = True) -> list[Part]:
    last = len(items) - 1
    return [
        Part("inventory", 7, number if numbered else None, number == last, each) for number, each in enumerate(items)
    ]


def fed(parts: list[Part], patience_s: float = 60.0) -> tuple[Assembler, list[Report]]:
    assembler = Assembler(patience_s)
    return assembler, [report for part in parts if (report := assembler.add(part, 0.0)) is not None]


@given(contents, st.randoms(use_true_random=False), st.lists(st.integers(0, 7), max_size=10))
def test_any_order_and_repetition_of_numbered_parts_gives_the_same_report(items, random, again):
    parts = parts_of(items)
    expected: dict[str, Any] = {}
    for each in items:
        expected |= each
    shuffled = [*parts, *(parts[number % len(parts)] for number in again)]
    random.shuffle(shuffled)
    _, reports = fed(shuffled)
    assert reports == [Report("inventory", 7, expected)]


@given(contents, st.lists(st.integers(0, 7), max_size=10))
def test_parts_without_numbers_may_be_repeated(items, again):
    numbered = [{**each, f"part {number}": 1} for number, each in enumerate(items)]
    parts = parts_of(numbered, numbered=False)
    before_last = [*parts[:-1], *(parts[number % (len(parts) - 1)] for number in again if len(parts) > 1)]
    _, reports = fed([*before_last, parts[-1], parts[-1]])
    assert len(reports) == 1
    assert set(reports[0].items) == {name for each in numbered for name in each}
    assert reports[0].missing == 0


@given(contents.filter(lambda items: len(items) > 2), st.data())
def test_a_part_that_never_comes_is_counted(items, data):
    parts = parts_of(items)
    lost = data.draw(st.integers(0, len(parts) - 2).filter(lambda number: number != 0 or 1 not in range(len(parts))))
    assembler, reports = fed([part for part in parts if part.number != lost])
    assert reports == []
    assert assembler.overdue(59.9) == []
    (report,) = assembler.overdue(60.0)
    assert report.missing == 1
    assert assembler.due_in(60.0) is None


def test_a_station_that_numbers_from_1_is_understood():
    assembler, reports = fed([Part("inventory", 7, number, number == 3, {str(number): 1}) for number in (1, 2, 3)])
    assert reports == []
    (report,) = assembler.overdue(60.0)
    assert (report.missing, list(report.items)) == (0, ["1", "2", "3"])


def test_a_report_that_was_promised_and_never_came_is_given_up():
    assembler = Assembler(60.0)
    assembler.expect("inventory", 7, 0.0)
    assert assembler.due_in(20.0) == 40.0
    (report,) = assembler.overdue(60.0)
    assert (report.items, report.missing > 0) == ({}, True)


def test_what_is_whole_is_not_begun_again_by_a_repeated_part_but_by_a_new_request():
    parts = parts_of([{"a": 1}, {"b": 2}])
    assembler, reports = fed([*parts, parts[0], parts[1]])
    assert len(reports) == 1
    assert assembler.due_in(0.0) is None
    assembler.expect("inventory", 7, 0.0)
    assert [assembler.add(part, 0.0) for part in parts][1] == Report("inventory", 7, {"a": 1, "b": 2})


def test_nothing_grows_without_bound():
    assembler = Assembler()
    for request in range(100):
        for number in range(5):
            assembler.add(Part("inventory", request, number, False, {str(number): "x" * 100}, 100), 0.0)
    assert len(assembler.overdue(1e6)) == REPORTS_MAX
    assembler = Assembler()
    for number in range(PARTS_MAX + 50):
        assembler.add(Part("inventory", 1, number, False, {f"{number} {item}": 1 for item in range(10)}), 0.0)
    (report,) = assembler.overdue(1e6)
    assert report.cut
    assert len(report.items) <= ITEMS_MAX


def test_a_number_beyond_reason_ends_nothing():
    assembler, reports = fed([Part("inventory", 7, 2**40, True, {"a": 1})])
    assert reports == []
    assert assembler.overdue(60.0)[0].missing > 0
