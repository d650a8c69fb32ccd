"""A real MQTT broker (mosquitto) on this machine, for as long as a block runs. Start at `running_broker`."""

import asyncio
import os
from collections.abc import AsyncIterator
from contextlib import asynccontextmanager
from pathlib import Path

import aiomqtt

from tests.doubles.demo_processes import free_port

MOSQUITTO = "/usr/sbin/mosquitto"


class RunningBroker:
    def __init__(self, port: int, config: Path) -> None:
        self.port = port
        self._config = config
        self._process: asyncio.subprocess.Process | None = None

    async def start(self) -> None:
        self._process = await asyncio.create_subprocess_exec(
            MOSQUITTO, "-c", str(self._config), stdout=asyncio.subprocess.DEVNULL, stderr=asyncio.subprocess.DEVNULL
        )
        async with asyncio.timeout(20):
            while True:
                try:
                    _, writer = await asyncio.open_connection("127.0.0.1", self.port)
                except OSError:
                    await asyncio.sleep(0.05)
                    continue
                writer.close()
                return

    async def stop(self) -> None:
        if self._process is not None and self._process.returncode is None:
            self._process.terminate()
            await self._process.wait()

    @asynccontextmanager
    async def heard(
        self, topic: str = "#", username: str | None = None, password: str | None = None
    ) -> AsyncIterator[dict[str, bytes]]:
        """What stands on each topic, as it comes in."""
        found: dict[str, bytes] = {}
        async with aiomqtt.Client("127.0.0.1", self.port, username=username, password=password) as client:
            await client.subscribe(topic, qos=1)

            async def listen() -> None:
                async for message in client.messages:
                    found[str(message.topic)] = bytes(message.payload)

            task = asyncio.ensure_future(listen())
            try:
                yield found
            finally:
                task.cancel()
                await asyncio.gather(task, return_exceptions=True)


@asynccontextmanager
async def running_broker(folder: Path, lines: str = "allow_anonymous true\n") -> AsyncIterator[RunningBroker]:
    port = free_port(0)
    config = folder / "mosquitto.conf"
    user = "user root\n" if os.geteuid() == 0 else ""
    config.write_text(f"listener {port} 127.0.0.1\npersistence false\n{user}{lines}")
    broker = RunningBroker(port, config)
    await broker.start()
    try:
        yield broker
    finally:
        await broker.stop()
