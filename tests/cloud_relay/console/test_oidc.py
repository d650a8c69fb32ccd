"""What a provider may say, and what is believed of it."""

import base64
import hashlib
import hmac
import json
from collections.abc import AsyncIterator
from typing import Any
from urllib.parse import parse_qs, urlsplit

import pytest
from joserfc.jwk import RSAKey

from cloud_relay.config import Oidc
from cloud_relay.console.oidc import BEGUN_FOR_S, Person, Provider
from sitelink.errors import ProviderRefused
from tests.doubles.clock import FakeClock
from tests.doubles.provider import FalseProvider, false_provider

KEY = b"k" * 32


@pytest.fixture
async def false() -> AsyncIterator[FalseProvider]:
    async with false_provider() as running:
        yield running


class SignIn:
    """One that has begun; `come_back` is what the browser brings."""

    def __init__(self, false: FalseProvider) -> None:
        self.false = false
        self.clock = FakeClock()
        settings = Oidc(issuer=false.issuer, client_id="gatepost", client_secret="s3cret")
        self.provider = Provider(settings, "https://cloud.example/back", KEY, self.clock)
        self.cookie = ""
        self.sent: dict[str, str] = {}

    async def begin(self) -> "SignIn":
        address, self.cookie = await self.provider.begin("/t/x")
        self.sent = {name: values[0] for name, values in parse_qs(urlsplit(address).query).items()}
        now = int(self.clock.now().timestamp())
        self.false.claims = {
            "iss": self.false.issuer, "aud": "gatepost", "sub": "u1", "nonce": self.sent["nonce"], "iat": now,
            "exp": now + 300, "email": "ann@example.com", "email_verified": True, "name": "Ann",
        }  # fmt: skip
        return self

    async def come_back(self, **claims: Any) -> tuple[Person, str]:
        self.false.claims |= claims
        return await self.provider.finish(self.cookie, self.sent["state"], "a code")


def part(value: dict[str, Any]) -> str:
    """Of a token, as RFC 7515 writes it."""
    return base64.urlsafe_b64encode(json.dumps(value).encode()).rstrip(b"=").decode()


async def test_who_is_signed_for_is_believed(false: FalseProvider) -> None:
    begun = await SignIn(false).begin()
    person, wanted = await begun.come_back()
    assert person == Person(false.issuer, "u1", "ann@example.com", email_verified=True, name="Ann")
    assert wanted == "/t/x"
    (form,) = false.forms
    assert (form["client_secret"], form["redirect_uri"]) == ("s3cret", "https://cloud.example/back")
    assert begun.sent["code_challenge_method"] == "S256"
    assert form["code_verifier"] not in begun.sent.values()
    assert "s3cret" not in str(begun.sent)


@pytest.mark.parametrize(
    ("claims", "reason"),
    [
        ({"iss": "https://other.example"}, "issuer"), ({"aud": "other"}, "audience"),
        ({"aud": ["gatepost", "other"]}, "party"), ({"nonce": "other"}, "nonce"), ({"exp": 1}, "expired"),
        ({"exp": True}, "expired"), ({"iat": 99999999999}, "issued_later"), ({"sub": ""}, "subject"),
        ({"sub": "x" * 256}, "subject"),
    ],
)  # fmt: skip
async def test_a_token_for_somebody_or_something_else_is_refused(
    false: FalseProvider, claims: dict[str, Any], reason: str
) -> None:
    begun = await SignIn(false).begin()
    with pytest.raises(ProviderRefused) as refused:
        await begun.come_back(**claims)
    assert refused.value.fields["reason"] == reason


