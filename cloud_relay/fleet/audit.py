"""What is noted of whatever somebody does. Start at `note`."""

from collections.abc import Mapping
from typing import Any

import msgspec

from cloud_relay.fleet.acts import Act
from cloud_relay.fleet.ids import TeamId, UserId
from cloud_relay.fleet.ports import Books
from cloud_relay.fleet.records import AuditEntry
from sitelink.redact import redact

AUDITED = (
    "team.created", "team.renamed", "user.created", "user.signed_in", "user.sign_in_refused",
    "user.password_changed", "user.password_reset_asked",
    "user.second_factor_on", "user.second_factor_off", "user.recovery_code_used", "user.linked", "member.invited",
    "member.invitation_revoked", "member.added", "member.role_changed",
    "member.removed", "token.created", "token.revoked", "site.created", "site.changed", "site.removed",
    "gateway.created", "gateway.enrolled", "gateway.revoked", "gateway.alarm_cleared", "gateway.replaced",
    "gateway.quarantine_released", "serial.released", "serial.received", "serial.taken_back",
    "alert.acknowledged", "alert_rules.changed",
    "webhook.created", "webhook.changed", "webhook.removed", "webhook.secret_rotated", "webhook.tested",
    "webhook.resent", "webhook.paused",
)  # fmt: skip
"""Every kind of entry, by what it is about. docs/console.md says what each means."""


def note(
    books: Books, act: Act, kind: str, team: TeamId | None, target: str, id_: str, name: str,
    before: Mapping[str, Any] | None = None, after: Mapping[str, Any] | None = None,
) -> None:  # fmt: skip
    """`kind` is one of AUDITED; `target` says what `id_` and `name` are of: team, user, token, site, gateway …

    Of `before` and `after` what is equal is left out, and secrets are masked. What is about somebody and no team
    (`team` is None) stands in the log of each team they belong to at that moment.
    """
    if kind not in AUDITED:
        raise ValueError(f"{kind} is no kind of audit entry")
    old, new = dict(before or {}), dict(after or {})
    for key in [key for key in old if key in new and old[key] == new[key]]:
        del old[key], new[key]
    entry = AuditEntry(
        at=act.at, team=team, actor_kind=act.actor.kind, actor_id=act.actor.id, actor_name=act.actor.name[:254],
        ip=act.ip, kind=kind, target_kind=target, target_id=id_, target_name=name[:254],
        before=redact(old), after=redact(new),
    )  # fmt: skip
    teams: list[TeamId | None] = [team]
    if team is None and target == "user":
        teams = [each.team.id for each in books.accounts.memberships(UserId(id_))] or [None]
    for each in teams:
        books.audit.add(msgspec.structs.replace(entry, team=each))
