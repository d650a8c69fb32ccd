"""What the box says it is called."""

import socket

import pytest

from edge_agent.certificates import own_names as module
from edge_agent.certificates.own_names import own_names


def test_the_box_knows_its_host_name_and_addresses() -> None:
    names = own_names()
    assert "localhost" in names.hosts
    assert socket.gethostname().casefold() in names.hosts
    assert {"127.0.0.1", "::1"} <= set(names.addresses)


def test_what_was_set_comes_first_and_addresses_are_told_from_names() -> None:
    names = own_names(["gate.example", "198.51.100.4"], ["0.0.0.0", "192.0.2.4", "fe80::1", "224.0.0.1", "nonsense"])
    assert names.hosts[0] == "gate.example"
    assert names.addresses[:2] == ("192.0.2.4", "198.51.100.4")
    assert not {"0.0.0.0", "fe80::1", "224.0.0.1"} & set(names.addresses)


def test_a_machine_that_tells_nothing_still_has_a_name(monkeypatch: pytest.MonkeyPatch) -> None:
    def nothing() -> list[tuple[int, str]]:
        raise OSError

    monkeypatch.setattr(socket, "if_nameindex", nothing)
    monkeypatch.setattr(module, "_IF_INET6", module.Path("there-is-no-such-file"))
    assert own_names().addresses == ("127.0.0.1", "::1")
