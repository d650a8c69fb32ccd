"""TLS as charge points and phones get it: versions, suites, client certificates, and buffers of a bearable size.

Start at `station_context`. Sources: SECURITY §3.1 (A00.FR.313, FR.318, FR.321); PERFORMANCE finding 5.
"""

import asyncio.sslproto
import ssl
from collections.abc import Iterable
from pathlib import Path
from typing import Any

import structlog

log = structlog.get_logger()

SUITES = ("ECDHE-ECDSA-AES128-GCM-SHA256", "ECDHE-ECDSA-AES256-GCM-SHA384", "ECDHE-RSA-AES128-GCM-SHA256",
          "ECDHE-RSA-AES256-GCM-SHA384")  # fmt: skip
"""For TLS 1.2; TLS 1.3 has its own. The two with ECDHE and ECDSA are half of what A00.FR.318 asks for."""
SUITES_WITHOUT_FORWARD_SECRECY = ("AES128-GCM-SHA256", "AES256-GCM-SHA384")
"""TLS_RSA_…, the other half: whoever gets the key later reads everything recorded before. By setting only."""
BUFFER_BYTES = 16 * 1024


def server_context(*, rsa_suites: bool = False) -> ssl.SSLContext:
    """Without certificates yet; `use` gives it some."""
    context = ssl.SSLContext(ssl.PROTOCOL_TLS_SERVER)
    context.minimum_version = ssl.TLSVersion.TLSv1_2
    suites = (*SUITES, *(SUITES_WITHOUT_FORWARD_SECRECY if rsa_suites else ()))
    context.set_ciphers(":".join(suites))
    context.options |= ssl.OP_NO_COMPRESSION | ssl.OP_NO_RENEGOTIATION | ssl.OP_CIPHER_SERVER_PREFERENCE
    return context


def station_context(roots: Iterable[bytes], *, rsa_suites: bool = False) -> ssl.SSLContext:
    """Asks for a client certificate and takes none for an answer; one that does not verify ends the handshake.

    `roots`: PEM of every authority whose client certificates count.
    """
    context = server_context(rsa_suites=rsa_suites)
    context.verify_mode = ssl.CERT_OPTIONAL
    for root in roots:
        context.load_verify_locations(cadata=root.decode("ascii", "replace"))
    return context


def use(context: ssl.SSLContext, chain_file: Path, key_file: Path) -> None:
    """Send this chain from now on. One certificate a kind of key: another of the same kind takes its place."""
    context.load_cert_chain(chain_file, key_file)


def shrink_buffers() -> bool:
    """Make asyncio hold 16 KiB per TLS connection instead of 256. False, and a warning, where it no longer works so.

    `max_size` is asyncio's own attribute and no promise of Python's, hence the look before.
    """
    protocol: Any = asyncio.sslproto.SSLProtocol
    if not isinstance(getattr(protocol, "max_size", None), int):
        log.warning("tls_buffers_not_set", reason="asyncio has changed")
        return False
    protocol.max_size = BUFFER_BYTES
    return True
