"""The door of the OCPP port: who shows what, and who is turned away with 401, 404 or 429 before a WebSocket opens.

Whether a station is served is decided behind the desk; here it is asked, and guessing is made slow. The answers to a
station with a wrong password and to one that is not known differ in nothing but the number. Sources: SECURITY §3.4 (2),
(9); OCPP 2.0.1 A00.FR.002, FR.204 to 207; DESIGN §7 (10). Start at `Door.let_in`.
"""

import asyncio
import contextlib
import ipaddress
from functools import lru_cache
from typing import Any

from msgspec.structs import replace
from websockets.datastructures import Headers

from edge_agent.charge_points.attempts import Attempts
from edge_agent.charge_points.handshake import Greeting, shown_by
from edge_agent.charge_points.settings import OcppSettings
from edge_agent.site.ports import Desk
from edge_agent.site.trust import REFUSED_AT_THE_DOOR, Presented, Proof, Trust
from sitelink.clock import Clock
from sitelink.errors import StoreUnavailable

Refusal = tuple[int, str, str]
"""HTTP status, a code for counts and logs, the body."""
BODY = "Not served here."


class Door:
    """Of one server, plain and encrypted ports together."""

    def __init__(self, desk: Desk, clock: Clock, settings: OcppSettings) -> None:
        self._desk = desk
        self._clock = clock
        self._settings = settings
        self._attempts = Attempts()

    async def let_in(self, greeting: Greeting, headers: Headers, transport: Any) -> tuple[Greeting, Refusal | None]:
        """The greeting with what its proof is worth, and why it does not come in, if so."""
        tls = transport.get_extra_info("ssl_object")
        shown = shown_by(headers, tls is not None, tls.getpeercert() if tls is not None else None)
        ip, station, loopback = greeting.ip, greeting.key, is_loopback(greeting.ip)
        limited = shown.password is not None and self._attempts.is_limited(
            ip, station, self._clock.monotonic(), loopback=loopback
        )
        if not limited:
            return await self._judge(greeting, shown, limited=False)
        if not self._attempts.enter(ip, station):
            return greeting, (429, "guessing", BODY)
        try:
            await asyncio.sleep(self._settings.timings.guess_penalty_s)
            return await self._judge(greeting, shown, limited=True)
        finally:
            self._attempts.leave(ip, station)

    async def _judge(self, greeting: Greeting, shown: Presented, *, limited: bool) -> tuple[Greeting, Refusal | None]:
        proof = await self._desk.prove(greeting.identity, shown)
        greeting = replace(greeting, proof=proof)
        standing = self._desk.standing(greeting.identity, proof)
        reason = standing.reason
        if standing.served or (self._settings.security != "strict" and reason not in REFUSED_AT_THE_DOOR):
            return greeting, None
        if proof.trust in (Trust.WRONG, Trust.UNKNOWN) or proof.reason == "wrong_user":
            self._wrong(greeting, proof)
        with contextlib.suppress(StoreUnavailable):
            await self._desk.refused(greeting.identity, greeting.ip, reason or "unknown_identity", proof)
        if limited:
            return greeting, (429, "guessing", BODY)
        return greeting, (401 if reason in REFUSED_AT_THE_DOOR else 404, reason or "unknown_identity", BODY)

    def _wrong(self, greeting: Greeting, proof: Proof) -> None:
        if proof.certificate is None:
            loopback = is_loopback(greeting.ip)
            self._attempts.wrong(greeting.ip, greeting.key, self._clock.monotonic(), loopback=loopback)


@lru_cache(maxsize=1024)
def is_loopback(ip: str) -> bool:
    try:
        return ipaddress.ip_address(ip).is_loopback
    except ValueError:
        return False
