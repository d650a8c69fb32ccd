"""A site put together op by op, and ops of every kind made by Hypothesis.

Start at `Site` for tables and scripts, at `events` and `histories` for laws.
"""

import types
import typing
from datetime import UTC, datetime, timedelta
from enum import StrEnum
from functools import cache
from typing import Any

import msgspec
from hypothesis import strategies as st

from sitelink import events as e
from sitelink.apply import apply, apply_to
from sitelink.folding.changes import Changes
from sitelink.ids import ChargePointId, JobId, OpId, StationKey, TransactionId, station_key
from sitelink.model import ChargePoint, Job, SiteState
from sitelink.ops import BOX, STATION, Author, Op, Stamp
from sitelink.packed import pack
from sitelink.states import (
    ActionName,
    AuthorizationStatus,
    AuthorType,
    CommandState,
    ConnectorStatus,
    Registration,
)

WHEN = datetime(2026, 11, 3, 14, 2, tzinfo=UTC)
INSTALLER = Author(type=AuthorType.INSTALLER, link="l1")
OPERATOR = Author(type=AuthorType.OPERATOR, name="desk")


class Site:
    """State and the ops that made it. Each op is a second later than the one before."""

    def __init__(self) -> None:
        self.state = SiteState()
        self.ops: list[Op] = []

    def record(
        self, entity: str, event: e.Event, *, author: Author = BOX, field: str | None = None,
        bases: tuple[OpId, ...] = (), job: str | None = None,
    ) -> Op:  # fmt: skip
        number = len(self.ops) + 1
        op = Op(
            op_id=OpId(f"op{number}"), entity=entity, event=event, author=author, field=field, bases=bases,
            prev=self.ops[-1].op_id if self.ops else None, job=JobId(job) if job else None,
            t=Stamp(boot="b", mono_ms=number * 1000, wall=WHEN + timedelta(seconds=number)),
        )  # fmt: skip
        self.apply(op)
        return op

    def apply(self, op: Op) -> Changes:
        self.ops.append(op)
        changes = apply(self.state, op)
        apply_to(self.state, changes)
        return changes

    def imported(self, *rows: e.ChargePointListed, job: str = "j1", number: str = "1042") -> Op:
        event = e.JobImported(number=number, site_name="Harbour Garage", charge_points=rows, test_token="T")
        return self.record(f"job:{job}", event)

    def set(self, row: str, field: str, value: str | int | bool | None, *, author: Author = INSTALLER) -> Op:
        """An edit by somebody who saw everything there is."""
        register = getattr(self.row(row), f"{field}_register")
        bases = tuple(head.op for head in register.heads)
        return self.record(f"cp:{row}", e.FieldSet(value), author=author, field=field, bases=bases)

    def boot(
        self, identity: str, verdict: Registration = Registration.ACCEPTED, *, serial: str | None = None,
        firmware: str | None = None, **traits: Any,
    ) -> None:  # fmt: skip
        self.record(_station(identity), e.StationConnected(identity=identity, ip="192.0.2.7", version="1.6"))
        event = e.StationBooted(identity=identity, vendor="V", model="M", verdict=verdict, serial=serial,
                                firmware=firmware, traits=e.Traits(**traits) if traits else None)  # fmt: skip
        self.record(_station(identity), event, author=STATION)

    def disconnect(self, identity: str, reason: str = "closed") -> None:
        self.record(_station(identity), e.StationDisconnected(reason=reason))

    def fault(self, identity: str, code: str, **detail: str) -> None:
        self.record(_station(identity), e.StationFaulted(code=code, detail=detail))

    def configure(self, identity: str, **values: str | None) -> None:
        self.record(_station(identity), e.StationConfigured(values=values))

    def connector(self, identity: str, number: int, status: ConnectorStatus, error_code: str = "NoError") -> None:
        event = e.ConnectorChanged(connector=number, status=status, at=WHEN, error_code=error_code)
        self.record(_station(identity), event, author=STATION)

    def start(self, identity: str, connector: int = 1, *, id_: int = 1, test: bool = False) -> None:
        event = e.TransactionStarted(
            id=TransactionId(id_), connector=connector, id_token="T", at=WHEN, content=f"start{id_}",
            verdict=AuthorizationStatus.ACCEPTED, meter_start_wh=0, test=test,
        )  # fmt: skip
        self.record(_station(identity), event, author=STATION)

    def stop(self, identity: str, id_: int = 1, reason: str = "Local") -> None:
        event = e.TransactionStopped(id=TransactionId(id_), at=WHEN, content=f"stop{id_}", reason=reason)
        self.record(_station(identity), event, author=STATION)

    def command(self, id_: str, row: str, action: ActionName) -> None:
        found = self.row(row)
        event = e.CommandRequested(
            action=action, charge_point=found.id, station=found.station, connector=found.connector
        )
        self.record(f"command:{id_}", event, author=INSTALLER)

    def command_ended(self, id_: str, state: CommandState = CommandState.DONE) -> None:
        self.record(f"command:{id_}", e.CommandEnded(state=state, outcome="x"))

    def row(self, id_: str) -> ChargePoint:
        return self.state.charge_points[ChargePointId(id_)]

    @property
    def job(self) -> Job:
        return self.state.jobs[JobId("j1")]


