"""Opening a store, and what is in it after the next start."""

from pathlib import Path

from cloud_relay.store.store import open_store


def test_a_store_is_opened_again_with_what_was_in_it(database_url: str, tmp_path: Path) -> None:
    with open_store(database_url, tmp_path) as store:
        store.write_now(lambda books: books.secrets.put("a", "1"))
        assert store.dialect == ("postgresql" if database_url else "sqlite")
    with open_store(database_url, tmp_path) as store:
        assert store.read_now(lambda books: books.secrets.get("a")) == "1"


def test_a_file_is_its_owners_alone(tmp_path: Path) -> None:
    with open_store("", tmp_path / "new"):
        files = list((tmp_path / "new").iterdir())
        assert all(file.stat().st_mode & 0o077 == 0 for file in files if file.name.endswith((".sqlite3", ".lock")))
        assert (tmp_path / "new").stat().st_mode & 0o077 == 0
