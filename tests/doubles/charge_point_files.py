"""Logs and firmware of a virtual charge point: uploads when asked, downloads, checks, installs, and says each step.

The same work for 1.6 (GetDiagnostics, UpdateFirmware, and the security extension's GetLog and SignedUpdateFirmware) and
2.x (GetLog, UpdateFirmware); only the words differ. The bytes are moved by `charge_point_transfer.py`. A firmware image
of this station is any file that says `version=` in its beginning, or has a version in its name. Source: OCPP 1.6 §4.4,
§4.5, §5.9, §5.19; security whitepaper L01, N01; OCPP 2.0.1 L01, N01. Start at `files_answer_16` and `files_answer_2x`.
"""

import asyncio
import json
import re
from collections.abc import Callable
from dataclasses import dataclass, field
from functools import partial
from typing import TYPE_CHECKING

from tests.doubles.charge_point_frames import Payload
from tests.doubles.charge_point_profiles import moment
from tests.doubles.charge_point_signature import certificate_problem, signature_is_good
from tests.doubles.charge_point_tongue import Reply
from tests.doubles.charge_point_transfer import NotMoved, download, target, upload

if TYPE_CHECKING:
    from tests.doubles.charge_point import VirtualChargePoint

DEFAULT_RETRIES = 1
INSTALL_S = 20.0
"""In the station's own time."""
_VERSION = re.compile(rb"version=([\w.+-]{1,40})")
_VERSION_IN_NAME = re.compile(r"(\d+\.\d+(?:\.\d+)*)")
_PLAIN_FIRMWARE_16 = frozenset(
    {"Downloaded", "DownloadFailed", "Downloading", "Idle", "InstallationFailed", "Installing", "Installed"}
)
_DIAGNOSTICS_16 = {"Uploading": "Uploading", "Uploaded": "Uploaded", "UploadFailure": "UploadFailed", "Idle": "Idle"}


@dataclass(frozen=True, slots=True)
class Teller:
    """How the steps of one job are told: by this message, with this request id."""

    action: str
    request_id: int | None = None

    def payload(self, status: str) -> Payload | None:
        """None when this message has no word for the step."""
        if self.action == "DiagnosticsStatusNotification":
            return {"status": _DIAGNOSTICS_16.get(status, "UploadFailed")}
        if self.request_id is None and self.action == "FirmwareStatusNotification":
            return {"status": status} if status in _PLAIN_FIRMWARE_16 else None
        return {"status": status} if self.request_id is None else {"status": status, "requestId": self.request_id}


@dataclass(slots=True)
class FileRoom:
    """What runs now, and what was said last. `uploads` and `images` are for the tests to look at."""

    log_job: "asyncio.Task[None] | None" = None
    log_teller: Teller | None = None
    log_status: str = "Idle"
    firmware_job: "asyncio.Task[None] | None" = None
    firmware_teller: Teller | None = None
    firmware_status: str = "Idle"
    uploads: list[tuple[str, bytes]] = field(default_factory=list)
    images: list[bytes] = field(default_factory=list)


@dataclass(frozen=True, slots=True)
class Firmware:
    location: str
    retrieve_at: str
    install_at: str | None
    certificate: str | None
    signature: str | None
    retries: int
    retry_interval_s: float


def files_answer_2x(station: "VirtualChargePoint", action: str, payload: Payload) -> Reply | None:
    """None when the message is of another kind."""
    match action:
        case "GetLog":
            return _get_log(station, payload)
        case "UpdateFirmware":
            teller = Teller("FirmwareStatusNotification", payload["requestId"])
            return _update(station, _firmware(payload, payload["firmware"]), teller)
        case "Trigger LogStatusNotification":
            return _told_again(station, station.files.log_teller or Teller("LogStatusNotification"), "log")
        case "Trigger FirmwareStatusNotification":
            return _told_again(
                station, station.files.firmware_teller or Teller("FirmwareStatusNotification"), "firmware"
            )
    return None


