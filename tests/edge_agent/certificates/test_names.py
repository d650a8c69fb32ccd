"""Names that can stand in a certificate."""

import pytest

from edge_agent.certificates.names import Names, clean_addresses, clean_hosts


def test_names_are_cleaned() -> None:
    assert clean_hosts([" Gate.Example. ", "gate.example", "", "münchen", "a b"]) == ("gate.example",)
    assert clean_addresses(["192.0.2.1", "fe80::1%eth0", "::1", "x", "192.0.2.1"]) == (
        "192.0.2.1", "fe80::1", "::1",
    )  # fmt: skip


@pytest.mark.parametrize(
    ("names", "first"),
    [(Names(("a", "b"), ("192.0.2.1",)), "a"), (Names((), ("192.0.2.1",)), "192.0.2.1"), (Names(), "gatepost")],
)
def test_the_first_name_is_a_host_where_there_is_one(names: Names, first: str) -> None:
    assert names.first == first


def test_names_that_are_more_include_those_that_are_fewer_and_not_the_other_way_round() -> None:
    more, fewer = Names(("a", "b"), ("192.0.2.1", "::1")), Names(("b",), ("::1",))
    assert more.include(fewer)
    assert more.include(more)
    assert not fewer.include(more)
    assert not Names(("a", "b")).include(fewer), "an address is missing"
