"""TLS with real clients, on the OCPP port: which versions, suites and client certificates get through."""

import asyncio
import asyncio.sslproto
import ssl
from collections.abc import AsyncIterator
from datetime import timedelta
from pathlib import Path

import pytest
from cryptography import x509
from cryptography.x509.oid import NameOID
from websockets.exceptions import InvalidMessage

from edge_agent.certificates import authority, tls
from edge_agent.certificates.authority import Holder, KeyKind, Names
from edge_agent.certificates.keeper import Keeper
from programs.clock import SystemClock
from tests.doubles.ocpp_box import OcppBox, ocpp_box

NAMES = Names(("localhost",), ("127.0.0.1",))


@pytest.fixture
async def keeper(tmp_path: Path) -> Keeper:
    return await Keeper.open(tmp_path, SystemClock(), lambda: NAMES)


@pytest.fixture
async def box(keeper: Keeper) -> AsyncIterator[OcppBox]:
    async with ocpp_box(tls=keeper.for_stations()) as running:
        yield running


def client(keeper: Keeper, suites: str | None = None, version: ssl.TLSVersion | None = None) -> ssl.SSLContext:
    """A station that knows the site's root and nothing else; with `suites` it speaks TLS 1.2 with these alone."""
    context = ssl.SSLContext(ssl.PROTOCOL_TLS_CLIENT)
    context.load_verify_locations(cadata=keeper.root_pem.decode())
    if suites is not None:
        context.maximum_version = ssl.TLSVersion.TLSv1_2
        context.set_ciphers(suites)
    if version is not None:
        context.minimum_version = context.maximum_version = version
        context.set_ciphers("ALL:@SECLEVEL=0")
    return context


def holder(root: Holder, days_ago: float = 0, name: str = "CP001") -> Holder:
    key = authority.new_key(KeyKind.ECDSA)
    subject = x509.Name([x509.NameAttribute(NameOID.COMMON_NAME, name)])
    now = SystemClock().now() - timedelta(days=days_ago)
    return Holder(authority.issue_client(root, subject, key.public_key(), now), key)  # type: ignore[arg-type]


def with_certificate(context: ssl.SSLContext, who: Holder, folder: Path) -> ssl.SSLContext:
    file = folder / "client.pem"
    file.write_bytes(who.certificate_pem + who.key_pem)
    context.load_cert_chain(file)
    return context


async def is_served(box: OcppBox, context: ssl.SSLContext) -> bool:
    """Whether a station gets through the handshake and its boot is accepted. A refusal may come as late as that."""
    try:
        async with box.station(ssl=context, open_timeout=3) as station:
            return await station.boot() == "Accepted"
    except (ssl.SSLError, ConnectionError, EOFError, InvalidMessage):
        return False


@pytest.mark.parametrize("suites", tls.SUITES)
async def test_each_suite_with_forward_secrecy_is_spoken_alone_and_the_chain_is_trusted(
    box: OcppBox, keeper: Keeper, suites: str
) -> None:
    context = client(keeper, suites)
    async with box.station(ssl=context) as station:
        spoken = station.socket.transport.get_extra_info("ssl_object")
        assert spoken.cipher()[0] == suites
        assert spoken.compression() is None
        assert await station.boot() == "Accepted"


@pytest.mark.parametrize("suites", tls.SUITES_WITHOUT_FORWARD_SECRECY)
async def test_suites_without_forward_secrecy_are_spoken_only_where_the_setting_says_so(
    box: OcppBox, keeper: Keeper, suites: str
) -> None:
    assert not await is_served(box, client(keeper, suites))
    async with ocpp_box(tls=keeper.for_stations(rsa_suites=True)) as lenient:
        assert await is_served(lenient, client(keeper, suites))


async def test_tls_1_3_is_spoken(box: OcppBox, keeper: Keeper) -> None:
    async with box.station(ssl=client(keeper)) as station:
        assert station.socket.transport.get_extra_info("ssl_object").version() == "TLSv1.3"


@pytest.mark.filterwarnings("ignore:ssl.TLSVersion:DeprecationWarning")
async def test_older_versions_are_refused(box: OcppBox, keeper: Keeper) -> None:
    for version in (ssl.TLSVersion.TLSv1, ssl.TLSVersion.TLSv1_1):
        assert not await is_served(box, client(keeper, version=version))
    assert await is_served(box, client(keeper, version=ssl.TLSVersion.TLSv1_2))


async def test_a_station_that_trusts_another_root_hangs_up(box: OcppBox, tmp_path: Path) -> None:
    other = await Keeper.open(tmp_path / "other", SystemClock(), lambda: NAMES)
    assert not await is_served(box, client(other))


@pytest.mark.parametrize(
    ("who", "served"), [("ours", True), ("strangers", False), ("expired", False), ("of a further root", True)]
)
async def test_a_client_certificate_must_be_ours_and_in_its_time(
    keeper: Keeper, tmp_path: Path, who: str, served: bool
) -> None:
    other = authority.make_root("another", bits=2048)
    if who == "of a further root":
        (tmp_path / "trusted").mkdir()
        (tmp_path / "trusted" / "maker.pem").write_bytes(other.certificate_pem)
        keeper = await Keeper.open(tmp_path, SystemClock(), lambda: NAMES, tmp_path / "trusted")
    root = keeper.root if who in ("ours", "expired") else other
    context = with_certificate(client(keeper), holder(root, 500 if who == "expired" else 0), tmp_path)
    async with ocpp_box(tls=keeper.for_stations()) as box:
        assert await is_served(box, context) is served


async def test_plain_bytes_on_the_encrypted_port_harm_nobody(box: OcppBox, keeper: Keeper) -> None:
    reader, writer = await asyncio.open_connection("127.0.0.1", box.tls_port)
    writer.write(b"GET /CP001 HTTP/1.1\r\nHost: x\r\n\r\n")
    async with asyncio.timeout(5):
        await reader.read()
    writer.close()
    assert await is_served(box, client(keeper))


def test_asyncio_holds_small_buffers_and_a_change_of_python_is_noticed(monkeypatch: pytest.MonkeyPatch) -> None:
    with monkeypatch.context() as patched:
        patched.setattr(asyncio.sslproto.SSLProtocol, "max_size", 256 * 1024)
        assert tls.shrink_buffers()
        assert asyncio.sslproto.SSLProtocol.max_size == tls.BUFFER_BYTES
        patched.delattr(asyncio.sslproto.SSLProtocol, "max_size")
        assert not tls.shrink_buffers()
