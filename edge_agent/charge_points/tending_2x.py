"""Errands at OCPP 2.x stations: the inventory, transactions in doubt, and what calls by hand leave to be asked.

Pure, as `tending`. Sources: OCPP 2.0.1 part 2, B07, B08, E14, K09, N02, N05, O03; OCPP.md §8.3. Start at
`Tending2x.first_look`; reports come in at `take_part`.
"""

from collections.abc import Mapping
from functools import partial
from typing import Any

from edge_agent.charge_points.assembler import Assembler, Report
from edge_agent.charge_points.dialect import Ask, Payload
from edge_agent.charge_points.inventory import (
    FEW,
    asked_for,
    facts_of,
    updated,
    variables_of_results,
    variables_set,
)
from edge_agent.charge_points.readings import Found, integer_of, is_true
from edge_agent.charge_points.reports_2x import (
    CUSTOMER_INFORMATION,
    EMPTY,
    REQUESTS,
    is_whole,
    objects,
    part_of,
    reservation,
)
from edge_agent.charge_points.rpc import CallResult
from edge_agent.charge_points.rules_2x import clashing_profile, moves_station
from edge_agent.charge_points.streams_21 import opened
from edge_agent.charge_points.tending import Tending, status_of
from edge_agent.site.ports import Desk
from edge_agent.site.reports import ListReport
from sitelink.clock import Clock
from sitelink.errors import StoreUnavailable
from sitelink.ids import StationKey
from sitelink.inventory import Variable, items_of, variables_of
from sitelink.states import ReportKind

GRACE_S = 60.0
"""After a transaction's end, for events that are still on their way."""
QUEUE_AGAIN_S = 60.0
QUEUE_AGAIN_MOST_S = 3600.0
PERSONAL_FOR_S = 900.0
"""How long customer information can be read."""
ASK_AGAIN = {
    "SetVariableMonitoring": "GetMonitoringReport", "ClearVariableMonitoring": "GetMonitoringReport",
    "SetMonitoringBase": "GetMonitoringReport", "SetChargingProfile": "GetChargingProfiles",
    "ClearChargingProfile": "GetChargingProfiles", "SetDisplayMessage": "GetDisplayMessages",
    "ClearDisplayMessage": "GetDisplayMessages",
}  # fmt: skip
"""Calls that change a list the station keeps: it is asked for the list afterwards."""
SOURCES = ("CSO", "EMS", "SO", "Other")
"""Of charging profiles: all of them (K09; a criterion is needed)."""


