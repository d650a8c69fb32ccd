"""The site's certificate authority: its root, and what it signs. Makes and reads certificates; keeps no files.

One RSA root signs everything: a charge point that offers the suites of A00.FR.318 checks RSA signatures whatever its
own key is. Its dates are wide because charge points' clocks are wrong before their first boot is answered, and end
before 2050, where old software misreads them. Sources: SECURITY §3.1 and §3.4 (12); OCPP 2.0.1 A00.FR.501 to 512;
OCPP.md §4.5. Start at `make_root`.
"""

import ipaddress
from dataclasses import dataclass
from datetime import UTC, datetime, timedelta

from cryptography import x509
from cryptography.exceptions import InvalidSignature
from cryptography.hazmat.primitives import hashes, serialization
from cryptography.hazmat.primitives.asymmetric import ec, rsa
from cryptography.x509.oid import ExtendedKeyUsageOID, NameOID

from edge_agent.certificates.names import Damaged, KeyKind, Names

ROOT_BITS = 3072
LEAF_BITS = 2048
ROOT_BEGINS = datetime(2000, 1, 1, tzinfo=UTC)
ROOT_ENDS = datetime(2049, 12, 31, 23, 59, 59, tzinfo=UTC)
LEAF_DAYS = 398
BACKDATED = timedelta(days=1)
"""A certificate is valid from a day ago: clocks that are a little late, zones taken for UTC."""
ORGANISATION = "Gatepost"
NAME_MAX_CHARACTERS = 64

PrivateKey = rsa.RSAPrivateKey | ec.EllipticCurvePrivateKey


@dataclass(frozen=True)
class Holder:
    """A certificate and its private key. Never shown: `repr` would print the key's object only, but do not log it."""

    certificate: x509.Certificate
    key: PrivateKey

    @property
    def certificate_pem(self) -> bytes:
        return self.certificate.public_bytes(serialization.Encoding.PEM)

    @property
    def key_pem(self) -> bytes:
        plain = serialization.NoEncryption()
        return self.key.private_bytes(serialization.Encoding.PEM, serialization.PrivateFormat.PKCS8, plain)


def new_key(kind: KeyKind, bits: int = LEAF_BITS) -> PrivateKey:
    if kind is KeyKind.ECDSA:
        return ec.generate_private_key(ec.SECP256R1())
    return rsa.generate_private_key(65537, bits)


def make_root(site: str, bits: int = ROOT_BITS) -> Holder:
    """A new authority, named so that two boxes are told apart in a charge point's list."""
    key = new_key(KeyKind.RSA, bits)
    name = _name(f"Gatepost site CA {site}")
    usage = _usage(key_cert_sign=True, crl_sign=True, digital_signature=True)
    builder = (
        x509.CertificateBuilder().subject_name(name).issuer_name(name).public_key(key.public_key())
        .serial_number(x509.random_serial_number()).not_valid_before(ROOT_BEGINS).not_valid_after(ROOT_ENDS)
        .add_extension(x509.BasicConstraints(ca=True, path_length=0), critical=True)
        .add_extension(usage, critical=True)
        .add_extension(x509.SubjectKeyIdentifier.from_public_key(key.public_key()), critical=False)
    )  # fmt: skip
    return Holder(builder.sign(key, hashes.SHA256()), key)


def issue_server(root: Holder, kind: KeyKind, names: Names, now: datetime) -> Holder:
    """A certificate of the box itself, for all its names and addresses, with a key of its own."""
    key = new_key(kind)
    others: list[x509.GeneralName] = [x509.DNSName(host) for host in names.hosts]
    others += [x509.IPAddress(ipaddress.ip_address(address)) for address in names.addresses]
    builder = _leaf(root, _name(names.first), key.public_key(), now, ExtendedKeyUsageOID.SERVER_AUTH, _is_rsa(key))
    if others:
        builder = builder.add_extension(x509.SubjectAlternativeName(others), critical=False)
    return Holder(_sign(root, builder), key)


def issue_client(
    root: Holder, subject: x509.Name, public_key: rsa.RSAPublicKey | ec.EllipticCurvePublicKey, now: datetime
) -> x509.Certificate:
    """A charge point's certificate: the key is its own, the subject what was checked of its request."""
    is_rsa = isinstance(public_key, rsa.RSAPublicKey)
    return _sign(root, _leaf(root, subject, public_key, now, ExtendedKeyUsageOID.CLIENT_AUTH, is_rsa))


