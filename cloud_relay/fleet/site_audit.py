"""What people do on a site, as entries of the audit log: of operators and of installers, here or on the box.

The site's log holds what they did in full; an entry says who did it, what it was, and of what. Pure.
Start at `entry_of`.
"""

from collections.abc import Mapping
from datetime import datetime
from typing import Any

import msgspec

from cloud_relay.fleet.acts import ActorKind
from cloud_relay.fleet.ids import TeamId
from cloud_relay.fleet.records import AuditEntry
from sitelink.events import (
    CommandRequested,
    FieldSet,
    IdTokenListed,
    JobCompleted,
    JobImported,
    LinkCreated,
    MeterPut,
    MeterRemoved,
    NoteAdded,
    SettingSet,
)
from sitelink.model import SiteState
from sitelink.ops import Op
from sitelink.redact import mask_id_token, redact
from sitelink.states import AuthorType

KINDS: Mapping[str, str] = {
    "job.import": "job.created", "complete": "job.completed", "reopen": "job.reopened", "archive": "job.archived",
    "cancel": "job.cancelled", "pairing.open": "job.pairing_opened", "link.create": "link.created",
    "link.revoke": "link.revoked", "set": "charge_point.changed", "note.add": "charge_point.note",
    "cmd.requested": "charge_point.command", "setting.set": "setting.changed", "id_token.listed": "id_token.listed",
    "id_token.removed": "id_token.removed", "meter.put": "meter.put", "meter.remove": "meter.removed",
}  # fmt: skip
"""Kinds of op, and what they are called in the audit log."""
ACTORS = {AuthorType.OPERATOR: ActorKind.USER, AuthorType.INSTALLER: ActorKind.LINK}
NOTE_SHOWN_CHARACTERS = 200


def entry_of(op: Op, state: SiteState, team: TeamId, now: datetime) -> AuditEntry | None:
    """None: no person did it, or it is nothing to note. `state` as it is after the op."""
    kind, actor = KINDS.get(op.kind), ACTORS.get(op.author.type)
    if kind is None or actor is None:
        return None
    target, _, id_ = op.entity.partition(":")
    event = op.event
    if isinstance(event, CommandRequested):
        target, id_ = "cp", event.charge_point
    return AuditEntry(
        at=now, team=team, actor_kind=actor, actor_id=(op.author.link or "")[:64],
        actor_name=(op.author.name or op.author.type.value)[:254], ip="", kind=kind,
        target_kind={"cp": "charge_point"}.get(target, target), target_id=id_[:64],
        target_name=_name(state, target, id_, op)[:254], after=redact(_after(op)),
    )  # fmt: skip


def _name(state: SiteState, target: str, id_: str, op: Op) -> str:
    job = state.jobs.get(op.job) if op.job else None
    number = f"job {job.number}" if job is not None else ""
    if target == "cp":
        row = next((each for each in state.charge_points.values() if each.id == id_), None)
        return ", ".join(part for part in (row.name if row else "", number) if part)
    if target == "id_token":
        return mask_id_token(id_)
    return number or id_


def _after(op: Op) -> dict[str, Any]:
    """What it says, in short. Of a link neither token nor its hash."""
    event = op.event
    if isinstance(event, FieldSet):
        return {op.field or "value": event.value}
    if isinstance(event, NoteAdded):
        return {"text": event.text[:NOTE_SHOWN_CHARACTERS]}
    if isinstance(event, JobImported):
        return {"number": event.number, "charge_points": len(event.charge_points)}
    if isinstance(event, JobCompleted):
        return {"activate_all": event.activate_all, **({"reason": event.reason} if event.reason else {})}
    if isinstance(event, LinkCreated):
        return {"role": event.role.value, "expires_at": event.expires_at.isoformat() if event.expires_at else None}
    if isinstance(event, CommandRequested):
        return {"action": event.action.value}
    if isinstance(event, SettingSet):
        return {"value": msgspec.to_builtins(event.value)}
    if isinstance(event, MeterPut):
        return {"name": event.meter.name, "profile": event.meter.profile, "transport": event.meter.transport}
    if isinstance(event, MeterRemoved):
        return {"name": event.name}
    if isinstance(event, IdTokenListed):
        return {"status": event.status.value}
    return {}
