"""The table of docs/ocpp.md: every message of every version, its direction, and how it is handled, told by the code.

    python -m scripts.message_table            print it
    python -m scripts.message_table --write    put it into docs/ocpp.md

What a charge point sends is asked of the clerk that would answer it: its handler's docstring, or its refusal. What the
box sends is asked of the dialect, by giving it every order, and of the clerk, by letting it settle in. A house test
compares. Start at `rows`.
"""

import argparse
import asyncio
from pathlib import Path
from typing import Any, cast

from edge_agent.charge_points.clerk import BaseClerk
from edge_agent.charge_points.dialect import Dialect
from edge_agent.charge_points.dialects import VERSIONS, dialect_of
from edge_agent.charge_points.rpc import CallResult
from edge_agent.charge_points.schemas import SENDS
from edge_agent.charge_points.station import Connection
from edge_agent.site.ports import Desk
from sitelink.errors import CallInvalid
from sitelink.ids import StationKey
from tests.doubles.clock import FakeClock
from tests.doubles.orders import ORDERS
from tests.doubles.payloads import example, message

DOCUMENT = Path(__file__).parents[1] / "docs" / "ocpp.md"
BEGIN = "<!-- python -m scripts.message_table --write -->\n"
END = "<!-- end of the table -->\n"
BY_HAND = "By hand or by program through the API, checked against the schema."
FROM, TO = "from", "to"


class _SilentDesk:
    """Takes everything."""

    def __getattr__(self, name: str) -> Any:
        async def taken(*_: Any, **__: Any) -> None: ...

        return taken


def clerk_of(dialect: Dialect) -> BaseClerk:
    return cast(BaseClerk, dialect.clerk(cast(Desk, _SilentDesk()), FakeClock(), StationKey("cp001")))


def first_line(of: object) -> str:
    return (of.__doc__ or "").strip().partition("\n")[0]


def of_station(dialect: Dialect, action: str) -> str:
    """How a message from the charge point is handled."""
    if action == "BootNotification":
        return first_line(Connection._boot)
    clerk = clerk_of(dialect)
    handler = clerk.handlers.get(action) or clerk.heard.get(action)
    if handler is not None:
        return first_line(handler)
    return f"CALLERROR `{dialect.spell(clerk.unknown(action).code)}`."


def orders_of(dialect: Dialect) -> dict[str, list[str]]:
    """By action: the orders it carries out."""
    found: dict[str, list[str]] = {}
    for kind, examples in ORDERS.items():
        for order in examples:
            try:
                action, _ = dialect.call_for(order)
            except CallInvalid:
                continue
            names = found.setdefault(action, [])
            if kind.__name__ not in names:
                names.append(kind.__name__)
    return found


def routine_calls(dialect: Dialect) -> list[tuple[str, dict[str, Any]]]:
    """What is asked of a station of our own accord, each answered as well as can be."""
    asked: list[tuple[str, dict[str, Any]]] = []

    async def ask(action: str, payload: dict[str, Any]) -> CallResult:
        asked.append((action, payload))
        return CallResult("1", example(message(dialect.version, action, answer=True), full=True))

    clerk = clerk_of(dialect)
    asyncio.run(clerk.settle_in(ask, []))
    asyncio.run(clerk.ask_status(ask))
    return asked


def of_box(dialect: Dialect, action: str) -> str:
    """When a message to the charge point is sent."""
    said = []
    orders = orders_of(dialect).get(action)
    if orders:
        said.append("For " + ", ".join(f"`{name}`" for name in orders) + ".")
    if any(action == asked for asked, _ in routine_calls(dialect)):
        said.append("Of the box's own accord, when a charge point has settled in.")
    own = clerk_of(dialect).tending.asks.get(action)
    return " ".join([*said, *([own] if own else []), BY_HAND])


def messages(dialect: Dialect) -> frozenset[str]:
    return dialect.schemas.actions | (SENDS if dialect.has_sends else frozenset())


def rows() -> list[tuple[str, str, str, str]]:
    """Message, direction, versions, how: versions that are handled alike share a row."""
    told: dict[tuple[str, str, str], list[str]] = {}
    for version in reversed(VERSIONS):
        dialect = dialect_of(version)
        for action in messages(dialect):
            if action in dialect.schemas.from_station | SENDS:
                told.setdefault((action, FROM, of_station(dialect, action)), []).append(version)
            if action in dialect.schemas.from_box - SENDS:
                told.setdefault((action, TO, of_box(dialect, action)), []).append(version)
    order = list(reversed(VERSIONS))
    found = [(action, way, ", ".join(versions), how) for (action, way, how), versions in told.items()]
    return sorted(found, key=lambda row: (row[1] != FROM, row[0], order.index(row[2].partition(",")[0])))


def table() -> str:
    lines = ["| message | the charge point | versions | handled how |", "|---|---|---|---|"]
    ways = {FROM: "sends", TO: "gets"}
    lines += [f"| {action} | {ways[way]} | {versions} | {how} |" for action, way, versions, how in rows()]
    return "\n".join(lines) + "\n"


def written(document: str) -> str:
    """The document with the table of today in it."""
    before, _, rest = document.partition(BEGIN)
    _, _, after = rest.partition(END)
    return before + BEGIN + table() + END + after


def main() -> None:
    parser = argparse.ArgumentParser(prog="message_table", description="Every message and how it is handled.")
    parser.add_argument("--write", action="store_true", help="put it into docs/ocpp.md")
    if parser.parse_args().write:
        DOCUMENT.write_text(written(DOCUMENT.read_text("utf-8")), "utf-8")
    else:
        print(table(), end="")


if __name__ == "__main__":
    main()
