"""The site's certificates over the years: made once, kept, renewed while in use, never silently replaced."""

import asyncio
import ssl
from datetime import timedelta
from pathlib import Path

import pytest
from cryptography import x509

from edge_agent.certificates import authority, files
from edge_agent.certificates.keeper import FOLDER, MEMO, Keeper, RootDamaged
from edge_agent.certificates.names import KeyKind, Names
from programs.clock import SystemClock
from tests.doubles.clock import FakeClock

HERE = Names(("localhost",), ("127.0.0.1",))


async def opened(
    folder: Path, clock: FakeClock | None = None, names: Names = HERE, trusted: Path | None = None
) -> Keeper:
    return await Keeper.open(folder, clock or FakeClock(), lambda: names, trusted)


def leaf(folder: Path, kind: KeyKind) -> x509.Certificate:
    return x509.load_pem_x509_certificates((folder / FOLDER / f"{kind.value}.pem").read_bytes())[0]


async def test_the_first_start_makes_a_root_and_one_certificate_a_kind_of_key(tmp_path: Path) -> None:
    keeper = await opened(tmp_path)
    names = {each.name for each in (tmp_path / FOLDER).iterdir()}
    assert names == {"root.pem", "root.key", "rsa.pem", "rsa.key", "ecdsa.pem", "ecdsa.key", "known.json"}
    assert all(each.stat().st_mode & 0o777 == 0o600 for each in (tmp_path / FOLDER).iterdir())
    assert [name for name, _ in keeper.issued] == ["site CA", "server rsa", "server ecdsa"]
    for kind in KeyKind:
        chain = x509.load_pem_x509_certificates((tmp_path / FOLDER / f"{kind.value}.pem").read_bytes())
        assert chain[1] == keeper.root.certificate, "the whole chain is sent"


async def test_a_second_start_keeps_everything(tmp_path: Path) -> None:
    first = await opened(tmp_path)
    second = await opened(tmp_path)
    assert second.root_pem == first.root_pem
    assert second.issued == []
    assert second.expiries() == first.expiries()


async def test_a_second_start_does_not_read_certificates_again_and_knows_the_same(
    tmp_path: Path, monkeypatch: pytest.MonkeyPatch
) -> None:
    first = await opened(tmp_path)
    with monkeypatch.context() as patched:
        patched.setattr(authority, "read_holder", None)
        second = await opened(tmp_path)
    assert (second.issued, second.expiries()) == ([], first.expiries())
    assert second.root.certificate == first.root.certificate, "read when it is needed"
    (tmp_path / FOLDER / MEMO).unlink()
    third = await opened(tmp_path)
    assert (third.issued, third.expiries()) == ([], first.expiries())
    assert (tmp_path / FOLDER / MEMO).exists()


