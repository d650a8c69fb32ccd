"""Whose turn it is and who waits (OCPP.md §8.1 R3, R4, R8; DESIGN §7 (18)), as a table and as a machine."""

import itertools

import pytest
from hypothesis import strategies as st
from hypothesis.stateful import RuleBasedStateMachine, invariant, rule

from edge_agent.charge_points.rpc import Call, CallError, CallResult
from edge_agent.charge_points.session import ANSWERS_MAX, WAITING_MAX, Question, Session, TooManyWaiting

TRANSACTIONS = frozenset({"StartTransaction", "StopTransaction"})


def session(*, gate_open: bool = True) -> Session:
    numbers = itertools.count(1)
    made = Session(lambda: f"id{next(numbers)}", TRANSACTIONS)
    made.gate_open = gate_open
    return made


def test_one_call_is_outstanding_at_a_time() -> None:
    talk = session()
    first, second = talk.ask("Reset", {}), talk.ask("ClearCache", {})
    assert talk.next_to_send() is first
    assert talk.next_to_send() is None
    arrival = talk.take_answer(CallResult("id1", {}))
    assert arrival is not None
    assert (arrival.question, arrival.late) == (first, False)
    assert talk.next_to_send() is second


def test_nothing_is_sent_before_the_gate_opens() -> None:
    talk = session(gate_open=False)
    asked = talk.ask("Reset", {})
    assert talk.next_to_send() is None
    talk.gate_open = True
    assert talk.next_to_send() is asked


@pytest.mark.parametrize("answer", [CallResult("id1", {}), CallError("id1", "InternalError")])
def test_an_answer_counts_once(answer: CallResult | CallError) -> None:
    talk = session()
    talk.ask("Reset", {})
    talk.next_to_send()
    assert talk.take_answer(answer) is not None
    assert talk.take_answer(answer) is None
    assert talk.take_answer(CallResult("foreign", {})) is None


def test_a_call_given_up_keeps_its_slot_and_its_answer_is_late() -> None:
    talk = session()
    first, second = talk.ask("Reset", {}), talk.ask("ClearCache", {})
    talk.next_to_send()
    assert talk.give_up(first)
    assert talk.next_to_send() is None
    arrival = talk.take_answer(CallResult("id1", {}))
    assert arrival is not None
    assert arrival.late
    assert talk.next_to_send() is second


def test_after_the_slot_is_freed_the_answer_is_still_recognised_once() -> None:
    talk = session()
    first, second = talk.ask("Reset", {}), talk.ask("ClearCache", {})
    talk.next_to_send()
    talk.give_up(first)
    talk.free_slot(first)
    assert talk.next_to_send() is second
    arrival = talk.take_answer(CallResult("id1", {}))
    assert arrival is not None
    assert (arrival.question, arrival.late) == (first, True)
    assert talk.take_answer(CallResult("id1", {})) is None
    assert not talk.is_free, "the other one is outstanding still"


def test_a_call_given_up_before_its_turn_is_never_sent() -> None:
    talk = session()
    talk.ask("Reset", {})
    talk.next_to_send()
    waiting = talk.ask("ClearCache", {})
    assert not talk.give_up(waiting)
    talk.take_answer(CallResult("id1", {}))
    assert talk.next_to_send() is None


def test_the_line_is_bounded() -> None:
    talk = session(gate_open=False)
    for _ in range(WAITING_MAX):
        talk.ask("Reset", {})
    with pytest.raises(TooManyWaiting):
        talk.ask("Reset", {})


def test_the_end_names_everybody_who_waits_and_whether_it_was_sent() -> None:
    talk = session()
    first, second = talk.ask("Reset", {}), talk.ask("ClearCache", {})
    talk.next_to_send()
    assert talk.end() == [(first, True), (second, False)]
    assert talk.end() == []


def test_only_the_same_transaction_message_is_answered_from_memory() -> None:
    talk = session()
    start = Call("7", "StartTransaction", {"meterStart": 1})
    talk.remember(start, "answer")
    assert talk.answer_before(Call("7", "StartTransaction", {"meterStart": 1}, ("extra_elements",))) == "answer"
    assert talk.answer_before(Call("7", "StartTransaction", {"meterStart": 2})) is None
    assert talk.answer_before(Call("8", "StartTransaction", {"meterStart": 1})) is None
    assert talk.answer_before(Call("7", "StopTransaction", {"meterStart": 1})) is None
    heartbeat = Call("1", "Heartbeat", {})
    talk.remember(heartbeat, "answer")
    assert talk.answer_before(heartbeat) is None


def test_the_memory_is_bounded() -> None:
    talk = session()
    calls = [Call(str(number), "StartTransaction", {}) for number in range(ANSWERS_MAX + 1)]
    for call in calls:
        talk.remember(call, "answer")
    assert talk.answer_before(calls[0]) is None
    assert talk.answer_before(calls[-1]) == "answer"


class Conversation(RuleBasedStateMachine):
    """Whatever order things happen in: at most one outstanding, each question answered at most once, none forgotten."""

    def __init__(self) -> None:
        super().__init__()
        self.talk = session(gate_open=False)
        self.asked: list[Question] = []
        self.sent: list[Question] = []
        self.answered: list[str] = []

    @rule()
    def open_gate(self) -> None:
        self.talk.gate_open = True

    @rule()
    def ask(self) -> None:
        waiting = sum(not question.message_id and not question.given_up for question in self.asked)
        try:
            self.asked.append(self.talk.ask("Reset", {}))
        except TooManyWaiting:
            assert waiting >= WAITING_MAX

    @rule()
    def send(self) -> None:
        free = self.talk.is_free
        question = self.talk.next_to_send()
        if question is not None:
            assert free
            assert self.talk.gate_open
            assert not question.given_up
            self.sent.append(question)

    @rule(which=st.integers(0, 30))
    def give_up(self, which: int) -> None:
        if self.asked:
            question = self.asked[which % len(self.asked)]
            assert self.talk.give_up(question) is bool(question.message_id)

    @rule(which=st.integers(0, 30))
    def free_slot(self, which: int) -> None:
        if self.sent:
            self.talk.free_slot(self.sent[which % len(self.sent)])

    @rule(number=st.integers(1, 40))
    def answer(self, number: int) -> None:
        id_ = f"id{number}"
        arrival = self.talk.take_answer(CallResult(id_, {}))
        if arrival is None:
            assert id_ in self.answered or id_ not in [question.message_id for question in self.sent]
        else:
            assert arrival.question.message_id == id_
            assert arrival.late is arrival.question.given_up
            assert id_ not in self.answered
            self.answered.append(id_)

    @invariant()
    def ids_are_unique(self) -> None:
        ids = [question.message_id for question in self.sent]
        assert len(ids) == len(set(ids))


TestConversation = Conversation.TestCase
