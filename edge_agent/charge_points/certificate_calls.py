"""Orders about certificates as calls of 1.6 and of 2.x, and what the answers mean. Pure.

Sources: the 1.6 security whitepaper and OCPP 2.0.1 part 2, A02 and M03 to M05; 2.1 A02 for `requestId`. Start at
`call_16` and `call_2x`; None where an order is about something else.
"""

from typing import Any

from edge_agent.charge_points.readings import kept, text_of
from sitelink.commands import (
    CertificateHash,
    DeleteRoot,
    HandOverCertificate,
    InstallRoot,
    Order,
    OrderAnswer,
    ReadRoots,
    RequestCertificate,
    RootUse,
)

HASH_FIELDS = ("hashAlgorithm", "issuerNameHash", "issuerKeyHash", "serialNumber")
ROOTS_MAX = 100
_USES_16 = {
    RootUse.CENTRAL_SYSTEM: "CentralSystemRootCertificate", RootUse.MANUFACTURER: "ManufacturerRootCertificate",
}  # fmt: skip
_USES_2X = {RootUse.CENTRAL_SYSTEM: "CSMSRootCertificate", RootUse.MANUFACTURER: "ManufacturerRootCertificate"}

Call = tuple[str, dict[str, Any]]


def call_16(order: Order) -> Call | None:
    match order:
        case RequestCertificate():
            return "ExtendedTriggerMessage", {"requestedMessage": "SignChargePointCertificate"}
        case HandOverCertificate(chain=chain):
            return "CertificateSigned", {"certificateChain": chain}
        case InstallRoot(certificate=certificate, use=use):
            return "InstallCertificate", {"certificateType": _USES_16[use], "certificate": certificate}
        case ReadRoots(use=use):
            return "GetInstalledCertificateIds", {"certificateType": _USES_16[use]}
        case DeleteRoot(certificate=named):
            return "DeleteCertificate", {"certificateHashData": _hash_data(named)}
    return None


def call_2x(order: Order) -> Call | None:
    match order:
        case RequestCertificate():
            return "TriggerMessage", {"requestedMessage": "SignChargingStationCertificate"}
        case HandOverCertificate(chain=chain, request=request):
            payload = {"certificateChain": chain, "certificateType": "ChargingStationCertificate"}
            return "CertificateSigned", payload | ({"requestId": request} if request is not None else {})
        case InstallRoot(certificate=certificate, use=use):
            return "InstallCertificate", {"certificateType": _USES_2X[use], "certificate": certificate}
        case ReadRoots(use=use):
            return "GetInstalledCertificateIds", {"certificateType": [_USES_2X[use]]}
        case DeleteRoot(certificate=named):
            return "DeleteCertificate", {"certificateHashData": _hash_data(named)}
    return None


def _hash_data(named: CertificateHash) -> dict[str, str]:
    return dict(
        zip(
            HASH_FIELDS, (named.hash_algorithm, named.issuer_name_hash, named.issuer_key_hash, named.serial_number),
            strict=True,
        )
    )  # fmt: skip


def answer_16(order: Order, payload: Any) -> OrderAnswer | None:
    """None: it is read as any other answer."""
    return _roots(payload, "certificateHashData", None) if isinstance(order, ReadRoots) else None


def answer_2x(order: Order, payload: Any) -> OrderAnswer | None:
    if not isinstance(order, ReadRoots):
        return None
    return _roots(payload, "certificateHashDataChain", "certificateHashData")


def _roots(payload: Any, name: str, inner: str | None) -> OrderAnswer:
    """NotFound is an answer too: it has none."""
    said = text_of(payload, "status", [], 50) if isinstance(payload, dict) else None
    if said is None or not isinstance(payload, dict):
        return OrderAnswer("FormationViolation", accepted=False, payload=kept(payload))
    listed = payload.get(name)
    found = []
    for each in listed[:ROOTS_MAX] if isinstance(listed, list) else ():
        data = each.get(inner) if inner is not None and isinstance(each, dict) else each
        if isinstance(data, dict):
            values = [text_of(data, field, [], 200) or "" for field in HASH_FIELDS]
            found.append(CertificateHash(*values))
    return OrderAnswer(said, said.casefold() in ("accepted", "notfound"), tuple(found))


def request_of(payload: dict[str, Any]) -> tuple[str, int | None, bool]:
    """Of a SignCertificate: the request, its number, and whether it is for the connection to us (not for ISO 15118)."""
    csr, number, use = payload.get("csr"), payload.get("requestId"), payload.get("certificateType")
    ours = use is None or use == "ChargingStationCertificate"
    return csr if isinstance(csr, str) else "", number if isinstance(number, int) else None, ours
