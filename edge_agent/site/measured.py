"""Everything the site measures, meters and charge points alike, for those who want numbers. Start at `measured_of`.

Values by quantity and phase, as `power_w.l1`, in V, A, W, Hz and Wh.
"""

from collections.abc import Mapping
from datetime import datetime, timedelta
from typing import Any, Literal

import msgspec

from edge_agent.site.meters import READ_WHILE, MeterDesk
from edge_agent.site.ports import Journal
from sitelink.clock import Clock
from sitelink.measurands import values_of
from sitelink.model import SiteState
from sitelink.status import status_of
from web_ui.ports import MeterKey, MeterState

CURRENT_FOR = timedelta(minutes=5)
"""What a charge point said of its power is of now for so long; what it counted stays."""


class Measured(msgspec.Struct, frozen=True):
    """`kind` meter: `id` is its job's number and its name, `state` ok or why it is not read. `kind` charge_point: `id`
    is its identity, `state` its status as the page shows it. `online`: what is told is of now."""

    kind: Literal["meter", "charge_point"]
    id: str
    name: str
    connector: int
    state: str
    online: bool
    values: Mapping[str, float]


def measured_of(state: SiteState, meters: Mapping[MeterKey, MeterState], now: datetime) -> list[Measured]:
    """In the order of jobs and their rows; a connector that two jobs name, once."""
    found: dict[tuple[str, str, int], Measured] = {}
    for job in state.jobs.values():
        if job.status not in READ_WHILE:
            continue
        for meter in job.meters:
            known = meters.get((job.id, meter.name), MeterState(problem="not_read"))
            id_ = f"{job.number}/{meter.name}"
            found["meter", id_, 0] = Measured(
                "meter", id_, meter.name, 0, known.problem or "ok", not known.problem, known.values
            )
        for row in state.rows(job):
            if row.identity:
                status = status_of(state, row)
                told = state.readings.get((row.station, row.connector))
                values = values_of(told.samples.values()) if told is not None else {}
                if told is None or now - told.at > CURRENT_FOR:
                    values = {key: value for key, value in values.items() if key.startswith("energy_")}
                found["charge_point", row.station, row.connector] = Measured(
                    "charge_point", row.identity, row.name, row.connector, status.text, status.connected, values
                )
    return list(found.values())


class Measuring:
    """For the command line."""

    def __init__(self, journal: Journal, meters: MeterDesk, clock: Clock) -> None:
        self._journal = journal
        self._meters = meters
        self._clock = clock

    def now(self) -> list[Measured]:
        return measured_of(self._journal.state, self._meters.states(), self._clock.now())

    async def operation(self, _arguments: Mapping[str, Any]) -> Any:
        return self.now()
