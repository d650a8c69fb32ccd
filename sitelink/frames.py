"""The last frames of a charge point as they are looked at: read, paired with their answers, filtered. Pure.

Every frame is masked before anything else looks at it, so that no filter can find out what is hidden. Start at
`frames_of` and `Filter`.
"""

from collections.abc import Iterable, Sequence
from datetime import datetime
from enum import StrEnum
from typing import Any, NamedTuple

import msgspec

from sitelink.frame_secrets import CALL, ERROR, RESULT, RESULT_ERROR, SEND, head_of, masked
from sitelink.redact import mask_text

NAME_MAX_CHARACTERS = 64


class Direction(StrEnum):
    """As the box sees it."""

    IN = "in"
    OUT = "out"


class FrameType(StrEnum):
    """OCPP-J's message types; `unreadable` is none of them."""

    CALL = "call"
    RESULT = "result"
    ERROR = "error"
    RESULT_ERROR = "result_error"
    SEND = "send"
    UNREADABLE = "unreadable"


_TYPES = {
    CALL: FrameType.CALL, RESULT: FrameType.RESULT, ERROR: FrameType.ERROR, RESULT_ERROR: FrameType.RESULT_ERROR,
    SEND: FrameType.SEND,
}  # fmt: skip
_ANSWERS = frozenset({FrameType.RESULT, FrameType.ERROR, FrameType.RESULT_ERROR})


class Kept(NamedTuple):
    """A frame as it was kept; `whole` False: only its beginning."""

    number: int
    at: datetime
    direction: str
    text: str
    whole: bool


class Frame(msgspec.Struct, frozen=True, kw_only=True):
    """`number` counts a charge point's frames since the box started. `frame` is masked; a text where it is no JSON.

    `action` of an answer is that of the call it answers, `duration_ms` the time since that call; None where the call
    is no longer kept. `error`: it is one, or nothing can be made of it. `cut`: it was too long to keep all of it.
    """

    number: int
    at: datetime
    direction: Direction
    type: FrameType
    message_id: str | None
    action: str | None
    duration_ms: int | None
    error: bool
    cut: bool
    frame: Any


class Filter(msgspec.Struct, frozen=True, kw_only=True):
    """Everything that is given must fit. `action` and `text` in any case; `since` a time, `after` a frame's number."""

    direction: Direction | None = None
    action: str = ""
    message_id: str = ""
    errors: bool = False
    text: str = ""
    since: datetime | None = None
    after: int | None = None
    limit: int = 200

    def takes(self, frame: Frame) -> bool:
        return (
            (self.direction is None or frame.direction is self.direction)
            and (not self.action or (frame.action or "").casefold() == self.action.casefold())
            and (not self.message_id or frame.message_id == self.message_id)
            and (not self.errors or frame.error)
            and (self.since is None or frame.at >= self.since)
            and (self.after is None or frame.number > self.after)
            and (not self.text or self.text.casefold() in text_of(frame).casefold())
        )

    def of(self, frames: Iterable[Frame]) -> list[Frame]:
        """The newest that fit, oldest of them first."""
        found = [frame for frame in frames if self.takes(frame)]
        return found[-self.limit :] if self.limit else []


def text_of(frame: Frame) -> str:
    """The masked frame in one line."""
    return frame.frame if isinstance(frame.frame, str) else msgspec.json.encode(frame.frame).decode()


def frames_of(kept: Iterable[Kept], known: Iterable[Frame] = ()) -> Sequence[Frame]:
    """In the order they were kept. Those in `known`, by their number, were read before and are taken as they are."""
    before = {frame.number: frame for frame in known}
    calls: dict[tuple[str, str], Frame] = {}
    frames = []
    for each in kept:
        frame = before.get(each.number) or _frame(each, calls)
        if frame.type is FrameType.CALL and frame.message_id is not None:
            calls[each.direction, frame.message_id] = frame
        frames.append(frame)
    return frames


def _frame(kept: Kept, calls: dict[tuple[str, str], Frame]) -> Frame:
    content = masked(kept.text, kept.whole)
    type_, message_id, action = _envelope(content, kept.text)
    call = None
    if type_ in _ANSWERS and message_id is not None:
        call = calls.get((_other(kept.direction), message_id))
    took = (kept.at - call.at).total_seconds() if call else -1.0
    broken = kept.whole and isinstance(content, str)
    return Frame(
        number=kept.number, at=kept.at, direction=Direction(kept.direction), type=type_, message_id=message_id,
        action=call.action if call else action, duration_ms=round(took * 1000) if took >= 0 else None,
        error=broken or type_ in (FrameType.ERROR, FrameType.RESULT_ERROR, FrameType.UNREADABLE),
        cut=not kept.whole, frame=content,
    )  # fmt: skip


def _envelope(content: Any, text: str) -> tuple[FrameType, str | None, str | None]:
    """Type, message id and action."""
    if isinstance(content, list):
        kind = content[0] if content and isinstance(content[0], int) and not isinstance(content[0], bool) else None
        type_ = _TYPES.get(kind, FrameType.UNREADABLE) if kind is not None else FrameType.UNREADABLE
        action = content[2] if type_ in (FrameType.CALL, FrameType.SEND) and len(content) > 2 else None
        return type_, _name(content[1] if len(content) > 1 else None), _name(action)
    head = head_of(text) if isinstance(content, str) else None
    if head is None:
        return FrameType.UNREADABLE, None, None
    return _TYPES.get(head[0], FrameType.UNREADABLE), _name(head[1]), _name(head[2])


def _name(value: Any) -> str | None:
    return mask_text(value)[:NAME_MAX_CHARACTERS] if isinstance(value, str) else None


def _other(direction: str) -> str:
    return Direction.OUT.value if direction == Direction.IN else Direction.IN.value