def bay(id_: str = "a", identity: str = "CP001", **other: Any) -> e.ChargePointListed:
    return e.ChargePointListed(id=ChargePointId(id_), name=f"Bay {id_}", identity=identity, **other)


def _station(identity: str) -> str:
    return f"station:{station_key(identity)}"


def snapshot(state: SiteState) -> bytes:
    """All of a state, to compare and to notice changes in place."""
    kinds = (
        state.jobs, state.charge_points, state.stations, state.transactions, state.readings, state.knocks,
        state.commands, state.links, state.id_tokens, state.local_lists, state.security, state.corrections,
        state.certificates, state.meters,
    )  # fmt: skip
    return msgspec.json.encode([[[str(key), value] for key, value in kind.items()] for kind in kinds])


# ---- ops made by Hypothesis ----

JOBS, ROWS, STATIONS, COMMANDS = ["j1", "j2"], ["a", "b", "c"], ["cp001", "cp002"], ["k1", "k2"]
texts = st.text(max_size=12)
identities = st.sampled_from(["", " ", "CP001", "cp002", "CP003"])
moments = st.integers(0, 10**15).map(lambda us: datetime(2020, 1, 1, tzinfo=UTC) + timedelta(microseconds=us))
json_values = st.recursive(
    st.none() | st.booleans() | st.integers(-(2**53), 2**53) | st.floats(allow_nan=False, allow_infinity=False) | texts,
    lambda inner: st.lists(inner, max_size=3) | st.dictionaries(texts, inner, max_size=3),
    max_leaves=4,
)
_BY_NAME: dict[str, st.SearchStrategy[Any]] = {
    "connector": st.integers(0, 3),
    "round": st.integers(1, 2),
    "verifier": st.sampled_from(["v1", "v2", "v3"]),
    "identity": identities,
    "code": st.sampled_from(["serial_changed", "duplicate_identity", "boot_rejected"]),
    "integration": st.sampled_from([None, "ocpp", "modbus"]),
    "measurand": st.sampled_from(["Power.Active.Import", "Current.Import"]),
    "location": st.sampled_from([None, "Outlet", "Inlet"]),
}
_BY_TYPE: dict[Any, st.SearchStrategy[Any]] = {
    Any: json_values,
    str: texts,
    int: st.integers(-5, 2**31),
    float: st.floats(allow_nan=False, allow_infinity=False),
    bool: st.booleans(),
    bytes: st.dictionaries(texts, texts, max_size=3).map(pack) | st.binary(max_size=20),
    type(None): st.none(),
    datetime: moments,
    JobId: st.sampled_from(JOBS),
    ChargePointId: st.sampled_from(ROWS),
    StationKey: st.sampled_from(STATIONS),
    TransactionId: st.integers(1, 6),
}
_ENTITIES = {"job": JOBS, "cp": ROWS, "station": STATIONS, "knock": ["n1", "n2"], "command": COMMANDS, "link": ["l1"],
             "id_token": ["04a1", "04a2"],
             "local_list": STATIONS, "meter": JOBS,
             "security": STATIONS, "certificate": ["0A", "0B"]}  # fmt: skip


