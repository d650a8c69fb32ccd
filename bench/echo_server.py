"""The floor to compare with: confirms every OCPP 1.6 CALL at once, checks nothing, stores nothing.

Start at `main`; it prints its port and runs until terminated.
"""

import asyncio
import json
import signal
import sys
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
}


async def _confirm(socket: ServerConnection) -> None:
    try:
        async for text in socket:
            frame = json.loads(text)
            await socket.send(json.dumps([3, frame[1], ANSWERS.get(frame[2], {})]))
    except ConnectionClosed:
        pass


async def run(port: int) -> None:
    ended = asyncio.Event()
    for number in (signal.SIGINT, signal.SIGTERM):
        asyncio.get_running_loop().add_signal_handler(number, ended.set)
    protocols = [Subprotocol("ocpp1.6")]
    async with serve(
        _confirm, "127.0.0.1", port, subprotocols=protocols, compression=None, ping_interval=None
    ) as server:
        print(next(iter(server.sockets)).getsockname()[1], flush=True)
        await ended.wait()


def main() -> None:
    asyncio.run(run(int(sys.argv[1]) if len(sys.argv) > 1 else 0))


if __name__ == "__main__":
    main()
