"""Who a member of a team is. What each may do stands in `permissions`."""

from enum import StrEnum


class Role(StrEnum):
    ADMIN = "admin"
    OPERATOR = "operator"
    SUPPORT = "support"
    """Reads everything, changes nothing."""
    AUDITOR = "auditor"
    """Reads lists and the audit log."""
