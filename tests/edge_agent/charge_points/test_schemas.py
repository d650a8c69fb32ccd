"""The compiled checks against the exact validator, and what our own calls must fulfil."""

import json
from typing import Any

import jsonschema
import pytest
from hypothesis import given
from hypothesis import strategies as st

from edge_agent.charge_points.rpc import ErrorCode
from edge_agent.charge_points.schemas import OCPP_16, OCPP_21, OCPP_201, SENDS, Schemas
from sitelink.errors import CallInvalid

MESSAGES = [
    (version, name)
    for version in (OCPP_16, OCPP_201, OCPP_21)
    for action in sorted(version.actions)
    for name in (action, f"{action}Response")
] + [(OCPP_21, name) for name in sorted(SENDS)]


def shown(message: tuple[Schemas, str]) -> str:
    return f"{message[0].version} {message[1]}"


def fitting(schema: dict[str, Any], root: dict[str, Any]) -> st.SearchStrategy[Any]:
    """Values a schema takes, and now and then one it does not."""
    if "$ref" in schema:
        schema = root["definitions"][schema["$ref"].rpartition("/")[2]]
    kind = schema.get("type")
    if kind == "object":
        required = set(schema.get("required", ()))
        inner = {name: fitting(each, root) for name, each in schema.get("properties", {}).items()}
        right: st.SearchStrategy[Any] = st.fixed_dictionaries(
            {name: each for name, each in inner.items() if name in required},
            optional={name: each for name, each in inner.items() if name not in required},
        )
        return right | st.just({}) | st.just({"extra": 1})
    if kind == "array":
        return st.lists(fitting(schema["items"], root), max_size=3)
    if kind == "string":
        if "enum" in schema:
            return st.sampled_from([*schema["enum"], "Nonsense"])
        if schema.get("format") == "date-time":
            return st.sampled_from(["2026-11-23T12:00:00Z", "2026-11-23T12:00:00.123+01:00", "2026-11-23", "nonsense"])
        return st.sampled_from(["", "x", "x" * 20, "x" * 21, "x" * 51, "x" * 10_001]) | st.just(5)
    bounds = [schema[word] for word in ("minimum", "maximum") if word in schema]
    edges = [
        type(each)(each + step) if kind == "integer" else float(each) + step for each in bounds for step in (-1, 0, 1)
    ]
    if kind == "number":
        return st.sampled_from([0, 16, 21.4, 0.1, 0.3, 6.05, 1e300, -1.2, True, "1", *edges])
    return st.sampled_from([0, 1, -1, 1.5, True, False, "1", None, *edges])


def payloads(message: tuple[Schemas, str]) -> st.SearchStrategy[Any]:
    schema = _schema(message)
    return st.tuples(st.just(message), fitting(schema, schema))


@given(st.sampled_from(MESSAGES).flatmap(payloads))
def test_the_compiled_check_and_the_exact_validator_agree(case: tuple[tuple[Schemas, str], Any]) -> None:
    (schemas, message), payload = case
    assert schemas.conforms(message, payload) is (schemas.violation(message, payload) is None)


def _schema(message: tuple[Schemas, str]) -> dict[str, Any]:
    return json.loads(json.dumps(message[0].schema(message[1]), default=float))


@pytest.mark.parametrize("message", MESSAGES, ids=shown)
def test_every_schema_compiles(message: tuple[Schemas, str]) -> None:
    jsonschema.Draft4Validator.check_schema(_schema(message))
    assert message[0].conforms(message[1], "no object") is False


def test_every_action_is_somebodys() -> None:
    """Known directions of a few, so that a list with a name in the wrong place is noticed."""
    assert "NotifyReport" in OCPP_201.from_station
    assert {"GetBaseReport", "DataTransfer", "RequestStartTransaction"} <= OCPP_201.from_box
    assert {"NotifyWebPaymentStarted", "GetPeriodicEventStream"} <= OCPP_21.from_box
    assert OCPP_21.from_station >= OCPP_201.from_station
    for version in (OCPP_16, OCPP_201, OCPP_21):
        assert version.from_station <= version.actions
        assert version.from_station & version.from_box == {"DataTransfer"}


@pytest.mark.parametrize(
    ("action", "payload", "code"),
    [
        ("Authorize", {}, ErrorCode.OCCURENCE_CONSTRAINT_VIOLATION),
        ("Authorize", {"idTag": 5}, ErrorCode.TYPE_CONSTRAINT_VIOLATION),
        ("Authorize", {"idTag": "x" * 21}, ErrorCode.PROPERTY_CONSTRAINT_VIOLATION),
        ("Authorize", {"idTag": "x", "y": 1}, ErrorCode.FORMATION_VIOLATION),
        ("Reset", {"type": "Medium"}, ErrorCode.PROPERTY_CONSTRAINT_VIOLATION),
        ("MeterValues", {"connectorId": 1, "meterValue": []}, ErrorCode.OCCURENCE_CONSTRAINT_VIOLATION),
        ("Heartbeat", [], ErrorCode.TYPE_CONSTRAINT_VIOLATION),
    ],
)
def test_a_violation_has_the_code_of_the_specification(action: str, payload: Any, code: ErrorCode) -> None:
    found = OCPP_16.violation(action, payload)
    assert found is not None
    assert found.code is code


@pytest.mark.parametrize(
    ("action", "payload", "where"),
    [
        ("Heartbeat", {}, "action"),
        ("Nonsense", {}, "action"),
        ("../Reset", {}, "action"),
        ("Reset", {}, "payload"),
        ("Reset", {"type": "soft"}, "type"),
        ("ChangeConfiguration", {"key": "a", "value": 1}, "value"),
    ],
)
def test_a_call_of_ours_that_does_not_fit_is_refused_with_its_place(action: str, payload: Any, where: str) -> None:
    with pytest.raises(CallInvalid) as refused:
        OCPP_16.check_call(action, payload)
    assert refused.value.fields["where"] == where


def test_tenths_are_decimal() -> None:
    def profile(limit: float) -> dict[str, Any]:
        schedule = {"chargingRateUnit": "A", "chargingSchedulePeriod": [{"startPeriod": 0, "limit": limit}]}
        return {
            "connectorId": 1,
            "csChargingProfiles": {
                "chargingProfileId": 1, "stackLevel": 0, "chargingProfilePurpose": "TxProfile",
                "chargingProfileKind": "Relative", "chargingSchedule": schedule,
            },
        }  # fmt: skip

    for limit in (21.4, 16, 0.3, 6.1, 32.0):
        OCPP_16.check_call("SetChargingProfile", profile(limit))
    with pytest.raises(CallInvalid):
        OCPP_16.check_call("SetChargingProfile", profile(6.05))
