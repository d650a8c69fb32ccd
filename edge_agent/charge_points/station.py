"""One socket of one station: reads, hands every call to the clerk in order, sends our calls, and ends by itself.

A thin shell. What frames say is in `rpc`, whose turn it is in `session`, what messages mean in `v16`, who is served in
the core behind the desk, and which of two sockets of one name counts in `server`. Reading goes on while a call is
handled, so an answer to a call of ours never waits behind one of theirs. Sources: OCPP.md §8.1 R8, R9, R12, R14;
OCPP 1.6 §4.2 and §5.17 with errata 3.22 and 3.40. Start at `Connection.run`.
"""

import asyncio
import contextlib
from collections.abc import Callable, Coroutine
from datetime import datetime
from enum import Enum
from typing import Any, Protocol

import structlog
from msgspec.structs import replace
from websockets.exceptions import ConnectionClosed
from websockets.frames import Opcode

from edge_agent.charge_points import conduct, rpc
from edge_agent.charge_points.asking import Asking
from edge_agent.charge_points.believed import believed
from edge_agent.charge_points.dialect import Dialect, Errands, Refused, Unusable
from edge_agent.charge_points.handshake import Greeting
from edge_agent.charge_points.quirks import NONE
from edge_agent.charge_points.readings import Found
from edge_agent.charge_points.session import Session
from edge_agent.charge_points.settings import OcppSettings, Timings
from edge_agent.charge_points.station_socket import StationSocket
from edge_agent.charge_points.trace import Trace
from edge_agent.site.ports import Desk
from edge_agent.site.reports import BootAnswer, BootReport
from edge_agent.site.trust import REFUSED_AT_THE_DOOR, after_boot
from sitelink.clock import Clock
from sitelink.errors import NoAnswer, SiteError, StoreUnavailable
from sitelink.ids import StationKey
from sitelink.states import Registration

log = structlog.get_logger()

CALLS_WAITING_MAX = 16
SILENT_AFTER_INTERVALS = 3
ERRANDS_AGAIN_S = 30.0
"""After the disk took nothing, or while the station is not served."""
OPEN_TO_ALL = frozenset({"BootNotification", "Heartbeat"})
NOTHING_COUNTS = frozenset({"duplicate_identity", "identity_missing"}) | REFUSED_AT_THE_DOOR
"""Reasons for which nothing a waiting station reports is believed: it may be somebody else's."""


class Role(Enum):
    NEW = "new"
    """Another socket has its name; not yet decided which counts."""
    SERVING = "serving"
    WAITING = "waiting"
    """Connected, its boots are answered Pending."""


class Host(Protocol):
    """What a connection needs of the server."""

    @property
    def desk(self) -> Desk: ...
    @property
    def clock(self) -> Clock: ...
    @property
    def settings(self) -> OcppSettings: ...

    async def admit(self, connection: "Connection", report: BootReport | None) -> None:
        """Decide the connection's role; with the report of its boot, where it sent one."""
        ...

    def may_say(self, connection: "Connection") -> bool:
        """Whether a log line may be about it."""
        ...

    def seen(self, station: StationKey, at: datetime, monotonic_s: float) -> None: ...
    def count(self, what: str, number: int = 1) -> None: ...
    def corrected(self, connection: "Connection", action: str, found: Found) -> None: ...


