"""What OCPP 2.x stations report in lists: one part of a message in, the items it brought out.

Pure. Declarative: `PARTS` says which message is a part of what, `NOTES` which message changes single items of a list.
Personal data in customer information is masked here and kept nowhere else. Sources: OCPP 2.0.1 part 2, B07, K09, K12,
K13, K15, K17, L03, N02, N07, N09, O03. Start at `part_of`.
"""

import re
from collections.abc import Callable, Iterator, Mapping
from typing import Any

import msgspec

from edge_agent.charge_points.assembler import Part
from edge_agent.charge_points.inventory import variables_of_report
from edge_agent.charge_points.readings import Found, integer_of, is_true, kept, text_of
from sitelink.inventory import items_of
from sitelink.redact import mask_id_token, redact
from sitelink.states import ReportKind

Items = dict[str, Any]
CUSTOMER_INFORMATION = "customer_information"
"""The one report that is never written down."""
_PERSONAL = re.compile(r"[^\s,;:=\"'{}\[\]()]*[\d@][^\s,;:=\"'{}\[\]()]*")
"""A word with a digit or an @: a card, a number, an address."""


def part_of(action: str, payload: Mapping[str, Any], found: Found) -> Part | None:
    """The part a message is; None where it does not say of which request."""
    request = integer_of(payload, "requestId", found)
    if request is None:
        return None
    rule = PARTS[action]
    number = integer_of(payload, "seqNo", found) if rule.numbered else None
    if number is not None and number < 0:
        number = None
    items = rule.read(payload, found)
    return Part(rule.kind, request, number, not is_true(payload, "tbc", found), items, len(str(payload)))


def _inventory(payload: Mapping[str, Any], found: Found) -> Items:
    return items_of(variables_of_report(payload, found))


def _monitors(payload: Mapping[str, Any], found: Found) -> Items:
    """By the monitor's number: what is watched, when it speaks up, and how grave that is."""
    items: Items = {}
    for each in objects(payload.get("monitor")):
        for monitor in objects(each.get("variableMonitoring")):
            number = integer_of(monitor, "id", found)
            if number is not None:
                items[str(number)] = {**variable_of(each, found), **kept(
                    {name: monitor[name] for name in _OF_MONITOR if name in monitor}
                )}  # fmt: skip
    return items


_OF_MONITOR = ("id", "type", "value", "severity", "transaction", "eventNotificationType")


def _messages(payload: Mapping[str, Any], found: Found) -> Items:
    return _by_id(payload.get("messageInfo"), found)


def _profiles(payload: Mapping[str, Any], found: Found) -> Items:
    place = integer_of(payload, "evseId", found) or 0
    source = text_of(payload, "chargingLimitSource", found, 20)
    return {
        profile_key(place, number): {"evse": place, "source": source, "profile": each}
        for number, each in _by_id(payload.get("chargingProfile"), found).items()
    }


def profile_key(place: int, number: Any) -> str:
    return f"{place}/{number}"


def _customer(payload: Mapping[str, Any], found: Found) -> Items:
    text = payload.get("data")
    number = integer_of(payload, "seqNo", found) or 0
    return {str(number): mask_personal(text)} if isinstance(text, str) else {}


def mask_personal(text: str) -> str:
    """Enough to see that there is something, not enough to know whose."""
    return _PERSONAL.sub(lambda word: mask_id_token(word.group()), text[:20_000])


class PartRule(msgspec.Struct, frozen=True):
    """`kind` is the report it is a part of; not every kind numbers its parts."""

    kind: str
    read: Callable[[Mapping[str, Any], Found], Items]
    sentence: str
    numbered: bool = True


PARTS: dict[str, PartRule] = {
    "NotifyReport": PartRule(
        ReportKind.INVENTORY, _inventory, "Parts are put together; the whole is the inventory, without secrets."
    ),
    "NotifyMonitoringReport": PartRule(
        ReportKind.MONITORING, _monitors, "Parts are put together; the whole is the list of monitors."
    ),
    "NotifyCustomerInformation": PartRule(
        CUSTOMER_INFORMATION, _customer, "Parts are put together, masked, and forgotten after 15 minutes."
    ),
    "NotifyDisplayMessages": PartRule(
        ReportKind.DISPLAY_MESSAGES, _messages, "Parts are put together; the whole is the list of messages.",
        numbered=False,
    ),
    "ReportChargingProfiles": PartRule(
        ReportKind.CHARGING_PROFILES, _profiles, "Parts are put together; the whole is the list of profiles.",
        numbered=False,
    ),
}  # fmt: skip
"""By message."""