def files_answer_16(station: "VirtualChargePoint", action: str, payload: Payload) -> Reply | None:
    """None when the message is of another kind."""
    match action:
        case "GetLog":
            return _get_log(station, payload)
        case "GetDiagnostics":
            name = _log_name(station, "diagnostics")
            retries, interval_s = payload.get("retries", DEFAULT_RETRIES), payload.get("retryInterval", 10)
            teller = Teller("DiagnosticsStatusNotification")
            job = partial(_start_upload, station, payload["location"], name, retries, interval_s, teller)
            return Reply({"fileName": name}, job)
        case "UpdateFirmware":
            plain = {"location": payload["location"], "retrieveDateTime": payload["retrieveDate"]}
            reply = _update(station, _firmware(payload, plain), Teller("FirmwareStatusNotification"))
            return Reply({}, reply.then)
        case "SignedUpdateFirmware":
            teller = Teller("SignedFirmwareStatusNotification", payload["requestId"])
            return _update(station, _firmware(payload, payload["firmware"]), teller)
        case "Trigger DiagnosticsStatusNotification":
            return _told_again(station, Teller("DiagnosticsStatusNotification"), "log")
        case "Trigger LogStatusNotification":
            return _told_again(station, station.files.log_teller or Teller("LogStatusNotification"), "log")
        case "Trigger FirmwareStatusNotification":
            return _told_again(
                station, station.files.firmware_teller or Teller("FirmwareStatusNotification"), "firmware"
            )
    return None


def _told_again(station: "VirtualChargePoint", teller: Teller, what: str) -> Reply:
    status = station.files.log_status if what == "log" else station.files.firmware_status
    if status in {"Uploaded", "UploadFailure", "Installed"}:
        status = "Idle"
        teller = Teller(teller.action) if teller.action != "SignedFirmwareStatusNotification" else teller
    payload = teller.payload(status) or {"status": "Idle"}
    return Reply({"status": "Accepted"}, partial(station.send_soon, teller.action, payload))


# logs


def _get_log(station: "VirtualChargePoint", payload: Payload) -> Reply:
    if payload["logType"] == "DataCollectorLog":
        return Reply({"status": "Rejected"})
    name = _log_name(station, payload["logType"])
    running = station.files.log_job is not None and not station.files.log_job.done()
    retries, interval_s = payload.get("retries", DEFAULT_RETRIES), payload.get("retryInterval", 10)
    teller = Teller("LogStatusNotification", payload["requestId"])
    job = partial(_start_upload, station, payload["log"]["remoteLocation"], name, retries, interval_s, teller)
    return Reply({"status": "AcceptedCanceled" if running else "Accepted", "filename": name}, job)


def _log_name(station: "VirtualChargePoint", kind: str) -> str:
    safe = re.sub(r"[^\w.-]", "_", station.identity)
    return f"{safe}-{kind}-{station.now():%Y%m%dT%H%M%S}.log"


def _start_upload(
    station: "VirtualChargePoint", location: str, name: str, retries: int, interval_s: float, teller: Teller
) -> None:
    room = station.files
    if room.log_job is not None and not room.log_job.done():
        room.log_job.cancel()
        if room.log_teller is not None and station.version != "1.6":
            _tell_log(station, room.log_teller, "AcceptedCanceled")
    room.log_teller = teller
    room.log_job = station.work(_upload(station, location, name, retries, interval_s, teller))


async def _upload(
    station: "VirtualChargePoint", location: str, name: str, retries: int, interval_s: float, teller: Teller
) -> None:
    content = log_of(station)
    url = target(location, name, always_append=station.faults.upload_appends_name)
    _tell_log(station, teller, "Uploading")
    for attempt in range(retries + 1):
        try:
            if station.faults.uploads_fail:
                raise NotMoved("UploadFailure", "told to fail")
            await upload(url, content, station.flash, method=station.faults.upload_method)
        except NotMoved as failed:
            station.record.job_errors.append(f"{failed.code}: {failed}")
            if attempt < retries:
                await station.rest(interval_s)
                continue
            _tell_log(station, teller, failed.code)
            return
        station.files.uploads.append((url, content))
        _tell_log(station, teller, "Uploaded")
        return


def log_of(station: "VirtualChargePoint") -> bytes:
    """What this station would show a technician: its last messages."""
    lines = [f"{station.vendor} {station.model} {station.serial} firmware {station.firmware} at {station.stamp()}"]
    lines += [f"> {said.action} {json.dumps(said.payload)}" for said in station.record.sent[-400:]]
    lines += [f"< {said.action} {said.message_id}" for said in station.record.received[-400:]]
    return ("\n".join(lines) + "\n" + "." * station.faults.log_padding_bytes).encode()


