"""Frames: what is read, what is answered, what is passed over (OCPP.md §8.1 R4 to R8; SECURITY §7.1)."""

import json
import random
import time
from typing import Any

import pytest
from hypothesis import given
from hypothesis import strategies as st

from edge_agent.charge_points import rpc
from edge_agent.charge_points.rpc import (
    Call,
    CallError,
    CallResult,
    CallResultError,
    ErrorCode,
    Ignored,
    Send,
    Unreadable,
)

MESSAGE_IDS = st.text(st.characters(codec="utf-8"), min_size=1, max_size=36)
VALUES = st.recursive(
    st.none() | st.booleans() | st.integers(-(2**53), 2**53) | st.floats(allow_nan=False, allow_infinity=False)
    | st.text(st.characters(codec="utf-8"), max_size=20),
    lambda inner: st.lists(inner, max_size=4)
    | st.dictionaries(st.text(st.characters(codec="utf-8")), inner, max_size=4),
    max_leaves=20,
)  # fmt: skip
PAYLOADS = st.dictionaries(st.text(st.characters(codec="utf-8")), VALUES, max_size=5)
ACTIONS = st.text(st.characters(codec="utf-8"), min_size=1, max_size=40)


@given(MESSAGE_IDS, ACTIONS, PAYLOADS)
def test_a_call_survives_the_wire(id_: str, action: str, payload: dict[str, Any]) -> None:
    assert rpc.decode(rpc.encode_call(id_, action, payload)) == Call(id_, action, payload)


@given(MESSAGE_IDS, PAYLOADS)
def test_a_result_survives_the_wire(id_: str, payload: dict[str, Any]) -> None:
    assert rpc.decode(rpc.encode_result(id_, payload).encode()) == CallResult(id_, payload)


@given(MESSAGE_IDS, st.sampled_from(ErrorCode), st.text(st.characters(codec="utf-8"), max_size=255), PAYLOADS)
def test_an_error_survives_the_wire(id_: str, code: ErrorCode, description: str, details: dict[str, Any]) -> None:
    assert rpc.decode(rpc.encode_error(id_, code, description, details)) == CallError(
        id_, code.value, description, details
    )


@given(st.text() | st.binary())
def test_decode_never_raises(data: str | bytes) -> None:
    assert isinstance(rpc.decode(data), Call | CallResult | CallError | Unreadable | Ignored)


@given(VALUES)
def test_decode_never_raises_on_any_json(value: Any) -> None:
    assert isinstance(rpc.decode(json.dumps(value)), Call | CallResult | CallError | Unreadable | Ignored)


@pytest.mark.parametrize(
    ("text", "call"),
    [
        ('[2,"1","Heartbeat",{}]', Call("1", "Heartbeat", {})),
        ('[2,"1","Heartbeat",null]', Call("1", "Heartbeat", {}, ("payload_missing",))),
        ('[2,"1","Heartbeat"]', Call("1", "Heartbeat", {}, ("payload_missing",))),
        ('[2,"1","Heartbeat",""]', Call("1", "Heartbeat", {}, ("payload_missing",))),
        ('[2,"1","Heartbeat",[]]', Call("1", "Heartbeat", {}, ("payload_missing",))),
        ('[2,17,"Heartbeat",{}]', Call("17", "Heartbeat", {}, ("message_id_not_a_text",))),
        ('["2","1","Heartbeat",{}]', Call("1", "Heartbeat", {}, ("message_type_not_a_number",))),
        ('[2,"1","Heartbeat",{},{}]', Call("1", "Heartbeat", {}, ("extra_elements",))),
        (f'[2,"{"x" * 64}","Heartbeat",{{}}]', Call("x" * 64, "Heartbeat", {}, ("message_id_too_long",))),
        ('\ufeff[2,"1","Heartbeat",{}]', Call("1", "Heartbeat", {}, ("byte_order_mark",))),
        ('[2,"1","Heartbeat",{}]\x00', Call("1", "Heartbeat", {}, ("ends_with_nul",))),
        ('[2,"1","A",{"a":"line\nbreak"}]', Call("1", "A", {"a": "line\nbreak"})),
        ('[2,"1","A",{"a":1,"a":1}]', Call("1", "A", {"a": 1})),
        (b'[2,"1","A",{"a":"M\xfcller"}]', Call("1", "A", {"a": "M�ller"}, ("not_utf8",))),
    ],
)
def test_calls_are_read_leniently(text: str | bytes, call: Call) -> None:
    assert rpc.decode(text) == call


