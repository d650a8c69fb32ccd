"""What stations say they have: NotifyReport, GetVariables and GetConfiguration as the core's variables, and back.

Pure. Lenient, as `readings`. Sources: OCPP 2.0.1 part 2, B05 to B08, and part 2 appendices (component names); OCPP 1.6
§5.8 and §9. Start at `variables_of_report`.
"""

from collections.abc import Iterable, Iterator, Mapping, Sequence
from typing import Any

from edge_agent.charge_points.readings import EXACT_MAX, Found, integer_of, is_true, number_of, text_of
from sitelink.folding.stations import CONNECTORS
from sitelink.inventory import ACTUAL, LIST_ENTRIES, READ_ONLY, READ_WRITE, Attribute, Variable, attribute

VALUE_MAX = 2500
NAME_MAX = 50
ATTRIBUTE_TYPES = ("Actual", "Target", "MinSet", "MaxSet")
EVSE_MAX = 100

FEW = (
    ("DeviceDataCtrlr", "ItemsPerMessage", "GetVariables"), ("DeviceDataCtrlr", "ItemsPerMessage", "SetVariables"),
    ("DeviceDataCtrlr", "BytesPerMessage", "GetVariables"), ("OCPPCommCtrlr", "HeartbeatInterval", None),
    ("OCPPCommCtrlr", "MessageTimeout", "Default"), ("OCPPCommCtrlr", "NetworkConfigurationPriority", None),
    ("SecurityCtrlr", "SecurityProfile", None), ("AuthCtrlr", "AuthorizeRemoteStart", None),
    ("TxCtrlr", "TxStartPoint", None), ("TxCtrlr", "TxStopPoint", None),
    ("SampledDataCtrlr", "TxUpdatedInterval", None), ("SampledDataCtrlr", "TxUpdatedMeasurands", None),
)  # fmt: skip
"""Component, variable, instance: what a station that reports nothing is asked one by one."""

_LIMITS = {
    ("ItemsPerMessage", "GetReport"): "items GetReport", ("ItemsPerMessage", "GetVariables"): "items GetVariables",
    ("ItemsPerMessage", "SetVariables"): "items SetVariables",
    ("ItemsPerMessage", "SetVariableMonitoring"): "items SetVariableMonitoring",
    ("ItemsPerMessage", "ClearVariableMonitoring"): "items ClearVariableMonitoring",
    ("BytesPerMessage", "GetReport"): "bytes GetReport", ("BytesPerMessage", "GetVariables"): "bytes GetVariables",
    ("BytesPerMessage", "SetVariables"): "bytes SetVariables",
    ("BytesPerMessage", "SetVariableMonitoring"): "bytes SetVariableMonitoring",
    ("BytesPerMessage", "ClearVariableMonitoring"): "bytes ClearVariableMonitoring",
}  # fmt: skip
_NUMBERS = {
    "HeartbeatInterval": "heartbeat_interval_s", "MessageTimeout": "message_timeout_s",
    "MessageAttempts": "message_attempts", "MessageAttemptInterval": "message_attempt_interval_s",
    "GetConfigurationMaxKeys": "items GetConfiguration", "EVConnectionTimeOut": "connection_timeout_s",
    "ConnectionTimeOut": "connection_timeout_s",
}  # fmt: skip

