"""Quotas, names and the life of one file, with real files and a clock that is moved."""

import hashlib
import os
import stat
from pathlib import Path

import pytest

from edge_agent.files.uploads import MIB, Told, UploadLimits, UploadRefused, Uploads
from sitelink.ids import TransferId
from sitelink.states import TransferMethod
from tests.doubles.clock import FakeClock


class Desk:
    """Uploads in a folder, what they told, and a clock."""

    def __init__(self, folder: Path, **limits: int) -> None:
        self.told: list[tuple[object, ...]] = []
        self.clock = FakeClock()

        def tell(name):
            return lambda *what: self.told.append((name, *what))

        told = Told(tell("arrived"), tell("failed"), tell("progressed"), tell("removed"))
        self.uploads = Uploads(folder, UploadLimits(**{"keep_free_bytes": 0, **limits}), told, self.clock.monotonic)
        self.folder = folder / "uploads"

    def expect(self, name: str = "a", method: TransferMethod = TransferMethod.HTTP):
        return self.uploads.expect(TransferId(name), f"{name}.bin", method)

    def bring(self, name: str, content: bytes):
        way = self.expect(name)
        sink = self.uploads.open(way)
        sink.write(content)
        sink.finish()
        return way

    def files(self) -> set[str]:
        return {path.name for path in self.folder.iterdir()} if self.folder.exists() else set()


@pytest.fixture
def desk_of(tmp_path):
    """Makes a desk with other limits; what it has open is closed in the end."""
    desks = []

    def make(**limits: int) -> Desk:
        desks.append(Desk(tmp_path, **limits))
        return desks[-1]

    yield make
    for desk in desks:
        for transfer in desk.uploads.transfers:
            desk.uploads.close(transfer)


@pytest.fixture
def desk(desk_of):
    return desk_of()


def test_a_file_gets_its_name_only_when_it_is_whole(desk):
    way = desk.expect()
    sink = desk.uploads.open(way)
    sink.write(b"half")
    assert desk.files() == {"a.bin.part"}
    sink.write(b" done")
    sink.finish()
    assert desk.files() == {"a.bin"}
    assert (desk.folder / "a.bin").read_bytes() == b"half done"
    assert stat.S_IMODE((desk.folder / "a.bin").stat().st_mode) == 0o600
    assert stat.S_IMODE(desk.folder.stat().st_mode) == 0o700
    assert desk.told == [("arrived", "a", 9, hashlib.sha256(b"half done").hexdigest())]


def test_nothing_but_a_name_of_ours_is_expected(desk):
    for name in ("../a.bin", "a/b.bin", "a.tar.gz", "/etc/passwd"):
        with pytest.raises(ValueError, match="not a name of ours"):
            desk.uploads.expect(TransferId("a"), name, TransferMethod.HTTP)


def test_every_way_has_its_own_token_and_password(desk):
    ways = [desk.expect(name) for name in "abc"]
    assert len({way.token for way in ways} | {way.password for way in ways}) == 6
    assert min(len(way.token) for way in ways) >= 32


def test_a_way_is_found_by_its_token_and_method_alone(desk):
    way = desk.expect()
    assert desk.uploads.find(way.token, TransferMethod.HTTP) is way
    assert desk.uploads.find(way.token, TransferMethod.FTP) is None
    assert desk.uploads.find(way.token[:-1], TransferMethod.HTTP) is None
    assert desk.uploads.find("\udcff", TransferMethod.HTTP) is None
    desk.uploads.close(TransferId("a"))
    assert desk.uploads.find(way.token, TransferMethod.HTTP) is None


def test_a_second_upload_is_refused_while_one_runs_and_after_it(desk):
    way = desk.expect()
    sink = desk.uploads.open(way)
    with pytest.raises(UploadRefused, match="taken"):
        desk.uploads.open(way)
    sink.finish()
    with pytest.raises(UploadRefused, match="taken"):
        desk.uploads.open(way)


def test_after_a_broken_off_upload_another_may_come(desk):
    way = desk.expect()
    sink = desk.uploads.open(way)
    sink.write(b"half")
    sink.break_off("cut_off")
    assert desk.files() == set()
    assert desk.told == [("failed", "a", "cut_off", 4)]
    again = desk.uploads.open(way)
    again.write(b"whole")
    again.finish()
    assert (desk.folder / "a.bin").read_bytes() == b"whole"


