"""Orders about certificates in both families of versions: they fit the schemas, and answers are read tolerantly."""

from typing import Any

import pytest

from edge_agent.charge_points import certificate_calls as calls
from edge_agent.charge_points.schemas import OCPP_16, OCPP_21, OCPP_201
from sitelink.commands import (
    CertificateHash,
    DeleteRoot,
    HandOverCertificate,
    InstallRoot,
    ReadRoots,
    RequestCertificate,
    Reset,
    RootUse,
)

HASH = CertificateHash("SHA256", "00ff", "00ee", "1a2b")
DATA = {"hashAlgorithm": "SHA256", "issuerNameHash": "00ff", "issuerKeyHash": "00ee", "serialNumber": "1a2b"}
ORDERS = (
    RequestCertificate(), HandOverCertificate("-----BEGIN"), InstallRoot("-----BEGIN"),
    InstallRoot("-----BEGIN", RootUse.MANUFACTURER), ReadRoots(), ReadRoots(RootUse.MANUFACTURER), DeleteRoot(HASH),
)  # fmt: skip


@pytest.mark.parametrize("order", ORDERS, ids=repr)
def test_every_order_is_a_call_that_fits_each_version(order: Any) -> None:
    for schemas, call in ((OCPP_16, calls.call_16), (OCPP_201, calls.call_2x), (OCPP_21, calls.call_2x)):
        made = call(order)
        assert made is not None
        schemas.check_call(*made)


def test_the_number_of_a_request_goes_back_to_2_1() -> None:
    made = calls.call_2x(HandOverCertificate("x", 7))
    assert made is not None
    assert made[1]["requestId"] == 7
    OCPP_21.check_call(*made)
    assert calls.call_16(HandOverCertificate("x", 7)) == ("CertificateSigned", {"certificateChain": "x"})


def test_other_orders_are_not_for_here() -> None:
    assert calls.call_16(Reset()) is None
    assert calls.call_2x(Reset()) is None
    assert calls.answer_16(Reset(), {"status": "Accepted"}) is None
    assert calls.answer_2x(InstallRoot("x"), {"status": "Accepted"}) is None


@pytest.mark.parametrize(
    ("payload", "word", "accepted", "found"),
    [
        ({"status": "Accepted", "certificateHashData": [DATA]}, "Accepted", True, (HASH,)),
        ({"status": "NotFound"}, "NotFound", True, ()),
        ({"status": "Accepted", "certificateHashData": ["x", None, {}]}, "Accepted", True,
         (CertificateHash("", "", "", ""),)),
        ({"status": "Accepted", "certificateHashData": "x"}, "Accepted", True, ()),
        ({}, "FormationViolation", False, {}),
        (None, "FormationViolation", False, None),
    ],
)  # fmt: skip
def test_which_roots_a_1_6_station_has(payload: Any, word: str, accepted: bool, found: Any) -> None:
    answer = calls.answer_16(ReadRoots(), payload)
    assert answer is not None
    assert (answer.word, answer.accepted, answer.payload) == (word, accepted, found)


def test_which_roots_a_2_x_station_has() -> None:
    chain = [{"certificateType": "CSMSRootCertificate", "certificateHashData": DATA}]
    answer = calls.answer_2x(ReadRoots(), {"status": "Accepted", "certificateHashDataChain": chain})
    assert answer is not None
    assert answer.payload == (HASH,)


@pytest.mark.parametrize(
    ("payload", "read"),
    [
        ({"csr": "x"}, ("x", None, True)),
        ({"csr": "x", "certificateType": "ChargingStationCertificate", "requestId": 3}, ("x", 3, True)),
        ({"csr": "x", "certificateType": "V2GCertificate"}, ("x", None, False)),
        ({"csr": 5, "requestId": "3"}, ("", None, True)),
        ({}, ("", None, True)),
    ],
)
def test_what_a_station_asks_for(payload: dict[str, Any], read: tuple[str, int | None, bool]) -> None:
    assert calls.request_of(payload) == read
