"""Sites in a running cloud as boxes have told them, for pages and pictures of the console. Start at `box_of`."""

import uuid
from dataclasses import dataclass, field
from datetime import datetime, timedelta
from typing import Any

import msgspec

from cloud_relay.fleet.ids import GatewayId
from cloud_relay.fleet.log_records import BoxLink, Place
from cloud_relay.fleet.ports import Books
from cloud_relay.fleet.sites import add_gateway, add_site
from programs.clock import SystemClock
from sitelink import events as e
from sitelink.ops import Op, encode_op
from sitelink.wire import messages as m
from sitelink.wire.codec import crc_of_ops
from tests.cloud_relay.made import op
from tests.doubles.console import ACT, Console
from tests.doubles.sites import MadeSite


def hours_ago(hours: float) -> datetime:
    """By the clock a running cloud has."""
    return SystemClock().now() - timedelta(hours=hours)


@dataclass
class Box:
    """A gateway that is enrolled. It is online once `come` was called; orders stay in `heard` and are answered with
    `answer` at once.
    """

    console: Console
    place: Place
    id: GatewayId
    sent: dict[str, int] = field(default_factory=dict)
    heard: list[Any] = field(default_factory=list)
    code: str | None = None

    def come(self) -> None:
        self.console.cloud.gateways.came(self.id, self.place.site, self)

    def go(self) -> None:
        self.console.cloud.gateways.went(self.id, self)

    async def tell_news(self) -> None:
        """Something nobody looks at, so that who follows the site looks again."""
        await self.tell(op(f"station:{uuid.uuid4().hex}", e.StationHeard()))

    async def tell(self, *ops: Op, channel: str = "log") -> None:
        """Bring ops, and see that they are taken."""
        raw = tuple(msgspec.Raw(encode_op(each)) for each in ops)
        first = self.sent.get(channel, 0) + 1
        batch = m.Batch(stream="s1", first=first, ops=raw, crc=crc_of_ops(raw), channel=channel)
        taken = await self.console.cloud.gateways.take(self.place, self.id, batch)
        assert taken.ack is not None, taken.nack
        self.sent[channel] = first + len(ops) - 1

    async def tell_site(self, site: MadeSite) -> None:
        """All that was recorded of a made-up site: what is telemetry as such."""
        values = [op for op in site.ops if op.kind == "meter.values"]
        await self.tell(*(op for op in site.ops if op not in values))
        if values:
            await self.tell(*values, channel="live")

    # ---- see `fleet.gateways.Wire` ----

    def news(self, end: int) -> None:
        self.heard.append(end)

    def order(self, cmd: m.Cmd) -> None:
        self.heard.append(cmd)
        self.console.cloud.gateways.answered(m.CmdAck(cmd.command, code=self.code))

    def end(self, code: str) -> None:
        self.heard.append(code)


async def box_of(console: Console, team: str = "Acme", site: str = "Harbour Garage", name: str = "GW-7F3A") -> Box:
    """A new site with one box that has its key and connected once."""
    owner = await console.team(team)

    def work(books: Books) -> tuple[Place, GatewayId]:
        made = add_site(books, ACT, owner.id, site, "Quay Street 14")
        gateway, _ = add_gateway(books, ACT, made, name)
        books.sites.put_gateway(msgspec.structs.replace(gateway, device_key=uuid.uuid4().hex, enrolled_at=ACT.at))
        link = BoxLink(
            gateway.id, made.id, owner.id, stream="s1", software="1.4.0", connected_at=ACT.at, seen_at=ACT.at
        )
        books.links.put(link)
        return Place(owner.id, owner.name, made.id), gateway.id

    return Box(console, *await console.cloud.store.write(work))