def nested(depth: int) -> str:
    return f'[2,"1","A",{{"a":{"[" * (depth - 2)}1{"]" * (depth - 2)}}}]'


@pytest.mark.parametrize(
    ("text", "problem", "id_"),
    [
        ("", "not_json", None),
        ("hello", "not_json", None),
        ("{}", "not_an_array", None),
        ("[]", "not_an_array", None),
        ('"2"', "not_an_array", None),
        ('[2,"1","A",{"transactionId":,}]', "not_json", "1"),  # AEFA, lbbrhzn/ocpp#2032
        ('[2,"1","A",{"a":NaN}]', "not_a_number", "1"),
        ('[2,"1","A",{"a":-Infinity}]', "not_a_number", "1"),
        ('[2,"1","A",{"a":1e999}]', "number_too_large", "1"),
        ('[2,"1","A",{"a":' + "9" * 20 + "}]", "number_too_long", "1"),
        ('[2,"1","A",{"a":' + "9" * 5000 + "}]", "number_too_long", "1"),
        ('[2,"1","A",{"a":1,"a":2}]', "duplicate_key", "1"),
        ('[2,"1","A",{"a":"\\ud800"}]', "lone_surrogate", "1"),
        ('[2,"1","A",{"a":"' + "x" * (rpc.MAX_STRING + 1) + '"}]', "string_too_long", "1"),
        ('[2,"1","A",{"a":[' + "0," * rpc.MAX_NODES + "0]}]", "too_many_nodes", "1"),
        (nested(33), "too_deep", "1"),
        ("[" * 500_000, "too_deep", None),
        ('[2,"1","A",' + '{"a":' * 1000, "too_deep", "1"),
        ('[2,"","A",{}]', "no_message_id", None),
        (f'[2,"{"x" * 65}","A",{{}}]', "no_message_id", None),
        ('[2,null,"A",{}]', "no_message_id", None),
        ('[2,true,"A",{}]', "no_message_id", None),
        ("[2]", "no_message_id", None),
        ('[2,"1"]', "no_action", "1"),
        ('[2,"1",{"a":1},{}]', "no_action", "1"),
        ('[2,"1",["A"],{}]', "no_action", "1"),
        ('[2,"1","A","text"]', "payload_not_an_object", "1"),
        ('[2,"1","A",[1]]', "payload_not_an_object", "1"),
        ('[3,"1",{"a":', "not_json", "1"),
    ],
)
def test_what_cannot_be_read_is_described_and_answerable_where_it_says_its_id(
    text: str, problem: str, id_: str | None
) -> None:
    frame = rpc.decode(text)
    assert isinstance(frame, Unreadable)
    assert (frame.problem, frame.message_id) == (problem, id_)
    assert frame.code is ErrorCode.FORMATION_VIOLATION


def test_the_deepest_allowed_is_read() -> None:
    assert isinstance(rpc.decode(nested(32)), Call)


@pytest.mark.parametrize("kind", ["1", "7", "0", "-2", '"hello"', "null", "true", "[2]", "2.5"])
def test_unknown_message_types_are_passed_over(kind: str) -> None:
    assert isinstance(rpc.decode(f'[{kind},"1","A",{{}}]'), Ignored)


def test_the_types_of_2_1_are_read() -> None:
    assert rpc.decode('[5,"1","FormatViolation","why",{}]') == CallResultError("1", "FormatViolation", "why")
    assert rpc.decode('[6,"1","NotifyPeriodicEventStream",{"id":1}]') == Send(
        "1", "NotifyPeriodicEventStream", {"id": 1}
    )
    assert rpc.decode('[6,"1",5,{}]') == Unreadable("no_action", rpc.SEND, "1")
    assert rpc.encode_result_error("1", "FormatViolation", "why") == '[5,"1","FormatViolation","why",{}]'


def test_an_oversized_call_can_still_be_answered() -> None:
    frame = rpc.decode('[2,"big","DataTransfer",{"data":"' + "x" * 2000 + '"}]', max_bytes=1000)
    assert frame == Unreadable("too_large", 2, "big", ErrorCode.GENERIC_ERROR)


@pytest.mark.parametrize(
    ("text", "error"),
    [
        ('[4,"1","NotSupported","no",{}]', CallError("1", "NotSupported", "no", {})),
        ('[4,"1"]', CallError("1", "GenericError")),
        ('[4,"1",null,null]', CallError("1", "GenericError")),
        ('[4,"1",5,{}]', CallError("1", "GenericError")),
    ],
)
def test_errors_are_read_leniently(text: str, error: CallError) -> None:
    assert rpc.decode(text) == error


