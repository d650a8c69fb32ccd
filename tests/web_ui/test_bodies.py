import pytest

from sitelink.errors import RequestInvalid
from web_ui.bodies import command_id_in, new_command_id_in, number_in


@pytest.mark.parametrize(("text", "number"), [("2", 2), (" 12 ", 12), ("0", 0)])
def test_numbers_that_people_type(text: str, number: int) -> None:
    assert number_in({"connector": text}, "connector") == number


@pytest.mark.parametrize("text", ["", "two", "-1", "1.5", "٣", "²", "9" * 5000])
def test_what_is_no_number(text: str) -> None:
    with pytest.raises(RequestInvalid):
        number_in({"connector": text}, "connector")


def test_a_missing_number_is_none() -> None:
    assert number_in({}, "connector") is None


def test_a_command_id_has_one_form() -> None:
    id_ = "0b7e6c1e-0000-4000-8000-00000000000a"
    assert command_id_in(id_.upper()) == command_id_in(id_.replace("-", "")) == id_
    assert command_id_in("x" * 100) == "x" * 64
    assert new_command_id_in(id_.upper()) == id_
    with pytest.raises(RequestInvalid):
        new_command_id_in("x")
