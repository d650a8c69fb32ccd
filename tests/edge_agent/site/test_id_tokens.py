"""The list of id tokens as it is managed, and as it outlives the box."""

from pathlib import Path
from typing import Any

import pytest

from edge_agent.site.id_tokens import AllowList
from sitelink.errors import IdTokenInvalid, IdTokenListInvalid, RequestInvalid
from sitelink.id_token_rules import TokenEntry
from sitelink.states import IdTokenSource
from tests.doubles.core import Core
from tests.edge_agent.store.facts import opened


async def test_pages_follow_each_other_in_the_order_of_the_tokens() -> None:
    core = Core()
    for token in ("C", "a", "B"):
        await core.tokens.put(TokenEntry(token))
    first, total = core.tokens.page(2)
    assert ([token.id_token for token in first], total) == (["a", "B"], 3)
    rest, _ = core.tokens.page(2, after="b")
    assert [token.id_token for token in rest] == ["C"]


async def test_a_table_is_taken_whole_or_not_at_all() -> None:
    core = Core()
    await core.tokens.put(TokenEntry("04A1"))
    with pytest.raises(IdTokenListInvalid):
        await core.tokens.read_table("token,status\n04A2,Accepted\n04A3,Great\n", replace=True)
    assert list(core.journal.state.id_tokens) == ["04a1"]
    taken = await core.tokens.read_table("token,status\n04A2,Accepted\n04A3,Blocked\n", replace=False)
    assert taken == {"listed": 2, "unchanged": 0, "removed": 0, "total": 3}
    taken = await core.tokens.read_table("token,status\n04A2,Accepted\n04A4,Blocked\n", replace=True)
    assert taken == {"listed": 1, "unchanged": 1, "removed": 2, "total": 2}
    assert core.tokens.find("04a2").source is IdTokenSource.CSV
    assert (await core.tokens.read_table(core.tokens.table(), replace=True))["unchanged"] == 2


async def test_charge_points_of_a_table_that_nobody_knows_are_named() -> None:
    core = Core()
    await core.import_job()
    table = "token,charge_points\n04A1,CP001;cp002\n04A2,CP001|CP002\n04A3,CP03\n"
    taken = await core.tokens.read_table(table, replace=False)
    assert (taken["listed"], taken["unknown_charge_points"]) == (3, ["cp001|cp002", "cp03"])
    many = "token,charge_points\n04A1," + ";".join(f"X{n}" for n in range(50)) + "\n"
    assert len((await core.tokens.read_table(many, replace=True))["unknown_charge_points"]) == 20


async def test_the_list_outlives_the_box(tmp_path: Path) -> None:
    async with opened(tmp_path) as store:
        tokens = AllowList(store.journal)
        await tokens.read_table("token,parent,note\n04A1,FLEET,ü\n04A2,,\n", replace=False)
        await tokens.remove("04A2")
        before = tokens.page(10)
    async with opened(tmp_path) as store:
        tokens = AllowList(store.journal)
        assert tokens.page(10) == before
        assert tokens.find("04a1").note == "ü"


async def test_what_commands_may_do() -> None:
    core = Core()
    run = core.tokens.operations()
    entry: dict[str, Any] = {"token": "04A1", "status": "blocked", "charge_points": ["CP001"], "note": "van"}
    put = await run["id_token.put"](entry)
    assert (put["token"], put["status"], put["charge_points"], put["source"]) == (
        "04A1", "Blocked", ["cp001"], "command",
    )  # fmt: skip
    assert await run["id_token.list"]({}) == [put]
    table = (await run["id_token.export"]({}))["table"]
    assert await run["id_token.remove"]({"token": "04a1"}) == {"removed": "04a1"}
    assert (await run["id_token.import"]({"table": table, "replace": True}))["listed"] == 1


@pytest.mark.parametrize(
    ("operation", "arguments", "error"),
    [
        ("id_token.put", {}, RequestInvalid),
        ("id_token.put", {"token": 1}, RequestInvalid),
        ("id_token.remove", {}, IdTokenInvalid),
        ("id_token.import", {"table": ""}, IdTokenInvalid),
    ],
)
async def test_wrong_arguments_are_named(operation: str, arguments: dict[str, Any], error: type[Exception]) -> None:
    with pytest.raises(error):
        await Core().tokens.operations()[operation](arguments)
