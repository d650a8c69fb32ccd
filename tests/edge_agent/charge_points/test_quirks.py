"""The rules for particular charge points."""

import pytest
from hypothesis import given
from hypothesis import strategies as st

from edge_agent.charge_points.quirks import HANDSHAKE, NONE, Quirks, QuirksInvalid, Table, built_in, dotted, parsed
from sitelink.events import Traits
from tests.house.quirk_table import DOCUMENT, in_document, table

TERRA = "ABB", "CDT_TACW22::NET_WIFI"


def rule(text: str) -> str:
    return f'[[rule]]\nname = "one"\nsource = "made up"\n{text}\n'


@pytest.mark.parametrize(
    ("firmware", "asked"),
    [("TAC3Z9119006710273::V1.8.21", False), ("1.8.3", False), ("V1.8.32", True), ("2.0", True), ("", True)],
)
def test_a_firmware_range_is_compared_as_numbers(firmware: str, asked: bool) -> None:
    quirks = built_in().of_station(*TERRA, firmware)
    assert ("MeterValuesSampledData" not in quirks.configuration_keys_not_asked) is asked
    assert quirks.stack_level_zero_only, "another rule fits every firmware of it"


def test_vendor_and_model_are_patterns_without_regard_to_case() -> None:
    assert built_in().of_station("wall box chargers", "plp1-0-2-4", "6.7.38").unlock is False
    assert built_in().of_station("Wall Box Chargers", "CPB1-S-2-4", "6.7.38").unlock is True


def test_a_station_of_no_rule_is_treated_as_ocpp_says() -> None:
    assert built_in().of_station("Acme", "Post 2", "1.0") is NONE
    assert built_in().of_station(None, None, None) is NONE
    assert Quirks().traits == Traits()


def test_a_later_rule_overrides_an_earlier_one_key_by_key() -> None:
    first = parsed(rule('vendor = "a*"\nanswer_within_s = 100\npings = false'), "first")
    second = parsed(rule('vendor = "ab*"\nanswer_within_s = 200'), "second")
    table = first.followed_by(second)
    assert table.of_station("abc", "", "") == Quirks(answer_within_s=200, pings=False)
    assert table.of_station("axe", "", "") == Quirks(answer_within_s=100, pings=False)


def test_what_the_core_must_know_of_it_is_handed_on() -> None:
    traits = built_in().of_station("Teison", "", "").traits
    assert traits == Traits(back_after_reset_s=1200)
    assert built_in().of_station("Alfen BV", "NG910", "6.5").traits.token_form == "hex"


@pytest.mark.parametrize(
    ("text", "line", "says"),
    [
        (rule('vendor = "a"\nunlok = false'), 5, "one: unlok: no such key"),
        (rule('vendor = "a"\npings = "no"'), 5, "one: pings: found 'no'"),
        (rule('vendor = "a"\nfirmware = "1.8"\npings = false'), 5, "one: firmware: found '1.8'"),
        (rule("pings = false"), 2, "neither vendor nor model"),
        (rule('vendor = "a"'), 2, "does nothing"),
        (rule('vendor = "a"\nheaders = { "Upgrade" = "websocket" }'), 5, "before a vendor is known"),
        (rule('subprotocols = { "x" = "ocpp9" }'), 4, "x means ocpp9"),
        (rule('vendor = ""\npings = false'), 4, "a text is needed"),
        ('[[rule]]\nname = "two"\nvendor = "a"\npings = false\n', 1, "two: source: is needed"),
        (rule('vendor = "a"\npings = false') * 2, 7, "a rule of this name is above"),
        ("rules = 1\n", 1, "only [[rule]]"),
    ],
)  # fmt: skip
def test_a_mistake_is_named_with_its_line_and_its_rule(text: str, line: int, says: str) -> None:
    with pytest.raises(QuirksInvalid) as caught:
        parsed(text, "mine.toml")
    assert str(caught.value).startswith(f"mine.toml:{line}: ")
    assert says in str(caught.value)


@pytest.mark.parametrize("text", ["[[rule]", "rule = 1", "[rule]\nname = 1"])
def test_what_is_no_table_of_rules_is_refused(text: str) -> None:
    with pytest.raises(QuirksInvalid, match=r"mine\.toml"):
        parsed(text, "mine.toml")


def test_every_rule_says_where_it_comes_from_and_why() -> None:
    rules = built_in().rules
    assert len(rules) >= 30
    for each in rules:
        assert each.source, each.name
        assert each.note, each.name


def test_every_effect_there_is_is_used_by_a_rule() -> None:
    """An effect no rule has is a leftover."""
    used = {key for each in built_in().rules for key in each.effects}
    assert used == set(Quirks.__struct_fields__)


@pytest.mark.parametrize(
    ("text", "numbers"),
    [("1.8.21", (1, 8, 21)), ("1.8.0", (1, 8)), ("V100R023C10SPC120", (100,)), ("GCW-10.22-05.7", (5, 7)), ("", ())],
)
def test_a_dotted_number_is_found_in_what_vendors_write(text: str, numbers: tuple[int, ...]) -> None:
    assert dotted(text) == numbers


@given(st.lists(st.integers(0, 99), min_size=2, max_size=5), st.lists(st.integers(0, 99), min_size=2, max_size=5))
def test_one_of_two_firmwares_is_the_older(one: list[int], other: list[int]) -> None:
    a, b = ".".join(map(str, one)), ".".join(map(str, other))
    older = parsed(rule(f'vendor = "a"\nfirmware = "< {b}"\npings = false'), "x").of_station("a", "", a)
    newer = parsed(rule(f'vendor = "a"\nfirmware = ">= {b}"\npings = false'), "x").of_station("a", "", a)
    assert {older.pings, newer.pings} == {True, False}
    assert older.pings is (dotted(a) >= dotted(b))


@given(st.text(max_size=300))
def test_no_firmware_text_is_too_odd(text: str) -> None:
    assert isinstance(dotted(text), tuple)
    assert isinstance(built_in().of_station(text, text, text), Quirks)


def test_an_empty_table_has_nothing() -> None:
    assert (Table().of_station("a", "b", "c"), Table().headers, Table().subprotocols) == (NONE, {}, {})


def test_the_documents_table_is_made_from_the_rules() -> None:
    """Write it anew with python -m tests.house.quirk_table."""
    assert in_document() == table()


def test_every_key_is_documented() -> None:
    text = DOCUMENT.read_text("utf-8")
    for key in (*Quirks.__struct_fields__, *HANDSHAKE):
        assert f"`{key}" in text, key