class Tending2x(Tending):
    asks: Mapping[str, str] = {
        "GetBaseReport": "At the first connection and after a change of firmware, for the inventory.",
        "GetVariables": "A few by name, where it gives no report.",
        "GetTransactionStatus": "After a gap in a transaction's events, and for running ones when it connects anew.",
        **dict.fromkeys(ASK_AGAIN.values(), "After calls that change what it lists."),
        "GetMonitoringReport": "After calls that change what it lists, and when it tells of a monitor nobody knows.",
    }

    def __init__(self, desk: Desk, clock: Clock, station: StationKey) -> None:
        super().__init__(desk, clock, station)
        self._assembler = Assembler()
        self._whole: dict[tuple[str, int], str] = {}
        """Requests for all there is of a kind, and the call that asked."""
        self._unrecorded: list[Report] = []
        self._stock_at: float | None = None
        """When its turn comes to be asked what it has."""
        self._monitors_wanted = self._streams_wanted = False
        self._doubts: dict[str, tuple[float, float]] = {}
        """Transactions to ask about: when, and how long to wait the next time."""
        self._customer: tuple[float, dict[str, Any]] | None = None
        """The last customer information and when it is forgotten: in memory alone."""

    @property
    def waiting(self) -> bool:
        stock = self._stock_at is not None and self._stock_at <= self.clock.monotonic()
        return super().waiting or stock or bool(self._due_doubts())

    def first_look(self) -> None:
        if self._stock_at is None and self.desk.stock_due(self.station, first=True):
            self._stock_at = self.clock.monotonic() + self.desk.stock_turn_s()
        for name in self.desk.in_doubt(self.station, also_running=True):
            self._doubts.setdefault(name, (self.clock.monotonic(), QUEUE_AGAIN_S))

    # ---- what it has ----

    async def take_stock(self, ask: Ask) -> None:
        """All of it; from a station that cannot say, its configuration, or a few variables one knows by name."""
        for base in ("FullInventory", "ConfigurationInventory"):
            request = self.next_request()
            payload = {"requestId": request, "reportBase": base}
            self._expect("GetBaseReport", payload, whole=True)
            status = status_of(await ask("GetBaseReport", payload))
            if status == "Accepted":
                return
            self._whole.pop((ReportKind.INVENTORY, request), None)
            self._assembler.forget(ReportKind.INVENTORY, request)
        await self._ask_few(ask)

    async def _ask_few(self, ask: Ask) -> None:
        variables: list[Variable] = []
        answer = await ask("GetVariables", asked_for(FEW))
        if isinstance(answer, CallResult) and isinstance(answer.payload, dict):
            variables = variables_of_results(answer.payload, [])
        else:
            for each in FEW[:6]:
                answer = await ask("GetVariables", asked_for([each]))
                if not isinstance(answer, CallResult) or not isinstance(answer.payload, dict):
                    break
                variables += variables_of_results(answer.payload, [])
        if variables or self.desk.report_of(self.station, ReportKind.INVENTORY) is None:
            report = ListReport(ReportKind.INVENTORY, items_of(variables), "GetVariables", facts=facts_of(variables))
            await self.desk.listed(self.station, report)

    # ---- reports in parts ----

    async def take_part(self, action: str, payload: Payload, found: Found) -> bool:
        """False where the message says of no request of what it is a part. Raises StoreUnavailable."""
        await self._record_left()
        part = part_of(action, payload, found)
        if part is None:
            return False
        report = self._assembler.add(part, self.clock.monotonic())
        if report is not None:
            await self._record(report)
        return True

    async def over_time(self) -> float | None:
        await self._record_left()
        now = self.clock.monotonic()
        for report in self._assembler.overdue(now):
            nothing_came = not report.items and report.missing
            if nothing_came and self._whole.get((report.kind, report.request)) == "GetBaseReport":
                self.want(self._ask_few)
            elif not nothing_came:
                await self._record(report)
        if self._customer is not None and self._customer[0] <= now:
            self._customer = None
        due = [at - now for at, _ in self._doubts.values()]
        parts = self._assembler.due_in(now)
        due += [parts] if parts is not None else []
        due += [self._customer[0] - now] if self._customer is not None else []
        due += [self._stock_at - now] if self._stock_at is not None else []
        due += [0.0] if self.waiting else []
        return max(0.0, min(due)) if due else None

    def _expect(self, action: str, payload: Payload, *, whole: bool) -> None:
        kind, request = REQUESTS[action], payload["requestId"]
        self._assembler.expect(kind, request, self.clock.monotonic())
        if whole:
            self._whole[kind, request] = action
            while len(self._whole) > len(REQUESTS) * 2:
                del self._whole[next(iter(self._whole))]

    async def _record_left(self) -> None:
        left, self._unrecorded = self._unrecorded, []
        for report in left:
            await self._record(report)

    async def _record(self, report: Report) -> None:
        try:
            await self._write(report)
        except StoreUnavailable:
            self._unrecorded.append(report)
            raise

    async def _write(self, report: Report) -> None:
        """A whole list takes the place of the one before; an answer to a narrower question only changes it."""
        if report.kind == CUSTOMER_INFORMATION:
            self._customer = self.clock.monotonic() + PERSONAL_FOR_S, report.items
            return
        kind = ReportKind(report.kind)
        source = self._whole.pop((report.kind, report.request), None)
        if source is None:
            await self.desk.list_changed(self.station, kind, report.items)
            return
        facts = facts_of(variables_of(report.items)) if kind is ReportKind.INVENTORY else {}
        missing = report.missing + (1 if report.cut else 0)
        await self.desk.listed(self.station, ListReport(kind, report.items, source, missing, facts))

    # ---- transactions in doubt ----

    def transaction_ended(self) -> None:
        """Whether all of it came will be seen; what is still on its way has time until then."""
        for name in self.desk.in_doubt(self.station, also_running=False):
            self._doubts.setdefault(name, (self.clock.monotonic() + GRACE_S, QUEUE_AGAIN_S))

    def _due_doubts(self) -> list[str]:
        now = self.clock.monotonic()
        return [name for name, (at, _) in self._doubts.items() if at <= now]

    async def round(self, ask: Ask) -> float | None:
        self.look()
        if self._stock_at is not None and self._stock_at <= self.clock.monotonic():
            self._stock_at = None
            self.want_stock()
        for name in self._due_doubts():
            self.want(partial(self._resolve, name))
            self._doubts[name] = self.clock.monotonic() + QUEUE_AGAIN_MOST_S, self._doubts[name][1]
        return await super().round(ask)

    async def _resolve(self, name: str, ask: Ask) -> None:
        """While it has messages of the transaction left they are waited for, at ever longer intervals (E14)."""
        _, pause = self._doubts.pop(name)
        if name not in self.desk.in_doubt(self.station, also_running=True):
            return
        answer = await ask("GetTransactionStatus", {"transactionId": name})
        said = answer.payload if isinstance(answer, CallResult) and isinstance(answer.payload, dict) else None
        if said is None:
            await self._cannot_say(name)
        elif is_true(said, "messagesInQueue", []):
            self._doubts[name] = self.clock.monotonic() + pause, min(pause * 2, QUEUE_AGAIN_MOST_S)
        else:
            ongoing = is_true(said, "ongoingIndicator", []) if said.get("ongoingIndicator") is not None else None
            await self.desk.transaction_status(self.station, name, ongoing=ongoing)

    async def _cannot_say(self, name: str) -> None:
        """It does not know the question: what is missing of a transaction that ended had its time."""
        if name in self.desk.in_doubt(self.station, also_running=False):
            await self.desk.transaction_status(self.station, name, ongoing=None)

    # ---- calls by hand ----

    def calling(self, action: str, payload: Payload) -> None:
        if action in REQUESTS and "requestId" in payload:
            self._expect(action, payload, whole=is_whole(action, payload))

    async def called(self, action: str, payload: Payload, answer: Payload) -> None:
        status = status_of(answer)
        if action in REQUESTS:
            await self._reports_come(action, payload, status)
        elif action in ASK_AGAIN:
            self.want(partial(self._ask_list, ASK_AGAIN[action]))
        elif action == "GetVariables":
            await self._note_variables(variables_of_results(answer, []))
        elif action == "SetVariables":
            await self._note_variables(variables_set(payload, answer))
        elif action == "GetPeriodicEventStream":
            await self._note_streams(answer)
        elif action == "ChangeAvailability":
            await self.availability_changed(payload, answer)
        elif action == "GetCompositeSchedule" and status == "Accepted":
            schedule = answer.get("schedule")
            place = integer_of(payload, "evseId", []) or 0
            if isinstance(schedule, dict):
                put = {str(place): {"evse": place, "schedule": schedule}}
                await self.desk.list_changed(self.station, ReportKind.COMPOSITE_SCHEDULES, put, (), action)
        elif action == "ReserveNow" and status == "Accepted":
            put = {str(payload.get("id")): reservation(payload)}
            await self.desk.list_changed(self.station, ReportKind.RESERVATIONS, put, (), action)
        elif action == "CancelReservation" and status == "Accepted":
            gone = (str(payload.get("reservationId")),)
            await self.desk.list_changed(self.station, ReportKind.RESERVATIONS, {}, gone, action)

    async def _reports_come(self, action: str, payload: Payload, status: str) -> None:
        """Nothing will come where it said so: then the list is empty, or as it was."""
        if status == "Accepted":
            return
        kind, request = REQUESTS[action], payload["requestId"]
        self._assembler.forget(kind, request)
        whole = self._whole.pop((kind, request), None)
        if whole and status in EMPTY and isinstance(kind, ReportKind) and kind is not ReportKind.INVENTORY:
            await self.desk.listed(self.station, ListReport(kind, {}, action))

    async def _ask_list(self, action: str, ask: Ask) -> None:
        payload: dict[str, Any] = {"requestId": self.next_request()}
        if action == "GetChargingProfiles":
            payload["chargingProfile"] = {"chargingLimitSource": list(SOURCES)}
        self._expect(action, payload, whole=True)
        answer = await ask(action, payload)
        await self._reports_come(action, payload, status_of(answer))

    async def _note_variables(self, newer: list[Variable]) -> None:
        known = self.desk.report_of(self.station, ReportKind.INVENTORY)
        if newer and known is not None:
            put = items_of(updated(known.items, newer))
            await self.desk.list_changed(self.station, ReportKind.INVENTORY, put)

    async def objection(self, action: str, payload: Payload, ask: Ask) -> str | None:
        if moves_station(action, payload):
            return await self._moving(ask)
        if action != "SetChargingProfile":
            return None
        known = self.desk.report_of(self.station, ReportKind.CHARGING_PROFILES)
        return clashing_profile(payload, known.items) if known is not None else None

    async def _moving(self, ask: Ask) -> str | None:
        """It is sent elsewhere only out of service and with nothing left to tell here (B10.FR.05)."""
        if not self.desk.is_out_of_service(self.station):
            return "out_of_service"
        answer = await ask("GetTransactionStatus", {})
        said = answer.payload if isinstance(answer, CallResult) and isinstance(answer.payload, dict) else {}
        return "messagesInQueue" if is_true(said, "messagesInQueue", []) else None

    def customer_information(self) -> Mapping[str, Any] | None:
        if self._customer is None or self._customer[0] <= self.clock.monotonic():
            return None
        return self._customer[1]

    def monitor_missing(self) -> None:
        """Something was told of a monitor nobody knows: they are asked for, once a connection."""
        if not self._monitors_wanted:
            self._monitors_wanted = True
            self.want(partial(self._ask_list, "GetMonitoringReport"))

    def stream_missing(self) -> None:
        """Values of a stream nobody knows came: which there are is asked, once a connection (OCPP 2.1 N14)."""
        if not self._streams_wanted:
            self._streams_wanted = True
            self.want(self._ask_streams)

    async def _ask_streams(self, ask: Ask) -> None:
        answer = await ask("GetPeriodicEventStream", {})
        if isinstance(answer, CallResult) and isinstance(answer.payload, dict):
            await self._note_streams(answer.payload)

    async def _note_streams(self, answer: Payload) -> None:
        streams: dict[str, Any] = {}
        for each in objects(answer.get("constantStreamData")):
            stream = opened({"constantStreamData": each}, streams, [])
            if stream is not None:
                streams[stream[0]] = stream[1]
        await self.desk.listed(self.station, ListReport(ReportKind.EVENT_STREAMS, streams, "GetPeriodicEventStream"))

    def severities(self) -> Mapping[str, int]:
        """Of the monitors that are known."""
        known = self.desk.report_of(self.station, ReportKind.MONITORING)
        items = known.items if known is not None else {}
        return {key: each["severity"] for key, each in items.items() if isinstance(each.get("severity"), int)}
