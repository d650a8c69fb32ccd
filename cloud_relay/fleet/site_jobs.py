"""The jobs of one site for whoever holds a link: `web_ui.ports.Jobs`, so that the page is the same as on the box.

What is changed goes into the site's log and from there to the box; what is to happen at a charge point goes to the box
now or not at all. Start at `SiteJobs`.
"""

from collections.abc import AsyncIterator, Mapping, Sequence
from datetime import UTC, datetime
from pathlib import Path
from typing import Any

from cloud_relay.fleet.gateways import Gateways
from cloud_relay.fleet.ids import new_id
from cloud_relay.fleet.log_records import BoxLink, Held, Place
from cloud_relay.fleet.news import News, SiteNews
from cloud_relay.fleet.site_view import snapshot_of, sync_of
from sitelink import job_rules as rules
from sitelink import meter_rules
from sitelink.decisions import Decide
from sitelink.errors import GatewayOffline, MeterNotRead, NotFound, TransferUnavailable, error_of
from sitelink.events import MeterListed, WiringProved
from sitelink.ids import ChargePointId, CommandId, JobId, LinkId, OpId, TransferId
from sitelink.meter_values import Grade, Moment
from sitelink.model import Command, Link, Transfer
from sitelink.ops import Author
from sitelink.record import record_of
from sitelink.states import ActionName, AuthorType, LinkRole, TransferKind
from web_ui.ports import Snapshot, Stale
from web_ui.security import token_sha256


