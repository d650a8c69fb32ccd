"""The virtual charge point's security: credentials it keeps, certificates it asks for, profiles that only rise."""

import ssl
from base64 import b64decode
from collections.abc import AsyncIterator
from pathlib import Path
from typing import Any

import pytest

from tests.doubles.central_system import CentralSystem, central_system
from tests.doubles.charge_point import VirtualChargePoint
from tests.doubles.charge_point_faults import Faults
from tests.doubles.charge_point_frames import Version
from tests.doubles.charge_point_signature import hash_data
from tests.doubles.maker import Maker

PASSWORD = "a-password-of-16+"
VERSIONS: tuple[Version, ...] = ("1.6", "2.0.1", "2.1")


@pytest.fixture(params=VERSIONS)
async def csms(request: pytest.FixtureRequest) -> AsyncIterator[CentralSystem]:
    async with central_system(request.param) as system:
        yield system


@pytest.fixture
def maker() -> Maker:
    return Maker()


def tls(maker: Maker, folder: Path, *, client_roots: str | None = None, host: str = "localhost") -> ssl.SSLContext:
    """A server's context; with `client_roots` it demands a certificate."""
    certificate, key = maker.server(host)
    (folder / "chain.pem").write_text(certificate)
    (folder / "key.pem").write_text(key)
    context = ssl.SSLContext(ssl.PROTOCOL_TLS_SERVER)
    context.load_cert_chain(folder / "chain.pem", folder / "key.pem")
    if client_roots is not None:
        context.load_verify_locations(cadata=client_roots)
        context.verify_mode = ssl.CERT_REQUIRED
    return context


def station(csms: CentralSystem, **changes: Any) -> VirtualChargePoint:
    changes = {"speed": 200.0, "answer_timeout_s": 0.5, "version": csms.version, **changes}
    return VirtualChargePoint(csms.url, "CP001", **changes)


async def give_password(csms: CentralSystem, password: str) -> str:
    """The status that came back."""
    if csms.version == "1.6":
        answer = await csms.call("ChangeConfiguration", {"key": "AuthorizationKey", "value": password})
        return str(answer["status"])
    item = {
        "component": {"name": "SecurityCtrlr"},
        "variable": {"name": "BasicAuthPassword"},
        "attributeValue": password,
    }
    answer = await csms.call("SetVariables", {"setVariableData": [item]})
    return str(answer["setVariableResult"][0]["attributeStatus"])


# profiles


async def test_profile_1_sends_its_password(csms: CentralSystem) -> None:
    csms.password = PASSWORD.encode()
    async with station(csms, profile=1, password=PASSWORD) as cp:
        await cp.wait_until(lambda: cp.accepted)
    async with station(csms, profile=1, password="another") as cp:
        await cp.wait_until(lambda: cp.record.dial_errors)
        assert not cp.connected


async def test_a_new_password_is_used_at_the_next_connection_and_survives_a_power_cut(csms: CentralSystem) -> None:
    csms.password = PASSWORD.encode()
    new = "00112233445566778899aabbccddeeff00112233"
    raw = bytes.fromhex(new) if csms.version == "1.6" else new.encode()
    async with station(csms, profile=1, password=PASSWORD) as cp:
        await cp.wait_until(lambda: cp.accepted)
        assert await give_password(csms, new) == "Accepted"
        assert await give_password(csms, "short") == "Rejected"
        csms.password = raw
        cp.power_cut()
        await cp.wait_until(lambda: not cp.connected)
        cp.power_on()
        await cp.wait_until(lambda: cp.accepted)
    last = csms.authorizations[-1] or ""
    assert b64decode(last.removeprefix("Basic ")) == b"CP001:" + raw
    assert cp.violations == []


async def test_some_stations_take_the_key_as_text() -> None:
    async with (
        central_system("1.6") as csms,
        station(csms, profile=1, password=PASSWORD, faults=Faults(key_as_text=True)) as cp,
    ):
        await cp.wait_until(lambda: cp.accepted)
        await give_password(csms, "00112233445566778899aabbccddeeff00112233")
        csms.password = b"00112233445566778899aabbccddeeff00112233"
        cp.dial_again()
        await cp.wait_until(lambda: len(csms.sockets) == 2)