def names_of(certificate: x509.Certificate) -> Names:
    """The names a certificate of ours stands for, in its order."""
    try:
        others = certificate.extensions.get_extension_for_class(x509.SubjectAlternativeName).value
    except x509.ExtensionNotFound:
        return Names()
    addresses = tuple(str(each) for each in others.get_values_for_type(x509.IPAddress))
    return Names(tuple(others.get_values_for_type(x509.DNSName)), addresses)


def read_holder(certificate_pem: bytes, key_pem: bytes) -> Holder:
    """Raises Damaged where they are unreadable or do not belong together."""
    try:
        certificate = x509.load_pem_x509_certificate(certificate_pem)
        key = serialization.load_pem_private_key(key_pem, None)
    except (ValueError, TypeError, x509.InvalidVersion) as error:
        raise Damaged(str(error)) from error
    if not isinstance(key, rsa.RSAPrivateKey | ec.EllipticCurvePrivateKey):
        raise Damaged("a key of another kind")
    if _spki(key.public_key()) != _spki(certificate.public_key()):
        raise Damaged("the key is not the certificate's")
    return Holder(certificate, key)


def is_issued_by(certificate: x509.Certificate, root: Holder) -> bool:
    """By name and signature; a root made anew may have the old one's name."""
    try:
        certificate.verify_directly_issued_by(root.certificate)
    except (ValueError, TypeError, InvalidSignature):
        return False
    return True


def serial_of(certificate: x509.Certificate) -> str:
    """As it is shown and compared: upper-case hex of an even number of digits."""
    return serial_text(certificate.serial_number)


def serial_text(number: int) -> str:
    text = f"{number:X}"
    return text if len(text) % 2 == 0 else f"0{text}"


def _name(common_name: str) -> x509.Name:
    return x509.Name(
        [
            x509.NameAttribute(NameOID.ORGANIZATION_NAME, ORGANISATION),
            x509.NameAttribute(NameOID.COMMON_NAME, common_name[:NAME_MAX_CHARACTERS]),
        ]
    )


def _leaf(
    root: Holder, subject: x509.Name, public_key: rsa.RSAPublicKey | ec.EllipticCurvePublicKey, now: datetime,
    purpose: x509.ObjectIdentifier, is_rsa: bool,
) -> x509.CertificateBuilder:  # fmt: skip
    begins = now.astimezone(UTC).replace(microsecond=0) - BACKDATED
    authority = x509.SubjectKeyIdentifier.from_public_key(root.key.public_key())
    return (
        x509.CertificateBuilder().subject_name(subject).issuer_name(root.certificate.subject).public_key(public_key)
        .serial_number(x509.random_serial_number()).not_valid_before(begins)
        .not_valid_after(min(begins + timedelta(days=LEAF_DAYS), ROOT_ENDS))
        .add_extension(x509.BasicConstraints(ca=False, path_length=None), critical=True)
        .add_extension(_usage(digital_signature=True, key_encipherment=is_rsa), critical=True)
        .add_extension(x509.ExtendedKeyUsage([purpose]), critical=False)
        .add_extension(x509.SubjectKeyIdentifier.from_public_key(public_key), critical=False)
        .add_extension(x509.AuthorityKeyIdentifier.from_issuer_subject_key_identifier(authority), critical=False)
    )  # fmt: skip


def _usage(**allowed: bool) -> x509.KeyUsage:
    kinds = ("digital_signature", "content_commitment", "key_encipherment", "data_encipherment", "key_agreement",
             "key_cert_sign", "crl_sign", "encipher_only", "decipher_only")  # fmt: skip
    return x509.KeyUsage(**{kind: allowed.get(kind, False) for kind in kinds})


def _sign(root: Holder, builder: x509.CertificateBuilder) -> x509.Certificate:
    return builder.sign(root.key, hashes.SHA256())


def _is_rsa(key: PrivateKey) -> bool:
    return isinstance(key, rsa.RSAPrivateKey)


def _spki(key: object) -> bytes:
    form = serialization.PublicFormat.SubjectPublicKeyInfo
    return key.public_bytes(serialization.Encoding.DER, form)  # type: ignore[attr-defined, no-any-return]
