"""Two real sessions on a wire in memory, with stores that are lists. Start at `Pair`."""

from collections import deque
from collections.abc import Iterable

import msgspec

from sitelink.wire import effects as f
from sitelink.wire import messages as m
from sitelink.wire.box import About, BoxSession, Standing
from sitelink.wire.cloud import CloudSession, Registered, Taken
from sitelink.wire.codec import decode, encode
from tests.sitelink.builders import WHEN


def body(number: int) -> bytes:
    return msgspec.json.encode({"op_id": f"o{number}", "kind": "x"})


class Pair:
    """`ops`: seq and body at the box. `log`: what the cloud sends down. `taken`: what it stored, in order."""

    def __init__(self, ops: int = 0, *, log: int = 0, mode: str = "resume", allowed: m.Credits | None = None) -> None:
        self.ops = [(seq, body(seq)) for seq in range(1, ops + 1)]
        self.log = [m.FeedItem(place, msgspec.Raw(body(1000 + place))) for place in range(1, log + 1)]
        self.mode = mode
        self.taken: list[bytes] = []
        self.acked: list[int] = []
        self.fed: list[int] = []
        self.snapshots: list[f.TakeSnapshot] = []
        self.digests: list[str] = []
        self.nacks: deque[m.Nack] = deque()
        self.up: deque[bytes] = deque()
        self.down: deque[bytes] = deque()
        self.frames: list[tuple[str, bytes]] = []
        self.closed: dict[str, str] = {}
        self.same = True
        standing = Standing("e", 0, 0, 0, (), m.Pending(log=ops), None)
        self.box = BoxSession(About("g", "stream", "1"), standing, lambda _signed: "signature")
        self.cloud = CloudSession("nonce", allowed)
        self.cloud_does(self.cloud.opened())

    def run(self, steps: int = 10_000) -> "Pair":
        """Deliver what is on its way, by turns, until there is nothing."""
        for _ in range(steps):
            if self.down and "box" not in self.closed:
                self.box_does(self.box.receive(self._read(self.down.popleft())))
            elif self.up and "cloud" not in self.closed:
                self.cloud_does(self.cloud.receive(self._read(self.up.popleft())))
            else:
                return self
        raise AssertionError("never quiet")

    def _read(self, frame: bytes) -> m.AnyMessage:
        found = decode(frame)
        assert found is not None
        return found

    def box_does(self, effects: Iterable[f.Effect]) -> None:
        todo = deque(effects)
        while todo:
            effect = todo.popleft()
            if isinstance(effect, f.Send):
                self.up.append(encode(effect.message))
                self.frames.append((">", encode(effect.message)))
            elif isinstance(effect, f.Close):
                self.closed["box"] = effect.code
            elif isinstance(effect, f.Load):
                rows = [each for each in self.ops if each[0] > effect.after] if effect.channel == "log" else []
                some = rows[: effect.ops]
                upto = some[-1][0] if some else effect.after
                todo.extend(self.box.loaded(effect, some, upto=upto, more=len(rows) > len(some)))
            elif isinstance(effect, f.Acked):
                self.acked.append(effect.stretches[-1][1])
            elif isinstance(effect, f.TakeFeed):
                self.fed += [item.place for item in effect.items]
                todo.extend(self.box.feed_taken(effect.items[-1].place))
            elif isinstance(effect, f.TakeSnapshot):
                self.snapshots.append(effect)
                todo.extend(self.box.snapshot_taken())
            elif isinstance(effect, f.MakeDigest):
                todo.extend(self.box.digest_made("digest"))
            elif isinstance(effect, f.MakeNow):
                todo.extend(self.box.now_made(()))

    def cloud_does(self, effects: Iterable[f.Effect]) -> None:
        todo = deque(effects)
        while todo:
            effect = todo.popleft()
            if isinstance(effect, f.Send):
                self.down.append(encode(effect.message))
                self.frames.append(("<", encode(effect.message)))
            elif isinstance(effect, f.Close):
                self.closed["cloud"] = effect.code
            elif isinstance(effect, f.Register):
                known = Registered("x", "e", self.mode, len(self.log), WHEN, team="Acme", site="Harbour")
                todo.extend(self.cloud.registered(known))
            elif isinstance(effect, f.Take):
                todo.extend(self.cloud.taken(self._take(effect.batch)))
            elif isinstance(effect, f.LoadFeed):
                todo.extend(self.cloud.feed_loaded(self.log[effect.after : effect.after + effect.items]))
            elif isinstance(effect, f.LoadSnapshot):
                records = [(f"setting:{n}", msgspec.json.encode({"id": "x" * 200_000})) for n in range(3)]
                todo.extend(self.cloud.snapshot_loaded("snap", len(self.log), records))
            elif isinstance(effect, f.Compare):
                self.digests.append(effect.sha256)
                todo.extend(self.cloud.compared(same=self.same))

    def _take(self, batch: m.Batch) -> Taken:
        if self.nacks:
            return Taken(nack=self.nacks.popleft())
        if batch.first > len(self.taken) + 1:
            return Taken(nack=m.Nack("gap", upto=len(self.taken)))
        self.taken += [bytes(op) for op in batch.ops[len(self.taken) + 1 - batch.first :]]
        return Taken(ack=m.Ack(upto=len(self.taken)))