KEYS_16 = (
    "AllowOfflineTxForUnknownId", "AuthorizationCacheEnabled", "AuthorizeRemoteTxRequests", "BlinkRepeat",
    "ClockAlignedDataInterval", "ConnectionTimeOut", "ConnectorPhaseRotation", "ConnectorPhaseRotationMaxLength",
    "GetConfigurationMaxKeys", "HeartbeatInterval", "LightIntensity", "LocalAuthorizeOffline", "LocalPreAuthorize",
    "MaxEnergyOnInvalidId", "MeterValuesAlignedData", "MeterValuesAlignedDataMaxLength", "MeterValuesSampledData",
    "MeterValuesSampledDataMaxLength", "MeterValueSampleInterval", "MinimumStatusDuration", "NumberOfConnectors",
    "ResetRetries", "StopTransactionOnEVSideDisconnect", "StopTransactionOnInvalidId", "StopTxnAlignedData",
    "StopTxnAlignedDataMaxLength", "StopTxnSampledData", "StopTxnSampledDataMaxLength", "SupportedFeatureProfiles",
    "SupportedFeatureProfilesMaxLength", "TransactionMessageAttempts", "TransactionMessageRetryInterval",
    "UnlockConnectorOnEVSideDisconnect", "WebSocketPingInterval", "LocalAuthListEnabled", "LocalAuthListMaxLength",
    "SendLocalListMaxLength", "ReserveConnectorZeroSupported", "ChargeProfileMaxStackLevel",
    "ChargingScheduleAllowedChargingRateUnit", "ChargingScheduleMaxPeriods", "ConnectorSwitch3to1PhaseSupported",
    "MaxChargingProfilesInstalled", "SupportedFileTransferProtocols", "SecurityProfile", "CpoName",
    "AdditionalRootCertificateCheck", "CertificateSignedMaxChainSize", "CertificateStoreMaxLength",
)  # fmt: skip
"""OCPP 1.6 §9 and the security whitepaper: for a station that does not answer when asked for all."""


# ---- OCPP 2.x ----


def variables_of_report(payload: Mapping[str, Any], found: Found) -> list[Variable]:
    """Of one NotifyReport."""
    return [each for raw in _objects(payload.get("reportData")) if (each := _variable(raw, found)) is not None]


def variables_of_results(payload: Mapping[str, Any], found: Found) -> list[Variable]:
    """Of a GetVariables answer: those it gave a value for."""
    read = []
    for raw in _objects(payload.get("getVariableResult")):
        known = _named(raw, found)
        if known is None or text_of(raw, "attributeStatus", [], 30) != "Accepted":
            continue
        kind = text_of(raw, "attributeType", [], 20) or ACTUAL
        value = attribute(known.name, text_of(raw, "attributeValue", found, VALUE_MAX))
        read.append(_with(known, {kind: value}))
    return read


def variables_set(payload: Mapping[str, Any], answer: Mapping[str, Any]) -> list[Variable]:
    """What a SetVariables brought about: the new values, also of those that wait for a reboot."""
    asked = {_set_key(raw): raw for raw in _objects(payload.get("setVariableData"))}
    changed = []
    for raw in _objects(answer.get("setVariableResult")):
        known, said = _named(raw, []), asked.get(_set_key(raw))
        status = text_of(raw, "attributeStatus", [], 30)
        if known is None or said is None or status not in ("Accepted", "RebootRequired"):
            continue
        kind = text_of(raw, "attributeType", [], 20) or ACTUAL
        changed.append(_with(known, {kind: attribute(known.name, text_of(said, "attributeValue", [], VALUE_MAX))}))
    return changed


def updated(known: Mapping[str, Any], newer: Iterable[Variable]) -> list[Variable]:
    """What is known of each, with the newer values; an attribute keeps what else is known of it."""
    found = []
    for each in newer:
        before = known.get(each.key)
        attributes = dict(each.attributes)
        if isinstance(before, dict):
            for kind, value in (before.get("attributes") or {}).items():
                if kind not in attributes:
                    attributes[kind] = Attribute(**value)
                elif attributes[kind].mutability is None:
                    attributes[kind] = attribute(
                        each.name, attributes[kind].value, value.get("mutability"),
                        persistent=value.get("persistent", False), constant=value.get("constant", False),
                    )  # fmt: skip
            rest = {name: value for name, value in before.items() if name not in ("attributes", "name")}
            found.append(Variable(name=each.name, attributes=attributes, **rest))
        else:
            found.append(each)
    return found


def asked_for(few: Sequence[tuple[str, str, str | None]]) -> dict[str, Any]:
    """The payload of a GetVariables."""
    return {
        "getVariableData": [
            {
                "component": {"name": component},
                "variable": {"name": name} if instance is None else {"name": name, "instance": instance},
            }
            for component, name, instance in few
        ]
    }


