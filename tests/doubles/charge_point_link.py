"""One WebSocket connection of a virtual charge point: one CALL at a time, answers matched, incoming calls answered.

Keeps the record of all that was said, for the tests to read. Not here: what the messages mean (`charge_point.py`,
the tongues). Source: OCPP-J 1.6 §4.1.1 (one outstanding call), §4.2; OCPP 2.1 part 4 §4.2 (types 5 and 6).
Start at `Link.call`.
"""

import asyncio
import itertools
from collections.abc import Callable, Coroutine
from dataclasses import dataclass, field
from typing import Any

from websockets.asyncio.client import ClientConnection
from websockets.exceptions import ConnectionClosed

from tests.doubles.charge_point_faults import Faults
from tests.doubles.charge_point_frames import (
    ERROR,
    ERROR_CODES,
    BadFrame,
    Frame,
    Payload,
    Version,
    call_text,
    error_text,
    faults_of_call,
    faults_of_result,
    read_frame,
    result_error_text,
    result_text,
    send_text,
    with_strings_for_numbers,
)
from tests.doubles.charge_point_tongue import Reply


class LinkLost(Exception):
    """The connection is gone; whether the other side saw the last message is unknown."""


class NoAnswer(Exception):
    """The connection stands, the answer did not come in time."""


class Refused(Exception):
    """The central system answered with a CALLERROR."""

    def __init__(self, code: str, description: str) -> None:
        super().__init__(f"{code}: {description}")
        self.code = code


@dataclass(slots=True)
class Said:
    """A CALL in either direction. `answer` None and `code` "" means: no answer (yet)."""

    action: str
    payload: Payload
    message_id: str
    answer: Payload | None = None
    code: str = ""
    """Of the CALLERROR that answered it."""


@dataclass(slots=True)
class Record:
    """What was said over the station's life; `keep` bounds each list for a station that runs for days."""

    keep: int | None = None
    sent: list[Said] = field(default_factory=list)
    confirmed: list[Said] = field(default_factory=list)
    """Sent and answered by a CALLRESULT, in the order of the answers."""
    refused: list[Said] = field(default_factory=list)
    received: list[Said] = field(default_factory=list)
    """CALLs of the central system, with our answer."""
    violations: list[str] = field(default_factory=list)
    """Where either side broke the protocol; what the station itself did wrong begins with "ours: "."""
    result_errors: list[Frame] = field(default_factory=list)
    """CALLRESULTERRORs that came (2.1): the central system could not take an answer of ours."""
    unmatched: list[Frame] = field(default_factory=list)
    """Answers to ids that wait for none: late ones, and those to duplicates and broken frames sent on purpose."""
    job_errors: list[str] = field(default_factory=list)
    """Why transfers failed and certificates were refused."""
    dials: int = 0
    dial_errors: list[str] = field(default_factory=list)
    closes: list[int] = field(default_factory=list)
    """WebSocket close codes, in order; 1006 when no close frame came."""

    def trim(self) -> None:
        if self.keep is None:
            return
        for kept in (self.sent, self.confirmed, self.refused, self.received, self.unmatched, self.violations):
            if len(kept) > 2 * self.keep:
                del kept[: -self.keep]
        del self.closes[: -self.keep], self.dial_errors[: -self.keep], self.job_errors[: -self.keep]


