"""A charge point that costs next to nothing: frames built by hand, so that the server is what is measured.

Its frames are masked with the key 0, which is a mask like any other to who reads them and none to who writes them.
Start at `Charger.connect`; `call` is for setting up, `stream` for measuring.
"""

import asyncio
import json
import ssl
import time
from collections.abc import Callable, Generator
from typing import Any

Script = Generator[bytes, bytes, None]
"""Yields frames to send, is sent the text that answered each."""


def frame_of(text: bytes) -> bytes:
    """A whole masked text frame (RFC 6455 §5.2)."""
    length = len(text)
    if length < 126:
        head = b"\x81" + bytes((0x80 | length,))
    elif length < 65536:
        head = b"\x81\xfe" + length.to_bytes(2, "big")
    else:
        head = b"\x81\xff" + length.to_bytes(8, "big")
    return head + b"\0\0\0\0" + text


class Charger(asyncio.Protocol):
    """`answered` counts answers to `stream`; `latencies_s` grows where a list is given."""

    def __init__(self, identity: str, subprotocol: str) -> None:
        self.identity = identity
        self.answered = 0
        self.refused = 0
        self.times_s: list[float] | None = None
        self.transport: asyncio.Transport | None = None
        self.on_answer: Callable[[bytes], None] | None = None
        self.lost = asyncio.get_running_loop().create_future()
        self._subprotocol = subprotocol
        self._upgraded: asyncio.Future[None] = asyncio.get_running_loop().create_future()
        self._buffer = b""
        self._waiting: dict[str, asyncio.Future[Any]] = {}
        self._calls = 0
        self._script: Script | None = None
        self._sent_at = 0.0
        """0: no call of a stream is under way."""
        self._single = False
        self._last: bytes | None = None
        self._ended: asyncio.Future[None] | None = None

    @classmethod
    async def connect(cls, port: int, identity: str, subprotocol: str, tls: ssl.SSLContext | None = None) -> "Charger":
        loop = asyncio.get_running_loop()
        name = "127.0.0.1" if tls is not None else None
        _, charger = await loop.create_connection(
            lambda: cls(identity, subprotocol), "127.0.0.1", port, ssl=tls, server_hostname=name
        )
        await charger._upgraded
        return charger

    # ---- asyncio's side ----

    def connection_made(self, transport: asyncio.BaseTransport) -> None:
        assert isinstance(transport, asyncio.Transport)
        self.transport = transport
        transport.write(
            f"GET /{self.identity} HTTP/1.1\r\nHost: 127.0.0.1\r\nUpgrade: websocket\r\nConnection: Upgrade\r\n"
            "Sec-WebSocket-Key: dGhlIHNhbXBsZSBub25jZQ==\r\nSec-WebSocket-Version: 13\r\n"
            f"Sec-WebSocket-Protocol: {self._subprotocol}\r\n\r\n".encode()
        )

    def connection_lost(self, exc: Exception | None) -> None:
        error = ConnectionError(f"{self.identity} was cut off")
        for waiting in (self._upgraded, self._ended, *self._waiting.values()):
            if waiting is not None and not waiting.done():
                waiting.set_exception(error)
        if not self.lost.done():
            self.lost.set_result(None)

    def data_received(self, data: bytes) -> None:
        buffer = self._buffer + data if self._buffer else data
        if not self._upgraded.done():
            head, found, buffer = buffer.partition(b"\r\n\r\n")
            if not found:
                self._buffer = head
                return
            if b" 101 " not in head[:20]:
                self._upgraded.set_exception(ConnectionError(head[:60].decode()))
                return
            self._upgraded.set_result(None)
        place, size = 0, len(buffer)
        while size - place >= 2:
            opcode, length, start = buffer[place] & 15, buffer[place + 1], place + 2
            if length == 126:
                length, start = int.from_bytes(buffer[start : start + 2], "big"), start + 2
            elif length == 127:
                length, start = int.from_bytes(buffer[start : start + 8], "big"), start + 8
            if start > size or start + length > size:
                break
            place = start + length
            self._take(opcode, buffer[start:place])
        self._buffer = buffer[place:]

    def _take(self, opcode: int, text: bytes) -> None:
        if opcode == 9 and self.transport is not None:
            self.transport.write(b"\x8a" + bytes((0x80 | len(text),)) + b"\0\0\0\0" + text)
        elif opcode in (1, 2):
            if text[1] == 50:  # "2"
                self._answer(json.loads(text))
            elif self._script is not None:
                self._next(text)
            else:
                _, id_, *rest = json.loads(text)
                waiting = self._waiting.pop(id_, None)
                if waiting is not None and not waiting.done():
                    waiting.set_result(rest[0])
        elif opcode == 8 and self.transport is not None:
            self.transport.close()

    def _answer(self, call: list[Any]) -> None:
        """What the server asks while it is not measured."""
        if call[2] == "GetConfiguration":
            value = {"key": "NumberOfConnectors", "readonly": True, "value": "1"}
            self.send(json.dumps([3, call[1], {"configurationKey": [value]}]).encode())
        else:
            self.send(json.dumps([4, call[1], "NotSupported", "", {}]).encode())

    # ---- ours ----

    def send(self, text: bytes) -> None:
        assert self.transport is not None
        self.transport.write(frame_of(text))

    async def call(self, action: str, payload: dict[str, Any]) -> Any:
        self._calls += 1
        id_ = f"c{self._calls}"
        waiting = self._waiting[id_] = asyncio.get_running_loop().create_future()
        self.send(json.dumps([2, id_, action, payload]).encode())
        return await waiting

    def stream(self, script: Script, times_s: list[float] | None = None) -> asyncio.Future[None]:
        """One call after the other, each when the one before is answered, until the script ends or `stop`."""
        self._script, self.times_s = script, times_s
        self._ended = asyncio.get_running_loop().create_future()
        self._sent_at = time.perf_counter()
        self.send(next(script))
        return self._ended

    def one(self, script: Script, times_s: list[float]) -> bool:
        """The next call of the script, once. False: the one before is not answered yet."""
        if self._sent_at:
            return False
        following = script.send(self._last) if script is self._script and self._last is not None else next(script)
        self.times_s, self._script, self._single = times_s, script, True
        self._sent_at = time.perf_counter()
        self.send(following)
        return True

    def stop(self) -> None:
        """After the answer that is under way."""
        if self._script is not None:
            self._script.close()

    def _next(self, text: bytes) -> None:
        now = time.perf_counter()
        self.answered += 1
        if text[1] != 51:  # "3"
            self.refused += 1
        if self.times_s is not None:
            self.times_s.append(now - self._sent_at)
        assert self._script is not None
        if self._single:
            self._last, self._sent_at, self._single = text, 0.0, False
            return
        try:
            following = self._script.send(text)
        except StopIteration:
            self._script, self._sent_at = None, 0.0
            if self._ended is not None and not self._ended.done():
                self._ended.set_result(None)
            return
        self._sent_at = time.perf_counter()
        self.send(following)

    def close(self) -> None:
        if self.transport is not None:
            self.transport.close()
