"""The charge points of a site as an operator counts them: each once, whatever jobs name it. Pure.

A place (a station and its connector) is the row of the job that counts there: an open one before others, then the
newest. A row without an identity counts while its job is open. Start at `points_of`.
"""

from collections.abc import Iterable
from datetime import datetime

import msgspec

from cloud_relay.fleet.site_view import last_heard
from sitelink.ids import ChargePointId, StationKey
from sitelink.model import ChargePoint, Job, SiteState, Station
from sitelink.states import JobStatus
from sitelink.status import Status, status_of


class Point(msgspec.Struct, frozen=True):
    """A charge point, the job whose row it is, how it stands, and the station that serves it, once one came. `heard`:
    when that sent its newest message.
    """

    row: ChargePoint
    job: Job
    status: Status
    station: Station | None
    heard: datetime | None


def points_of(state: SiteState) -> list[Point]:
    """In the order of the jobs' numbers, newest job first, and of their rows."""
    jobs = [job for job in state.jobs.values() if job.status is not JobStatus.CANCELLED]
    jobs.sort(key=lambda job: (job.status is JobStatus.OPEN, job.created_at), reverse=True)
    taken: set[tuple[StationKey, int]] = set()
    found = []
    for job in jobs:
        for row in state.rows(job):
            place = row.station, row.connector
            if place in taken or (not row.identity and job.status is not JobStatus.OPEN):
                continue
            if row.identity:
                taken.add(place)
            found.append(_point(state, job, row))
    return found


def point_of(state: SiteState, id_: ChargePointId) -> Point | None:
    """By the id of its row. None: there is none, or its job was called off."""
    row = state.charge_points.get(id_)
    job = state.jobs.get(row.job) if row is not None else None
    if row is None or job is None or job.status is JobStatus.CANCELLED:
        return None
    return _point(state, job, row)


def _point(state: SiteState, job: Job, row: ChargePoint) -> Point:
    station = state.stations.get(row.station) if row.identity else None
    heard = last_heard(state, station) if station is not None else None
    return Point(row, job, status_of(state, row), station, heard)


def connected_of(points: Iterable[Point]) -> tuple[int, int]:
    """How many are connected, and how many there are."""
    counted = [point.status.connected for point in points]
    return sum(counted), len(counted)
