"""Where files are brought to and fetched from, and what of an image has gone out. Start at `Offer`."""

from dataclasses import dataclass, field
from pathlib import Path

from sitelink.ids import TransferId

UPLOAD_PATH = "/files/up"
IMAGE_PATH = "/files/fw"


@dataclass(slots=True)
class Offer:
    """An image that one station may fetch. `spans` are the parts that went out, merged."""

    transfer: TransferId
    token: str
    path: Path
    name: str
    size: int
    sha256: str
    spans: list[tuple[int, int]] = field(default_factory=list)
    told_at: int = 0
    told_whole: bool = False

    @property
    def sent(self) -> int:
        return sum(end - start for start, end in self.spans)

    @property
    def whole(self) -> bool:
        return self.sent >= self.size

    def went_out(self, start: int, end: int) -> None:
        spans = sorted([*self.spans, (start, end)])
        merged = [spans[0]]
        for begin, finish in spans[1:]:
            last_begin, last_finish = merged[-1]
            if begin <= last_finish:
                merged[-1] = (last_begin, max(last_finish, finish))
            else:
                merged.append((begin, finish))
        self.spans = merged
