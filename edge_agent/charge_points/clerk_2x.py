"""Which message of an OCPP 2.0.1 or 2.1 station goes where, and what it is answered.

No sockets. Sources: OCPP 2.0.1 and 2.1 part 2; OCPP.md §8.3. Start at `Clerk201`.
"""

from edge_agent.charge_points import v2x
from edge_agent.charge_points.clerk import BaseClerk
from edge_agent.charge_points.dialect import Ask, Payload
from edge_agent.charge_points.readings import Found, kept
from edge_agent.charge_points.schemas import OCPP_21, OCPP_201
from edge_agent.site.ports import Desk
from sitelink.clock import Clock
from sitelink.ids import StationKey

FIRST_PLUG = {"id": 1, "connectorId": 1}
KEPT = (
    "ClearedChargingLimit", "NotifyChargingLimit", "NotifyCustomerInformation", "NotifyDisplayMessages", "NotifyEvent",
    "NotifyMonitoringReport", "NotifyReport", "PublishFirmwareStatusNotification", "ReportChargingProfiles",
    "ReservationStatusUpdate", "SecurityEventNotification",
)  # fmt: skip
OF_FILES = ("FirmwareStatusNotification", "LogStatusNotification")


def is_of_16(action: str, payload: Payload) -> bool:
    """Whether a message can only be one of OCPP 1.6, by its action or its shape."""
    if action in ("StartTransaction", "StopTransaction"):
        return True
    if action == "Authorize":
        return "idTag" in payload and "idToken" not in payload
    return action == "MeterValues" and "evseId" not in payload and "connectorId" in payload


class Clerk201(BaseClerk):
    schemas = OCPP_201

    def __init__(self, desk: Desk, clock: Clock, station: StationKey) -> None:
        super().__init__(desk, clock, station)
        self.handlers = {
            "Authorize": self._authorize,
            "DataTransfer": self._data_transfer,
            "Heartbeat": self._heartbeat,
            "MeterValues": self._meter_values,
            "NotifyEVChargingSchedule": self._charging_schedule,
            "StatusNotification": self._status,
            "TransactionEvent": self._transaction_event,
            **{action: self.of_file(action) for action in OF_FILES},
            **{action: self.keep(action) for action in KEPT},
        }

    async def answer(self, action: str, payload: Payload, found: Found) -> Payload:
        """In kind: there are stations that send payloads of OCPP 1.6 on a socket of 2.x (OCPP.md §4.1)."""
        if not is_of_16(action, payload):
            return await super().answer(action, payload, found)
        found.append("message:shaped_as_in_1.6")
        from edge_agent.charge_points.clerk_16 import Clerk16

        return await Clerk16(self.desk, self.clock, self.station).answer(action, payload, found)

    async def ask_status(self, ask: Ask) -> None:
        """One plug is asked for: a station that did not tell by itself then often tells all."""
        if not self.status_told:
            await ask("TriggerMessage", {"requestedMessage": "StatusNotification", "evse": FIRST_PLUG})

    async def _heartbeat(self, _payload: Payload, _found: Found) -> Payload:
        """The time, in UTC with `Z`. Nothing is stored."""
        return v2x.heartbeat_answer(self.clock.now())

    async def _authorize(self, payload: Payload, found: Found) -> Payload:
        """The verdict on the token, with group, expiry and EVSEs. Nothing is stored."""
        token, kind = v2x.authorize_report(payload, found)
        return v2x.authorize_answer(await self.desk.authorize(self.station, token, kind))

    async def _status(self, payload: Payload, found: Found) -> Payload:
        """The state of a connector of an EVSE."""
        await self.desk.connector_changed(self.station, v2x.connector_report(payload, found))
        self.status_told = True
        return {}

    async def _transaction_event(self, payload: Payload, found: Found) -> Payload:
        """Begins, continues or ends a transaction; events are told apart by their number."""
        report = v2x.transaction_report(payload, found)
        return v2x.transaction_answer(await self.desk.transaction_event(self.station, report))

    async def _meter_values(self, payload: Payload, found: Found) -> Payload:
        """Kept as measured values; values that come again are kept once."""
        report = v2x.meter_report(payload, found)
        if report.groups:
            await self.desk.meter_values(self.station, report)
        return {}

    async def _charging_schedule(self, payload: Payload, _found: Found) -> Payload:
        """Kept for the record; `Accepted`, which says only that it was understood (K17)."""
        await self.desk.message(self.station, "NotifyEVChargingSchedule", kept(payload))
        return {"status": "Accepted"}

    async def _data_transfer(self, payload: Payload, _found: Found) -> Payload:
        """No vendor's messages are known here; what came is kept (P02)."""
        await self.desk.message(self.station, "DataTransfer", kept(payload))
        return {"status": "UnknownVendorId"}


class Clerk21(Clerk201):
    schemas = OCPP_21

    def __init__(self, desk: Desk, clock: Clock, station: StationKey) -> None:
        super().__init__(desk, clock, station)
        self.heard = {"NotifyPeriodicEventStream": self._event_stream}

    async def _event_stream(self, payload: Payload, _found: Found) -> None:
        """Kept for the record; a SEND is never answered."""
        await self.desk.message(self.station, "NotifyPeriodicEventStream", kept(payload))
