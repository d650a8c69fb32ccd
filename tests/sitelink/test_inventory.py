"""Variables, and what of them is kept."""

from sitelink.inventory import WRITE_ONLY, Variable, attribute, items_of, variables_of


def test_a_secret_has_no_value():
    assert attribute("BasicAuthPassword", "x").value is None
    assert attribute("Anything", "x", WRITE_ONLY).secret
    assert attribute("HeartbeatInterval", "300").value == "300"


def test_variables_of_several_places_are_told_apart():
    same = [Variable(name="Power", component="EVSE", evse=evse) for evse in (None, 1, 2)]
    assert len(items_of(same)) == 3
    assert variables_of(items_of(same)) == same


def test_an_item_of_another_version_is_passed_over():
    assert variables_of({"a": {"name": 5}, "b": {"name": "Power"}}) == [Variable(name="Power")]
