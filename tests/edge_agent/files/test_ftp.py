"""Uploads by FTP and FTPS with Python's own client, over real sockets."""

import ftplib
import hashlib
import io
import socket
import ssl
import time
from urllib.parse import urlsplit

import pytest

from edge_agent.certificates import authority
from edge_agent.certificates.authority import KeyKind, Names
from edge_agent.files.ftp import FtpCannotListen, FtpServer
from edge_agent.files.settings import Certificate, FtpSettings
from edge_agent.files.uploads import Told, UploadLimits, Uploads
from programs.clock import SystemClock
from sitelink.ids import TransferId
from sitelink.states import TransferMethod

FTP, FTPS = TransferMethod.FTP, TransferMethod.FTPS
WITHIN_S = 10


class Site:
    """A folder for uploads, an FTP server that may be on, and clients that are closed in the end."""

    def __init__(self, tmp_path, certificate=None, passive=range(0), masquerade=None, **limits):
        self.told = []

        def tell(name):
            return lambda *what: self.told.append((name, *what))

        told = Told(tell("arrived"), tell("failed"), tell("progressed"), tell("removed"))
        of = {"keep_free_bytes": 0, "window_s": 0.5, "least_bytes_per_s": 0, **limits}
        self.uploads = Uploads(tmp_path, UploadLimits(**of), told, SystemClock().monotonic)
        self.folder = tmp_path / "uploads"
        settings = FtpSettings("127.0.0.1", 0, passive, masquerade, after_wrong_password_s=0.05)
        self.server = FtpServer(self.uploads, settings, lambda: certificate)
        self.clients = []

    def expect(self, name="a", method=FTP):
        return self.uploads.expect(TransferId(name), f"{name}.bin", method)

    def client(self, kind=ftplib.FTP, **options):
        client = kind(timeout=WITHIN_S, **options)
        client.connect("127.0.0.1", self.server.start())
        self.clients.append(client)
        return client

    def signed_in(self, way, **options):
        client = self.client(**options)
        client.login(way.token, way.password)
        return client

    def close(self):
        for client in self.clients:
            client.close()
        for transfer in self.uploads.transfers:
            self.uploads.close(transfer)
        self.server.stop()


@pytest.fixture
def site_of(tmp_path):
    sites = []

    def make(**options):
        sites.append(Site(tmp_path, **options))
        return sites[-1]

    yield make
    for site in sites:
        site.close()


@pytest.fixture
def site(site_of):
    return site_of()


@pytest.fixture
def certificate(tmp_path):
    root = authority.make_root("Harbour")
    leaf = authority.issue_server(root, KeyKind.RSA, Names(("localhost",), ("127.0.0.1",)), SystemClock().now())
    chain, key, trusted = tmp_path / "chain.pem", tmp_path / "key.pem", tmp_path / "root.pem"
    chain.write_bytes(leaf.certificate_pem + root.certificate_pem)
    key.write_bytes(leaf.key_pem)
    trusted.write_bytes(root.certificate_pem)
    return Certificate(chain, key)


def wait_until(condition):
    for _ in range(WITHIN_S * 100):
        if condition():
            return
        time.sleep(0.01)
    raise AssertionError("waited too long")


@pytest.mark.parametrize("name", ["diag.zip", "../../etc/passwd", "/var/spool/cron/crontabs/root", "a b\\c", "ü"])
def test_a_file_is_kept_under_our_name_whatever_the_station_calls_it(site, name):
    client = site.signed_in(site.expect())
    content = b"\r\nlines\r\n\x00\xff" * 10_000
    assert client.storbinary(f"STOR {name}", io.BytesIO(content)).startswith("226")
    assert {path.name for path in site.folder.iterdir()} == {"a.bin"}
    assert (site.folder / "a.bin").read_bytes() == content
    assert site.told[-1] == ("arrived", "a", len(content), hashlib.sha256(content).hexdigest())


def test_bytes_stay_as_they_are_also_in_ascii_mode(site):
    client = site.signed_in(site.expect())
    client.voidcmd("TYPE A")
    with client.transfercmd("STOR x") as data:
        data.sendall(b"one\r\ntwo\r")
    client.voidresp()
    assert (site.folder / "a.bin").read_bytes() == b"one\r\ntwo\r"


def test_folders_can_be_entered_and_mean_nothing(site):
    client = site.signed_in(site.expect())
    client.cwd("/somewhere/deep")
    client.cwd("..")
    assert client.pwd() == "/somewhere"
    client.storbinary("STOR x.log", io.BytesIO(b"x"))
    assert {path.name for path in site.folder.iterdir()} == {"a.bin"}


