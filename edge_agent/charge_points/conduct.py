"""What a station is asked, in the way it can take it: calls split, changed or not sent, as its quirks say.

Pure. What is changed of a person's call is named in `found`, so that it is counted and shown for the station. Sources:
OCPP.md §4.2 and §4.4. Start at `calls_of`.
"""

import copy
from collections.abc import Iterable, Mapping, Sequence
from typing import Any

from edge_agent.charge_points.quirks import Quirks
from edge_agent.charge_points.readings import Found

Payload = dict[str, Any]

PHASE_VOLTS = 230
PHASES = 3
"""Where a charging profile does not say otherwise."""
REBOOT_REQUIRED = "RebootRequired"
_PROFILE_KEYS = ("csChargingProfiles", "chargingProfile")
_WORSE = ("Accepted", "Scheduled", "Rejected")
"""Of the answers of several connectors the worst stands for all."""


def why_not(quirks: Quirks, action: str, payload: Mapping[str, Any]) -> str | None:
    """Where a call would do harm or nothing at this station; None: it may go."""
    if action == "GetConfiguration":
        keys = payload.get("key") or []
        forbidden = {key.casefold() for key in quirks.configuration_keys_not_asked}
        if forbidden and (not keys or any(str(key).casefold() in forbidden for key in keys)):
            return "key"
    if action == "UnlockConnector" and not quirks.unlock:
        return "action"
    if action == "TriggerMessage" and payload.get("requestedMessage") == "MeterValues":
        return None if quirks.trigger_meter_values else "requestedMessage"
    return None


def calls_of(quirks: Quirks, action: str, payload: Payload, connectors: Iterable[int], found: Found) -> list[Payload]:
    """The payloads to send, one after the other; one as a rule. `connectors`: those known of the station."""
    if action == "GetConfiguration" and quirks.configuration_keys_at_once:
        keys, most = payload.get("key") or [], quirks.configuration_keys_at_once
        parts = [{"key": list(keys[at : at + most])} for at in range(0, len(keys), most)]
        return parts or [payload]
    if action == "ChangeAvailability" and quirks.availability_per_connector:
        return by_connector(payload, connectors, found)
    profile = next((key for key in _PROFILE_KEYS if isinstance(payload.get(key), dict)), None)
    if profile is None:
        return [payload]
    fitting = _profile(quirks, payload[profile], found)
    return [payload if fitting is payload[profile] else {**payload, profile: fitting}]


def by_connector(payload: Payload, connectors: Iterable[int], found: Found) -> list[Payload]:
    """A change of the whole station's availability as one of each of its connectors."""
    if payload.get("connectorId") != 0:
        return [payload]
    found.append("connectorId:one_by_one")
    return [{**payload, "connectorId": number} for number in sorted({each for each in connectors if each > 0} or {1})]


def refuses_the_whole(action: str, payload: Mapping[str, Any], answer: Any) -> bool:
    """Whether a station that takes no connector 0 said so: each of its connectors is asked then."""
    rejected = isinstance(answer, dict) and answer.get("status") == "Rejected"
    return action == "ChangeAvailability" and payload.get("connectorId") == 0 and rejected


def together(action: str, answers: Sequence[Any]) -> Any:
    """One answer for several: keys joined, or the worst status."""
    if len(answers) == 1:
        return answers[0]
    given = [each for each in answers if isinstance(each, dict)]
    if action == "GetConfiguration":
        return {
            name: [each for answer in given for each in answer.get(name) or []]
            for name in ("configurationKey", "unknownKey")
        }  # fmt: skip
    return max(given, key=lambda each: _WORSE.index(each["status"]) if each.get("status") in _WORSE else 0, default={})


def password_set(action: str, payload: Mapping[str, Any]) -> str | None:
    """The password a call gives the station for its connections, if it is such a call (A01, whitepaper A01)."""
    if action == "ChangeConfiguration" and str(payload.get("key")).casefold() == "authorizationkey":
        return str(payload.get("value"))
    for each in payload.get("setVariableData", ()) if action == "SetVariables" else ():
        if _is_password(each) and each.get("attributeType", "Actual") == "Actual":
            return str(each.get("attributeValue"))
    return None


