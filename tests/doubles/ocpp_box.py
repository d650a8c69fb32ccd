"""The OCPP port of a box with its journal in memory, and stations reduced to a socket that says what a test tells it.

Start at `ocpp_box`. For a believable station see `charge_point.py`.
"""

import asyncio
import itertools
import json
import ssl
from collections.abc import AsyncIterator, Callable
from contextlib import AsyncExitStack, asynccontextmanager
from typing import Any

from websockets.asyncio.client import ClientConnection, connect
from websockets.exceptions import ConnectionClosed
from websockets.typing import Subprotocol

from edge_agent.charge_points.server import OcppServer, OcppSettings, Timings
from edge_agent.site.admission import Policy
from edge_agent.site.desk import StationDesk
from edge_agent.site.dispatch import Dispatch
from edge_agent.site.feed import Feed
from edge_agent.site.jobs import JobService
from edge_agent.site.ports import Desk
from edge_agent.site.security_service import KeyPatience, SecurityService
from sitelink.ids import StationKey, station_key
from sitelink.model import Station
from sitelink.ops import Op
from tests.doubles.clock import FakeClock
from tests.doubles.core import job_file
from tests.doubles.memory_journal import MemoryJournal

HASTY = Timings(
    boot_gate_s=0.15, patience_s=0.4, slot_s=0.6, duplicate_probe_s=0.3, ping_every_s=20, handshake_s=2, close_s=0.5,
    drain_s=1, write_s=5,
    guess_penalty_s=0.05,
)  # fmt: skip
PATIENT = 5.0
BOOT = {"chargePointVendor": "Acme", "chargePointModel": "Post 2", "chargePointSerialNumber": "SN-1"}


async def until(condition: Callable[[], object], timeout_s: float = PATIENT) -> None:
    async with asyncio.timeout(timeout_s):
        while not condition():  # noqa: ASYNC110 (the condition may be anything)
            await asyncio.sleep(0.005)


class Socket:
    """A station's end of a connection. Frames of the box that are no answers to `call` wait in `frames`."""

    def __init__(self, socket: ClientConnection) -> None:
        self.socket = socket
        self._ids = itertools.count(1)

    @property
    def subprotocol(self) -> str | None:
        return self.socket.subprotocol

    async def send(self, frame: Any) -> None:
        await self.socket.send(frame if isinstance(frame, (str, bytes)) else json.dumps(frame))

    async def receive(self, timeout_s: float = PATIENT) -> list[Any]:
        async with asyncio.timeout(timeout_s):
            frame: list[Any] = json.loads(await self.socket.recv())
            return frame

    async def call(self, action: str, payload: Any = None, id_: str | None = None) -> list[Any]:
        """The frame that answers; calls of the box that come meanwhile are refused, as many stations do."""
        id_ = id_ or self.fresh_id()
        await self.send([2, id_, action, {} if payload is None else payload])
        return await self.answer_to(id_)

    def fresh_id(self) -> str:
        return f"m{next(self._ids)}"

    async def answer_to(self, id_: str) -> list[Any]:
        while True:
            frame = await self.receive()
            if frame[0] in (3, 4) and frame[1] == id_:
                return frame
            if frame[0] == 2:
                await self.send([4, frame[1], "NotImplemented", "", {}])

    async def asked(self, action: str) -> list[Any]:
        """The next call of the box, which must be this one."""
        frame = await self.receive()
        assert frame[0] == 2, frame
        assert frame[2] == action, frame
        return frame

    async def boot(self, **changes: Any) -> str:
        """Boot and say how many connectors there are; the status it was answered."""
        status: str = (await self.call("BootNotification", {**BOOT, **changes}))[2]["status"]
        if status == "Accepted":
            question = await self.asked("GetConfiguration")
            values = [{"key": "NumberOfConnectors", "readonly": True, "value": "2"}]
            await self.send([3, question[1], {"configurationKey": values, "unknownKey": []}])
        return status

    async def closed(self) -> int | None:
        async with asyncio.timeout(PATIENT):
            try:
                while True:
                    await self.socket.recv()
            except ConnectionClosed:
                return self.socket.close_code

    async def silence(self, seconds: float = 0.05) -> bool:
        try:
            await self.receive(seconds)
        except TimeoutError:
            return True
        return False


class OcppBox:
    """What `ocpp_box` gives."""

    def __init__(self, policy: Policy, settings: OcppSettings, desk: Callable[[StationDesk], Desk] | None) -> None:
        self.clock = FakeClock()
        self.journal = MemoryJournal(self.clock)
        real = StationDesk(self.journal, self.clock, policy)
        self.desk = desk(real) if desk is not None else real
        numbers = itertools.count(1)
        self.server = OcppServer(self.desk, self.clock, settings, lambda: f"box-{next(numbers)}")
        self.keys = SecurityService(
            self.journal, self.server, self.journal, KeyPatience(calls_again_s=0.1, shows_it_s=2)
        )
        self.jobs = JobService(
            self.journal, self.server, Dispatch(self.journal, self.server), Feed(self.journal), self.clock,
            self.journal, self.keys, lambda: f"id-{next(numbers)}", lambda: "ws://127.0.0.1/",
        )  # fmt: skip
        self.port = 0
        self.tls_port = 0

    @asynccontextmanager
    async def station(
        self, path: str = "CP001", *, offer: list[str] | None = None, headers: dict[str, str] | None = None, **how: Any
    ) -> AsyncIterator[Socket]:
        """A socket at `path`, offering ocpp1.6 unless told otherwise; with `ssl` an encrypted one."""
        offered = [Subprotocol(each) for each in (["ocpp1.6"] if offer is None else offer)]
        how = {"compression": None, "close_timeout": 0.3, "max_size": None, "ping_interval": None, **how}
        where = f"wss://127.0.0.1:{self.tls_port}" if "ssl" in how else f"ws://127.0.0.1:{self.port}"
        async with connect(
            f"{where}/{path}", subprotocols=offered or None, additional_headers=headers, **how
        ) as socket:
            yield Socket(socket)

    def known(self, identity: str = "CP001") -> Station:
        return self.journal.state.stations[station_key(identity)]

    def is_online(self, identity: str = "CP001") -> bool:
        return self.server.is_online(StationKey(station_key(identity)))

    def events(self, kind: type) -> list[Any]:
        return [op.event for op in self.journal.recorded if isinstance(op.event, kind)]

    def ops(self) -> list[Op]:
        return self.journal.recorded


@asynccontextmanager
async def ocpp_box(
    *, policy: Policy | None = None, timings: Timings = HASTY, import_job: bool = True,
    desk: Callable[[StationDesk], Desk] | None = None, tls: ssl.SSLContext | None = None, **settings: Any,
) -> AsyncIterator[OcppBox]:  # fmt: skip
    """An open port, with a job that names CP001 and CP002; with `tls` an encrypted one beside it."""
    policy = policy or Policy()
    box = OcppBox(policy, OcppSettings(security=policy.security, timings=timings, **settings), desk)
    if import_job:
        await box.jobs.import_job(job_file())
    async with AsyncExitStack() as stack:
        box.port = await stack.enter_async_context(box.server.serve("127.0.0.1", 0))
        if tls is not None:
            box.tls_port = await stack.enter_async_context(box.server.serve("127.0.0.1", 0, tls))
        yield box
