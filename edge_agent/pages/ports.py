"""What the box's own API needs from the core, beside `web_ui.ports.Jobs`. Start at `Admin`."""

from collections.abc import Iterable
from typing import Protocol

from sitelink.ids import ChargePointId
from web_ui.ports import Jobs


class Admin(Jobs, Protocol):
    """The operator's part on a box; `edge_agent.site.jobs.JobService` is one."""

    def is_admin_token(self, token: str) -> bool:
        """Whether this is a token of the box that was not revoked; every known one is compared."""
        ...

    async def set_activity(
        self, rows: Iterable[ChargePointId], *, active: bool | None = None, maintenance: bool | None = None
    ) -> int:
        """How many rows changed. Raises ChargeActive, NotFound."""
        ...
