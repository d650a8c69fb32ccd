"""A station's WebSocket as the shell wants it: whole messages as they come, and a say in when more is read.

`websockets` keeps the protocol (RFC 6455): masks, lengths, fragments, control frames, close codes, sizes. Messages are
handed on from its callback instead of by `recv`, and written without a task of their own: half of what a message would
cost otherwise is waking tasks. The commonest frame, one short text message that came whole and alone, is unmasked and
framed right here, in a fifth of the time; every other one is the library's. Not here: what a message says. Start at
`StationSocket.listen`.
"""

import asyncio
import contextlib
from collections import deque
from collections.abc import Callable
from typing import Any

from websockets.asyncio.server import ServerConnection
from websockets.exceptions import ConnectionClosed
from websockets.frames import Frame, Opcode
from websockets.protocol import Event, Protocol, State

try:
    from websockets.speedups import apply_mask
except ImportError:  # a build of the library without its C part
    from websockets.utils import apply_mask

TURN_BYTES = 4096
WHOLE_TEXT = 0x81
"""The first byte of a text frame that is a message of its own: FIN, opcode 1, no extension's bits."""
MASKED = 0x80
LENGTH_FOLLOWS = 126
"""This length and above say that the length stands in the next two (eight) bytes."""
_DATA = frozenset({Opcode.TEXT, Opcode.BINARY, Opcode.CONT})


class Turns:
    """Those who sent much at once, one after the other; after each turn all others have as long as it took."""

    def __init__(self) -> None:
        self._waiting: deque[Callable[[], None]] = deque()
        self._runs = False

    def queue(self, turn: Callable[[], None]) -> None:
        self._waiting.append(turn)
        if not self._runs:
            self._runs = True
            asyncio.get_running_loop().call_soon(self._run)

    def _run(self) -> None:
        loop = asyncio.get_running_loop()
        began = loop.time()
        try:
            self._waiting.popleft()()
        finally:
            self._runs = bool(self._waiting)
            if self._runs:
                loop.call_later(loop.time() - began, self._run)


