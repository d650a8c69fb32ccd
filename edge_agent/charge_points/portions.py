"""Calls with long lists, cut to what a station takes at once, and their answers joined again.

Pure. Sources: OCPP 2.0.1 part 2, B05.FR.11, B06.FR.05, N04; OCPP 1.6 §5.8. Start at `portions`.
"""

import json
from collections.abc import Mapping, Sequence
from typing import Any

Payload = dict[str, Any]

_LISTS = {
    "GetVariables": ("getVariableData", "getVariableResult"),
    "SetVariables": ("setVariableData", "setVariableResult"),
    "SetVariableMonitoring": ("setMonitoringData", "setMonitoringResult"),
    "ClearVariableMonitoring": ("id", "clearMonitoringResult"),
    "GetConfiguration": ("key", "configurationKey"),
}
"""Action: the list of its request, the list of its answer."""
UNCUT = frozenset({"GetReport"})
"""Its answer comes as reports under one request id: cut in two it would be two reports under one name."""


def portions(action: str, payload: Payload, facts: Mapping[str, int]) -> list[Payload]:
    """The calls to send in place of one; `facts` are those of the station's inventory."""
    named = _LISTS.get(action)
    listed = payload.get(named[0]) if named is not None else None
    if named is None or not isinstance(listed, list) or not listed:
        return [payload]
    most, most_bytes = facts.get(f"items {action}") or len(listed), facts.get(f"bytes {action}")
    found: list[Payload] = []
    rest = list(listed)
    while rest:
        size = min(most, len(rest))
        while size > 1 and most_bytes is not None and _bytes(payload, named[0], rest[:size]) > most_bytes:
            size -= 1
        found.append({**payload, named[0]: rest[:size]})
        rest = rest[size:]
    return found


def _bytes(payload: Payload, name: str, items: Sequence[Any]) -> int:
    return len(json.dumps({**payload, name: list(items)}, separators=(",", ":")).encode())


def too_long(action: str, payload: Payload, facts: Mapping[str, int]) -> bool:
    """More than the station takes, and it cannot be cut."""
    listed = payload.get("componentVariable")
    most = facts.get(f"items {action}")
    return action in UNCUT and isinstance(listed, list) and most is not None and len(listed) > most


def joined(action: str, answers: Sequence[Payload]) -> Payload:
    """One answer as if the call had been sent whole."""
    if len(answers) == 1:
        return answers[0]
    whole: Payload = dict(answers[0])
    for answer in answers[1:]:
        for name, value in answer.items():
            before = whole.get(name)
            whole[name] = [*before, *value] if isinstance(before, list) and isinstance(value, list) else value
    return whole
