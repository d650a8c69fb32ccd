"""A timeline as bars and in words: where each span stands, how it looks, what ended it. Pure. Start at `bars_of`."""

from collections.abc import Iterable
from datetime import datetime, timedelta

import msgspec

from cloud_relay.fleet.timeline import CONNECTED, DISCONNECTED, ERROR, UNKNOWN, Ending, Span, Timeline
from sitelink.states import ConnectorStatus
from web_ui import ocpp_words, wording

WINDOWS = {"24h": ("24 hours", timedelta(hours=24)), "7d": ("7 days", timedelta(days=7)),
           "30d": ("30 days", timedelta(days=30))}  # fmt: skip
LABELLED_FROM = 9.0
ROOMY_FROM = 30.0
"""Percent of the width from which a bar has room for its word: at a desk, and on a phone."""
_STEP = {"24h": timedelta(hours=4), "7d": timedelta(days=1), "30d": timedelta(days=5)}
_TONES = {
    CONNECTED: "ok", DISCONNECTED: "problem", ERROR: "problem", UNKNOWN: "gap", ConnectorStatus.AVAILABLE: "ok",
    ConnectorStatus.UNAVAILABLE: "off", ConnectorStatus.FAULTED: "problem", ConnectorStatus.UNKNOWN: "gap",
}  # fmt: skip
_ENDINGS = {
    "connected": "It connected.", "heard": "It spoke again.", "closed": "It closed the connection.",
    "silent": "It stopped answering.", "replaced": "It connected anew.", "box_restarted": "The box was restarted.",
    "forgotten": "It made room for another.", "fault_cleared": "The trouble was over.",
    "connection_lost": "The connection was lost.", "reported": "It reported {status}.",
    "charge_began": "Charge {id} began.", "charge_ended": "Charge {id} ended: {reason}.",
    "ordered_start": "Charge {id} was started remotely by {by}.",
    "ordered_stop": "Charge {id} was stopped remotely by {by}.", "ordered_reboot": "It was restarted by {by}.",
}  # fmt: skip


class Bar(msgspec.Struct, frozen=True):
    """A span. `x` and `width`: percent of the drawing. `label`: its word, where there is room."""

    what: str
    tone: str
    x: str
    width: str
    label: str
    roomy: bool
    """Its word fits on a phone too."""
    since: datetime
    until: datetime | None
    ended_by: str


class Tick(msgspec.Struct, frozen=True):
    x: str
    label: str


class Bars(msgspec.Struct, frozen=True):
    """`summary` says in words what the drawing shows."""

    connection: tuple[Bar, ...]
    operation: tuple[Bar, ...]
    ticks: tuple[Tick, ...]
    summary: str


def bars_of(timeline: Timeline, window: str) -> Bars:
    """`window` is one of WINDOWS."""
    lost = sum(span.what == DISCONNECTED for span in timeline.connection)
    charged = sum(span.what == ConnectorStatus.CHARGING for span in timeline.operation)
    times = {0: "never", 1: "once"}
    summary = (
        f"In the last {WINDOWS[window][0]} it was {times.get(lost, f'{lost} times')} disconnected and "
        f"{times.get(charged, f'{charged} times')} charging."
    )
    return Bars(
        tuple(_bar(span, timeline) for span in timeline.connection),
        tuple(_bar(span, timeline) for span in timeline.operation),
        tuple(_ticks(timeline, window)), summary,
    )  # fmt: skip


def _bar(span: Span, timeline: Timeline) -> Bar:
    x = _percent(span.since, timeline)
    width = max(0.15, _percent(span.until or timeline.now, timeline) - x)
    tone = _TONES.get(span.what, "busy")
    return Bar(
        what=span.what, tone=tone, x=f"{x:.2f}%", width=f"{width:.2f}%",
        label=span.what if width >= LABELLED_FROM and tone != "gap" else "", roomy=width >= ROOMY_FROM,
        since=span.since, until=span.until, ended_by=_words(span.ending),
    )  # fmt: skip


def _percent(at: datetime, timeline: Timeline) -> float:
    whole = (timeline.now - timeline.since).total_seconds()
    return min(100.0, max(0.0, (at - timeline.since).total_seconds() / whole * 100))


def _ticks(timeline: Timeline, window: str) -> Iterable[Tick]:
    """At whole hours or days of the local clock."""
    step, local = _STEP[window], timeline.now.astimezone()
    at = local.replace(minute=0, second=0, microsecond=0)
    at -= timedelta(hours=at.hour % 4 if window == "24h" else at.hour)
    while at > timeline.since:
        x = _percent(at, timeline)
        if 3 < x < 97:
            yield Tick(f"{x:.2f}%", f"{at:%H:%M}" if window == "24h" else f"{at.day} {at:%b}")
        at -= step


def _words(ending: Ending | None) -> str:
    if ending is None:
        return ""
    fields = {**ending.fields, "reason": ocpp_words.reason(ending.fields.get("reason", ""))}
    fields["by"] = ending.fields.get("by") or "somebody"
    known = _ENDINGS.get(ending.code)
    return known.format(**{"id": "", "status": "", **fields}) if known else wording.full(ending.code, ending.fields)
