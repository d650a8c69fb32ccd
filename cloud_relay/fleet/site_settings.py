"""Settings of a site's boxes from above, and its id tokens: what is said, and whether it is there yet.

The rules are those of the box (`sitelink.box_settings`, `sitelink.id_token_rules`); what is written goes down in the
site's log. Start at `settings_of` and `set_setting`.
"""

from collections.abc import Sequence
from datetime import datetime
from typing import Any

import msgspec

from cloud_relay.fleet.delivery import waiting
from cloud_relay.fleet.log_records import Place
from cloud_relay.fleet.ports import Books
from cloud_relay.fleet.site_desk import SiteDesk, load
from sitelink import box_settings, id_token_rules
from sitelink.id_token_table import entries_of, table_of
from sitelink.ids import IdTokenKey, id_token_key
from sitelink.model import IdToken
from sitelink.ops import Author
from sitelink.states import IdTokenSource


class SettingState(msgspec.Struct, frozen=True):
    """`value` null: the box's own file decides. `state`: delivered or waiting; null where nothing was ever said.

    `allowed` in words, `at` and `by`: when it was said last, and who did.
    """

    key: str
    value: Any
    allowed: str
    state: str | None
    at: datetime | None = None
    by: str | None = None


class TokenState(msgspec.Struct, frozen=True):
    """`state`: delivered or waiting."""

    token: IdToken
    state: str


class TokensTaken(msgspec.Struct, frozen=True):
    """What became of a table."""

    listed: int
    unchanged: int
    removed: int
    total: int


def settings_of(books: Books, place: Place) -> list[SettingState]:
    """All that can be changed from above, in their order."""
    said = load(books, place.site, None).settings
    away = waiting(books, place.team, place.site, "setting")
    found = []
    for key, rule in box_settings.EDITABLE.items():
        setting = said.get(key)
        waits = f"setting:{key}" in away
        state = "waiting" if waits else "delivered" if setting is not None else None
        found.append(
            SettingState(
                key, setting.value if setting else None, rule.allowed, state, setting.at if setting else None,
                setting.by.name if setting else None,
            )
        )  # fmt: skip
    return found


def set_setting(desk: SiteDesk, key: str, value: Any, author: Author) -> None:
    """It holds on the box in place of what its file says, from when it hears of it. Raises SettingInvalid."""
    desk.decide(box_settings.decide_set(key, value, author))


def clear_setting(desk: SiteDesk, key: str, author: Author) -> None:
    """What the box's file says holds again. Raises SettingInvalid."""
    desk.decide(box_settings.decide_clear(key, author))


# ---- id tokens ----


def tokens_of(books: Books, place: Place, limit: int, after: str = "", text: str = "") -> tuple[list[TokenState], int]:
    """In the order of their keys, those above `after`; and how many there are in all.

    Where `text` is given only those that have it in their token, group, note or charge points, whatever its case.
    """
    tokens, wanted = load(books, place.site, None).id_tokens, text.casefold()
    if wanted:
        tokens = {key: each for key, each in tokens.items() if wanted in _read(each)}
    away = waiting(books, place.team, place.site, "id_token")
    start = id_token_key(after)
    keys = sorted(key for key in tokens if key > start)[:limit]
    return [_state(tokens[key], away) for key in keys], len(tokens)


def _read(token: IdToken) -> str:
    return "\n".join((token.id_token, token.group or "", token.note, *token.charge_points)).casefold()


def find_token(books: Books, place: Place, token: str) -> TokenState:
    """Raises NotFound."""
    found = id_token_rules.known(load(books, place.site, None), token)
    return _state(found, waiting(books, place.team, place.site, "id_token"))


def table_of_tokens(books: Books, place: Place) -> str:
    """All of them as CSV."""
    tokens = load(books, place.site, None).id_tokens
    return table_of(tokens[key] for key in sorted(tokens))


def put_token(desk: SiteDesk, entry: id_token_rules.TokenEntry, author: Author) -> IdTokenKey:
    """List it, in place of what was listed of it. Raises IdTokenInvalid."""
    return desk.decide(id_token_rules.decide_put(entry, IdTokenSource.CLOUD, author))


def remove_token(desk: SiteDesk, token: str, author: Author) -> None:
    """Raises NotFound."""
    desk.decide(id_token_rules.decide_remove(token, author))


Entries = Sequence[tuple[IdTokenKey, Any]]


def entries_in(table: str) -> Entries:
    """Every line of a CSV table, checked. Takes its time with thousands. Raises IdTokenListInvalid."""
    return entries_of(table, IdTokenSource.CLOUD)


def take_tokens(desk: SiteDesk, entries: Entries, author: Author, *, replace: bool) -> TokensTaken:
    """Whole or not at all; with `replace` what it does not name is taken off. Raises IdTokenInvalid."""
    listed, removed = desk.decide(id_token_rules.decide_put_all(entries, author, replace=replace))
    return TokensTaken(listed, len(entries) - listed, removed, len(desk.state.id_tokens))


def _state(token: IdToken, away: frozenset[str]) -> TokenState:
    return TokenState(token, "waiting" if token.key in away else "delivered")
