"""The OCPP port: takes connections, decides which socket stands for which station, and reaches stations for the core.

Start at `OcppServer.serve`; for the core it is `edge_agent.site.ports.Stations`. Who is served is decided behind the
desk; here it is only carried out. What a caller may do to us before it is known is limited here. Sources: OCPP.md §8.1
R1, R2; §4.1; DESIGN §7 (9), (10), (12); SECURITY §4.2 and §7.1.
"""

import contextlib
import logging
import ssl
from collections import Counter, OrderedDict
from collections.abc import AsyncIterator, Callable, Mapping, Sequence
from datetime import datetime
from typing import Any

import structlog
from websockets.asyncio.server import ServerConnection, serve
from websockets.extensions.base import ServerExtensionFactory
from websockets.extensions.permessage_deflate import ServerPerMessageDeflateFactory
from websockets.http11 import Request, Response
from websockets.typing import Subprotocol

from edge_agent.charge_points import conduct, rpc
from edge_agent.charge_points.actions import action_of, actions_of
from edge_agent.charge_points.allowance import Allowance
from edge_agent.charge_points.asking import Answer
from edge_agent.charge_points.dialect import Dialect
from edge_agent.charge_points.dialects import dialect_of
from edge_agent.charge_points.door import Door, is_loopback
from edge_agent.charge_points.hand_calls import HandCalls
from edge_agent.charge_points.handshake import Greeting, greet, ip_of, is_browser, is_upgrade, mend
from edge_agent.charge_points.opening import OpeningSocket
from edge_agent.charge_points.places import Places
from edge_agent.charge_points.readings import Found
from edge_agent.charge_points.settings import OcppSettings, Timings
from edge_agent.charge_points.station import Connection
from edge_agent.charge_points.station_socket import Turns
from edge_agent.charge_points.trace import Trace
from edge_agent.site.ports import Action, Desk, LateAnswer
from edge_agent.site.reports import BootReport
from sitelink.clock import Clock
from sitelink.commands import Order, OrderAnswer
from sitelink.errors import NotFound, StationOffline, StoreUnavailable
from sitelink.frames import Frame
from sitelink.ids import StationKey, station_key

__all__ = ["OcppServer", "OcppSettings", "Timings"]

log = structlog.get_logger()

HARD_LIMIT = 4
"""A message so many times the allowed size closes its socket (WebSocket close code 1009)."""
HALF_OPEN_MAX = 128
HEADERS_MAX = 64
"""Of a handshake (SECURITY §7.1). A long address is cut (`handshake`): whoever calls so stands in the waiting room."""
PEERS_REMEMBERED = 512
STRANGER_LINES_PER_MIN = 60
"""Log lines about callers that are not served."""
CORRECTIONS_REMEMBERED = 64
TRACES_READ = 4
"""Stations whose frames are kept as they were shown."""
SOCKET_BUFFER_FRAMES = 8
WINDOW_BITS = 12
"""4 KiB of the past: frames of stations are seldom longer."""

_quiet = logging.getLogger("edge_agent.charge_points.websockets")
_quiet.propagate = False
_quiet.addHandler(logging.NullHandler())


