"""What a charge point told of itself in lists, line by line: events, limits, profiles, reservations, messages.

Pure. Made of the lists the box keeps (`sitelink.model.StationReport`); its settings stand in `web_ui.details`. Nothing
is translated that the charge point said. Start at `told_views`.
"""

from collections.abc import Callable, Mapping
from datetime import datetime
from typing import Any

import msgspec

from sitelink.ids import StationKey
from sitelink.model import SiteState, StationReport
from sitelink.states import ReportKind
from web_ui.ocpp_words import SEVERITIES

LINES_SHOWN = 12
GRAVE = 5
"""Up to this severity an event is a warning here: danger, failures, critical, error, alert."""

Item = Mapping[str, Any]


class ToldLine(msgspec.Struct, frozen=True):
    """`text` is what, `detail` the rest; both may hold the charge point's own words. `tone`: warn, or ""."""

    text: str
    detail: str = ""
    tone: str = ""


class ToldView(msgspec.Struct, frozen=True):
    """One list. `more` of it are not shown; `missing` parts never came."""

    label: str
    at: datetime
    lines: tuple[ToldLine, ...]
    more: int
    missing: int


def told_views(state: SiteState, station: StationKey, now: datetime) -> tuple[ToldView, ...]:
    """The lists that are not empty, each with its newest lines first."""
    known = ((label, line, state.report_of(station, kind)) for kind, (label, line) in _KINDS.items())
    found = (_view(label, line, report, now) for label, line, report in known if report is not None and report.count)
    return tuple(view for view in found if view is not None)


def _view(label: str, line: Callable[[Item], ToldLine], report: StationReport, now: datetime) -> ToldView | None:
    """None: nothing of it is true any more. Nobody tells the end of a reservation that ran out (OCPP 1.6 §5.13)."""
    items = [each for each in report.items.values() if isinstance(each, dict)]
    if report.kind is ReportKind.RESERVATIONS:
        left = [each for each in items if not _has_run_out(each, now)]
        if items and not left:
            return None
        items = left
    newest = [line(each) for each in reversed(items[-LINES_SHOWN:])]
    return ToldView(label, report.at, tuple(newest), max(0, len(items) - LINES_SHOWN), report.missing)


def _event(item: Item) -> ToldLine:
    severity = item.get("severity")
    words = SEVERITIES.get(severity, "") if isinstance(severity, int) else "severity not told"
    said = _texts(item, "value", "trigger", "tech_code", "tech_info", "at")
    over = "over" if item.get("cleared") else ""
    grave = isinstance(severity, int) and severity <= GRAVE and not over
    return ToldLine(f"{_place(item)}: {words}", _joined(over, *said), "warn" if grave else "")


def _monitor(item: Item) -> ToldLine:
    severity = item.get("severity")
    words = SEVERITIES.get(severity, "") if isinstance(severity, int) else ""
    return ToldLine(_place(item), _joined(*_texts(item, "type", "value"), words))


def _limit(item: Item) -> ToldLine:
    limit = item.get("chargingLimit")
    critical = isinstance(limit, dict) and limit.get("isGridCritical") is True
    return ToldLine(f"{_evse(item)}, by {_text(item.get('source')) or 'another'}", "for the grid" if critical else "")


def _profile(item: Item) -> ToldLine:
    profile = item.get("profile")
    said: Item = profile if isinstance(profile, dict) else {}
    number = _text(said.get("id", said.get("chargingProfileId")))
    level = _text(said.get("stackLevel"))
    text = f"{_evse(item)}: {_text(said.get('chargingProfilePurpose'))}"
    return ToldLine(text, _joined(f"number {number}", f"level {level}", _text(said.get("chargingProfileKind"))))


def _schedule(item: Item) -> ToldLine:
    if "priority" in item:
        how = "charges with priority" if item["priority"] else "charges without priority"
        return ToldLine(f"Transaction {_text(item.get('transaction'))}", how)
    schedule = item.get("schedule", item.get("chargingSchedule"))
    said: Item = schedule if isinstance(schedule, dict) else {}
    inner = said.get("chargingSchedule")
    periods = (inner if isinstance(inner, dict) else said).get("chargingSchedulePeriod")
    count = len(periods) if isinstance(periods, list) else 0
    return ToldLine(_evse(item), f"{count} period{'' if count == 1 else 's'}")


def _needs(item: Item) -> ToldLine:
    needs = item.get("chargingNeeds")
    said: Item = needs if isinstance(needs, dict) else {}
    return ToldLine(_evse(item), _joined(*_texts(said, "requestedEnergyTransfer", "departureTime")))


def _message(item: Item) -> ToldLine:
    message = item.get("message")
    content = message.get("content") if isinstance(message, dict) else ""
    return ToldLine(_text(content), _joined(*_texts(item, "priority", "state")))


def _has_run_out(item: Item, now: datetime) -> bool:
    try:
        until = datetime.fromisoformat(_text(item.get("expiryDateTime", item.get("expiryDate"))))
    except ValueError:
        return False
    return until.tzinfo is not None and until <= now


def _reservation(item: Item) -> ToldLine:
    number = _text(item.get("id", item.get("reservationId")))
    place = item.get("evseId", item.get("connectorId"))
    until = _text(item.get("expiryDateTime", item.get("expiryDate")))
    return ToldLine(f"Reservation {number}", _joined(f"at {_text(place)}" if place else "", f"until {until}"))


def _copy(item: Item) -> ToldLine:
    return ToldLine(_text(item.get("status")), _joined(*map(_text, item.get("location") or ())))


def _stream(item: Item) -> ToldLine:
    return ToldLine(f"Monitor {_text(item.get('monitor'))}", _joined(*_texts(item, "interval_s", "values")))


_KINDS: dict[ReportKind, tuple[str, Callable[[Item], ToldLine]]] = {
    ReportKind.EVENTS: ("Events", _event),
    ReportKind.CHARGING_LIMITS: ("Limits from outside", _limit),
    ReportKind.CHARGING_PROFILES: ("Charging profiles", _profile),
    ReportKind.COMPOSITE_SCHEDULES: ("Schedules it follows", _schedule),
    ReportKind.CHARGING_SCHEDULES: ("Schedules of cars", _schedule),
    ReportKind.CHARGING_NEEDS: ("Needs of cars", _needs),
    ReportKind.RESERVATIONS: ("Reservations", _reservation),
    ReportKind.DISPLAY_MESSAGES: ("Messages on its display", _message),
    ReportKind.MONITORING: ("What it watches", _monitor),
    ReportKind.EVENT_STREAMS: ("Streams of values", _stream),
    ReportKind.FIRMWARE_COPIES: ("Firmware it publishes", _copy),
}


def _place(item: Item) -> str:
    name = ".".join(part for part in _texts(item, "component", "variable") if part)
    evse = _text(item.get("evse"))
    return f"{name}, EVSE {evse}" if evse else name or "Something"


def _evse(item: Item) -> str:
    place = item.get("evse")
    return f"EVSE {place}" if place else "The whole charge point"


def _texts(item: Item, *names: str) -> list[str]:
    return [_text(item.get(name)) for name in names]


def _text(value: Any) -> str:
    return "" if value is None or isinstance(value, (dict, list)) else str(value)


def _joined(*parts: str) -> str:
    return ", ".join(part for part in parts if part)
