"""A virtual OCPP charge point: a believable station on a real WebSocket, in a test's own loop or as a process.

    async with VirtualChargePoint("ws://127.0.0.1:9000", "CP001", version="2.0.1") as cp:
        await cp.wait_until(lambda: cp.accepted)
        cp.plug_in(1)
        await cp.present_tag(1, "04A2B3C4")
        await cp.wait_until(lambda: cp.transactions[0].start_confirmed)

As a process: `python -m tests.doubles.charge_point --url ws://127.0.0.1:9000 --identity CP001`, driven by JSON lines
on its standard input (`charge_point_cli.py`). It shares no code with the product. Here is its life on the network:
booting, heartbeats, delivering, rebooting, losing power. What it is apart from that stands in
`charge_point_station.py`, how it dials in `charge_point_dial.py`, its words and answers in a tongue for each version
(`charge_point_tongue.py`), its bad manners in `charge_point_faults.py`. Source: OCPP-J 1.6 §3 to §5 (no
BootNotification after a mere reconnect: §5.4), OCPP 1.6 §4.2; OCPP 2.0.1 B01 to B04, B11. Start at `run`.
"""

import asyncio
import itertools
from collections.abc import Mapping
from contextlib import suppress
from datetime import UTC, datetime
from types import TracebackType
from typing import Self

from websockets.asyncio.client import ClientConnection
from websockets.exceptions import InvalidHandshake

from tests.doubles.charge_point_connector import Token
from tests.doubles.charge_point_dial import dial
from tests.doubles.charge_point_faults import Faults
from tests.doubles.charge_point_files import FileRoom
from tests.doubles.charge_point_flash import Flash, Installed, Network, address
from tests.doubles.charge_point_frames import Payload, Version
from tests.doubles.charge_point_link import Link, LinkLost, NoAnswer, Record, Refused, Said, pass_on_cancellation
from tests.doubles.charge_point_patience import Outgoing, PatientStation, Restart
from tests.doubles.charge_point_tongue import Reply
from tests.doubles.charge_point_tongues import tongue_of

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


