"""Where a meter is reached: the address a person writes, read and checked. Pure. Start at `endpoint_of`.

`tcp://192.0.2.7`, `tcp://192.0.2.7:1502`, `rtu-over-tcp://192.0.2.8:4001`, `udp://192.0.2.9`,
`rtu:///dev/ttyUSB0?speed=9600&parity=N&stop_bits=1&rs485=yes`.
"""

import ipaddress
import re
from typing import Literal
from urllib.parse import parse_qs, unquote, urlsplit

import msgspec

Kind = Literal["tcp", "rtu-over-tcp", "udp", "rtu"]
Parity = Literal["N", "E", "O"]
PORT = 502
SPEEDS = (1200, 2400, 4800, 9600, 19200, 38400, 57600, 115200)
ADDRESSES = range(1, 248)
"""Of a serial line; beyond it TCP devices take 0 to 255."""
_HOST = re.compile(r"[A-Za-z0-9.:_-]{1,253}")
_SITE_NAMES = (".local", ".lan", ".home.arpa", ".internal")
_SERIAL_DEVICES = ("/dev/tty", "/dev/serial/")
_YES = {"yes": True, "no": False}


class EndpointInvalid(ValueError):
    """What is wrong with an address, and what it should look like; a sentence."""


class Endpoint(msgspec.Struct, frozen=True):
    """A bus or a connection. Meters of one endpoint are asked one after the other."""

    kind: Kind
    host: str = ""
    port: int = PORT
    device: str = ""
    speed: int = 9600
    parity: Parity = "N"
    stop_bits: int = 1
    rs485: bool = False

    @property
    def is_serial(self) -> bool:
        return self.kind == "rtu"

    @property
    def is_line(self) -> bool:
        """Its frames do not say which request they answer."""
        return self.kind in ("rtu", "rtu-over-tcp")

    @property
    def bus(self) -> str:
        """What only one may use at a time."""
        return self.device if self.is_serial else f"{self.kind}://{self.host}:{self.port}"

    @property
    def is_of_site(self) -> bool:
        """Whether it is a serial port, or on a private network: an installer's link is no way into the world."""
        if self.is_serial:
            return self.device.startswith(_SERIAL_DEVICES) and ".." not in self.device
        try:
            return ipaddress.ip_address(self.host).is_private
        except ValueError:
            return "." not in self.host or self.host.casefold().endswith(_SITE_NAMES)

    def __str__(self) -> str:
        if not self.is_serial:
            host = f"[{self.host}]" if ":" in self.host else self.host
            return f"{self.kind}://{host}:{self.port}"
        rs485 = "&rs485=yes" if self.rs485 else ""
        return f"rtu://{self.device}?speed={self.speed}&parity={self.parity}&stop_bits={self.stop_bits}{rs485}"


def endpoint_of(text: str) -> Endpoint:
    """Raises EndpointInvalid."""
    try:
        parts = urlsplit(text.strip())
        port = parts.port
    except ValueError as error:
        raise EndpointInvalid(f"{text!r} is no address: {error}") from error
    if parts.scheme == "rtu":
        return _serial(text, unquote(parts.path), parts.query)
    if parts.scheme not in ("tcp", "rtu-over-tcp", "udp"):
        raise EndpointInvalid(f"{text!r}: begin with tcp://, rtu-over-tcp://, udp:// or rtu:///dev/…")
    host = parts.hostname or ""
    if not _HOST.fullmatch(host) or parts.path not in ("", "/") or parts.query or parts.username:
        raise EndpointInvalid(f"{text!r}: write {parts.scheme}://HOST or {parts.scheme}://HOST:PORT")
    kinds: dict[str, Kind] = {"tcp": "tcp", "rtu-over-tcp": "rtu-over-tcp", "udp": "udp"}
    return Endpoint(kinds[parts.scheme], host, PORT if port is None else port)


def _serial(text: str, device: str, query: str) -> Endpoint:
    if not device.startswith("/") or device == "/" or "\0" in device:
        raise EndpointInvalid(f"{text!r}: write rtu:///dev/ttyUSB0, with the device's whole path")
    given = parse_qs(query, keep_blank_values=True)
    unknown = sorted(set(given) - {"speed", "parity", "stop_bits", "rs485"})
    if unknown:
        raise EndpointInvalid(f"{text!r}: {unknown[0]} is unknown; allowed are speed, parity, stop_bits, rs485")
    speed = given.get("speed", ["9600"])[-1]
    if not speed.isdecimal() or int(speed) not in SPEEDS:
        raise EndpointInvalid(f"{text!r}: speed is one of {', '.join(map(str, SPEEDS))}")
    parities: dict[str, Parity] = {"N": "N", "E": "E", "O": "O"}
    parity = given.get("parity", ["N"])[-1].upper()
    if parity not in parities:
        raise EndpointInvalid(f"{text!r}: parity is N, E or O")
    stop_bits = given.get("stop_bits", ["1"])[-1]
    if stop_bits not in ("1", "2"):
        raise EndpointInvalid(f"{text!r}: stop_bits is 1 or 2")
    rs485 = given.get("rs485", ["no"])[-1].lower()
    if rs485 not in _YES:
        raise EndpointInvalid(f"{text!r}: rs485 is yes or no")
    return Endpoint(
        "rtu", device=device, speed=int(speed), parity=parities[parity], stop_bits=int(stop_bits), rs485=_YES[rs485]
    )
