"""The opening handshake of a station's socket: a plain request is answered without the library's detours.

`websockets` reads the request. It would then wait for it and for the end of the socket at once, take apart a second
time what `handshake.mend` has put right, and build its answer header by header: a third of what a station costs that
comes back. Whatever is not plain is still answered by the library. Not here: whether the caller is let in (`server`).
Source: RFC 6455 §4.2. Start at `OpeningSocket.handshake`.
"""

import email.utils
import re
from collections.abc import Awaitable, Callable
from datetime import datetime
from functools import lru_cache
from http import HTTPStatus
from typing import Any

import structlog
from websockets.asyncio.server import ServerConnection
from websockets.http11 import Request, Response
from websockets.protocol import Event, State
from websockets.typing import Subprotocol
from websockets.utils import accept_key

from edge_agent.charge_points.station_socket import StationSocket
from sitelink.clock import Clock

log = structlog.get_logger()

Greet = Callable[[ServerConnection, Request], Awaitable[Response | None] | Response | None]
_KEY = re.compile(r"[A-Za-z0-9+/]{22}==")
"""Sixteen bytes."""
_PLAIN = (("Upgrade", ("websocket",)), ("Connection", ("upgrade", "keep-alive, upgrade")),
          ("Sec-WebSocket-Version", ("13",)))  # fmt: skip


class OpeningSocket(StationSocket):
    """One that knows, once the request is greeted, which subprotocol to answer with."""

    clock: Clock

    @property
    def chosen(self) -> str | None:
        raise NotImplementedError

    async def handshake(
        self, process_request: Greet | None = None, process_response: Any = None, server_header: str | None = None
    ) -> None:
        """As the library's. `process_response` and `server_header` are not for this server."""
        await self.request_rcvd
        request = self.request
        if request is None:  # the socket is gone
            return
        refusal = await self._greeted(process_request, request)
        plain = None
        if refusal is None and self.server.is_serving() and not self._takes_extensions(request):
            plain = plain_answer(request, self.chosen, self.clock.now())
        if plain is None:
            await self._answer(refusal or self.protocol.accept(request))
        elif self.protocol.state is State.CONNECTING:
            self.protocol.accept_called = True
            self.protocol.subprotocol = Subprotocol(self.chosen) if self.chosen is not None else None
            self.protocol.state = State.OPEN
            self.transport.write(plain)

    async def _greeted(self, greet: Greet | None, request: Request) -> Response | None:
        try:
            response = greet(self, request) if greet is not None else None
            return await response if isinstance(response, Awaitable) else response
        except Exception as error:
            self.protocol.handshake_exc = error
            log.exception("handshake_failed")
            return self.protocol.reject(HTTPStatus.INTERNAL_SERVER_ERROR, "Something went wrong here.\n")

    async def _answer(self, response: Response) -> None:
        if response.status_code == HTTPStatus.SWITCHING_PROTOCOLS and not self.server.is_serving():
            response = self.protocol.reject(HTTPStatus.SERVICE_UNAVAILABLE, "Not any longer.\n")
        self.response = response
        if self.protocol.state is State.CONNECTING:
            async with self.send_context(expected_state=State.CONNECTING):
                self.protocol.send_response(response)

    def _takes_extensions(self, request: Request) -> bool:
        return bool(self.protocol.available_extensions) and "Sec-WebSocket-Extensions" in request.headers

    def process_event(self, event: Event) -> None:
        if self.request is None and self.request_rcvd.done():
            return  # nobody waited so long
        super().process_event(event)

    def connection_lost(self, exc: Exception | None) -> None:
        super().connection_lost(exc)
        if not self.request_rcvd.done():
            self.request_rcvd.set_result(None)


def plain_answer(request: Request, subprotocol: str | None, now: datetime) -> bytes | None:
    """What answers a request in which all stands as it should; None: the library is to look at it."""
    headers = request.headers
    keys = headers.get_all("Sec-WebSocket-Key")
    if request.method != "GET" or request.protocol != "HTTP/1.1" or len(keys) != 1 or not _KEY.fullmatch(keys[0]):
        return None
    for name, values in _PLAIN:
        said = headers.get_all(name)
        if len(said) != 1 or said[0].casefold() not in values:
            return None
    if len(headers.get_all("Origin")) > 1:
        return None
    chosen = f"Sec-WebSocket-Protocol: {subprotocol}\r\n" if subprotocol is not None else ""
    return (
        f"HTTP/1.1 101 Switching Protocols\r\nDate: {_date(now.replace(microsecond=0))}\r\nUpgrade: websocket\r\n"
        f"Connection: Upgrade\r\nSec-WebSocket-Accept: {accept_key(keys[0])}\r\n{chosen}\r\n"
    ).encode()


@lru_cache(maxsize=1)
def _date(now: datetime) -> str:
    return email.utils.format_datetime(now, usegmt=True)
