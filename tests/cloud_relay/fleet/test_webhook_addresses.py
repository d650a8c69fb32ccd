"""Where webhooks may go, and every way known to us to lead one into our own network."""

import pytest

from cloud_relay.fleet.webhook_addresses import is_public, url_in
from sitelink.errors import RequestInvalid

NOT_PUBLIC = (
    "127.0.0.1", "127.255.255.254", "0.0.0.0", "10.0.0.1", "172.16.0.1", "172.31.255.255", "192.168.1.1",
    "169.254.169.254", "100.64.0.1", "192.0.0.1", "192.0.2.1", "198.18.0.1", "203.0.113.9", "224.0.0.1", "240.0.0.1",
    "255.255.255.255", "192.88.99.1", "::", "::1", "::ffff:127.0.0.1", "::ffff:10.0.0.1", "::ffff:a9fe:a9fe",
    "::7f00:1", "fe80::1", "fe80::1%eth0", "fc00::1", "fd12::1", "fec0::1", "ff02::1", "2001:db8::1",
    "64:ff9b::7f00:1", "64:ff9b::a00:1", "64:ff9b:1::1", "2002:7f00:1::1", "2002:a00:1::1", "100::1",
)  # fmt: skip
PUBLIC = ("1.1.1.1", "93.184.215.14", "172.32.0.1", "2606:4700::1111", "::ffff:1.1.1.1", "64:ff9b::101:101")


@pytest.mark.parametrize("address", NOT_PUBLIC)
def test_what_is_not_of_the_open_internet_is_refused(address: str) -> None:
    assert not is_public(address)


@pytest.mark.parametrize("address", PUBLIC)
def test_what_is_public_is_not_refused(address: str) -> None:
    assert is_public(address)


@pytest.mark.parametrize(
    "url",
    ["https://example.com/hook", "https://example.com:8443/a?b=c", "https://1.1.1.1/", "https://[2606:4700::1]/x"],
)
def test_addresses_that_may_be_used(url: str) -> None:
    assert url_in(f"  {url} ", allow_http=False) == url


@pytest.mark.parametrize(
    ("url", "problem"),
    [
        ("", "empty"), ("x" * 2001, "too_long"), ("example.com", "not_a_url"), ("ftp://example.com/", "not_a_url"),
        ("https://", "not_a_url"), ("https://user:pw@example.com/", "not_a_url"),
        ("https://example.com/#x", "not_a_url"),
        ("https://example.com:99999/", "not_a_url"), ("https://exa mple.com/", "not_a_url"),
        ("https://example.com\\@10.0.0.1/", "not_a_url"), ("https://[::1/", "not_a_url"),
        ("https://example.com/\r\nX: y", "not_a_url"), ("https://bücher.example/", "not_a_url"),
        ("http://example.com/", "not_https"), ("https://example.com:22/", "not_https"),
        ("https://127.0.0.1/", "address_refused"), ("https://127.1/", "address_refused"),
        ("https://2130706433/", "address_refused"), ("https://0x7f000001/", "address_refused"),
        ("https://0177.0.0.1/", "address_refused"), ("https://127.0.0.1./", "address_refused"),
        ("https://[::1]/", "address_refused"), ("https://[::ffff:10.0.0.1]/", "address_refused"),
        ("https://[fe80::1%25eth0]/", "address_refused"), ("https://169.254.169.254/latest", "address_refused"),
    ],
)  # fmt: skip
def test_addresses_that_may_not(url: str, problem: str) -> None:
    with pytest.raises(RequestInvalid) as refused:
        url_in(url, allow_http=False)
    assert refused.value.fields["problem"] == problem


def test_within_a_companys_network_http_and_private_addresses_may_be_used() -> None:
    for url in ("http://10.0.0.1:8080/hook", "http://hooks.internal/", "https://[::1]:9/"):
        assert url_in(url, allow_http=True) == url
    for url in ("http://127.1/", "http://a:b@10.0.0.1/"):
        with pytest.raises(RequestInvalid):
            url_in(url, allow_http=True)
