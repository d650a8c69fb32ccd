"""Errands at OCPP 1.6 stations: their configuration in full, and what calls by hand change.

Pure, as `tending`. Many stations do badly when asked for everything, so that is done when somebody wants it and after
a change of firmware, and by the rules for such stations (`quirks`). Sources: OCPP 1.6 §5.1, §5.3, §5.5, §5.7, §5.8,
§5.13, §5.16; OCPP.md §4.2 and §4.4. Start at `Tending16.take_stock`.
"""

from collections.abc import Mapping, Sequence
from typing import Any

from edge_agent.charge_points.dialect import Ask, Payload
from edge_agent.charge_points.inventory import KEYS_16, facts_of, updated, variables_of_configuration
from edge_agent.charge_points.reports_2x import profile_key, reservation
from edge_agent.charge_points.rpc import CallResult
from edge_agent.charge_points.tending import Tending, status_of
from edge_agent.site.reports import ListReport
from sitelink.errors import NoAnswer
from sitelink.inventory import ACTUAL, Variable, attribute, items_of
from sitelink.states import ReportKind

KEYS_AT_ONCE = 20
"""Where a station does not say how many it takes."""


class Tending16(Tending):
    asks: Mapping[str, str] = {"GetConfiguration": "All keys, on request and after a change of firmware."}

    async def take_stock(self, ask: Ask) -> None:
        """All keys; where that goes wrong or must not be tried, those OCPP names, a few at a time."""
        variables: list[Variable] = []
        if not self.quirks.configuration_keys_at_once and not self.quirks.configuration_keys_not_asked:
            variables = await self._configuration(ask, {})
        if not variables:
            variables = await self._by_name(ask)
        if variables:
            report = ListReport(
                ReportKind.INVENTORY, items_of(variables), "GetConfiguration", facts=facts_of(variables)
            )
            await self.desk.listed(self.station, report)

    async def _by_name(self, ask: Ask) -> list[Variable]:
        forbidden = {key.casefold() for key in self.quirks.configuration_keys_not_asked}
        keys = [key for key in KEYS_16 if key.casefold() not in forbidden]
        at_once = self.quirks.configuration_keys_at_once
        if not at_once:
            facts = facts_of(await self._configuration(ask, {"key": ["GetConfigurationMaxKeys"]}))
            at_once = facts.get("items GetConfiguration", KEYS_AT_ONCE)
        variables: list[Variable] = []
        for portion in _cut(keys, at_once):
            variables += await self._configuration(ask, {"key": list(portion)})
        return variables

    async def _configuration(self, ask: Ask, payload: Payload) -> list[Variable]:
        try:
            answer = await ask("GetConfiguration", payload)
        except NoAnswer:
            return []
        return variables_of_configuration(answer.payload, []) if isinstance(answer, CallResult) else []

    # ---- calls by hand ----

    async def called(self, action: str, payload: Payload, answer: Payload) -> None:
        status = status_of(answer)
        if action == "GetConfiguration":
            await self._note_variables(variables_of_configuration(answer, []))
        elif action == "ChangeConfiguration" and status in ("Accepted", "RebootRequired"):
            key, value = str(payload.get("key")), payload.get("value")
            await self._note_variables([Variable(name=key, attributes={ACTUAL: attribute(key, str(value))})])
        elif action == "ChangeAvailability":
            await self.availability_changed(payload, answer)
        elif status == "Accepted" and action in _CHANGES:
            await self._note_change(action, payload, answer)

    async def _note_change(self, action: str, payload: Payload, answer: Payload) -> None:
        kind = _CHANGES[action]
        put: dict[str, Any] = {}
        drop: tuple[str, ...] = ()
        if action == "ReserveNow":
            put = {str(payload.get("reservationId")): reservation(payload)}
        elif action == "CancelReservation":
            drop = (str(payload.get("reservationId")),)
        elif action == "GetCompositeSchedule":
            place = payload.get("connectorId", 0)
            put = {str(place): {"evse": place, "schedule": answer}}
        elif action == "SetChargingProfile":
            profile, place = payload.get("csChargingProfiles") or {}, payload.get("connectorId", 0)
            drop = replaced_by(profile, place, self._profiles())
            put = {profile_key(place, profile.get("chargingProfileId")): {"evse": place, "profile": profile}}
            drop = tuple(each for each in drop if each not in put)
        elif action == "ClearChargingProfile":
            drop = cleared_by(payload, self._profiles())
        await self.desk.list_changed(self.station, kind, put, drop, action)

    def _profiles(self) -> Mapping[str, Any]:
        known = self.desk.report_of(self.station, ReportKind.CHARGING_PROFILES)
        return known.items if known is not None else {}

    async def _note_variables(self, newer: list[Variable]) -> None:
        known = self.desk.report_of(self.station, ReportKind.INVENTORY)
        if newer and known is not None:
            await self.desk.list_changed(self.station, ReportKind.INVENTORY, items_of(updated(known.items, newer)))


_CHANGES = {
    "ReserveNow": ReportKind.RESERVATIONS, "CancelReservation": ReportKind.RESERVATIONS,
    "GetCompositeSchedule": ReportKind.COMPOSITE_SCHEDULES, "SetChargingProfile": ReportKind.CHARGING_PROFILES,
    "ClearChargingProfile": ReportKind.CHARGING_PROFILES,
}  # fmt: skip
"""1.6 has no call that reads these back: what was accepted is what is known."""


def replaced_by(profile: Mapping[str, Any], place: int, known: Mapping[str, Any]) -> tuple[str, ...]:
    """Profiles a new one takes the place of: the same id, or the same purpose and stack level (OCPP 1.6 §5.16)."""
    return tuple(
        key for key, each in known.items()
        if each.get("evse") == place
        and (
            each["profile"].get("chargingProfileId") == profile.get("chargingProfileId")
            or all(each["profile"].get(name) == profile.get(name) for name in ("chargingProfilePurpose", "stackLevel"))
        )
    )  # fmt: skip


def cleared_by(payload: Mapping[str, Any], known: Mapping[str, Any]) -> tuple[str, ...]:
    """Those a ClearChargingProfile means: all it names must fit; naming nothing means all (OCPP 1.6 §5.5)."""

    def fits(each: Mapping[str, Any]) -> bool:
        profile = each["profile"]
        if "id" in payload:
            return bool(profile.get("chargingProfileId") == payload["id"])
        return (
            payload.get("connectorId") in (None, each.get("evse"))
            and payload.get("chargingProfilePurpose") in (None, profile.get("chargingProfilePurpose"))
            and payload.get("stackLevel") in (None, profile.get("stackLevel"))
        )

    return tuple(key for key, each in known.items() if fits(each))


def _cut(keys: Sequence[str], at_once: int) -> list[Sequence[str]]:
    return [keys[start : start + at_once] for start in range(0, len(keys), at_once)]