async def test_only_a_key_of_the_providers_signs(false: FalseProvider) -> None:
    begun = await SignIn(false).begin()
    stranger = RSAKey.generate_key(2048, {"kid": "one"})
    false.published, false.key = [false.key], stranger
    with pytest.raises(ProviderRefused) as refused:
        await begun.come_back()
    assert refused.value.fields["reason"] == "signature"

    false.token = f"{part({'alg': 'none'})}.{part(false.claims)}."
    for token in (false.token, "", "a.b.c", "x" * 5000):
        false.token = token or " "
        with pytest.raises(ProviderRefused):
            await begun.come_back()


async def test_no_shared_secret_signs(false: FalseProvider) -> None:
    begun = await SignIn(false).begin()
    for secret in (b"s3cret", false.key.as_pem(private=False)):
        signed = f"{part({'alg': 'HS256', 'kid': 'one'})}.{part(false.claims)}"
        mac = hmac.new(secret, signed.encode(), hashlib.sha256).digest()
        false.token = f"{signed}.{base64.urlsafe_b64encode(mac).rstrip(b'=').decode()}"
        with pytest.raises(ProviderRefused) as refused:
            await begun.come_back()
        assert refused.value.fields["reason"] == "signature"


async def test_a_token_may_leave_out_which_key_where_there_is_one(false: FalseProvider) -> None:
    begun = await SignIn(false).begin()
    false.header = {"alg": "RS256"}
    assert (await begun.come_back())[0].subject == "u1"


async def test_the_secret_is_shown_as_the_provider_takes_it(false: FalseProvider) -> None:
    false.document = {}
    begun = await SignIn(false).begin()
    await begun.come_back()
    assert "client_secret" not in false.forms[0]
    scheme, _, pair = false.authorizations[0].partition(" ")
    assert (scheme, base64.b64decode(pair)) == ("Basic", b"gatepost:s3cret")


async def test_an_address_may_be_told_when_asked_but_not_of_somebody_else(false: FalseProvider) -> None:
    begun = await SignIn(false).begin()
    del false.claims["email"], false.claims["email_verified"]
    false.told = {"sub": "u1", "email": "ann@example.com", "email_verified": True, "iss": "https://other.example"}
    person, _ = await begun.come_back()
    assert (person.email, person.email_verified) == ("ann@example.com", True)
    assert person.issuer == false.issuer, "what is signed counts"
    assert false.authorizations[-1] == "Bearer x"
    false.told["sub"] = "u2"
    person, _ = await begun.come_back()
    assert (person.email, person.email_verified) == ("", False)


async def test_a_new_key_is_looked_for_once(false: FalseProvider) -> None:
    begun = await SignIn(false).begin()
    await begun.come_back()
    false.key = RSAKey.generate_key(2048, {"kid": "two"})
    false.header = {"alg": "RS256", "kid": "two"}
    asked = false.asked.count("keys")
    await begun.come_back()
    assert false.asked.count("keys") == asked + 1


async def test_what_travels_with_the_browser_is_sealed_and_ends(false: FalseProvider) -> None:
    begun = await SignIn(false).begin()
    for cookie, state in (
        ("", begun.sent["state"]),
        (begun.cookie[:-1] + "x", begun.sent["state"]),
        (begun.cookie, "x"),
    ):
        with pytest.raises(ProviderRefused):
            await begun.provider.finish(cookie, state, "a code")
    begun.clock.advance(BEGUN_FOR_S + 1)
    with pytest.raises(ProviderRefused):
        await begun.come_back()


async def test_a_provider_that_is_not_there_is_said(false: FalseProvider) -> None:
    settings = Oidc(issuer="http://127.0.0.1:9", client_id="gatepost")
    with pytest.raises(ProviderRefused) as refused:
        await Provider(settings, "https://cloud.example/back", KEY, FakeClock()).begin("/")
    assert refused.value.fields["reason"] == "unreachable"
    lying = Oidc(issuer=f"{false.issuer}/", client_id="gatepost")
    with pytest.raises(ProviderRefused) as refused:
        await Provider(lying, "https://cloud.example/back", KEY, FakeClock()).begin("/")
    assert refused.value.fields["reason"] == "discovery"
