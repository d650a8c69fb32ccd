"""A request for a certificate is looked at before anything is made of it, and a chain before it is handed on."""

from contextlib import suppress
from datetime import UTC, datetime, timedelta

import pytest
from cryptography import x509
from cryptography.hazmat.primitives import hashes, serialization
from cryptography.hazmat.primitives.asymmetric import ec, ed25519, rsa
from cryptography.x509.oid import ExtendedKeyUsageOID, NameOID
from hypothesis import example, given
from hypothesis import strategies as st

from edge_agent.certificates import authority, requests
from sitelink.errors import CertificateInvalid

NOW = datetime(2026, 11, 25, 12, 0, tzinfo=UTC)
ROOT = authority.make_root("gate", bits=2048)
KEY = ec.generate_private_key(ec.SECP256R1())


def request(key=KEY, *names: tuple[x509.ObjectIdentifier, str]) -> str:
    parts = names or ((NameOID.COMMON_NAME, "SN-77"), (NameOID.ORGANIZATION_NAME, "Acme"))
    subject = x509.Name([x509.NameAttribute(*part) for part in parts])
    algorithm = None if isinstance(key, ed25519.Ed25519PrivateKey) else hashes.SHA256()
    made = x509.CertificateSigningRequestBuilder().subject_name(subject).sign(key, algorithm)
    return made.public_bytes(serialization.Encoding.PEM).decode()


def test_what_is_signed_is_a_client_certificate_of_398_days_for_the_key_that_asked() -> None:
    signed = requests.sign(ROOT, request(), NOW)
    leaf, root = x509.load_pem_x509_certificates(signed.chain.encode())
    assert root == ROOT.certificate
    leaf.verify_directly_issued_by(root)
    assert leaf.public_key() == KEY.public_key()
    assert (signed.common_name, signed.serial) == ("SN-77", authority.serial_of(leaf))
    assert signed.ends == leaf.not_valid_after_utc
    assert signed.ends - leaf.not_valid_before_utc == timedelta(days=398)
    purposes = leaf.extensions.get_extension_for_class(x509.ExtendedKeyUsage).value
    assert list(purposes) == [ExtendedKeyUsageOID.CLIENT_AUTH]
    assert not leaf.extensions.get_extension_for_class(x509.BasicConstraints).value.ca


def test_only_the_usual_parts_of_a_subject_are_taken_over() -> None:
    asked = request(KEY, (NameOID.COMMON_NAME, "SN-77"), (NameOID.EMAIL_ADDRESS, "a@b.example"), (NameOID.TITLE, "x"))
    leaf = x509.load_pem_x509_certificates(requests.sign(ROOT, asked, NOW).chain.encode())[0]
    assert [each.oid for each in leaf.subject] == [NameOID.COMMON_NAME]


@pytest.mark.parametrize(
    "key",
    [ec.generate_private_key(ec.SECP384R1()), rsa.generate_private_key(65537, 2048),
     ec.generate_private_key(ec.SECP224R1())],
)  # fmt: skip
def test_keys_that_are_strong_enough(key) -> None:
    assert requests.read_request(request(key)).public_key() == key.public_key()


@pytest.mark.parametrize(
    "key",
    [rsa.generate_private_key(65537, 1024), ec.generate_private_key(ec.SECP192R1()),
     ed25519.Ed25519PrivateKey.generate()],
)  # fmt: skip
def test_keys_that_are_not(key) -> None:
    with pytest.raises(CertificateInvalid) as refused:
        requests.read_request(request(key))
    assert refused.value.fields["problem"] == "weak_key"


def test_a_request_signed_by_another_key_is_refused() -> None:
    one, other = request(), request(ec.generate_private_key(ec.SECP256R1()))
    body = x509.load_pem_x509_csr(one.encode()).public_bytes(serialization.Encoding.DER)
    theirs = x509.load_pem_x509_csr(other.encode()).signature
    mine = x509.load_pem_x509_csr(one.encode()).signature
    if len(theirs) != len(mine):
        theirs = mine[:-1] + bytes([mine[-1] ^ 1])
    import base64

    forged = base64.encodebytes(body.replace(mine, theirs)).decode()
    with pytest.raises(CertificateInvalid) as refused:
        requests.read_request(f"-----BEGIN CERTIFICATE REQUEST-----\n{forged}-----END CERTIFICATE REQUEST-----\n")
    assert refused.value.fields["problem"] in ("signature", "unreadable")


@given(st.text(max_size=300) | st.binary(max_size=300).map(lambda raw: raw.decode("latin-1")))
def test_no_rubbish_gets_through(text: str) -> None:
    with pytest.raises(CertificateInvalid):
        requests.read_request(text)
    with pytest.raises(CertificateInvalid):
        requests.read_chain(text, request(), NOW)


@example(46, 3)  # another version than there is
@given(st.integers(0, 400), st.integers(1, 255))
def test_a_damaged_request_is_refused_or_read_and_never_crashes(at: int, flip: int) -> None:
    pem = bytearray(request().encode())
    pem[at % len(pem)] ^= flip
    with suppress(CertificateInvalid):
        assert requests.read_request(pem.decode("latin-1")).is_signature_valid


def test_a_request_longer_than_the_message_allows_is_refused() -> None:
    with pytest.raises(CertificateInvalid):
        requests.read_request(request() + " " * requests.REQUEST_MAX_CHARACTERS)


def test_a_chain_of_another_authority_must_be_whole_valid_now_and_for_the_key_that_asked() -> None:
    other = authority.make_root("operator", bits=2048)
    asked = request()
    good = requests.sign(other, asked, NOW).chain
    assert requests.read_chain(good, asked, NOW).common_name == "SN-77"
    for chain, problem, at in (
        (requests.sign(other, request(ec.generate_private_key(ec.SECP256R1())), NOW).chain, "other_key", NOW),
        (good, "not_valid_now", NOW + timedelta(days=400)),
        (good, "not_valid_now", NOW - timedelta(days=4)),
        (good.replace(other.certificate_pem.decode(), ROOT.certificate_pem.decode()), "chain_broken", NOW),
        ("x" * (requests.CHAIN_MAX_CHARACTERS + 1), "too_long", NOW),
    ):
        with pytest.raises(CertificateInvalid) as refused:
            requests.read_chain(chain, asked, at)
        assert refused.value.fields["problem"] == problem