def profile_set(action: str, payload: Mapping[str, Any]) -> tuple[str, int] | None:
    """Where a call tells the station which security profile to use, and which (whitepaper A05; 2.x B09)."""
    if action == "ChangeConfiguration" and str(payload.get("key")).casefold() == "securityprofile":
        value = str(payload.get("value")).strip()
        return ("value", int(value)) if value.isascii() and value.isdecimal() and len(value) < 4 else None
    if action == "SetNetworkProfile":
        profile = payload["connectionData"].get("securityProfile")
        return ("connectionData/securityProfile", profile) if isinstance(profile, int) else None
    return None


def word_on_password(answer: Any) -> str:
    """What the station said of it."""
    if not isinstance(answer, dict):
        return ""
    results = answer.get("setVariableResult")
    said = [each.get("attributeStatus") for each in results if _is_password(each)] if isinstance(results, list) else []
    return str(said[0] if said else answer.get("status", ""))


def _is_password(each: Any) -> bool:
    named = [each.get(part) for part in ("component", "variable")] if isinstance(each, dict) else []
    names = [str(part.get("name")).casefold() for part in named if isinstance(part, dict)]
    return names == ["securityctrlr", "basicauthpassword"]


def reboot_keys(action: str, payload: Mapping[str, Any], answer: Any) -> tuple[str, ...]:
    """What was changed by a call and takes effect only after a reboot, by the station's word."""
    if not isinstance(answer, dict):
        return ()
    if action == "ChangeConfiguration" and answer.get("status") == REBOOT_REQUIRED:
        return (str(payload.get("key"))[:50],)
    results = answer.get("setVariableResult") if action == "SetVariables" else None
    return tuple(
        str((each.get("variable") or {}).get("name"))[:50]
        for each in (results if isinstance(results, list) else ())
        if isinstance(each, dict) and each.get("attributeStatus") == REBOOT_REQUIRED
    )


def answered(quirks: Quirks, payload: Payload) -> Payload:
    """An answer of ours as the station can read it: a time without its fraction."""
    time = payload.get("currentTime")
    if quirks.time_milliseconds or not isinstance(time, str):
        return payload
    return {**payload, "currentTime": f"{time.partition('.')[0].removesuffix('Z')}Z"}


def _profile(quirks: Quirks, profile: Payload, found: Found) -> Payload:
    """A charging profile in the form the station follows (evcc keeps such flags by charger)."""
    if not (quirks.stack_level_zero_only or quirks.relative_profile or quirks.profile_unit):
        return profile
    profile = copy.deepcopy(profile)
    if quirks.stack_level_zero_only and profile.get("stackLevel", 0) != 0:
        profile["stackLevel"] = 0
        found.append("stackLevel:set_to_0")
    if quirks.relative_profile and profile.get("chargingProfileKind") != "Relative":
        profile["chargingProfileKind"] = "Relative"
        for name in ("recurrencyKind", "validFrom", "validTo"):
            profile.pop(name, None)
        for schedule in _schedules(profile):
            schedule.pop("startSchedule", None)
        found.append("chargingProfileKind:set_to_Relative")
    for schedule in _schedules(profile) if quirks.profile_unit else ():
        _in_unit(quirks.profile_unit, schedule, found)
    return profile


def _schedules(profile: Payload) -> list[Payload]:
    """One in OCPP 1.6, a list in 2.x."""
    said = profile.get("chargingSchedule")
    return [each for each in (said if isinstance(said, list) else [said]) if isinstance(each, dict)]


def _in_unit(unit: str, schedule: Payload, found: Found) -> None:
    if schedule.get("chargingRateUnit", unit) == unit or unit not in ("A", "W"):
        return
    for period in schedule.get("chargingSchedulePeriod") or []:
        factor = PHASE_VOLTS * (period.get("numberPhases") or PHASES)
        limit = period["limit"] * factor if unit == "W" else period["limit"] / factor
        period["limit"] = round(limit, 1)
    if "minChargingRate" in schedule:
        factor = PHASE_VOLTS * PHASES
        rate = schedule["minChargingRate"]
        schedule["minChargingRate"] = round(rate * factor if unit == "W" else rate / factor, 1)
    schedule["chargingRateUnit"] = unit
    found.append(f"chargingRateUnit:set_to_{unit}")