def test_the_error_codes_are_spelled_as_1_6_spells_them() -> None:
    assert {code.value for code in ErrorCode} == {
        "NotImplemented", "NotSupported", "InternalError", "ProtocolError", "SecurityError", "FormationViolation",
        "PropertyConstraintViolation", "OccurenceConstraintViolation", "TypeConstraintViolation", "GenericError",
        "MessageTypeNotSupported", "RpcFrameworkError",
    }  # fmt: skip


@pytest.mark.parametrize("text", ['"' + '\\"' * 400_000, '[2,"a","b","' + '\\"' * 400_000 + "\\", '[2,"' * 200_000])
def test_reading_takes_linear_time(text: str) -> None:
    begin = time.process_time()
    rpc.decode(text)
    assert time.process_time() - begin < 2


def test_mutated_frames_are_never_fatal() -> None:
    """A small fuzz of fixed seed: each byte of valid frames changed, cut, doubled; half a million bytes in all."""
    chance = random.Random(16)
    frames = [
        b'[2,"19223201","BootNotification",{"chargePointVendor":"V\xc3\xa4ndor","chargePointModel":"M"}]',
        b'[2,"2","MeterValues",{"connectorId":1,"meterValue":[{"timestamp":"2026-01-01T00:00:00Z","sampledValue":'
        b'[{"value":"1.5","unit":"kWh"}]}]}]',
        b'[3,"3",{"status":"Accepted"}]',
        b'[4,"4","InternalError","",{"a":"\\ud83d\\ude00"}]',
    ]
    interesting = b'[]{}",:\\0123456789eE.+-\x00\xff\xc3\x80untfalse'
    for _ in range(6000):
        frame = bytearray(chance.choice(frames))
        for _ in range(chance.randint(1, 6)):
            at = chance.randrange(len(frame) + 1)
            what = chance.randrange(4)
            if what == 0:
                frame[at:at] = bytes([chance.choice(interesting)])
            elif what == 1:
                del frame[at : at + chance.randint(1, 5)]
            elif what == 2:
                frame[at : at + 1] = bytes([chance.randrange(256)])
            else:
                frame[at:at] = frame[at : at + chance.randint(1, 30)]
        decoded = rpc.decode(bytes(frame))
        if isinstance(decoded, Call):
            json.dumps(decoded.payload).encode()
            rpc.encode_result(decoded.message_id, {})
        elif isinstance(decoded, Unreadable) and decoded.message_id is not None:
            rpc.encode_error(decoded.message_id, decoded.code, decoded.problem)


def test_a_frame_full_of_meter_values_is_read() -> None:
    group = '{"timestamp":"2026-11-23T10:00:00Z","sampledValue":[{"value":"1"}]}'
    groups = ",".join([group] * 15_000)
    frame = rpc.decode(f'[2,"1","StopTransaction",{{"transactionId":1,"transactionData":[{groups}]}}]')
    assert isinstance(frame, rpc.Call)
    assert len(frame.payload["transactionData"]) == 15_000


ODD_JSON = st.one_of(
    VALUES.map(json.dumps),
    VALUES.map(lambda value: json.dumps(value, ensure_ascii=False, separators=(" , ", " : "))),
    st.sampled_from(
        ['{"a":1,"a":1}', '{"a":1,"a":2}', '{"a":{"b":"x","b":"y"}}', '{"a":1e999}', '{"a":NaN}', '{"a":01}', "9" * 25,
         '{"a":' + "[" * 27 + "]" * 27 + "}", '{"a":' + "[" * 29 + "]" * 29 + "}", '{"a":' + "[" * 30 + "]" * 30 + "}",
         "[" + "{}," * 40 + "{}]", '{"a":"\x01"}', '{"a":"\\ud800"}', '{"a":-9223372036854775809}', '{"a":"', "{"]
    ),
)  # fmt: skip


@given(st.lists(ODD_JSON, max_size=4), st.sampled_from(["2", "3", "4", '"2"', "6", "-0", "2.0"]))
def test_the_quick_way_says_what_the_careful_way_says(parts: list[str], kind: str) -> None:
    text = f'[{kind},"1","MeterValues",' + ",".join(parts) + "]"
    data = text.encode()
    assert rpc.decode(data) == rpc.decode(text)
