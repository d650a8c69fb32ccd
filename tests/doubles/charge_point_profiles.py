"""Charging profiles of a virtual charge point: kept, stacked, and turned into the current a place may draw.

Pure. A profile is kept as it came; `_schedule` reads the shape of 1.6 (one schedule) and that of 2.x (a list).
Not modelled: the phases' rotation, prices. Source: OCPP 1.6 §3.13, §5.16; OCPP 2.0.1 K01. Start at `limit_a`.
"""

from dataclasses import dataclass, field
from datetime import UTC, datetime, timedelta
from typing import Any

from tests.doubles.charge_point_connector import Connector, Transaction
from tests.doubles.charge_point_frames import Payload
from tests.doubles.charge_point_power import NOMINAL_VOLTAGE_V

MAX_STACK_LEVEL = 9
LONGEST_COMPOSITE_S = 604_800
STATION_WIDE = frozenset({"ChargePointMaxProfile", "ChargingStationMaxProfile", "ChargingStationExternalConstraints"})
_REPEATS_S = {"Daily": 86_400.0, "Weekly": 604_800.0}


@dataclass(frozen=True, slots=True)
class Kept:
    """`place` 0 is the station. `payload` is the profile as it came."""

    place: int
    payload: Payload
    set_at: datetime

    @property
    def number(self) -> int:
        return int(self.payload["id"] if "id" in self.payload else self.payload["chargingProfileId"])

    @property
    def purpose(self) -> str:
        return str(self.payload["chargingProfilePurpose"])

    @property
    def stack_level(self) -> int:
        return int(self.payload["stackLevel"])


@dataclass(slots=True)
class ChargingProfiles:
    """Survives power cuts."""

    kept: list[Kept] = field(default_factory=list)

    def set(self, place: int, payload: Payload, now: datetime) -> None:
        """A profile replaces the one with its id, and the one of its purpose and level at the same place."""
        new = Kept(place, payload, now)

        def replaced(old: Kept) -> bool:
            same_slot = (old.place, old.purpose, old.stack_level) == (new.place, new.purpose, new.stack_level)
            return old.number == new.number or same_slot

        self.kept = [each for each in self.kept if not replaced(each)] + [new]

    def clear(
        self, *, number: int | None = None, place: int | None = None, purpose: str | None = None,
        stack_level: int | None = None,
    ) -> int:  # fmt: skip
        """How many went. What is None does not choose."""
        before = len(self.kept)
        self.kept = [
            each
            for each in self.kept
            if not (
                number in (None, each.number)
                and place in (None, each.place)
                and purpose in (None, each.purpose)
                and stack_level in (None, each.stack_level)
            )
        ]
        return before - len(self.kept)

    def transaction_ended(self, transaction_id: int | str) -> None:
        self.kept = [each for each in self.kept if each.payload.get("transactionId") != transaction_id]

    def limit_a(self, place: Connector, now: datetime) -> float | None:
        """Ampere per phase this place may draw now; None when nothing limits it."""
        own = self._own(place, place.transaction, now)
        station = self._highest(
            [each for each in self.kept if each.purpose in STATION_WIDE], place.transaction, now, place.outlet.phases
        )
        limits = [limit for limit in (own, station) if limit is not None]
        return min(limits) if limits else None

    def composite(self, place: Connector | None, now: datetime, seconds: int, unit: str, max_a: float) -> list[Payload]:
        """The periods of the next `seconds`, each {"startPeriod", "limit"}; `place` None is the whole station."""
        seconds = min(max(1, seconds), LONGEST_COMPOSITE_S)
        periods: list[Payload] = []
        step = max(1, seconds // 240)
        for second in range(0, seconds, step):
            at = now + timedelta(seconds=second)
            limit = self.limit_a(place, at) if place is not None else self._station(at)
            limit = max_a if limit is None else min(limit, max_a)
            limit = round(limit * NOMINAL_VOLTAGE_V * 3 if unit == "W" else limit, 1)
            if not periods or periods[-1]["limit"] != limit:
                periods.append({"startPeriod": second, "limit": limit})
        return periods

    def _station(self, now: datetime) -> float | None:
        return self._highest([each for each in self.kept if each.purpose in STATION_WIDE], None, now, 3)

    def _own(self, place: Connector, transaction: Transaction | None, now: datetime) -> float | None:
        """The transaction's profile wins over the default one, the place's over the station's."""
        phases = place.outlet.phases
        mine = [each for each in self.kept if each.purpose == "TxProfile" and each.place == place.number]
        if transaction is not None and (limit := self._highest(mine, transaction, now, phases)) is not None:
            return limit
        for number in (place.number, 0):
            defaults = [each for each in self.kept if each.purpose == "TxDefaultProfile" and each.place == number]
            if (limit := self._highest(defaults, transaction, now, phases)) is not None:
                return limit
        return None

    @staticmethod
    def _highest(profiles: list[Kept], transaction: Transaction | None, now: datetime, phases: int) -> float | None:
        """Of the highest stack level that says something now."""
        for each in sorted(profiles, key=lambda kept: -kept.stack_level):
            limit = _limit_now(each, transaction, now, phases)
            if limit is not None:
                return limit
        return None


def _schedule(payload: Payload) -> dict[str, Any]:
    found = payload["chargingSchedule"]
    schedule: dict[str, Any] = found[0] if isinstance(found, list) else found
    return schedule


def _limit_now(kept: Kept, transaction: Transaction | None, now: datetime, phases: int) -> float | None:
    payload = kept.payload
    if (since := _optional(payload.get("validFrom"))) is not None and now < since:
        return None
    if (until := _optional(payload.get("validTo"))) is not None and now >= until:
        return None
    wanted = payload.get("transactionId")
    if wanted is not None and (transaction is None or transaction.transaction_id != wanted):
        return None
    schedule = _schedule(payload)
    begin = _optional(schedule.get("startSchedule"))
    if payload["chargingProfileKind"] == "Relative" or begin is None:
        begin = transaction.started_at if transaction is not None else kept.set_at
    passed_s = (now - begin).total_seconds()
    if payload["chargingProfileKind"] == "Recurring":
        passed_s %= _REPEATS_S[payload.get("recurrencyKind", "Daily")]
    if passed_s < 0 or ("duration" in schedule and passed_s >= schedule["duration"]):
        return None
    return _limit_at(schedule, passed_s, phases)


def _limit_at(schedule: Payload, passed_s: float, phases: int) -> float | None:
    found = None
    for period in schedule["chargingSchedulePeriod"]:
        if period["startPeriod"] <= passed_s and "limit" in period:
            found = period
    if found is None:
        return None
    limit = float(found["limit"])
    if schedule["chargingRateUnit"] == "W":
        return limit / NOMINAL_VOLTAGE_V / max(1, int(found.get("numberPhases", phases)))
    return limit


def moment(text: str) -> datetime:
    """Raises ValueError."""
    found = datetime.fromisoformat(text.replace("Z", "+00:00"))
    return found if found.tzinfo is not None else found.replace(tzinfo=UTC)


def _optional(text: str | None) -> datetime | None:
    return None if text is None else moment(text)
