"""What is kept of a password recognises it, in either spelling of a 1.6 key, and nothing else."""

import time

import pytest
from hypothesis import given
from hypothesis import strategies as st

from edge_agent.site import verifiers
from edge_agent.site.verifiers import canonical, fast_verifier, matches, new_key, slow_verifier

KEY = "00112233445566778899AABBCCDDEEFF00112233"


@pytest.mark.parametrize("make", [fast_verifier, slow_verifier])
@pytest.mark.parametrize("said", [KEY.encode(), KEY.lower().encode(), bytes.fromhex(KEY)])
def test_a_key_is_known_as_raw_bytes_and_as_digits_of_either_case(make, said: bytes) -> None:
    for kept in (KEY.encode(), bytes.fromhex(KEY)):
        assert matches(make(kept), said)


@pytest.mark.parametrize("make", [fast_verifier, slow_verifier])
def test_other_passwords_do_not_match_and_equal_ones_leave_different_traces(make) -> None:
    one, two = make(b"a password of 2.x"), make(b"a password of 2.x")
    assert one != two
    assert matches(one, b"a password of 2.x")
    for wrong in (b"", b"A password of 2.x", b"a password of 2.x ", KEY.encode()):
        assert not matches(one, wrong)
    assert b"password".decode() not in one


@given(st.binary(max_size=64), st.binary(max_size=64))
def test_two_passwords_match_only_where_they_mean_the_same_bytes(one: bytes, two: bytes) -> None:
    assert matches(fast_verifier(one), two) is (canonical(one) == canonical(two))


@given(st.binary(max_size=64))
def test_only_digits_of_16_to_20_bytes_are_taken_for_a_key(password: bytes) -> None:
    if canonical(password) != password:
        assert 16 <= len(canonical(password)) <= 20
        assert canonical(password).hex() == password.decode().lower()


@given(st.text(max_size=80))
def test_a_verifier_that_is_none_of_ours_matches_nothing(verifier: str) -> None:
    assert not matches(verifier, b"x")


def test_keys_are_40_digits_and_never_the_same() -> None:
    keys = {new_key() for _ in range(200)}
    assert len(keys) == 200
    assert all(len(key) == 40 and bytes.fromhex(key) for key in keys)


def test_a_check_of_a_key_of_ours_takes_no_more_than_50_microseconds() -> None:
    verifier, password = fast_verifier(bytes.fromhex(KEY)), KEY.encode()
    best = min(_timed(verifier, password) for _ in range(200))
    assert best < 50e-6, f"{best * 1e6:.1f} µs"
    assert verifiers.is_slow(slow_verifier(b"x"))
    assert not verifiers.is_slow(verifier)


def _timed(verifier: str, password: bytes) -> float:
    began = time.perf_counter()
    matches(verifier, password)
    return time.perf_counter() - began
