"""All groups, or some: `python -m bench [a b c d e] [--rounds 3] [--seconds 5] [--small] [--markdown]`.

Prints each figure beside floor and goal. Exit code 1 only when a measurement could not be made. Start at `main`.
"""

import argparse
import asyncio
import os
import platform
import sqlite3
import sys
import tempfile
from importlib.metadata import version

from bench import group_a, group_b, group_c, group_d, group_e
from bench.figures import Result, line_of, table

GROUPS = {"a": group_a, "b": group_b, "c": group_c, "d": group_d, "e": group_e}
PACKAGES = ("ocpp", "websockets", "msgspec", "aiohttp", "uvloop", "jsonschema")


def machine() -> str:
    packages = ", ".join(f"{name} {version(name)}" for name in PACKAGES)
    return (
        f"Python {platform.python_version()}, SQLite {sqlite3.sqlite_version}, {packages}; "
        f"{os.cpu_count()} processors, load {os.getloadavg()[0]:.1f} at the start"
    )


async def run(groups: list[str], rounds: int, seconds: float) -> list[Result]:
    found: list[Result] = []
    for name in groups:
        results = await GROUPS[name].measure(rounds, seconds)
        for each in results:
            print(line_of(each), flush=True)
        found += results
    return found


def use_bytecode() -> None:
    """As after an installation. A developer's environment may write none; then every start compiles all there is."""
    os.environ.pop("PYTHONDONTWRITEBYTECODE", None)
    os.environ["PYTHONPYCACHEPREFIX"] = os.path.join(tempfile.gettempdir(), "gatepost-bench-bytecode")


def main() -> None:
    parser = argparse.ArgumentParser(prog="bench", description="Goals and floors, measured.")
    parser.add_argument("groups", nargs="*", choices=[*GROUPS, []], default=list(GROUPS))
    parser.add_argument("--rounds", type=int, default=3)
    parser.add_argument("--seconds", type=float, default=5.0, help="of each measured span")
    parser.add_argument("--small", action="store_true", help="one round, one second: whether it works, about")
    parser.add_argument("--markdown", action="store_true", help="the table of docs/performance.md as well")
    options = parser.parse_args()
    rounds, seconds = (1, 1.0) if options.small else (options.rounds, options.seconds)
    use_bytecode()
    print(machine(), flush=True)
    results = asyncio.run(run(options.groups, rounds, seconds))
    if options.markdown:
        print(table(results))
    sys.exit(1 if any(each.value is None and not each.detail for each in results) else 0)


if __name__ == "__main__":
    main()