def is_whole(action: str, payload: Mapping[str, Any]) -> bool:
    """Whether a request of ours asks for all there is of its kind, so that what is not in its report is not there."""
    if action == "GetBaseReport":
        return payload.get("reportBase") == "FullInventory"
    if action == "GetMonitoringReport":
        return "componentVariable" not in payload and "monitoringCriteria" not in payload
    if action == "GetDisplayMessages":
        return not any(name in payload for name in ("id", "priority", "state"))
    if action == "GetChargingProfiles":
        return not payload.get("chargingProfile") and "evseId" not in payload
    return action == "CustomerInformation"


REQUESTS = {
    "GetBaseReport": ReportKind.INVENTORY, "GetReport": ReportKind.INVENTORY,
    "GetMonitoringReport": ReportKind.MONITORING, "GetDisplayMessages": ReportKind.DISPLAY_MESSAGES,
    "GetChargingProfiles": ReportKind.CHARGING_PROFILES, "CustomerInformation": CUSTOMER_INFORMATION,
}  # fmt: skip
"""Our calls that are answered by reports."""
EMPTY = frozenset({"EmptyResultSet", "NoProfiles", "Unknown"})
"""Statuses of their answers that say: there is nothing, and no report will come."""


# ---- messages about single items ----


def _limit(payload: Mapping[str, Any], found: Found) -> tuple[Items, tuple[str, ...]]:
    place = integer_of(payload, "evseId", found) or 0
    limit = payload.get("chargingLimit")
    source = text_of(limit, "chargingLimitSource", found, 20) if isinstance(limit, dict) else None
    return {f"{place}/{source}": {"evse": place, "source": source, **_but(payload, "evseId")}}, ()


def _no_limit(payload: Mapping[str, Any], found: Found) -> tuple[Items, tuple[str, ...]]:
    source = text_of(payload, "chargingLimitSource", found, 20)
    return {}, (f"{integer_of(payload, 'evseId', found) or 0}/{source}",)


def _of_evse(payload: Mapping[str, Any], found: Found) -> tuple[Items, tuple[str, ...]]:
    place = integer_of(payload, "evseId", found) or 0
    return {str(place): {"evse": place, **_but(payload, "evseId")}}, ()


def _reservation(payload: Mapping[str, Any], found: Found) -> tuple[Items, tuple[str, ...]]:
    """Expired or removed: either way there is none any more."""
    return {}, (str(integer_of(payload, "reservationId", found)),)


def _copy(payload: Mapping[str, Any], found: Found) -> tuple[Items, tuple[str, ...]]:
    return {str(integer_of(payload, "requestId", found) or 0): _but(payload)}, ()


def _priority(payload: Mapping[str, Any], found: Found) -> tuple[Items, tuple[str, ...]]:
    name = text_of(payload, "transactionId", found, 64) or ""
    return {f"priority {name}": {"transaction": name, "priority": is_true(payload, "activated", found)}}, ()


def _but(payload: Mapping[str, Any], *without: str) -> Items:
    kept_: Items = kept({name: each for name, each in payload.items() if name not in (*without, "customData")})
    return kept_


class NoteRule(msgspec.Struct, frozen=True):
    """`kind` is the list a message is about; `read` gives the items it brings and the keys of those that go."""

    kind: ReportKind
    read: Callable[[Mapping[str, Any], Found], tuple[Items, tuple[str, ...]]]
    sentence: str


NOTES: dict[str, NoteRule] = {
    "NotifyChargingLimit": NoteRule(ReportKind.CHARGING_LIMITS, _limit, "Kept as the limit of its source there."),
    "ClearedChargingLimit": NoteRule(ReportKind.CHARGING_LIMITS, _no_limit, "The limit of its source is gone."),
    "NotifyEVChargingNeeds": NoteRule(
        ReportKind.CHARGING_NEEDS, _of_evse, "Kept; the answer says that no schedule is made for cars here."
    ),
    "NotifyEVChargingSchedule": NoteRule(ReportKind.CHARGING_SCHEDULES, _of_evse, "Kept as what the car plans."),
    "NotifyPriorityCharging": NoteRule(
        ReportKind.CHARGING_SCHEDULES, _priority, "Kept: whether the transaction charges with priority."
    ),
    "ReservationStatusUpdate": NoteRule(ReportKind.RESERVATIONS, _reservation, "The reservation is gone."),
    "PublishFirmwareStatusNotification": NoteRule(
        ReportKind.FIRMWARE_COPIES, _copy, "Kept as what became of the firmware it publishes."
    ),
}
"""By message."""


