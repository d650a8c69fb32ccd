"""What people do about the security of charge points: passwords, pairing anew, and keys handed out on request.

A key is made here, sent once, and kept nowhere in plain; what is kept is decided in `key_rules` and written down before
it is sent. Start at `SecurityService.push_key`. Sources: SECURITY §3.4 (2) to (5); OCPP 2.0.1 A01; the same in the 1.6
security whitepaper; DESIGN §7 (20): only by choice.
"""

import asyncio
from collections.abc import Callable, Iterable, Mapping, Sequence
from dataclasses import dataclass
from typing import Any

import msgspec
import structlog

from edge_agent.site import key_rules
from edge_agent.site.ports import Committed, History, Journal, Stations
from edge_agent.site.security_log import SECURITY_KINDS
from edge_agent.site.trust import security_of
from edge_agent.site.verifiers import PASSWORD_MAX_BYTES, fast_verifier, new_key, slow_verifier
from sitelink.commands import OrderAnswer, Reset, SetKey
from sitelink.errors import KeyUnderway, NoAnswer, PasswordInvalid, SiteError, StationOffline
from sitelink.events import CertificateIssued, CertificateRevoked, Knocked, SecurityNoted
from sitelink.ids import JobId, StationKey, station_key
from sitelink.ops import Author, Op
from sitelink.redact import redact
from sitelink.security import KeyState

log = structlog.get_logger()

KEYS_AT_ONCE = 4
LOG_LOOKED_AT = 500
"""Entries of the log that are looked through for those about one station."""
PASSWORD_MIN_BYTES = 8
"""OCPP wants 16 (A00.FR.205); stations of the field come with shorter ones that cannot be changed."""


class KeyPatience(msgspec.Struct, frozen=True):
    """Seconds. A station that took a key should call again by itself (A01.FR.09); else we end its connection."""

    calls_again_s: float = 10
    shows_it_s: float = 120


@dataclass(frozen=True, slots=True)
class _Push:
    station: StationKey
    key: str
    verifier: str

    def __repr__(self) -> str:
        return f"_Push({self.station!r})"


