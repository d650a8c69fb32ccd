"""The site's authority: what its certificates say, and that they can be told apart from broken ones."""

from datetime import UTC, datetime, timedelta

import pytest
from cryptography import x509
from cryptography.hazmat.primitives.asymmetric import ec, rsa
from cryptography.x509.oid import ExtendedKeyUsageOID
from hypothesis import given
from hypothesis import strategies as st

from edge_agent.certificates import authority
from edge_agent.certificates.names import Damaged, KeyKind, Names, clean_addresses, clean_hosts

NOW = datetime(2026, 11, 25, 12, 0, tzinfo=UTC)
NAMES = Names(("gate.example", "gate"), ("192.0.2.7", "2001:db8::7"))
ROOT = authority.make_root("gate", bits=2048)


def test_a_root_is_valid_for_clocks_that_are_wrong_and_may_sign_but_not_make_authorities() -> None:
    root = authority.make_root("gate").certificate
    assert root.not_valid_before_utc.year == 2000
    assert root.not_valid_after_utc.year == 2049
    constraints = root.extensions.get_extension_for_class(x509.BasicConstraints)
    assert (constraints.critical, constraints.value.ca, constraints.value.path_length) == (True, True, 0)
    assert isinstance(root.public_key(), rsa.RSAPublicKey)
    assert root.public_key().key_size >= 3072  # type: ignore[union-attr]


@pytest.mark.parametrize(
    ("kind", "key_type"), [(KeyKind.RSA, rsa.RSAPublicKey), (KeyKind.ECDSA, ec.EllipticCurvePublicKey)]
)
def test_a_server_certificate_names_the_box_and_lasts_398_days(kind: KeyKind, key_type: type) -> None:
    leaf = authority.issue_server(ROOT, kind, NAMES, NOW).certificate
    assert isinstance(leaf.public_key(), key_type)
    assert authority.names_of(leaf) == NAMES
    assert leaf.not_valid_after_utc - leaf.not_valid_before_utc == timedelta(days=398)
    assert leaf.not_valid_before_utc <= NOW - timedelta(hours=23)
    purposes = leaf.extensions.get_extension_for_class(x509.ExtendedKeyUsage).value
    assert list(purposes) == [ExtendedKeyUsageOID.SERVER_AUTH]
    usage = leaf.extensions.get_extension_for_class(x509.KeyUsage).value
    assert usage.key_encipherment is (kind is KeyKind.RSA), "TLS_RSA suites encipher the key with it"
    assert authority.is_issued_by(leaf, ROOT)
    assert not authority.is_issued_by(leaf, authority.make_root("gate", bits=2048)), "the same name is not enough"


def test_a_certificate_without_names_has_none() -> None:
    assert authority.names_of(ROOT.certificate) == Names()
    assert authority.names_of(authority.issue_server(ROOT, KeyKind.ECDSA, Names(), NOW).certificate) == Names()


def test_key_and_certificate_come_back_from_their_files_only_together() -> None:
    one, two = (authority.issue_server(ROOT, kind, NAMES, NOW) for kind in KeyKind)
    again = authority.read_holder(one.certificate_pem + ROOT.certificate_pem, one.key_pem)
    assert again.certificate == one.certificate
    for certificate, key in ((one.certificate_pem, two.key_pem), (b"", one.key_pem), (one.certificate_pem, b"x")):
        with pytest.raises(Damaged):
            authority.read_holder(certificate, key)


@given(st.binary(max_size=200), st.binary(max_size=200))
def test_no_rubbish_is_taken_for_a_certificate(certificate: bytes, key: bytes) -> None:
    with pytest.raises(Damaged):
        authority.read_holder(certificate, key)


@given(st.lists(st.text(max_size=300), max_size=5), st.lists(st.text(max_size=50), max_size=5))
def test_whatever_names_are_given_a_certificate_can_be_made(hosts: list[str], addresses: list[str]) -> None:
    names = Names(clean_hosts(hosts), clean_addresses(addresses))
    leaf = authority.issue_server(ROOT, KeyKind.ECDSA, names, NOW).certificate
    assert authority.names_of(leaf) == names


@given(st.integers(min_value=1, max_value=2**160))
def test_a_serial_is_written_in_whole_bytes(number: int) -> None:
    text = authority.serial_text(number)
    assert len(text) % 2 == 0
    assert int(text, 16) == number
    assert text == text.upper()