class OcppServer:
    """`counts` are totals since the start by name, `corrections` by station and kind: for metrics and diagnosis."""

    def __init__(
        self, desk: Desk, clock: Clock, settings: OcppSettings | None = None, new_id: Callable[[], str] | None = None
    ) -> None:
        self.desk = desk
        self.clock = clock
        self.settings = settings or OcppSettings()
        self.counts: Counter[str] = Counter()
        self.corrections: dict[StationKey, Counter[str]] = {}
        self._new_id = new_id or _uuid
        self._places = Places(desk, self.settings)
        self._door = Door(desk, clock, self.settings)
        self._last_seen: dict[StationKey, datetime] = {}
        self._heard_at: dict[StationKey, float] = {}
        """Of the last frame, in monotonic seconds."""
        self._traces: dict[StationKey, Trace] = {}
        self._shown: OrderedDict[StationKey, Sequence[Frame]] = OrderedDict()
        """Of the stations whose frames are being looked at: masking them takes longer than all else about them."""
        self._hand_calls = HandCalls(clock)
        self._sockets: set[ServerConnection] = set()
        self._turns = Turns()
        self._peers_logged: set[tuple[str, str]] = set()
        self._strangers = Allowance(STRANGER_LINES_PER_MIN)

    @contextlib.asynccontextmanager
    async def serve(
        self, host: str | None = None, port: int = 0, tls: ssl.SSLContext | None = None
    ) -> AsyncIterator[int]:
        """Take connections for as long as the block runs; gives the port. Plain, or with `tls` encrypted."""
        timings = self.settings.timings

        class Socket(_Socket):
            door = self
            turns = self._turns
            clock = self.clock

        async with serve(
            self._handle, host, port, create_connection=Socket, process_request=self._greet,
            select_subprotocol=_select, compression=None, server_header=None, open_timeout=timings.handshake_s,
            ping_interval=None, ping_timeout=None, close_timeout=timings.close_s,
            max_size=self.settings.max_message_bytes * HARD_LIMIT, max_queue=SOCKET_BUFFER_FRAMES, logger=_quiet,
            ssl=tls, ssl_handshake_timeout=timings.handshake_s if tls is not None else None,
        ) as server:  # fmt: skip
            listening: int = next(iter(server.sockets)).getsockname()[1]
            log.info("ocpp_listening", port=listening, tls=tls is not None)
            yield listening

    # ---- what the core asks of the stations ----

    def is_online(self, station: StationKey) -> bool:
        return self._places.serving(station) is not None

    def last_seen(self, station: StationKey) -> datetime | None:
        return self._last_seen.get(station)

    def quiet_s(self, station: StationKey) -> float | None:
        heard_at = self._heard_at.get(station)
        return None if heard_at is None else self.clock.monotonic() - heard_at

    async def send(self, station: StationKey, order: Order, late: LateAnswer | None = None) -> OrderAnswer:
        connection = self._places.serving(station)
        if connection is None:
            raise self._not_reached(station)
        dialect = connection.dialect
        action, payload = dialect.call_for(order)
        if not dialect.may_be_sent(action, connection.registration):
            raise StationOffline(identity=station, sent=False)

        async def came_late(answer: Answer) -> None:
            if late is not None:
                await late(_order_answer(dialect, order, answer))

        if conduct.why_not(connection.quirks, action, payload) is not None:
            return OrderAnswer("NotSupported", accepted=False)
        found: Found = []
        answer = await connection.asking.in_its_way(action, payload, found, came_late)
        if found:
            self.corrected(connection, action, found)
        if isinstance(answer, rpc.CallResult) and isinstance(answer.payload, dict):
            with contextlib.suppress(StoreUnavailable):  # the station did as it was told all the same
                await connection.errands.called(action, payload, answer.payload)
        return _order_answer(dialect, order, answer)

    def _not_reached(self, station: StationKey) -> StationOffline:
        """It is away, or it is there and waits: then its cable is not to blame."""
        waits = {"reason": "not_served"} if self._places.is_present(station) else {}
        return StationOffline(identity=station, sent=False, **waits)

    async def call(self, station: StationKey, action: str, payload: dict[str, Any]) -> dict[str, Any]:
        connection = self._places.serving(station)
        if connection is None:
            raise self._not_reached(station)
        return await self._hand_calls.run(connection, action, payload)

    def hand_calls(self, station: StationKey) -> Sequence[dict[str, Any]]:
        return self._hand_calls.shown(station)

    def take_stock(self, station: StationKey) -> None:
        connection = self._places.serving(station)
        if connection is None:
            raise self._not_reached(station)
        connection.errands.want_stock()
        connection.tend()

    def customer_information(self, station: StationKey) -> Mapping[str, Any] | None:
        connection = self._places.serving(station)
        return connection.errands.customer_information() if connection is not None else None

    def frames(self, station: StationKey) -> Sequence[Frame]:
        trace = self._traces.get(station)
        if trace is None:
            return ()
        shown = trace.shown(self._shown.pop(station, ()))
        self._shown[station] = shown
        while len(self._shown) > TRACES_READ:
            self._shown.popitem(last=False)
        return shown

    def actions(self, station: StationKey) -> Sequence[str]:
        version = self._version_of(station)
        return actions_of(version) if version is not None else ()

    def action(self, station: StationKey, name: str) -> Action:
        version = self._version_of(station)
        try:
            return action_of(version or "", name, self.clock.now())
        except KeyError as exc:
            raise NotFound(what="action", key=name[:64]) from exc

    def _version_of(self, station: StationKey) -> str | None:
        """As it speaks now, else as it last booted."""
        connection = self._places.serving(station)
        return connection.dialect.version if connection is not None else self._booted_with(station)

    def newest_frame(self, station: StationKey) -> int:
        trace = self._traces.get(station)
        return trace.newest if trace is not None else 0

    async def reconnect(self, station: StationKey) -> None:
        connection = self._places.serving(station)
        if connection is not None:
            connection.retire("reconnect", gently=True)

    async def recheck(self, station: StationKey) -> None:
        await self._places.recheck(station)

    # ---- what its connections ask of it ----

    async def admit(self, connection: Connection, report: BootReport | None) -> None:
        await self._places.admit(connection, report)

    def seen(self, station: StationKey, at: datetime, monotonic_s: float) -> None:
        self._last_seen[station] = at
        self._heard_at[station] = monotonic_s

    def count(self, what: str, number: int = 1) -> None:
        self.counts[what] += number

    def corrected(self, connection: Connection, action: str, found: Found) -> None:
        """Count what was put right, and say each kind once a station."""
        self.counts["corrections"] += len(found)
        self.desk.corrected(connection.key, Counter(f"{action} {each}" for each in found))
        known = self.corrections.setdefault(connection.key, Counter())
        for each in found:
            kind = f"{action} {each}"
            if kind not in known and len(known) >= CORRECTIONS_REMEMBERED:
                kind = "more"
            known[kind] += 1
            if known[kind] == 1 and self.may_say(connection):
                log.info("message_corrected", charge_point=connection.identity, action=action, what=each)

    def may_say(self, connection: Connection) -> bool:
        """Whether a log line may be about it: always where it is served, within bounds of strangers."""
        if connection.is_serving or self.desk.standing(connection.identity, connection.greeting.proof).served:
            return True
        if self._strangers.take(self.clock.monotonic()):
            return True
        self.counts["log_lines_withheld"] += 1
        return False

    # ---- the handshake ----

    async def _greet(self, socket: ServerConnection, request: Request) -> Response | None:
        """The answer to an upgrade that is refused, or None; then `socket.greeting` is set."""
        ip = ip_of(socket.remote_address)
        refusal = self._refusal(request, ip)
        if refusal is None:
            table = self.settings.quirks
            mended = mend(request.headers, table.headers)
            caller = greet(
                request.path, request.headers, ip, self._booted_with, self._is_named, table.subprotocols, mended
            )
            greeting, refusal = await self._door.let_in(caller, request.headers, socket.transport)
            _own(socket).greeting = greeting
            socket.protocol.available_extensions = compression_for(greeting.version)
            if mended:
                self._say_once_a_peer("handshake_mended", ip, what=mended)
        if refusal is None:
            return None
        status, reason, text = refusal
        self.count(f"handshakes_refused_{reason}")
        self._say_once_a_peer("handshake_refused", ip, reason=reason, path=request.path[:80])
        response = socket.respond(status, text + "\n")
        if status == 401:
            response.headers["WWW-Authenticate"] = 'Basic realm="OCPP"'
        elif status == 426:
            response.headers["Upgrade"] = "websocket"
        elif status in (429, 503):
            response.headers["Retry-After"] = str(self.settings.retry_interval_s)
        return response

    def _booted_with(self, identity: str) -> str | None:
        kind = self.desk.kind(station_key(identity))
        return kind.version if kind is not None else None

    def _is_named(self, identity: str) -> bool:
        return self.desk.is_named(station_key(identity))

    def _refusal(self, request: Request, ip: str) -> tuple[int, str, str] | None:
        if not is_upgrade(request.headers):
            return 426, "no_websocket", "This is where charge points connect (OCPP over WebSocket)."
        if is_browser(request.headers):
            return 403, "browser", "Web pages may not connect here."
        if len(list(request.headers.raw_items())) > HEADERS_MAX:
            return 431, "many_headers", "Too many headers."
        connected = self._places.connections
        if len(connected) >= self.settings.max_connections:
            return 503, "too_many", "Too many connections."
        if is_loopback(ip):
            return None
        if self._places.waiting_at(ip) >= self.settings.unaccepted_per_ip:
            return 503, "too_many_of_address", "Too many connections from this address."
        return None

    def _say_once_a_peer(self, event: str, ip: str, **fields: Any) -> None:
        if (event, ip) in self._peers_logged or len(self._peers_logged) >= PEERS_REMEMBERED:
            return
        self._peers_logged.add((event, ip))
        log.info(event, ip=ip, **fields)

    # ---- the sockets ----

    def enter(self, socket: "_Socket") -> bool:
        """A TCP connection is there. False: too many are, it is to be dropped."""
        self._sockets.add(socket)
        return len(self._sockets) <= self.settings.max_connections + HALF_OPEN_MAX

    def leave(self, socket: "_Socket") -> None:
        self._sockets.discard(socket)
        if socket.greeting is None:
            self.count("handshakes_abandoned")

    async def _handle(self, socket: ServerConnection) -> None:
        """One connection, from handshake to end. Whatever goes wrong in it ends with it."""
        own = _own(socket)
        greeting = own.greeting
        if greeting is None:
            return
        version = greeting.version
        if version is None:
            await self._places.speaks_nothing_known(greeting)
            self._say_once_a_peer("subprotocol_unsupported", greeting.ip, offered=greeting.offered)
            await socket.close(1002, "no common subprotocol")
            return
        trace = self._traces.setdefault(greeting.key, Trace())
        connection = Connection(own, greeting, dialect_of(version), self, trace, self._new_id)
        self._places.add(connection)
        self.count("connections")
        if self.may_say(connection):
            log.info("station_connected", charge_point=greeting.identity, ip=greeting.ip, subprotocol=greeting.chosen)
        if greeting.flaws:
            self.corrected(connection, "handshake", list(greeting.flaws))
        try:
            await connection.run()
        except* Exception:
            self.count("faults")
            log.exception("connection_failed", charge_point=greeting.identity)
        finally:
            if self.may_say(connection):
                log.info("station_disconnected", charge_point=greeting.identity, code=socket.close_code)
            await self._places.remove(connection)
            self._forget(greeting.key)

    def _forget(self, station: StationKey) -> None:
        """Of a stranger that is gone nothing stays in memory."""
        if not self._places.is_present(station) and station not in self._last_seen:
            self._traces.pop(station, None)
            self._shown.pop(station, None)
            self._hand_calls.forget(station)
            self.corrections.pop(station, None)


