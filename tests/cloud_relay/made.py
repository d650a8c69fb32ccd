"""Teams, sites and boxes for tests of the cloud. Start at `site`."""

import uuid
from datetime import UTC, datetime
from typing import Any

import msgspec

from cloud_relay.fleet.acts import SYSTEM, Act
from cloud_relay.fleet.ids import GatewayId
from cloud_relay.fleet.log_records import Place
from cloud_relay.fleet.ports import Books, Store
from cloud_relay.fleet.registration import EPOCH
from cloud_relay.fleet.site_desk import SiteDesk, open_desk
from cloud_relay.fleet.sites import add_gateway, add_site
from cloud_relay.fleet.teams import add_team
from sitelink import events as e
from sitelink.ids import ChargePointId, JobId, OpId
from sitelink.ops import BOX, Author, Op, Stamp, encode_op
from sitelink.states import AuthorType
from sitelink.wire import messages as m
from sitelink.wire.codec import crc_of_ops

NOW = datetime(2026, 11, 26, 9, 30, tzinfo=UTC)
ACT = Act(SYSTEM, NOW)
OPERATOR = Author(type=AuthorType.OPERATOR, name="Desk")


def new_id() -> str:
    return str(uuid.uuid4())


def site(store: Store, team: str = "Acme") -> tuple[Place, GatewayId]:
    """A team with a site, and a gateway on it that has a key."""

    def work(books: Books) -> tuple[Place, GatewayId]:
        if books.secrets.get(EPOCH) is None:
            books.secrets.put(EPOCH, "epoch-1")
        made = add_team(books, ACT, team)
        place = add_site(books, ACT, made.id, f"Site of {team}")
        gateway, _ = add_gateway(books, ACT, place, "Box")
        books.sites.put_gateway(msgspec.structs.replace(gateway, device_key="key", enrolled_at=NOW))
        return Place(made.id, made.name, place.id), gateway.id

    return store.write_now(work)


def at(store: Store, place: Place, work: Any, gateway: GatewayId | None = None) -> Any:
    """`work` on the site's desk, in one transaction."""

    def whole(books: Books) -> Any:
        desk: SiteDesk = open_desk(books, place, gateway, None, NOW, new_id)
        result = work(desk)
        desk.flush()
        return result

    return store.write_now(whole)


def op(
    entity: str, event: e.Event, *, job: str | None = None, field: str | None = None, bases: tuple[OpId, ...] = (),
    op_id: str = "", prev: str | None = None, author: Author = BOX,
) -> Op:  # fmt: skip
    return Op(
        op_id=OpId(op_id or new_id()), entity=entity, event=event, author=author, prev=OpId(prev) if prev else None,
        t=Stamp("b", 1, NOW), job=JobId(job) if job else None, field=field, bases=bases,
    )  # fmt: skip


def imported(*identities: str, job: str = "j1") -> Op:
    rows = tuple(
        e.ChargePointListed(id=ChargePointId(f"{job}-{n}"), name=f"Bay {n}", identity=identity)
        for n, identity in enumerate(identities, 1)
    )
    event = e.JobImported(number=job, site_name="Harbour", charge_points=rows, test_token="T")
    return op(f"job:{job}", event, job=job, author=OPERATOR)


def batch(*ops: Op, first: int = 1, stream: str = "s1", channel: str = "log") -> m.Batch:
    raw = tuple(msgspec.Raw(encode_op(each)) for each in ops)
    return m.Batch(stream=stream, first=first, ops=raw, crc=crc_of_ops(raw), channel=channel)
