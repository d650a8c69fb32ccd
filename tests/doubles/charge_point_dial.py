"""A virtual charge point dials: the WebSocket handshake with the credentials its security profile asks for.

Profile 0 has none, 1 is HTTP Basic in clear, 2 is TLS with Basic, 3 is TLS with a client certificate. With TLS the
server is verified against the roots the station holds, by name too. Source: OCPP-J 1.6 §3, §6.2; security whitepaper
A00; OCPP 2.0.1 A00. Start at `dial`.
"""

import ssl
import tempfile
from base64 import b64encode
from pathlib import Path

from websockets.asyncio.client import ClientConnection, connect
from websockets.typing import Subprotocol

from tests.doubles.charge_point_faults import Faults
from tests.doubles.charge_point_flash import Flash, address


async def dial(flash: Flash, identity: str, subprotocol: str, faults: Faults) -> ClientConnection:
    """Raises OSError (which certificate errors are), InvalidHandshake or TimeoutError."""
    network = flash.current
    offered = faults.wrong_subprotocol or subprotocol
    names = [] if faults.no_subprotocol else [Subprotocol(name.strip()) for name in offered.split(",")]
    headers = {}
    if flash.password is not None and network.profile != 3:
        headers["Authorization"] = basic(faults.user_name or identity, flash.password)
    return await connect(
        address(network.url, identity),
        subprotocols=names or None,
        additional_headers=headers,
        ssl=tls_context(flash) if network.url.startswith("wss:") else None,
        compression=None,
        ping_interval=None,
        open_timeout=10.0,
        close_timeout=1.0,
        user_agent_header=None,
        proxy=None,
        max_size=None,
    )


def basic(user: str, password: bytes) -> str:
    return "Basic " + b64encode(user.encode() + b":" + password).decode()


def tls_context(flash: Flash) -> ssl.SSLContext:
    """Trusts the installed roots alone. Raises ssl.SSLError when what the flash holds does not fit together."""
    context = ssl.SSLContext(ssl.PROTOCOL_TLS_CLIENT)
    context.minimum_version = ssl.TLSVersion.TLSv1_2
    roots = "\n".join(flash.roots_for_tls())
    if roots:
        context.load_verify_locations(cadata=roots)
    if flash.current.profile == 3 and flash.certificate and flash.key:
        with tempfile.TemporaryDirectory() as folder:
            chain, key = Path(folder, "chain.pem"), Path(folder, "key.pem")
            chain.write_text(flash.certificate)
            key.touch(mode=0o600)
            key.write_text(flash.key)
            context.load_cert_chain(chain, key)
    return context
