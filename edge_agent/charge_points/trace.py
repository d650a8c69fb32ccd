"""The last frames of a station, for a person who looks for what went wrong. Secrets are masked when they are shown.

Frames are kept as they came, so that broken JSON can be seen too, within a bound of count and size for each station.
No I/O. Start at `Trace`.
"""

import json
import re
from collections import deque
from datetime import datetime
from typing import Any

from sitelink.redact import MASK, mask_text, redact

FRAMES_MAX = 200
FRAME_CHARACTERS_MAX = 8 * 1024
CHARACTERS_MAX = 64 * 1024
_SECRETS = re.compile(r"authorizationkey|password|passphrase|secret", re.IGNORECASE)
_ID_TOKEN = re.compile(r'("?(?:idTag|parentIdTag|idToken|id_tag)"?\s*:\s*"?)[^",}\]]*', re.IGNORECASE)


class Trace:
    """A ring of frames."""

    def __init__(self) -> None:
        self._frames: deque[tuple[datetime, str, str | bytes, bool]] = deque()
        self._characters = 0

    def add(self, at: datetime, direction: str, frame: str | bytes) -> None:
        """direction: in, out."""
        size = len(frame)
        whole = size <= FRAME_CHARACTERS_MAX
        if not whole:
            frame, size = frame[:FRAME_CHARACTERS_MAX], FRAME_CHARACTERS_MAX
        self._frames.append((at, direction, frame, whole))
        self._characters += size
        while len(self._frames) > FRAMES_MAX or self._characters > CHARACTERS_MAX:
            self._characters -= len(self._frames.popleft()[2])

    def shown(self) -> list[dict[str, Any]]:
        """Oldest first: {"at", "direction", "frame"}; a frame that is no JSON is shown as its masked text."""
        return [{"at": at, "direction": way, "frame": _shown(frame, whole)} for at, way, frame, whole in self._frames]


def _shown(frame: str | bytes, whole: bool) -> Any:
    text = frame if isinstance(frame, str) else frame.decode("utf-8", "replace")
    if whole:
        try:
            return redact(json.loads(text))
        except (ValueError, RecursionError):
            pass
    if _SECRETS.search(text):
        return f"{MASK} ({len(text)} characters that are no JSON and name a secret)"
    return mask_text(_ID_TOKEN.sub(rf"\1{MASK}", text))
