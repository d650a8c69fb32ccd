"""The box's link to its cloud as people see and change it: command line, admin page, admin API. Start at `CloudDesk`.

`link` None: no agent runs here, or there is no cloud to go to.
"""

import asyncio
from collections.abc import Callable, Mapping
from datetime import timedelta
from typing import Any

from edge_agent.relay.enrolment import Enrolment, Record
from edge_agent.relay.link import Link
from edge_agent.site.operations import Operation
from edge_agent.site.ports import CloudStatus, Uplink
from sitelink.clock import Clock
from sitelink.errors import CloudLeft, RelayRefused, RequestInvalid
from web_ui.link_words import said_of_link


class CloudDesk:
    """`free_bytes`: what the box may still write to its disk; None where that cannot be known."""

    def __init__(
        self, url: str, enrolment: Enrolment, link: Link | None, uplink: Uplink, clock: Clock,
        free_bytes: Callable[[], int | None],
    ) -> None:  # fmt: skip
        self._url = url
        self._enrolment = enrolment
        self._link = link
        self._uplink = uplink
        self._clock = clock
        self._free_bytes = free_bytes

    async def status(self) -> CloudStatus:
        """As of now. Raises StoreUnavailable."""
        link, record, now = self._link, self._enrolment.record, self._clock.now()
        free = await asyncio.to_thread(self._free_bytes)
        room, standing = await self._uplink.room(free), await self._uplink.standing(now)
        state = link.state if link is not None else None
        shows = link is not None and record is None and link.code_good_for_s > 0
        problem = link.problem if link is not None and not (state and state.connected) else None
        return CloudStatus(
            url=self._url, running=link is not None, enrolled=record is not None,
            gateway=record.gateway if record else None, team=record.team if record else None,
            site=record.site if record else None, code=link.code if link is not None and shows else None,
            code_until=now + timedelta(seconds=link.code_good_for_s) if link is not None and shows else None,
            connected=bool(state and state.connected), since=state.since if state else None, problem=problem,
            said=said_of_link(problem) if problem else None, backlog_ops=standing.log,
            backlog_meter_values=sum(min(upto - after, standing.telemetry) for after, upto in standing.missing),
            oldest_unsent=room.oldest_unsent, used_bytes=room.used_bytes, bytes_per_day=room.bytes_per_day,
            days_left=room.days_left, boot=self._clock.boot_id(),
        )  # fmt: skip

    async def enrol(self, claim: str) -> Record:
        """Hand over a claim. Raises RelayRefused, CloudLeft, RequestInvalid."""
        if not claim.strip():
            raise RequestInvalid(where="claim", problem="empty")
        if self._link is None:
            raise CloudLeft(problem="no_agent")
        if self._enrolment.record is not None:
            raise CloudLeft(problem="enrolled", site=self._enrolment.record.site)
        try:
            return await self._link.enrol(claim.strip())
        except OSError as error:
            raise RelayRefused(code="unreachable") from error

    async def leave(self, *, confirm: bool) -> Mapping[str, Any]:
        """Forget the cloud. Raises CloudLeft: there is none, or it is not confirmed; then with what is unsent."""
        record = self._enrolment.record
        if record is None:
            raise CloudLeft(problem="not_enrolled")
        unsent = self._uplink.backlog
        if not confirm:
            raise CloudLeft(problem="confirm", site=record.site, unsent=unsent)
        if self._link is not None:
            await self._link.leave()
        else:
            self._enrolment.leave()
        await self._uplink.leave()
        return {"left": record.site, "unsent": unsent}

    # ---- by command ----

    def operations(self) -> dict[str, Operation]:
        return {"relay.status": self._status, "relay.enrol": self._enrol, "relay.leave": self._leave}

    async def _status(self, _arguments: Mapping[str, Any]) -> Any:
        return await self.status()

    async def _enrol(self, arguments: Mapping[str, Any]) -> Any:
        record = await self.enrol(str(arguments.get("claim") or ""))
        return {"gateway": record.gateway, "team": record.team, "site": record.site}

    async def _leave(self, arguments: Mapping[str, Any]) -> Any:
        return await self.leave(confirm=arguments.get("confirm") is True)