class _Socket(OpeningSocket):
    """A socket of this server, from its TCP connection on."""

    door: OcppServer
    greeting: Greeting | None = None

    @property
    def chosen(self) -> str | None:
        return self.greeting.chosen if self.greeting is not None else None

    def connection_made(self, transport: Any) -> None:
        super().connection_made(transport)
        if not self.door.enter(self):
            self.door.count("connections_dropped")
            transport.abort()

    def connection_lost(self, exc: Exception | None) -> None:
        super().connection_lost(exc)
        self.door.leave(self)


def compression_for(version: str | None) -> list[ServerExtensionFactory]:
    """OCPP 2.x demands permessage-deflate of us (Part 4, 2.0.1 §3.3, 2.1 §3.4); under 1.6 stations break by it.

    Without context takeover, which some get wrong, and with small windows: memory is paid for each station. The limit
    on a message holds for what it inflates to.
    """
    if version in (None, "1.6"):
        return []
    return [
        ServerPerMessageDeflateFactory(
            server_no_context_takeover=True, client_no_context_takeover=True, server_max_window_bits=WINDOW_BITS,
            client_max_window_bits=WINDOW_BITS, compress_settings={"memLevel": 5}, require_client_max_window_bits=False,
        )
    ]  # fmt: skip


def _own(socket: ServerConnection) -> _Socket:
    if not isinstance(socket, _Socket):
        raise TypeError(f"not a socket of this server: {socket!r}")
    return socket


def _select(socket: ServerConnection, _offered: Sequence[Subprotocol]) -> Subprotocol | None:
    """What was chosen of the offered; None completes the handshake without the header (OCPP.md §8.1 R2)."""
    chosen = _own(socket).chosen
    return Subprotocol(chosen) if chosen is not None else None


def _order_answer(dialect: Dialect, order: Order, answer: Answer) -> OrderAnswer:
    if isinstance(answer, rpc.CallError):
        payload = {"errorCode": answer.code, "errorDescription": answer.description}
        return OrderAnswer(answer.code, accepted=False, payload=payload)
    return dialect.order_answer(order, answer.payload)


def _uuid() -> str:
    import uuid

    return str(uuid.uuid4())
