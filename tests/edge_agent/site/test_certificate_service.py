"""Certificates of charge points: who gets one, from whom, and what a withdrawn one is worth."""

import pytest

from edge_agent.site import certificate_service as module
from edge_agent.site.certificate_service import ASK_AGAIN_S, CertificateService
from edge_agent.site.trust import ClientCertificate, Proof, Trust
from sitelink.commands import (
    CertificateHash,
    HandOverCertificate,
    InstallRoot,
    OrderAnswer,
    RequestCertificate,
    RootUse,
)
from sitelink.errors import CertificateInvalid, NoAnswer, NotFound, StationOffline
from sitelink.ids import StationKey
from sitelink.security import SigningState
from tests.doubles.core import INSTALLER, Core

CP, OTHER = StationKey("cp001"), StationKey("cp002")


async def booted(*, by_site: bool = True) -> tuple[Core, CertificateService]:
    core = Core()
    await core.import_job()
    await core.boot("CP001", serial="SN-77")
    core.certificates._by_site = by_site
    return core, core.certificates


def signing(core: Core, station: StationKey = CP) -> tuple[SigningState, str | None]:
    found = core.journal.state.security[station].signing
    assert found is not None
    return found.state, found.word


async def one_round(certificates: CertificateService) -> None:
    """What `run` does with the next request."""
    station, request = certificates._queue.get_nowait()
    await certificates._hand_over(station, certificates._signer.sign(request), INSTALLER)


@pytest.mark.parametrize("name", ["SN-77", "sn-77", "CP001", "Acme CP001"])
async def test_a_station_gets_a_certificate_for_its_serial_or_identity_from_the_site(name: str) -> None:
    core, certificates = await booted()
    assert await certificates.requested(CP, name, 3)
    await one_round(certificates)
    assert core.stations.orders[-1] == (CP, HandOverCertificate(f"10/{name}", 3))
    assert signing(core) == (SigningState.ACCEPTED, "Accepted")
    (issued,) = certificates.issued()
    assert (issued.id, issued.station, issued.common_name) == ("10", CP, name)


@pytest.mark.parametrize(("request_", "why"), [("bad", "unreadable"), ("SN-78", "other_name"), ("", "other_name")])
async def test_a_request_that_will_not_do_is_refused_and_said(request_: str, why: str) -> None:
    core, certificates = await booted()
    assert not await certificates.requested(CP, request_, None)
    assert signing(core) == (SigningState.REFUSED, why)
    assert certificates._queue.empty()
    assert certificates.issued() == []


async def test_one_that_asks_again_and_again_gets_nothing_and_writes_nothing() -> None:
    core, certificates = await booted()
    assert await certificates.requested(CP, "SN-77", None)
    before = core.journal.seq
    for _ in range(100):
        assert not await certificates.requested(CP, "SN-77", None)
    assert core.journal.seq == before
    core.clock.advance(ASK_AGAIN_S)
    assert await certificates.requested(CP, "SN-77", None)


async def test_forwarded_requests_wait_for_what_the_operators_authority_signs() -> None:
    core, certificates = await booted(by_site=False)
    assert await certificates.requested(CP, "SN-77", None)
    assert certificates._queue.empty()
    assert [key for key, _ in certificates.requests()] == [CP]
    with pytest.raises(CertificateInvalid):
        await certificates.upload(CP, "77/SN-78", INSTALLER)
    answer = await certificates.upload(CP, "77/SN-77", INSTALLER)
    assert answer.word == "Accepted"
    assert core.stations.orders[-1] == (CP, HandOverCertificate("77/SN-77"))
    assert certificates.requests() == []
    with pytest.raises(NotFound):
        await certificates.upload(OTHER, "77/SN-77", INSTALLER)
    core.stations.online.clear()
    with pytest.raises(StationOffline):
        await certificates.upload(CP, "78/SN-77", INSTALLER)


async def test_what_the_station_says_to_it_is_recorded() -> None:
    core, certificates = await booted()
    core.stations.answers[HandOverCertificate] = OrderAnswer("Rejected", accepted=False)
    await certificates.requested(CP, "SN-77", None)
    await one_round(certificates)
    assert signing(core) == (SigningState.REJECTED, "Rejected")
    core.stations.answers[HandOverCertificate] = NoAnswer(identity=CP)
    core.clock.advance(ASK_AGAIN_S)
    await certificates.requested(CP, "SN-77", None)
    with pytest.raises(NoAnswer):
        await one_round(certificates)
    assert signing(core) == (SigningState.SIGNED, "no_answer")
    assert len(certificates.issued()) == 2, "it is known as ours, whether it arrived or not"


async def test_a_certificate_opens_the_door_of_whom_it_was_handed_to_and_no_other_and_revoked_no_door() -> None:
    core, certificates = await booted()
    await certificates.requested(CP, "CP001 and CP002", None)
    await one_round(certificates)
    shown = ClientCertificate("10", "CP001 and CP002")
    proof = Proof(Trust.RIGHT, 3, True, certificate=shown)
    assert module.security_of(core.journal.state, CP).signing is not None
    from edge_agent.site.trust import certificate_trust

    assert certificate_trust(core.journal.state, CP, shown) is Trust.RIGHT
    assert certificate_trust(core.journal.state, OTHER, shown) is Trust.WRONG
    assert core.desk.standing("CP001", proof).served
    revoked = await certificates.revoke("10", INSTALLER)
    assert revoked.revoked_at is not None
    assert core.stations.rechecked[-1] == CP
    assert core.desk.standing("CP001", proof).reason == "certificate_revoked"
    assert (await certificates.revoke("10", INSTALLER)).revoked_at == revoked.revoked_at
    with pytest.raises(NotFound):
        await certificates.revoke("11", INSTALLER)


async def test_no_more_are_signed_than_can_be_remembered(monkeypatch: pytest.MonkeyPatch) -> None:
    core, certificates = await booted()
    monkeypatch.setattr(module, "ISSUED_MAX", 0)
    assert not await certificates.requested(CP, "SN-77", None)
    assert signing(core) == (SigningState.REFUSED, "too_many")


async def test_roots_are_given_read_and_taken_away() -> None:
    core, certificates = await booted()
    named = CertificateHash("SHA256", "a", "b", "c")
    await certificates.ask_for_request(CP)
    await certificates.install_root(CP, None, RootUse.CENTRAL_SYSTEM)
    await certificates.install_root(CP, "OTHER", RootUse.MANUFACTURER)
    await certificates.roots(CP, RootUse.CENTRAL_SYSTEM)
    await certificates.delete_root(CP, named)
    orders = [order for _, order in core.stations.orders]
    assert orders[:3] == [RequestCertificate(), InstallRoot("ROOT"), InstallRoot("OTHER", RootUse.MANUFACTURER)]
