"""Decisions as the core makes them, and a store on a real disk. Made up for these tests."""

import sqlite3
import uuid
from collections.abc import AsyncIterator, Callable
from contextlib import asynccontextmanager
from pathlib import Path
from typing import Any

from edge_agent.site.ports import Decide, Decision, Ledger
from edge_agent.store.database import DATABASE
from edge_agent.store.store import Store, StoreSettings, open_store
from sitelink import events as e
from sitelink.ids import ChargePointId, CommandId, JobId, OpId, StationKey, TransactionId
from sitelink.model import SiteState
from sitelink.ops import BOX, STATION, Author, Fact
from sitelink.states import ActionName, AuthorizationStatus, AuthorType, CommandState, ConnectorStatus
from tests.doubles.clock import FakeClock

INSTALLER = Author(type=AuthorType.INSTALLER, link="link-1", name="Phone 1")
NOON = FakeClock().now()
CP001 = StationKey("cp001")


def new_id() -> str:
    return str(uuid.uuid4())


@asynccontextmanager
async def opened(data_dir: Path, clock: FakeClock | None = None, **settings: Any) -> AsyncIterator[Store]:
    """A store on `data_dir`, without a reserve unless told otherwise."""
    chosen = StoreSettings(data_dir, **{"reserve_bytes": 0, "probe_s": 0.02, **settings})
    async with open_store(chosen, clock or FakeClock(), new_id) as store:
        yield store


def writing(*facts: Fact) -> Decide[int]:
    """A decision that writes these facts and answers how many they are."""
    return lambda _ledger: Decision(facts, len(facts))


def connected(station: str = CP001) -> Fact:
    return Fact(f"station:{station}", e.StationConnected(identity=station.upper(), ip="192.0.2.9", version="1.6"), BOX)


def status(station: str = CP001, connector: int = 1, word: ConnectorStatus = ConnectorStatus.AVAILABLE) -> Fact:
    return Fact(f"station:{station}", e.ConnectorChanged(connector=connector, status=word, at=NOON), STATION)


def meter(content: str, station: str = CP001, connector: int = 1, watts: float = 7200.0) -> Fact:
    sample = e.MeterSample(measurand="Power.Active.Import", unit="W", value=watts)
    event = e.MeterValuesReported(connector=connector, at=NOON, samples=(sample,), content=content)
    return Fact(f"station:{station}", event, STATION)


def job(number: str = "1042", rows: int = 2) -> Fact:
    listed = tuple(
        e.ChargePointListed(id=ChargePointId(f"{number}-{row}"), name=f"Bay {row}", identity=f"CP{row:03}")
        for row in range(1, rows + 1)
    )
    event = e.JobImported(number=number, site_name="Harbour Garage", charge_points=listed, test_token="T1")
    return Fact(f"job:job-{number}", event, Author(type=AuthorType.OPERATOR), job=JobId(f"job-{number}"))


def note(text: str, row: str = "1042-1") -> Fact:
    return Fact(f"cp:{row}", e.NoteAdded(text=text), INSTALLER, job=JobId("job-1042"))


def completed(op_id: str, number: str = "1042") -> Fact:
    return Fact(f"job:job-{number}", e.JobCompleted(activate=(), round=1), INSTALLER, op_id=OpId(op_id))


def knock(id_: str) -> Fact:
    return Fact(f"knock:{id_}", e.Knocked(identity=id_, ip="192.0.2.7", reason="unknown_identity"), BOX)


def knock_cleared(id_: str) -> Fact:
    return Fact(f"knock:{id_}", e.KnockCleared(), BOX)


def requested(id_: str) -> Fact:
    event = e.CommandRequested(
        action=ActionName.UNLOCK, charge_point=ChargePointId("1042-1"), station=CP001, connector=1
    )
    return Fact(f"command:{id_}", event, INSTALLER)


def ended(id_: str) -> Fact:
    return Fact(f"command:{id_}", e.CommandEnded(state=CommandState.DONE, outcome="unlocked"), BOX)


def start(content: str, station: StationKey = CP001, connector: int = 1) -> Decide[TransactionId]:
    """A start as a station sends it: known by its content, however often it comes."""

    def decide(ledger: Ledger) -> Decision[TransactionId]:
        known = ledger.started(station, content)
        if known is not None:
            return Decision((), known.id)
        id_ = ledger.next_transaction_id()
        event = e.TransactionStarted(
            id=id_, connector=connector, id_token="ABC", at=ledger.now.wall, content=content,
            verdict=AuthorizationStatus.ACCEPTED, meter_start_wh=1200,
        )  # fmt: skip
        return Decision((Fact(f"station:{station}", event, STATION),), id_)

    return decide


def stop(id_: int, content: str, station: StationKey = CP001, reason: str = "Local") -> Decide[bool]:
    """True: it was new. One that is not known is stored under an id of its own."""

    def decide(ledger: Ledger) -> Decision[bool]:
        known = ledger.transaction(TransactionId(id_))
        if known is not None and known.station != station:
            known = None
        if known is not None and known.stopped_at is not None and known.reason != "Superseded":
            return Decision((), False)
        if ledger.stopped(station, content) is not None:
            return Decision((), False)
        event = e.TransactionStopped(
            id=known.id if known else ledger.next_transaction_id(), at=ledger.now.wall, content=content,
            meter_stop_wh=9000, reason=reason, orphan=known is None,
        )  # fmt: skip
        return Decision((Fact(f"station:{station}", event, STATION),), True)

    return decide


def contents(state: SiteState, *, readings: bool = True) -> dict[str, Any]:
    """All that stands in a state, order of first appearance included where it decides what goes first."""
    places = [
        "jobs",
        "charge_points",
        "stations",
        "transactions",
        "knocks",
        "commands",
        "links",
        "id_tokens",
        "local_lists",
    ]
    found: dict[str, Any] = {place: dict(getattr(state, place)) for place in places}
    found["order"] = [list(state.commands), list(state.stations), list(state.knocks), list(state.jobs)]
    found["closed"] = {station: list(ids) for station, ids in state._closed.items() if ids}
    if readings:
        found["readings"] = dict(state.readings)
    return found


def command_id(text: str) -> CommandId:
    return CommandId(text)


def look(data_dir: Path) -> sqlite3.Connection:
    """The database as another program sees it."""
    return sqlite3.connect(f"{(data_dir / DATABASE).as_uri()}?mode=ro", uri=True)


class FaultyConnection(sqlite3.Connection):
    """A real connection that fails as SQLite does, at statements that begin with `at`, for `times` more times."""

    at = ""
    name = ""
    times = 0

    def fail(self, at: str, name: str, times: int = 1) -> None:
        self.at, self.name, self.times = at, name, times

    def execute(self, sql: str, *arguments: Any) -> sqlite3.Cursor:
        self._maybe(sql)
        return super().execute(sql, *arguments)

    def executemany(self, sql: str, *arguments: Any) -> sqlite3.Cursor:
        self._maybe(sql)
        return super().executemany(sql, *arguments)

    def _maybe(self, sql: str) -> None:
        if self.times and sql.startswith(self.at):
            self.times -= 1
            error = sqlite3.OperationalError(f"made up: {self.name}")
            error.sqlite_errorname = self.name
            raise error


def faulty(path: Path) -> FaultyConnection:
    return sqlite3.connect(path, isolation_level=None, check_same_thread=False, factory=FaultyConnection)


Listener = Callable[[Any], None]
