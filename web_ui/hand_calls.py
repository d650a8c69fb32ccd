"""Calls sent by hand, as their page shows them. Pure. Start at `hand_call_views`."""

import json
from collections.abc import Iterable, Mapping
from datetime import datetime
from typing import Any

import msgspec

_STATES = {
    "sent": ("Waiting for the answer.", "waiting"),
    "answered": ("Answered.", "ok"),
    "refused": ("Answered with an error.", "problem"),
    "no_answer": ("No answer within 30 s; one that comes late is shown here.", "waiting"),
    "late": ("Answered late.", "ok"),
    "link_lost": ("The connection broke before the answer.", "problem"),
}
"""As `edge_agent.charge_points.hand_calls` calls them."""


class HandCallView(msgspec.Struct, frozen=True):
    """`payload` and `answer` as indented JSON, masked; `answer` is "" while there is none."""

    id: int
    action: str
    at: datetime
    state_text: str
    tone: str
    payload: str
    answer: str
    answered_at: datetime | None


def hand_call_views(calls: Iterable[Mapping[str, Any]]) -> tuple[HandCallView, ...]:
    """In their order."""
    return tuple(_view(each) for each in calls)


def parsed(text: str) -> dict[str, Any]:
    """What was typed as a payload. Raises ValueError with where it is wrong, fit to be shown."""
    try:
        payload = json.loads(text or "{}")
    except json.JSONDecodeError as exc:
        raise ValueError(f"line {exc.lineno}, column {exc.colno}") from exc
    except RecursionError as exc:
        raise ValueError("too deep") from exc
    if not isinstance(payload, dict):
        raise ValueError("not an object in braces")
    return payload


def indented(value: Any) -> str:
    return json.dumps(value, indent=2, ensure_ascii=False)


def _view(call: Mapping[str, Any]) -> HandCallView:
    text, tone = _STATES.get(str(call["state"]), (str(call["state"]), "waiting"))
    answer = call.get("error") if call.get("error") is not None else call.get("result")
    return HandCallView(
        call["id"], call["action"], call["at"], text, tone, indented(msgspec.to_builtins(call["payload"])),
        "" if answer is None else indented(msgspec.to_builtins(answer)), call.get("answered_at"),
    )  # fmt: skip
