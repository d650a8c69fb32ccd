"""What a version of OCPP is to the rest of the port: its schemas, its words, its rules. One value a version.

The shell (`station`, `server`) knows no version; it asks the dialect its socket speaks. The three there are stand in
`dialects`. Pure. Sources: OCPP-J 1.6 §4, OCPP 2.0.1 and 2.1 Part 4 §4; OCPP.md §8.1 R3 to R8. Start at `Dialect`.
"""

from collections.abc import Awaitable, Callable, Mapping
from dataclasses import dataclass
from datetime import UTC, datetime
from typing import Any, Protocol

from edge_agent.charge_points.quirks import Quirks
from edge_agent.charge_points.readings import Found
from edge_agent.charge_points.rpc import CallError, CallResult, ErrorCode
from edge_agent.charge_points.schemas import Schemas
from edge_agent.site.ports import Desk
from edge_agent.site.reports import BootAnswer, BootReport
from sitelink.clock import Clock
from sitelink.commands import Order, OrderAnswer
from sitelink.ids import StationKey
from sitelink.states import Registration

Payload = dict[str, Any]
Ask = Callable[[str, Payload], Awaitable[CallResult | CallError]]
"""Send a call and wait for its answer. Raises NoAnswer, StationOffline."""


class Refused(Exception):
    """A call that gets a CALLERROR."""

    def __init__(self, code: ErrorCode, description: str) -> None:
        super().__init__(code, description)
        self.code = code
        self.description = description


class Unusable(Exception):
    """The message says nothing that could be recorded or answered; `code` is the CALLERROR it gets."""

    def __init__(self, code: ErrorCode, where: str) -> None:
        super().__init__(code, where)
        self.code = code
        self.where = where

    @property
    def problem(self) -> str:
        """What is wrong there, for the station's log."""
        return _UNUSABLE.get(self.code, "cannot be used")


_UNUSABLE = {
    ErrorCode.OCCURENCE_CONSTRAINT_VIOLATION: "is needed",
    ErrorCode.TYPE_CONSTRAINT_VIOLATION: "is of a type nothing can be made of",
    ErrorCode.PROPERTY_CONSTRAINT_VIOLATION: "is out of range",
}


class Errands(Protocol):
    """What the box asks a station of its own accord; see `tending`."""

    quirks: Quirks

    @property
    def waiting(self) -> bool: ...

    def want_stock(self) -> None: ...

    def look_again(self) -> None: ...

    async def round(self, ask: Ask) -> float | None: ...

    def calling(self, action: str, payload: Payload) -> None: ...

    async def called(self, action: str, payload: Payload, answer: Payload) -> None: ...

    async def objection(self, action: str, payload: Payload, ask: Ask) -> str | None: ...

    def facts(self) -> Mapping[str, int]: ...

    def customer_information(self) -> Mapping[str, Any] | None:
        """What was last told of a customer, masked, while it is remembered."""
        ...


class Clerk(Protocol):
    """Answers the calls of one station in one version; see `clerk`."""

    keys_wanted: tuple[str, ...]
    """Configuration keys it is asked for when it settles in, beside what every station is asked."""

    @property
    def tending(self) -> Errands: ...

    def answer(self, action: str, payload: Payload, found: Found) -> Awaitable[Payload]:
        """The payload of the CALLRESULT. Raises Refused, Unusable, StoreUnavailable."""
        ...

    async def hear(self, action: str, payload: Payload, found: Found) -> None:
        """A message that is never answered. Raises as `answer`."""
        ...

    async def settle_in(self, ask: Ask, found: Found) -> None:
        """An accepted boot was answered: ask what a site needs to know. Raises SiteError where that does not work."""
        ...

    async def ask_status(self, ask: Ask) -> None:
        """Ask for the state of every connector, unless it was told meanwhile."""
        ...


@dataclass(frozen=True)
class Dialect:
    """`version` as people write it. `safe_before_acceptance`: what may be asked of a station that is not accepted.

    `repeated_as_is`: messages that are answered from memory when they come again under their id (R4).
    """

    version: str
    schemas: Schemas
    safe_before_acceptance: frozenset[str]
    repeated_as_is: frozenset[str]
    facts: frozenset[str] | None
    """What is heard of a station that is not accepted yet, beside its boot: what happened. None: everything."""
    names: Mapping[str, frozenset[str]]
    """The properties each message of a station may have; others are passed over and counted."""
    boot_report: Callable[[Payload, Found], BootReport]
    boot_answer: Callable[[BootAnswer, datetime], Payload]
    call_for: Callable[[Order], tuple[str, Payload]]
    """The action and payload of an order. Raises CallInvalid for one this version has no call for."""
    order_answer: Callable[[Order, Any], OrderAnswer]
    not_now: Callable[[str, Payload, Registration], str | None]
    """Where a call that fits its schema breaks a rule of the version all the same; None when it breaks none."""
    shown_answer: Callable[[str, Payload], Payload]
    """A CALLRESULT as a person may see it: secrets are never read back (OCPP.md §8.2)."""
    clerk: Callable[[Desk, Clock, StationKey], Clerk]
    has_sends: bool = False
    """Message types 5 and 6."""
    answers_unreadable: bool = False
    """A frame without an id gets a CALLERROR of id "-1" (R6)."""
    answers_unknown_types: bool = False
    spellings: Mapping[ErrorCode, str] | None = None
    """Error codes it writes otherwise than OCPP 1.6."""

    def spell(self, code: ErrorCode) -> str:
        return (self.spellings or {}).get(code, code.value)

    def extra_properties(self, action: str, payload: Payload, found: Found) -> None:
        """Name the properties this version does not have in this message."""
        known = self.names.get(action)
        if known is not None and not payload.keys() <= known:
            found += [f"extra_property:{key[:40]}" for key in payload if key not in known]

    def may_be_sent(self, action: str, registration: Registration) -> bool:
        """What the central system may ask of a station that stands so (OCPP 1.6 §4.2, OCPP 2.0.1 B02 and B03)."""
        if registration is Registration.ACCEPTED:
            return True
        return registration is not Registration.REJECTED and action in self.safe_before_acceptance


def time_text(at: datetime) -> str:
    """UTC with a Z and milliseconds: other forms break stations (OCPP 1.6 §3.15)."""
    return f"{at.astimezone(UTC).replace(tzinfo=None).isoformat(timespec='milliseconds')}Z"


def registration_word(verdict: Registration) -> str:
    return Registration.PENDING.value if verdict is Registration.NONE else verdict.value
