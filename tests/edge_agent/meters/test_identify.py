"""Which model a meter is: every dump is known for what it is, or guessed and said to be a guess."""

import msgspec
import pytest

from edge_agent.meters.identify import Read, identify, is_marked, is_plausible, sunspec_base, unmet
from edge_agent.meters.profiles import bundled
from tests.edge_agent.meters.dumped import answering, dump_of, run


@pytest.mark.parametrize("id_", sorted(bundled()))
def test_a_meter_is_known_for_what_it_is(id_: str) -> None:
    profile = bundled()[id_]
    found = run(identify(bundled().values(), tcp=True), answering(dump_of(id_)))
    assert found is not None
    assert id_ in found.profiles
    assert found.guessed == (not profile.by_mark)
    if profile.by_mark:
        alike = {bundled()[each].name.rpartition(" ")[0] for each in found.profiles}
        assert len({tuple(bundled()[each].keyed) for each in found.profiles}) == 1, alike


def test_what_it_says_of_itself_is_told() -> None:
    found = run(identify(bundled().values(), tcp=True), answering(dump_of("sunspec-meter")))
    assert (found.profiles, found.base, found.label, found.serial_number) == (
        ("sunspec-meter",), 40069, "Gatepost Sample", "S42",
    )  # fmt: skip
    found = run(identify(bundled().values(), tcp=True), answering(dump_of("shelly-pro-3em")))
    assert found.serial_number == "S42"
    found = run(identify(bundled().values(), tcp=True), answering(dump_of("schneider-iem3155")))
    assert found.label == "Schneider iEM3"


def test_a_setting_that_must_be_another_is_said() -> None:
    dump = dump_of("carlo-gavazzi-em24-din")
    dump["input"]["0xA000"] = "0001"
    profile = bundled()["carlo-gavazzi-em24-din"]
    assert run(identify(bundled().values(), tcp=False), answering(dump)).problems == ("application_not_h",)
    assert run(unmet(profile), answering(dump)) == ("application_not_h",)
    del dump["input"]["0xA000"]
    assert run(unmet(profile), answering(dump)) == (), "it cannot be read: nothing is known"


def test_a_meter_that_is_another_is_not_taken_for_it() -> None:
    assert run(is_marked(bundled()["abb-b23"]), answering(dump_of("abb-b23")))
    assert not run(is_marked(bundled()["abb-b24"]), answering(dump_of("abb-b23")))
    assert not run(is_marked(bundled()["carlo-gavazzi-em24-e1"]), answering(dump_of("carlo-gavazzi-em24-din")))
    assert run(is_marked(bundled()["schneider-iem3155"]), answering(dump_of("schneider-iem3155")))
    assert not run(is_marked(bundled()["schneider-iem3155"]), answering(dump_of("abb-b23")))
    assert run(sunspec_base(bundled()["sunspec-meter"]), answering(dump_of("sunspec-meter"))) == 40069
    assert run(sunspec_base(bundled()["sunspec-meter"]), answering(dump_of("sunspec-meter-float"))) is None


def test_a_chain_of_models_that_never_ends_is_left() -> None:
    asked = []

    def answer(read: Read) -> list[int] | None:
        asked.append(read)
        return [0x5375, 0x6E53] if read.at == 40000 else [9, 0] if read.count == 2 else None

    assert run(sunspec_base(bundled()["sunspec-meter"]), answer) is None
    assert len(asked) < 100


def test_nothing_is_guessed_from_numbers_that_are_no_mains() -> None:
    profile = bundled()["eastron-sdm630"]
    good = dump_of("eastron-sdm630")["values"]
    assert is_plausible(profile, good)
    for key, value in (
        ("voltage_v.l1", 12.0), ("frequency_hz.total", 500.0), ("current_a.l1", 1e6), ("power_w.total", 1e8),
        ("energy_import_wh.total", -1.0),
    ):  # fmt: skip
        assert not is_plausible(profile, {**good, key: value}), key
    assert run(identify(bundled().values(), tcp=True), lambda read: [0] * read.count if read.count else None) is None
    assert run(identify(bundled().values(), tcp=True), lambda _read: None) is None


def test_without_guessing_only_marks_count() -> None:
    assert run(identify(bundled().values(), tcp=True, guess=False), answering(dump_of("eastron-sdm630"))) is None


def test_what_only_comes_over_tcp_is_not_looked_for_on_a_line() -> None:
    asked: list[Read] = []
    run(identify(bundled().values(), tcp=False), lambda read: asked.append(read))
    mark = bundled()["shelly-pro-3em"].identify
    assert mark is not None
    assert msgspec.structs.replace(Read(4), at=mark.at, count=mark.count) not in asked