class VirtualChargePoint(PatientStation):
    """`speed` shortens every interval of the station and speeds up charging; its timestamps stay real.

    `url` is the address without the identity; `tls_url` the one to use when the central system raises the security
    profile. `connectors` are EVSEs in 2.x, each with `plugs`. `configuration` changes settings: by key in 1.6, by
    "Component.Variable" in 2.x. `flash` is that of a station of before. `keep` bounds the record of a station that runs
    for days. The attributes that tests read: `accepted`, `connected`, `registration`, `sent`, `confirmed`, `received`,
    `violations`, `transactions`, `queue`, `record`.
    """

    def __init__(
        self,
        url: str,
        identity: str,
        *,
        version: Version = "1.6",
        connectors: int = 2,
        plugs: int = 1,
        vendor: str = "Virtual",
        model: str = "VCP-22",
        serial: str | None = None,
        firmware: str = "1.4.2",
        profile: int = 0,
        password: str | None = None,
        root: str | None = None,
        certificate: str | None = None,
        key: str | None = None,
        tls_url: str | None = None,
        flash: Flash | None = None,
        speed: float = 1.0,
        seed: int = 1,
        faults: Faults | None = None,
        meter_interval_s: float = 10.0,
        configuration: Mapping[str, str] | None = None,
        reboot_s: float = 5.0,
        answer_timeout_s: float = 30.0,
        keep: int | None = None,
    ) -> None:
        super().__init__(
            tongue=tongue_of(version, connectors, plugs, meter_interval_s, configuration or {}),
            connectors=connectors, plugs=plugs, seed=seed, faults=faults or Faults(), now=_wall_time,
        )  # fmt: skip
        self.identity = identity
        self.vendor, self.model, self.firmware = vendor, model, firmware
        self.serial = identity if serial is None else serial
        self.flash = flash or Flash(
            {1: Network(url, profile)},
            password=None if password is None else password.encode(),
            roots=[] if root is None else [Installed("CSMSRootCertificate", root)],
            certificate=certificate,
            key=key,
        )
        self.tls_url = tls_url
        self.speed = speed
        self.reboot_s = reboot_s
        self.record = Record(keep=keep)
        self.registration = ""
        """The RegistrationStatus of the last BootNotification.conf; "" before the first."""
        self.subprotocol: str | None = None
        self.powered = True
        self.network = True
        self.files = FileRoom()
        self.boots = 0
        """How often it was accepted after a start."""
        self._answer_timeout_s = answer_timeout_s
        self._needs_boot = True
        self._boot_reason = "PowerUp"
        self._ever_accepted = False
        self._boot_asked = False
        self._restart: Restart | None = None
        self._rebooting = False
        self._cut_at: datetime | None = None
        self._link: Link | None = None
        self._abandoned: list[Link] = []
        self._outbox: list[Outgoing] = []
        self._ids = itertools.count(1)
        self._life: asyncio.TaskGroup | None = None
        self._main: asyncio.Task[None] | None = None
        self.tongue.take(self)

    # what tests read

    @property
    def accepted(self) -> bool:
        """Connected and free to speak: accepted by the central system now or before."""
        return self._link is not None and self._reporting

    @property
    def url(self) -> str:
        """Where it dials now, with its identity."""
        return address(self.flash.current.url, self.identity)

    @property
    def version(self) -> Version:
        return self.tongue.version

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

    # what tests do (more in Station: plug_in, unplug, fault, clear_fault, stop_transaction)

    async def present_tag(
        self, connector: int, id_tag: str, kind: str = "ISO14443", *, remote_start_id: int | None = None
    ) -> bool:
        """A driver holds a card to the reader: starts when a cable is or comes in, or ends what this card started.

        True when the card was taken. Online it asks the central system, offline its configuration decides.
        """
        running = self.connector(connector).transaction
        if running is not None and running.id_tag:
            return await self._stop_by_card(connector, running.id_tag, Token(id_tag, kind))
        if not await self._authorised(Token(id_tag, kind)):
            return False
        self.authorise(connector, id_tag, kind=kind, remote_start_id=remote_start_id)
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
        self._needs_boot, self._boot_reason = True, "PowerUp"
        self.tongue.rebooted()
        self.stop_all("PowerLoss", at=self._cut_at)
        for place in self.connectors:
            place.authorised = None
        self._changed()

    # what the central system's calls lead to

    def present_tag_later(
        self, connector: int, id_tag: str, kind: str = "ISO14443", *, remote_start_id: int | None = None
    ) -> None:
        """A remote start that is to be authorised: the id token is asked for like a card."""
        self.work(self.present_tag(connector, id_tag, kind, remote_start_id=remote_start_id))

    @property
    def organization(self) -> str:
        """For whom it asks to be certified."""
        return "Gatepost"

    def security_event(self, kind: str, details: str = "") -> None:
        """Kept until it is confirmed (security whitepaper A04)."""
        payload = {"type": kind, "timestamp": self.stamp(), **({"techInfo": details} if details else {})}
        self.send_soon("SecurityEventNotification", payload, kept=True)

    def send_soon(self, action: str, payload: Payload, *, kept: bool = False) -> None:
        self._outbox.append(Outgoing(action, payload, kept))
        self._changed()

    async def ask(self, action: str, payload: Payload) -> Payload | None:
        """A call of its own, now; the answer, or None when there is no link, no answer or a refusal."""
        if self._link is None:
            return None
        try:
            return await self._link.call(action, payload)
        except (LinkLost, NoAnswer, Refused):
            return None

    async def stream(self, action: str, payload: Payload) -> None:
        """A message nobody answers (2.1); lost when there is no link."""
        if self._link is not None:
            with suppress(LinkLost):
                await self._link.send(action, payload)

    def boot_soon(self) -> None:
        """Send a BootNotification now, whether or not it is due."""
        self._boot_asked = True
        self._changed()

    def reboot(
        self, *, hard: bool = False, reason: str = "RemoteReset", when_idle: bool = False, resumes: bool = False
    ) -> None:
        """`reason` is the BootReason of 2.x. `when_idle` waits for the charges to end."""
        self._restart = Restart("HardReset" if hard else "SoftReset", reason, when_idle, resumes)
        self._changed()

    def dial_again(self) -> None:
        """Leave this connection, politely, for a new one: the credentials or the address changed."""
        if self._link is not None:
            self.work(self._link.leave())

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
            await self.until(lambda: self.powered and self.network and not self._rebooting)
            self.record.dials += 1
            try:
                socket = await dial(self.flash, self.identity, self.tongue.subprotocol, self.faults)
            except (OSError, InvalidHandshake, TimeoutError) as exc:
                self.record.dial_errors.append(f"{type(exc).__name__}: {exc}")
                self._changed()
                if self.flash.fall_back(self.settings.dial_attempts):
                    back_off_s = 1.0
            else:
                if await self._serve(socket):
                    back_off_s = 1.0
            await self.rest(back_off_s * self.noise.uniform(0.8, 1.2))
            back_off_s = min(LONGEST_BACK_OFF_S, back_off_s * 2)

    async def _serve(self, socket: ClientConnection) -> bool:
        """One connection from its opening to its end; whether the central system let the station speak."""
        self.subprotocol = socket.subprotocol
        link = self._link = Link(
            socket,
            version=self.version,
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
            self._outbox = [each for each in self._outbox if each.kept]
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
        await self.until(lambda: link in self._abandoned)
        raise LinkLost

    async def _speak(self, link: Link) -> None:
        if self.faults.status_before_boot:
            await self._try(link, "StatusNotification", self.tongue.status_notification(self.tongue.places()[-1]))
        rebooted = self._needs_boot or self.faults.boot_after_every_reconnect
        silent = self.faults.never_boot or (self.faults.no_boot_after_reconnect and self._ever_accepted)
        if rebooted and not silent:
            await self._boot(link)
        self._needs_boot = False
        self._ever_accepted = True
        self.boots += rebooted
        if rebooted and self.flash.current.profile > 0:
            self.security_event("StartupOfTheDevice")
        self.flash.worked()
        self.begin_reporting(everything=rebooted)
        async with asyncio.TaskGroup() as tasks:
            tasks.create_task(self._beat(link))
            tasks.create_task(self._tell(link))
            tasks.create_task(self._deliver(link))
            tasks.create_task(self._misbehave(link))

    async def _boot(self, link: Link) -> None:
        """Until accepted; meanwhile nothing else is sent of its own accord (OCPP 1.6 §4.2, 2.0.1 B02)."""
        while True:
            reason = "Triggered" if self._boot_asked else self._boot_reason
            self._boot_asked = False
            answer = await self._try(link, "BootNotification", self.tongue.boot_notification(reason))
            interval_s = 0.0
            if answer is not None:
                self.registration = answer.get("status", "")
                interval_s = answer.get("interval", 0)
            if self.registration == "Accepted" and answer is not None:
                if interval_s > 0:
                    self.settings.heartbeat_interval_s = interval_s
                self._changed()
                return
            self._changed()
            await self.rest_unless(interval_s or DEFAULT_BOOT_RETRY_S, lambda: self._boot_asked)

    async def _beat(self, link: Link) -> None:
        while True:
            interval_s = self.settings.heartbeat_interval_s
            await self.rest(interval_s if interval_s > 0 else 86_400.0)
            await self._try(link, "Heartbeat", {})

    async def _tell(self, link: Link) -> None:
        """Statuses and what was asked for by TriggerMessage, in the order it came up."""
        while True:
            await self.until(lambda: self.notices or self._outbox or self._boot_asked)
            if self._boot_asked:
                await self._boot(link)
            elif self.notices:
                notice = self.notices.popleft()
                try:
                    await self._try(link, "StatusNotification", notice.payload)
                except LinkLost:
                    self.undelivered(notice)
                    raise
            else:
                await self._try(link, self._outbox[0].action, self._outbox[0].payload)
                del self._outbox[0]
                self._changed()

    async def _deliver(self, link: Link) -> None:
        """Transaction messages, the oldest first, each until it is confirmed or has used up its attempts."""
        while True:
            await self.until(lambda: self.queue.waiting)
            message = self.queue.waiting[0]
            try:
                answer = await link.call(message.action, self.tongue.ready(message))
            except (Refused, NoAnswer):
                intervals = self.queue.failed(message, attempts=self.settings.attempts)
                self._changed()
                if intervals is not None:
                    await self.rest(intervals * self.settings.retry_interval_s)
                continue
            self.queue.confirmed(message)
            token_status = self.tongue.delivered(message, answer)
            if message.transaction is not None:
                self.delivered(message.transaction, token_status)
            self._changed()

    async def _misbehave(self, link: Link) -> None:
        if self.faults.huge_frame_bytes:
            huge = {"vendorId": self.vendor, "data": "x" * self.faults.huge_frame_bytes}
            await self._try(link, "DataTransfer", huge)
        while True:
            await self.until(lambda: self.faults.drops_link_every_s > 0)
            await self.rest(self.faults.drops_link_every_s)
            link.abort()

    async def _obey_resets(self) -> None:
        while True:
            await self.until(lambda: self._restart is not None and not (self._restart.when_idle and self.busy))
            restart, self._restart = self._restart or Restart(), None
            if not restart.resumes:
                self.stop_all(restart.stop_reason)
            if restart.stop_reason == "SoftReset":
                await self._drain()
            self._rebooting = True
            self._hang_up()
            await self.rest(self.reboot_s)
            self.tongue.rebooted()
            self._needs_boot, self._boot_reason = True, restart.boot_reason
            self._rebooting = False
            for place in self.connectors:
                if place.transaction is not None:
                    self.tongue.resumed(place, place.transaction)
            self._changed()

    async def _drain(self) -> None:
        try:
            async with asyncio.timeout(DRAIN_S):
                await self.until(lambda: not (self.queue.waiting or self._outbox) or self._link is None)
        except TimeoutError:
            pass

    # small parts

    def _answer(self, action: str, payload: Payload) -> Reply:
        return self.tongue.answer(action, payload)

    async def _stop_by_card(self, connector: int, owner: str, token: Token) -> bool:
        """The card that started a charge ends it, and so does another one of its group (1.6 §4.10, 2.0.1 C09)."""
        if token.text != owner and not (self.local_list.group(owner) and await self._authorised(token)):
            return False
        if not self.local_list.belongs(token.text, owner):
            return False
        self.stop_transaction(connector, "Local", id_tag=token.text)
        return True

    async def _authorised(self, token: Token) -> bool:
        if token.kind == "NoAuthorization":
            return True
        known = self.local_list.status(token.text)
        if known is not None and (self.settings.list_asked_first or not self.accepted):
            return known == "Accepted" and (self.accepted or self.settings.offline_list_allowed)
        answer = await self.ask("Authorize", self.tongue.authorize(token)) if self.accepted else None
        if answer is not None:
            status = self.tongue.authorised(answer)
            self.local_list.remember(token.text, status, self.tongue.group(answer))
            return status == "Accepted"
        remembered = self.local_list.remembered(token.text)
        if remembered is not None and self.settings.offline_list_allowed:
            return remembered == "Accepted"
        return self.settings.offline_unknown_allowed

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


if __name__ == "__main__":
    from tests.doubles.charge_point_cli import main

    main()