@pytest.mark.parametrize("version", VERSIONS)
async def test_profile_2_verifies_the_server(tmp_path: Path, maker: Maker, version: Version) -> None:
    async with central_system(version, tls(maker, tmp_path)) as csms:
        csms.password = PASSWORD.encode()
        async with station(csms, profile=2, password=PASSWORD, root=maker.root) as cp:
            await cp.wait_until(lambda: cp.accepted)
            assert cp.url.startswith("wss://")
        async with station(csms, profile=2, password=PASSWORD, root=Maker("Other").root) as cp:
            await cp.wait_until(lambda: cp.record.dial_errors)
            assert "CERTIFICATE_VERIFY_FAILED" in cp.record.dial_errors[0]
            assert not cp.connected


async def test_profile_2_verifies_the_name_of_the_server(tmp_path: Path, maker: Maker) -> None:
    async with (
        central_system("2.0.1", tls(maker, tmp_path, host="elsewhere.example")) as csms,
        station(csms, profile=2, password=PASSWORD, root=maker.root) as cp,
    ):
        await cp.wait_until(lambda: cp.record.dial_errors)
        assert not cp.connected


@pytest.mark.parametrize("version", VERSIONS)
async def test_profile_3_shows_its_certificate(tmp_path: Path, maker: Maker, version: Version) -> None:
    async with central_system(version, tls(maker, tmp_path, client_roots=maker.root)) as csms:
        certificate, key = maker.issue("CP001")
        async with station(csms, profile=3, root=maker.root, certificate=certificate, key=key) as cp:
            await cp.wait_until(lambda: cp.accepted)
        assert csms.authorizations == [None]
        async with station(csms, profile=3, root=maker.root) as cp:
            await cp.wait_until(lambda: cp.record.dial_errors or cp.record.closes)
            assert cp.confirmed == []


# certificates


async def test_a_station_asks_for_a_certificate_and_takes_what_fits(csms: CentralSystem, maker: Maker) -> None:
    action = "ExtendedTriggerMessage" if csms.version == "1.6" else "TriggerMessage"
    wanted = "SignChargePointCertificate" if csms.version == "1.6" else "SignChargingStationCertificate"
    async with station(csms) as cp:
        await cp.wait_until(lambda: cp.accepted)
        assert await csms.call(action, {"requestedMessage": wanted}) == {"status": "Accepted"}
        await cp.wait_until(lambda: cp.confirmed_of("SignCertificate"))
        foreign, _ = maker.issue("CP001")
        assert await csms.call("CertificateSigned", {"certificateChain": foreign}) == {"status": "Rejected"}
        signed = maker.sign_request(csms.of("SignCertificate")[-1]["csr"])
        assert await csms.call("CertificateSigned", {"certificateChain": signed}) == {"status": "Accepted"}
        assert cp.flash.certificate == signed
        await cp.wait_until(lambda: csms.of("SecurityEventNotification"))
    assert csms.of("SecurityEventNotification")[0]["type"] == "InvalidChargingStationCertificate"
    assert cp.violations == []


async def test_a_signing_request_nobody_signs_is_made_again_with_a_new_key(csms: CentralSystem) -> None:
    async with station(csms, faults=Faults(rsa_key=False)) as cp:
        await cp.wait_until(lambda: cp.accepted)
        action = "ExtendedTriggerMessage" if csms.version == "1.6" else "TriggerMessage"
        wanted = "SignChargePointCertificate" if csms.version == "1.6" else "SignChargingStationCertificate"
        await csms.call(action, {"requestedMessage": wanted})
        await cp.wait_until(lambda: len(csms.of("SignCertificate")) == 3)
    assert len({each["csr"] for each in csms.of("SignCertificate")}) == 3


async def test_roots_are_installed_listed_and_removed(csms: CentralSystem, maker: Maker) -> None:
    use = "CentralSystemRootCertificate" if csms.version == "1.6" else "CSMSRootCertificate"
    asked = {"certificateType": use if csms.version == "1.6" else [use]}
    async with station(csms) as cp:
        await cp.wait_until(lambda: cp.accepted)
        assert await csms.call("GetInstalledCertificateIds", asked) == {"status": "NotFound"}
        bad = {"certificateType": use, "certificate": "no certificate"}
        assert await csms.call("InstallCertificate", bad) == {"status": "Rejected"}
        good = {"certificateType": use, "certificate": maker.root}
        assert await csms.call("InstallCertificate", good) == {"status": "Accepted"}
        found = await csms.call("GetInstalledCertificateIds", asked)
        name = "certificateHashData"
        ids = found[name] if csms.version == "1.6" else [each[name] for each in found["certificateHashDataChain"]]
        assert ids == [hash_data(maker.root)]
        assert await csms.call("DeleteCertificate", {name: ids[0]}) == {"status": "Accepted"}
        assert await csms.call("DeleteCertificate", {name: ids[0]}) == {"status": "NotFound"}
    assert cp.violations == []


