"""How the site's meters are wired, as far as their values and test charges show it. Start at `WiringDesk`.

While a charge of the job runs, what its charge point says it takes is compared with how the meter stands in that moment
and stood before the charge began. The last comparison counts, but for those in which the charge took much less.
"""

from collections.abc import Collection, Mapping, Sequence
from datetime import datetime, timedelta

import msgspec

from edge_agent.site.meter_readings import MeterReadings
from edge_agent.site.ports import Journal
from sitelink.clock import Clock
from sitelink.ids import JobId, TransactionId
from sitelink.measurands import values_of
from sitelink.meter_values import Moment
from sitelink.model import ChargePoint, Transaction
from sitelink.wiring import ChargeSeen, Values, seen_of
from web_ui.ports import MeterKey

BEFORE_S = 30
"""So long before a charge a meter is looked at."""
AROUND_S = 2
"""So many seconds before and after a charge point said what it takes."""
LESS = 0.9
"""A comparison in which the charge takes less than so much of an earlier one says less."""
STATION_WITHIN = timedelta(seconds=90)
"""What a charge point said is of now for so long."""


class _Heard(msgspec.Struct):
    """What a charge point said, at its own time and at ours."""

    charge: TransactionId
    at: datetime
    now_s: int
    values: Values
    compared: bool = False


class WiringDesk:
    def __init__(self, journal: Journal, readings: MeterReadings, clock: Clock) -> None:
        self._journal = journal
        self._readings = readings
        self._clock = clock
        self._seen: dict[MeterKey, ChargeSeen] = {}
        self._began: dict[TransactionId, int | None] = dict.fromkeys(journal.state.transactions)
        """By our own clock, and None where it was running already."""
        self._heard: dict[MeterKey, _Heard] = {}

    def seen(self, meter: MeterKey) -> ChargeSeen | None:
        """What it showed of a test charge since the start of the agent."""
        return self._seen.get(meter)

    def keep_only(self, meters: Collection[MeterKey]) -> None:
        """The others were changed: nothing is known of them any more."""
        self._seen = {key: seen for key, seen in self._seen.items() if key in meters}
        self._heard = {key: heard for key, heard in self._heard.items() if key in meters}

    def look(self, meter: MeterKey) -> None:
        """The meter was read. What a charge point says is compared with how the meter stood around that moment."""
        running = self._running(meter[0])
        if len(running) != 1:
            return  # of two at a time nobody knows whose rise it is
        row, charge = running[0]
        now_s = int(self._clock.now().timestamp())
        began_s = self._began_s(charge.id, now_s)
        said = self._journal.state.readings.get((row.station, row.connector))
        if began_s is None or said is None or self._clock.now() - said.at > STATION_WITHIN:
            return
        if charge.started_at is not None and said.at < charge.started_at:
            return  # it said so of another charge
        heard = self._heard.get(meter)
        if heard is None or heard.charge != charge.id or (heard.compared and heard.at != said.at):
            heard = self._heard[meter] = _Heard(charge.id, said.at, now_s, values_of(said.samples.values()))
        if not heard.compared and now_s >= heard.now_s + AROUND_S:
            heard.compared = True
            moments = self._readings.recent(meter)
            before = [each for each in moments if began_s - BEFORE_S <= each.at_s < began_s - 1]
            around = [each for each in moments if abs(each.at_s - heard.now_s) <= AROUND_S]
            self._compare(meter, row.name, heard.values, before, around)

    def _began_s(self, charge: TransactionId, now_s: int) -> int | None:
        if charge not in self._began:
            known = self._journal.state.transactions
            self._began = {**{id_: at for id_, at in self._began.items() if id_ in known}, charge: now_s}
        return self._began[charge]

    def _compare(
        self, meter: MeterKey, name: str, station: Values, before: Sequence[Moment], around: Sequence[Moment]
    ) -> None:
        if not before or not around:
            return
        seen = seen_of(name, station, _mean(before), _mean(around))
        known = self._seen.get(meter)
        if seen is None or (known is not None and known.charge_point == name and _taken(seen) < LESS * _taken(known)):
            return
        self._seen[meter] = seen

    def _running(self, job: JobId) -> list[tuple[ChargePoint, Transaction]]:
        state = self._journal.state
        rows = state.rows(state.jobs[job]) if job in state.jobs else ()
        return [(row, charge) for row in rows if (charge := state.charge_of(row)) is not None]


def _mean(moments: Sequence[Moment]) -> dict[str, float]:
    """Of the values that all of them have."""
    keys = set.intersection(*(set(each.values) for each in moments))
    return {key: sum(each.values[key] for each in moments) / len(moments) for key in keys}


def _taken(seen: ChargeSeen) -> float:
    said: Mapping[str, float] = seen.station
    return said.get("power_w.total", sum(value for key, value in said.items() if key.startswith("power_w.")))
