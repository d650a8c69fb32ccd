"""Orders about lists of id tokens as calls that fit their schemas, and answers as stations give them."""

from datetime import UTC, datetime
from typing import Any

import pytest

from edge_agent.charge_points import list_calls, rpc, v2x, v16
from edge_agent.charge_points.schemas import OCPP_16, OCPP_21, OCPP_201, Schemas
from edge_agent.site.local_list import MESSAGE_BYTES, bytes_of, characters_of
from sitelink.commands import (
    ClearCache,
    GetLocalListVersion,
    ListLimits,
    Order,
    OrderAnswer,
    ReadListLimits,
    Reset,
    SendLocalList,
)
from sitelink.events import ListEntry
from sitelink.states import AuthorizationStatus, IdTokenType

NEW_YEAR = datetime(2027, 1, 1, tzinfo=UTC)
FULL = SendLocalList(
    3, full=True, entries=(ListEntry("04A1", group="FLEET", expires=NEW_YEAR, type=IdTokenType.ISO14443),)
)
PART = SendLocalList(
    4, full=False, entries=(ListEntry("04A2", AuthorizationStatus.NO_CREDIT),),
    removed=(ListEntry("04A1", type=IdTokenType.ISO14443),),
)  # fmt: skip
EMPTY = SendLocalList(5, full=True)
NEW_YEAR_TEXT = "2027-01-01T00:00:00.000Z"


@pytest.mark.parametrize(
    ("order", "action", "payload"),
    [
        (ReadListLimits(), "GetConfiguration",
         {"key": ["LocalAuthListEnabled", "LocalAuthListMaxLength", "SendLocalListMaxLength"]}),
        (GetLocalListVersion(), "GetLocalListVersion", {}),
        (ClearCache(), "ClearCache", {}),
        (FULL, "SendLocalList", {"listVersion": 3, "updateType": "Full", "localAuthorizationList": [
            {"idTag": "04A1", "idTagInfo": {"status": "Accepted", "parentIdTag": "FLEET", "expiryDate": NEW_YEAR_TEXT}},
        ]}),
        (PART, "SendLocalList", {"listVersion": 4, "updateType": "Differential", "localAuthorizationList": [
            {"idTag": "04A1"}, {"idTag": "04A2", "idTagInfo": {"status": "Blocked"}},
        ]}),
        (EMPTY, "SendLocalList", {"listVersion": 5, "updateType": "Full"}),
    ],
)  # fmt: skip
def test_calls_of_1_6(order: Order, action: str, payload: dict[str, Any]) -> None:
    assert list_calls.call_16(order) == v16.call_for(order) == (action, payload)
    OCPP_16.check_call(action, payload)


@pytest.mark.parametrize(
    ("order", "action", "payload"),
    [
        (ReadListLimits(), "GetVariables", {"getVariableData": [
            {"component": {"name": "LocalAuthListCtrlr"}, "variable": {"name": "Enabled"}, "attributeType": "Actual"},
            {"component": {"name": "LocalAuthListCtrlr"}, "variable": {"name": "ItemsPerMessage"},
             "attributeType": "Actual"},
            {"component": {"name": "LocalAuthListCtrlr"}, "variable": {"name": "BytesPerMessage"},
             "attributeType": "Actual"},
            {"component": {"name": "LocalAuthListCtrlr"}, "variable": {"name": "Entries"}, "attributeType": "MaxSet"},
        ]}),
        (GetLocalListVersion(), "GetLocalListVersion", {}),
        (ClearCache(), "ClearCache", {}),
        (FULL, "SendLocalList", {"versionNumber": 3, "updateType": "Full", "localAuthorizationList": [
            {"idToken": {"idToken": "04A1", "type": "ISO14443"}, "idTokenInfo": {
                "status": "Accepted", "cacheExpiryDateTime": NEW_YEAR_TEXT,
                "groupIdToken": {"idToken": "FLEET", "type": "Central"}}},
        ]}),
        (PART, "SendLocalList", {"versionNumber": 4, "updateType": "Differential", "localAuthorizationList": [
            {"idToken": {"idToken": "04A1", "type": "ISO14443"}},
            {"idToken": {"idToken": "04A2", "type": "Central"}, "idTokenInfo": {"status": "NoCredit"}},
        ]}),
        (EMPTY, "SendLocalList", {"versionNumber": 5, "updateType": "Full"}),
    ],
)  # fmt: skip
def test_calls_of_2x(order: Order, action: str, payload: dict[str, Any]) -> None:
    assert list_calls.call_2x(order) == v2x.call_for(order) == (action, payload)
    for schemas in (OCPP_201, OCPP_21):
        schemas.check_call(action, payload)


def test_other_orders_are_others_business() -> None:
    for function in (list_calls.call_16, list_calls.call_2x):
        assert function(Reset()) is None
    for answer in (list_calls.answer_16, list_calls.answer_2x):
        assert answer(Reset(), {"status": "Accepted"}) is None


