"""The commissioning record of a job as plain data: what was built, tested and decided. Pure."""

from datetime import datetime
from typing import Any

import msgspec

from sitelink.events import MeterListed
from sitelink.model import ChargePoint, Job, SiteState
from sitelink.redact import mask_id_token
from sitelink.status import status_of


def record_of(state: SiteState, job: Job, now: datetime) -> dict[str, Any]:
    """Times are aware UTC; energies Wh; what is not known is None."""
    done = job.completion
    return {
        "number": job.number,
        "status": job.status.value,
        "round": job.round,
        "site": {"name": job.site_name, "address": job.site_address},
        "description": job.description,
        "instructions": job.instructions,
        "made_at": now,
        "completion": {
            "at": done.at,
            "name": done.name or done.by.name,
            "reason": done.reason,
            "activate_all": done.activate_all,
            "activated": list(done.activated),
        }
        if done
        else None,
        "meters": [_meter(job, meter) for meter in job.meters],
        "charge_points": [_row(state, row) for row in state.rows(job)],
    }


def _meter(job: Job, meter: MeterListed) -> dict[str, Any]:
    """`wiring`: how it was found to be wired; values and rises in V, A, W, Hz and Wh."""
    wiring = next((each for each in job.wirings if each.meter == meter.name), None)
    found = {"at": wiring.at, "values": wiring.values, "findings": [_plain(each) for each in wiring.findings],
             "charge": _plain(wiring.charge) if wiring.charge else None} if wiring else None  # fmt: skip
    return {**_plain(meter), "wiring": found}


def _plain(record: msgspec.Struct) -> dict[str, Any]:
    """With every field, also those that are as ever."""
    return {name: _deep(value) for name, value in msgspec.structs.asdict(record).items()}


def _deep(value: Any) -> Any:
    return [_plain(each) for each in value] if isinstance(value, tuple) else value


def _row(state: SiteState, row: ChargePoint) -> dict[str, Any]:
    station = state.stations.get(row.station) if row.identity else None
    test = state.last_transaction_of(row, test=True)
    return {
        "name": row.name,
        "identity": row.identity,
        "connector": row.connector,
        "status": status_of(state, row).text,
        "active": row.active,
        "vendor": station.vendor if station else None,
        "model": station.model if station else row.model,
        "serial": station.serial if station else None,
        "firmware": station.firmware if station else None,
        "version": station.version if station else None,
        "security_profile": station.profile if station else None,
        "encrypted": station.encrypted if station else None,
        "last_boot_at": station.booted_at if station else None,
        "test": {
            "started_at": test.started_at,
            "stopped_at": test.stopped_at,
            "meter_start_wh": test.meter_start_wh,
            "meter_stop_wh": test.meter_stop_wh,
            "id_token": mask_id_token(test.id_token or ""),
        }
        if test
        else None,
        "notes": [{"side": note.by.type.value, "text": note.text, "at": note.at} for note in row.notes],
    }
