"""Orders about a station's own list of id tokens, as calls of 1.6 and of 2.x, and what the answers to them mean. Pure.

Sources: OCPP 1.6 §5.4, §5.10, §5.15 and §9.2; OCPP 2.0.1 C11, D01, D02 and the variables of LocalAuthListCtrlr.
Start at `call_16` and `call_2x`; None where an order is about something else.
"""

from collections.abc import Mapping
from datetime import datetime
from typing import Any

from edge_agent.charge_points.dialect import time_text
from edge_agent.charge_points.readings import Found, integer_of, text_of
from sitelink.commands import (
    ClearCache,
    GetLocalListVersion,
    ListLimits,
    Order,
    OrderAnswer,
    ReadListLimits,
    SendLocalList,
)
from sitelink.events import ListEntry
from sitelink.states import AuthorizationStatus

TAG_MAX_16 = 20
TOKEN_MAX_2X = 36
"""2.1 takes more: `site.local_list.characters_of`."""
KEYS_16 = ("LocalAuthListEnabled", "LocalAuthListMaxLength", "SendLocalListMaxLength")
CONTROLLER_2X = "LocalAuthListCtrlr"
VARIABLES_2X = (
    ("Enabled", "Actual"), ("ItemsPerMessage", "Actual"), ("BytesPerMessage", "Actual"), ("Entries", "MaxSet"),
)  # fmt: skip
"""How many entries fit is the highest value `Entries` may have; what it has is how many there are. Most stations say
that as its maxLimit in their inventory (`inventory.facts_of`), some as MaxSet."""
GROUP_TYPE_2X = "Central"

STATUS_16 = {status: status.value for status in AuthorizationStatus} | {
    AuthorizationStatus.UNKNOWN: "Invalid",
    AuthorizationStatus.NO_CREDIT: "Blocked",
    AuthorizationStatus.NOT_ALLOWED_TYPE_EVSE: "Invalid",
    AuthorizationStatus.NOT_AT_THIS_LOCATION: "Invalid",
    AuthorizationStatus.NOT_AT_THIS_TIME: "Invalid",
}
"""OCPP 1.6 §7.2 has five words."""

Call = tuple[str, dict[str, Any]]


def id_tag_info(status: AuthorizationStatus, group: str | None, expires: datetime | None) -> dict[str, Any]:
    """1.6's IdTagInfo. A group that is longer than 20 characters is left out: a shorter one would be another."""
    info = {"status": STATUS_16[status]}
    if group and len(group) <= TAG_MAX_16:
        info["parentIdTag"] = group
    if expires is not None:
        info["expiryDate"] = time_text(expires)
    return info


# ---- OCPP 1.6 ----


def call_16(order: Order) -> Call | None:
    match order:
        case ReadListLimits():
            return "GetConfiguration", {"key": list(KEYS_16)}
        case GetLocalListVersion():
            return "GetLocalListVersion", {}
        case ClearCache():
            return "ClearCache", {}
        case SendLocalList(version=version, full=full, entries=entries, removed=removed):
            items: list[dict[str, Any]] = [{"idTag": entry.id_token} for entry in removed]
            items += [
                {"idTag": entry.id_token, "idTagInfo": id_tag_info(entry.status, entry.group, entry.expires)}
                for entry in entries
            ]
            return "SendLocalList", _list_call("listVersion", version, items, full=full)
    return None


def _list_call(version_key: str, version: int, items: list[dict[str, Any]], *, full: bool) -> dict[str, Any]:
    payload: dict[str, Any] = {version_key: version, "updateType": "Full" if full else "Differential"}
    if items:
        payload["localAuthorizationList"] = items
    return payload