def test_one_file_may_not_be_larger_than_its_quota(desk_of):
    desk = desk_of(one_bytes=10)
    sink = desk.uploads.open(desk.expect())
    sink.write(b"0123456789")
    with pytest.raises(UploadRefused, match="too large"):
        sink.write(b"x")
    with pytest.raises(UploadRefused):
        sink.write(b"x")
    assert desk.files() == set()
    assert desk.told == [("failed", "a", "too_large", 10)]


def test_the_oldest_files_make_room(desk_of):
    desk = desk_of(one_bytes=40, all_bytes=100)
    for number, name in enumerate("abc"):
        desk.bring(name, b"x" * 40 if name != "c" else b"x" * 20)
        desk.uploads.close(TransferId(name))
        os.utime(desk.folder / f"{name}.bin", (number, number))
    desk.bring("d", b"y" * 40)
    assert desk.files() == {"b.bin", "c.bin", "d.bin"}
    assert ("removed", "a.bin") in desk.told


def test_a_file_of_a_transfer_that_runs_never_makes_room(desk_of):
    desk = desk_of(one_bytes=60, all_bytes=100)
    desk.bring("a", b"x" * 60)
    sink = desk.uploads.open(desk.expect("b"))
    with pytest.raises(UploadRefused, match="no room"):
        sink.write(b"y" * 50)
    assert desk.files() == {"a.bin"}
    assert ("failed", "b", "no_room", 0) in desk.told


def test_the_disk_is_not_filled_to_the_brim(desk_of):
    desk = desk_of(keep_free_bytes=1 << 60)
    sink = desk.uploads.open(desk.expect())
    with pytest.raises(UploadRefused, match="no room"):
        sink.write(b"x")


def test_an_upload_that_crawls_is_cut(desk_of):
    desk = desk_of(least_bytes_per_s=100)
    sink = desk.uploads.open(desk.expect())
    for _ in range(3):
        sink.write(b"x" * 1000)
        desk.clock.advance(10)
    with pytest.raises(UploadRefused, match="too slow"):
        sink.write(b"x")
    assert ("failed", "a", "too_slow", 3000) in desk.told


def test_closing_a_way_breaks_off_what_is_under_way_and_keeps_what_came(desk):
    desk.bring("a", b"kept")
    sink = desk.uploads.open(desk.expect("b"))
    sink.write(b"half")
    desk.uploads.close(TransferId("a"))
    desk.uploads.close(TransferId("b"))
    assert desk.files() == {"a.bin"}
    with pytest.raises(UploadRefused):
        sink.write(b"more")
    with pytest.raises(UploadRefused):
        sink.finish()


def test_progress_is_told_now_and_then(desk):
    sink = desk.uploads.open(desk.expect())
    for _ in range(32):
        sink.write(b"x" * 32 * 1024)
    assert desk.uploads.so_far(TransferId("a")) == MIB
    assert desk.told == [("progressed", "a")] * 4


def test_a_link_in_the_place_of_the_file_is_not_followed(desk, tmp_path):
    desk.folder.mkdir()
    (desk.folder / "a.bin.part").symlink_to(tmp_path / "elsewhere")
    with pytest.raises(UploadRefused):
        desk.uploads.open(desk.expect())
    assert not (tmp_path / "elsewhere").exists()


def test_at_start_files_of_nobody_go_and_missing_ones_are_named(desk):
    desk.bring("a", b"a")
    (desk.folder / "b.bin").write_bytes(b"b")
    (desk.folder / "c.bin.part").write_bytes(b"c")
    assert desk.uploads.tidy({"a.bin", "z.bin"}) == ["z.bin"]
    assert desk.files() == {"a.bin"}


def test_what_is_stored_is_read_for_its_checksum(desk):
    desk.bring("a", b"content")
    stored = desk.uploads.stored("a.bin")
    assert stored is not None
    assert (stored.size, stored.sha256) == (7, hashlib.sha256(b"content").hexdigest())
    assert desk.uploads.stored("../uploads/b.bin") is None
