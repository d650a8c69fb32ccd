"""The command line: JSON on standard output, one sentence and a non-zero exit for what cannot be done."""

import json
from pathlib import Path
from typing import Any

import pytest
from click.testing import CliRunner, Result

from edge_agent.cli import main
from edge_agent.store.database import lock_of, make_directory

JOB = {"number": "7", "site": {"name": "Yard"}, "charge_points": [{"name": "Bay 1", "identity": "CP1"}]}


class Shell:
    def __init__(self, folder: Path) -> None:
        self.data_dir = folder / "data"
        self.file = folder / "job.json"
        self.file.write_text(json.dumps(JOB))

    def run(self, *arguments: str) -> Result:
        return CliRunner().invoke(main, [*arguments, "--set", f"data_dir={self.data_dir}"])

    def answer(self, *arguments: str) -> Any:
        result = self.run(*arguments)
        assert result.exit_code == 0, result.output
        return json.loads(result.stdout)


@pytest.fixture
def shell(tmp_path: Path) -> Shell:
    return Shell(tmp_path)


def test_the_operators_part_without_an_agent(shell: Shell) -> None:
    made = shell.answer("job", "import", str(shell.file))
    assert set(made) == {"job", "number", "link", "token"}
    assert made["link"].endswith(f"/j#{made['token']}")
    assert shell.answer("job", "activate", "7")["changed"] == 1
    assert shell.answer("job", "activate", "7", "--charge-point", "CP1", "--off")["changed"] == 1
    shell.answer("job", "note", "7", "Bay 1", "Use the long cable", "--name", "Office")
    again = shell.answer("job", "link", "7", "--instead")
    assert again["token"] != made["token"]
    assert shell.answer("job", "archive", made["job"])["status"] == "archived"
    assert shell.answer("job", "reopen", "7")["status"] == "open"
    (listed,) = shell.answer("job", "list")
    assert (listed["number"], listed["total"]) == ("7", 1)
    assert shell.answer("job", "export", "7")["charge_points"][0]["notes"][0]["text"] == "Use the long cable"
    assert shell.answer("token", "new", "--name", "laptop")["token"].startswith("ga1_")


@pytest.mark.parametrize(("arguments", "words"), [
    (("job", "link", "99"), "99"),
    (("job", "activate", "7", "--charge-point", "nowhere"), "nowhere"),
    (("job", "import", "JOB"), "7"),
])  # fmt: skip
def test_what_cannot_be_done_is_one_sentence(shell: Shell, arguments: tuple[str, ...], words: str) -> None:
    shell.answer("job", "import", str(shell.file))
    result = shell.run(*(str(shell.file) if part == "JOB" else part for part in arguments))
    assert result.exit_code == 1
    assert result.stdout == ""
    assert words in result.stderr
    assert "Traceback" not in result.stderr


def test_a_bad_job_file_names_the_place(shell: Shell) -> None:
    shell.file.write_text(json.dumps({**JOB, "charge_points": [{"name": "Bay 1", "identity": "a/b"}]}))
    result = shell.run("job", "import", str(shell.file))
    assert result.exit_code == 1
    assert "$.charge_points[0].identity" in result.stderr
    for text in (b"{", b'{"number": "\xe9"}'):
        shell.file.write_bytes(text)
        assert "not JSON" in shell.run("job", "import", str(shell.file)).stderr


def test_a_bad_setting_is_named(shell: Shell) -> None:
    result = shell.run("run", "--set", "ocpp.prot=1")
    assert result.exit_code == 1
    assert "ocpp.prot" in result.stderr


def test_a_data_directory_in_use_is_said(shell: Shell) -> None:
    make_directory(shell.data_dir)
    with lock_of(shell.data_dir):
        result = shell.run("job", "list")
    assert result.exit_code == 1
    assert "in use" in result.stderr


def test_how_the_box_is_and_a_copy_of_it_without_an_agent(shell: Shell) -> None:
    shell.answer("job", "import", str(shell.file))
    found = shell.answer("doctor")
    assert (found["status"], found["running"], found["salvaged"], found["jobs"]["open"]) == ("ok", False, None, 1)
    assert found["data_dir"] == str(shell.data_dir)
    copy = shell.file.with_name("copy.sqlite3")
    made = shell.answer("backup", str(copy))
    assert made == {"file": str(copy), "bytes": copy.stat().st_size}
    again = shell.run("backup", str(copy))
    assert (again.exit_code, again.stdout) == (1, "")
    assert "is there already" in again.stderr
    assert copy.stat().st_size == made["bytes"]


@pytest.mark.parametrize("arguments", [("doctor",), ("backup", "copy.sqlite3")])
def test_where_no_box_has_worked_none_is_made(shell: Shell, arguments: tuple[str, ...]) -> None:
    result = shell.run(*arguments)
    assert result.exit_code == 1
    assert str(shell.data_dir) in result.stderr
    assert not shell.data_dir.exists()


