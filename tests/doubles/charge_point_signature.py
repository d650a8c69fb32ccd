"""Certificates and keys as a virtual charge point needs them: requests, hashes, checks of chains and signatures.

Pure but for the randomness of new keys. Source: OCPP 1.6 security whitepaper A02, L01, M; OCPP 2.0.1 part 2, A02, L01,
M01 to M06 and 2.11 (CertificateHashDataType). Start at `new_request`.
"""

import base64
import hashlib
from collections.abc import Callable
from datetime import datetime
from functools import partial
from itertools import pairwise

from cryptography import x509
from cryptography.exceptions import InvalidSignature
from cryptography.hazmat.primitives import hashes, serialization
from cryptography.hazmat.primitives.asymmetric import ec, padding, rsa
from cryptography.hazmat.primitives.asymmetric.types import PublicKeyTypes
from cryptography.x509.oid import NameOID

from tests.doubles.charge_point_frames import Payload


def new_request(common_name: str, organization: str, *, rsa_key: bool = False) -> tuple[str, str]:
    """A new private key and a request for a certificate, both PEM."""
    key: rsa.RSAPrivateKey | ec.EllipticCurvePrivateKey
    key = rsa.generate_private_key(65_537, 2_048) if rsa_key else ec.generate_private_key(ec.SECP256R1())
    subject = x509.Name(
        [
            x509.NameAttribute(NameOID.COMMON_NAME, common_name[:64]),
            x509.NameAttribute(NameOID.ORGANIZATION_NAME, organization[:64]),
        ]
    )
    request = x509.CertificateSigningRequestBuilder().subject_name(subject).sign(key, hashes.SHA256())
    private = key.private_bytes(
        serialization.Encoding.PEM, serialization.PrivateFormat.PKCS8, serialization.NoEncryption()
    )
    return private.decode(), request.public_bytes(serialization.Encoding.PEM).decode()


def certificates(pem: str) -> list[x509.Certificate]:
    """All in the text, in its order; none when it is no PEM."""
    try:
        return x509.load_pem_x509_certificates(pem.encode())
    except ValueError:
        return []


def belongs_to(chain: str, key: str) -> bool:
    """Whether the first certificate of the chain is about the public half of this key."""
    found = certificates(chain)
    private = serialization.load_pem_private_key(key.encode(), None)
    return bool(found) and _spki(found[0].public_key()) == _spki(private.public_key())


def certificate_problem(pem: str, roots: list[str], now: datetime) -> str:
    """Why this chain is not to be trusted; "" when it is. Without roots only the dates count."""
    chain = certificates(pem)
    if not chain:
        return "unreadable"
    if not chain[0].not_valid_before_utc <= now <= chain[0].not_valid_after_utc:
        return "expired"
    known = [each for root in roots for each in certificates(root)]
    if not known:
        return ""
    for child, parent in pairwise(chain):
        if not _issued(child, parent):
            return "broken chain"
    return "" if any(_issued(chain[-1], root) or chain[-1] == root for root in known) else "unknown issuer"


def signature_is_good(pem: str, signature: str, content: bytes) -> bool:
    """RSA with SHA-256 (PKCS#1 or PSS) or ECDSA with SHA-256, the signature in base64."""
    key = certificates(pem)[0].public_key()
    try:
        raw = base64.b64decode(signature, validate=True)
    except ValueError:
        return False
    if isinstance(key, ec.EllipticCurvePublicKey):
        return _passes(partial(key.verify, raw, content, ec.ECDSA(hashes.SHA256())))
    if isinstance(key, rsa.RSAPublicKey):
        paddings = (padding.PKCS1v15(), padding.PSS(padding.MGF1(hashes.SHA256()), padding.PSS.AUTO))
        return any(_passes(partial(key.verify, raw, content, way, hashes.SHA256())) for way in paddings)
    return False


def hash_data(pem: str) -> Payload:
    """A CertificateHashDataType of a root, which is its own issuer."""
    certificate = certificates(pem)[0]
    key = certificate.public_key().public_bytes(
        serialization.Encoding.DER, serialization.PublicFormat.SubjectPublicKeyInfo
    )
    return {
        "hashAlgorithm": "SHA256",
        "issuerNameHash": hashlib.sha256(certificate.issuer.public_bytes()).hexdigest(),
        "issuerKeyHash": hashlib.sha256(_key_bits(certificate, key)).hexdigest(),
        "serialNumber": f"{certificate.serial_number:x}",
    }


def _key_bits(certificate: x509.Certificate, spki: bytes) -> bytes:
    """The BIT STRING of the key without its tag, length and count of unused bits."""
    key = certificate.public_key()
    if isinstance(key, rsa.RSAPublicKey):
        return key.public_bytes(serialization.Encoding.DER, serialization.PublicFormat.PKCS1)
    if isinstance(key, ec.EllipticCurvePublicKey):
        return key.public_bytes(serialization.Encoding.X962, serialization.PublicFormat.UncompressedPoint)
    return spki


def _issued(child: x509.Certificate, parent: x509.Certificate) -> bool:
    try:
        child.verify_directly_issued_by(parent)
    except (ValueError, TypeError, InvalidSignature):
        return False
    return True


def _passes(check: Callable[[], object]) -> bool:
    try:
        check()
    except InvalidSignature:
        return False
    return True


def _spki(key: PublicKeyTypes) -> bytes:
    found: bytes = key.public_bytes(serialization.Encoding.DER, serialization.PublicFormat.SubjectPublicKeyInfo)
    return found
