"""Whether boxes are there, as the books know it: since when each is offline, told once for each time it changes.

`Gateways.online` knows it of this node and this moment; this is what all nodes agree on. Start at `note_came` and
`leave`.
"""

from datetime import datetime
from typing import Any

import msgspec

from cloud_relay.fleet.log_records import BoxLink, Enrolled
from cloud_relay.fleet.outbox import tell
from cloud_relay.fleet.ports import Books
from cloud_relay.fleet.webhook_records import Happening


def note_came(books: Books, before: BoxLink, after: BoxLink, now: datetime) -> None:
    """A box is connected that was not; or it was, and is stopped."""
    was, is_ = (link.connected_at is not None and link.left_at is None for link in (before, after))
    if was != is_:
        _tell(books, after, "gateway.online" if is_ else "gateway.offline", now)


def leave(books: Books, link: BoxLink, now: datetime) -> None:
    """Its link ended."""
    books.links.put(msgspec.structs.replace(link, seen_at=now, left_at=now))
    if link.left_at is None:
        _tell(books, link, "gateway.offline", now)


def _tell(books: Books, link: BoxLink, kind: str, now: datetime) -> None:
    enrolled = books.links.enrolled(link.gateway)
    if enrolled is not None:
        what = Happening(kind, f"{link.gateway}/{kind}/{now.isoformat()}", now, _data(enrolled, link))
        tell(books, books.webhooks.listening(link.team), (what,), site=link.site, now=now)


def _data(enrolled: Enrolled, link: BoxLink) -> dict[str, Any]:
    return {"gateway": {"id": enrolled.gateway, "name": enrolled.name, "software": link.software}}


def note_lost(books: Books, link: BoxLink, at: datetime, now: datetime) -> None:
    """The node that held its link is no more since `at`, and the box came to no other."""
    books.links.put(msgspec.structs.replace(link, left_at=at))
    _tell(books, link, "gateway.offline", now)


def note_back(books: Books, link: BoxLink, now: datetime) -> None:
    """It was said to be gone, and is not."""
    books.links.put(msgspec.structs.replace(link, left_at=None))
    _tell(books, link, "gateway.online", now)
