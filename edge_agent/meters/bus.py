"""One bus: requests one after the other, silence between them, and no answer taken for another's.

The only module that knows pymodbus. An answer counts when it has the address, function and length that were asked for
(and the transaction, where there is one); after anything else the line is left alone until late answers have gone by.
Start at `Bus.read`. Sources: METERS §6.2, RELIABILITY O9.
"""

import asyncio
import logging
from collections.abc import Awaitable, Callable, Iterator
from contextlib import contextmanager, suppress
from typing import Any

import msgspec

from edge_agent.meters.identify import Read
from sitelink.meter_endpoints import Endpoint

LATE_S = 1.5
"""So long after a request that was not answered its answer may still come."""
QUIET_S = 0.2
"""A line on which nothing was heard for so long is quiet."""
NOISE_MAX_S = 4.0
"""On a line that is never quiet there is nothing to wait for."""
CONNECT_S = 3.0
TCP_ANSWER_S = 1.0
SERIAL_ANSWER_S = 0.5
"""Beside the time the bits take."""
DEAD_AFTER = 3
"""So many requests without any answer end a TCP connection: it may be half open."""
BITS = 11
"""Of a byte on a serial line, about."""


class BusTrouble(Exception):
    """Why there is no answer.

    `code`: unreachable (no port, no connection), busy (another program has the port), silent, garbled (noise, or what
    nobody asked for), refused (the meter says no; `exception` is its number).
    """

    def __init__(self, code: str, detail: str = "", exception: int = 0) -> None:
        super().__init__(code, detail)
        self.code = code
        self.detail = detail
        self.exception = exception


class Answered(msgspec.Struct, frozen=True):
    """What pymodbus brought, in our words."""

    registers: tuple[int, ...] = ()
    names: tuple[str, str] | None = None


class Bus:
    """Whoever reads waits for its turn. Close it when it is not needed: it keeps a serial port for itself."""

    def __init__(self, endpoint: Endpoint, *, late_s: float = LATE_S) -> None:
        self.endpoint = endpoint
        self._late_s = late_s
        self._turn = asyncio.Lock()
        self._client: Any = None
        self._sent_at = 0.0
        self._heard_at = 0.0
        self._heard = 0
        self._doubtful = False
        self._unanswered = 0

    async def read(self, unit: int, read: Read, *, silence_s: float = 0.02, within_s: float | None = None) -> Answered:
        """Registers of one meter, or its names (function 43). Raises BusTrouble."""
        async with self._turn:
            await self._open()
            await self._wait_for_quiet(silence_s)
            try:
                with _no_cancel_lost():
                    answer = await self._ask(unit, read, within_s or self._patience_s(read))
            except BusTrouble as trouble:
                if trouble.code == "refused":  # an answer like any other
                    self._unanswered = 0
                    raise
                self._doubtful = True
                self._unanswered += 1
                if self._is_to_be_opened_anew():
                    self._close()
                raise
            self._unanswered = 0
            return answer

    async def open(self) -> None:
        """Only that: whether it can be. Raises BusTrouble."""
        async with self._turn:
            await self._open()

    async def close(self) -> None:
        async with self._turn:
            self._close()

    # ---- a request ----

    async def _ask(self, unit: int, read: Read, within_s: float) -> Answered:
        client, heard = self._client, self._heard
        self._sent_at = self._now()
        try:
            async with asyncio.timeout(within_s):
                pdu = await _requests(client, unit, read)
        except TimeoutError:
            raise BusTrouble("silent" if self._heard == heard else "garbled") from None
        except Exception as error:  # pymodbus has several, and its transport others
            if not client.connected:
                self._close()
                raise BusTrouble("unreachable", type(error).__name__) from error
            raise BusTrouble("silent" if self._heard == heard else "garbled", type(error).__name__) from error
        return _understood(pdu, read)

    def _patience_s(self, read: Read) -> float:
        if not self.endpoint.is_serial:
            return TCP_ANSWER_S
        return SERIAL_ANSWER_S + BITS * (8 + 5 + 2 * max(read.count, 32)) / self.endpoint.speed

    async def _wait_for_quiet(self, silence_s: float) -> None:
        """Nothing is sent while anything may still be on its way."""
        began = self._now()
        if self._doubtful and self.endpoint.is_line:  # elsewhere answers name the request they belong to
            until = self._sent_at + self._late_s
            while (now := self._now()) < max(until, self._heard_at + QUIET_S):
                if now - began > NOISE_MAX_S + self._late_s:
                    break
                await asyncio.sleep(min(QUIET_S, max(0.01, until - now)))
        self._doubtful = False
        left = max(self._heard_at, self._sent_at) + silence_s - self._now()
        if left > 0:
            await asyncio.sleep(left)

    # ---- the connection ----

    async def _open(self) -> None:
        if self._client is not None and self._client.connected:
            return
        self._close()
        if self.endpoint.is_serial:
            await _see_whether_it_opens(self.endpoint)
        client = _client(self.endpoint, self._passing)
        try:
            with _no_cancel_lost():
                async with asyncio.timeout(CONNECT_S + 1):
                    opened = await client.connect()
        except Exception as error:
            client.close()
            raise BusTrouble("unreachable", type(error).__name__) from error
        if not opened:
            client.close()
            raise BusTrouble("unreachable")
        self._client, self._unanswered, self._doubtful = client, 0, True
        if self.endpoint.rs485:
            _drive_rs485(client)

    def _close(self) -> None:
        if self._client is not None:
            with suppress(Exception):  # an adapter that was pulled out
                self._client.close()
        self._client = None

    def _is_to_be_opened_anew(self) -> bool:
        if self.endpoint.kind == "rtu-over-tcp":
            return True  # most of what the gateway still sends is for the old connection
        return not self.endpoint.is_serial and self._unanswered >= DEAD_AFTER

    def _passing(self, sending: bool, data: bytes) -> bytes:
        """Hears every byte, whether it makes a frame or not."""
        if not sending and data:
            self._heard_at = self._now()
            self._heard += 1
        return data

    @staticmethod
    def _now() -> float:
        return asyncio.get_running_loop().time()


