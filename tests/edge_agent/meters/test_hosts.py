"""Ranges of hosts, as written."""

import pytest

from edge_agent.meters.hosts import HOSTS_MAX, HostsInvalid, hosts_of


def test_ranges_are_read_in_their_order_and_each_host_once() -> None:
    assert hosts_of("192.168.1.0/30") == ("192.168.1.1", "192.168.1.2")
    assert hosts_of("192.168.1.9-11, 192.168.1.10") == ("192.168.1.9", "192.168.1.10", "192.168.1.11")
    assert hosts_of("10.0.0.254-10.0.1.1") == ("10.0.0.254", "10.0.0.255", "10.0.1.0", "10.0.1.1")
    assert hosts_of("fd00::1-fd00::2") == ("fd00::1", "fd00::2")
    assert len(hosts_of("172.16.0.0/22")) == HOSTS_MAX - 2


@pytest.mark.parametrize(
    ("text", "words"),
    [
        ("", "Name a range"), (" , ", "Name a range"), ("8.8.8.8", "no private network"),
        ("10.0.0.0/8", "name a smaller range"), ("10.0.0.1-10.9.0.1", "name a smaller range"),
        ("10.0.0.0/21", "more than 1,024"), ("10.0.0.9-3", "comes before"), ("10.0.0.1-fd00::1", "comes before"),
        ("meter", "is no range"), ("10.0.0.1-x", "is no range"), ("0.0.0.0", "no private network"),
    ],
)  # fmt: skip
def test_a_wrong_one_says_what_to_write(text: str, words: str) -> None:
    with pytest.raises(HostsInvalid, match=words):
        hosts_of(text)