# a higher profile


async def test_a_higher_profile_of_1_6_leads_to_the_encrypted_address(tmp_path: Path, maker: Maker) -> None:
    async with (
        central_system("1.6") as plain,
        central_system("1.6", tls(maker, tmp_path)) as secure,
        station(plain, profile=1, password=PASSWORD, tls_url=secure.url) as cp,
    ):
        await cp.wait_until(lambda: cp.accepted)
        wish = {"key": "SecurityProfile", "value": "2"}
        assert await plain.call("ChangeConfiguration", wish) == {"status": "Rejected"}, "no root yet"
        root = {"certificateType": "CentralSystemRootCertificate", "certificate": maker.root}
        await plain.call("InstallCertificate", root)
        assert await plain.call("ChangeConfiguration", wish) == {"status": "Accepted"}
        await cp.wait_until(lambda: secure.sockets and cp.accepted)
        lower = {"key": "SecurityProfile", "value": "1"}
        assert await secure.call("ChangeConfiguration", lower) == {"status": "Rejected"}
        read = await secure.call("GetConfiguration", {"key": ["SecurityProfile"]})
        assert read["configurationKey"][0]["value"] == "2"
    assert cp.flash.proven_profile == 2


async def test_a_station_falls_back_when_the_higher_profile_does_not_work(maker: Maker) -> None:
    async with central_system("1.6") as plain:
        nowhere = "wss://localhost:1"
        async with station(plain, profile=1, password=PASSWORD, root=maker.root, tls_url=nowhere) as cp:
            await cp.wait_until(lambda: cp.accepted)
            await plain.call("ChangeConfiguration", {"key": "SecurityProfile", "value": "2"})
            await cp.wait_until(lambda: len(plain.sockets) == 2 and cp.accepted)
        assert len(cp.record.dial_errors) == 2
        assert cp.flash.current.profile == 1


@pytest.mark.parametrize("version", ["2.0.1", "2.1"])
async def test_a_network_profile_of_2_x_takes_effect_with_the_next_boot(
    tmp_path: Path, maker: Maker, version: Version
) -> None:
    async with central_system(version) as plain, central_system(version, tls(maker, tmp_path)) as secure:
        async with station(plain, profile=1, password=PASSWORD, root=maker.root) as cp:
            await cp.wait_until(lambda: cp.accepted)
            data = {
                "ocppVersion": "OCPP20",
                "ocppTransport": "JSON",
                "ocppCsmsUrl": secure.url,
                "messageTimeout": 30,
                "securityProfile": 2,
                "ocppInterface": "Wired0",
            }
            low = {"configurationSlot": 3, "connectionData": {**data, "securityProfile": 0}}
            assert (await plain.call("SetNetworkProfile", low))["status"] == "Rejected"
            used = {"configurationSlot": 1, "connectionData": data}
            assert (await plain.call("SetNetworkProfile", used))["status"] == "Rejected"
            assert await plain.call("SetNetworkProfile", {"configurationSlot": 2, "connectionData": data}) == {
                "status": "Accepted"
            }
            item = {
                "component": {"name": "OCPPCommCtrlr"},
                "variable": {"name": "NetworkConfigurationPriority"},
                "attributeValue": "2,1",
            }
            answer = await plain.call("SetVariables", {"setVariableData": [item]})
            assert answer["setVariableResult"][0]["attributeStatus"] == "RebootRequired"
            await plain.call("Reset", {"type": "Immediate"})
            await cp.wait_until(lambda: secure.sockets and cp.accepted)
        assert cp.flash.current.profile == 2
        assert cp.violations == []


async def test_what_was_learnt_is_in_the_flash_of_the_next_life(csms: CentralSystem) -> None:
    async with station(csms, profile=1, password=PASSWORD) as cp:
        await cp.wait_until(lambda: cp.accepted)
        await give_password(csms, "00112233445566778899aabbccddeeff00112233")
    csms.password = cp.flash.password
    async with station(csms, flash=cp.flash) as again:
        await again.wait_until(lambda: again.accepted)