@contextmanager
def _no_cancel_lost() -> Iterator[None]:
    """pymodbus waits with `asyncio.wait_for`, which loses a cancel that comes with an answer (cpython issue 86296)."""
    task = asyncio.current_task()
    before = task.cancelling() if task else 0
    try:
        yield
    finally:
        if task is not None and task.cancelling() > before:
            raise asyncio.CancelledError


def load() -> None:
    """What takes a while the first time; for a thread."""
    import pymodbus.client  # noqa: F401
    import serial  # noqa: F401


def _requests(client: Any, unit: int, read: Read) -> Awaitable[Any]:
    if read.function == 43:
        call: Awaitable[Any] = client.read_device_information(read_code=1, object_id=0, device_id=unit)
        return call
    ask: Callable[..., Awaitable[Any]] = (
        client.read_holding_registers if read.function == 3 else client.read_input_registers
    )
    return ask(read.at, count=read.count, device_id=unit)


def _understood(pdu: Any, read: Read) -> Answered:
    """Raises BusTrouble for what answers another question."""
    if pdu is None:
        raise BusTrouble("garbled")
    if pdu.isError():
        code = int(getattr(pdu, "exception_code", 0))
        if pdu.function_code & 0x7F != read.function:
            raise BusTrouble("garbled", "function")
        raise BusTrouble("refused", exception=code)
    if pdu.function_code != read.function:
        raise BusTrouble("garbled", "function")
    if read.function == 43:
        names = [bytes(pdu.information.get(number, b"")).decode("ascii", "ignore") for number in (0, 1)]
        return Answered(names=(names[0], names[1]))
    registers = tuple(pdu.registers)
    if len(registers) != read.count:
        raise BusTrouble("garbled", "length")
    return Answered(registers)


def _client(endpoint: Endpoint, passing: Callable[[bool, bytes], bytes]) -> Any:
    from pymodbus import FramerType
    from pymodbus.client import AsyncModbusSerialClient, AsyncModbusTcpClient, AsyncModbusUdpClient

    logging.getLogger("pymodbus.logging").setLevel(logging.CRITICAL)
    shared: dict[str, Any] = {"timeout": CONNECT_S, "retries": 0, "reconnect_delay": 0, "trace_packet": passing}
    if endpoint.is_serial:
        return AsyncModbusSerialClient(
            endpoint.device, framer=FramerType.RTU, baudrate=endpoint.speed, parity=endpoint.parity,
            stopbits=endpoint.stop_bits, **shared,
        )  # fmt: skip
    if endpoint.kind == "udp":
        return AsyncModbusUdpClient(endpoint.host, port=endpoint.port, **shared)
    framer = FramerType.RTU if endpoint.kind == "rtu-over-tcp" else FramerType.SOCKET
    return AsyncModbusTcpClient(endpoint.host, framer=framer, port=endpoint.port, **shared)


async def _see_whether_it_opens(endpoint: Endpoint) -> None:
    """In a thread: opening a port may take as long as an adapter likes. Raises BusTrouble."""
    import serial

    def look() -> None:
        serial.Serial(
            endpoint.device, endpoint.speed, parity=endpoint.parity, stopbits=endpoint.stop_bits, exclusive=True
        ).close()

    try:
        async with asyncio.timeout(CONNECT_S):
            await asyncio.to_thread(look)
    except TimeoutError as error:
        raise BusTrouble("unreachable", "opening takes too long") from error
    except (OSError, ValueError) as error:
        busy = getattr(error, "errno", None) in (11, 16)
        raise BusTrouble("busy" if busy else "unreachable", str(error)) from error


def _drive_rs485(client: Any) -> None:
    """The kernel turns the driver round, where the port can; adapters do it by themselves."""
    from serial.rs485 import RS485Settings

    with suppress(OSError, ValueError, AttributeError):
        client.ctx.transport.sync_serial.rs485_mode = RS485Settings()
