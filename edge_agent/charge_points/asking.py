"""Our calls to one station: one on its way at a time, each in the form the station can take, with its answer.

A thin shell around `session`, which says whose turn it is. Not here: when a call is made, and what its answer means
(`server`, `hand_calls`, the clerks). Sources: OCPP.md §8.1 R3, R8, R9; OCPP 2.1 Part 4 §4.2.4. Start at `Asking.ask`.
"""

import asyncio
from collections.abc import Awaitable, Callable, Coroutine
from typing import Any, Protocol

from msgspec.structs import replace

from edge_agent.charge_points import conduct, rpc
from edge_agent.charge_points.dialect import Dialect
from edge_agent.charge_points.quirks import Quirks
from edge_agent.charge_points.readings import Found
from edge_agent.charge_points.session import Question, Session, TooManyWaiting
from edge_agent.charge_points.settings import Timings
from edge_agent.site.ports import Desk
from sitelink.errors import NoAnswer, StationOffline
from sitelink.ids import StationKey

Answer = rpc.CallResult | rpc.CallError
Late = Callable[[Answer], Awaitable[None]]


class Line(Protocol):
    """What is needed of the connection."""

    dialect: Dialect
    identity: str
    key: StationKey
    quirks: Quirks
    closed: bool

    @property
    def desk(self) -> Desk: ...
    @property
    def timings(self) -> Timings: ...

    def write(self, text: str) -> None: ...
    def spawn(self, work: Coroutine[Any, Any, None]) -> None: ...
    def count(self, what: str) -> None: ...
    def say_once(self, kind: str, event: str) -> None: ...


class Asking:
    """Of one connection."""

    __slots__ = ("_answers", "_line", "_session", "_slot_timer")

    def __init__(self, line: Line, session: Session) -> None:
        self._line = line
        self._session = session
        self._answers: dict[Question, asyncio.Future[Answer]] = {}
        self._slot_timer: asyncio.TimerHandle | None = None

    async def ask(self, action: str, payload: dict[str, Any], late: Late | None = None) -> Answer:
        """The station's answer. Raises NoAnswer when its patience is over, StationOffline (`sent`: lost after it)."""
        if self._line.closed:
            raise StationOffline(identity=self._line.identity, sent=False)
        patience_s = self._line.timings.patience_s
        try:
            question = self._session.ask(action, payload)
        except TooManyWaiting:
            raise NoAnswer(identity=self._line.identity, action=action, after_s=0) from None
        loop = asyncio.get_running_loop()
        waiting: asyncio.Future[Answer] = loop.create_future()
        self._answers[question] = waiting
        question.context = late
        patience = loop.call_later(patience_s, _lose_patience, waiting)  # a tenth of what asyncio.timeout costs
        self.pump()
        try:
            return await waiting
        except TimeoutError:
            self._session.give_up(question)
            raise NoAnswer(identity=self._line.identity, action=action, after_s=patience_s) from None
        finally:
            patience.cancel()
            del self._answers[question]
            if waiting.cancelled():
                self._session.give_up(question)

    async def in_its_way(self, action: str, payload: dict[str, Any], found: Found, late: Late | None = None) -> Answer:
        """As `ask`, in as many calls and in the form the station can take; one answer for all."""
        kind = self._line.desk.kind(self._line.key)
        connectors = range(1, (kind.connectors if kind is not None else 0) + 1)
        parts = conduct.calls_of(self._line.quirks, action, payload, connectors, found)
        answer = await self._ask_each(action, parts, late)
        if conduct.refuses_the_whole(action, payload, getattr(answer, "payload", None)):
            parts = conduct.by_connector(payload, connectors, found)
            answer = await self._ask_each(action, parts, late)
        return answer

    async def _ask_each(self, action: str, parts: list[dict[str, Any]], late: Late | None) -> Answer:
        answers = []
        for part in parts:
            answer = await self.ask(action, part, late)
            if isinstance(answer, rpc.CallError):
                return answer
            keys = conduct.reboot_keys(action, part, answer.payload)
            if keys:
                await self._line.desk.needs_reboot(self._line.key, keys)
            answers.append(answer)
        if len(answers) == 1:
            return answers[0]
        return replace(answers[-1], payload=conduct.together(action, [each.payload for each in answers]))

    def pump(self) -> None:
        """Send the call whose turn it is, if there is one."""
        question = self._session.next_to_send()
        if question is not None:
            slot_s = max(self._line.timings.slot_s, self._line.quirks.answer_within_s)
            self._slot_timer = asyncio.get_running_loop().call_later(slot_s, self._free_slot, question)
            self._line.count("calls_sent")
            self._line.write(rpc.encode_call(question.message_id, question.action, question.payload))

    def _free_slot(self, question: Question) -> None:
        self._session.free_slot(question)
        self.pump()

    def take_answer(self, answer: Answer) -> None:
        """One came: for whoever waits, for whoever hears late ones, or for nobody."""
        arrival = self._session.take_answer(answer)
        if arrival is None:
            self._line.count("answers_nobody_asked_for")
            self._line.say_once("stray", "answer_nobody_asked_for")
            return
        if self._line.dialect.has_sends:
            answer = self._judged(arrival.question, answer)
        waiting = self._answers.get(arrival.question)
        if waiting is not None and not waiting.done():
            waiting.set_result(answer)
        elif arrival.question.context is not None:
            self._line.count("answers_late")
            self._line.spawn(arrival.question.context(answer))
        if self._session.is_free and self._slot_timer is not None:
            self._slot_timer.cancel()
        self.pump()

    def _judged(self, question: Question, answer: Answer) -> Answer:
        """OCPP 2.1: a CALLRESULT that does not fit its schema is rejected by a CALLRESULTERROR (OCPP.md §8.1 R8)."""
        if isinstance(answer, rpc.CallError):
            return answer
        wrong = None
        if not self._line.dialect.schemas.conforms(f"{question.action}Response", answer.payload):
            wrong = self._line.dialect.schemas.violation(f"{question.action}Response", answer.payload)
        if wrong is None:
            return answer
        code, words = self._line.dialect.spell(wrong.code), f"{wrong.where}: {wrong.problem}"
        self._line.count("answers_unusable")
        self._line.write(rpc.encode_result_error(answer.message_id, code, words))
        return rpc.CallError(answer.message_id, code, words)

    def hang_up(self) -> None:
        """The connection is gone: nobody waits for an answer any longer."""
        if self._slot_timer is not None:
            self._slot_timer.cancel()
        for question, sent in self._session.end():
            waiting = self._answers.get(question)
            if waiting is not None and not waiting.done():
                waiting.set_exception(StationOffline(identity=self._line.identity, sent=sent))


def _lose_patience(waiting: asyncio.Future[Answer]) -> None:
    if not waiting.done():
        waiting.set_exception(TimeoutError())