async def test_a_root_that_is_damaged_stops_the_start_and_is_not_replaced(tmp_path: Path) -> None:
    await opened(tmp_path)
    key = tmp_path / FOLDER / "root.key"
    good = key.read_bytes()
    for bad in (b"", good[: len(good) // 2], (tmp_path / FOLDER / "rsa.key").read_bytes()):
        key.write_bytes(bad)
        with pytest.raises(RootDamaged, match="are damaged"):
            await opened(tmp_path)
    key.unlink()
    with pytest.raises(RootDamaged):
        await opened(tmp_path)


@pytest.mark.parametrize("power_cut_after", ["key", "nothing"])
async def test_a_first_start_that_was_cut_short_begins_again(tmp_path: Path, power_cut_after: str) -> None:
    (tmp_path / FOLDER).mkdir(parents=True)
    if power_cut_after == "key":
        files.write(tmp_path / FOLDER / "root.key", authority.make_root("x", bits=2048).key_pem)
    keeper = await opened(tmp_path)
    assert (await opened(tmp_path)).root_pem == keeper.root_pem


@pytest.mark.parametrize("broken", ["rsa.key", "rsa.pem"])
async def test_a_damaged_server_certificate_is_made_anew(tmp_path: Path, broken: str) -> None:
    keeper = await opened(tmp_path)
    (tmp_path / FOLDER / broken).write_bytes(b"-----BEGIN")
    again = await opened(tmp_path)
    assert [name for name, _ in again.issued] == ["server rsa"]
    assert again.root_pem == keeper.root_pem


async def test_another_root_makes_the_servers_certificates_anew(tmp_path: Path) -> None:
    await opened(tmp_path)
    (tmp_path / FOLDER / "root.key").unlink()
    (tmp_path / FOLDER / "root.pem").unlink()
    again = await opened(tmp_path)
    assert authority.is_issued_by(leaf(tmp_path, KeyKind.RSA), again.root)
    assert authority.is_issued_by(leaf(tmp_path, KeyKind.ECDSA), again.root)


async def test_certificates_are_renewed_after_two_thirds_and_when_the_clock_was_set(tmp_path: Path) -> None:
    clock = FakeClock()
    keeper = await opened(tmp_path, clock)
    heard: list[tuple[str, str]] = []

    async def hear(code: str, detail: dict[str, str]) -> None:
        heard.append((code, detail["name"]))

    keeper.on_event = hear
    assert await keeper.renew() == []
    clock.set_wall(clock.now() + timedelta(days=270))
    assert await keeper.renew() == list(KeyKind)
    assert heard == [("certificate_issued", "server rsa"), ("certificate_issued", "server ecdsa")]
    clock.set_wall(clock.now() - timedelta(days=9000))
    assert await keeper.renew() == list(KeyKind)
    assert await keeper.renew() == []


async def test_a_new_address_of_the_box_makes_new_certificates_and_a_lost_one_does_not(tmp_path: Path) -> None:
    names = Names(("localhost",), ("127.0.0.1", "192.0.2.5"))
    keeper = await Keeper.open(tmp_path, FakeClock(), lambda: names)
    names = Names(("localhost",), ("127.0.0.1",))
    assert await keeper.renew() == []
    names = Names(("localhost",), ("127.0.0.1", "192.0.2.6"))
    assert await keeper.renew() == list(KeyKind)
    assert "192.0.2.6" in authority.names_of(leaf(tmp_path, KeyKind.RSA)).addresses


async def test_what_ends_soon_is_marked(tmp_path: Path) -> None:
    clock = FakeClock()
    keeper = await opened(tmp_path, clock)
    assert not any(each.soon for each in keeper.expiries())
    clock.set_wall(clock.now() + timedelta(days=380))
    assert {each.name for each in keeper.expiries() if each.soon} == {"server rsa", "server ecdsa"}
    heard: list[tuple[str, str]] = []

    async def hear(code: str, detail: dict[str, str]) -> None:
        heard.append((code, detail["name"]))

    keeper.on_event = hear
    await keeper.warn()
    assert heard == [("certificate_expiring", "server rsa"), ("certificate_expiring", "server ecdsa")]


async def test_further_roots_are_read_from_their_folder_and_rubbish_there_is_passed_over(tmp_path: Path) -> None:
    trusted = tmp_path / "trusted"
    trusted.mkdir()
    other = authority.make_root("another", bits=2048)
    (trusted / "b.pem").write_bytes(other.certificate_pem)
    (trusted / "a.pem").write_bytes(b"nonsense")
    (trusted / "c.txt").write_bytes(b"not looked at")
    keeper = await opened(tmp_path / "data", trusted=trusted)
    assert keeper.trusted_roots() == [other.certificate_pem]
    assert len(keeper.for_stations().get_ca_certs()) == 2
    assert (await opened(tmp_path / "data", trusted=tmp_path / "missing")).trusted_roots() == []


async def test_a_renewed_certificate_is_sent_from_the_next_handshake_on(tmp_path: Path) -> None:
    clock = FakeClock(SystemClock().now())
    keeper = await opened(tmp_path, clock)
    server = await asyncio.start_server(lambda _r, writer: writer.close(), "127.0.0.1", 0, ssl=keeper.for_stations())
    port = server.sockets[0].getsockname()[1]

    async def sent() -> bytes:
        _, writer = await asyncio.open_connection("127.0.0.1", port, ssl=client)
        found: bytes = writer.get_extra_info("ssl_object").getpeercert(binary_form=True)
        writer.close()
        return found

    client = ssl.create_default_context(cadata=keeper.root_pem.decode())
    async with server:
        before = await sent()
        clock.set_wall(clock.now() + timedelta(days=1))
        assert await sent() == before
        clock.set_wall(clock.now() - timedelta(days=30))
        await keeper.renew()
        client.check_hostname = False
        client.verify_mode = ssl.CERT_NONE  # the test's clock is not the client's
        assert await sent() != before