class Link:
    """Lives as long as its socket. `answer` decides about incoming calls; `changed` is called after every message."""

    def __init__(
        self,
        socket: ClientConnection,
        *,
        version: Version,
        record: Record,
        faults: Faults,
        new_id: Callable[[], str],
        answer: Callable[[str, Payload], Reply],
        changed: Callable[[], None],
        answer_timeout_s: float,
    ) -> None:
        self._socket = socket
        self._version = version
        self._record = record
        self._faults = faults
        self._new_id = new_id
        self._answer = answer
        self._changed = changed
        self._answer_timeout_s = answer_timeout_s
        self._one_call = asyncio.Lock()
        self._waiting: dict[str, asyncio.Future[Frame]] = {}
        self._expected_strays: set[str] = set()
        self._count = itertools.count(1)

    async def call(self, action: str, payload: Payload) -> Payload:
        """The payload of the answer. Raises LinkLost, NoAnswer or Refused. Waits for its turn."""
        async with self._one_call:
            said = Said(action, payload, self._new_id())
            frame = await self._ask(said)
        if frame.kind == ERROR:
            said.code = frame.code
            self._record.refused.append(said)
            self._changed()
            raise Refused(frame.code, frame.description)
        said.answer = frame.payload
        wrong = faults_of_result(self._version, action, frame.payload)
        self._judge(wrong)
        if wrong and self._version == "2.1":
            await self.send_text(result_error_text(said.message_id, "FormatViolation", wrong[0][:255]))
        self._record.confirmed.append(said)
        self._record.trim()
        self._changed()
        return frame.payload

    async def send(self, action: str, payload: Payload) -> None:
        """A message nobody answers (2.1). Raises LinkLost."""
        said = Said(action, payload, self._new_id())
        self._record.sent.append(said)
        self._judge_ours(faults_of_call(self._version, action, payload, times=False))
        await self.send_text(send_text(said.message_id, action, payload))
        self._changed()

    async def read(self) -> None:
        """Until the connection ends, then raises LinkLost (in a group).

        Calls are answered in the order they came, late answers are sent beside the reading.
        """
        late = asyncio.TaskGroup()
        try:
            async with late:
                try:
                    async for text in self._socket:
                        await self._take(text, late)
                except ConnectionClosed:
                    raise LinkLost from None
                raise LinkLost
        finally:
            self._record.closes.append(self._socket.close_code or 1006)
            for waiting in self._waiting.values():
                if not waiting.done():
                    waiting.set_exception(LinkLost())
                    waiting.exception()  # who waited may be cancelled and never look
            self._changed()

    def abort(self) -> None:
        """Cut it like a pulled cable: no close frame, no goodbye."""
        self._socket.transport.abort()

    async def leave(self) -> None:
        """Close it as the protocol asks; what was sent arrives."""
        await self._socket.close(1000)

    def freeze(self) -> None:
        """Leave the socket open and never read it again: a station that hangs, or a dead mobile route."""
        self._socket.transport.pause_reading()

    async def send_text(self, text: str) -> None:
        """Any text as one frame. Raises LinkLost."""
        try:
            await self._socket.send(text)
        except ConnectionClosed as exc:
            raise LinkLost from exc

    async def _ask(self, said: Said) -> Frame:
        waiting: asyncio.Future[Frame] = asyncio.get_running_loop().create_future()
        self._waiting[said.message_id] = waiting
        self._record.sent.append(said)
        if not self._faults.shaped_like_16:
            self._judge_ours(faults_of_call(self._version, said.action, said.payload, times=False))
        self._changed()
        try:
            await self._write(said)
            async with asyncio.timeout(self._answer_timeout_s):
                return await waiting
        except TimeoutError as exc:
            raise NoAnswer(said.action) from exc
        finally:
            del self._waiting[said.message_id]

    async def _write(self, said: Said) -> None:
        payload = with_strings_for_numbers(said.payload) if self._faults.strings_for_numbers else said.payload
        every = self._faults.malformed_json_every_n
        if every and next(self._count) % every == 0:
            broken_id = self._stray_id()
            await self.send_text(f'[2,"{broken_id}","{said.action}",{{"transactionId":,}}]')
        text = call_text(said.message_id, said.action, payload)
        await self.send_text(text)
        if self._faults.duplicate_messages == "same_id":
            self._expected_strays.add(said.message_id)
            await self.send_text(text)
        elif self._faults.duplicate_messages == "new_id":
            await self.send_text(call_text(self._stray_id(), said.action, payload))

    def _stray_id(self) -> str:
        stray = self._new_id()
        self._expected_strays.add(stray)
        return stray

    async def _take(self, text: str | bytes, late: asyncio.TaskGroup) -> None:
        try:
            frame = read_frame(text, self._version)
        except BadFrame as exc:
            self._judge([str(exc)])
            return
        match frame.kind:
            case 2:
                await self._take_call(frame, late)
            case 5:
                self._record.result_errors.append(frame)
                self._changed()
            case 6:
                self._record.received.append(Said(frame.action, frame.payload, frame.message_id))
                self._judge(faults_of_call(self._version, frame.action, frame.payload))
                self._changed()
            case _:
                self._take_answer(frame)

    def _take_answer(self, frame: Frame) -> None:
        if frame.kind == ERROR and frame.code not in ERROR_CODES[self._version]:
            self._judge([f"CALLERROR with the unknown code {frame.code!r}"])
        waiting = self._waiting.get(frame.message_id)
        if waiting is not None and not waiting.done():
            waiting.set_result(frame)
            return
        self._record.unmatched.append(frame)
        known = frame.message_id in self._expected_strays or any(
            said.message_id == frame.message_id for said in self._record.sent
        )
        if not known:
            self._judge([f"answer to a message never sent: {frame.message_id}"])
        self._changed()

    async def _take_call(self, frame: Frame, late: asyncio.TaskGroup) -> None:
        said = Said(frame.action, frame.payload, frame.message_id)
        self._record.received.append(said)
        self._judge(faults_of_call(self._version, frame.action, frame.payload))
        if self._faults.ignores_calls:
            self._changed()
            return
        if self._faults.reset_unanswered and frame.action == "Reset":
            self._changed()
            self._obey(self._answer(frame.action, frame.payload))
            return
        if self._faults.callerror_everything:
            reply = Reply({}, code="InternalError")
        else:
            reply = self._answer(frame.action, frame.payload)
        replying = self._send_reply(frame.message_id, said, reply)
        if self._faults.answers_late_s:
            late.create_task(_later(self._faults.answers_late_s, replying))
        else:
            await replying

    async def _send_reply(self, message_id: str, said: Said, reply: Reply) -> None:
        said.answer, said.code = reply.payload, reply.code
        if not reply.code:
            self._judge_ours(faults_of_result(self._version, said.action, reply.payload, times=False))
        text = error_text(message_id, reply.code, "") if reply.code else result_text(message_id, reply.payload)
        if self._faults.answers_unknown_id:
            await self.send_text(result_text(self._new_id(), reply.payload))
        await self.send_text(text)
        if self._faults.answers_twice:
            await self.send_text(text)
        self._changed()
        self._obey(reply)

    def _obey(self, reply: Reply) -> None:
        if reply.then is not None and not self._faults.accepts_but_does_nothing:
            reply.then()

    def _judge(self, faults: list[str]) -> None:
        self._record.violations += faults

    def _judge_ours(self, faults: list[str]) -> None:
        self._record.violations += [f"ours: {fault}" for fault in faults]


async def _later(seconds: float, action: Coroutine[Any, Any, None]) -> None:
    try:
        await asyncio.sleep(seconds)
    except BaseException:
        action.close()
        raise
    await action


def pass_on_cancellation() -> None:
    """For the end of a TaskGroup: if children fail while it is cancelled, it raises their errors and forgets that."""
    task = asyncio.current_task()
    if task is not None and task.cancelling():
        raise asyncio.CancelledError
