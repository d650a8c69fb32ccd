"""What each role may do, and what a token may be good for: the same words for people and programs. Start at `may`."""

from cloud_relay.fleet.roles import Role

RIGHTS = (
    "sites:read", "sites:write", "installer-jobs:read", "installer-jobs:write", "charge-points:command", "audit:read",
    "alerts:read", "alerts:write", "webhooks:write", "team:read", "team:write",
)  # fmt: skip
"""Each names what it is for and whether it changes anything. docs/console.md says them in words."""

_READING = frozenset(right for right in RIGHTS if right.endswith(":read"))
OF_ROLE = {
    Role.ADMIN: frozenset(RIGHTS),
    Role.OPERATOR: frozenset(RIGHTS) - {"team:write", "webhooks:write"},
    Role.SUPPORT: _READING - {"audit:read"},
    Role.AUDITOR: frozenset({"sites:read", "installer-jobs:read", "audit:read", "alerts:read"}),
}


def may(role: Role, right: str) -> bool:
    return right in OF_ROLE[role]
