"""Which message of an OCPP 2.0.1 or 2.1 station goes where, and what it is answered.

No sockets. Sources: OCPP 2.0.1 and 2.1 part 2; OCPP.md §8.3. Start at `Clerk201`.
"""

import contextlib
from collections.abc import Mapping
from typing import Any

from edge_agent.charge_points import reports_2x, streams_21, v2x
from edge_agent.charge_points.clerk import BaseClerk, Handler, of_file
from edge_agent.charge_points.dialect import Ask, Payload, Unusable
from edge_agent.charge_points.readings import Found, integer_of, kept
from edge_agent.charge_points.reports_2x import NOTES, PARTS
from edge_agent.charge_points.schemas import OCPP_21, OCPP_201
from edge_agent.charge_points.tending_2x import Tending2x
from edge_agent.site.ports import Desk
from edge_agent.site.reports import TransactionStage
from sitelink.clock import Clock
from sitelink.ids import StationKey
from sitelink.inventory import variables_of
from sitelink.model import StationReport
from sitelink.states import ReportKind

FIRST_PLUG = {"id": 1, "connectorId": 1}
OF_FILES = ("FirmwareStatusNotification", "LogStatusNotification")
STREAM_KEPT_EVERY_S = 60.0
"""Of a stream that is nothing electrical so much is kept for the record."""
About = tuple[dict[str, Any] | None, str | None]
"""The monitor a stream is about, and the unit of its values."""


ONLY_16 = frozenset(
    {"DiagnosticsStatusNotification", "SignedFirmwareStatusNotification", "StartTransaction", "StopTransaction"}
)  # fmt: skip


def is_of_16(action: str, payload: Payload) -> bool:
    """Whether a message can only be one of OCPP 1.6, by its action or its shape."""
    if action in ONLY_16:
        return True
    if action == "Authorize":
        return "idTag" in payload and "idToken" not in payload
    return action == "MeterValues" and "evseId" not in payload and "connectorId" in payload


def part(action: str) -> Handler:
    """A part of a report (`reports_2x.PARTS`): put together; one that belongs to nothing is kept as it is."""

    async def answer(clerk: "Clerk201", payload: Payload, found: Found) -> Payload:
        if not await clerk.tending.take_part(action, payload, found):
            found.append("requestId:missing")
            await clerk.desk.message(clerk.station, action, kept(payload))
        return {}

    answer.__doc__ = PARTS[action].sentence
    return answer


def note(action: str) -> Handler:
    """Something of a list the station keeps came, changed or went (`reports_2x.NOTES`)."""

    async def answer(clerk: "Clerk201", payload: Payload, found: Found) -> Payload:
        put, drop = NOTES[action].read(payload, found)
        await clerk.desk.list_changed(clerk.station, NOTES[action].kind, put, drop, action)
        status = clerk.statuses.get(action)
        return {} if status is None else {"status": status}

    answer.__doc__ = NOTES[action].sentence
    return answer


class Clerk201(BaseClerk):
    schemas = OCPP_201
    id_token_max = v2x.ID_TOKEN_MAX
    statuses: Mapping[str, str] = {"NotifyEVChargingNeeds": "Rejected", "NotifyEVChargingSchedule": "Accepted"}
    """Of answers that have one. No schedule is made for cars here (K15); what one plans is understood (K17)."""

    def __init__(self, desk: Desk, clock: Clock, station: StationKey) -> None:
        super().__init__(desk, clock, station)
        self.tending: Tending2x = Tending2x(desk, clock, station)

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
        return v2x.authorize_answer(await self.desk.authorize(self.station, token, kind), self.id_token_max)

    async def _status(self, payload: Payload, found: Found) -> Payload:
        """The state of a connector of an EVSE."""
        await self.desk.connector_changed(self.station, v2x.connector_report(payload, found))
        self.status_told = True
        return {}

    async def _transaction_event(self, payload: Payload, found: Found) -> Payload:
        """Begins, continues or ends a transaction; events are told apart by their number."""
        report = v2x.transaction_report(payload, found)
        verdict = await self.desk.transaction_event(self.station, report)
        if "reservation" in report.extras:
            await self.reservation_used(report.extras["reservation"])
        if report.stage is TransactionStage.ENDED:
            self.tending.transaction_ended()
            await self.transaction_over(report.name)
        return v2x.transaction_answer(verdict, self.id_token_max)

    async def _meter_values(self, payload: Payload, found: Found) -> Payload:
        """Kept as measured values; values that come again are kept once."""
        report = v2x.meter_report(payload, found)
        if report.groups:
            await self.desk.meter_values(self.station, report)
        return {}

    async def _certificate_status(self, _payload: Payload, _found: Found) -> Payload:
        """`Failed`: a box on a site reaches no OCSP responder (M06); the station then goes by what it has."""
        return {"status": "Failed"}

    async def _event(self, payload: Payload, found: Found) -> Payload:
        """Each event is kept with the severity of its monitor; an AvailabilityState is a status as well."""
        events = reports_2x.events_of(payload, self.tending.severities(), found)
        if any("monitor" in each and "severity" not in each for each in events.values()):
            self.tending.monitor_missing()
        if events:
            await self.desk.list_changed(self.station, ReportKind.EVENTS, events, (), "NotifyEvent")
        for status in reports_2x.statuses_of(payload, found):
            with contextlib.suppress(Unusable):
                await self.desk.connector_changed(self.station, v2x.connector_report(status, found))
                self.status_told = True
        return {}

    handlers = {  # noqa: RUF012 -- typed and said to be of the class in BaseClerk
        "Authorize": _authorize,
        "DataTransfer": BaseClerk.data_transfer,
        "Heartbeat": _heartbeat,
        "MeterValues": _meter_values,
        "NotifyEvent": _event,
        "GetCertificateStatus": _certificate_status,
        "SecurityEventNotification": BaseClerk.security_event,
        "SignCertificate": BaseClerk.sign_certificate,
        "StatusNotification": _status,
        "TransactionEvent": _transaction_event,
        **{action: of_file(action) for action in OF_FILES},
        **{action: part(action) for action in PARTS},
        **{action: note(action) for action in NOTES.keys() & OCPP_201.from_station},
    }


