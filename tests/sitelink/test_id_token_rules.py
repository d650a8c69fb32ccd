"""What may stand on the list of id tokens, and what a change of it writes."""

from datetime import UTC, datetime
from typing import Any

import pytest

from sitelink import id_token_rules as rules
from sitelink.errors import IdTokenInvalid, NotFound
from sitelink.events import IdTokenListed, IdTokenRemoved
from sitelink.id_token_rules import TokenEntry, checked
from sitelink.ids import StationKey
from sitelink.states import AuthorizationStatus, IdTokenSource, IdTokenType
from tests.doubles.core import Core


def test_an_entry_is_kept_as_typed_under_its_key() -> None:
    entry = TokenEntry(" 04 A1b2 ", "blocked", "iso14443", "2027-01-01", "FLEET", ["CP001", " cp001", "CP002"], "van")
    key, event = checked(entry, IdTokenSource.CSV)
    assert key == "04a1b2"
    assert event == IdTokenListed(
        id_token="04 A1b2", status=AuthorizationStatus.BLOCKED, type=IdTokenType.ISO14443,
        expires=datetime(2027, 1, 1, tzinfo=UTC), group="FLEET", note="van", source=IdTokenSource.CSV,
        charge_points=(StationKey("cp001"), StationKey("cp002")),
    )  # fmt: skip


def test_an_expiry_with_a_zone_is_kept_in_utc() -> None:
    _, event = checked(TokenEntry("A", expires="2027-01-01T02:00:00+02:00"), IdTokenSource.API)
    assert event.expires == datetime(2027, 1, 1, tzinfo=UTC)


@pytest.mark.parametrize(
    ("entry", "where", "problem"),
    [
        ({"token": ""}, "token", "empty"),
        ({"token": " \t"}, "token", "empty"),
        ({"token": "x" * 256}, "token", "too_long"),
        ({"token": "a\x00b"}, "token", "character"),
        ({"token": "a\u202eb"}, "token", "character"),
        ({"token": "a\udcff"}, "token", "character"),
        ({"token": "a", "status": "Great"}, "status", "not_allowed"),
        ({"token": "a", "status": "ConcurrentTx"}, "status", "not_allowed"),
        ({"token": "a", "type": "Card"}, "type", "not_allowed"),
        ({"token": "a", "type": "NoAuthorization"}, "type", "not_allowed"),
        ({"token": "a", "expires": "tomorrow"}, "expires", "not_a_time"),
        ({"token": "a", "expires": "0001-01-01T00:00:00+14:00"}, "expires", "not_a_time"),
        ({"token": "a", "parent": "x" * 256}, "parent", "too_long"),
        ({"token": "a", "charge_points": ["x" * 49]}, "charge_points", "too_long"),
        ({"token": "a", "charge_points": ["x"] * 201}, "charge_points", "too_many"),
        ({"token": "a", "note": "x" * 201}, "note", "too_long"),
        ({"token": "a", "note": "two\nlines"}, "note", "character"),
    ],
)
def test_what_cannot_be_listed_is_named(entry: dict[str, Any], where: str, problem: str) -> None:
    with pytest.raises(IdTokenInvalid) as refused:
        checked(TokenEntry(**entry), IdTokenSource.API)
    assert (refused.value.fields["where"], refused.value.fields["problem"]) == (where, problem)


async def test_only_what_changes_is_written() -> None:
    core = Core()
    entry = TokenEntry("04A1", note="van")
    first = await core.tokens.put(entry)
    assert (first.id, first.note, first.changed_at) == ("04a1", "van", core.clock.now())
    seq = core.journal.seq
    await core.tokens.put(entry)
    assert core.journal.seq == seq
    await core.tokens.put(TokenEntry("04a1", note="van"))
    assert core.journal.state.id_tokens[first.id].id_token == "04a1"


async def test_a_token_that_is_not_listed_cannot_be_taken_off() -> None:
    core = Core()
    with pytest.raises(NotFound) as refused:
        await core.tokens.remove("SECRET-CARD")
    assert "SECRET-CARD" not in str(refused.value)
    await core.tokens.put(TokenEntry("secret-card"))
    await core.tokens.remove("SECRET-CARD")
    assert isinstance(core.journal.recorded[-1].event, IdTokenRemoved)
    assert core.journal.state.id_tokens == {}


async def test_a_full_list_takes_changes_and_nothing_new(monkeypatch: pytest.MonkeyPatch) -> None:
    monkeypatch.setattr(rules, "ID_TOKENS_MAX", 2)
    core = Core()
    for token in ("A", "B"):
        await core.tokens.put(TokenEntry(token))
    with pytest.raises(IdTokenInvalid) as refused:
        await core.tokens.put(TokenEntry("C"))
    assert refused.value.fields == {"where": "token", "problem": "too_many", "allowed": 2}
    await core.tokens.put(TokenEntry("A", status="Blocked"))
    with pytest.raises(IdTokenInvalid):
        await core.tokens.read_table("token\nC\n", replace=False)
    assert (await core.tokens.read_table("token\nC\nD\n", replace=True))["total"] == 2
    assert sorted(core.journal.state.id_tokens) == ["c", "d"]


@pytest.mark.parametrize(("token", "problem"), [("", "empty"), ("x" * 21, "too_long"), ("ü", "character")])
async def test_a_test_token_must_fit_a_remote_start(token: str, problem: str) -> None:
    core = Core()
    await core.import_job()
    with pytest.raises(IdTokenInvalid) as refused:
        await core.jobs.set_test_token(StationKey("cp001"), token)
    assert (refused.value.fields["where"], refused.value.fields["problem"]) == ("test_token", problem)


async def test_a_test_token_can_be_set_before_the_station_was_ever_there() -> None:
    core = Core()
    await core.import_job()
    await core.jobs.set_test_token(StationKey("cp001"), "0001")
    assert core.journal.state.stations[StationKey("cp001")].identity == "CP001"
    seq = core.journal.seq
    await core.jobs.set_test_token(StationKey("cp001"), "0001")
    assert core.journal.seq == seq
    with pytest.raises(NotFound):
        await core.jobs.set_test_token(StationKey("nobody"), "0001")
