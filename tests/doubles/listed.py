"""Charge points of OCPP 2.x on a bare socket that answer what the box asks of its own accord. Start at `Teller`."""

import asyncio
import contextlib
from collections.abc import AsyncIterator, Callable
from contextlib import asynccontextmanager
from typing import Any

from websockets.exceptions import ConnectionClosed

from tests.doubles.ocpp_box import OcppBox, Socket

TIME = "2026-11-23T12:00:00Z"
BOOT = {"reason": "PowerUp", "chargingStation": {"vendorName": "Acme", "model": "P2", "serialNumber": "S1"}}
Answer = dict[str, Any] | Callable[[dict[str, Any]], dict[str, Any] | None] | None


class Teller:
    """Answers each call of the box with what `answers` has for its action, NotImplemented where it has nothing.

    A function there is given the payload; what it returns is the answer, None: none at all.
    """

    def __init__(self, socket: Socket, answers: dict[str, Answer]) -> None:
        self.socket = socket
        self.answers = answers
        self.asked: list[tuple[str, dict[str, Any]]] = []
        self._waiting: dict[str, asyncio.Future[list[Any]]] = {}

    async def call(self, action: str, payload: dict[str, Any]) -> list[Any]:
        """The frame that answers."""
        id_ = self.socket.fresh_id()
        self._waiting[id_] = asyncio.get_running_loop().create_future()
        await self.socket.send([2, id_, action, payload])
        async with asyncio.timeout(5):
            return await self._waiting[id_]

    async def listen(self) -> None:
        with contextlib.suppress(ConnectionClosed):
            while True:
                frame = await self.socket.receive(60)
                if frame[0] == 2:
                    await self._answer(frame)
                elif frame[1] in self._waiting:
                    self._waiting.pop(frame[1]).set_result(frame)

    async def _answer(self, frame: list[Any]) -> None:
        _, id_, action, payload = frame
        self.asked.append((action, payload))
        said = self.answers.get(action)
        if callable(said):
            said = said(payload)
            if said is None:
                return
        if said is None:
            await self.socket.send([4, id_, "NotImplemented", "", {}])
        else:
            await self.socket.send([3, id_, said])

    def count(self, action: str) -> int:
        return sum(asked == action for asked, _ in self.asked)

    def last(self, action: str) -> dict[str, Any]:
        return next(payload for asked, payload in reversed(self.asked) if asked == action)


@asynccontextmanager
async def teller(
    box: OcppBox, version: str, answers: dict[str, Answer], *, boot: dict[str, Any] | None = None
) -> AsyncIterator[Teller]:
    """Connected as CP001; booted with `boot`, unless that is empty."""
    async with box.station(offer=[f"ocpp{version}"]) as socket:
        told = Teller(socket, answers)
        listening = asyncio.ensure_future(told.listen())
        try:
            said = BOOT if boot is None else boot
            if said:
                assert (await told.call("BootNotification", said))[2]["status"] == "Accepted"
            yield told
        finally:
            listening.cancel()
            with contextlib.suppress(asyncio.CancelledError):
                await listening
