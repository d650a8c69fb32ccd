"""Keys are whole or not there, and their owner's alone."""

import os
from pathlib import Path

import pytest

from edge_agent.certificates import files


def test_what_is_written_is_its_owners_alone_and_replaces_what_was_there(tmp_path: Path) -> None:
    folder = tmp_path / "certificates"
    files.make_folder(folder)
    assert folder.stat().st_mode & 0o777 == 0o700
    for content in (b"one", b"two"):
        files.write(folder / "a.key", content)
        assert files.read(folder / "a.key") == content
        assert (folder / "a.key").stat().st_mode & 0o777 == 0o600
    assert [each.name for each in folder.iterdir()] == ["a.key"]


def test_a_folder_that_was_open_to_others_is_closed(tmp_path: Path) -> None:
    folder = tmp_path / "certificates"
    folder.mkdir(mode=0o755)
    files.make_folder(folder)
    assert folder.stat().st_mode & 0o777 == 0o700


def test_a_write_that_fails_half_way_leaves_what_was_there(tmp_path: Path, monkeypatch: pytest.MonkeyPatch) -> None:
    files.write(tmp_path / "a.key", b"one")

    def broken(_descriptor: int) -> None:
        raise OSError(28, "No space left on device")

    with monkeypatch.context() as patched:
        patched.setattr(os, "fsync", broken)
        with pytest.raises(OSError, match="No space"):
            files.write(tmp_path / "a.key", b"two")
    assert files.read(tmp_path / "a.key") == b"one"
    files.write(tmp_path / "a.key", b"three")
    assert files.read(tmp_path / "a.key") == b"three"


def test_what_is_not_there_is_none(tmp_path: Path) -> None:
    assert files.read(tmp_path / "a.key") is None
