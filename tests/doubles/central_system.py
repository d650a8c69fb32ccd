"""A central system of a few lines, for the tests of the virtual charge point: it confirms everything and remembers it.

No product code, no judgement of payloads: the virtual charge point judges both sides itself. Start at `CentralSystem`.
"""

import asyncio
import json
import ssl
from collections.abc import AsyncIterator, Callable
from contextlib import asynccontextmanager
from typing import Any

from websockets.asyncio.server import ServerConnection, serve
from websockets.exceptions import ConnectionClosed
from websockets.http11 import Request, Response
from websockets.typing import Subprotocol

from tests.doubles.charge_point_dial import basic
from tests.doubles.charge_point_frames import Version

Answer = Callable[[dict[str, Any]], dict[str, Any] | None]
TIME = {"currentTime": "2026-01-01T10:00:00.000Z"}


async def until(condition: Callable[[], object], timeout_s: float = 10.0) -> None:
    async with asyncio.timeout(timeout_s):
        while not condition():  # noqa: ASYNC110 (the condition may be anything)
            await asyncio.sleep(0.005)


class CentralSystem:
    """`answers` overrides by action; None from one of them is silence. `calls` is all that came, in order."""

    def __init__(self, version: Version = "1.6") -> None:
        self.version = version
        self.calls: list[tuple[str, dict[str, Any]]] = []
        self.sends: list[tuple[str, dict[str, Any]]] = []
        """Messages of type 6 (2.1)."""
        self.result_errors: list[list[Any]] = []
        """Messages of type 5 (2.1)."""
        self.broken: list[str] = []
        self.answers: dict[str, Answer] = {}
        self.results: dict[str, Any] = {}
        self.protocols: list[str | None] = []
        self.sockets: list[ServerConnection] = []
        self.authorizations: list[str | None] = []
        """The Authorization header of each handshake, refused ones included."""
        self.password: bytes | None = None
        """When set, a handshake without it is refused."""
        self.url = ""
        self._transaction_id = 100

    def of(self, action: str) -> list[dict[str, Any]]:
        return [payload for name, payload in self.calls if name == action]

    def events(self, kind: str = "") -> list[dict[str, Any]]:
        """TransactionEvents, all or those of a kind."""
        return [each for each in self.of("TransactionEvent") if kind in ("", each["eventType"])]

    async def call(self, action: str, payload: dict[str, Any]) -> Any:
        """The payload of the result, or the code of the error."""
        message_id = f"cs-{len(self.results)}-{action}"[:36]
        await self.sockets[-1].send(json.dumps([2, message_id, action, payload]))
        await until(lambda: message_id in self.results)
        return self.results[message_id]

    async def serve_one(self, socket: ServerConnection) -> None:
        self.sockets.append(socket)
        self.protocols.append(socket.subprotocol)
        try:
            async for text in socket:
                await self._take(socket, str(text))
        except ConnectionClosed:
            pass

    def check(self, connection: ServerConnection, request: Request) -> Response | None:
        self.authorizations.append(request.headers.get("Authorization"))
        if self.password is None:
            return None
        user = request.path.rpartition("/")[2]
        right = self.authorizations[-1] == basic(user, self.password)
        return None if right else connection.respond(401, "no\n")

    async def _take(self, socket: ServerConnection, text: str) -> None:
        try:
            frame = json.loads(text)
        except ValueError:
            self.broken.append(text)
            return
        match frame[0]:
            case 2:
                _, message_id, action, payload = frame
                self.calls.append((action, payload))
                answer = self.answers.get(action, self._default(action))(payload)
                if answer is not None:
                    await socket.send(json.dumps([3, message_id, answer]))
            case 5:
                self.result_errors.append(frame)
            case 6:
                self.sends.append((frame[2], frame[3]))
            case _:
                self.results[frame[1]] = frame[2]

    def _default(self, action: str) -> Answer:
        match action:
            case "BootNotification":
                return lambda _: {"status": "Accepted", "interval": 300, **TIME}
            case "Heartbeat":
                return lambda _: TIME
            case "StartTransaction":
                return lambda _: {"transactionId": self._next_transaction_id(), "idTagInfo": {"status": "Accepted"}}
            case "Authorize":
                name = "idTagInfo" if self.version == "1.6" else "idTokenInfo"
                return lambda _: {name: {"status": "Accepted"}}
            case "TransactionEvent":
                return lambda event: {"idTokenInfo": {"status": "Accepted"}} if "idToken" in event else {}
            case "SignCertificate" | "OpenPeriodicEventStream":
                return lambda _: {"status": "Accepted"}
        return lambda _: {}

    def _next_transaction_id(self) -> int:
        self._transaction_id += 1
        return self._transaction_id


@asynccontextmanager
async def central_system(version: Version = "1.6", tls: ssl.SSLContext | None = None) -> AsyncIterator[CentralSystem]:
    """Listening on a port of its own."""
    system = CentralSystem(version)
    wanted = Subprotocol(f"ocpp{version}")

    def choose(_: ServerConnection, offered: Any) -> Subprotocol | None:
        return wanted if wanted in offered else None

    async with serve(
        system.serve_one, "127.0.0.1", 0, select_subprotocol=choose, process_request=system.check, ssl=tls
    ) as server:
        port = next(iter(server.sockets)).getsockname()[1]
        system.url = f"wss://localhost:{port}" if tls else f"ws://127.0.0.1:{port}"
        yield system
