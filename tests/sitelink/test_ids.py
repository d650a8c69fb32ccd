"""The rules for the one identity a person types."""

import unicodedata

import pytest
from hypothesis import example, given
from hypothesis import strategies as st

from sitelink.errors import IdentityInvalid
from sitelink.ids import IDENTITY_MAX_CHARACTERS, check_identity, id_token_key, station_key


@pytest.mark.parametrize(
    ("typed", "stored"),
    [
        ("CP001", "CP001"),
        ("  CP001\t\n", "CP001"),
        ("\u200bCP001\ufeff", "CP001"),
        ("\u00a0CP001\u2060", "CP001"),
        ("", ""),
        ("   ", ""),
        ("\u200b\u200b", ""),
        ("cp-001_A*.=+@|", "cp-001_A*.=+@|"),
        ("Größe-7", "Größe-7"),
        ("Gro\u0308ße", "Größe"),
        ("充电桩1", "充电桩1"),
        ("0O1I", "0O1I"),
        ("x" * 48, "x" * 48),
    ],
)
def test_an_identity_is_stored_as_typed_but_for_outer_blanks(typed, stored):
    assert check_identity(typed) == stored


@pytest.mark.parametrize(
    ("typed", "offender"),
    [
        ("CP/001", "/"),
        ("CP:001", ":"),
        ("CP%20", "%"),
        ("CP 001", " "),
        ("CP\u200b001", " "),
        ("CP?x", "?"),
        ("CP#1", "#"),
        ("../etc", "/"),
        ("<b>", "<"),
        ('"', '"'),
        ("CP\x00", "\x00"),
        ("CP\u202e", "\u202e"),
        ("CP\\1", "\\"),
        ("CP🔌", "🔌"),
    ],
)
def test_the_first_character_that_cannot_be_used_is_named(typed, offender):
    with pytest.raises(IdentityInvalid) as refusal:
        check_identity(typed)
    assert refusal.value.fields["problem"] == "character"
    assert refusal.value.fields["found"] == offender


def test_an_identity_of_49_characters_is_too_long_whatever_it_holds():
    for typed in ("x" * 49, "x/" * 25):
        with pytest.raises(IdentityInvalid) as refusal:
            check_identity(typed)
        assert refusal.value.fields == {
            "problem": "too_long",
            "found": len(typed),
            "allowed": IDENTITY_MAX_CHARACTERS,
        }


@given(st.text(max_size=60))
def test_what_was_accepted_once_is_accepted_unchanged(typed):
    try:
        stored = check_identity(typed)
    except IdentityInvalid:
        return
    assert check_identity(stored) == stored
    assert len(stored) <= IDENTITY_MAX_CHARACTERS
    assert not set(stored) & set("/:%? #\\\"'<>")


@pytest.mark.parametrize(
    ("one", "other"),
    [("CP001", "cp001"), ("CP001", " CP001 "), ("STRASSE", "straße"), ("Größe", "Gro\u0308ße"), ("Å1", "Å1")],
)
def test_stations_are_compared_without_case_and_blanks(one, other):
    assert station_key(one) == station_key(other)


@pytest.mark.parametrize(("one", "other"), [("CP001", "CP0O1"), ("CP1", "CP01"), ("CP-1", "CP1"), ("a", "")])
def test_look_alikes_stay_apart(one, other):
    assert station_key(one) != station_key(other)


@given(st.text(max_size=20))
@example("ß\u0301")
@example("\u0390")
def test_a_key_is_its_own_key(text):
    assert station_key(station_key(text)) == station_key(text)


@given(st.text(max_size=20))
def test_however_a_text_is_composed_it_has_one_key(text):
    assert station_key(unicodedata.normalize("NFD", text)) == station_key(unicodedata.normalize("NFC", text))


@pytest.mark.parametrize(
    "said",
    [
        "04A1B2C3",
        "04a1b2c3",
        " 04A1B2C3 ",
        "04 A1 B2 C3",
        "04A1B2C3\x00\x00\x03",
        "04A1B2C3\ufffd\ufffd",
        "\ufeff04A1B2C3",
    ],
)
def test_an_id_token_is_known_again_whatever_a_reader_makes_of_it(said):
    assert id_token_key(said) == "04a1b2c3"


@given(st.text(max_size=30))
def test_the_key_of_an_id_token_is_its_own_key(text):
    assert id_token_key(id_token_key(text)) == id_token_key(text)
    assert id_token_key(text.upper().lower()) == id_token_key(id_token_key(text.upper().lower()))


@given(st.text(st.characters(codec="ascii")) | st.text())
def test_the_quick_way_to_a_station_s_key_is_the_long_way(identity: str) -> None:
    folded = unicodedata.normalize("NFC", identity).strip().casefold()
    assert station_key(identity) == unicodedata.normalize("NFC", folded)
