"""Who comes with a Hello: whether it is who it says, and that its stream is the only one from here on.

Runs in one transaction. A disk that was restored is noticed and served; two boxes that take turns under one name are
stopped until somebody chooses (SYNC §2.8). Start at `register`.
"""

from collections.abc import Callable
from datetime import datetime, timedelta

import msgspec

from cloud_relay.fleet.ids import GatewayId
from cloud_relay.fleet.log_records import BoxLink, Enrolled
from cloud_relay.fleet.ports import Books
from cloud_relay.fleet.presence import note_came
from sitelink.wire import messages as m
from sitelink.wire.cloud import Registered

EPOCH = "cloud_epoch"
FENCES_IN = timedelta(minutes=10)
FENCES_MAX = 3
BOOTS_KEPT = 8
FAR_BEHIND = 5000
"""Places of the log; from there on all records take less than all that led to them."""
QUARANTINED_FOR_MS = 15 * 60_000
REPLACED_FOR_MS = 60 * 60_000
LATE_FOR = timedelta(hours=1)
"""From when a replaced box comes for the first time: a month of a busy site takes minutes."""
Verify = Callable[[str, bytes, str], bool]
"""(device key, what was signed, signature) → whether it is good."""


class Refused(msgspec.Struct, frozen=True):
    """A code of `messages.Bye`."""

    code: str
    after_ms: int = 0


class Welcomed(msgspec.Struct, frozen=True):
    registered: Registered
    link: BoxLink
    enrolled: Enrolled


def register(
    books: Books, hello: m.Hello, nonce: str, *, verify: Verify, node: str, session: str, now: datetime
) -> Welcomed | Refused:
    """Make the stream of `hello` the only one of its gateway, or say why not."""
    enrolled = books.links.enrolled(GatewayId(hello.gateway))
    refused = _refusal(enrolled, hello, nonce, verify)
    if refused is not None or enrolled is None:
        return refused or Refused("unknown_gateway")
    known = books.links.of(enrolled.gateway) or BoxLink(enrolled.gateway, enrolled.site, enrolled.team)
    boot = hello.clock.boot if hello.clock is not None else ""
    if known.quarantined_at is not None or boot in known.barred:
        return Refused("quarantined", QUARANTINED_FOR_MS)
    if enrolled.replaced_by is not None:
        known = msgspec.structs.replace(known, late_since=known.late_since or now)
        if is_over(known, now) or not hello.pending.log:
            books.links.put(known)
            return Refused("replaced", REPLACED_FOR_MS)
    link = _taken_over(books, known, hello, node, now)
    epoch, end = epoch_of(books), books.logs.end(enrolled.site)
    mode = _mode(hello, epoch, end)
    if mode == "resume":  # what it has, it knows best: it may have come as a snapshot, or be gone with a backup
        link = msgspec.structs.replace(link, cursor=hello.cursor)
    books.links.put(link)
    note_came(books, known, link, now)
    if link.quarantined_at is not None:
        return Refused("quarantined", QUARANTINED_FOR_MS)
    registered = Registered(
        session=session, epoch=epoch, mode=mode, end=end, now=now, kept=books.logs.kept(enrolled.site),
        whole_log=hello.epoch is None and end <= FAR_BEHIND,
        team=enrolled.team_name, site=enrolled.site_name,
    )  # fmt: skip
    return Welcomed(registered, link, enrolled)


def is_over(link: BoxLink, now: datetime) -> bool:
    """A box that was replaced has had its time to hand over what it had (SYNC §2.8)."""
    return link.late_since is not None and now - link.late_since > LATE_FOR


def begin_epoch(books: Books, epoch: str) -> None:
    """The books were restored: every box is to offer what it still has."""
    books.secrets.put(EPOCH, epoch)
    books.logs.keep_ends()


def epoch_of(books: Books) -> str:
    """Another one after every restore of the books."""
    return books.secrets.get(EPOCH) or ""


def _refusal(enrolled: Enrolled | None, hello: m.Hello, nonce: str, verify: Verify) -> Refused | None:
    """The same for a gateway that is not there and a signature that is not good: nobody learns which ids there are."""
    signed = m.to_sign(nonce, hello.gateway, hello.stream)
    if enrolled is None or enrolled.device_key is None or not verify(enrolled.device_key, signed, hello.signature):
        return Refused("unknown_gateway")
    if enrolled.revoked_at is not None and enrolled.replaced_by is None:
        return Refused("revoked")
    return None


def _mode(hello: m.Hello, epoch: str, end: int) -> str:
    if hello.epoch is not None and hello.epoch != epoch:
        return "reoffer"
    if hello.epoch is None or hello.cursor > end or end - hello.cursor > FAR_BEHIND:
        return "snapshot"
    return "resume"


def _taken_over(books: Books, known: BoxLink, hello: m.Hello, node: str, now: datetime) -> BoxLink:
    boot = hello.clock.boot if hello.clock is not None else ""
    boots, fences = known.boots, tuple(at for at in known.fences if now - at < FENCES_IN)
    if not boots or boots[-1] != boot:
        if boot in boots:
            fences = (*fences, now)
        boots = (*boots, boot)[-BOOTS_KEPT:]
    copied = len(fences) > FENCES_MAX
    alarm = "copied" if copied else known.alarm or _restored(books, known, hello)
    return msgspec.structs.replace(
        known, stream=None if copied else hello.stream, taken=0, node=node, software=hello.software[:64],
        connected_at=now, seen_at=now, left_at=now if copied else None, boots=boots, fences=fences, alarm=alarm,
        quarantined_at=now if copied else None,
    )  # fmt: skip


def _restored(books: Books, known: BoxLink, hello: m.Hello) -> str | None:
    """Its last op is here, and is not its last one here: what came after is gone from its disk."""
    if hello.tip is None or hello.tip == known.tip:
        return None
    return "restored" if books.logs.known(known.site, [hello.tip]) else None
