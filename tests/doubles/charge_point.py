"""A virtual OCPP 1.6J charge point: a believable station on a real WebSocket, in a test's own loop or as a process.

    async with VirtualChargePoint("ws://127.0.0.1:9000", "CP001") as cp:
        await cp.wait_until(lambda: cp.accepted)
        cp.plug_in(1)
        await cp.present_tag(1, "04A2B3C4")
        await cp.wait_until(lambda: cp.transactions[0].transaction_id is not None)

As a process: `python -m tests.doubles.charge_point --url ws://127.0.0.1:9000 --identity CP001`, driven by JSON lines
on its standard input (`charge_point_cli.py`). It shares no code with the product. Here is its life on the network:
dialling, booting, heartbeats, delivering, rebooting, losing power. What it is apart from that stands in
`charge_point_station.py`, its answers in `charge_point_commands.py`, its bad manners in `charge_point_faults.py`.
Source: OCPP-J 1.6 §3 to §5 (no BootNotification after a mere reconnect: §5.4), OCPP 1.6 §4.2. Start at `run`.
"""

import asyncio
import itertools
from base64 import b64encode
from collections.abc import Callable, Mapping
from datetime import UTC, datetime
from types import TracebackType
from typing import Self
from urllib.parse import quote

from websockets.asyncio.client import ClientConnection, connect
from websockets.exceptions import InvalidHandshake
from websockets.typing import Subprotocol

from tests.doubles.charge_point_commands import answer_to
from tests.doubles.charge_point_configuration import Configuration
from tests.doubles.charge_point_faults import Faults
from tests.doubles.charge_point_frames import Payload
from tests.doubles.charge_point_link import Link, LinkLost, NoAnswer, Record, Refused, Reply, Said, pass_on_cancellation
from tests.doubles.charge_point_station import Station

TICK_S = 1.0
"""Step of the physics in the station's own time."""
SHORTEST_TICK_S = 0.02
"""The same in real seconds, however fast the station runs."""
LONGEST_BACK_OFF_S = 30.0
DEFAULT_BOOT_RETRY_S = 10.0
DRAIN_S = 5.0
"""Real seconds a soft reset waits for the last messages to be confirmed."""


def _wall_time() -> datetime:
    return datetime.now(UTC)  # noqa: TID251 (a station is another machine, with its own clock)