def test_every_command_has_help() -> None:
    runner = CliRunner()
    for words in ([], ["run"], ["job"], ["job", "import"], ["job", "link"], ["token", "new"], ["doctor"], ["backup"]):
        result = runner.invoke(main, [*words, "--help"])
        assert result.exit_code == 0
        assert "Usage" in result.output


def test_the_list_of_id_tokens_by_command(shell: Shell, tmp_path: Path) -> None:
    put = shell.answer("id-token", "put", "04A1", "--parent", "FLEET", "--charge-point", "CP1", "--note", "van")
    assert (put["token"], put["parent"], put["charge_points"], put["source"]) == ("04A1", "FLEET", ["cp1"], "command")
    assert shell.answer("id-token", "list") == [put]
    wrong = shell.run("id-token", "put", "04A1", "--type", "Card")
    assert "Correct type: not allowed; allowed: " in wrong.stderr
    assert "ISO14443" in wrong.stderr
    table = tmp_path / "tokens.csv"
    table.write_text(shell.run("id-token", "export").stdout)
    assert shell.answer("id-token", "remove", "04a1") == {"removed": "04a1"}
    assert shell.answer("id-token", "import", str(table))["listed"] == 1
    table.write_text("token,status\n04A2,Accepted\n04A3,Great\n")
    result = shell.run("id-token", "import", str(table), "--replace")
    assert result.exit_code == 1
    assert "line 3: status: not allowed (allowed: Accepted, Blocked" in result.output
    assert [each["token"] for each in shell.answer("id-token", "list")] == ["04A1"]
    table.write_text("token\n04A2\n")
    assert shell.answer("id-token", "import", str(table), "--replace")["removed"] == 1
    table.write_bytes(b"token\n\xff\n")
    assert "line 2 is not UTF-8" in shell.run("id-token", "import", str(table)).output


def test_admin_tokens_are_listed_and_revoked_by_id_or_name(shell: Shell) -> None:
    for name in ("laptop", "laptop", "office"):
        token = shell.answer("token", "new", "--name", name)["token"]
        assert token not in shell.run("token", "list").stdout
    first, second, office = shell.answer("token", "list")
    assert [each["name"] for each in (first, second, office)] == ["laptop", "laptop", "office"]
    assert shell.answer("token", "revoke", first["id"]) == {"revoked": [first["id"]]}
    assert shell.answer("token", "revoke", "laptop") == {"revoked": [second["id"]]}
    assert [each["revoked_at"] is None for each in shell.answer("token", "list")] == [False, False, True]
    again = shell.run("token", "revoke", "laptop")
    assert (again.exit_code, again.stdout) == (1, "")
    assert "`edge-agent token list`" in again.stderr


def test_what_is_not_there_names_the_command_that_shows_what_is(shell: Shell) -> None:
    shell.answer("job", "import", str(shell.file))
    for arguments, words in (
        (("job", "activate", "7", "--charge-point", "BAY_9"), "“BAY_9” in this job. `edge-agent job export JOB`"),
        (("id-token", "remove", "04A1"), "`edge-agent id-token list`"),
        (("firmware", "remove", "x_1"), "“x_1” on this box. `edge-agent firmware list`"),
        (("job", "link", "A_1"), "no job “A_1” on this box. `edge-agent job list`"),
    ):
        result = shell.run(*arguments)
        assert result.exit_code == 1
        assert words in result.stderr


def test_firmware_images_by_command(shell: Shell, tmp_path: Path) -> None:
    image, signature, certificate = (tmp_path / name for name in ("fw.bin", "fw.sig", "fw.pem"))
    image.write_bytes(b"image")
    signature.write_text("c2ln\n")
    certificate.write_text("-----BEGIN CERTIFICATE-----\n")
    signed = ("--signature", str(signature), "--certificate", str(certificate))
    added = shell.answer("firmware", "add", str(image), "--version", "2.0", *signed)
    assert (added["name"], added["version"], added["bytes"], added["signed"]) == ("fw.bin", "2.0", 5, True)
    assert shell.answer("firmware", "list") == [added]
    half = shell.run("firmware", "add", str(image), "--signature", str(signature))
    assert half.exit_code == 1
    assert "Signature and certificate belong together." in half.output
    signature.write_bytes(b"\xff\xfe")
    assert "cannot be read as text" in shell.run("firmware", "add", str(image), *signed).output
    assert shell.answer("firmware", "remove", added["id"]) == added
    assert shell.run("firmware", "remove", added["id"]).exit_code == 1


def test_the_link_to_the_cloud_by_command(shell: Shell) -> None:
    shell.answer("job", "list")
    assert shell.answer("relay", "status") == {"url": ""}
    assert "works alone" in shell.run("relay", "leave").stderr
    cloud = ("--set", "relay.url=ws://127.0.0.1:9/relay")
    found = shell.answer("relay", "status", *cloud)
    assert (found["running"], found["enrolled"], found["code"], found["backlog_ops"]) == (False, False, None, 0)
    assert "No agent runs" in shell.run("relay", "enrol", "gw1_x", *cloud).stderr
    assert "in no cloud" in shell.run("relay", "leave", "--yes", *cloud).stderr