class StationSocket(ServerConnection):
    """Messages that come before `listen` wait, and nothing more is read then."""

    turns: Turns
    """Shared by all sockets of a port."""

    # With the library's attributes they would be more than 30, for which Python keeps a dictionary of 1.5 KiB each.
    __slots__ = ("_backlog", "_between_frames", "_early", "_end", "_held", "_on_frame", "_on_message", "_partial",
                 "_waits")  # fmt: skip

    def __init__(self, *arguments: Any, **options: Any) -> None:
        super().__init__(*arguments, **options)
        self.drain_waiters = []  # type: ignore[assignment]  # it is added to and taken from; an empty deque is 0.7 KiB
        self._on_frame: Callable[[Opcode], None] | None = None
        self._on_message: Callable[[bytes], None] | None = None
        self._partial: bytearray | None = None
        """The fragments of a message that is not whole yet; how large they may grow is limited by `max_size`."""
        self._early: tuple[bytes, ...] = ()
        self._held = False
        self._end: asyncio.TimerHandle | None = None
        self._waits = False
        """For its turn."""
        self._between_frames = False
        """Whether what comes next is the first byte of a frame, and the library has no part of one."""
        self._backlog = bytearray()
        """Read, and not looked at yet. While there is some, or it is held, nothing more is read."""

    def listen(self, on_frame: Callable[[Opcode], None], on_message: Callable[[bytes], None]) -> None:
        """`on_frame` hears of every frame, pings and pongs included, before `on_message` gets the message it ends."""
        self._on_frame, self._on_message = on_frame, on_message
        for said in (self.request, self.response):  # 2 KiB nobody asks for again
            if said is not None:
                said.headers.clear()
        early, self._early = self._early, ()
        self.release()
        for message in early:
            on_message(message)

    def data_received(self, data: bytes) -> None:
        """A little at a time: a read of 256 KiB may be 37,000 fragments, and everybody else would wait for them."""
        if self._backlog or self._held or len(data) > TURN_BYTES:
            if not self._backlog and not self._held:
                self.transport.pause_reading()
            self._backlog += data
            self._take_turns()
        else:
            self._parse(data)

    def _take_turns(self) -> None:
        if not self._waits and not self._held:
            self._waits = True
            self.turns.queue(self._take_turn)

    def _take_turn(self) -> None:
        """Some of what was read and not looked at yet."""
        self._waits = False
        if self._held or not self._backlog:  # it may have ended meanwhile
            return
        data = bytes(self._backlog[:TURN_BYTES])
        del self._backlog[:TURN_BYTES]
        self._parse(data)
        if self._backlog:
            self._take_turns()
        elif not self._held and not self.transport.is_closing():
            self.transport.resume_reading()

    def eof_received(self) -> None:
        """What came before the end is still looked at."""
        if self._backlog:
            self._parse(bytes(self._backlog))
            self._backlog.clear()
        super().eof_received()

    def _parse(self, data: bytes) -> None:
        if self._between_frames and self._on_message is not None:
            message = _message_of(data)
            if message is not None and self._on_frame is not None and self.protocol.state is State.OPEN:
                self._on_frame(Opcode.TEXT)
                self._on_message(message)
                return
        super().data_received(data)
        self._between_frames = self._partial is None and _awaits_frame(self.protocol)
        if self._end is None and self.close_deadline is not None:  # one that broke the protocol need not close its side
            self._end = self.loop.call_at(self.close_deadline, self.transport.abort)

    def connection_lost(self, exc: Exception | None) -> None:
        if self._end is not None:
            self._end.cancel()
        self._backlog.clear()
        super().connection_lost(exc)
        if self.protocol.parser_exc is not None:  # its frames hold what was read, and it them, until a collector comes
            self.protocol.parser_exc.__traceback__ = None

    def process_event(self, event: Event) -> None:
        if not isinstance(event, Frame):
            super().process_event(event)
            return
        if self._on_frame is not None:
            self._on_frame(event.opcode)
        if event.opcode in _DATA:
            self._take(event)
        else:
            super().process_event(event)

    def _take(self, frame: Frame) -> None:
        if self._partial is not None:
            self._partial += frame.data
        elif not frame.fin:
            self._partial = bytearray(frame.data)
        if not frame.fin:
            return
        message = bytes(frame.data) if self._partial is None else bytes(self._partial)
        self._partial = None
        if self._on_message is not None:
            self._on_message(message)
        else:
            self._early += (message,)
            self.hold()

    # ---- how fast ----

    def hold(self) -> None:
        """Read nothing more until `release`: what the station sends then waits in the network."""
        if not self._held:
            self._held = True
            if not self._backlog and not self.transport.is_closing():
                self.transport.pause_reading()

    def release(self) -> None:
        if self._held:
            self._held = False
            if self._backlog:
                self._take_turns()
            elif not self.transport.is_closing():
                self.transport.resume_reading()

    # ---- what we say ----

    def write(self, text: str) -> None:
        """A whole text message, into the buffer of the socket; nothing where the socket is closed or closing."""
        if self.protocol.state is not State.OPEN or self.transport.is_closing():
            return
        data = text.encode()
        if len(data) < 0x10000 and not self.protocol.extensions:
            self.transport.write(_frame_of(data))
        else:
            self.protocol.send_text(data)
            self.send_data()

    def write_ping(self) -> None:
        """Nobody waits for its pong."""
        if self.protocol.state is State.OPEN and not self.transport.is_closing():
            self.protocol.send_ping(b"")
            self.send_data()

    @property
    def is_full(self) -> bool:
        """The station does not read what is written."""
        return self.paused

    async def emptied(self) -> None:
        """Until it does, or is gone."""
        with contextlib.suppress(OSError, ConnectionClosed):
            await self.drain()


def _message_of(data: bytes) -> bytes | None:
    """The message of a masked frame that is all of `data`; None: it is anything else (RFC 6455 §5.2)."""
    if len(data) < 6 or data[0] != WHOLE_TEXT:
        return None
    size, start = data[1] - MASKED, 6
    if size == LENGTH_FOLLOWS:
        size, start = data[2] << 8 | data[3], 8
        if size < LENGTH_FOLLOWS:
            return None
    elif not 0 <= size < LENGTH_FOLLOWS:
        return None
    return apply_mask(data[start:], data[start - 4 : start]) if len(data) == start + size else None


def _frame_of(message: bytes) -> bytes:
    """A text message below 64 KiB as one frame of a server: not masked (RFC 6455 §5.1)."""
    size = len(message)
    if size < LENGTH_FOLLOWS:
        return bytes((WHOLE_TEXT, size)) + message
    return bytes((WHOLE_TEXT, LENGTH_FOLLOWS, size >> 8, size & 0xFF)) + message


def _awaits_frame(protocol: Protocol) -> bool:
    """Whether its parser stands between two frames: there it looks whether the stream has ended."""
    waits: Any = protocol.parser
    while (inner := getattr(waits, "gi_yieldfrom", None)) is not None:
        waits = inner
    return getattr(waits, "__name__", "") == "at_eof"
