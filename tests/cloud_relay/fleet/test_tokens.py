"""Secrets: random, recognised by their prefix, kept as a hash."""

from cloud_relay.fleet.tokens import API_TOKEN, CLAIM, find, new_token, sha256_of
from sitelink.redact import redact


def test_a_token_is_found_in_what_was_pasted_and_no_other() -> None:
    token = new_token(CLAIM)
    assert find(CLAIM, f"relay.claim = {token} # box") == token
    assert find(API_TOKEN, token) is None
    assert find(CLAIM, token + "x") is None
    assert len(token) == len(CLAIM) + 43
    assert len(sha256_of(token)) == 64
    assert sha256_of(token) != sha256_of(new_token(CLAIM))


def test_the_log_masks_it() -> None:
    token = new_token(API_TOKEN)
    assert token not in str(redact(f"Bearer {token}", "event"))