def events_of(payload: Mapping[str, Any], severities: Mapping[str, int], found: Found) -> Items:
    """Of a NotifyEvent. 2.0.1 names only the monitor; what it is worth was said when the monitor was set."""
    events: Items = {}
    generated = text_of(payload, "generatedAt", found, 40) or ""
    for each in objects(payload.get("eventData")):
        number = integer_of(each, "eventId", found)
        monitor = integer_of(each, "variableMonitoringId", found)
        severity = integer_of(each, "severity", found)
        at = text_of(each, "timestamp", found, 40) or generated
        known = severities.get(str(monitor))
        event = {
            "at": at, "severity": severity if severity is not None else known, **variable_of(each, found),
            "value": text_of(each, "actualValue", found, 200), "trigger": text_of(each, "trigger", found, 20),
            "type": text_of(each, "eventNotificationType", found, 40), "cleared": is_true(each, "cleared", found),
            "monitor": monitor, "tech_code": text_of(each, "techCode", found, 50),
            "tech_info": text_of(each, "techInfo", found, 200), "cause": integer_of(each, "cause", found),
            "transaction": text_of(each, "transactionId", found, 64),
        }  # fmt: skip
        events[f"{at} {number}"] = {
            name: value for name, value in event.items() if value is not None and value is not False
        }
    return events


AVAILABILITY = "availabilitystate"
OF_STATUS = frozenset({"connector", "chargingstation"})
"""Components whose availability is a status; an EVSE's follows from its connectors'."""


def statuses_of(payload: Mapping[str, Any], found: Found) -> Iterator[Items]:
    """Of a NotifyEvent, what says the same as a StatusNotification, in the form of one (G01)."""
    for each in objects(payload.get("eventData")):
        component, variable = each.get("component"), each.get("variable")
        if not isinstance(component, dict) or not isinstance(variable, dict):
            continue
        name = (text_of(component, "name", found, 50) or "").casefold()
        if name not in OF_STATUS or (text_of(variable, "name", found, 50) or "").casefold() != AVAILABILITY:
            continue
        evse = component.get("evse")
        whole = name == "chargingstation"
        if whole or (isinstance(evse, dict) and "id" in evse):
            place = {"id": 0} if whole or not isinstance(evse, dict) else evse
            yield {
                "timestamp": each.get("timestamp"), "connectorStatus": each.get("actualValue"),
                "evseId": place.get("id"), "connectorId": place.get("connectorId"),
            }  # fmt: skip


def variable_of(raw: Mapping[str, Any], found: Found) -> Items:
    """Which variable of which component, in one line each."""
    component, variable = raw.get("component"), raw.get("variable")
    named: Items = {}
    if isinstance(component, dict):
        evse = component.get("evse")
        named["component"] = _with_instance(component, found)
        if isinstance(evse, dict):
            named["evse"] = integer_of(evse, "id", found)
            named["connector"] = integer_of(evse, "connectorId", found)
    if isinstance(variable, dict):
        named["variable"] = _with_instance(variable, found)
    return {name: value for name, value in named.items() if value is not None}


def _with_instance(raw: Mapping[str, Any], found: Found) -> str | None:
    name, instance = text_of(raw, "name", found, 50), text_of(raw, "instance", found, 50)
    return f"{name} ({instance})" if name and instance else name


def reservation(payload: Mapping[str, Any]) -> Items:
    """A ReserveNow that was accepted, of any version, as it may be shown."""
    shown: Items = redact(_but(payload))
    return shown


def _by_id(value: Any, found: Found) -> Items:
    return {
        str(number): kept({name: item for name, item in each.items() if name != "customData"})
        for each in objects(value) if (number := integer_of(each, "id", found)) is not None
    }  # fmt: skip


def objects(value: Any) -> Iterator[dict[str, Any]]:
    """Objects of a list; one in place of the list is a list of one."""
    yield from (each for each in (value if isinstance(value, list) else [value]) if isinstance(each, dict))
