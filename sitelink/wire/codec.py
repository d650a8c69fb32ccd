"""Frames as text and back. Pure. Start at `encode` and `decode`.

Limits stand in front of the parser: a peer that is authenticated may still be broken.
"""

import zlib
from collections.abc import Iterable
from typing import Any

import msgspec

from sitelink.wire.messages import MESSAGE_MAX_BYTES, AnyMessage, Message

_encoder = msgspec.json.Encoder()
_decoder: msgspec.json.Decoder[Any] = msgspec.json.Decoder(AnyMessage)


class _Tag(msgspec.Struct):
    type: str = ""


_tag = msgspec.json.Decoder(_Tag)
_KNOWN = frozenset(str(each.__struct_config__.tag) for each in AnyMessage.__args__)


class FrameInvalid(Exception):
    """One sentence for the log; the link is closed."""


def encode(message: Message) -> bytes:
    """One JSON object in UTF-8."""
    return _encoder.encode(message)


def decode(data: bytes | str) -> AnyMessage | None:
    """None: of a type this version does not know, to be passed over. Raises FrameInvalid."""
    size = len(data)
    if size > MESSAGE_MAX_BYTES:
        raise FrameInvalid(f"a frame of {size} bytes, {MESSAGE_MAX_BYTES} are allowed")
    try:
        if _tag.decode(data).type not in _KNOWN:
            return None
        message: AnyMessage = _decoder.decode(data)
    except (msgspec.DecodeError, UnicodeDecodeError, RecursionError) as error:
        raise FrameInvalid(f"a frame that is none: {error}") from error
    return message


def crc_of_ops(bodies: Iterable[bytes | msgspec.Raw]) -> int:
    """CRC-32 over the ops as they are sent, one after the other."""
    crc = 0
    for body in bodies:
        crc = zlib.crc32(bytes(body), crc)
    return crc