class Connection:
    """`registration` is what its last boot was answered with, on this socket or before (OCPP.md §8.1 R12)."""

    __slots__ = (
        "_calls", "_clerk", "_errand", "_frames", "_full_since", "_gate", "_group",
        "_heard_at", "_host", "_idle", "_next_tick", "_oddities", "_session", "_silent_after_s",
        "_socket", "_tasks", "_tending", "_trace", "_unread", "asking", "boot", "closed", "dialect",
        "duplicate_serial", "greeting", "has_called", "identity", "ip", "key", "quirks", "recorded",
        "registration", "role", "waiting_for",
    )  # fmt: skip

    def __init__(
        self, socket: StationSocket, greeting: Greeting, dialect: Dialect, host: Host, trace: Trace,
        new_id: Callable[[], str],
    ) -> None:  # fmt: skip
        self.greeting = greeting
        self.dialect = dialect
        self.identity, self.key, self.ip = greeting.identity, greeting.key, greeting.ip
        self.role = Role.NEW
        self.waiting_for: str | None = None
        """Why it is not served, a code."""
        self.duplicate_serial: str | None = None
        """What was last reported of it as the second of its name."""
        self.registration = Registration.NONE
        self.has_called = False
        """Whether a call other than a boot has come, so that it must be decided without one."""
        self.boot: BootReport | None = None
        """Of the last BootNotification on this socket."""
        self.recorded = False
        """Whether the desk knows that it is connected."""
        self.closed = False
        kind = host.desk.kind(self.key)
        table = host.settings.quirks
        self.quirks = table.of_station(kind.vendor, kind.model, kind.firmware) if kind is not None else NONE
        self._socket = socket
        self._host = host
        self._trace = trace
        self._session = Session(new_id, dialect.repeated_as_is)
        self.asking = Asking(self, self._session)
        desk = believed(host.desk, lambda: self.quirks, lambda action, found: host.corrected(self, action, found))
        self._clerk = dialect.clerk(desk, host.clock, self.key)
        self._calls: list[rpc.Call | rpc.Send | None] = []
        """None: no more will come."""
        self._idle: asyncio.Future[None] | None = None
        """The worker waits for a call."""
        self._next_tick: asyncio.TimerHandle | None = None
        self._gate: asyncio.TimerHandle | None = None
        """Opens without a boot when it rings."""
        self._full_since: float | None = None
        """When we first found that it does not read, by the loop's clock."""
        self._heard_at = (host.clock.monotonic(), host.clock.now())
        self._silent_after_s = SILENT_AFTER_INTERVALS * host.desk.heartbeat_interval_s
        self._frames = 0
        self._unread = False
        """What we wrote lies in the socket's buffer."""
        self._oddities: set[str] = set()
        self._tending = False
        self._errand: asyncio.Event | None = None
        """There is something to do for who tends the station; None: there never was."""
        self.errands.quirks = self.quirks
        self._tasks: set[asyncio.Task[None]] = set()
        self._group: asyncio.TaskGroup | None = None

    # ---- its life ----

    async def run(self) -> None:
        """Until the socket is closed. Calls that were read are still handled, within a bounded time."""
        async with asyncio.TaskGroup() as group:
            self._group = group
            worker = group.create_task(self._work(), name=f"calls of {self.identity}")
            timings, loop = self._host.settings.timings, asyncio.get_running_loop()
            self._next_tick = loop.call_later(timings.ping_every_s, self._tick)
            self._gate = loop.call_later(timings.boot_gate_s, self._boot_is_late)
            try:
                self._socket.listen(self._on_frame, self._on_message)
                await self._socket.wait_closed()
            finally:
                self._hang_up()
            await self._drain(worker)
            for task in (worker, *self._tasks):
                task.cancel()

    def _on_message(self, data: bytes) -> None:
        """Called by the socket: what is wrong in here ends this connection alone."""
        try:
            self._take(data)
        except Exception:
            self._host.count("faults")
            self._log.exception("message_failed")
            self._socket.transport.abort()

    def _take(self, data: bytes) -> None:
        self._trace.add(self._heard_at[1], "in", data)
        frame = rpc.decode(data, self._host.settings.max_message_bytes)
        if isinstance(frame, rpc.Call) or (isinstance(frame, rpc.Send) and self.dialect.has_sends):
            self._put(frame)
        elif isinstance(frame, rpc.CallResult | rpc.CallError):
            self.asking.take_answer(frame)
        else:
            self._take_odd(frame)
        if self._socket.is_full and not self._unread:
            self._unread = True
            self._socket.hold()
            self.spawn(self._read_on_when_it_reads())

    async def _read_on_when_it_reads(self) -> None:
        """From whoever does not take our answers nothing more is read."""
        await self._socket.emptied()
        self._unread = False
        if len(self._calls) < CALLS_WAITING_MAX:
            self._socket.release()

    def _put(self, call: rpc.Call | rpc.Send | None) -> None:
        self._calls.append(call)
        if self._idle is not None and not self._idle.done():
            self._idle.set_result(None)
        if len(self._calls) >= CALLS_WAITING_MAX:
            self._socket.hold()

    async def _work(self) -> None:
        """Calls, one after the other in the order they came."""
        await self._host.admit(self, None)
        while True:
            if not self._calls:
                self._idle = self._socket.loop.create_future()  # asking for the running loop costs a system call
                await self._idle
                continue
            call = self._calls.pop(0)
            if call is None:
                return
            if len(self._calls) < CALLS_WAITING_MAX and not self._socket.is_full:
                self._socket.release()
            if isinstance(call, rpc.Send):
                await self._hear(call)
            else:
                text, then = await self._answer(call)
                self.write(text)
                if self._socket.is_full:
                    await self._socket.emptied()
                if then is not None:
                    then()
            if self.errands.waiting:
                self.tend()

    async def _drain(self, worker: asyncio.Task[None]) -> None:
        with contextlib.suppress(TimeoutError):
            async with asyncio.timeout(self._host.settings.timings.drain_s):
                self._put(None)
                await asyncio.wait([worker])

    def _hang_up(self) -> None:
        self.closed = True
        for timer in (self._next_tick, self._gate):
            if timer is not None:
                timer.cancel()
        self.asking.hang_up()

    def spawn(self, work: Coroutine[Any, Any, None]) -> None:
        """Run beside the rest, for as long as the connection lives. A failure ends this work alone."""
        if self._group is None or self.closed:
            work.close()
            return
        task = self._group.create_task(self._guarded(work))
        self._tasks.add(task)
        task.add_done_callback(self._tasks.discard)

    async def _guarded(self, work: Coroutine[Any, Any, None]) -> None:
        try:
            await work
        except ConnectionClosed:
            pass
        except SiteError as error:
            self._log.debug("station_work_given_up", code=error.code)
        except Exception:
            self._host.count("faults")
            self._log.exception("station_work_failed")

    def retire(self, reason: str, *, gently: bool) -> None:
        """Another connection has taken its place. One that is dead is not waited for."""
        if gently:
            self.spawn(self._socket.close(1000, reason))
        else:
            self._socket.transport.abort()

    @property
    def is_proven(self) -> bool:
        """Whether it has shown the station's own password or certificate."""
        return self._host.desk.standing(self.identity, self.greeting.proof).proven

    @property
    def desk(self) -> Desk:
        return self._host.desk

    @property
    def timings(self) -> Timings:
        return self._host.settings.timings

    def count(self, what: str) -> None:
        self._host.count(what)

    @property
    def errands(self) -> Errands:
        return self._clerk.tending

    @property
    def _log(self) -> structlog.stdlib.BoundLogger:
        """Bound when something is to be said: most connections never say anything."""
        bound: structlog.stdlib.BoundLogger = log.bind(charge_point=self.identity, ip=self.ip)
        return bound

    @property
    def is_serving(self) -> bool:
        return self.role is Role.SERVING

    @property
    def is_accepted(self) -> bool:
        """Serves, and its boot is accepted: what it says counts, and it may be asked."""
        return self.role is Role.SERVING and self.registration is Registration.ACCEPTED

    # ---- signs of life ----

    def noticed(self) -> None:
        """It serves: what it sent until now counts as its first sign of life."""
        monotonic_s, at = self._heard_at
        self._host.seen(self.key, at, monotonic_s)

    def _on_frame(self, opcode: Opcode) -> None:
        clock = self._host.clock
        before_s, before = self._heard_at
        monotonic_s, at = self._heard_at = clock.monotonic(), clock.now()
        self._frames += 1
        if self.role is Role.SERVING:
            self._host.seen(self.key, at, monotonic_s)
            limit_s = self._silent_after_s
            if monotonic_s - before_s > limit_s or abs((at - before).total_seconds()) > limit_s:
                self.spawn(self._host.desk.heard(self.key))
        if opcode is Opcode.BINARY:
            self._host.corrected(self, "frame", ["binary"])

    async def answers_ping(self) -> bool:
        """Whether anything comes from it within the time a probe has. One that answers no ping is asked nothing."""
        if not self.quirks.pings:
            quiet_s = self._host.clock.monotonic() - self._heard_at[0]
            return quiet_s < SILENT_AFTER_INTERVALS * self._host.desk.heartbeat_interval_s
        frames_before = self._frames
        try:
            async with asyncio.timeout(self._host.settings.timings.duplicate_probe_s):
                await (await self._socket.ping())
        except TimeoutError:
            return self._frames != frames_before
        except ConnectionClosed:
            return False
        return True

    def _tick(self) -> None:
        """Pings keep middleboxes awake. A missing pong means nothing; a station that reads nothing at all is cut."""
        loop, timings = asyncio.get_running_loop(), self._host.settings.timings
        if not self._socket.is_full:
            self._full_since = None
            if self.quirks.pings:
                self._socket.write_ping()
        elif self._full_since is None:
            self._full_since = loop.time()
        elif loop.time() - self._full_since >= timings.write_s:
            self._log.warning("station_did_not_read", after_s=timings.write_s)
            self._socket.transport.abort()
        self._next_tick = loop.call_later(timings.ping_every_s, self._tick)

    # ---- their calls ----

    async def _answer(self, call: rpc.Call) -> tuple[str, Callable[[], None] | None]:
        """The frame that answers, and what is to happen once it is out."""
        if call.flaws:
            self._host.corrected(self, "frame", list(call.flaws))
        before = self._session.answer_before(call)
        if before is not None:
            self._host.count("calls_repeated")
            return before, None
        found: Found = []
        then: Callable[[], None] | None = None
        try:
            if call.action == "BootNotification":
                payload, then = await self._boot(call.payload, found)
            else:
                if not (self.recorded and self.is_accepted):
                    await self._check_standing(call.action)
                self.dialect.extra_properties(call.action, call.payload, found)
                payload = await self._clerk.answer(call.action, call.payload, found)
        except Refused as refusal:
            text = self._refusal(call, refusal.code, refusal.description)
        except Unusable as unusable:
            text = self._refusal(call, unusable.code, f"{unusable.where}: {unusable.problem}")
        except StoreUnavailable as error:
            self.say_once("not_stored", "message_not_stored", action=call.action, reason=error.fields.get("reason"))
            text = self._refusal(call, rpc.ErrorCode.INTERNAL_ERROR, "not stored, send it again")
        except Exception:
            self._host.count("faults")
            self._log.exception("call_failed", action=call.action)
            text = self._refusal(call, rpc.ErrorCode.INTERNAL_ERROR, "")
        else:
            text = rpc.encode_result(call.message_id, conduct.answered(self.quirks, payload))
            self._session.remember(call, text)
            self._host.count("calls_answered")
            self._oddities.discard("not_stored")
        if found:
            self._host.corrected(self, call.action, found)
        return text, then

    def _refusal(self, call: rpc.Call, code: rpc.ErrorCode, description: str) -> str:
        self._host.count("calls_refused")
        self.say_once(f"refused {call.action} {code}", "call_refused", action=call.action[:50], code=code.value)
        return rpc.encode_error(call.message_id, self.dialect.spell(code), description)

    async def _hear(self, send: rpc.Send) -> None:
        """A message that is never answered, whatever becomes of it (OCPP 2.1 Part 4 §4.2.5)."""
        found: Found = list(send.flaws)
        try:
            await self._check_standing(send.action)
            await self._clerk.hear(send.action, send.payload, found)
        except (Refused, Unusable) as problem:
            self.say_once(f"unheard {send.action}", "send_not_used", action=send.action[:50], code=problem.code.value)
        except StoreUnavailable as error:
            self.say_once("not_stored", "message_not_stored", action=send.action, reason=error.fields.get("reason"))
        except Exception:
            self._host.count("faults")
            self._log.exception("send_failed", action=send.action)
        if found:
            self._host.corrected(self, send.action, found)

    async def _check_standing(self, action: str) -> None:
        """Facts are stored whether a boot was accepted or not (OCPP.md §4.2); not from whom nothing is believed."""
        self.has_called = True
        if self.role is Role.NEW or (self.role is Role.SERVING and not self.recorded):
            await self._host.admit(self, None)
        facts = self.dialect.facts
        strange = self.role is Role.WAITING and action not in OPEN_TO_ALL and self.waiting_for in NOTHING_COUNTS
        early = facts is not None and action not in facts and self.registration is not Registration.ACCEPTED
        if strange or (early and action in self.dialect.schemas.from_station):
            raise Refused(rpc.ErrorCode.SECURITY_ERROR, "BootNotification is not accepted yet")

    def _known_as(self, report: BootReport) -> BootReport:
        """The boot with how it was spoken, and what rules there are for such a station."""
        kind = report.vendor, report.model, report.firmware
        table = self._host.settings.quirks
        self.quirks = self.errands.quirks = table.of_station(*kind)
        names = tuple(rule.name for rule in table.rules_for(*kind))
        return replace(
            report, version=self.dialect.version, subprotocol=self.greeting.chosen, offered=self.greeting.offered,
            traits=replace(self.quirks.traits, rules=names),
        )  # fmt: skip

    async def _boot(self, payload: dict[str, Any], found: Found) -> tuple[dict[str, Any], Callable[[], None]]:
        """Accepted or Pending, with the time. A serial number other than before is shown as an error, and served."""
        self.dialect.extra_properties("BootNotification", payload, found)
        report = self._known_as(self.dialect.boot_report(payload, found))
        self.boot = report
        proof = after_boot(self.greeting.proof, self.key, report.serial, self.dialect.version)
        if proof is not self.greeting.proof:
            self.greeting = replace(self.greeting, proof=proof)
        await self._host.admit(self, report)
        if self.waiting_for == "duplicate_identity":
            answer = BootAnswer(Registration.PENDING, self._host.settings.retry_interval_s, self.waiting_for)
        else:
            answer = await self._host.desk.boot(self.identity, self.ip, report, self.greeting.proof)
            self.registration = answer.verdict
            if (answer.verdict is Registration.ACCEPTED) is not self.is_serving:
                await self._host.admit(self, report)
        if self._host.may_say(self):
            self._log.info("station_booted", verdict=answer.verdict.value, reason=answer.reason, vendor=report.vendor,
                           model=report.model, firmware=report.firmware)  # fmt: skip
        if answer.reason in REFUSED_AT_THE_DOOR:
            await self._host.desk.refused(self.identity, self.ip, answer.reason, self.greeting.proof)

        def then() -> None:
            self._open_gate()
            if answer.reason in REFUSED_AT_THE_DOOR:
                self.retire(answer.reason, gently=True)
            if answer.verdict is Registration.ACCEPTED:
                self.spawn(self._after_acceptance())

        return self.dialect.boot_answer(answer, self._host.clock.now()), then

    # ---- frames that are no calls ----

    def _take_odd(self, frame: rpc.CallResultError | rpc.Send | rpc.Unreadable | rpc.Ignored) -> None:
        """Answered where the version says how, else counted; the socket stays open (OCPP.md §8.1 R5, R6)."""
        if isinstance(frame, rpc.CallResultError) and self.dialect.has_sends:
            self._host.count("answers_rejected")
            self.say_once("rejected", "answer_rejected_by_station", code=frame.code[:50], what=frame.description[:200])
            return
        if not isinstance(frame, rpc.Unreadable):
            self._take_unknown_type(frame)
            return
        self._host.count("frames_unreadable")
        self.say_once(f"unreadable {frame.problem}", "frame_unreadable", problem=frame.problem)
        words = frame.problem.replace("_", " ")
        if frame.message_id is None:
            if self.dialect.answers_unreadable:
                self.write(rpc.encode_error("-1", self.dialect.spell(rpc.ErrorCode.RPC_FRAMEWORK_ERROR), words))
        elif frame.message_type == rpc.CALL:
            self.write(rpc.encode_error(frame.message_id, self.dialect.spell(frame.code), words))
        elif frame.message_type in (rpc.CALL_RESULT, rpc.CALL_ERROR):
            self.asking.take_answer(rpc.CallError(frame.message_id, frame.code.value, frame.problem))

    def _take_unknown_type(self, frame: rpc.CallResultError | rpc.Send | rpc.Ignored) -> None:
        kind = frame.message_type if isinstance(frame, rpc.Ignored) else type(frame).__name__
        self._host.count("frames_ignored")
        self.say_once("ignored", "frame_ignored", message_type=str(kind)[:20])
        if self.dialect.answers_unknown_types:
            code = self.dialect.spell(rpc.ErrorCode.MESSAGE_TYPE_NOT_SUPPORTED)
            self.write(rpc.encode_error(frame.message_id or "-1", code, "no such message type"))

    def say_once(self, kind: str, event: str, **fields: Any) -> None:
        """A station that errs, errs often."""
        if kind not in self._oddities and len(self._oddities) < 100:
            self._oddities.add(kind)
            if self._host.may_say(self):
                self._log.warning(event, **fields)

    # ---- what we say ----

    def write(self, text: str) -> None:
        self._trace.add(self._host.clock.now(), "out", text)
        self._socket.write(text)

    # ---- what we ask of our own accord ----

    def _open_gate(self) -> None:
        if self._gate is not None:
            self._gate.cancel()
            self._gate = None
        self._session.gate_open = True
        self.asking.pump()

    def _boot_is_late(self) -> None:
        self.spawn(self._go_without_boot())

    async def _go_without_boot(self) -> None:
        """Ask one that was accepted before for its state, any other for its boot (OCPP.md §4.2)."""
        self._open_gate()
        self.has_called = True
        if self.role is Role.NEW:
            await self._host.admit(self, None)
        if self.is_accepted:
            with contextlib.suppress(NoAnswer):
                await self._clerk.ask_status(self.asking.ask)
            self.tend()
        else:
            await self.ask_boot()

    async def _after_acceptance(self) -> None:
        """Once an accepted boot is answered: what a site needs to know, and its state if it does not tell it."""
        boot = self.boot
        found: Found = []
        if self.quirks.quiet_after_boot_s:
            await asyncio.sleep(self.quirks.quiet_after_boot_s)
        self._clerk.keys_wanted = (self.quirks.token_key,) if self.quirks.token_key else ()
        await self._clerk.settle_in(self.asking.ask, found)
        if found:
            self._host.corrected(self, "settling in", found)
        await asyncio.sleep(self._host.settings.timings.boot_gate_s)
        if self.boot is boot:
            with contextlib.suppress(NoAnswer):
                await self._clerk.ask_status(self.asking.ask)
            self.errands.look_again()
            self.tend()

    def corrected(self, action: str, found: Found) -> None:
        if found:
            self._host.corrected(self, action, found)

    def judge(self, action: str, payload: dict[str, Any]) -> None:
        """Count an answer to a call by hand that does not fit its schema."""
        if not self.dialect.schemas.conforms(f"{action}Response", payload):
            self._host.corrected(self, f"{action}.conf", ["does_not_conform"])

    def tend(self) -> None:
        """There may be something to do for the station."""
        if self._errand is None:
            self._errand = asyncio.Event()
        self._errand.set()
        if not self._tending and self.is_accepted:
            self._tending = True
            self.spawn(self._tend(self._errand))

    async def _tend(self, errand: asyncio.Event) -> None:
        """One errand after the other, until there is nothing to do or to wait for."""
        try:
            await self._do_errands(errand)
        finally:
            self._tending = False

    async def _do_errands(self, errand: asyncio.Event) -> None:
        while True:
            errand.clear()
            wait_s: float | None = ERRANDS_AGAIN_S
            try:
                if self.is_accepted:
                    wait_s = await self.errands.round(self.asking.ask)
            except StoreUnavailable as error:
                self._log.warning("errand_not_recorded", reason=error.fields.get("reason"))
            if wait_s is None and not errand.is_set():
                return
            with contextlib.suppress(TimeoutError):
                async with asyncio.timeout(wait_s):
                    await errand.wait()

    async def ask_boot(self) -> None:
        """Never of a station that is accepted (OCPP 1.6 errata 3.40): one that waits, or that nobody knows yet."""
        if not self.is_accepted:
            await self.asking.ask("TriggerMessage", {"requestedMessage": "BootNotification"})
