"""The command line of the cloud: one JSON object, or one sentence."""

import json
from pathlib import Path
from typing import Any

from click.testing import CliRunner

from cloud_relay.cli import main
from cloud_relay.fleet.registration import EPOCH
from cloud_relay.store.store import open_store


def run(folder: Path, *arguments: str, typed: str | None = None) -> tuple[int, str]:
    result = CliRunner().invoke(main, [*arguments, "--set", f"data_dir={folder}"], input=typed)
    return result.exit_code, result.output


def answer(folder: Path, *arguments: str) -> dict[str, Any]:
    code, output = run(folder, *arguments)
    assert code == 0, output
    found: dict[str, Any] = json.loads(output)
    return found


def test_the_way_to_a_first_box(tmp_path: Path) -> None:
    team = answer(tmp_path, "team", "add", "--name", "Acme")["team"]
    one = answer(tmp_path, "gateway", "enrol", "--team", "Acme", "--site", "Harbour", "--name", "Box 1")
    two = answer(tmp_path, "gateway", "enrol", "--team", team, "--site", one["site"], "--name", "Box 2")
    assert one["site"] == two["site"]
    assert one["claim"].startswith("gw1_")
    assert one["claim"] != two["claim"]
    assert answer(tmp_path, "token", "new", "--team", "acme", "--name", "ci")["token"].startswith("gc1_")
    person = answer(tmp_path, "user", "add", "--team", "Acme", "--email", "ann@x.example", "--role", "support")
    assert (person["team"], person["role"]) == (team, "support")


def test_a_password_comes_from_standard_input(tmp_path: Path) -> None:
    answer(tmp_path, "team", "add", "--name", "Acme")
    arguments = ("user", "add", "--team", "Acme", "--email", "ann@x.example", "--password-stdin")
    code, output = run(tmp_path, *arguments, typed="short\n")
    assert code == 1
    assert "too short; allowed: 12" in output
    code, output = run(tmp_path, *arguments, typed="correct horse battery\n")
    assert code == 0, output
    assert "correct" not in output


def test_what_goes_wrong_is_one_sentence(tmp_path: Path) -> None:
    answer(tmp_path, "team", "add", "--name", "Acme")
    for arguments, words in (
        (("team", "add", "--name", "ACME"), "team named"),
        (("gateway", "enrol", "--team", "Beta", "--site", "S", "--name", "B"), "Beta"),
        (("team", "add", "--name", "X", "--set", "http.port=many"), "http.port"),
        (("team", "add", "--name", "X", "--set", "database.url=mysql://x"), "database.url"),
    ):
        code, output = run(tmp_path, *arguments)
        assert code == 1
        assert words in output
        assert len(output.strip().splitlines()) == 1


def test_a_restored_cloud_is_another_epoch(tmp_path: Path) -> None:
    answer(tmp_path / "one", "team", "add", "--name", "Acme")
    with open_store("", tmp_path / "one") as store:
        store.write_now(lambda books: books.secrets.put(EPOCH, "first"))
    saved = tmp_path / "backup"
    assert answer(tmp_path / "one", "backup", str(saved))["rows"]["team"] == 1
    assert answer(tmp_path / "two", "restore", str(saved))["rows"]["team"] == 1
    with open_store("", tmp_path / "two") as store:
        assert store.read_now(lambda books: books.secrets.get(EPOCH)) not in (None, "first")
        assert [team.name for team in store.read_now(lambda books: books.accounts.teams())] == ["Acme"]
