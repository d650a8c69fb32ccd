"""Rules of OCPP 2.x a call must keep beside its schema: checked before it leaves, so that no station is asked nonsense.

Pure. Each check says where the call breaks a rule, or None. Sources: OCPP 2.0.1 part 2, B05, B10, F01, F06, K01, N05,
H01. Start at `not_now`.
"""

from collections.abc import Iterator, Mapping
from itertools import pairwise
from typing import Any

from sitelink.states import Registration

MOVING = "NetworkConfigurationPriority"
"""The variable by which a station is told to connect elsewhere."""
STATION_ONLY = "ChargingStationMaxProfile"
NOT_OURS = "ChargingStationExternalConstraints"
LISTS = {
    "GetVariables": ("getVariableData", "attributeType"), "SetVariables": ("setVariableData", "attributeType"),
    "SetVariableMonitoring": ("setMonitoringData", "type"),
}  # fmt: skip
"""Calls with a list of component and variable: its name, and what else makes an element another one."""


def not_now(action: str, payload: dict[str, Any], registration: Registration) -> str | None:
    """Where a call that fits its schema breaks a rule of OCPP 2.x all the same; None when it breaks none."""
    if action == "TriggerMessage":
        return _trigger(payload, registration)
    if action == "SetChargingProfile":
        return _charging_profile(payload)
    if action == "RequestStartTransaction":
        profile = payload.get("chargingProfile")
        return _start_profile(profile) if isinstance(profile, dict) else None
    if action in LISTS:
        name, kind = LISTS[action]
        return name if _has_double(payload.get(name), kind) else None
    return None


def _trigger(payload: Mapping[str, Any], registration: Registration) -> str | None:
    wanted = payload.get("requestedMessage")
    if wanted == "BootNotification" and registration is Registration.ACCEPTED:
        return "requestedMessage"  # F06.FR.17
    evse = payload.get("evse")
    if wanted == "StatusNotification" and not (isinstance(evse, dict) and "connectorId" in evse):
        return "evse"  # F06.FR.13
    return None


def _start_profile(profile: Mapping[str, Any]) -> str | None:
    if profile.get("chargingProfilePurpose") != "TxProfile" or "transactionId" in profile:
        return "chargingProfile"  # F01.FR.08 to FR.11
    wrong = _schedules(profile)
    return f"chargingProfile/{wrong}" if wrong is not None else None


def _charging_profile(payload: Mapping[str, Any]) -> str | None:
    profile = payload["chargingProfile"]
    purpose, place = profile.get("chargingProfilePurpose"), payload.get("evseId")
    if purpose == NOT_OURS:
        return "chargingProfile/chargingProfilePurpose"  # K01.FR.22
    if purpose == "TxProfile":
        if "transactionId" not in profile:
            return "chargingProfile/transactionId"  # K01.FR.03
        if place == 0:
            return "evseId"  # K01.FR.16
    elif "transactionId" in profile:
        return "chargingProfile/transactionId"
    if purpose == STATION_ONLY and place != 0:
        return "evseId"  # K01.FR.38
    wrong = _schedules(profile)
    return f"chargingProfile/{wrong}" if wrong is not None else None


def _schedules(profile: Mapping[str, Any]) -> str | None:
    kind = profile.get("chargingProfileKind")
    if kind == "Recurring" and "recurrencyKind" not in profile:
        return "recurrencyKind"
    for number, schedule in enumerate(profile.get("chargingSchedule") or ()):
        where = f"chargingSchedule/{number}"
        if kind in ("Absolute", "Recurring") and "startSchedule" not in schedule:
            return f"{where}/startSchedule"  # K01.FR.40
        if kind == "Relative" and "startSchedule" in schedule:
            return f"{where}/startSchedule"  # K01.FR.41
        starts = [period.get("startPeriod") for period in schedule.get("chargingSchedulePeriod") or ()]
        if not starts or starts[0] != 0:
            return f"{where}/chargingSchedulePeriod/0/startPeriod"  # K01.FR.31
        if any(later <= before for before, later in pairwise(starts)):
            return f"{where}/chargingSchedulePeriod"
        if any("phaseToUse" in period and period.get("numberPhases") != 1
               for period in schedule["chargingSchedulePeriod"]):  # fmt: skip
            return f"{where}/chargingSchedulePeriod"  # K01.FR.19
    return None


def _has_double(listed: Any, kind: str) -> bool:
    """One component and variable twice in a request (B05.FR.13, B06.FR.16)."""
    seen: set[tuple[str, ...]] = set()
    for each in listed if isinstance(listed, list) else ():
        key = _key(each, kind)
        if key in seen:
            return True
        seen.add(key)
    return False


def _key(each: Mapping[str, Any], kind: str) -> tuple[str, ...]:
    component, variable = each.get("component") or {}, each.get("variable") or {}
    evse = component.get("evse") or {}
    said = (
        component.get("name"), component.get("instance"), evse.get("id"), evse.get("connectorId"),
        variable.get("name"), variable.get("instance"), each.get(kind, "Actual"), each.get("severity"),
    )  # fmt: skip
    return tuple("" if part is None else str(part) for part in said)


def clashing_profile(payload: Mapping[str, Any], known: Mapping[str, Any]) -> str | None:
    """Another profile of that purpose and stack level is there already (K01.FR.06 and FR.39)."""
    profile = payload["chargingProfile"]
    for each in _profiles(known):
        other = each["profile"]
        if other.get("id") == profile.get("id") or each.get("evse") != payload.get("evseId"):
            continue
        if all(other.get(name) == profile.get(name) for name in ("chargingProfilePurpose", "stackLevel")) and (
            other.get("transactionId") == profile.get("transactionId")
        ):
            return "chargingProfile/stackLevel"
    return None


def _profiles(known: Mapping[str, Any]) -> Iterator[dict[str, Any]]:
    yield from (each for each in known.values() if isinstance(each, dict) and isinstance(each.get("profile"), dict))


def moves_station(action: str, payload: Mapping[str, Any]) -> bool:
    """Whether the call sends the station elsewhere when it next connects (B10)."""
    return action == "SetVariables" and any(
        (each.get("variable") or {}).get("name") == MOVING for each in payload.get("setVariableData") or ()
    )
