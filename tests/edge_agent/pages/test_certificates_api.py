"""Certificates of charge points over the box's own API."""

from collections.abc import AsyncIterator
from typing import Any

import pytest

from sitelink.commands import CertificateHash, InstallRoot, OrderAnswer, ReadRoots
from sitelink.ids import StationKey
from tests.doubles.box_pages import Box, running_box

CP = StationKey("cp001")
ONE = "/api/v1/charge-points/CP001"


@pytest.fixture
async def box() -> AsyncIterator[Box]:
    async with running_box() as running:
        await running.core.boot("CP001", serial="SN-77")
        yield running


async def ask(box: Box, method: str, path: str, body: Any = None) -> Any:
    headers = {"Authorization": f"Bearer {await box.core.jobs.new_admin_token('test')}"}
    answer = await box.client().request(method, path, json=body, headers=headers)
    return answer.status, await answer.json()


async def test_a_forwarded_request_is_listed_signed_elsewhere_handed_over_and_revoked(box: Box) -> None:
    box.core.certificates._by_site = False
    await box.core.certificates.requested(CP, "SN-77", None)
    _, waiting = await ask(box, "GET", "/api/v1/certificate-requests")
    assert [(each["identity"], each["csr"]) for each in waiting] == [("cp001", "SN-77")]
    status, told = await ask(box, "POST", f"{ONE}/certificate", {"chain": "1F/SN-78"})
    assert (status, told["code"], told["problem"]) == (422, "certificate_invalid", "other_key")
    assert await ask(box, "POST", f"{ONE}/certificate", {"chain": "1F/SN-77"}) == (
        200, {"answer": "Accepted", "accepted": True},
    )  # fmt: skip
    assert await ask(box, "GET", "/api/v1/certificate-requests") == (200, [])
    _, issued = await ask(box, "GET", "/api/v1/certificates")
    assert [(each["serial"], each["revoked_at"]) for each in issued] == [("1F", None)]
    _, revoked = await ask(box, "POST", "/api/v1/certificates/1f/revoke")
    assert revoked["revoked_at"] is not None
    assert (await ask(box, "POST", "/api/v1/certificates/2f/revoke"))[0] == 404


async def test_a_station_is_asked_to_ask_and_given_roots(box: Box) -> None:
    assert (await ask(box, "POST", f"{ONE}/certificate-request"))[1] == {"answer": "Accepted", "accepted": True}
    assert (await ask(box, "POST", f"{ONE}/roots", {}))[0] == 200
    assert box.core.stations.orders[-1] == (CP, InstallRoot("ROOT"))
    named = CertificateHash("SHA256", "00ff", "00ee", "1a")
    box.core.stations.answers[ReadRoots] = OrderAnswer("Accepted", accepted=True, payload=(named,))
    _, told = await ask(box, "GET", f"{ONE}/roots?use=manufacturer")
    assert told["roots"][0]["serial_number"] == "1a"
    assert (await ask(box, "DELETE", f"{ONE}/roots", told["roots"][0]))[1]["accepted"] is True
    assert (await ask(box, "GET", f"{ONE}/roots?use=x"))[0] == 400
    assert (await ask(box, "POST", f"{ONE}/roots", {"use": "x"}))[0] == 400
    assert (await ask(box, "GET", "/api/v1/charge-points/NOBODY/roots"))[0] == 404
    box.core.stations.online.clear()
    assert (await ask(box, "POST", f"{ONE}/roots", {}))[1]["code"] == "station_offline"


async def test_only_a_token_of_the_box_opens_it(box: Box) -> None:
    for method, path in (("GET", "/api/v1/certificates"), ("GET", "/api/v1/certificate-requests"),
                         ("POST", f"{ONE}/roots"), ("POST", "/api/v1/certificates/1/revoke")):  # fmt: skip
        answer = await box.client().request(method, path, json={}, headers=box.bearer)
        assert answer.status == 401
