"""What the cloud sends, into the site: its log, and orders of people who sit there. Start at `Remote.receive`.

A change from above has the same consequences as one from the page: charge points that are named anew are looked at
again. An order goes the way of the installer's buttons, is written down first and runs at most once (SYNC §2.7).
"""

from collections.abc import Callable, Sequence
from typing import Any

import msgspec

from edge_agent.site.ports import Journal, Uplink
from sitelink.clock import Clock
from sitelink.decisions import Received
from sitelink.errors import OrderExpired, OrderUnknown, SiteError
from sitelink.events import FieldSet
from sitelink.ids import ChargePointId, JobId, StationKey
from sitelink.job_rules import confirmed_by
from sitelink.model import Entity
from sitelink.ops import Author, Fact
from sitelink.records import encode_record
from sitelink.states import ActionName, AuthorType, JobStatus
from sitelink.wire.messages import Cmd, CmdAck
from web_ui.ports import Jobs


class Remote:
    """`recheck` looks at stations again whose place in a job changed."""

    def __init__(
        self, journal: Journal, uplink: Uplink, jobs: Jobs, clock: Clock,
        recheck: Callable[[set[StationKey]], Any],
    ) -> None:  # fmt: skip
        self._journal = journal
        self._uplink = uplink
        self._jobs = jobs
        self._clock = clock
        self._recheck = recheck

    async def receive(self, received: Received) -> None:
        """Take it in. Raises StoreUnavailable."""
        before = self._named()
        facts: list[Fact] = []
        for _, op in received.ops:
            if isinstance(op.event, FieldSet) and op.field == "identity":
                facts += confirmed_by(self._journal.state, op.event.value, op.author, op.job)
        await self._uplink.receive(received, facts)
        await self._recheck(before ^ self._named())

    def _named(self) -> set[StationKey]:
        state = self._journal.state
        jobs = (job for job in state.jobs.values() if job.status is not JobStatus.CANCELLED)
        return {row.station for job in jobs for row in state.rows(job) if row.identity}

    def now(self) -> tuple[tuple[str, msgspec.Raw], ...]:
        """How the charge points stand, for whoever cannot wait for the ops that led there."""
        state = self._journal.state
        running = [each for each in state.transactions.values() if each.open]
        records: list[Entity] = [*state.stations.values(), *running, *state.readings.values()]
        return tuple((each.key, msgspec.Raw(encode_record(each))) for each in records)

    async def order(self, cmd: Cmd, came_at: float) -> CmdAck:
        """Do it now or not at all. `came_at`: when it came, by the steady clock."""
        try:
            if (self._clock.monotonic() - came_at) * 1000 > cmd.ttl_ms:
                raise OrderExpired(after_ms=cmd.ttl_ms)
            return CmdAck(cmd.command, result=await self._do(cmd))
        except SiteError as error:
            return CmdAck(cmd.command, code=error.code, fields=_plain(error.fields))

    async def _do(self, cmd: Cmd) -> Any:
        author = Author(type=AuthorType.OPERATOR, name=cmd.by or None)
        arguments = cmd.arguments
        job, row = JobId(str(arguments.get("job", ""))), ChargePointId(str(arguments.get("charge_point", "")))
        if cmd.action in (each.value for each in ActionName):
            await self._jobs.act(
                job, row, ActionName(cmd.action), author, command=cmd.command,
                confirm=arguments.get("confirm") is True, hard=arguments.get("kind") == "hard",
            )  # fmt: skip
            return None
        if cmd.action == "pair":
            return await self._jobs.pair_anew(job, row, author)
        if cmd.action == "confirm":
            return await self._jobs.confirm_station(job, row, author)
        if cmd.action == "secure":
            return await self._jobs.secure(job, author)
        raise OrderUnknown(action=cmd.action[:60])


def _plain(fields: dict[str, Any]) -> dict[str, Any]:
    """What a frame can carry."""
    plain: Sequence[type] = (str, int, float, bool, type(None))
    return {name: value if isinstance(value, tuple(plain)) else str(value)[:200] for name, value in fields.items()}
