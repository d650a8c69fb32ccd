"""Codes by time and recovery codes: each is good once."""

from datetime import timedelta

import pyotp
import pytest

from cloud_relay.console.sealing import Sealing
from cloud_relay.fleet import second_factor as factor
from cloud_relay.fleet.acts import Act
from cloud_relay.fleet.ids import UserId
from cloud_relay.fleet.records import User
from cloud_relay.fleet.teams import add_user
from cloud_relay.store.store import Store
from sitelink.errors import CodeRefused, RequestInvalid
from tests.cloud_relay.made import ACT, NOW

SEALS = Sealing(b"k" * 32, "test")
NOBODY = User(UserId("nobody"), "nobody@example.com", "Nobody", NOW)


def somebody(store: Store) -> User:
    return store.write_now(lambda books: add_user(books, ACT, "ann@example.com"))


def code_at(secret: str, seconds: float = 0) -> str:
    return pyotp.TOTP(secret).at(NOW + timedelta(seconds=seconds))


def test_a_code_is_the_present_ones_or_its_neighbours() -> None:
    secret, _ = factor.new_secret(SEALS, NOBODY)
    assert len(secret) == 32
    step = int(NOW.timestamp()) // factor.STEP_S
    assert factor.step_of(secret, code_at(secret), NOW, None) == step
    assert factor.step_of(secret, f" {code_at(secret)[:3]} {code_at(secret)[3:]}", NOW, None) == step
    assert factor.step_of(secret, code_at(secret, -30), NOW, None) == step - 1
    assert factor.step_of(secret, code_at(secret, -90), NOW, None) is None
    assert factor.step_of(secret, code_at(secret, 90), NOW, None) is None
    assert factor.step_of(secret, code_at(secret), NOW, step) is None, "used"
    assert factor.step_of(secret, "", NOW, None) is None
    assert factor.step_of(secret, "×" * 6, NOW, None) is None


def test_it_is_on_after_a_first_code_and_a_code_is_good_once(store: Store) -> None:
    user = somebody(store)
    secret, sealed = factor.new_secret(SEALS, user)

    def turn_on(sealed: str, code: str) -> list[str]:
        return store.write_now(lambda books: factor.turn_on(books, SEALS, ACT, user, sealed, code))

    with pytest.raises(CodeRefused):
        turn_on(sealed, "000000x")
    for not_ours in (secret, factor.new_secret(SEALS, NOBODY)[1]):
        with pytest.raises(RequestInvalid):
            turn_on(not_ours, code_at(secret))
    codes = turn_on(sealed, code_at(secret))
    kept = store.read_now(lambda books: books.accounts.user(user.id))
    assert kept is not None
    assert kept.totp_secret not in (None, secret), "never as it is"
    assert len(set(codes)) == factor.RECOVERY_CODES

    def good(code: str, seconds: float = 0) -> bool:
        act = Act(ACT.actor, NOW + timedelta(seconds=seconds))
        return store.write_now(lambda books: factor.code_is_good(books, SEALS, act, user, code))

    assert not good(code_at(secret)), "the one it was turned on with"
    assert good(code_at(secret, 30), 30)
    assert not good(code_at(secret, 30), 30)
    assert good(codes[0].upper())
    assert not good(codes[0])
    assert store.read_now(lambda books: books.recovery.left(user.id)) == factor.RECOVERY_CODES - 1
    fresh = store.write_now(lambda books: factor.new_recovery_codes(books, user))
    assert not good(codes[1])
    assert good(fresh[1])
    store.write_now(lambda books: factor.turn_off(books, ACT, user))
    assert not good(fresh[2])
    assert not good(code_at(secret, 60), 60)


def test_an_app_is_told_whose_it_is() -> None:
    assert factor.address_of("A" * 32, "ann@example.com").startswith(
        "otpauth://totp/Gatepost:ann%40example.com?secret=A"
    )
