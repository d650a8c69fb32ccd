"""A station's request for a certificate: what it asks for, what is signed for it, and a chain somebody else signed.

Pure. What a station sends is looked at before anything is made of it: its own signature, a key that is strong enough,
and a name that is this station's. Sources: OCPP 2.0.1 A00.FR.502 to 512, A02, A03; the same in the 1.6 security
whitepaper. Start at `read_request`.
"""

from datetime import datetime
from itertools import pairwise

from cryptography import x509
from cryptography.exceptions import InvalidSignature, UnsupportedAlgorithm
from cryptography.hazmat.primitives import serialization
from cryptography.hazmat.primitives.asymmetric import ec, rsa
from cryptography.x509.oid import NameOID

from edge_agent.certificates import authority
from edge_agent.certificates.authority import Holder
from edge_agent.site.ports import Signed
from sitelink.errors import CertificateInvalid

REQUEST_MAX_CHARACTERS = 5500
CHAIN_MAX_CHARACTERS = 10000
RSA_MIN_BITS = 2048
RSA_MAX_BITS = 8192
CURVE_MIN_BITS = 224
KEPT_NAMES = (
    NameOID.COUNTRY_NAME, NameOID.ORGANIZATION_NAME, NameOID.ORGANIZATIONAL_UNIT_NAME, NameOID.COMMON_NAME,
    NameOID.SERIAL_NUMBER, NameOID.DOMAIN_COMPONENT,
)  # fmt: skip
"""Parts of a subject that are taken over."""

UNREADABLE = (ValueError, TypeError, UnsupportedAlgorithm, x509.InvalidVersion)

PublicKey = rsa.RSAPublicKey | ec.EllipticCurvePublicKey


def read_request(pem: str) -> x509.CertificateSigningRequest:
    """Raises CertificateInvalid with what is wrong."""
    if len(pem) > REQUEST_MAX_CHARACTERS:
        raise CertificateInvalid(problem="too_long", allowed=REQUEST_MAX_CHARACTERS)
    try:
        request = x509.load_pem_x509_csr(pem.encode("ascii"))
        sound = request.is_signature_valid
        key = request.public_key()
    except (*UNREADABLE, InvalidSignature) as error:
        raise CertificateInvalid(problem="unreadable") from error
    if not sound:
        raise CertificateInvalid(problem="signature")
    _strong(key)
    return request


def common_name_of(subject: x509.Name) -> str:
    found = subject.get_attributes_for_oid(NameOID.COMMON_NAME)
    return str(found[-1].value) if found else ""


def sign(root: Holder, pem: str, now: datetime) -> Signed:
    """A certificate for what was asked, with the root behind it. Raises CertificateInvalid."""
    request = read_request(pem)
    subject = x509.Name([each for each in request.subject if each.oid in KEPT_NAMES])
    leaf = authority.issue_client(root, subject, _strong(request.public_key()), now)
    chain = leaf.public_bytes(serialization.Encoding.PEM) + root.certificate_pem
    return _signed(leaf, chain.decode())


def read_chain(chain: str, request_pem: str, now: datetime) -> Signed:
    """A chain an operator's authority signed: its first certificate must be for the key of the request.

    Raises CertificateInvalid.
    """
    if len(chain) > CHAIN_MAX_CHARACTERS:
        raise CertificateInvalid(problem="too_long", allowed=CHAIN_MAX_CHARACTERS)
    try:
        found = x509.load_pem_x509_certificates(chain.encode("ascii"))
        theirs = _spki(found[0].public_key())
    except UNREADABLE as error:
        raise CertificateInvalid(problem="unreadable") from error
    leaf = found[0]
    if theirs != _spki(read_request(request_pem).public_key()):
        raise CertificateInvalid(problem="other_key")
    if not leaf.not_valid_before_utc <= now < leaf.not_valid_after_utc:
        raise CertificateInvalid(problem="not_valid_now")
    for below, above in pairwise(found):
        try:
            below.verify_directly_issued_by(above)
        except (ValueError, TypeError, InvalidSignature) as error:
            raise CertificateInvalid(problem="chain_broken") from error
    return _signed(leaf, "".join(each.public_bytes(serialization.Encoding.PEM).decode() for each in found))


def _signed(leaf: x509.Certificate, chain: str) -> Signed:
    return Signed(
        chain, authority.serial_of(leaf), common_name_of(leaf.subject), leaf.not_valid_after_utc
    )  # fmt: skip


def _strong(key: object) -> PublicKey:
    if isinstance(key, rsa.RSAPublicKey) and RSA_MIN_BITS <= key.key_size <= RSA_MAX_BITS:
        return key
    if isinstance(key, ec.EllipticCurvePublicKey) and key.curve.key_size >= CURVE_MIN_BITS:
        return key
    raise CertificateInvalid(problem="weak_key")


def _spki(key: object) -> bytes:
    form = serialization.PublicFormat.SubjectPublicKeyInfo
    return key.public_bytes(serialization.Encoding.DER, form)  # type: ignore[attr-defined, no-any-return]
