"""`edge-agent meters …`, as typed."""

import asyncio
import json
import threading
from collections.abc import Iterator
from pathlib import Path

import pytest
from click.testing import CliRunner

from edge_agent.cli import main
from edge_agent.meters.profiles import bundled
from tests.doubles.virtual_meter import Line, serving_tcp
from tests.edge_agent.meters.test_poller import meter


@pytest.fixture
def port() -> Iterator[int]:
    """Of an ABB B23, served by another thread."""
    ready, stop, found = threading.Event(), asyncio.Event(), []

    async def serve() -> None:
        async with serving_tcp(Line(meter("abb-b23"))) as number:
            found.extend([number, asyncio.get_running_loop()])
            ready.set()
            await stop.wait()

    thread = threading.Thread(target=lambda: asyncio.run(serve()))
    thread.start()
    ready.wait(10)
    yield found[0]
    found[1].call_soon_threadsafe(stop.set)
    thread.join(10)


def run(*arguments: str) -> tuple[int, str]:
    result = CliRunner().invoke(main, ["meters", *arguments])
    return result.exit_code, result.output


def test_models_are_listed() -> None:
    code, output = run("profiles")
    assert code == 0
    listed = {each["profile"]: each for each in json.loads(output)}
    assert set(listed) == set(bundled())
    assert listed["abb-b23"] == {
        "profile": "abb-b23", "name": "ABB B23", "phases": 3, "says_what_it_is": True, "verified": True,
    }  # fmt: skip
    assert not listed["eastron-sdm630"]["says_what_it_is"]


def test_a_meter_is_tried_and_identified(port: int, tmp_path: Path) -> None:
    at = f"tcp://127.0.0.1:{port}"
    code, output = run("try", "abb-b23", "--at", at)
    assert (code, json.loads(output)["values"]["voltage_v.l1"]) == (0, 230.0)
    own = tmp_path / "own.toml"
    own.write_text('name = "Ours"\nlike = "abb-b23"\n')
    code, output = run("try", str(own), "--at", at, "--reversed", "--ratio", "2")
    assert (code, json.loads(output)["values"]["power_w.l1"]) == (0, -4000.0)
    code, output = run("identify", "--at", at)
    assert (code, json.loads(output)["profiles"][0]) == (0, "abb-b23")


@pytest.mark.parametrize(
    ("arguments", "words"),
    [
        (("try", "no-such", "--at", "tcp://127.0.0.1"), "There is no profile 'no-such'"),
        (("try", "abb-b23", "--at", "somewhere"), "begin with tcp://"),
        (("try", "abb-b23", "--at", "rtu:///dev/none"), "cannot be opened"),
        (("try", __file__, "--at", "tcp://127.0.0.1"), "test_commands.py: "),
        (("identify", "--at", "tcp://127.0.0.1", "--unit", "256"), "256"),
    ],
)
def test_what_is_wrong_is_said_in_one_sentence(arguments: tuple[str, ...], words: str) -> None:
    code, output = run(*arguments)
    assert code != 0
    assert words in output


def test_a_meter_that_does_not_answer_is_said_so(port: int) -> None:
    code, output = run("try", "abb-b23", "--at", f"tcp://127.0.0.1:{port}", "--unit", "9")
    assert code == 1
    assert "No answer from address 9" in output


def test_a_scan_says_what_it_finds_as_it_finds_it(port: int) -> None:
    result = CliRunner().invoke(main, ["meters", "scan", "--no-serial", "--hosts", "127.0.0.1", "--port", str(port)])
    assert result.exit_code == 0
    assert f"tcp://127.0.0.1:{port} address 1: ABB B23" in result.stderr
    (found,) = json.loads(result.stdout)["found"]
    assert (found["transport"], found["unit_id"]) == (f"tcp://127.0.0.1:{port}", 1)
    assert found["identified"]["profiles"] == ["abb-b23"]
    code, output = run("scan", "--no-serial")
    assert (code, "name a range of hosts" in output) == (1, True)
    code, output = run("scan", "--hosts", "8.8.8.8")
    assert (code, "no private network" in output) == (1, True)
