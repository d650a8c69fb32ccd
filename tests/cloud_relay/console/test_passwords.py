"""Passwords: kept as Argon2id, long enough, and compared in the same time whether anybody has them or not."""

import pytest

from cloud_relay.console import passwords
from sitelink.errors import RequestInvalid


async def test_a_password_is_known_again() -> None:
    kept = await passwords.hash_of("correct horse battery")
    assert kept.startswith("$argon2id$")
    assert await passwords.matches(kept, "correct horse battery")
    assert not await passwords.matches(kept, "correct horse batter")
    assert not passwords.is_outdated(kept)


async def test_nothing_kept_matches_nothing() -> None:
    assert not await passwords.matches(None, "nobody has this one")
    assert not await passwords.matches("not a hash", "x")


@pytest.mark.parametrize(("password", "problem"), [("x" * 11, "too_short"), ("x" * 201, "too_long")])
async def test_one_that_cannot_be_taken_says_why(password: str, problem: str) -> None:
    with pytest.raises(RequestInvalid) as refused:
        await passwords.hash_of(password)
    assert refused.value.fields["problem"] == problem
    with pytest.raises(RequestInvalid):
        passwords.hash_now(password)
