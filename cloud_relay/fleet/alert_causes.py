"""What there is to be alerted about, read off what the books hold: causes, whatever rules a team has. Pure.

Start at `causes_of_site`, `causes_of_boxes` and `causes_of_webhooks`; `due` says which of them count by now.
"""

from collections.abc import Iterable, Iterator, Mapping, Sequence
from datetime import datetime
from typing import Any

import msgspec

from cloud_relay.fleet.alert_records import Cause, RuleSetting
from cloud_relay.fleet.ids import GatewayId, SiteId
from cloud_relay.fleet.log_records import BoxLink
from cloud_relay.fleet.points import Point, points_of
from cloud_relay.fleet.records import Gateway
from cloud_relay.fleet.webhook_records import Webhook
from sitelink.model import ChargePoint, Job, Register, SiteState
from sitelink.states import ChargePointState, IntegrationState, JobStatus
from sitelink.status import connector_of

MEANT_FIELDS = ("identity", "connector")
"""Which charge point is meant: two values of these are for people to settle."""
_FIELDS = (*MEANT_FIELDS, "active", "maintenance")


# ---- sites ----


def causes_of_site(site: SiteId, state: SiteState) -> list[Cause]:
    """Of its charge points and open jobs, as its box last told."""
    points = points_of(state)
    found = [cause for point in points for cause in (_of_serial(site, point), _of_service(site, state, point)) if cause]
    jobs = (job for job in state.jobs.values() if job.status is JobStatus.OPEN)
    return found + [Cause("job_idle", job.id, job.number, _worked_on(state, job), site) for job in jobs]


def _of_serial(site: SiteId, point: Point) -> Cause | None:
    row, about = point.row, _about(point)
    if row.owner is not None:
        detail = {**about, "reason": "in_use", "other_team": row.owner}
        return Cause("serial_conflict", row.id, row.name, _named_at(point), site, detail)
    apart = {field: _register(row, field) for field in MEANT_FIELDS if _register(row, field).conflicting}
    if not apart:
        return None
    since = max(head.at for register in apart.values() for head in register.heads)
    detail = {**about, "reason": "conflict", "fields": list(apart)}
    return Cause("serial_conflict", row.id, row.name, since, site, detail)


def _of_service(site: SiteId, state: SiteState, point: Point) -> Cause | None:
    """Whether it does what it is there for; nobody waits for one in maintenance, or not live and in no open job."""
    row, status, station = point.row, point.status, point.station
    if row.owner is not None or row.maintenance or not (row.active or point.job.status is JobStatus.OPEN):
        return None
    if status.integration is IntegrationState.DISCONNECTED:
        since = (station.changed_at if station is not None else None) or _named_at(point)
        return Cause("charge_point_offline", row.id, row.name, since, site, _about(point))
    if status.integration is IntegrationState.ERROR or status.state is ChargePointState.ERROR:
        connector = connector_of(station, row.connector)
        at = status.fields.get("at") or (connector.at if connector is not None else _named_at(point))
        why = {"explanation": status.explanation, "fields": msgspec.to_builtins(status.fields)}
        return Cause("charge_point_error", row.id, row.name, at, site, {**_about(point), **why})
    return None


def _about(point: Point) -> dict[str, Any]:
    return {"job": point.job.id, "identity": point.row.identity}


def _named_at(point: Point) -> datetime:
    return max((head.at for head in point.row.identity_register.heads), default=point.job.created_at)


def _register(row: ChargePoint, field: str) -> Register:
    found: Register = getattr(row, f"{field}_register")
    return found


def _worked_on(state: SiteState, job: Job) -> datetime:
    """When somebody last changed or wrote something there."""
    rows = state.rows(job)
    edits = [head.at for row in rows for field in _FIELDS for head in _register(row, field).heads]
    return max([job.created_at, *edits, *(note.at for row in rows for note in row.notes)])


def as_known(causes: Iterable[Cause], links: Sequence[BoxLink]) -> list[Cause]:
    """The same, and until when each is known: while no box of the site is there, nobody knows how it goes on."""
    left = [link.left_at for link in links if link.left_at is not None]
    if not left or len(left) < len(links):
        return list(causes)
    return [
        msgspec.structs.replace(each, known_until=max(left)) if each.rule.startswith("charge_point_") else each
        for each in causes
    ]


# ---- boxes and endpoints ----


def causes_of_boxes(gateways: Iterable[Gateway], links: Mapping[GatewayId, BoxLink]) -> Iterator[Cause]:
    """Of those that were there once and are not revoked or replaced."""
    for box in gateways:
        link = links.get(box.id)
        if link is None or box.revoked_at is not None or box.replaced_by is not None:
            continue
        if link.alarm is not None or link.quarantined_at is not None:
            since = link.quarantined_at or link.connected_at or box.created_at
            detail = {"reason": link.alarm or "copied", "stopped": link.quarantined_at is not None}
            yield Cause("gateway_alarm", box.id, box.name, since, link.site, detail)
        if link.left_at is not None:
            yield Cause("gateway_offline", box.id, box.name, link.left_at, link.site)


def causes_of_webhooks(hooks: Iterable[Webhook]) -> Iterator[Cause]:
    """Of those that are on. A pause comes of failing for long, so that it stays a cause."""
    for hook in hooks:
        if hook.enabled and hook.failing_since is not None:
            detail = {"paused": hook.paused_at is not None}
            yield Cause("webhook_failing", hook.id, hook.name, hook.failing_since, None, detail)


# ---- which of them count ----


def due(causes: Iterable[Cause], rules: Mapping[str, RuleSetting], now: datetime) -> list[Cause]:
    """Those that have lasted as long as the rule of the team asks, and whose rule is on."""
    return [
        each for each in causes
        if rules[each.rule].enabled and (each.known_until or now) - each.since >= rules[each.rule].lasts
    ]  # fmt: skip