def test_active_mode_works_too(site):
    client = site.signed_in(site.expect())
    client.set_pasv(False)
    assert client.storbinary("STOR x", io.BytesIO(b"active")).startswith("226")
    assert (site.folder / "a.bin").read_bytes() == b"active"


def test_data_may_not_be_sent_to_others(site):
    client = site.signed_in(site.expect())
    with pytest.raises(ftplib.all_errors):
        client.sendport("192.0.2.1", 4711)


@pytest.mark.parametrize("user", ["anonymous", "root", "", "x" * 32])
def test_strangers_do_not_get_in(site, user):
    site.expect()
    client = site.client()
    with pytest.raises(ftplib.all_errors):
        client.login(user or " ", "guess")


def test_a_password_of_another_way_does_not_fit(site):
    mine, other = site.expect("a"), site.expect("b")
    client = site.client()
    with pytest.raises(ftplib.error_perm, match="530"):
        client.login(mine.token, other.password)


def test_a_way_by_http_is_none_by_ftp(site):
    way = site.expect(method=TransferMethod.HTTP)
    with pytest.raises(ftplib.error_perm, match="530"):
        site.client().login(way.token, way.password)


def test_nothing_can_be_listed_read_changed_or_deleted(site):
    first = site.signed_in(site.expect("a"))
    first.storbinary("STOR x", io.BytesIO(b"secret"))
    client = site.signed_in(site.expect("b"))
    with pytest.raises(ftplib.error_perm, match="550"):
        client.retrlines("LIST", lambda line: None)
    with pytest.raises(ftplib.error_perm, match="550"):
        client.retrbinary("RETR a.bin", lambda chunk: None)
    for command in ("NLST", "MLSD", "MLST a.bin", "STAT /", "SIZE a.bin", "MDTM a.bin", "DELE a.bin", "RMD /",
                    "MKD x", "RNFR a.bin", "APPE a.bin", "SITE CHMOD 777 a.bin",
                    "MFMT 20200101000000 a.bin"):  # fmt: skip
        with pytest.raises(ftplib.error_perm, match=r"5[05]\d"):
            client.sendcmd(command)
    assert (site.folder / "a.bin").read_bytes() == b"secret"


def test_a_second_store_is_refused(site):
    client = site.signed_in(site.expect())
    client.storbinary("STOR x", io.BytesIO(b"first"))
    with pytest.raises(ftplib.error_perm, match="550"):
        client.storbinary("STOR y", io.BytesIO(b"second"))
    assert (site.folder / "a.bin").read_bytes() == b"first"


def test_a_store_from_the_middle_is_refused(site):
    client = site.signed_in(site.expect())
    with pytest.raises(ftplib.error_perm, match="550"):
        client.storbinary("STOR x", io.BytesIO(b"rest"), rest=100)


def test_a_unique_name_is_as_good_as_any(site):
    client = site.signed_in(site.expect())
    client.storbinary("STOU x", io.BytesIO(b"unique"))
    assert (site.folder / "a.bin").read_bytes() == b"unique"


def test_over_quota_is_cut_off(site_of):
    site = site_of(one_bytes=100_000)
    client = site.signed_in(site.expect())
    with pytest.raises(ftplib.all_errors):
        client.storbinary("STOR x", io.BytesIO(b"x" * 5_000_000))
    wait_until(lambda: site.told)
    assert site.told[0][:3] == ("failed", "a", "too_large")
    assert list(site.folder.iterdir()) == []


def test_an_upload_that_stands_still_is_cut_and_may_be_tried_again(site):
    way = site.expect()
    client = site.signed_in(way)
    with client.transfercmd("STOR x") as data:
        data.sendall(b"half")
        wait_until(lambda: site.told)
    assert site.told == [("failed", "a", "too_slow", 4)]
    assert list(site.folder.iterdir()) == []
    again = site.signed_in(way)
    assert again.storbinary("STOR x", io.BytesIO(b"whole")).startswith("226")


def test_an_upload_whose_connection_breaks_leaves_nothing(site):
    client = site.signed_in(site.expect())
    data = client.transfercmd("STOR x")
    data.sendall(b"half")
    wait_until(lambda: site.uploads.so_far(TransferId("a")) == 4)
    data.setsockopt(socket.SOL_SOCKET, socket.SO_LINGER, b"\x01\x00\x00\x00\x00\x00\x00\x00")
    data.close()
    wait_until(lambda: site.told)
    assert site.told == [("failed", "a", "cut_off", 4)]
    assert list(site.folder.iterdir()) == []


