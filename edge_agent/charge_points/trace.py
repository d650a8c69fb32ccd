"""The last frames of a station, for a person who looks for what went wrong. Secrets are masked when they are shown.

Frames are kept as they came, so that broken JSON can be seen too, within a bound of count and size for each station.
Adding one is on the way of every message and does as little as it can; reading is in `sitelink.frames`. No I/O.
Start at `Trace`.
"""

from collections.abc import Iterable, Sequence
from datetime import datetime

from sitelink.frames import Frame, Kept, frames_of

FRAMES_MAX = 200
FRAME_CHARACTERS_MAX = 8 * 1024
CHARACTERS_MAX = 64 * 1024


class Trace:
    """A ring of frames. `newest` is the number of the last one, the first is 1."""

    __slots__ = ("_characters", "_frames", "newest")

    def __init__(self) -> None:
        self.newest = 0
        self._frames: list[tuple[datetime, str, str | bytes, bool]] = []
        """A list and no deque, which takes half a KiB for its first frame."""
        self._characters = 0

    def add(self, at: datetime, direction: str, frame: str | bytes) -> None:
        """direction: in, out."""
        size = len(frame)
        whole = size <= FRAME_CHARACTERS_MAX
        if not whole:
            frame, size = frame[:FRAME_CHARACTERS_MAX], FRAME_CHARACTERS_MAX
        self._frames.append((at, direction, frame, whole))
        self.newest += 1
        self._characters += size
        while len(self._frames) > FRAMES_MAX or self._characters > CHARACTERS_MAX:
            self._characters -= len(self._frames.pop(0)[2])

    def shown(self, known: Iterable[Frame] = ()) -> Sequence[Frame]:
        """Oldest first. What was shown before of this trace and is given as `known` is not masked anew."""
        first = self.newest - len(self._frames) + 1
        return frames_of(
            (
                Kept(
                    first + place, at, way, frame if isinstance(frame, str) else frame.decode("utf-8", "replace"), whole
                )
                for place, (at, way, frame, whole) in enumerate(self._frames)
            ),
            known,
        )
