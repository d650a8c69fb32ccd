"""What may stand on the site's list of id tokens, and how it comes to stand there. Pure.

Start at `checked` and `decide_put`. A token is compared by its canonical key (`sitelink.ids.id_token_key`) and kept as
it was typed. Sources: OCPP 1.6 §7.14 (20 characters), OCPP 2.0.1 IdTokenType (36), 2.1 (255); DESIGN §6.
"""

import unicodedata
from collections.abc import Iterable, Sequence
from datetime import UTC, datetime
from enum import StrEnum
from typing import TypeVar

import msgspec

from sitelink.decisions import Decide, Decision, Sight
from sitelink.errors import IdTokenInvalid, NotFound
from sitelink.events import IdTokenListed, IdTokenRemoved, StationTestTokenSet
from sitelink.ids import IDENTITY_MAX_CHARACTERS, IdTokenKey, StationKey, id_token_key, station_key
from sitelink.model import IdToken, SiteState
from sitelink.ops import Author, Fact
from sitelink.redact import mask_id_token
from sitelink.states import AuthorizationStatus, IdTokenSource, IdTokenType

ID_TOKENS_MAX = 10_000
"""On one site's list."""
TOKEN_MAX_CHARACTERS = 255
TEST_TOKEN_MAX_CHARACTERS = 20
"""A remote start of OCPP 1.6 carries no more."""
GROUP_MAX_CHARACTERS = 255
NOTE_MAX_CHARACTERS = 200
CHARGE_POINTS_MAX = 200
LISTABLE = tuple(status for status in AuthorizationStatus if status is not AuthorizationStatus.CONCURRENT_TX)
"""What a list may say of a token; whether it charges elsewhere is seen, not listed."""

E = TypeVar("E", bound=StrEnum)


class TokenEntry(msgspec.Struct, frozen=True):
    """A line of the list as somebody gave it: texts, nothing checked."""

    token: str
    status: str = AuthorizationStatus.ACCEPTED.value
    type: str | None = None
    expires: str | None = None
    parent: str | None = None
    charge_points: Sequence[str] = ()
    note: str = ""


def checked(entry: TokenEntry, source: IdTokenSource) -> tuple[IdTokenKey, IdTokenListed]:
    """The token's key and the fact that lists it. Raises IdTokenInvalid, naming the field and what is wrong."""
    token = _text("token", entry.token, TOKEN_MAX_CHARACTERS)
    if not id_token_key(token):
        raise IdTokenInvalid(where="token", problem="empty")
    if len(entry.charge_points) > CHARGE_POINTS_MAX:
        raise IdTokenInvalid(where="charge_points", problem="too_many", allowed=CHARGE_POINTS_MAX)
    places = [station_key(_text("charge_points", each, IDENTITY_MAX_CHARACTERS)) for each in entry.charge_points]
    kind = None if not entry.type else _word("type", entry.type, tuple(IdTokenType))
    if kind is IdTokenType.NO_AUTHORIZATION:
        raise IdTokenInvalid(where="type", problem="not_allowed", allowed=_words(_NAMES_SOMEBODY))
    event = IdTokenListed(
        id_token=token, status=_word("status", entry.status, LISTABLE), type=kind,
        expires=_time(entry.expires) if entry.expires else None,
        group=_text("parent", entry.parent, GROUP_MAX_CHARACTERS) if entry.parent else None,
        charge_points=tuple(dict.fromkeys(StationKey(place) for place in places if place)),
        note=_text("note", entry.note, NOTE_MAX_CHARACTERS) if entry.note else "", source=source,
    )  # fmt: skip
    return id_token_key(token), event


_NAMES_SOMEBODY = tuple(kind for kind in IdTokenType if kind is not IdTokenType.NO_AUTHORIZATION)


def _text(where: str, text: str, most: int) -> str:
    cleaned = unicodedata.normalize("NFC", text).strip()
    if len(cleaned) > most:
        raise IdTokenInvalid(where=where, problem="too_long", allowed=most)
    if any(unicodedata.category(character) in ("Cc", "Cf", "Cs", "Co", "Cn", "Zl", "Zp") for character in cleaned):
        raise IdTokenInvalid(where=where, problem="character")
    return cleaned


def _word(where: str, said: str, allowed: Sequence[E]) -> E:
    found = next((each for each in allowed if each.value.casefold() == said.strip().casefold()), None)
    if found is None:
        raise IdTokenInvalid(where=where, problem="not_allowed", allowed=_words(allowed))
    return found


