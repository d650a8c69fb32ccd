"""The command line of the cloud: one JSON object, or one sentence."""

import json
from pathlib import Path
from typing import Any

import msgspec
from click.testing import CliRunner

from cloud_relay.cli import main
from cloud_relay.fleet.ids import UserId
from cloud_relay.fleet.invitations import way_in_of
from cloud_relay.fleet.ports import Books
from cloud_relay.fleet.registration import EPOCH
from cloud_relay.store.store import open_store
from programs.clock import SystemClock


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


def test_who_is_locked_out_is_let_in_from_the_command_line(tmp_path: Path) -> None:
    answer(tmp_path, "team", "add", "--name", "Acme")
    user = UserId(answer(tmp_path, "user", "add", "--team", "Acme", "--email", "ann@x.example")["user"])
    link = answer(tmp_path, "user", "link", "--email", "ANN@x.example")["link"]
    assert link.startswith("http://127.0.0.1:8090/new-password?token=gr1_")

    def with_second_factor(books: Books) -> None:
        known = books.accounts.user(user)
        assert known is not None
        books.accounts.put_user(msgspec.structs.replace(known, totp_secret="x", totp_since=known.created_at))
        books.recovery.replace(user, ["a" * 64])

    with open_store("", tmp_path, 1) as store:
        store.write_now(with_second_factor)
        found = store.read_now(lambda books: way_in_of(books, link.partition("=")[2], SystemClock().now()))
        assert found[1].id == user
    assert answer(tmp_path, "user", "drop-second-factor", "--email", "ann@x.example") == {"user": user}
    with open_store("", tmp_path, 1) as store:
        known = store.read_now(lambda books: books.accounts.user(user))
        assert known is not None
        assert (known.totp_secret, known.totp_since) == (None, None)
        assert store.read_now(lambda books: books.recovery.left(user)) == 0
    for command in ("link", "drop-second-factor"):
        code, output = run(tmp_path, "user", command, "--email", "nobody@x.example")
        assert code == 1
        assert "nobody@x.example" in output


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
