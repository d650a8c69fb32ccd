"""The servers to compare with, one mode each; prints its port and runs until terminated.

    raw           `websockets` alone: every CALL is confirmed at once, nothing is checked, nothing is stored
    raw-aiohttp   the same with aiohttp's WebSocket server
    stock         the `ocpp` library's own ChargePoint, as its documentation shows it: validates, stores nothing
    stock-commit  the same, and one row and one SQLite commit (WAL, synchronous FULL) for every call but Heartbeat

`--fsync-ms` makes each commit take so much longer. Start at `main`.
"""

import argparse
import asyncio
import contextlib
import json
import signal
import sqlite3
import tempfile
import time
from datetime import UTC, datetime
from pathlib import Path
from typing import Any

from websockets.asyncio.server import ServerConnection, serve
from websockets.exceptions import ConnectionClosed
from websockets.typing import Subprotocol

NOW = "2026-01-01T00:00:00Z"
ANSWERS: dict[str, dict[str, Any]] = {
    "BootNotification": {"status": "Accepted", "interval": 300, "currentTime": NOW},
    "Authorize": {"idTagInfo": {"status": "Accepted"}},
    "Heartbeat": {"currentTime": NOW},
    "StartTransaction": {"transactionId": 1, "idTagInfo": {"status": "Accepted"}},
    "DataTransfer": {"status": "UnknownVendorId"},
}
PROTOCOLS = [Subprotocol("ocpp1.6"), Subprotocol("ocpp2.0.1")]


async def raw(socket: ServerConnection) -> None:
    with contextlib.suppress(ConnectionClosed):
        async for text in socket:
            frame = json.loads(text)
            await socket.send(json.dumps([3, frame[1], ANSWERS.get(frame[2], {})]))


async def raw_aiohttp(port: int, ended: asyncio.Event) -> None:
    """As `raw`, without compression too."""
    from aiohttp import WSMsgType, web

    async def confirm(request: web.Request) -> web.WebSocketResponse:
        socket = web.WebSocketResponse(protocols=PROTOCOLS, compress=False)
        await socket.prepare(request)
        async for message in socket:
            if message.type is WSMsgType.TEXT:
                frame = json.loads(message.data)
                await socket.send_str(json.dumps([3, frame[1], ANSWERS.get(frame[2], {})]))
        return socket

    app = web.Application()
    app.router.add_get("/{identity}", confirm)
    runner = web.AppRunner(app)
    await runner.setup()
    try:
        await web.TCPSite(runner, "127.0.0.1", port).start()
        print(runner.addresses[0][1], flush=True)
        await ended.wait()
    finally:
        await runner.cleanup()


class Commits:
    """One commit a call, on the event loop, as the plainest program would."""

    def __init__(self, folder: str, fsync_ms: float) -> None:
        self._extra_s = fsync_ms / 1000
        self._connection = sqlite3.connect(Path(folder) / "reference.db", isolation_level=None)
        self._connection.execute("PRAGMA journal_mode = WAL")
        self._connection.execute("PRAGMA synchronous = FULL")
        self._connection.execute("CREATE TABLE call (id INTEGER PRIMARY KEY, station TEXT, body TEXT)")

    def keep(self, station: str, body: dict[str, Any]) -> None:
        self._connection.execute("BEGIN IMMEDIATE")
        self._connection.execute("INSERT INTO call (station, body) VALUES (?, ?)", (station, json.dumps(body)))
        self._connection.execute("COMMIT")
        if self._extra_s:
            time.sleep(self._extra_s)


def _now() -> str:
    return datetime.now(UTC).isoformat().replace("+00:00", "Z")


def stock(commits: Commits | None) -> Any:
    """The handler of the stock library, for both versions."""
    from ocpp.routing import on
    from ocpp.v16 import ChargePoint as ChargePoint16
    from ocpp.v16 import call_result as result16
    from ocpp.v16.datatypes import IdTagInfo
    from ocpp.v16.enums import AuthorizationStatus, RegistrationStatus
    from ocpp.v201 import ChargePoint as ChargePoint201
    from ocpp.v201 import call_result as result201
    from ocpp.v201.enums import RegistrationStatusEnumType

    accepted = IdTagInfo(status=AuthorizationStatus.accepted)

    def keep(station: str, said: dict[str, Any]) -> None:
        if commits is not None:
            commits.keep(station, said)

    class Stock16(ChargePoint16):
        @on("BootNotification")
        def on_boot(self, **said: Any) -> Any:
            keep(self.id, said)
            return result16.BootNotification(current_time=_now(), interval=300, status=RegistrationStatus.accepted)

        @on("Heartbeat")
        def on_heartbeat(self) -> Any:
            return result16.Heartbeat(current_time=_now())

        @on("StatusNotification")
        def on_status(self, **said: Any) -> Any:
            keep(self.id, said)
            return result16.StatusNotification()

        @on("Authorize")
        def on_authorize(self, **said: Any) -> Any:
            keep(self.id, said)
            return result16.Authorize(id_tag_info=accepted)

        @on("MeterValues")
        def on_meter_values(self, **said: Any) -> Any:
            keep(self.id, said)
            return result16.MeterValues()

        @on("StartTransaction")
        def on_start(self, **said: Any) -> Any:
            keep(self.id, said)
            return result16.StartTransaction(transaction_id=1, id_tag_info=accepted)

        @on("StopTransaction")
        def on_stop(self, **said: Any) -> Any:
            keep(self.id, said)
            return result16.StopTransaction()

    class Stock201(ChargePoint201):
        @on("BootNotification")
        def on_boot(self, **said: Any) -> Any:
            keep(self.id, said)
            status = RegistrationStatusEnumType.accepted
            return result201.BootNotification(current_time=_now(), interval=300, status=status)

        @on("StatusNotification")
        def on_status(self, **said: Any) -> Any:
            keep(self.id, said)
            return result201.StatusNotification()

        @on("TransactionEvent")
        def on_transaction_event(self, **said: Any) -> Any:
            keep(self.id, said)
            return result201.TransactionEvent()

    async def handle(socket: ServerConnection) -> None:
        assert socket.request is not None
        identity = socket.request.path.strip("/")
        kind = Stock16 if socket.subprotocol == "ocpp1.6" else Stock201
        with contextlib.suppress(ConnectionClosed):
            await kind(identity, socket).start()

    return handle


async def run(options: argparse.Namespace) -> None:
    ended = asyncio.Event()
    for number in (signal.SIGINT, signal.SIGTERM):
        asyncio.get_running_loop().add_signal_handler(number, ended.set)
    if options.mode == "raw-aiohttp":
        await raw_aiohttp(options.port, ended)
        return
    with tempfile.TemporaryDirectory(dir=options.folder) as folder:
        commits = Commits(folder, options.fsync_ms) if options.mode == "stock-commit" else None
        handler = raw if options.mode == "raw" else stock(commits)
        async with serve(
            handler, "127.0.0.1", options.port, subprotocols=PROTOCOLS, compression=None, ping_interval=None
        ) as server:
            print(next(iter(server.sockets)).getsockname()[1], flush=True)
            await ended.wait()


def main() -> None:
    parser = argparse.ArgumentParser(prog="reference_server", description="A server to compare with.")
    parser.add_argument("mode", choices=["raw", "raw-aiohttp", "stock", "stock-commit"])
    parser.add_argument("--port", type=int, default=0)
    parser.add_argument("--fsync-ms", type=float, default=0.0)
    parser.add_argument("--folder", default=None, help="where the database of stock-commit goes")
    asyncio.run(run(parser.parse_args()))


if __name__ == "__main__":
    main()
