"""No stations at all, and no cloud: what the operator's commands see when no agent runs."""

from collections.abc import Mapping, Sequence
from datetime import datetime
from typing import Any

from edge_agent.site.operations import Operation
from edge_agent.site.ports import Action, LateAnswer
from sitelink.commands import Order, OrderAnswer
from sitelink.errors import CloudLeft, NotFound, StationOffline
from sitelink.frames import Frame
from sitelink.ids import StationKey


class NoStations:
    """See `edge_agent.site.ports.Stations`."""

    def is_online(self, station: StationKey) -> bool:
        return False

    def last_seen(self, station: StationKey) -> datetime | None:
        return None

    def quiet_s(self, station: StationKey) -> float | None:
        return None

    async def send(self, station: StationKey, order: Order, late: LateAnswer | None = None) -> OrderAnswer:
        raise StationOffline(identity=station)

    async def call(self, station: StationKey, action: str, payload: dict[str, Any]) -> dict[str, Any]:
        raise StationOffline(identity=station)

    def hand_calls(self, station: StationKey) -> Sequence[dict[str, Any]]:
        return ()

    def take_stock(self, station: StationKey) -> None:
        raise StationOffline(identity=station)

    def customer_information(self, station: StationKey) -> Mapping[str, Any] | None:
        return None

    def frames(self, station: StationKey) -> Sequence[Frame]:
        return ()

    def actions(self, station: StationKey) -> Sequence[str]:
        return ()

    def action(self, station: StationKey, name: str) -> Action:
        raise NotFound(what="action", key=name)

    def newest_frame(self, station: StationKey) -> int:
        return 0

    async def reconnect(self, station: StationKey) -> None:
        return

    async def recheck(self, station: StationKey) -> None:
        return


class NoCloud:
    """What the commands about the cloud say where `relay.url` is empty."""

    def operations(self) -> dict[str, Operation]:
        return {"relay.status": self._status, "relay.enrol": self._none, "relay.leave": self._none}

    async def _status(self, _arguments: Mapping[str, Any]) -> Any:
        return {"url": ""}

    async def _none(self, _arguments: Mapping[str, Any]) -> Any:
        raise CloudLeft(problem="no_cloud")
