"""Answers a station's calls: each becomes a report, the desk records it, and only then there is an answer.

What the versions have in common; `clerk_16` and `clerk_2x` say which message goes where. BootNotification is not here:
it decides who the connection belongs to (`station`). No sockets. Start at `BaseClerk.answer`.
"""

from collections.abc import Awaitable, Callable, Mapping
from typing import Any, ClassVar

from edge_agent.charge_points import certificate_calls, file_calls
from edge_agent.charge_points.dialect import Ask, Payload, Refused
from edge_agent.charge_points.readings import Found, kept, text_of
from edge_agent.charge_points.rpc import ErrorCode
from edge_agent.charge_points.schemas import Schemas
from edge_agent.charge_points.tending import Tending
from edge_agent.site.ports import Desk
from sitelink.clock import Clock
from sitelink.ids import StationKey
from sitelink.states import ReportKind

KNOWN_VENDORS = frozenset({"org.openchargealliance.iso15118pnc", "org.openchargealliance.costmsg"})
"""Vendors whose messages are published: that this box does nothing with them is no reason to doubt the vendor."""
Handler = Callable[[Any, Payload, Found], Awaitable[Payload]]
"""Takes the clerk first: one table serves all connections of a version."""


def of_file(action: str) -> Handler:
    """What is told of a file on its way."""

    async def answer(clerk: "BaseClerk", payload: Payload, found: Found) -> Payload:
        """Told of the file it means, by request id, else of the newest under way; else kept for the record."""
        await clerk.desk.transfer_told(clerk.station, file_calls.report(action, payload, found))
        return {}

    return answer


class BaseClerk:
    """Of one station. See `edge_agent.charge_points.dialect.Clerk`."""

    schemas: Schemas

    without_meaning: frozenset[str] = frozenset()
    """Actions of the version that are about something this box has not."""
    handlers: ClassVar[Mapping[str, Handler]] = {}
    """By action. The first line of each one's docstring is what the table of messages in docs/ocpp.md says."""
    heard: ClassVar[Mapping[str, Callable[[Any, Payload, Found], Awaitable[None]]]] = {}
    tending: Tending

    def __init__(self, desk: Desk, clock: Clock, station: StationKey) -> None:
        self.desk = desk
        self.clock = clock
        self.station = station
        self.keys_wanted: tuple[str, ...] = ()
        self.status_told = False
        """Whether it said its state by itself."""

    def answer(self, action: str, payload: Payload, found: Found) -> Awaitable[Payload]:
        handler = self.handlers.get(action)
        if handler is None:
            raise self.unknown(action)
        return handler(self, payload, found)

    async def hear(self, action: str, payload: Payload, found: Found) -> None:
        hearing = self.heard.get(action)
        if hearing is None:
            raise self.unknown(action)
        await hearing(self, payload, found)

    async def settle_in(self, ask: Ask, found: Found) -> None:
        """Nothing, where a version needs nothing."""

    async def ask_status(self, ask: Ask) -> None:
        """As `settle_in`."""

    async def sign_certificate(self, payload: Payload, _found: Found) -> Payload:
        """Signed by the site's authority or kept for the operator's; `Rejected` where it will not do."""
        request, number, ours = certificate_calls.request_of(payload)
        taken = ours and await self.desk.certificate_requested(self.station, request, number)
        return {"status": "Accepted" if taken else "Rejected"}

    async def security_event(self, payload: Payload, found: Found) -> Payload:
        """Kept for the record, and in the security log; always confirmed."""
        kind = text_of(payload, "type", found, 50) or "unknown"
        await self.desk.security_event(self.station, kind, kept(payload))
        return {}

    async def data_transfer(self, payload: Payload, found: Found) -> Payload:
        """Kept for the record; `UnknownVendorId`, or `UnknownMessageId` for a vendor that is known here."""
        await self.desk.message(self.station, "DataTransfer", kept(payload))
        vendor = text_of(payload, "vendorId", found, 255) or ""
        return {"status": "UnknownMessageId" if vendor.casefold() in KNOWN_VENDORS else "UnknownVendorId"}

    async def reservation_used(self, number: object) -> None:
        """A transaction began on it: it is none any more (OCPP 1.6 §5.13, 2.x H03)."""
        known = self.desk.report_of(self.station, ReportKind.RESERVATIONS)
        if known is not None and known.count:
            await self.desk.list_changed(self.station, ReportKind.RESERVATIONS, {}, (str(number),), "used")

    async def transaction_over(self, transaction: object) -> None:
        """Profiles that were for this transaction are gone with it (OCPP 1.6 §3.13.1, 2.x K01)."""
        known = self.desk.report_of(self.station, ReportKind.CHARGING_PROFILES)
        if transaction is None or known is None or not known.count:
            return
        profiles = ((key, each.get("profile")) for key, each in known.items.items() if isinstance(each, dict))
        gone = tuple(
            key for key, profile in profiles
            if isinstance(profile, dict) and profile.get("chargingProfilePurpose") == "TxProfile"
            and str(profile.get("transactionId")) == str(transaction)
        )  # fmt: skip
        if gone:
            await self.desk.list_changed(self.station, ReportKind.CHARGING_PROFILES, {}, gone, "ended")

    def unknown(self, action: str) -> Refused:
        """NotSupported where the version has the action, NotImplemented where it has not (OCPP-J 1.6 §4.2.3)."""
        if action in self.without_meaning:
            return Refused(ErrorCode.NOT_IMPLEMENTED, f"{action} has no meaning here")
        if action in self.schemas.actions:
            return Refused(ErrorCode.NOT_SUPPORTED, f"{action} is not offered here")
        return Refused(ErrorCode.NOT_IMPLEMENTED, f"OCPP {self.schemas.version} has no such action")