def _words(allowed: Iterable[StrEnum]) -> str:
    return ", ".join(each.value for each in allowed)


def _time(text: str) -> datetime:
    """ISO 8601; a date alone is its first moment, a time without a zone is UTC."""
    try:
        at = datetime.fromisoformat(text.strip())
        aware = at if at.tzinfo is not None else at.replace(tzinfo=UTC)
        return aware.astimezone(UTC)
    except (ValueError, OverflowError) as error:
        raise IdTokenInvalid(where="expires", problem="not_a_time", allowed="2027-03-31T00:00:00Z") from error


def decide_put(entry: TokenEntry, source: IdTokenSource, author: Author) -> Decide[IdTokenKey]:
    """List a token, in place of what was listed of it. Raises IdTokenInvalid."""
    key, event = checked(entry, source)

    def decide(ledger: Sight) -> Decision[IdTokenKey]:
        _room(ledger.state, [key])
        return Decision(_facts(ledger.state, [(key, event)], author), key)

    return decide


def decide_put_all(
    entries: Sequence[tuple[IdTokenKey, IdTokenListed]], author: Author, *, replace: bool
) -> Decide[tuple[int, int]]:
    """List many at once. With `replace` the others are removed. Answers how many were listed, and how many removed."""

    def decide(ledger: Sight) -> Decision[tuple[int, int]]:
        named = {key for key, _ in entries}
        gone = [key for key in ledger.state.id_tokens if key not in named] if replace else []
        _room(ledger.state, named, without=len(gone))
        facts = _facts(ledger.state, entries, author)
        removed = tuple(Fact(f"id_token:{key}", IdTokenRemoved(), author) for key in gone)
        return Decision((*facts, *removed), (len(facts), len(removed)))

    return decide


def decide_test_token(station: StationKey, test_token: str | None, author: Author) -> Decide[None]:
    """What the installer's test uses at one station, e.g. where it takes registered tags only. None: the job's token.

    Raises IdTokenInvalid, NotFound for a station no job names.
    """
    token = _text("test_token", test_token, TEST_TOKEN_MAX_CHARACTERS) if test_token is not None else None
    if token is not None and (not token.isascii() or not id_token_key(token)):
        raise IdTokenInvalid(where="test_token", problem="character" if token else "empty")

    def decide(ledger: Sight) -> Decision[None]:
        rows = ledger.state.rows_of_station(station)
        if not rows:
            raise NotFound(what="charge_point", key=station)
        here = ledger.state.stations.get(station)
        if (here.test_token if here else None) == token:
            return Decision((), None)
        event = StationTestTokenSet(token, rows[0][1].identity)
        return Decision((Fact(f"station:{station}", event, author),), None)

    return decide


def decide_remove(id_token: str, author: Author) -> Decide[None]:
    """Raises NotFound."""
    key = id_token_key(id_token)

    def decide(ledger: Sight) -> Decision[None]:
        known(ledger.state, id_token)
        return Decision((Fact(f"id_token:{key}", IdTokenRemoved(), author),), None)

    return decide


def known(state: SiteState, id_token: str) -> IdToken:
    """Raises NotFound, which says no more of the token than a log may."""
    found = state.id_tokens.get(id_token_key(id_token))
    if found is None:
        raise NotFound(what="id_token", key=mask_id_token(id_token[:TOKEN_MAX_CHARACTERS]))
    return found


def _room(state: SiteState, keys: Iterable[IdTokenKey], without: int = 0) -> None:
    new = sum(key not in state.id_tokens for key in keys)
    if new and len(state.id_tokens) - without + new > ID_TOKENS_MAX:
        raise IdTokenInvalid(where="token", problem="too_many", allowed=ID_TOKENS_MAX)


def _facts(state: SiteState, entries: Sequence[tuple[IdTokenKey, IdTokenListed]], author: Author) -> tuple[Fact, ...]:
    """Nothing for what is listed just so."""
    return tuple(
        Fact(f"id_token:{key}", event, author) for key, event in entries if not _same(state.id_tokens.get(key), event)
    )


def _same(listed: IdToken | None, event: IdTokenListed) -> bool:
    fields = ("id_token", "status", "type", "expires", "group", "charge_points", "note", "source")
    return listed is not None and all(getattr(listed, each) == getattr(event, each) for each in fields)
