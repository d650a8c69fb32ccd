"""A made-up charge point of OCPP 2.0.1 in full, for the pictures and looks of the Details pages."""

import json
from datetime import timedelta
from typing import Any

from msgspec.structs import replace

from edge_agent.charge_points.actions import action_of, actions_of
from sitelink import events as e
from sitelink.events import Correction
from sitelink.frames import Filter, Frame, Kept, frames_of
from sitelink.ids import ChargePointId, StationKey, TransactionId, TransferId, station_key
from sitelink.model import Told, Transfer
from sitelink.ops import BOX
from sitelink.states import CommandState, ConnectorStatus, TransferKind, TransferMethod
from tests.doubles.sites import NOW, MadeSite, harbour_garage, row
from web_ui import render
from web_ui.details import DetailsView, Paths, details_of
from web_ui.frame_views import frames_view
from web_ui.hand_calls import hand_call_views, indented
from web_ui.station_list import station_list
from web_ui.views import ErrorView

IDENTITY = "DE*GPT*E104223"
KEY = station_key(IDENTITY)


SECURITY_LOG = (
    {"at": NOW - timedelta(minutes=12), "kind": "key.proven", "by": "box", "detail": {}},
    {
        "at": NOW - timedelta(minutes=30), "kind": "wrong_key", "by": "box",
        "detail": {"ip": "192.0.2.31", "count": 3},
    },
)  # fmt: skip


class MadeOddities:
    """Two kinds of corrections and a clock that is late."""

    def corrections(self, station: StationKey) -> dict[str, Correction]:
        first, last = NOW - timedelta(hours=2), NOW - timedelta(minutes=1)
        return {
            "MeterValues unit:unknown": Correction(214, first, last),
            "StatusNotification status:odd_case": Correction(3, first, last),
        }

    def clock_drift_s(self, station: StationKey) -> float | None:
        return -3720.0


def made_transfers() -> list[Transfer]:
    """One that came though the station says it did not, one that is being fetched, one that failed."""
    at = NOW - timedelta(minutes=4)
    common: dict[str, Any] = {"station": KEY, "method": TransferMethod.HTTP, "by": BOX, "requested_at": at}
    return [
        Transfer(
            id=TransferId("t1"), kind=TransferKind.DIAGNOSTICS, request=1, file="a.bin", moved_at=at, ended_at=at,
            size=12_400_000, sha256="9f" * 32, state=CommandState.DONE, outcome="received_said_failed",
            told=(Told("Uploading", at), Told("UploadFailure", at)), **common,
        ),
        Transfer(
            id=TransferId("t2"), kind=TransferKind.SECURITY_LOG, request=2, file="b.bin", ended_at=at,
            state=CommandState.FAILED, outcome="nothing_arrived", told=(Told("Uploaded", at),), **common,
        ),
        Transfer(
            id=TransferId("t3"), kind=TransferKind.FIRMWARE, request=3, file="fw.bin", size=48_000_000,
            sha256="3c" * 32, version="2.0.0", told=(Told("Downloading", at),), **common,
        ),
    ]  # fmt: skip


def made_station() -> MadeSite:
    """Bay 3: two EVSEs, one charging, one with a fault; charges that ended, one of them incomplete."""
    site = MadeSite()
    site.job(row(1, "ZPR104221"), row(3, IDENTITY))
    key = f"station:{KEY}"
    site.record(key, e.StationConnected(identity=IDENTITY, ip="192.0.2.31", version="2.0.1", subprotocol="ocpp2.0.1"))
    site.boot(IDENTITY, serial="SN-0042-7731", vendor="Vendor", model="DC50 Twin")
    station = site.state.stations[KEY]
    site.state.stations[KEY] = replace(
        station, version="2.0.1", subprotocol="ocpp2.0.1", profile=1, boots=4,
        configuration={"OCPPCommCtrlr.HeartbeatInterval": "300", "SecurityCtrlr.Identity": IDENTITY,
                       "SecurityCtrlr.BasicAuthPassword": None, "TxCtrlr.TxStartPoint": "PowerPathClosed"},
    )  # fmt: skip
    site.tested(IDENTITY, 11)
    charge = site.state.transactions[TransactionId(11)]
    site.state.transactions[charge.id] = replace(
        charge,
        name="5f0c2a7e-2b7a-4a53-9d3e-1f6f2f0a7c11",
        numbers=((0, 1), (4, 5)),
        last_number=5,
        reason="EVDisconnected",
    )
    site.charge(IDENTITY, 12)
    site.connector(IDENTITY, ConnectorStatus.CHARGING, 1, plug=1)
    site.connector(IDENTITY, ConnectorStatus.AVAILABLE, 1, plug=2)
    site.connector(IDENTITY, ConnectorStatus.FAULTED, 2, error_code="GroundFailure", vendor_error_code="E-017")
    for each in made_transfers():
        site.state.put(each)
    return site