def _named(raw: Mapping[str, Any], found: Found) -> Variable | None:
    component, variable = raw.get("component"), raw.get("variable")
    if not isinstance(component, dict) or not isinstance(variable, dict):
        return None
    name, of = text_of(variable, "name", found, NAME_MAX), text_of(component, "name", found, NAME_MAX)
    if name is None or of is None:
        return None
    evse = component.get("evse")
    place = integer_of(evse, "id", found) if isinstance(evse, dict) else None
    plug = integer_of(evse, "connectorId", found) if isinstance(evse, dict) else None
    return Variable(
        name=name, component=of, component_instance=text_of(component, "instance", found, NAME_MAX),
        instance=text_of(variable, "instance", found, NAME_MAX), evse=place, connector=plug,
    )  # fmt: skip


def _with(known: Variable, attributes: dict[str, Attribute], **more: Any) -> Variable:
    return Variable(
        name=known.name, component=known.component, component_instance=known.component_instance, evse=known.evse,
        connector=known.connector, instance=known.instance, attributes=attributes, **more,
    )  # fmt: skip


def _variable(raw: Mapping[str, Any], found: Found) -> Variable | None:
    known = _named(raw, found)
    if known is None:
        found.append("reportData:nameless")
        return None
    attributes: dict[str, Attribute] = {}
    for each in _objects(raw.get("variableAttribute")):
        kind = text_of(each, "type", found, 20) or ACTUAL
        if kind not in ATTRIBUTE_TYPES:
            found.append("variableAttribute:unknown")
            continue
        attributes[kind] = attribute(
            known.name, text_of(each, "value", found, VALUE_MAX), text_of(each, "mutability", found, 20) or READ_WRITE,
            persistent=is_true(each, "persistent", found), constant=is_true(each, "constant", found),
        )  # fmt: skip
    said = raw.get("variableCharacteristics")
    traits: Mapping[str, Any] = said if isinstance(said, dict) else {}
    return _with(
        known, attributes, data_type=text_of(traits, "dataType", found, 20), unit=text_of(traits, "unit", found, 16),
        least=number_of(traits, "minLimit", found), most=number_of(traits, "maxLimit", found),
        allowed=text_of(traits, "valuesList", found, 1000), monitorable=is_true(traits, "supportsMonitoring", found),
    )  # fmt: skip


def _set_key(raw: Mapping[str, Any]) -> tuple[str, str]:
    known = _named(raw, [])
    return (known.key if known is not None else ""), text_of(raw, "attributeType", [], 20) or ACTUAL


def _objects(value: Any) -> Iterator[dict[str, Any]]:
    yield from (each for each in (value if isinstance(value, list) else [value]) if isinstance(each, dict))


# ---- OCPP 1.6 ----


def variables_of_configuration(payload: Any, found: Found) -> list[Variable]:
    """Of a GetConfiguration answer: the keys it knows."""
    listed = payload.get("configurationKey") if isinstance(payload, dict) else None
    variables = []
    for raw in _objects(listed):
        name = text_of(raw, "key", found)
        if name is not None:
            mutability = READ_ONLY if is_true(raw, "readonly", found) else READ_WRITE
            value = attribute(name, text_of(raw, "value", found, VALUE_MAX), mutability)
            variables.append(Variable(name=name, attributes={ACTUAL: value}))
    return variables


# ---- what rules need of it ----


def facts_of(variables: Iterable[Variable]) -> dict[str, int]:
    """How many connectors (EVSEs) there are, and how much fits into a call and into its list of id tokens."""
    facts: dict[str, int] = {}
    places = 0
    for each in variables:
        if (each.component, each.name) == ("LocalAuthListCtrlr", "Entries") and 0 < (each.most or 0) < EXACT_MAX:
            facts[LIST_ENTRIES] = int(each.most or 0)  # its value is how many there are now
        if each.evse is not None and 0 < each.evse <= EVSE_MAX:
            places = max(places, each.evse)
        number = each.value or ""
        if not number.isascii() or not number.isdecimal() or len(number) > 9:
            continue
        name = _LIMITS.get((each.name, each.instance or "")) or _NUMBERS.get(each.name)
        if name is not None and int(number) > 0:
            facts[name] = int(number)
        if each.name == "NumberOfConnectors" and not each.component and 0 < int(number) <= EVSE_MAX:
            places = int(number)
    if places:
        facts[CONNECTORS] = places
    return facts
