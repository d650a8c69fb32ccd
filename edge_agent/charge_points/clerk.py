"""Answers a station's calls: each becomes a report, the desk records it, and only then there is an answer.

BootNotification is not here: it decides who the connection belongs to (`station`). No sockets. Sources: OCPP 1.6 §4.1
to §4.10 with errata 3.10; the security whitepaper's notifications; OCPP.md §8.2. Start at `Clerk.answer`.
"""

from collections.abc import Awaitable, Callable
from typing import Any

from edge_agent.charge_points import v16
from edge_agent.charge_points.readings import Found, kept
from edge_agent.charge_points.rpc import ErrorCode
from edge_agent.charge_points.schemas import actions
from edge_agent.site.ports import Desk
from sitelink.clock import Clock
from sitelink.ids import StationKey

Payload = dict[str, Any]


class Refused(Exception):
    """A call that gets a CALLERROR."""

    def __init__(self, code: ErrorCode, description: str) -> None:
        super().__init__(code, description)
        self.code = code
        self.description = description


class Clerk:
    """Of one station."""

    def __init__(self, desk: Desk, clock: Clock, station: StationKey) -> None:
        self._desk = desk
        self._clock = clock
        self._station = station
        self._answers: dict[str, Callable[[Payload, Found], Awaitable[Payload]]] = {
            "Authorize": self._authorize,
            "DataTransfer": self._data_transfer,
            "DiagnosticsStatusNotification": self._keep("DiagnosticsStatusNotification"),
            "FirmwareStatusNotification": self._keep("FirmwareStatusNotification"),
            "Heartbeat": self._heartbeat,
            "LogStatusNotification": self._keep("LogStatusNotification"),
            "MeterValues": self._meter_values,
            "SecurityEventNotification": self._keep("SecurityEventNotification"),
            "SignedFirmwareStatusNotification": self._keep("SignedFirmwareStatusNotification"),
            "StartTransaction": self._start,
            "StatusNotification": self._status,
            "StopTransaction": self._stop,
        }

    async def answer(self, action: str, payload: Payload, found: Found) -> Payload:
        """The payload of the CALLRESULT. Raises Refused, v16.Unusable, StoreUnavailable."""
        answer = self._answers.get(action)
        if answer is None:
            raise unknown(action)
        v16.extra_properties(action, payload, found)
        return await answer(payload, found)

    async def _heartbeat(self, _payload: Payload, _found: Found) -> Payload:
        return v16.heartbeat_answer(self._clock.now())

    async def _authorize(self, payload: Payload, found: Found) -> Payload:
        return v16.authorize_answer(await self._desk.authorize(self._station, v16.id_token_of(payload, found)))

    async def _status(self, payload: Payload, found: Found) -> Payload:
        await self._desk.connector_changed(self._station, v16.connector_report(payload, found))
        return {}

    async def _start(self, payload: Payload, found: Found) -> Payload:
        return v16.start_answer(await self._desk.start(self._station, v16.start_report(payload, found)))

    async def _stop(self, payload: Payload, found: Found) -> Payload:
        return v16.stop_answer(await self._desk.stop(self._station, v16.stop_report(payload, found)))

    async def _meter_values(self, payload: Payload, found: Found) -> Payload:
        report = v16.meter_report(payload, found)
        if report.groups:
            await self._desk.meter_values(self._station, report)
        return {}

    async def _data_transfer(self, payload: Payload, _found: Found) -> Payload:
        """No vendor's messages are known here; what came is kept (OCPP 1.6 §4.3)."""
        await self._desk.message(self._station, "DataTransfer", kept(payload))
        return {"status": "UnknownVendorId"}

    def _keep(self, action: str) -> Callable[[Payload, Found], Awaitable[Payload]]:
        async def answer(payload: Payload, _found: Found) -> Payload:
            await self._desk.message(self._station, action, kept(payload))
            return {}

        return answer


def unknown(action: str) -> Refused:
    """NotSupported where OCPP 1.6 has the action, NotImplemented where it has not (OCPP-J 1.6 §4.2.3)."""
    if action in actions():
        return Refused(ErrorCode.NOT_SUPPORTED, f"{action} is not offered here")
    return Refused(ErrorCode.NOT_IMPLEMENTED, "OCPP 1.6 has no such action")