def answer_16(order: Order, payload: Any) -> OrderAnswer | None:
    """None: it is read as any other answer."""
    said: Mapping[str, Any] = payload if isinstance(payload, dict) else {}
    if isinstance(order, GetLocalListVersion):
        return _version(said, "listVersion")
    if isinstance(order, ReadListLimits):
        listed = said.get("configurationKey")
        values = {
            str(each.get("key", "")).casefold(): each
            for each in (listed if isinstance(listed, list) else [])
            if isinstance(each, dict)
        }
        enabled, entries, per_message = (values.get(key.casefold(), {}) for key in KEYS_16)
        limits = ListLimits(
            _switch(enabled, "value"), _number(entries, "value"), _number(per_message, "value"),
            id_token_characters=TAG_MAX_16,
        )  # fmt: skip
        return OrderAnswer("Accepted", accepted=True, payload=limits)
    return None


# ---- OCPP 2.0.1 and 2.1 ----


def call_2x(order: Order) -> Call | None:
    match order:
        case ReadListLimits():
            asked = [
                {"component": {"name": CONTROLLER_2X}, "variable": {"name": name}, "attributeType": attribute}
                for name, attribute in VARIABLES_2X
            ]
            return "GetVariables", {"getVariableData": asked}
        case GetLocalListVersion():
            return "GetLocalListVersion", {}
        case ClearCache():
            return "ClearCache", {}
        case SendLocalList(version=version, full=full, entries=entries, removed=removed):
            items: list[dict[str, Any]] = [{"idToken": _token_2x(entry)} for entry in removed]
            items += [{"idToken": _token_2x(entry), "idTokenInfo": _info_2x(entry)} for entry in entries]
            return "SendLocalList", _list_call("versionNumber", version, items, full=full)
    return None


def _token_2x(entry: ListEntry) -> dict[str, Any]:
    return {"idToken": entry.id_token, "type": entry.type.value if entry.type else GROUP_TYPE_2X}


def _info_2x(entry: ListEntry) -> dict[str, Any]:
    info: dict[str, Any] = {"status": entry.status.value}
    if entry.group:
        info["groupIdToken"] = {"idToken": entry.group, "type": GROUP_TYPE_2X}
    if entry.expires is not None:
        info["cacheExpiryDateTime"] = time_text(entry.expires)
    return info


def answer_2x(order: Order, payload: Any) -> OrderAnswer | None:
    """None: it is read as any other answer."""
    said: Mapping[str, Any] = payload if isinstance(payload, dict) else {}
    if isinstance(order, GetLocalListVersion):
        return _version(said, "versionNumber")
    if isinstance(order, ReadListLimits):
        results = said.get("getVariableResult")
        values: dict[str, Mapping[str, Any]] = {}
        for each in results if isinstance(results, list) else ():
            variable = each.get("variable") if isinstance(each, dict) else None
            if isinstance(variable, dict) and each.get("attributeStatus") == "Accepted":
                values[str(variable.get("name", "")).casefold()] = each
        enabled, items, size, entries = (values.get(name.casefold(), {}) for name, _ in VARIABLES_2X)
        limits = ListLimits(
            _switch(enabled, "attributeValue"), _number(entries, "attributeValue"), _number(items, "attributeValue"),
            _number(size, "attributeValue"), TOKEN_MAX_2X, typed=True,
        )  # fmt: skip
        return OrderAnswer("Accepted", accepted=True, payload=limits)
    return None


# ---- both ----


def _version(said: Mapping[str, Any], key: str) -> OrderAnswer:
    found: Found = []
    version = integer_of(said, key, found)
    if version is None:
        return OrderAnswer("FormationViolation", accepted=False, payload=None)
    return OrderAnswer("Accepted", accepted=True, payload=version)


def _number(said: Mapping[str, Any], key: str) -> int | None:
    """Nothing, and what is no number above 0, is not said."""
    number = integer_of(said, key, [])
    return number if number is not None and number > 0 else None


def _switch(said: Mapping[str, Any], key: str) -> bool | None:
    value = said.get(key)
    text = str(value) if isinstance(value, bool) else text_of(said, key, []) or ""
    return {"true": True, "1": True, "false": False, "0": False}.get(text.casefold())
