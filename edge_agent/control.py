"""The control socket: how commands reach an agent that is running, so that only one process ever writes.

One JSON object a line each way over a unix socket in the data directory, readable by its owner alone.
Start at `serve` (in the agent) and `ask` (on the command line).
"""

import asyncio
import os
import stat
from collections.abc import AsyncIterator, Awaitable, Callable, Iterator, Mapping
from contextlib import asynccontextmanager, contextmanager
from pathlib import Path
from typing import Any

import msgspec
import structlog

from edge_agent.site.operations import error_data
from sitelink.errors import SiteError

log = structlog.get_logger()

SOCKET_NAME = "control.sock"
MESSAGE_MAX_BYTES = 4 * 1024 * 1024
ANSWER_WITHIN_S = 60
LONGEST_S = 3600
"""What an operation may take before the agent gives it up; who asks says how long it waits."""

Run = Callable[[str, Mapping[str, Any]], Awaitable[Any]]


class NotRunning(Exception):
    """No agent listens in this data directory."""


class Refused(Exception):
    """The agent's error: `code` and `fields`, to be put into words by who asked."""

    def __init__(self, code: str, fields: Mapping[str, Any]) -> None:
        super().__init__(code)
        self.code = code
        self.fields = fields


@asynccontextmanager
async def serve(data_dir: Path, run: Run) -> AsyncIterator[None]:
    """Answer operations while the block runs. The caller holds the data directory's lock, so an old socket is dead."""

    async def answer(reader: asyncio.StreamReader, writer: asyncio.StreamWriter) -> None:
        try:
            async with asyncio.timeout(ANSWER_WITHIN_S) as patience:
                line = await reader.readline()
                patience.reschedule(asyncio.get_running_loop().time() + LONGEST_S)
                writer.write(await _answered(line, run) + b"\n")
                await writer.drain()
        except (TimeoutError, ConnectionError, ValueError) as error:
            log.warning("control_request_failed", problem=type(error).__name__)
        finally:
            writer.close()

    with _reachable(data_dir) as path:
        path.unlink(missing_ok=True)
        server = await asyncio.start_unix_server(answer, path, limit=MESSAGE_MAX_BYTES)
        path.chmod(stat.S_IRUSR | stat.S_IWUSR)
    try:
        async with server:
            yield
    finally:
        (data_dir / SOCKET_NAME).unlink(missing_ok=True)


async def _answered(line: bytes, run: Run) -> bytes:
    try:
        request = msgspec.json.decode(line)
        result = await run(str(request["operation"]), request.get("arguments") or {})
        return msgspec.json.encode({"result": result})
    except SiteError as error:
        return msgspec.json.encode({"error": error_data(error)})
    except (msgspec.DecodeError, KeyError, TypeError, AttributeError):
        return msgspec.json.encode({"error": {"code": "request_invalid", "fields": {}}})
    except Exception:
        log.exception("control_operation_failed")
        return msgspec.json.encode({"error": {"code": "internal_error", "fields": {}}})


async def ask(data_dir: Path, operation: str, arguments: Mapping[str, Any], within_s: float = ANSWER_WITHIN_S) -> Any:
    """Have the running agent do it. Raises NotRunning, Refused."""
    try:
        with _reachable(data_dir) as path:
            reader, writer = await asyncio.open_unix_connection(path, limit=MESSAGE_MAX_BYTES)
    except (FileNotFoundError, ConnectionRefusedError, NotADirectoryError) as error:
        raise NotRunning from error
    try:
        async with asyncio.timeout(within_s):
            writer.write(msgspec.json.encode({"operation": operation, "arguments": dict(arguments)}) + b"\n")
            await writer.drain()
            answer = msgspec.json.decode(await reader.readline())
    except (TimeoutError, ConnectionError, msgspec.DecodeError) as error:
        raise Refused("no_answer_from_agent", {}) from error
    finally:
        writer.close()
    if "error" in answer:
        raise Refused(answer["error"]["code"], answer["error"]["fields"])
    return answer["result"]


@contextmanager
def _reachable(data_dir: Path) -> Iterator[Path]:
    """The socket's path by way of an open directory: socket addresses hold 107 bytes, directories may be deeper."""
    directory = os.open(data_dir, os.O_RDONLY | os.O_DIRECTORY)
    try:
        yield Path(f"/proc/self/fd/{directory}") / SOCKET_NAME
    finally:
        os.close(directory)