class VirtualChargePoint(Station):
    """`speed` shortens every interval of the station and speeds up charging; its timestamps stay real.

    `url` is the address without the identity. `keep` bounds the record of a station that runs for days. The
    attributes that tests read: `accepted`, `connected`, `registration`, `sent`, `confirmed`, `received`, `violations`,
    `transactions`, `queue`, `record`.
    """

    def __init__(
        self,
        url: str,
        identity: str,
        *,
        connectors: int = 2,
        vendor: str = "Virtual",
        model: str = "VCP-22",
        serial: str | None = None,
        firmware: str = "1.4.2",
        password: str | None = None,
        speed: float = 1.0,
        seed: int = 1,
        faults: Faults | None = None,
        meter_interval_s: float = 10.0,
        configuration: Mapping[str, str] | None = None,
        reboot_s: float = 5.0,
        answer_timeout_s: float = 30.0,
        keep: int | None = None,
    ) -> None:
        settings = Configuration(connectors)
        settings.values["MeterValueSampleInterval"] = str(meter_interval_s)
        settings.values.update(configuration or {})
        super().__init__(
            connectors=connectors, seed=seed, faults=faults or Faults(), configuration=settings, now=_wall_time
        )
        self.url = f"{url.rstrip('/')}/{quote(identity, safe='')}"
        self.identity = identity
        self.vendor, self.model, self.firmware = vendor, model, firmware
        self.serial = identity if serial is None else serial
        self.password = password
        self.speed = speed
        self.reboot_s = reboot_s
        self.record = Record(keep=keep)
        self.registration = ""
        """The RegistrationStatus of the last BootNotification.conf; "" before the first."""
        self.subprotocol: str | None = None
        self.powered = True
        self.network = True
        self._answer_timeout_s = answer_timeout_s
        self._needs_boot = True
        self._ever_accepted = False
        self._boot_asked = False
        self._reset: str | None = None
        self._rebooting = False
        self._cut_at: datetime | None = None
        self._link: Link | None = None
        self._abandoned: list[Link] = []
        self._outbox: list[tuple[str, Payload]] = []
        self._ids = itertools.count(1)
        self._next_change: asyncio.Future[None] | None = None
        self._life: asyncio.TaskGroup | None = None
        self._life_tasks: asyncio.TaskGroup | None = None
        self._main: asyncio.Task[None] | None = None

    # what tests read

    @property
    def accepted(self) -> bool:
        """Connected and free to speak: accepted by the central system now or before."""
        return self._link is not None and self._reporting

    @property
    def connected(self) -> bool:
        return self._link is not None

    @property
    def sent(self) -> list[Said]:
        return self.record.sent

    @property
    def confirmed(self) -> list[Said]:
        return self.record.confirmed

    @property
    def received(self) -> list[Said]:
        return self.record.received

    @property
    def violations(self) -> list[str]:
        return self.record.violations

    def confirmed_of(self, action: str) -> list[Said]:
        return [said for said in self.record.confirmed if said.action == action]

    async def wait_until(self, condition: Callable[[], object], timeout_s: float = 10.0) -> None:
        """Until `condition` is true. Raises TimeoutError after `timeout_s` real seconds."""
        async with asyncio.timeout(timeout_s):
            while not condition():
                await asyncio.wait([self._change()], timeout=0.05)

    # what tests do (more in Station: plug_in, unplug, fault, clear_fault, stop_transaction)

    async def present_tag(self, connector: int, id_tag: str) -> bool:
        """A driver holds a card to the reader: starts when a cable is or comes in, or ends what this card started.

        True when the card was taken. Online it asks the central system, offline its configuration decides.
        """
        running = self.connector(connector).transaction
        if running is not None:
            if running.id_tag == id_tag:
                self.stop_transaction(connector, "Local", id_tag=id_tag)
            return running.id_tag == id_tag
        if not await self._authorised(id_tag):
            return False
        self.authorise(connector, id_tag)
        return True

    def link_down(self) -> None:
        """The network is gone, without a word; the station keeps working and keeps dialling in vain."""
        self.network = False
        self._hang_up()

    def link_up(self) -> None:
        self.network = True
        self._changed()

    def hang_and_dial_again(self) -> None:
        """Leave the old socket open, deaf and dumb, and come with a new one: a dead mobile route."""
        if self._link is not None:
            self._link.freeze()
            self._abandoned.append(self._link)
        self._changed()

    def power_cut(self) -> None:
        """Everything stops at once. What a station keeps in flash survives: transactions, queue, register, settings."""
        self._cut_at = _wall_time()
        self.powered = False
        self._hang_up()

    def power_on(self) -> None:
        """Boot again; what ran when the power went ended then (PowerLoss)."""
        self.powered = True
        self._needs_boot = True
        self.stop_all("PowerLoss", at=self._cut_at)
        for place in self.connectors:
            place.authorised = None
        self._changed()

    # what the central system's calls lead to

    def present_tag_later(self, connector: int, id_tag: str) -> None:
        """RemoteStart with AuthorizeRemoteTxRequests: the id tag is asked for like a card."""
        if self._life_tasks is not None:
            self._life_tasks.create_task(self.present_tag(connector, id_tag))

    def send_soon(self, action: str, payload: Payload) -> None:
        self._outbox.append((action, payload))
        self._changed()

    def boot_soon(self) -> None:
        """Send a BootNotification now, whether or not it is due."""
        self._boot_asked = True
        self._changed()

    def reboot(self, *, hard: bool = False) -> None:
        self._reset = "HardReset" if hard else "SoftReset"
        self._changed()

    # its life

    async def __aenter__(self) -> Self:
        self._life = asyncio.TaskGroup()
        await self._life.__aenter__()
        self._main = self._life.create_task(self.run(), name=f"charge point {self.identity}")
        return self

    async def __aexit__(
        self, kind: type[BaseException] | None, exc: BaseException | None, trace: TracebackType | None
    ) -> None:
        assert self._life is not None
        assert self._main is not None
        self._main.cancel()
        await self._life.__aexit__(None, None, None)

    async def run(self) -> None:
        """Live until cancelled."""
        try:
            async with asyncio.TaskGroup() as tasks:
                self._life_tasks = tasks
                tasks.create_task(self._let_time_pass())
                tasks.create_task(self._stay_connected())
                tasks.create_task(self._obey_resets())
        finally:
            for link in self._abandoned:
                link.abort()

    async def _let_time_pass(self) -> None:
        tick_s = max(TICK_S / self.speed, SHORTEST_TICK_S)
        while True:
            await asyncio.sleep(tick_s)
            if self.powered:
                self.advance(tick_s * self.speed)

    async def _stay_connected(self) -> None:
        back_off_s = 1.0
        while True:
            await self._until(lambda: self.powered and self.network and not self._rebooting)
            self.record.dials += 1
            try:
                socket = await self._dial()
            except (OSError, InvalidHandshake, TimeoutError) as exc:
                self.record.dial_errors.append(f"{type(exc).__name__}: {exc}")
                self._changed()
            else:
                if await self._serve(socket):
                    back_off_s = 1.0
            await self._sleep(back_off_s * self._noise.uniform(0.8, 1.2))
            back_off_s = min(LONGEST_BACK_OFF_S, back_off_s * 2)

    async def _dial(self) -> ClientConnection:
        offered = "ocpp1.6"
        if self.faults.wrong_subprotocol:
            offered = self.faults.wrong_subprotocol
        names = [] if self.faults.no_subprotocol else [Subprotocol(name.strip()) for name in offered.split(",")]
        headers = {}
        password = self.configuration.authorization_key or self.password
        if password is not None:
            headers["Authorization"] = "Basic " + b64encode(f"{self.identity}:{password}".encode()).decode()
        return await connect(
            self.url,
            subprotocols=names or None,
            additional_headers=headers,
            compression=None,
            ping_interval=None,
            open_timeout=10.0,
            close_timeout=1.0,
            user_agent_header=None,
            proxy=None,
            max_size=None,
        )

    async def _serve(self, socket: ClientConnection) -> bool:
        """One connection from its opening to its end; whether the central system let the station speak."""
        self.subprotocol = socket.subprotocol
        link = self._link = Link(
            socket,
            record=self.record,
            faults=self.faults,
            new_id=lambda: f"{self.identity[:16]}-{next(self._ids)}",
            answer=self._answer,
            changed=self._changed,
            answer_timeout_s=self._answer_timeout_s,
        )
        welcome = False
        try:
            async with asyncio.TaskGroup() as tasks:
                tasks.create_task(self._speak(link))
                tasks.create_task(self._leave_when_abandoned(link))
                await link.read()
        except* LinkLost:
            pass
        finally:
            self._link, welcome = None, self._reporting
            self.end_reporting()
            self._outbox.clear()
            if link not in self._abandoned:
                await self._say_goodbye(socket)
            self._changed()
        pass_on_cancellation()
        return welcome

    async def _say_goodbye(self, socket: ClientConnection) -> None:
        """Close politely when the station ends; after a cut the socket is gone already and this returns at once."""
        try:
            async with asyncio.timeout(1.0):
                await socket.close(1001)
        except TimeoutError:
            socket.transport.abort()

    async def _leave_when_abandoned(self, link: Link) -> None:
        await self._until(lambda: link in self._abandoned)
        raise LinkLost

    async def _speak(self, link: Link) -> None:
        if self.faults.status_before_boot:
            await self._try(link, "StatusNotification", self.status_notification(1))
        rebooted = self._needs_boot or self.faults.boot_after_every_reconnect
        silent = self.faults.never_boot or (self.faults.no_boot_after_reconnect and self._ever_accepted)
        if rebooted and not silent:
            await self._boot(link)
        self._needs_boot = False
        self._ever_accepted = True
        self.begin_reporting(everything=rebooted)
        async with asyncio.TaskGroup() as tasks:
            tasks.create_task(self._beat(link))
            tasks.create_task(self._tell(link))
            tasks.create_task(self._deliver(link))
            tasks.create_task(self._misbehave(link))

    async def _boot(self, link: Link) -> None:
        """Until accepted; meanwhile nothing else is sent (OCPP 1.6 §4.2)."""
        while True:
            self._boot_asked = False
            answer = await self._try(link, "BootNotification", self._boot_notification())
            interval_s = 0.0
            if answer is not None:
                self.registration = answer.get("status", "")
                interval_s = answer.get("interval", 0)
            if self.registration == "Accepted" and answer is not None:
                if interval_s > 0:
                    self.configuration.values["HeartbeatInterval"] = str(interval_s)
                self._changed()
                return
            self._changed()
            await self._sleep_unless(interval_s or DEFAULT_BOOT_RETRY_S, lambda: self._boot_asked)

    def _boot_notification(self) -> Payload:
        return {
            "chargePointVendor": self.vendor,
            "chargePointModel": self.model,
            "chargePointSerialNumber": self.faults.changed_serial or self.serial,
            "firmwareVersion": self.firmware,
        }

    async def _beat(self, link: Link) -> None:
        while True:
            interval_s = self.configuration.number("HeartbeatInterval")
            await self._sleep(interval_s if interval_s > 0 else 86_400.0)
            await self._try(link, "Heartbeat", {})

    async def _tell(self, link: Link) -> None:
        """Statuses and what was asked for by TriggerMessage, in the order it came up."""
        while True:
            await self._until(lambda: self.notices or self._outbox or self._boot_asked)
            if self._boot_asked:
                await self._boot(link)
            elif self.notices:
                notice = self.notices.popleft()
                try:
                    await self._try(link, "StatusNotification", notice)
                except LinkLost:
                    self.undelivered(notice)
                    raise
            else:
                await self._try(link, *self._outbox.pop(0))

    async def _deliver(self, link: Link) -> None:
        """Transaction messages, the oldest first, each until it is confirmed or has used up its attempts."""
        while True:
            await self._until(lambda: self.queue.waiting)
            message = self.queue.waiting[0]
            try:
                answer = await link.call(message.action, message.ready())
            except (Refused, NoAnswer):
                attempts = int(self.configuration.number("TransactionMessageAttempts"))
                intervals = self.queue.failed(message, attempts=attempts)
                self._changed()
                if intervals is not None:
                    await self._sleep(intervals * self.configuration.number("TransactionMessageRetryInterval"))
                continue
            self.queue.confirmed(message, answer)
            if message.action == "StartTransaction" and message.transaction is not None:
                self.start_answered(message.transaction)
            self._changed()

    async def _misbehave(self, link: Link) -> None:
        if self.faults.huge_frame_bytes:
            huge = {"vendorId": self.vendor, "data": "x" * self.faults.huge_frame_bytes}
            await self._try(link, "DataTransfer", huge)
        while True:
            await self._until(lambda: self.faults.drops_link_every_s > 0)
            await self._sleep(self.faults.drops_link_every_s)
            link.abort()

    async def _obey_resets(self) -> None:
        while True:
            await self._until(lambda: self._reset is not None)
            reason, self._reset = str(self._reset), None
            self.stop_all(reason)
            if reason == "SoftReset":
                await self._drain()
            self._rebooting = True
            self._hang_up()
            await self._sleep(self.reboot_s)
            self._needs_boot = True
            self._rebooting = False
            self._changed()

    async def _drain(self) -> None:
        try:
            async with asyncio.timeout(DRAIN_S):
                await self._until(lambda: not self.queue.waiting or self._link is None)
        except TimeoutError:
            pass

    # small parts

    def _answer(self, action: str, payload: Payload) -> Reply:
        return answer_to(self, action, payload)

    async def _authorised(self, id_tag: str) -> bool:
        if self._link is not None and self.accepted:
            try:
                answer = await self._link.call("Authorize", {"idTag": id_tag})
                return bool((answer.get("idTagInfo") or {}).get("status") == "Accepted")
            except (LinkLost, NoAnswer, Refused):
                pass
        return self.configuration.switch("AllowOfflineTxForUnknownId")

    async def _try(self, link: Link, action: str, payload: Payload) -> Payload | None:
        """A call whose failure is no reason to change course; None then. Raises LinkLost."""
        try:
            return await link.call(action, payload)
        except (Refused, NoAnswer):
            return None

    def _hang_up(self) -> None:
        if self._link is not None:
            self._link.abort()
        self._changed()

    def _change(self) -> asyncio.Future[None]:
        if self._next_change is None or self._next_change.done():
            self._next_change = asyncio.get_running_loop().create_future()
        return self._next_change

    def _changed(self) -> None:
        if self._next_change is not None and not self._next_change.done():
            self._next_change.set_result(None)

    async def next_change(self) -> None:
        await asyncio.wait([self._change()])

    async def _until(self, condition: Callable[[], object]) -> None:
        while not condition():
            await self.next_change()

    async def _sleep(self, seconds: float) -> None:
        await asyncio.sleep(seconds / self.speed)

    async def _sleep_unless(self, seconds: float, condition: Callable[[], object]) -> None:
        try:
            async with asyncio.timeout(seconds / self.speed):
                await self._until(condition)
        except TimeoutError:
            pass


if __name__ == "__main__":
    from tests.doubles.charge_point_cli import main

    main()
