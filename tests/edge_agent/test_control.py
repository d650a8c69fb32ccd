"""The control socket between the command line and a running agent."""

import asyncio
from collections.abc import Mapping
from pathlib import Path
from typing import Any

import pytest

from edge_agent import control
from sitelink.errors import JobExists


async def echo(operation: str, arguments: Mapping[str, Any]) -> Any:
    if operation == "taken":
        raise JobExists(number="7")
    if operation == "broken":
        raise ZeroDivisionError
    return {"operation": operation, **arguments}


async def test_a_question_is_answered(tmp_path: Path) -> None:
    async with control.serve(tmp_path, echo):
        assert await control.ask(tmp_path, "say", {"word": "hello"}) == {"operation": "say", "word": "hello"}


async def test_refusals_travel_with_code_and_fields_and_bugs_without_detail(tmp_path: Path) -> None:
    async with control.serve(tmp_path, echo):
        with pytest.raises(control.Refused) as caught:
            await control.ask(tmp_path, "taken", {})
        assert (caught.value.code, caught.value.fields) == ("job_exists", {"number": "7"})
        with pytest.raises(control.Refused) as caught:
            await control.ask(tmp_path, "broken", {})
        assert caught.value.code == "internal_error"


async def test_without_an_agent_the_caller_is_told(tmp_path: Path) -> None:
    with pytest.raises(control.NotRunning):
        await control.ask(tmp_path, "say", {})
    with pytest.raises(control.NotRunning):
        await control.ask(tmp_path / "nowhere", "say", {})


async def test_a_deep_data_directory_and_a_dead_socket_are_no_obstacle(tmp_path: Path) -> None:
    deep = tmp_path / ("d" * 120)
    deep.mkdir()
    async with control.serve(deep, echo):
        pass
    (deep / control.SOCKET_NAME).touch()
    async with control.serve(deep, echo):
        assert (deep / control.SOCKET_NAME).stat().st_mode & 0o077 == 0
        assert await control.ask(deep, "say", {}) == {"operation": "say"}


async def test_nonsense_on_the_socket_is_refused_and_the_socket_lives_on(tmp_path: Path) -> None:
    async with control.serve(tmp_path, echo):
        reader, writer = await asyncio.open_unix_connection(tmp_path / control.SOCKET_NAME)
        writer.write(b"not json\n")
        assert b"request_invalid" in await reader.readline()
        writer.close()
        assert await control.ask(tmp_path, "say", {}) == {"operation": "say"}
