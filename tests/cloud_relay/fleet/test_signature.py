"""The signature of a webhook. docs/webhooks.md's own example is tried in test_webhook_sender."""

from cloud_relay.fleet.signature import signature


def test_it_is_what_other_implementations_make() -> None:
    """By `printf '1764149400.{"a":1}' | openssl dgst -sha256 -hmac gh1_secret`."""
    found = signature("gh1_secret", 1764149400, b'{"a":1}')
    assert found == f"t=1764149400,v1={EXPECTED}"


def test_another_moment_body_or_secret_makes_another() -> None:
    made = {signature("a", 1, b"x"), signature("a", 2, b"x"), signature("a", 1, b"y"), signature("b", 1, b"x")}
    assert len({each.partition("v1=")[2] for each in made}) == 4


EXPECTED = "412d96754d7506c60127631053dd0afbbff538d1da04d0161cabc11e4b38cabb"
