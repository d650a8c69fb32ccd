"""What the books hold of alerts: the rules there are, what a team made of them, and what is wrong. Frozen records."""

from datetime import datetime, timedelta
from enum import StrEnum
from typing import Any

import msgspec

from cloud_relay.fleet.ids import AlertId, SiteId, TeamId


class Unit(StrEnum):
    MINUTES = "minutes"
    DAYS = "days"


class Rule(msgspec.Struct, frozen=True):
    """`after`: for how many of `unit` something must last before it counts, unless a team says otherwise; None: it
    counts at once, and there is nothing to say.
    """

    name: str
    after: int | None = None
    unit: Unit = Unit.MINUTES
    most: int = 30 * 24 * 60


RULES: dict[str, Rule] = {
    rule.name: rule
    for rule in (
        Rule("gateway_offline", 10),
        Rule("gateway_alarm"),
        Rule("charge_point_offline", 15),
        Rule("charge_point_error", 0),
        Rule("serial_conflict"),
        Rule("job_idle", 7, Unit.DAYS, 365),
        Rule("webhook_failing", 60),
    )
}
"""docs/alerts.md says what each means."""


class RuleSetting(msgspec.Struct, frozen=True):
    """A rule as it holds for a team. `after` as in Rule."""

    rule: str
    enabled: bool = True
    after: int | None = None

    @property
    def lasts(self) -> timedelta:
        """For how long something must last before it counts."""
        if self.after is None:
            return timedelta()
        return timedelta(**{RULES[self.rule].unit.value: self.after})


class Cause(msgspec.Struct, frozen=True):
    """Something that a rule is about, since when. `subject`: the id of what it is about, `name` as people call that.

    `known_until`: nobody knows how it stands any more since then; None: it is known now. `detail` holds no secret.
    """

    rule: str
    subject: str
    name: str
    since: datetime
    site: SiteId | None = None
    detail: dict[str, Any] = {}
    known_until: datetime | None = None


class AlertState(StrEnum):
    OPEN = "open"
    ACKNOWLEDGED = "acknowledged"
    """Somebody knows; it closes by itself like an open one."""
    CLOSED = "closed"


class Alert(msgspec.Struct, frozen=True):
    """`since`: when what it is about began; `opened_at`: when that had lasted long enough to be noticed."""

    id: AlertId
    team: TeamId
    rule: str
    subject: str
    name: str
    site: SiteId | None
    detail: dict[str, Any]
    since: datetime
    opened_at: datetime
    state: AlertState = AlertState.OPEN
    acknowledged_at: datetime | None = None
    acknowledged_by: str = ""
    closed_at: datetime | None = None


class Lease(msgspec.Struct, frozen=True):
    """What one node alone does, or that a node is alive: until when."""

    name: str
    holder: str
    until: datetime
