"""All charge points a box knows, as its admin page lists them; and those that call and are not served. Pure.

Start at `station_list`.
"""

from collections.abc import Mapping
from datetime import datetime

import msgspec

from sitelink.ids import StationKey, station_key
from sitelink.model import Knock
from sitelink.status import status_of
from web_ui import wording
from web_ui.ports import Snapshot
from web_ui.views import tone_of


class StatedRow(msgspec.Struct, frozen=True):
    """A row of a job that names it."""

    number: str
    name: str
    connector: int
    status: str
    tone: str


class ListedStation(msgspec.Struct, frozen=True):
    """`kind`: vendor, model and firmware in one line; `rows` empty where no job names it."""

    identity: str
    kind: str
    version: str
    online: bool
    last_seen: datetime | None
    rows: tuple[StatedRow, ...]


class Caller(msgspec.Struct, frozen=True):
    """One in the waiting room. An identity may be missing."""

    identity: str
    kind: str
    version: str
    ip: str
    reason: str
    first_at: datetime | None
    at: datetime
    count: int


class StationList(msgspec.Struct, frozen=True):
    stations: tuple[ListedStation, ...]
    callers: tuple[Caller, ...]
    now: datetime
    seq: int

    @property
    def online(self) -> int:
        return sum(each.online for each in self.stations)


def station_list(snapshot: Snapshot, online: Mapping[StationKey, bool]) -> StationList:
    """In the order of their identities."""
    state = snapshot.state
    named = {row.station: row.identity for job in state.jobs.values() for row in state.rows(job) if row.identity}
    keys = sorted({*named, *state.stations})
    listed = [_listed(snapshot, key, named.get(key, str(key)), online.get(key, False)) for key in keys]
    knocks = sorted(state.knocks.values(), key=lambda knock: knock.at, reverse=True)
    return StationList(
        tuple(listed), tuple(_caller(each, snapshot.ocpp_url) for each in knocks), snapshot.now, snapshot.seq
    )  # fmt: skip


def _listed(snapshot: Snapshot, key: StationKey, identity: str, online: bool) -> ListedStation:
    state = snapshot.state
    station = state.stations.get(key)
    rows = state.rows_of_station(key)
    stated = []
    for job, row in rows:
        status = status_of(state, row)
        stated.append(StatedRow(job.number, row.name, row.connector, status.text, tone_of(status)))
    if station is None:
        return ListedStation(identity, "", "", online, None, tuple(stated))
    return ListedStation(
        station.identity, _kind(station.vendor, station.model, station.firmware), station.version or "", online,
        snapshot.last_seen.get(key) or station.last_seen, tuple(stated),
    )  # fmt: skip


def _caller(knock: Knock, ocpp_url: str) -> Caller:
    reason = wording.full(knock.reason, {"identity": knock.identity, "address": f"{ocpp_url}…"})
    return Caller(
        knock.identity, _kind(knock.vendor, knock.model, knock.firmware), knock.version or ", ".join(knock.offered),
        knock.ip, reason, knock.first_at, knock.at, knock.count,
    )  # fmt: skip


def _kind(vendor: str | None, model: str | None, firmware: str | None) -> str:
    said = " ".join(each for each in (vendor, model) if each)
    return ", ".join(each for each in (said, f"firmware {firmware}" if firmware else "") if each)


def is_known(snapshot: Snapshot, key: StationKey) -> bool:
    """Whether a job, a station or a caller has this identity."""
    state = snapshot.state
    return (
        key in state.stations
        or bool(state.rows_of_station(key))
        or any(station_key(knock.identity) == key for knock in state.knocks.values())
    )
