"""Which message of an OCPP 1.6 station goes where, and what it is answered.

No sockets. Sources: OCPP 1.6 §4.1 to §4.10 with errata 3.10; the security whitepaper's notifications; OCPP.md §8.2.
Start at `Clerk16`.
"""

from edge_agent.charge_points import v16
from edge_agent.charge_points.clerk import BaseClerk, of_file
from edge_agent.charge_points.dialect import Ask, Payload
from edge_agent.charge_points.readings import Found
from edge_agent.charge_points.rpc import CallResult
from edge_agent.charge_points.schemas import OCPP_16
from edge_agent.charge_points.tending_16 import Tending16
from edge_agent.site.ports import Desk
from sitelink.clock import Clock
from sitelink.ids import StationKey


class Clerk16(BaseClerk):
    schemas = OCPP_16

    def __init__(self, desk: Desk, clock: Clock, station: StationKey) -> None:
        super().__init__(desk, clock, station)
        self.tending = Tending16(desk, clock, station)

    async def settle_in(self, ask: Ask, found: Found) -> None:
        """How many connectors it has, and what its quirks make us want to know; one key at a time, as all can."""
        for key in ("NumberOfConnectors", *self.keys_wanted):
            answer = await ask("GetConfiguration", {"key": [key]})
            values = v16.configuration_of(answer.payload, found) if isinstance(answer, CallResult) else {}
            if key in values:
                await self.desk.configured(self.station, values)

    async def ask_status(self, ask: Ask) -> None:
        if not self.status_told:
            await ask("TriggerMessage", {"requestedMessage": "StatusNotification"})

    async def _heartbeat(self, _payload: Payload, _found: Found) -> Payload:
        """The time, in UTC with `Z`. Nothing is stored."""
        return v16.heartbeat_answer(self.clock.now())

    async def _authorize(self, payload: Payload, found: Found) -> Payload:
        """The verdict on the tag, with parent and expiry. Nothing is stored."""
        return v16.authorize_answer(await self.desk.authorize(self.station, v16.id_token_of(payload, found)))

    async def _status(self, payload: Payload, found: Found) -> Payload:
        """The state of the connector, 0 for the charge point itself."""
        await self.desk.connector_changed(self.station, v16.connector_report(payload, found))
        self.status_told = True
        return {}

    async def _start(self, payload: Payload, found: Found) -> Payload:
        """Begins a transaction under an id of ours; never refused, the same start again gets the same id."""
        answer = v16.start_answer(await self.desk.start(self.station, v16.start_report(payload, found)))
        if payload.get("reservationId"):
            await self.reservation_used(payload["reservationId"])
        return answer

    async def _stop(self, payload: Payload, found: Found) -> Payload:
        """Ends the transaction; never refused, one that is not known is kept as an orphan."""
        report = v16.stop_report(payload, found)
        answer = v16.stop_answer(await self.desk.stop(self.station, report))
        await self.transaction_over(report.transaction)
        return answer

    async def _meter_values(self, payload: Payload, found: Found) -> Payload:
        """Kept as measured values; never refused, values that come again are kept once."""
        report = v16.meter_report(payload, found)
        if report.groups:
            await self.desk.meter_values(self.station, report)
        return {}

    handlers = {  # noqa: RUF012 -- typed and said to be of the class in BaseClerk
        "Authorize": _authorize,
        "DataTransfer": BaseClerk.data_transfer,
        "DiagnosticsStatusNotification": of_file("DiagnosticsStatusNotification"),
        "FirmwareStatusNotification": of_file("FirmwareStatusNotification"),
        "Heartbeat": _heartbeat,
        "LogStatusNotification": of_file("LogStatusNotification"),
        "MeterValues": _meter_values,
        "SecurityEventNotification": BaseClerk.security_event,
        "SignCertificate": BaseClerk.sign_certificate,
        "SignedFirmwareStatusNotification": of_file("SignedFirmwareStatusNotification"),
        "StartTransaction": _start,
        "StatusNotification": _status,
        "StopTransaction": _stop,
    }
