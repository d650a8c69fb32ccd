"""Calls somebody sends by hand or by a program of their own: checked before they leave, and kept with their answers.

Start at `HandCalls.run`. What is kept is bounded and in memory: the last calls of each station, secrets masked, with
answers that came after nobody waited any more. Sources: DESIGN §6 and §7 (18); OCPP.md §8.1 R14, §8.2, §8.3.
"""

import contextlib
from collections import deque
from collections.abc import Sequence
from datetime import datetime
from enum import StrEnum
from typing import Any

import msgspec

from edge_agent.charge_points import conduct, portions, rpc
from edge_agent.charge_points.asking import Answer
from edge_agent.charge_points.dialect import Payload
from edge_agent.charge_points.readings import Found
from edge_agent.charge_points.rule_names import rule_broken
from edge_agent.charge_points.station import Connection
from sitelink.clock import Clock
from sitelink.errors import CallInvalid, CallRefused, NoAnswer, StationOffline, StoreUnavailable
from sitelink.ids import StationKey
from sitelink.redact import redact

CALLS_KEPT = 50
SHOWN_BYTES_MAX = 32 * 1024


class CallState(StrEnum):
    SENT = "sent"
    ANSWERED = "answered"
    REFUSED = "refused"
    """Answered with a CALLERROR."""
    NO_ANSWER = "no_answer"
    LATE = "late"
    """Answered when nobody waited any more."""
    LINK_LOST = "link_lost"


class HandCall(msgspec.Struct):
    """One call; of a call that was cut into portions each portion is one."""

    id: int
    action: str
    payload: Any
    at: datetime
    state: CallState = CallState.SENT
    answered_at: datetime | None = None
    result: Any = None
    error: dict[str, str] | None = None


class HandCalls:
    """Of all stations."""

    def __init__(self, clock: Clock) -> None:
        self._clock = clock
        self._kept: dict[StationKey, deque[HandCall]] = {}
        self._number = 0

    def shown(self, station: StationKey) -> Sequence[dict[str, Any]]:
        """Newest first."""
        return [msgspec.structs.asdict(each) for each in reversed(self._kept.get(station, ()))]

    def forget(self, station: StationKey) -> None:
        self._kept.pop(station, None)

    async def run(self, connection: Connection, action: str, payload: Payload) -> Payload:
        """The answer. Raises CallInvalid, CallRefused, NoAnswer, StationOffline."""
        await self._check(connection, action, payload)
        connection.errands.calling(action, payload)
        pieces = portions.portions(action, payload, connection.errands.facts())
        answers = [await self._send(connection, action, piece) for piece in pieces]
        connection.tend()
        return connection.dialect.shown_answer(action, portions.joined(action, answers))

    async def _check(self, connection: Connection, action: str, payload: Payload) -> None:
        dialect = connection.dialect
        dialect.schemas.check_call(action, payload)
        if not dialect.may_be_sent(action, connection.registration):
            raise CallInvalid(action=action, where="action", problem=rule_broken(action, "action"))
        where = conduct.why_not(connection.quirks, action, payload)
        if where is not None:
            raise CallInvalid(action=action, where=where, problem="not_for_this_model")
        where = dialect.not_now(action, payload, connection.registration)
        where = where or _lowered(connection, action, payload)
        if where is None:
            where = await connection.errands.objection(action, payload, connection.asking.ask)
        if where is not None:
            raise CallInvalid(action=action, where=where, problem=rule_broken(action, where))
        if portions.too_long(action, payload, connection.errands.facts()):
            raise CallInvalid(action=action, where="componentVariable", problem="more_than_the_station_takes")

    async def _send(self, connection: Connection, action: str, payload: Payload) -> Payload:
        call = self._keep(connection.key, action, payload)
        found: Found = []
        password = conduct.password_set(action, payload)
        verifier = await connection.desk.key_offered(connection.key, password) if password is not None else None

        async def came_late(answer: Answer) -> None:
            self._answered(connection, call, answer)
            await _settle_password(connection, verifier, answer)
            call.state = CallState.LATE
            if isinstance(answer, rpc.CallResult) and isinstance(answer.payload, dict):
                await connection.errands.called(action, payload, answer.payload)
                connection.tend()

        try:
            answer = await connection.asking.in_its_way(action, payload, found, came_late)
        except NoAnswer:
            call.state = CallState.NO_ANSWER
            raise
        except StationOffline:
            call.state = CallState.LINK_LOST
            raise
        finally:
            connection.corrected(action, found)
        self._answered(connection, call, answer)
        await _settle_password(connection, verifier, answer)
        if not isinstance(answer, rpc.CallResult) or not isinstance(answer.payload, dict):
            raise CallRefused(
                identity=connection.key, action=action, error_code=(call.error or {})["code"],
                description=(call.error or {})["description"],
            )  # fmt: skip
        sent = conduct.calls_of(connection.quirks, action, payload, (), [])
        try:
            await connection.errands.called(action, sent[0] if len(sent) == 1 else payload, answer.payload)
        except StoreUnavailable:
            connection.tend()  # the station did as it was told; what it changed is told again by itself
        return answer.payload

    def _keep(self, station: StationKey, action: str, payload: Payload) -> HandCall:
        self._number += 1
        call = HandCall(self._number, action, _shown(payload), self._clock.now())
        self._kept.setdefault(station, deque(maxlen=CALLS_KEPT)).append(call)
        return call

    def _answered(self, connection: Connection, call: HandCall, answer: Answer) -> None:
        call.answered_at = self._clock.now()
        dialect = connection.dialect
        if isinstance(answer, rpc.CallResult) and isinstance(answer.payload, dict):
            call.state = CallState.ANSWERED
            call.result = _shown(dialect.shown_answer(call.action, answer.payload))
            connection.judge(call.action, answer.payload)
            return
        call.state = CallState.REFUSED
        if isinstance(answer, rpc.CallError):
            call.error = {"code": answer.code, "description": answer.description}
        else:
            code = dialect.spell(rpc.ErrorCode.FORMATION_VIOLATION)
            call.error = {"code": code, "description": "the answer is no object"}


def _lowered(connection: Connection, action: str, payload: Payload) -> str | None:
    """A profile below the one it is held to would lock it out (A05.FR.07)."""
    wanted = conduct.profile_set(action, payload)
    held = connection.desk.standing(connection.identity).profile
    return wanted[0] if wanted is not None and wanted[1] < held else None


async def _settle_password(connection: Connection, verifier: str | None, answer: Answer) -> None:
    """A password given by hand is as binding as one of ours. Where that cannot be written down both count for a day."""
    if verifier is None:
        return
    refused = isinstance(answer, rpc.CallError)
    word = answer.code if isinstance(answer, rpc.CallError) else conduct.word_on_password(answer.payload)
    with contextlib.suppress(StoreUnavailable):
        await connection.desk.key_answered(connection.key, verifier, word, accepted=not refused)


def _shown(payload: Any) -> Any:
    shown = redact(payload)
    encoded = msgspec.json.encode(shown)
    return shown if len(encoded) <= SHOWN_BYTES_MAX else {"cut": encoded[:500].decode("utf-8", "ignore")}
