"""What the core needs of the books about alerts, and about who does what of several nodes. Start at `Alerts`."""

from collections.abc import Sequence
from datetime import datetime
from typing import Protocol

from cloud_relay.fleet.alert_records import Alert, Lease, RuleSetting
from cloud_relay.fleet.ids import AlertId, TeamId


class Alerts(Protocol):
    """Of one rule and subject one is not closed, at most."""

    def add(self, alert: Alert) -> bool:
        """False: there is one already that is not closed, and nothing is changed."""
        ...

    def put(self, alert: Alert) -> None: ...
    def of(self, team: TeamId, id_: AlertId) -> Alert | None: ...
    def standing(self, team: TeamId) -> Sequence[Alert]:
        """Those that are not closed, newest first."""
        ...

    def page(
        self, team: TeamId, *, before: tuple[str, str] | None, limit: int, states: Sequence[str] = (), rule: str = "",
        site: str = "",
    ) -> Sequence[Alert]:  # fmt: skip
        """Newest first, those behind (opened_at, id). No states: all."""
        ...

    def settings(self, team: TeamId) -> Sequence[RuleSetting]:
        """What the team has changed; the rest is as usual."""
        ...

    def put_settings(self, team: TeamId, settings: Sequence[RuleSetting]) -> None:
        """In place of all there were."""
        ...

    def forget_before(self, closed_at: datetime) -> None: ...


class Leases(Protocol):
    """Until when a node has what."""

    def of(self, name: str) -> Lease | None: ...
    def put(self, lease: Lease) -> None: ...
    def forget_before(self, until: datetime) -> None: ...