@cache
def strategy_of(wanted: Any, name: str = "") -> st.SearchStrategy[Any]:
    """Values of an event's field, from its type; names that other ops refer to come from small pools."""
    if name in _BY_NAME:
        return _BY_NAME[name]
    if wanted in _BY_TYPE:
        return _BY_TYPE[wanted]
    origin, arguments = typing.get_origin(wanted), typing.get_args(wanted)
    if name == "phase" and origin is types.UnionType:
        return st.sampled_from([None, "L1", "L2"])
    if origin in (typing.Union, types.UnionType):
        return st.one_of([strategy_of(each) for each in arguments])
    if origin is tuple:
        return st.lists(strategy_of(arguments[0]), max_size=4).map(tuple)
    if origin is dict:
        keys = st.integers(0, 3) if arguments[0] is int else texts
        return st.dictionaries(keys, strategy_of(arguments[1]), max_size=3)
    if issubclass(wanted, StrEnum):
        return st.sampled_from(list(wanted))
    assert issubclass(wanted, msgspec.Struct), wanted
    hints = typing.get_type_hints(wanted)
    return st.builds(wanted, **{field: strategy_of(hints[field], field) for field in wanted.__struct_fields__})


events = st.sampled_from(sorted(e.KIND_BY_TYPE, key=str)).flatmap(strategy_of)


def entity_kind(kind: str) -> str:
    """What an event of this kind is about."""
    if kind in ("set", "note.add", "ownership"):
        return "cp"
    if kind.startswith("cmd."):
        return "command"
    if kind.startswith(("id_token", "local_list")):
        return kind.partition(".")[0]
    if kind.startswith(("knock", "link")):
        return kind.partition(".")[0].removesuffix("s")
    if kind.startswith(("profile", "credentials", "key", "security")):
        return "security"
    if kind.startswith("certificate"):
        return "certificate"
    if kind == "meter.read":
        return "meter"
    if kind.startswith(("station", "connector", "transaction", "meter.values")):
        return "station"
    return "job"


@st.composite
def ops(draw: st.DrawFn, number: int = 1, earlier: tuple[OpId, ...] = ()) -> Op:
    """One op about something of the small world above."""
    event = draw(events)
    known = st.sampled_from(earlier) if earlier else st.nothing()
    about = draw(st.sampled_from(_ENTITIES[entity_kind(e.KIND_BY_TYPE[type(event)])]))
    field = draw(st.sampled_from(["identity", "connector", "active", "maintenance", "colour"]))
    if isinstance(event, e.FieldSet):
        values = {"identity": identities, "connector": st.integers(1, 3)}.get(field, st.booleans())
        event = e.FieldSet(draw(values))
    return Op(
        op_id=OpId(f"op{number}"), event=event, author=draw(strategy_of(Author)), t=draw(strategy_of(Stamp)),
        entity=f"{entity_kind(e.KIND_BY_TYPE[type(event)])}:{about}", prev=earlier[-1] if earlier else None,
        job=draw(st.none() | st.sampled_from(JOBS).map(JobId)),
        field=field if isinstance(event, e.FieldSet) else None,
        bases=tuple(draw(st.lists(known, max_size=3, unique=True))) if earlier else (),
    )  # fmt: skip


@st.composite
def histories(draw: st.DrawFn, max_size: int = 18) -> list[Op]:
    """A job with three rows, and whatever happens then."""
    site = Site()
    site.imported(bay("a"), bay("b", "CP002", active=True), bay("c", ""))
    made = list(site.ops)
    for _ in range(draw(st.integers(0, max_size))):
        made.append(draw(ops(len(made) + 1, tuple(op.op_id for op in made))))
    return made
