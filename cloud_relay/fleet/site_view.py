"""A site as pages and APIs of the cloud show it: the same snapshot as on the box, and how far it goes. Pure.

Start at `snapshot_of`.
"""

from collections.abc import Collection, Sequence
from datetime import datetime, timedelta

import msgspec

from cloud_relay.fleet.ids import GatewayId
from cloud_relay.fleet.log_records import BoxLink, Held
from sitelink.model import MeterReading, SiteState, Station
from sitelink.states import JobStatus
from web_ui.ports import MeterState, Relay, Snapshot

METER_TOLD_WITHIN = timedelta(minutes=5)


class Sync(msgspec.Struct, frozen=True):
    """`delivered`: the box has all of the site's log. `as_of`: when the box was last heard; None: never."""

    delivered: bool
    as_of: datetime | None
    gateway_online: bool


def sync_of(held: Held, links: Sequence[BoxLink], online: Collection[GatewayId]) -> Sync:
    seen = [link.seen_at for link in links if link.seen_at is not None]
    return Sync(
        delivered=bool(links) and all(link.cursor >= held.version.place for link in links),
        as_of=max(seen, default=None), gateway_online=any(link.gateway in online for link in links),
    )  # fmt: skip


def snapshot_of(held: Held, sync: Sync, now: datetime) -> Snapshot:
    """What of it only the box knows (its addresses, its disk) is left out."""
    state = held.state
    heard = {key: last_heard(state, station) for key, station in state.stations.items()}
    seen = {key: at for key, at in heard.items() if at is not None}
    return Snapshot(
        state=state, now=now, seq=held.version.place + held.version.written, last_seen=seen,
        pairing_open={job.id: job.open_pairing and job.status is JobStatus.OPEN for job in state.jobs.values()},
        relay=Relay(configured=True, connected=sync.gateway_online, since=sync.as_of), trouble=None, ocpp_url="",
        in_cloud=True, meters={key: _meter(each, now) for key, each in state.meters.items()},
    )  # fmt: skip


def _meter(told: MeterReading, now: datetime) -> MeterState:
    """What came up last; after some minutes nobody knows how it stands now."""
    old = now - told.at > METER_TOLD_WITHIN
    return MeterState("not_told" if old else "", told.values, at=told.at, since=told.at if old else None)


def last_heard(state: SiteState, station: Station) -> datetime | None:
    """When its newest message that reached the cloud was sent. What says nothing new stays at the box."""
    values = (state.readings.get((station.id, number)) for number in (0, *station.connectors))
    times = (
        station.last_seen, station.booted_at, *(connector.at for connector in station.connectors.values()),
        *(each.at for each in values if each is not None),
    )  # fmt: skip
    return max((at for at in times if at is not None), default=None)