def made_frames() -> list[Frame]:
    """Calls of both sides with their answers, an error and a broken frame."""
    said: list[tuple[str, Any]] = [
        ("in", [2, "9f2a", "BootNotification", {"reason": "PowerUp", "chargingStation": {"model": "DC50 Twin"}}]),
        ("out", [3, "9f2a", {"status": "Accepted", "interval": 300, "currentTime": "2026-11-23T10:44:00.000Z"}]),
        ("out", [2, "c7d1", "SetVariables", {"setVariableData": [{
            "attributeValue": "never-shown-4711", "component": {"name": "SecurityCtrlr"},
            "variable": {"name": "BasicAuthPassword"}}]}]),
        ("in", [3, "c7d1", {"setVariableResult": [{"attributeStatus": "Accepted"}]}]),
        ("in", [2, "9f2b", "Authorize", {"idToken": {"idToken": "04A1B2C3D4", "type": "ISO14443"}}]),
        ("out", [3, "9f2b", {"idTokenInfo": {"status": "Accepted"}}]),
        ("in", '[2,"9f2c","StatusNotification",{"evseId":1,'),
        ("out", [2, "c7d2", "UnlockConnector", {"evseId": 1, "connectorId": 1}]),
        ("in", [4, "c7d2", "NotSupported", "no lock", {}]),
    ]  # fmt: skip
    at = NOW - timedelta(seconds=40)
    return list(
        frames_of(
            Kept(number, at + timedelta(seconds=number, milliseconds=37 * number), way,
                 each if isinstance(each, str) else json.dumps(each), True)
            for number, (way, each) in enumerate(said, 1)
        )
    )  # fmt: skip


def made_details(site: MadeSite | None = None) -> DetailsView:
    site = site or made_station()
    bay = site.state.charge_points[ChargePointId("row-3")]
    return details_of(site.snapshot(), MadeOddities(), KEY, row=bay, on={"": "cp:row-3"}, security_log=SECURITY_LOG)


PATHS = Paths(
    back="/j#cp-row-3", back_text="Back to the job", details="/details", regions="/regions?", events="/events?",
    frames="/frames", files="/files",
)  # fmt: skip


def detail_texts() -> dict[str, str]:
    """The pages by their path."""
    context = {"details": made_details(), "paths": PATHS, "number": "1042", "frames_on": "frames:row-3"}
    frames = frames_view(made_frames(), Filter())
    return {
        "/details": render.page("details.html", sections=render.INSTALLERS_SECTIONS, **context),
        "/files": render.page("files.html", read_only=False, flash="asked", **context),
        "/frames": render.page("frames.html", frames=frames, **context),
        "/frames-errors": render.page("frames.html", frames=frames_view(made_frames(), Filter(errors=True)), **context),
    }


def admin_texts() -> dict[str, str]:
    """The box's own pages by their path."""
    garage = harbour_garage().snapshot()
    online = {key: each.connected for key, each in garage.state.stations.items()}
    paths = replace(PATHS, back="/admin", back_text="All charge points", calls="/calls", files=None)
    details = details_of(
        made_station().snapshot(),
        MadeOddities(),
        KEY,
        on={"": "station", "settings": "seldom"},
        security_log=SECURITY_LOG,
    )
    context = {"details": details, "paths": paths, "number": "", "frames_on": "station"}
    action = action_of("2.0.1", "SetChargingProfile", NOW)
    calls: dict[str, Any] = {
        "actions": actions_of("2.0.1"), "action": action, "typed": indented(action.example), "version": "2.0.1",
        "schema": indented({"type": "object"}), "calls": hand_call_views(made_calls()), "online": True, "place": "",
    }  # fmt: skip
    problem = ErrorView("call_invalid", "That is no JSON.", "Correct it and send again.")
    wrong = {**calls, "problem": problem, "place": "line 3, column 7", "typed": "{\n  nope}"}
    return {
        "/admin": render.page("admin.html", list=station_list(garage, online)),
        "/admin-entry": render.page("admin_entry.html"),
        "/admin-details": render.page("details.html", sections=tuple(render.SECTIONS), **context),
        "/calls": render.page("calls.html", **context, **calls),
        "/calls-wrong": render.page("calls.html", **context, **wrong),
    }


def made_calls() -> list[dict[str, Any]]:
    """One in each state, newest first."""

    def call(id_: int, action: str, payload: Any, state: str, **facts: Any) -> dict[str, Any]:
        base = {"id": id_, "action": action, "payload": payload, "at": NOW - timedelta(minutes=5 - id_), "state": state}
        return {**base, "answered_at": None, "result": None, "error": None, **facts}

    return [
        call(4, "GetBaseReport", {"requestId": 4, "reportBase": "FullInventory"}, "sent"),
        call(3, "UnlockConnector", {"evseId": 1, "connectorId": 1}, "refused",
             answered_at=NOW, error={"code": "NotSupported", "description": "no lock"}),
        call(2, "ClearCache", {}, "late", answered_at=NOW, result={"status": "Accepted"}),
        call(1, "GetLocalListVersion", {}, "no_answer"),
    ]  # fmt: skip
