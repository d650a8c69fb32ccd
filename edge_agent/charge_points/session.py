"""One conversation with one station: whose turn it is, who waits for which answer, what was answered before.

Pure: no I/O, no clock, no log; the shell (`station`) writes what it is handed and calls when a time is over. One CALL
of ours is outstanding at a time; its sender stops waiting after 30 s, but the slot stays taken until the answer or
90 s have come, and an answer that comes later still is recognised. Sources: OCPP-J 1.6 §4.1.1 and §4.1.4 with errata,
OCPP 2.0.1 Part 4 §4.1; OCPP.md §8.1 R3, R4, R8; DESIGN §7 (18). Start at `Session.ask`.
"""

from collections import OrderedDict
from collections.abc import Callable
from dataclasses import dataclass
from typing import Any

import msgspec

from edge_agent.charge_points.rpc import Call, CallError, CallResult

WAITING_MAX = 16
LATE_MAX = 32
"""Calls without an answer that are remembered after their slot was freed."""
ANSWERS_MAX = 32
"""Transaction messages whose answer is remembered, for one connection."""


class TooManyWaiting(Exception):
    """The station does not answer, and others wait already."""


@dataclass(slots=True, eq=False)
class Question:
    """A CALL of ours. `message_id` is "" until it has been sent."""

    action: str
    payload: dict[str, Any]
    message_id: str = ""
    given_up: bool = False
    context: Any = None
    """The shell's own: who hears a late answer."""


class Arrival(msgspec.Struct, frozen=True):
    """An answer to a question of ours; `late` when its sender no longer waits."""

    question: Question
    late: bool


class Session:
    """`new_id` gives ids that are unique across connections: a uuid4 has exactly the 36 characters allowed.

    Only the actions of `repeated_as_is` are answered from memory. The same Heartbeat or status under the same id may
    well be a new one: there are stations that number every message "1".
    """

    def __init__(self, new_id: Callable[[], str], repeated_as_is: frozenset[str]) -> None:
        self._new_id = new_id
        self._repeated_as_is = repeated_as_is
        self._waiting: list[Question] = []
        self._outstanding: Question | None = None
        self._late: OrderedDict[str, Question] = OrderedDict()
        self._answers: OrderedDict[str, tuple[Call, str]] = OrderedDict()
        self.gate_open = False
        """Whether we may speak at all: some stations restart when disturbed before their boot is answered."""

    # ---- our calls ----

    def ask(self, action: str, payload: dict[str, Any]) -> Question:
        """Put a call in line. Raises TooManyWaiting."""
        if len(self._waiting) >= WAITING_MAX:
            raise TooManyWaiting
        question = Question(action, payload)
        self._waiting.append(question)
        return question

    def next_to_send(self) -> Question | None:
        """The call whose turn it is, now outstanding; None while another is, or nothing may be sent."""
        if self._outstanding is not None or not self.gate_open or not self._waiting:
            return None
        self._outstanding = question = self._waiting.pop(0)
        question.message_id = self._new_id()
        return question

    @property
    def is_free(self) -> bool:
        """Whether no call of ours is outstanding."""
        return self._outstanding is None

    def take_answer(self, answer: CallResult | CallError) -> Arrival | None:
        """The question it answers. None: nobody asked, or it was answered before."""
        question = self._outstanding
        if question is not None and question.message_id == answer.message_id:
            self._outstanding = None
            return Arrival(question, late=question.given_up)
        question = self._late.pop(answer.message_id, None)
        return Arrival(question, late=True) if question is not None else None

    def give_up(self, question: Question) -> bool:
        """Its sender stops waiting. True when it had been sent; otherwise it never will be."""
        question.given_up = True
        if question.message_id:
            return True
        if question in self._waiting:
            self._waiting.remove(question)
        return False

    def free_slot(self, question: Question) -> None:
        """The station had its time: the next call may go out. An answer is still recognised."""
        if self._outstanding is not question:
            return
        self._outstanding = None
        question.given_up = True
        self._late[question.message_id] = question
        if len(self._late) > LATE_MAX:
            self._late.popitem(last=False)

    def end(self) -> list[tuple[Question, bool]]:
        """The connection is gone: every question that still has a sender, and whether it had been sent."""
        left = [(question, False) for question in self._waiting]
        if self._outstanding is not None and not self._outstanding.given_up:
            left.insert(0, (self._outstanding, True))
        self._waiting.clear()
        self._outstanding = None
        return left

    # ---- their calls ----

    def answer_before(self, call: Call) -> str | None:
        """The answer this very call was given before on this connection (same id and same content), if remembered."""
        known = self._answers.get(call.message_id)
        if known is None:
            return None
        before, answer = known
        return answer if (before.action, before.payload) == (call.action, call.payload) else None

    def remember(self, call: Call, answer: str) -> None:
        if call.action not in self._repeated_as_is:
            return
        self._answers[call.message_id] = (call, answer)
        self._answers.move_to_end(call.message_id)
        if len(self._answers) > ANSWERS_MAX:
            self._answers.popitem(last=False)
