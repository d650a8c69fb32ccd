"""Smart charging as a virtual OCPP 2.x charge point answers it. The profiles themselves: `charge_point_profiles.py`.

Pure decisions. Source: OCPP 2.0.1 part 2, K01 to K10. Start at `SMART_HANDLERS`.
"""

from collections.abc import Callable
from functools import partial
from typing import TYPE_CHECKING

from tests.doubles.charge_point_frames import Payload
from tests.doubles.charge_point_profiles import MAX_STACK_LEVEL, STATION_WIDE, Kept
from tests.doubles.charge_point_tongue import Reply

if TYPE_CHECKING:
    from tests.doubles.charge_point_tongue_2x import Tongue2x


def _refused(why: str) -> Reply:
    return Reply({"status": "Rejected", "statusInfo": {"reasonCode": why}})


def _set_profile(tongue: "Tongue2x", payload: Payload) -> Reply:
    station, number, profile = tongue.station, payload["evseId"], payload["chargingProfile"]
    if not 0 <= number <= len(station.connectors):
        return _refused("UnknownEvse")
    purpose = profile["chargingProfilePurpose"]
    if not 0 <= profile["stackLevel"] <= MAX_STACK_LEVEL:
        return _refused("InvalidStackLevel")
    if profile["chargingSchedule"][0]["chargingSchedulePeriod"][0]["startPeriod"] != 0:
        return _refused("InvalidSchedule")
    if purpose in STATION_WIDE and number != 0:
        return _refused("InvalidProfile")
    if purpose == "TxProfile":
        running = station.running(profile.get("transactionId", ""))
        if running is None or running.number != number:
            return _refused("TxNotFound")
    station.profiles.set(number, profile, station.now())
    return Reply({"status": "Accepted"}, partial(station.advance, 0.0))


def _clear_profile(tongue: "Tongue2x", payload: Payload) -> Reply:
    criteria = payload.get("chargingProfileCriteria") or {}
    gone = tongue.station.profiles.clear(
        number=payload.get("chargingProfileId"),
        place=criteria.get("evseId"),
        purpose=criteria.get("chargingProfilePurpose"),
        stack_level=criteria.get("stackLevel"),
    )
    return Reply({"status": "Accepted" if gone else "Unknown"}, partial(tongue.station.advance, 0.0))


def _get_profiles(tongue: "Tongue2x", payload: Payload) -> Reply:
    wanted, place = payload["chargingProfile"], payload.get("evseId")
    chosen = [each for each in tongue.station.profiles.kept if place in (None, each.place) and _matches(each, wanted)]
    if not chosen:
        return Reply({"status": "NoProfiles"})
    by_place: dict[int, list[Payload]] = {}
    for each in chosen:
        by_place.setdefault(each.place, []).append(each.payload)
    messages: list[Payload] = [
        {
            "requestId": payload["requestId"],
            "chargingLimitSource": "CSO",
            "evseId": number,
            "tbc": position + 1 < len(by_place),
            "chargingProfile": profiles,
        }
        for position, (number, profiles) in enumerate(by_place.items())
    ]

    async def send() -> None:
        for message in messages:
            await tongue.station.ask("ReportChargingProfiles", message)

    return Reply({"status": "Accepted"}, lambda: tongue.station.work(send()))


def _matches(kept: Kept, wanted: Payload) -> bool:
    return (
        ("chargingProfileId" not in wanted or kept.number in wanted["chargingProfileId"])
        and wanted.get("chargingProfilePurpose", kept.purpose) == kept.purpose
        and wanted.get("stackLevel", kept.stack_level) == kept.stack_level
        and ("chargingLimitSource" not in wanted or "CSO" in wanted["chargingLimitSource"])
    )


def _composite(tongue: "Tongue2x", payload: Payload) -> Reply:
    station, number = tongue.station, payload["evseId"]
    if not 0 <= number <= len(station.connectors):
        return _refused("UnknownEvse")
    place = station.connector(number) if number else None
    unit = payload.get("chargingRateUnit", "A")
    max_a, now = station.max_current_a(number), station.now()
    schedule = {
        "evseId": number,
        "duration": payload["duration"],
        "scheduleStart": station.stamp(now),
        "chargingRateUnit": unit,
        "chargingSchedulePeriod": station.profiles.composite(place, now, payload["duration"], unit, max_a),
    }
    return Reply({"status": "Accepted", "schedule": schedule})


SMART_HANDLERS: dict[str, Callable[["Tongue2x", Payload], Reply]] = {
    "ClearChargingProfile": _clear_profile,
    "GetChargingProfiles": _get_profiles,
    "GetCompositeSchedule": _composite,
    "SetChargingProfile": _set_profile,
}
