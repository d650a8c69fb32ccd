"""Which socket stands for which station: one serves, others of its name wait, and nobody is evicted in a loop.

A newcomer under a name that is taken is not believed at its word: the one before is pinged. Dead, it is replaced;
alive, only a newcomer from the same address that shows the station's password or certificate, or whose boot has the
same serial, replaces it. Sources: DESIGN §7 (10), (12); OCPP.md §4.1; SECURITY §3.2 and §3.4 (8). Start
at `Places.admit`.
"""

import contextlib
from collections.abc import Collection, Coroutine
from typing import Any

import structlog

from edge_agent.charge_points.handshake import Greeting
from edge_agent.charge_points.settings import OcppSettings
from edge_agent.charge_points.station import Connection, Role
from edge_agent.site.ports import Desk
from edge_agent.site.reports import BootReport
from edge_agent.site.trust import REFUSED_AT_THE_DOOR
from sitelink.errors import StoreUnavailable
from sitelink.ids import StationKey
from sitelink.states import Registration

log = structlog.get_logger()

DUPLICATE = "duplicate_identity"
UNSUPPORTED = "unsupported_subprotocol"


class Places:
    """All connections of the port, by the station they say they are."""

    def __init__(self, desk: Desk, settings: OcppSettings) -> None:
        self._desk = desk
        self._settings = settings
        self._all: set[Connection] = set()
        self._by_key: dict[StationKey, list[Connection]] = {}
        self._by_ip: dict[str, set[Connection]] = {}
        self._serving: dict[StationKey, Connection] = {}
        self._serials: dict[StationKey, str] = {}
        """Of the last boot of each station served here since the start."""

    @property
    def connections(self) -> Collection[Connection]:
        return self._all

    def serving(self, station: StationKey) -> Connection | None:
        return self._serving.get(station)

    def waiting_at(self, ip: str) -> int:
        """Connections from there that do not serve."""
        return sum(not each.is_serving for each in self._by_ip.get(ip, ()))

    def is_present(self, station: StationKey) -> bool:
        return station in self._by_key

    def add(self, connection: Connection) -> None:
        self._all.add(connection)
        self._by_ip.setdefault(connection.ip, set()).add(connection)
        self._by_key.setdefault(connection.key, []).append(connection)

    async def admit(self, connection: Connection, report: BootReport | None) -> None:
        """Decide what the connection is. With `report`, the boot it has just sent; without, as far as can be said."""
        key = connection.key
        standing = self._desk.standing(connection.identity, connection.greeting.proof)
        if connection.boot is None:
            connection.registration = standing.registration
        if not standing.served:
            await self._let_wait(connection, standing.reason or "unknown_identity", report)
            return
        while not connection.closed:
            current = self._serving.get(key)
            if current is None or current is connection:
                break
            undecided = connection.role is Role.NEW and report is None and not connection.has_called
            undecided = undecided and not connection.is_proven
            alive = await current.answers_ping()
            if alive and undecided and not connection.has_called:
                return
            if alive and not self._is_same(current, connection, report):
                await self._let_wait(connection, DUPLICATE, report)
                return
            if self._serving.get(key) is current:
                await self._replace(current, alive)
        await self._take_place(connection, report)

    def _is_same(self, current: Connection, newcomer: Connection, report: BootReport | None) -> bool:
        """Whether a station's own second socket: proven, or by the same serial in its boot; and from the same address.

        Proven, it also takes the place of one that is not, wherever that came from; the reverse never happens.
        """
        if newcomer.is_proven or current.is_proven:
            return newcomer.is_proven and (not current.is_proven or current.ip == newcomer.ip)
        known = current.boot.serial if current.boot is not None else self._serials.get(current.key)
        said = report.serial if report is not None else None
        return current.ip == newcomer.ip and known is not None and said == known

    async def _replace(self, current: Connection, alive: bool) -> None:
        del self._serving[current.key]
        current.role = Role.WAITING
        current.waiting_for = "replaced"
        current.retire("replaced", gently=alive)
        log.info("station_replaced", charge_point=current.identity, ip=current.ip, alive=alive)
        await self._quietly(self._desk.disconnected(current.key, "replaced"))

    async def _take_place(self, connection: Connection, report: BootReport | None) -> None:
        """It serves from now on. Called again for one that serves, it makes up for what could not be written before."""
        key = connection.key
        if connection.closed:
            return
        self._serving[key] = connection
        connection.role, connection.waiting_for = Role.SERVING, None
        if report is not None and report.serial is not None:
            self._serials[key] = report.serial
        if connection.recorded:
            return
        greeting = connection.greeting
        connection.noticed()
        ended = (UNSUPPORTED,) if self._is_doubted(key) else (UNSUPPORTED, DUPLICATE)
        connection.recorded = await self._quietly(
            self._desk.connected(
                connection.identity, connection.ip, connection.dialect.version, greeting.chosen, greeting.proof, ended
            )
        )

    async def _let_wait(self, connection: Connection, reason: str, report: BootReport | None) -> None:
        key, before = connection.key, connection.waiting_for
        if self._serving.get(key) is connection:
            del self._serving[key]
            await self._quietly(self._desk.disconnected(key, "closed"))
        connection.role, connection.waiting_for, connection.recorded = Role.WAITING, reason, False
        if reason != DUPLICATE and report is not None:
            return  # the desk notes the caller with its boot
        if before != reason or report is not None:
            await self._quietly(
                self._desk.knocked(connection.identity, connection.ip, reason, report, connection.greeting.offered)
            )
        serial = (report.serial if report is not None else None) or ""
        if reason != DUPLICATE or connection.duplicate_serial == serial:
            return
        connection.duplicate_serial = serial
        log.warning("identity_duplicated", charge_point=connection.identity, ip=connection.ip, serial=serial)
        await self._quietly(self._desk.faulted(key, DUPLICATE, {"ip": connection.ip, "serial": serial}))
        other = self._serving.get(key)
        proven = str(connection.is_proven).lower()
        detail = {"ip": connection.ip, "serial": serial, "proven": proven, "other_ip": other.ip if other else ""}
        await self._quietly(self._desk.noted(key, DUPLICATE, detail))

    async def remove(self, connection: Connection) -> None:
        """Its socket is closed. Only the one that serves takes the station with it."""
        key = connection.key
        self._all.discard(connection)
        neighbours = self._by_ip.get(connection.ip, set())
        neighbours.discard(connection)
        if not neighbours:
            self._by_ip.pop(connection.ip, None)
        others = self._by_key.get(key, [])
        with contextlib.suppress(ValueError):
            others.remove(connection)
        if not others:
            self._by_key.pop(key, None)
        if self._serving.get(key) is connection:
            del self._serving[key]
            await self._quietly(self._desk.disconnected(key, "closed"))
            self._give_chance(key)
        elif connection.waiting_for == DUPLICATE:
            await self._quietly(self._desk.knock_gone(connection.identity, connection.ip))
            await self._clear_duplicate(key)

    def _give_chance(self, key: StationKey) -> None:
        """The place is free: whoever stood second may boot now."""
        for other in self._by_key.get(key, ()):
            if not other.closed:
                other.spawn(other.ask_boot())
                return

    def _is_doubted(self, key: StationKey) -> bool:
        """Whether another of the name is there that may be it."""
        return any(each.waiting_for == DUPLICATE and not each.closed for each in self._by_key.get(key, ()))

    async def _clear_duplicate(self, key: StationKey) -> None:
        if not self._is_doubted(key):
            await self._quietly(self._desk.fault_cleared(key, DUPLICATE))

    async def recheck(self, station: StationKey) -> None:
        """The jobs changed."""
        for connection in list(self._by_key.get(station, ())):
            standing = self._desk.standing(connection.identity, connection.greeting.proof)
            if standing.reason in REFUSED_AT_THE_DOOR:
                await self._let_wait(connection, standing.reason, None)
                connection.retire(standing.reason, gently=True)
            elif connection.role is Role.SERVING and not standing.served:
                await self._let_wait(connection, standing.reason or "unknown_identity", None)
            elif connection.role is Role.WAITING and standing.served and station not in self._serving:
                if connection.boot is None and standing.registration is Registration.ACCEPTED:
                    connection.spawn(self.admit(connection, None))
                else:
                    connection.spawn(connection.ask_boot())

    async def speaks_nothing_known(self, greeting: Greeting) -> None:
        """It offered only what we do not speak: shown, and as a fault where it is expected."""
        await self._quietly(self._desk.knocked(greeting.identity, greeting.ip, UNSUPPORTED, None, greeting.offered))
        if greeting.key not in self._serving and self._desk.standing(greeting.identity, greeting.proof).served:
            detail = {"offered": ", ".join(greeting.offered)[:100]}
            await self._quietly(self._desk.faulted(greeting.key, UNSUPPORTED, detail))

    async def _quietly(self, writing: Coroutine[Any, Any, None]) -> bool:
        """Whether it was written. Where the disk takes nothing, the connection goes on and what it says is refused."""
        try:
            await writing
        except StoreUnavailable as error:
            log.warning("station_change_not_recorded", reason=error.fields.get("reason"))
            return False
        return True
