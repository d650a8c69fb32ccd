"""Several nodes of one cloud: that each is alive, which of them does what only one need do, and what one left behind.

Start at `beat` and `leads`.
"""

from collections.abc import Collection, Sequence
from datetime import datetime, timedelta

from cloud_relay.fleet.alert_records import Lease
from cloud_relay.fleet.ids import GatewayId
from cloud_relay.fleet.log_records import BoxLink
from cloud_relay.fleet.ports import Books
from cloud_relay.fleet.presence import note_back, note_lost

ALIVE_FOR = timedelta(minutes=3)
"""After its last beat. A node beats several times in that time."""
LEADS_FOR = timedelta(seconds=90)
KEPT_FOR = timedelta(days=1)


def beat(books: Books, node: str, now: datetime) -> None:
    """This node is alive, and its boxes are connected for as long as it is."""
    books.leases.put(Lease(f"node/{node}", node, now + ALIVE_FOR))


def leads(books: Books, what: str, node: str, now: datetime) -> bool:
    """Whether this node is the one that does `what`: it stays so while it asks often enough."""
    lease = books.leases.of(what)
    if lease is not None and lease.holder != node and lease.until > now:
        return False
    books.leases.put(Lease(what, node, now + LEADS_FOR))
    return True


def lost_links(books: Books, now: datetime) -> Sequence[tuple[BoxLink, datetime]]:
    """Links that a node holds which is no more, and when it last was: it could not say that they ended."""
    found: list[tuple[BoxLink, datetime]] = []
    for node in books.links.nodes():
        lease = books.leases.of(f"node/{node}")
        if lease is None or lease.until <= now:
            links = [link for link in books.links.of_node(node) if link.left_at is None]
            found += [(link, lease.until - ALIVE_FOR if lease is not None else link.seen_at or now) for link in links]
    return found


def wrongly_lost(books: Books, node: str, online: Collection[GatewayId]) -> Sequence[BoxLink]:
    """Links of this node that are there, and are said to have ended: it could not beat for a while."""
    return [link for link in books.links.of_node(node) if link.left_at is not None and link.gateway in online]


def put_right(
    books: Books, lost: Sequence[tuple[BoxLink, datetime]], back: Sequence[BoxLink], now: datetime
) -> None:  # fmt: skip
    """Those that changed meanwhile are left alone."""
    for link, at in lost:
        known = books.links.of(link.gateway)
        if known is not None and known.left_at is None and known.node == link.node:
            note_lost(books, known, at, now)
    for link in back:
        known = books.links.of(link.gateway)
        if known is not None and known.left_at is not None and known.node == link.node:
            note_back(books, known, now)


def forget(books: Books, now: datetime) -> None:
    """Nodes that are long gone."""
    books.leases.forget_before(now - KEPT_FOR)