class SecurityService:
    """`run` is a long-lived task; without it keys are written down as offered and wait."""

    def __init__(
        self, journal: Journal, stations: Stations, history: History, patience: KeyPatience | None = None
    ) -> None:
        self._journal = journal
        self._history = history
        self._stations = stations
        self._patience = patience or KeyPatience()
        self._queue: asyncio.Queue[_Push] = asyncio.Queue(2048)
        self._underway: set[StationKey] = set()
        self._waiters: set[asyncio.Event] = set()
        journal.subscribe(self._committed)

    async def log(self, limit: int, before: int | None) -> Sequence[Mapping[str, Any]]:
        """The security log, newest first, from below the journal key `before`."""
        found = await self._history.ops_of(SECURITY_KINDS, limit, before)
        return [_entry(seq, op) for seq, op in found]

    async def log_of(self, station: StationKey, limit: int) -> Sequence[Mapping[str, Any]]:
        """What of its newest part is about one station."""
        found = await self._history.ops_of(SECURITY_KINDS, LOG_LOOKED_AT, None)
        entries = (_entry(seq, op) for seq, op in found)
        return [entry for entry in entries if entry["about"] == station][:limit]

    # ---- passwords and pairing ----

    async def set_password(self, station: StationKey, password: str, author: Author) -> None:
        """As the station sends it; 40 hex digits also mean the bytes they stand for. Raises PasswordInvalid."""
        plain = password.encode("utf-8", "surrogatepass")
        if not PASSWORD_MIN_BYTES <= len(plain) <= PASSWORD_MAX_BYTES or any(ord(each) < 32 for each in password):
            raise PasswordInvalid(allowed=f"{PASSWORD_MIN_BYTES} to {PASSWORD_MAX_BYTES} bytes, no control characters")
        verifier = await asyncio.to_thread(slow_verifier, plain)
        await self._journal.write(key_rules.decide_password(station, verifier, author))
        await self._stations.recheck(station)

    async def remove_password(self, station: StationKey, author: Author) -> None:
        await self._journal.write(key_rules.decide_no_password(station, author))
        await self._stations.recheck(station)

    async def let_user_differ(self, station: StationKey, author: Author, *, may_differ: bool) -> None:
        await self._journal.write(key_rules.decide_user(station, author, may_differ=may_differ))
        await self._stations.recheck(station)

    async def pair_anew(self, station: StationKey, author: Author, *, job: JobId | None = None) -> None:
        """Let it in once, whatever it shows; what it then shows is what it is held to."""
        await self._journal.write(key_rules.decide_pair_anew(station, author, job=job))
        await self._stations.recheck(station)

    # ---- keys ----

    async def push_key(self, station: StationKey, author: Author) -> None:
        """Make a key for it and set it on its way. Raises StationOffline, KeyUnderway, StoreUnavailable."""
        if station in self._underway:
            raise KeyUnderway(identity=station)
        if not self._stations.is_online(station):
            raise StationOffline(identity=station, sent=False)
        key = new_key()
        push = _Push(station, key, fast_verifier(bytes.fromhex(key)))
        self._underway.add(station)
        try:
            await self._journal.write(key_rules.decide_offer(station, push.verifier, author))
            self._queue.put_nowait(push)
        except BaseException:
            self._underway.discard(station)
            raise

    async def secure(self, stations: Iterable[StationKey], author: Author) -> list[StationKey]:
        """A key for each of them that is connected; those it was set on its way to."""
        begun = []
        for station in dict.fromkeys(stations):
            try:
                await self.push_key(station, author)
            except (StationOffline, KeyUnderway):
                continue
            begun.append(station)
        return begun

    async def run(self) -> None:
        """Hand out keys for ever, a few at a time."""
        async with asyncio.TaskGroup() as group:
            for number in range(KEYS_AT_ONCE):
                group.create_task(self._serve(), name=f"keys {number}")

    async def _serve(self) -> None:
        while True:
            push = await self._queue.get()
            try:
                await self._hand_out(push)
            except SiteError as error:
                log.warning("key_not_settled", charge_point=push.station, code=error.code)
            except Exception:
                log.exception("key_failed", charge_point=push.station)
            finally:
                self._underway.discard(push.station)

    async def _hand_out(self, push: _Push) -> None:
        async def late(answer: OrderAnswer) -> None:
            await self._answered(push, key_rules.reading(answer.word, accepted=answer.accepted), answer.word)

        try:
            answer = await self._stations.send(push.station, SetKey(push.key), late)
        except StationOffline as error:
            sent = bool(error.fields.get("sent"))
            await self._answered(push, KeyState.UNCERTAIN if sent else KeyState.REFUSED, None)
            return
        except NoAnswer:
            await self._answered(push, KeyState.UNCERTAIN, None)
            return
        state = key_rules.reading(answer.word, accepted=answer.accepted)
        if await self._answered(push, state, answer.word):
            await self._bring_into_use(push, restart=answer.word == "RebootRequired")

    async def _answered(self, push: _Push, state: KeyState, word: str | None) -> bool:
        """Whether the key may come into use now."""
        settled = await self._journal.write(key_rules.decide_key_answer(push.station, push.verifier, state, word))
        log.info("key_answered", charge_point=push.station, state=state.value, word=word)
        return settled and state is not KeyState.REFUSED

    async def _bring_into_use(self, push: _Push, *, restart: bool) -> None:
        """It should call again and show the key. A restart is asked for only where nobody charges."""
        if restart:
            known = self._journal.state.stations.get(push.station)
            if known is not None and not known.transactions:
                await self._stations.send(push.station, Reset(hard=False))
        elif not await self._until(lambda: self._is_shown(push), self._patience.calls_again_s):
            await self._stations.reconnect(push.station)
        if not await self._until(lambda: self._is_shown(push), self._patience.shows_it_s):
            log.warning("key_not_shown", charge_point=push.station)

    def _is_shown(self, push: _Push) -> bool:
        credential = security_of(self._journal.state, push.station).credential
        return credential is not None and credential.verifier == push.verifier and credential.proven

    async def _until(self, condition: Callable[[], bool], patience_s: float) -> bool:
        wake = asyncio.Event()
        self._waiters.add(wake)
        try:
            async with asyncio.timeout(patience_s):
                while not condition():
                    wake.clear()
                    await wake.wait()
        except TimeoutError:
            return False
        finally:
            self._waiters.discard(wake)
        return True

    def _committed(self, _committed: Committed) -> None:
        for wake in self._waiters:
            wake.set()


def _entry(seq: int, op: Op) -> dict[str, Any]:
    """An op as people may see it: whom it is about, without verifiers, requests and other secrets."""
    of, _, name = op.entity.partition(":")
    event, kind, about = op.event, op.kind, name or None
    detail = redact(msgspec.to_builtins(event))
    if isinstance(event, SecurityNoted):
        kind, detail = event.code, {**event.detail, "count": event.count}
    elif isinstance(event, Knocked):
        about = station_key(event.identity) or None
    elif isinstance(event, CertificateIssued):
        about, detail = event.station, {**detail, "serial": name}
    elif isinstance(event, CertificateRevoked):
        about, detail = None, {"serial": name}
    detail.pop("csr", None)
    by = op.author.name or op.author.type.value
    about = about if of in ("security", "knock", "certificate", "station") else None
    return {"seq": seq, "at": op.t.wall, "kind": kind, "about": about, "by": by, "detail": detail}
