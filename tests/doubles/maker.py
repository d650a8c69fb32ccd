"""A certificate authority outside the site, such as a charge point maker's: a root, and certificates under it.

Made anew for each test, in memory. No code of the product. Start at `Maker`.
"""

import base64
from datetime import UTC, datetime, timedelta

from cryptography import x509
from cryptography.hazmat.primitives import hashes, serialization
from cryptography.hazmat.primitives.asymmetric import ec
from cryptography.hazmat.primitives.asymmetric.types import CertificatePublicKeyTypes
from cryptography.x509.oid import NameOID

SINCE = datetime(2020, 1, 1, tzinfo=UTC)


class Maker:
    """`root` is PEM."""

    def __init__(self, name: str = "Maker Root") -> None:
        self._key = ec.generate_private_key(ec.SECP256R1())
        self._name = x509.Name([x509.NameAttribute(NameOID.COMMON_NAME, name)])
        self._root = (
            self._builder(self._name, self._key.public_key())
            .add_extension(x509.BasicConstraints(ca=True, path_length=None), critical=True)
            .add_extension(x509.SubjectKeyIdentifier.from_public_key(self._key.public_key()), critical=False)
            .sign(self._key, hashes.SHA256())
        )
        self.root = self._root.public_bytes(serialization.Encoding.PEM).decode()

    def issue(self, common_name: str) -> tuple[str, str]:
        """A certificate and its key, both PEM."""
        key = ec.generate_private_key(ec.SECP256R1())
        subject = x509.Name([x509.NameAttribute(NameOID.COMMON_NAME, common_name)])
        return self._certificate(subject, key.public_key()), _private(key)

    def sign_request(self, request: str) -> str:
        """A certificate for a signing request."""
        found = x509.load_pem_x509_csr(request.encode())
        assert found.is_signature_valid
        key = found.public_key()
        return self._certificate(found.subject, key)

    def server(self, *hosts: str) -> tuple[str, str]:
        """A server's certificate for these names, and its key."""
        key = ec.generate_private_key(ec.SECP256R1())
        names = x509.SubjectAlternativeName([x509.DNSName(host) for host in hosts])
        subject = x509.Name([x509.NameAttribute(NameOID.COMMON_NAME, hosts[0])])
        builder = self._builder(subject, key.public_key()).add_extension(names, critical=False)
        return self._signed(builder), _private(key)

    @staticmethod
    def signature(key: str, content: bytes) -> str:
        """As a firmware is signed: ECDSA with SHA-256, in base64."""
        private = serialization.load_pem_private_key(key.encode(), None)
        assert isinstance(private, ec.EllipticCurvePrivateKey)
        return base64.b64encode(private.sign(content, ec.ECDSA(hashes.SHA256()))).decode()

    def _certificate(self, subject: x509.Name, key: CertificatePublicKeyTypes) -> str:
        return self._signed(self._builder(subject, key))

    def _signed(self, builder: x509.CertificateBuilder) -> str:
        issuer = x509.AuthorityKeyIdentifier.from_issuer_public_key(self._key.public_key())
        made = builder.add_extension(issuer, critical=False).sign(self._key, hashes.SHA256())
        return made.public_bytes(serialization.Encoding.PEM).decode()

    def _builder(self, subject: x509.Name, key: CertificatePublicKeyTypes) -> x509.CertificateBuilder:
        return (
            x509.CertificateBuilder()
            .subject_name(subject)
            .issuer_name(self._name)
            .public_key(key)
            .serial_number(x509.random_serial_number())
            .not_valid_before(SINCE)
            .not_valid_after(SINCE + timedelta(days=365 * 20))
        )


def _private(key: ec.EllipticCurvePrivateKey) -> str:
    return key.private_bytes(
        serialization.Encoding.PEM, serialization.PrivateFormat.PKCS8, serialization.NoEncryption()
    ).decode()