def _tell_log(station: "VirtualChargePoint", teller: Teller, status: str) -> None:
    station.files.log_status = status
    payload = teller.payload(status)
    if payload is not None:
        station.send_soon(teller.action, payload, kept=True)


# firmware


def _firmware(payload: Payload, firmware: Payload) -> Firmware:
    return Firmware(
        firmware["location"], firmware["retrieveDateTime"], firmware.get("installDateTime"),
        firmware.get("signingCertificate"), firmware.get("signature"),
        payload.get("retries", DEFAULT_RETRIES), payload.get("retryInterval", 10),
    )  # fmt: skip


def _update(station: "VirtualChargePoint", firmware: Firmware, teller: Teller) -> Reply:
    if firmware.certificate is not None:
        roots = [each.pem for each in station.flash.roots if each.use == "ManufacturerRootCertificate"]
        if certificate_problem(firmware.certificate, roots, station.now()):
            station.security_event("InvalidFirmwareSigningCertificate")
            return Reply({"status": "InvalidCertificate"})
    running = station.files.firmware_job is not None and not station.files.firmware_job.done()
    return Reply(
        {"status": "AcceptedCanceled" if running else "Accepted"}, partial(_start_update, station, firmware, teller)
    )


def _start_update(station: "VirtualChargePoint", firmware: Firmware, teller: Teller) -> None:
    room = station.files
    if room.firmware_job is not None and not room.firmware_job.done():
        room.firmware_job.cancel()
    room.firmware_teller = teller
    room.firmware_job = station.work(_install(station, firmware, teller))


async def _install(station: "VirtualChargePoint", firmware: Firmware, teller: Teller) -> None:
    tell: Callable[[str], None] = partial(_tell_firmware, station, teller)
    if (wait_s := (moment(firmware.retrieve_at) - station.now()).total_seconds()) > 0:
        tell("DownloadScheduled")
        await station.rest(wait_s)
    image = await _downloaded(station, firmware, tell)
    if image is None:
        return
    if firmware.certificate is not None and firmware.signature is not None:
        if not signature_is_good(firmware.certificate, firmware.signature, image):
            station.security_event("InvalidFirmwareSignature")
            tell("InvalidSignature")
            return
        tell("SignatureVerified")
    if (
        firmware.install_at is not None
        and (wait_s := (moment(firmware.install_at) - station.now()).total_seconds()) > 0
    ):
        tell("InstallScheduled")
        await station.rest(wait_s)
    elif station.busy:
        tell("InstallScheduled")
    await station.until(lambda: not station.busy)
    tell("Installing")
    await station.rest(INSTALL_S)
    version = version_of(image, firmware.location)
    if version is None or station.faults.install_fails:
        tell("InstallVerificationFailed")
        tell("InstallationFailed")
        return
    tell("InstallRebooting")
    station.files.images.append(image)
    station.firmware = version
    boots = station.boots
    station.reboot(reason="FirmwareUpdate")
    await station.until(lambda: station.boots > boots and station.accepted)
    tell("Installed")
    station.security_event("FirmwareUpdated", version)


async def _downloaded(station: "VirtualChargePoint", firmware: Firmware, tell: Callable[[str], None]) -> bytes | None:
    for attempt in range(firmware.retries + 1):
        tell("Downloading")
        try:
            image = await download(firmware.location, station.flash)
        except NotMoved as failed:
            station.record.job_errors.append(f"{failed.code}: {failed}")
            if attempt < firmware.retries:
                await station.rest(firmware.retry_interval_s)
                continue
            tell("DownloadFailed")
            return None
        tell("Downloaded")
        return image
    return None


def version_of(image: bytes, location: str) -> str | None:
    """None for a file that is no image of this station."""
    if (found := _VERSION.search(image[:4096])) is not None:
        return found[1].decode()
    name = location.rpartition("/")[2]
    in_name = _VERSION_IN_NAME.search(name)
    return in_name[1] if in_name is not None and image else None


def _tell_firmware(station: "VirtualChargePoint", teller: Teller, status: str) -> None:
    station.files.firmware_status = status
    payload = teller.payload(status)
    if payload is not None:
        station.send_soon(teller.action, payload, kept=True)