@pytest.mark.parametrize("status", AuthorizationStatus)
def test_every_status_has_a_word_of_1_6(status: AuthorizationStatus) -> None:
    order = SendLocalList(1, full=True, entries=(ListEntry("A", status, IdTokenType.CENTRAL),))
    OCPP_16.check_call(*v16.call_for(order))
    for schemas in (OCPP_201, OCPP_21):
        schemas.check_call(*v2x.call_for(order))


def test_a_group_too_long_for_1_6_is_left_out() -> None:
    assert list_calls.id_tag_info(AuthorizationStatus.ACCEPTED, "G" * 21, None) == {"status": "Accepted"}


def keys(**values: Any) -> dict[str, Any]:
    return {"configurationKey": [{"key": key, "readonly": True, "value": value} for key, value in values.items()]}


@pytest.mark.parametrize(
    ("payload", "limits"),
    [
        (keys(LocalAuthListEnabled="true", LocalAuthListMaxLength="500", SendLocalListMaxLength="25"),
         ListLimits(enabled=True, entries=500, per_message=25)),
        (keys(localauthlistenabled="FALSE"), ListLimits(enabled=False)),
        (keys(LocalAuthListEnabled=True, LocalAuthListMaxLength=500), ListLimits(enabled=True, entries=500)),
        (keys(LocalAuthListMaxLength="0", SendLocalListMaxLength="many"), ListLimits()),
        ({"unknownKey": list(list_calls.KEYS_16)}, ListLimits()),
        ({"configurationKey": {}}, ListLimits()),
        ({"configurationKey": [None, 7, {"value": "1"}]}, ListLimits()),
        (None, ListLimits()),
    ],
)  # fmt: skip
def test_what_a_1_6_station_can_hold(payload: Any, limits: ListLimits) -> None:
    assert v16.order_answer(ReadListLimits(), payload) == OrderAnswer("Accepted", accepted=True, payload=limits)


def variable(name: str, value: Any, status: str = "Accepted") -> dict[str, Any]:
    return {
        "attributeStatus": status, "attributeValue": value, "component": {"name": "LocalAuthListCtrlr"},
        "variable": {"name": name},
    }  # fmt: skip


@pytest.mark.parametrize(
    ("payload", "limits"),
    [
        ({"getVariableResult": [variable("Enabled", "true"), variable("ItemsPerMessage", "20"),
                                variable("Entries", "1000")]}, (True, 1000, 20, None)),
        ({"getVariableResult": [variable("Enabled", "true"), variable("Entries", "7", "NotSupportedAttributeType")]},
         (True, None, None, None)),
        ({"getVariableResult": [variable("ItemsPerMessage", "100"), variable("BytesPerMessage", "5120")]},
         (None, None, 100, 5120)),
        ({"getVariableResult": [variable("BytesPerMessage", "10")]}, (None, None, None, 10)),
        ({"getVariableResult": [{}, None, variable("ItemsPerMessage", "no")]}, (None, None, None, None)),
        (None, (None, None, None, None)),
    ],
)  # fmt: skip
def test_what_a_2x_station_can_hold(payload: Any, limits: tuple[Any, ...]) -> None:
    answer = v2x.order_answer(ReadListLimits(), payload)
    assert answer.payload == ListLimits(*limits, id_token_characters=36, typed=True)


@pytest.mark.parametrize(
    ("said", "version"), [(7, 7), (-1, -1), (0, 0), ("7", 7), (None, None), ("x", None), ({}, None)]
)
def test_the_version_a_station_has(said: Any, version: int | None) -> None:
    for answer in (
        v16.order_answer(GetLocalListVersion(), {"listVersion": said}),
        v2x.order_answer(GetLocalListVersion(), {"versionNumber": said}),
    ):
        assert (answer.accepted, answer.payload) == (version is not None, version)
    assert not v16.order_answer(GetLocalListVersion(), []).accepted


@pytest.mark.parametrize("schemas", [OCPP_201, OCPP_21], ids=lambda each: each.version)
@pytest.mark.parametrize("letter", ["A", "𐐷", '"'])
def test_no_message_of_2x_takes_more_bytes_than_is_reckoned_with(schemas: Schemas, letter: str) -> None:
    long = letter * characters_of(schemas.version)
    entry = ListEntry(long, AuthorizationStatus.NOT_ALLOWED_TYPE_EVSE, IdTokenType.NO_AUTHORIZATION, long, NEW_YEAR)
    action, payload = v2x.call_for(SendLocalList(2**31 - 1, full=False, entries=(entry,) * 3))
    schemas.check_call(action, payload)
    frame = rpc.encode_call("x" * 36, action, payload)
    assert len(frame.encode()) <= MESSAGE_BYTES + 3 * bytes_of(entry)
