"""A virtual charge point that can wait: for a change, for a while of its own time, and for work beside everything else.

No network here. Start at `PatientStation.until`.
"""

import asyncio
from collections.abc import Callable, Coroutine
from dataclasses import dataclass
from typing import Any

from tests.doubles.charge_point_frames import Payload
from tests.doubles.charge_point_station import Station


@dataclass(frozen=True, slots=True)
class Restart:
    """Why the station goes down: the reason that ends charges, and the one it gives when it boots (2.x)."""

    stop_reason: str = "SoftReset"
    boot_reason: str = "RemoteReset"
    when_idle: bool = False
    resumes: bool = False
    """Charges go on afterwards (2.1)."""


@dataclass(frozen=True, slots=True)
class Outgoing:
    """A message somebody asked for. `kept` ones survive the loss of the link."""

    action: str
    payload: Payload
    kept: bool = False


class PatientStation(Station):
    """`speed` shortens every interval of its own. `run` of the class below owns the tasks."""

    speed: float
    _life_tasks: asyncio.TaskGroup | None = None
    _next_change: "asyncio.Future[None] | None" = None

    async def wait_until(self, condition: Callable[[], object], timeout_s: float = 10.0) -> None:
        """For tests: until `condition` is true. Raises TimeoutError after `timeout_s` real seconds."""
        async with asyncio.timeout(timeout_s):
            while not condition():
                await asyncio.wait([self._change()], timeout=0.05)

    async def until(self, condition: Callable[[], object]) -> None:
        """For its own work: as long as it takes."""
        while not condition():
            await self.next_change()

    async def rest(self, seconds: float) -> None:
        """`seconds` of its own time."""
        await asyncio.sleep(seconds / self.speed)

    async def rest_unless(self, seconds: float, condition: Callable[[], object]) -> None:
        try:
            async with asyncio.timeout(seconds / self.speed):
                await self.until(condition)
        except TimeoutError:
            pass

    async def next_change(self) -> None:
        await asyncio.wait([self._change()])

    def work(self, job: Coroutine[Any, Any, Any]) -> "asyncio.Task[Any] | None":
        """Something that takes its time, beside everything else. Ends with the station; None when it has ended."""
        if self._life_tasks is None:
            job.close()
            return None
        return self._life_tasks.create_task(job)

    def _change(self) -> "asyncio.Future[None]":
        if self._next_change is None or self._next_change.done():
            self._next_change = asyncio.get_running_loop().create_future()
        return self._next_change

    def _changed(self) -> None:
        """Wakes who waits for something."""
        if self._next_change is not None and not self._next_change.done():
            self._next_change.set_result(None)
