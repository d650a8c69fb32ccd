"""What a failed attempt means, as a code people have words for. Pure. Start at `verdict_of`. Source: RELIABILITY N6.

Nothing is sent to whoever is not our cloud: before the handshake of the WebSocket only the handshake itself went out.
"""

import socket
import ssl
from typing import NamedTuple

from websockets.exceptions import InvalidHandshake, InvalidProxyStatus, InvalidStatus, InvalidUpgrade, ProxyError

CERTIFICATE_NOT_YET_VALID = 9
CERTIFICATE_HAS_EXPIRED = 10
"""OpenSSL's X509_V_ERR_CERT_NOT_YET_VALID and _HAS_EXPIRED."""
_BY_STATUS = {401: "refused", 403: "refused", 404: "no_cloud_there", 407: "proxy_password", 429: "asked_to_wait"}


class Verdict(NamedTuple):
    """`after_s`: what the other side asks for, 0 where it says nothing."""

    code: str
    after_s: float = 0


def verdict_of(error: BaseException) -> Verdict:
    """A code of web_ui.wording."""
    if isinstance(error, InvalidProxyStatus):
        return Verdict("proxy_password" if error.response.status_code == 407 else "proxy")
    if isinstance(error, ProxyError):
        return Verdict("proxy")
    if isinstance(error, InvalidStatus):
        return _of_status(error)
    if isinstance(error, (InvalidUpgrade, InvalidHandshake)):
        return Verdict("captive_portal")
    if isinstance(error, ssl.SSLCertVerificationError):
        clock = error.verify_code in (CERTIFICATE_NOT_YET_VALID, CERTIFICATE_HAS_EXPIRED)
        return Verdict("certificate_date" if clock else "certificate")
    if isinstance(error, ssl.SSLError):
        return Verdict("tls")
    if isinstance(error, socket.gaierror):
        return Verdict("dns")
    if isinstance(error, TimeoutError):
        return Verdict("no_answer_there")
    return Verdict("connection_refused" if isinstance(error, ConnectionRefusedError) else "unreachable")


def _of_status(error: InvalidStatus) -> Verdict:
    status, headers = error.response.status_code, error.response.headers
    after_s = _seconds(headers.get("Retry-After", ""))
    if status in (301, 302, 303, 307, 308) or status < 300:  # a portal's page, or its address
        return Verdict("captive_portal", after_s)
    if status >= 500:
        return Verdict("cloud_trouble", after_s)
    return Verdict(_BY_STATUS.get(status, "no_cloud_there"), after_s)


def _seconds(text: str) -> float:
    return float(text) if text.isdecimal() and len(text) < 8 else 0.0