def test_two_stations_store_at_once(site):
    clients = [site.signed_in(site.expect(name)) for name in "ab"]
    channels = [client.transfercmd("STOR diag.zip") for client in clients]
    for _ in range(50):
        for channel, letter in zip(channels, b"ab", strict=True):
            channel.sendall(bytes([letter]) * 1000)
    for client, channel in zip(clients, channels, strict=True):
        channel.close()
        assert client.voidresp().startswith("226")
    assert (site.folder / "a.bin").read_bytes() == b"a" * 50_000
    assert (site.folder / "b.bin").read_bytes() == b"b" * 50_000


def test_the_server_is_off_until_it_is_started_and_after_it_is_stopped(site):
    assert site.server.port is None
    client = site.signed_in(site.expect())
    port = site.server.port
    assert port is not None
    site.server.stop()
    assert site.server.port is None
    with pytest.raises(OSError, match="refused"):
        socket.create_connection(("127.0.0.1", port), timeout=WITHIN_S)
    with pytest.raises(ftplib.all_errors):
        client.voidcmd("NOOP")
    assert site.signed_in(site.expect("b")).storbinary("STOR x", io.BytesIO(b"again")).startswith("226")


def test_a_port_that_is_taken_is_said(site_of, tmp_path):
    with socket.create_server(("127.0.0.1", 0)) as other:
        settings = FtpSettings("127.0.0.1", other.getsockname()[1])
        server = FtpServer(site_of().uploads, settings)
        with pytest.raises(FtpCannotListen, match=r"files\.ftp_port"):
            server.start()
        assert server.port is None


def test_data_ports_and_address_are_those_that_were_set(site_of):
    with socket.create_server(("127.0.0.1", 0)) as probe:
        free = probe.getsockname()[1]
    site = site_of(passive=range(free, free + 1), masquerade="192.0.2.9")
    client = site.signed_in(site.expect())
    assert client.sendcmd("PASV").endswith(f"(192,0,2,9,{free // 256},{free % 256}).")
    assert client.storbinary("STOR x", io.BytesIO(b"x")).startswith("226")  # ftplib keeps to the address it knows


# ---- with TLS ----


def secure(tmp_path):
    context = ssl.create_default_context(cafile=str(tmp_path / "root.pem"))
    return {"kind": ftplib.FTP_TLS, "context": context}


def test_a_file_is_kept_by_ftps(site_of, certificate, tmp_path):
    site = site_of(certificate=certificate)
    way = site.expect(method=FTPS)
    client = site.client(**secure(tmp_path))
    client.auth()
    client.login(way.token, way.password)
    client.prot_p()
    content = b"z" * 300_000
    assert client.storbinary("STOR diag.zip", io.BytesIO(content)).startswith("226")
    assert (site.folder / "a.bin").read_bytes() == content


def test_a_way_by_ftps_takes_nothing_in_the_clear(site_of, certificate, tmp_path):
    site = site_of(certificate=certificate)
    way = site.expect(method=FTPS)
    with pytest.raises(ftplib.error_perm, match="530 TLS"):
        site.client().login(way.token, way.password)
    client = site.client(**secure(tmp_path))
    client.auth()
    client.login(way.token, way.password)
    with pytest.raises(ftplib.error_perm, match="521"):
        client.sendcmd("PASV")
    assert not site.folder.exists()


def test_a_way_by_ftp_works_beside_tls(site_of, certificate):
    site = site_of(certificate=certificate)
    client = site.signed_in(site.expect())
    assert client.storbinary("STOR x", io.BytesIO(b"plain")).startswith("226")


def test_without_a_certificate_tls_is_not_offered(site):
    site.expect()
    client = site.client(kind=ftplib.FTP_TLS)
    with pytest.raises(ftplib.error_perm):
        client.auth()


def test_the_url_of_a_way_is_all_a_station_needs(site):
    from edge_agent.files.exchange import _ftp_url

    way = site.expect()
    parts = urlsplit(_ftp_url(way, "127.0.0.1", site.server.start()))
    client = ftplib.FTP(timeout=WITHIN_S)
    site.clients.append(client)
    client.connect(parts.hostname, parts.port)
    client.login(parts.username, parts.password)
    client.cwd(parts.path)
    assert client.storbinary("STOR x", io.BytesIO(b"x")).startswith("226")
