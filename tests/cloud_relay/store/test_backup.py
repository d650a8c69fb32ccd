"""A backup holds everything, goes into either database, and what is none is refused."""

from pathlib import Path

import pytest

from cloud_relay.fleet.follow_ups import follow
from cloud_relay.store.store import Store, open_store
from sitelink.errors import BackupRefused, FileRefused
from tests.cloud_relay.made import at, imported, site


def test_what_was_saved_is_there_again(store: Store, tmp_path: Path) -> None:
    place, gateway = site(store)

    def work(desk: object) -> None:
        desk.bring(imported("CP001"), b"{}")  # type: ignore[attr-defined]
        follow(desk)  # type: ignore[arg-type]

    at(store, place, work, gateway)
    rows = store.backup(tmp_path / "backup")
    assert rows["op"] == 2
    assert (tmp_path / "backup").stat().st_mode & 0o077 == 0
    with open_store("", tmp_path / "other") as other:
        assert other.restore(tmp_path / "backup") == rows
        assert other.read_now(lambda books: books.logs.after(place.site, 0, 9)) == store.read_now(
            lambda books: books.logs.after(place.site, 0, 9)
        )
        with pytest.raises(BackupRefused) as caught:
            other.restore(tmp_path / "backup")
        assert caught.value.fields["problem"] == "not_empty"
    with pytest.raises(FileRefused):
        store.backup(tmp_path / "backup")


def test_what_is_no_backup_changes_nothing(store: Store, tmp_path: Path) -> None:
    (tmp_path / "text").write_text("hello")
    with pytest.raises(BackupRefused) as caught:
        store.restore(tmp_path / "text")
    assert caught.value.fields["problem"] == "not_a_backup"
    assert store.read_now(lambda books: books.accounts.teams()) == []
