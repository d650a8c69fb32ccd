"""What the box asks a station of its own accord once it is served: errands, one after the other.

Pure: time is handed in by the clock, and the shell (`station`) comes again when it is told to. An errand that gets no
answer is not repeated; the next boot begins anew. Start at `Tending.round`.
"""

from collections.abc import Awaitable, Callable, Mapping
from typing import Any

from edge_agent.charge_points.dialect import Ask, Payload
from edge_agent.charge_points.quirks import NONE, Quirks
from edge_agent.charge_points.rpc import CallResult
from edge_agent.site.ports import Desk
from sitelink.clock import Clock
from sitelink.errors import NoAnswer
from sitelink.ids import StationKey
from sitelink.states import ReportKind

Errand = Callable[[Ask], Awaitable[None]]
ERRANDS_MAX = 16
REQUESTS_WITHIN = 2**30


class Tending:
    """Of one connection. `first_look` says what a station is asked when it has settled in, by version."""

    asks: Mapping[str, str] = {}
    """Calls that are made of the box's own accord, and when."""

    def __init__(self, desk: Desk, clock: Clock, station: StationKey) -> None:
        self.desk = desk
        self.clock = clock
        self.station = station
        self.quirks: Quirks = NONE
        self._errands: list[Errand] = []
        self._looked = False
        self._requests = int(clock.now().timestamp()) % REQUESTS_WITHIN

    @property
    def waiting(self) -> bool:
        """Whether there is something to do at once."""
        return bool(self._errands)

    def next_request(self) -> int:
        """A request id no earlier connection used, as long as it did not ask once a second."""
        self._requests += 1
        return self._requests

    def want(self, errand: Errand) -> None:
        """In line; what cannot be remembered is not done."""
        if len(self._errands) < ERRANDS_MAX:
            self._errands.append(errand)

    def want_stock(self) -> None:
        """Somebody wants to know what it has."""
        self.want(self.take_stock)

    def look_again(self) -> None:
        """It booted: what is asked first is asked once more, where it is due."""
        self._looked = False

    async def round(self, ask: Ask) -> float | None:
        """Do what is due; seconds until there may be more, None: not before something happens.

        Raises StationOffline, StoreUnavailable.
        """
        self.look()
        while self._errands:
            errand = self._errands.pop(0)
            try:
                await errand(ask)
            except NoAnswer:
                continue
        return await self.over_time()

    def look(self) -> None:
        """Once after each boot: what is to be asked first."""
        if not self._looked:
            self._looked = True
            self.first_look()

    def first_look(self) -> None:
        if self.desk.stock_due(self.station, first=False):
            self.want_stock()

    async def take_stock(self, ask: Ask) -> None:
        raise NotImplementedError

    async def over_time(self) -> float | None:
        """What time alone brings about."""
        return None

    # ---- calls by hand ----

    def calling(self, action: str, payload: Payload) -> None:
        """A call by hand is about to be sent."""

    async def called(self, action: str, payload: Payload, answer: Payload) -> None:
        """Its answer came: what it changed is recorded, or asked for."""

    async def availability_changed(self, payload: Payload, answer: Payload) -> None:
        """A ChangeAvailability of either version was answered."""
        status = status_of(answer)
        if status not in ("Accepted", "Scheduled"):
            return
        evse = payload.get("evse") or {}
        await self.desk.availability(
            self.station, status,
            operative="Operative" in (payload.get("type"), payload.get("operationalStatus")),
            connector=payload.get("connectorId") or evse.get("id") or 0, plug=evse.get("connectorId"),
        )  # fmt: skip

    async def objection(self, action: str, payload: Payload, ask: Ask) -> str | None:
        """Where the call contradicts what is known of the station; None: nowhere."""
        return None

    def customer_information(self) -> Mapping[str, Any] | None:
        return None

    def facts(self) -> Mapping[str, int]:
        """How much it takes at once, as far as it said."""
        known = self.desk.report_of(self.station, ReportKind.INVENTORY)
        return known.facts if known is not None else {}


def status_of(answer: Any) -> str:
    """The status word of a CALLRESULT; "" where there is none or it was refused."""
    said = answer.payload if isinstance(answer, CallResult) else answer
    status = said.get("status") if isinstance(said, dict) else None
    return status if isinstance(status, str) else ""