class SiteJobs:
    """As of the moment it was made; what is changed through it, it shows."""

    def __init__(
        self, place: Place, held: Held, links: Sequence[BoxLink], gateways: Gateways, news: News, now: datetime
    ) -> None:
        self._place = place
        self._held = held
        self._links = links
        self._gateways = gateways
        self._news = news
        self._now = now

    # ---- what is seen ----

    def snapshot(self) -> Snapshot:
        return snapshot_of(self._held, sync_of(self._held, self._links, self._gateways.online), self._now)

    def link_of_token(self, token: str) -> Link | None:
        digest = token_sha256(token)
        return next((each for each in self._held.state.links.values() if each.token_sha256 == digest), None)

    def link(self, link: LinkId) -> Link | None:
        found = self._held.state.links.get(link)
        return found if found is not None and found.role is not LinkRole.ADMIN else None

    async def command(self, job: JobId, command: CommandId) -> Command:
        found = self._held.state.commands.get(command)
        if found is None or found.charge_point not in rules.job_of(self._held.state, job).charge_points:
            raise NotFound(what="command", key=command[:64])
        return found

    def transfer(self, job: JobId, row: ChargePointId, transfer: TransferId) -> Transfer:
        raise NotFound(what="transfer", key=transfer[:64])

    def transfer_file(self, job: JobId, row: ChargePointId, transfer: TransferId) -> Path:
        raise NotFound(what="transfer", key=transfer[:64])

    def record(self, job: JobId) -> Mapping[str, Any]:
        return record_of(self._held.state, rules.job_of(self._held.state, job), self._now)

    async def news(self, job: JobId, after: int | None) -> AsyncIterator[Stale]:
        """The whole page, whenever something about the site was written; its script draws only what differs."""
        if after is not None and after != self.snapshot().seq:
            yield Stale(self.snapshot().seq, "page")
        async for _ in self._news.of(self._concerns):
            self._held = await self._gateways.state(self._place)
            yield Stale(self.snapshot().seq, "page")

    def _concerns(self, news: SiteNews) -> bool:
        return news.site == self._place.site

    # ---- what is changed ----

    async def edit(
        self, job: JobId, row: ChargePointId, author: Author, *, identity: str | None = None,
        connector: int | None = None, bases: Sequence[OpId] | None = None,
    ) -> None:  # fmt: skip
        await self._decide(rules.decide_edit(job, row, author, identity=identity, connector=connector, bases=bases))

    async def swap(self, job: JobId, a: ChargePointId, b: ChargePointId, author: Author) -> None:
        await self._decide(rules.decide_swap(job, a, b, author))

    async def add_note(self, job: JobId, row: ChargePointId, author: Author, text: str) -> None:
        await self._decide(rules.decide_note(job, row, author, text, by_operator=author.type is AuthorType.OPERATOR))

    async def complete(
        self, job: JobId, author: Author, *, activate_all: bool, reason: str | None = None, name: str | None = None
    ) -> None:
        await self._decide(rules.decide_complete(job, author, activate_all=activate_all, reason=reason, name=name))

    async def meter_models(self) -> Mapping[str, str]:
        """The box knows them."""
        return {}

    async def meter_moments(self, job: JobId, name: str, grade: Grade, since_s: int) -> Sequence[Moment]:
        """Of minutes, whatever is asked."""
        rules.job_of(self._held.state, job)
        return await self._gateways.meter_minutes(self._place.site, job, name, datetime.fromtimestamp(since_s, UTC))

    def wiring(self, job: JobId, name: str) -> WiringProved | None:
        """It takes readings of every second."""
        return None

    async def prove_wiring(self, job: JobId, name: str, author: Author) -> None:
        raise MeterNotRead(name=name[:64])

    async def put_meter(self, job: JobId, meter: MeterListed, author: Author, *, instead_of: str = "") -> None:
        await self._decide(meter_rules.decide_put(job, meter, author, instead_of=instead_of))

    async def remove_meter(self, job: JobId, name: str, author: Author) -> None:
        await self._decide(meter_rules.decide_remove(job, name, author))

    async def open_pairing(self, job: JobId, author: Author) -> None:
        await self._decide(rules.decide_pairing(job, author))

    async def _decide(self, decide: Decide[Any]) -> None:
        await self._gateways.decide(self._place, decide)
        self._held = await self._gateways.state(self._place)

    # ---- what the box does ----

    async def act(
        self, job: JobId, row: ChargePointId, action: ActionName, author: Author, *,
        command: CommandId | None = None, confirm: bool = False, hard: bool = False,
    ) -> CommandId:  # fmt: skip
        chosen = command or CommandId(new_id())
        more = {"confirm": confirm, "kind": "hard" if hard else "soft"}
        await self._order(job, row, action.value, author, chosen, more)
        return chosen

    async def confirm_station(self, job: JobId, row: ChargePointId, author: Author) -> None:
        await self._order(job, row, "confirm", author, CommandId(new_id()))

    async def pair_anew(self, job: JobId, row: ChargePointId, author: Author) -> None:
        await self._order(job, row, "pair", author, CommandId(new_id()))

    async def secure(self, job: JobId, author: Author) -> int:
        return int(await self._order(job, ChargePointId(""), "secure", author, CommandId(new_id())) or 0)

    async def fetch_log(
        self, job: JobId, row: ChargePointId, kind: TransferKind, author: Author, *, transfer: TransferId | None = None
    ) -> TransferId:
        """Files stay on site."""
        raise TransferUnavailable(reason="method")

    async def _order(
        self, job: JobId, row: ChargePointId, action: str, author: Author, command: CommandId,
        more: Mapping[str, Any] | None = None,
    ) -> Any:  # fmt: skip
        if row:
            rules.row_of(self._held.state, rules.job_of(self._held.state, job), row)
        gateway = await self._gateways.gateway_of(self._place.site)
        if gateway is None or not self._gateways.is_online(gateway):
            raise GatewayOffline(since=self.snapshot().relay.since)
        arguments = {"job": job, "charge_point": row, **(more or {})}
        ack = await self._gateways.order(gateway, action, arguments, author.name or "", command)
        if ack.code is not None:
            raise error_of(ack.code, ack.fields)
        self._held = await self._gateways.state(self._place)
        return ack.result
