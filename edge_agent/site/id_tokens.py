"""The site's list of id tokens, for the admin API and the command line. Rules and table stand in modules of their own.

Start at `AllowList`.
"""

import asyncio
from collections.abc import Mapping, Sequence
from itertools import islice
from typing import Any

import msgspec

from edge_agent.site.operations import Operation
from edge_agent.site.ports import Journal
from sitelink import id_token_rules as rules
from sitelink.errors import IdTokenInvalid, RequestInvalid
from sitelink.id_token_table import entries_of, table_of
from sitelink.ids import id_token_key
from sitelink.model import IdToken
from sitelink.ops import Author
from sitelink.states import AuthorType, IdTokenSource

OPERATOR = Author(type=AuthorType.OPERATOR)
UNKNOWN_SHOWN = 20
"""Charge points of a table that no job names and that never called: they may come later, or are misspelled."""


class AllowList:
    """Everything it changes is on disk when it returns."""

    def __init__(self, journal: Journal) -> None:
        self._journal = journal

    def page(self, limit: int, after: str | None = None) -> tuple[Sequence[IdToken], int]:
        """In the order of their keys, those above `after`; and how many there are in all."""
        tokens = self._journal.state.id_tokens
        start = id_token_key(after) if after is not None else None
        keys = sorted(key for key in tokens if start is None or key > start)
        return [tokens[key] for key in islice(keys, limit)], len(tokens)

    def find(self, id_token: str) -> IdToken:
        """Raises NotFound."""
        return rules.known(self._journal.state, id_token)

    async def put(self, entry: rules.TokenEntry, source: IdTokenSource = IdTokenSource.API) -> IdToken:
        """Raises IdTokenInvalid."""
        key = await self._journal.write(rules.decide_put(entry, source, OPERATOR))
        return self._journal.state.id_tokens[key]

    async def remove(self, id_token: str) -> None:
        """Raises NotFound."""
        await self._journal.write(rules.decide_remove(id_token, OPERATOR))

    async def read_table(self, text: str, *, replace: bool) -> Mapping[str, Any]:
        """The whole table or nothing: {"listed", "unchanged", "removed", "total"}, and "unknown_charge_points" where it
        names some. Raises IdTokenListInvalid."""
        entries = await asyncio.to_thread(entries_of, text)  # thousands of lines take their time
        listed, removed = await self._journal.write(rules.decide_put_all(entries, OPERATOR, replace=replace))
        state = self._journal.state
        named = {station for _, event in entries for station in event.charge_points}
        unknown = sorted(each for each in named if each not in state.stations and not state.rows_of_station(each))
        return {
            "listed": listed, "unchanged": len(entries) - listed, "removed": removed, "total": len(state.id_tokens),
            **({"unknown_charge_points": unknown[:UNKNOWN_SHOWN]} if unknown else {}),
        }  # fmt: skip

    def table(self) -> str:
        tokens = self._journal.state.id_tokens
        return table_of(tokens[key] for key in sorted(tokens))

    # ---- by command ----

    def operations(self) -> dict[str, Operation]:
        return {
            "id_token.list": self._list,
            "id_token.put": self._put,
            "id_token.remove": self._remove,
            "id_token.import": self._import,
            "id_token.export": self._export,
        }

    async def _list(self, _arguments: Mapping[str, Any]) -> Any:
        tokens = self._journal.state.id_tokens
        return [shown(tokens[key]) for key in sorted(tokens)]

    async def _put(self, arguments: Mapping[str, Any]) -> Any:
        try:
            entry = msgspec.convert(dict(arguments), rules.TokenEntry)
        except msgspec.ValidationError as error:
            raise RequestInvalid(where="id_token", problem=str(error)) from error
        return shown(await self.put(entry, IdTokenSource.COMMAND))

    async def _remove(self, arguments: Mapping[str, Any]) -> Any:
        token = _text(arguments, "token")
        await self.remove(token)
        return {"removed": token}

    async def _import(self, arguments: Mapping[str, Any]) -> Any:
        return await self.read_table(_text(arguments, "table"), replace=arguments.get("replace") is True)

    async def _export(self, _arguments: Mapping[str, Any]) -> Any:
        return {"table": self.table()}


def shown(token: IdToken) -> dict[str, Any]:
    """A token in full, for who manages the list."""
    return {
        "token": token.id_token, "status": token.status, "type": token.type, "expires": token.expires,
        "parent": token.group, "charge_points": list(token.charge_points), "note": token.note, "source": token.source,
        "changed_at": token.changed_at,
    }  # fmt: skip


def _text(arguments: Mapping[str, Any], key: str) -> str:
    value = arguments.get(key)
    if not isinstance(value, str) or not value:
        raise IdTokenInvalid(where=key, problem="empty")
    return value
