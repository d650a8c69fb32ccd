"""Certificates of a virtual charge point on the wire: signing requests, signed answers, roots installed and removed.

The same for 1.6 (security extension) and 2.x; only the words differ. The mathematics is in `charge_point_signature.py`.
Source: OCPP 1.6 security whitepaper A02, M03 to M05; OCPP 2.0.1 part 2, A02, M03 to M05. Start at `keys_answer_2x`.
"""

from functools import partial
from typing import TYPE_CHECKING

from tests.doubles.charge_point_flash import Installed
from tests.doubles.charge_point_frames import Payload
from tests.doubles.charge_point_signature import belongs_to, certificate_problem, certificates, hash_data, new_request
from tests.doubles.charge_point_tongue import Reply

if TYPE_CHECKING:
    from tests.doubles.charge_point import VirtualChargePoint

MAX_ROOTS = 20
SIGNING_WAIT_S = 30.0
SIGNING_REPEATS = 2
USES_16 = {
    "CentralSystemRootCertificate": "CSMSRootCertificate",
    "ManufacturerRootCertificate": "ManufacturerRootCertificate",
}


def keys_answer_2x(station: "VirtualChargePoint", action: str, payload: Payload) -> Reply | None:
    """None when the message is of another kind."""
    match action:
        case "CertificateSigned":
            if payload.get("certificateType", "ChargingStationCertificate") != "ChargingStationCertificate":
                return Reply({"status": "Rejected"})
            return _signed(station, payload["certificateChain"])
        case "InstallCertificate":
            return _install(station, payload["certificateType"], payload["certificate"])
        case "GetInstalledCertificateIds":
            return _installed_2x(station, payload.get("certificateType"))
        case "DeleteCertificate":
            return _delete(station, payload["certificateHashData"])
        case "Trigger SignChargingStationCertificate":
            return Reply({"status": "Accepted"}, partial(start_signing, station))
    return None


def keys_answer_16(station: "VirtualChargePoint", action: str, payload: Payload) -> Reply | None:
    """None when the message is of another kind."""
    match action:
        case "CertificateSigned":
            return _signed(station, payload["certificateChain"])
        case "InstallCertificate":
            return _install(station, USES_16[payload["certificateType"]], payload["certificate"])
        case "GetInstalledCertificateIds":
            use = USES_16[payload["certificateType"]]
            found = [hash_data(each.pem) for each in station.flash.roots if each.use == use]
            return Reply({"status": "Accepted", "certificateHashData": found} if found else {"status": "NotFound"})
        case "DeleteCertificate":
            return _delete(station, payload["certificateHashData"])
        case "Trigger SignChargePointCertificate":
            return Reply({"status": "Accepted"}, partial(start_signing, station))
    return None


def start_signing(station: "VirtualChargePoint") -> None:
    station.work(_sign(station))


async def _sign(station: "VirtualChargePoint") -> None:
    """Ask until the signed certificate has come, each time with a new key and twice the patience (A02.FR.17 to 19)."""
    wait_s = SIGNING_WAIT_S
    for _ in range(SIGNING_REPEATS + 1):
        key, request = new_request(station.serial, station.organization, rsa_key=station.faults.rsa_key)
        station.flash.new_key = key
        answer = await station.ask("SignCertificate", station.tongue.sign_certificate(request))
        if answer is None or answer.get("status") != "Accepted":
            station.flash.new_key = None
            return
        await station.rest_unless(wait_s, partial(_is_answered, station, key))
        if station.flash.new_key != key:
            return
        wait_s *= 2


def _is_answered(station: "VirtualChargePoint", key: str) -> bool:
    return station.flash.new_key != key


def _signed(station: "VirtualChargePoint", chain: str) -> Reply:
    flash = station.flash
    fits = flash.new_key is not None and certificates(chain) and belongs_to(chain, flash.new_key)
    problem = "no request" if not fits else certificate_problem(chain, flash.roots_for_tls(), station.now())
    if problem:
        station.record.job_errors.append(f"certificate refused: {problem}")
        station.security_event("InvalidChargingStationCertificate", problem)
        return Reply({"status": "Rejected"})
    flash.certificate, flash.key, flash.new_key = chain, flash.new_key, None
    return Reply({"status": "Accepted"}, station.dial_again if flash.current.profile == 3 else None)


def _install(station: "VirtualChargePoint", use: str, pem: str) -> Reply:
    found = certificates(pem)
    if len(found) != 1:
        return Reply({"status": "Rejected"})
    if len(station.flash.roots) >= MAX_ROOTS:
        return Reply({"status": "Failed"})
    known = [each for each in station.flash.roots if each.use == use]
    if hash_data(pem) not in [hash_data(each.pem) for each in known]:
        station.flash.roots.append(Installed(use, pem))
    return Reply({"status": "Accepted"})


def _installed_2x(station: "VirtualChargePoint", wanted: list[str] | None) -> Reply:
    found = [
        {"certificateType": each.use, "certificateHashData": hash_data(each.pem)}
        for each in station.flash.roots
        if wanted is None or each.use in wanted
    ]
    return Reply({"status": "Accepted", "certificateHashDataChain": found} if found else {"status": "NotFound"})


def _delete(station: "VirtualChargePoint", wanted: Payload) -> Reply:
    """The last root a TLS connection stands on is not taken away."""
    flash = station.flash
    mine = [each for each in flash.roots if _same(hash_data(each.pem), wanted)]
    if not mine:
        return Reply({"status": "NotFound"})
    left = [each for each in flash.roots if each not in mine]
    if flash.current.profile >= 2 and not any(each.use == "CSMSRootCertificate" for each in left):
        return Reply({"status": "Failed"})
    flash.roots = left
    return Reply({"status": "Accepted"})


def _same(one: Payload, other: Payload) -> bool:
    return all(str(one[key]).casefold().lstrip("0") == str(other.get(key, "")).casefold().lstrip("0") for key in one)
