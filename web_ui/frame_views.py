"""The frames of a charge point as they are shown, filtered by what stands in an address, and exported. Pure.

The same filter serves the page, the admin API and both files. Start at `filter_of` and `frames_view`.
"""

import csv
import io
import json
from collections.abc import Mapping, Sequence
from datetime import datetime
from urllib.parse import urlencode

import msgspec

from sitelink.errors import RequestInvalid
from sitelink.frames import Direction, Filter, Frame, FrameType, text_of
from web_ui.report import formula_safe

FRAMES_MAX = 1000
PAGE_FRAMES = 50
QUERY = ("direction", "action", "message_id", "errors", "text", "since", "after", "limit")
"""What may stand in the address."""
TEXT_MAX_CHARACTERS = 200
PRETTY_MAX_CHARACTERS = 16 * 1024

_COLUMNS = ("number", "at", "direction", "type", "message_id", "action", "duration_ms", "error", "frame")
_TYPE_WORDS = {
    FrameType.CALL: "Call", FrameType.RESULT: "Answer", FrameType.ERROR: "Error",
    FrameType.RESULT_ERROR: "Answer rejected", FrameType.SEND: "Message", FrameType.UNREADABLE: "Unreadable",
}  # fmt: skip


class FrameView(msgspec.Struct, frozen=True, kw_only=True):
    """`time` with milliseconds, in the box's zone; `took` how long the answer took; `pretty` the frame, indented."""

    number: int
    at: datetime
    time: str
    direction: Direction
    type_text: str
    action: str
    took: str
    error: bool
    cut: bool
    message_id: str
    pretty: str


class FramesView(msgspec.Struct, frozen=True, kw_only=True):
    """`frames` newest first; `kept` is how many there are without a filter, `query` the filter as an address has it."""

    frames: tuple[FrameView, ...]
    kept: int
    actions: tuple[str, ...]
    filter: Filter
    query: str

    @property
    def narrowed(self) -> bool:
        return bool(self.query)


def filter_of(query: Mapping[str, str], *, limit: int = 200) -> Filter:
    """The filter of an address. An empty field is none. Raises RequestInvalid naming the field."""
    direction = query.get("direction", "")
    if direction not in ("", *Direction):
        raise RequestInvalid(where="direction", problem="not_allowed", allowed="in, out")
    errors = query.get("errors", "")
    if errors not in ("", "0", "1", "true", "false"):
        raise RequestInvalid(where="errors", problem="not_allowed", allowed="true, false")
    return Filter(
        direction=Direction(direction) if direction else None, action=_text(query, "action"),
        message_id=_text(query, "message_id"), errors=errors in ("1", "true"), text=_text(query, "text"),
        since=_moment(query), after=_number(query, "after", 0, 10**15),
        limit=limit if (given := _number(query, "limit", 1, FRAMES_MAX)) is None else given,
    )  # fmt: skip


def query_of(filter_: Filter) -> str:
    """As an address has it; "" where nothing is filtered. Without `after` and `limit`."""
    parts = {
        "direction": filter_.direction.value if filter_.direction else "", "action": filter_.action,
        "message_id": filter_.message_id, "errors": "true" if filter_.errors else "", "text": filter_.text,
        "since": filter_.since.isoformat() if filter_.since else "",
    }  # fmt: skip
    return urlencode({key: value for key, value in parts.items() if value})


def frames_view(frames: Sequence[Frame], filter_: Filter) -> FramesView:
    """A page of them."""
    return FramesView(
        frames=tuple(_frame_view(frame) for frame in reversed(filter_.of(frames))), kept=len(frames),
        actions=tuple(sorted({frame.action for frame in frames if frame.action})), filter=filter_,
        query=query_of(filter_),
    )  # fmt: skip


def json_lines(frames: Sequence[Frame]) -> bytes:
    """One frame a line, oldest first."""
    return b"".join(msgspec.json.encode(frame) + b"\n" for frame in frames)


def csv_of(frames: Sequence[Frame]) -> str:
    """One frame a line, every value quoted, nothing that a spreadsheet would run; lines end in CRLF."""
    out = io.StringIO()
    writer = csv.writer(out, quoting=csv.QUOTE_ALL)
    writer.writerow(_COLUMNS)
    for frame in frames:
        values = msgspec.to_builtins(frame)
        cells = [text_of(frame) if name == "frame" else values[name] for name in _COLUMNS]
        writer.writerow(["" if cell is None else formula_safe(str(cell)) for cell in cells])
    return out.getvalue()


def _frame_view(frame: Frame) -> FrameView:
    local = frame.at.astimezone()
    return FrameView(
        number=frame.number, at=frame.at, time=f"{local:%H:%M:%S}.{local.microsecond // 1000:03d}",
        direction=frame.direction, type_text=_type_text(frame), action=frame.action or "",
        took=_took(frame.duration_ms), error=frame.error, cut=frame.cut, message_id=frame.message_id or "",
        pretty=_pretty(frame),
    )  # fmt: skip


def _type_text(frame: Frame) -> str:
    said = _TYPE_WORDS[frame.type]
    broken = isinstance(frame.frame, str) and not frame.cut and frame.type is not FrameType.UNREADABLE
    return f"{said}, unreadable" if broken else said


def _took(duration_ms: int | None) -> str:
    if duration_ms is None:
        return ""
    return f"{duration_ms} ms" if duration_ms < 1000 else f"{duration_ms / 1000:.1f} s"


def _pretty(frame: Frame) -> str:
    text = frame.frame if isinstance(frame.frame, str) else json.dumps(frame.frame, indent=2, ensure_ascii=False)
    return text[:PRETTY_MAX_CHARACTERS]


def _text(query: Mapping[str, str], name: str) -> str:
    return query.get(name, "").strip()[:TEXT_MAX_CHARACTERS]


def _number(query: Mapping[str, str], name: str, least: int, most: int) -> int | None:
    text = query.get(name, "").strip()
    if not text:
        return None
    if not (text.isascii() and text.isdecimal() and len(text) <= 16 and least <= int(text) <= most):
        raise RequestInvalid(where=name, problem="not_allowed", allowed=f"{least} to {most}")
    return int(text)


def _moment(query: Mapping[str, str]) -> datetime | None:
    text = query.get("since", "").strip().replace(" ", "+")
    if not text:
        return None
    try:
        moment = datetime.fromisoformat(text)
    except ValueError:
        moment = None
    if moment is None or moment.tzinfo is None:
        raise RequestInvalid(where="since", problem="not_a_time", allowed="a time with its zone, 2026-11-25T10:00:00Z")
    return moment