class Clerk21(Clerk201):
    schemas = OCPP_21
    id_token_max = v2x.ID_TOKEN_KEPT
    statuses: Mapping[str, str] = {**Clerk201.statuses, "NotifyEVChargingNeeds": "NoChargingProfile"}
    without_meaning = frozenset(
        {
            "BatterySwap", "NotifyDERAlarm", "NotifyDERStartStop", "NotifySettlement", "ReportDERControl",
            "VatNumberValidation",
        }
    )  # fmt: skip

    def __init__(self, desk: Desk, clock: Clock, station: StationKey) -> None:
        super().__init__(desk, clock, station)
        self._stream_kept_at: dict[str, float] = {}
        self._lists: list[StationReport | None] = []
        self._known: dict[str, About] = {}

    def _streams(self) -> dict[str, Any]:
        known = self.desk.report_of(self.station, ReportKind.EVENT_STREAMS)
        return known.items if known is not None else {}

    async def _open_stream(self, payload: Payload, found: Found) -> Payload:
        """Accepted, up to 64 streams; what it is about is remembered."""
        stream = streams_21.opened(payload, self._streams(), found)
        if stream is None:
            return {"status": "Rejected"}
        await self.desk.list_changed(
            self.station, ReportKind.EVENT_STREAMS, dict([stream]), (), "OpenPeriodicEventStream"
        )
        return {"status": "Accepted"}

    async def _close_stream(self, payload: Payload, found: Found) -> Payload:
        """The stream is forgotten."""
        gone = (str(integer_of(payload, "id", found)),)
        await self.desk.list_changed(self.station, ReportKind.EVENT_STREAMS, {}, gone, "ClosePeriodicEventStream")
        return {}

    async def _stream(self, payload: Payload, found: Found) -> None:
        """Quantities of an EVSE are meter values; of anything else one a minute is kept. A SEND is never answered."""
        number = str(integer_of(payload, "id", found))
        monitor, unit = self._about(number)
        report = streams_21.meter_report(payload, monitor, unit, found)
        if report is not None:
            await self.desk.meter_values(self.station, report)
            return
        now = self.clock.monotonic()
        if now - self._stream_kept_at.get(number, -STREAM_KEPT_EVERY_S) < STREAM_KEPT_EVERY_S:
            return
        await self.desk.message(self.station, "NotifyPeriodicEventStream", kept(payload))
        if len(self._stream_kept_at) < streams_21.STREAMS_MAX:
            self._stream_kept_at[number] = now

    def _about(self, number: str) -> About:
        """The monitor a stream is about and its variable's unit. Lists are opened again only when one has changed."""
        kinds = (ReportKind.EVENT_STREAMS, ReportKind.MONITORING, ReportKind.INVENTORY)
        lists = [self.desk.report_of(self.station, kind) for kind in kinds]
        if [id(each) for each in lists] != [id(each) for each in self._lists]:
            self._lists, self._known = lists, {}
        if number not in self._known:
            if len(self._known) >= streams_21.STREAMS_MAX:
                self._known.clear()
            streams, monitors, variables = ({} if each is None else each.items for each in lists)
            if number not in streams:
                self.tending.stream_missing()
            elif str(streams[number].get("monitor")) not in monitors:
                self.tending.monitor_missing()
            monitor = monitors.get(str(streams.get(number, {}).get("monitor")))
            self._known[number] = monitor, _unit_of(monitor, variables)
        return self._known[number]

    async def _no_update(self, _payload: Payload, _found: Found) -> Payload:
        """`Rejected`: no dynamic profile is steered from here, so there is no newer one (K28)."""
        return {"status": "Rejected"}

    handlers = {  # noqa: RUF012 -- typed and said to be of the class in BaseClerk
        **Clerk201.handlers,
        **{action: note(action) for action in NOTES.keys() & OCPP_21.from_station},
        "ClosePeriodicEventStream": _close_stream,
        "OpenPeriodicEventStream": _open_stream,
        "PullDynamicScheduleUpdate": _no_update,
    }
    heard = {"NotifyPeriodicEventStream": _stream}  # noqa: RUF012


def _unit_of(monitor: Mapping[str, Any] | None, variables: Mapping[str, Any]) -> str | None:
    """As the inventory has it."""
    if monitor is None:
        return None
    about = tuple(monitor.get(name) for name in ("component", "variable", "evse"))
    return next(
        (each.unit for each in variables_of(variables) if (each.component, each.name, each.evse) == about), None
    )
