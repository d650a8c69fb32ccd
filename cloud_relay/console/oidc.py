"""Signing in with another provider: OpenID Connect, authorization code with PKCE. Start at `Provider`.

Nothing of a sign-in that has begun is kept here: state, nonce and verifier travel in a sealed cookie of ten minutes.
Sources: OpenID Connect Core 1.0 §3.1, §5, §9, Discovery 1.0 §4, RFC 7636.
"""

import base64
import hashlib
import hmac
import secrets
from dataclasses import dataclass
from typing import Any
from urllib.parse import quote_plus, urlencode

import aiohttp
import msgspec
import structlog
from joserfc import jwt
from joserfc.errors import JoseError
from joserfc.jwk import KeySet

from cloud_relay.config import Oidc
from sitelink.clock import Clock
from sitelink.errors import ProviderRefused

log = structlog.get_logger()

ALGORITHMS = ["RS256", "RS384", "RS512", "PS256", "PS384", "PS512", "ES256", "ES384", "ES512", "EdDSA"]
"""Signatures by a key that only the provider has: never `none`, never a shared secret."""
ASKED_WITHIN_S = 10.0
ANSWER_MAX_BYTES = 256 * 1024
BEGUN_FOR_S = 600
LEEWAY_S = 60
KNOWN_FOR_S = 3600.0


class Begun(msgspec.Struct, frozen=True):
    """A sign-in that was sent to the provider."""

    state: str
    nonce: str
    verifier: str
    wanted: str
    at: int


class Person(msgspec.Struct, frozen=True):
    """Who the provider says it is."""

    issuer: str
    subject: str
    email: str
    email_verified: bool
    name: str


@dataclass
class _Known:
    document: dict[str, Any]
    keys: KeySet
    at: float


class Provider:
    """`back` is where the provider sends people back to; `key` seals what travels in between."""

    def __init__(self, settings: Oidc, back: str, key: bytes, clock: Clock) -> None:
        self._settings = settings
        self._back = back
        self._key = key
        self._clock = clock
        self._known: _Known | None = None

    @property
    def name(self) -> str:
        return self._settings.name

    async def begin(self, wanted: str) -> tuple[str, str]:
        """Where to send the browser, and the cookie to give it. Raises ProviderRefused."""
        known = await self._discovered()
        begun = Begun(
            secrets.token_urlsafe(24), secrets.token_urlsafe(24), secrets.token_urlsafe(48), wanted, self._now()
        )
        challenge = base64.urlsafe_b64encode(hashlib.sha256(begun.verifier.encode()).digest()).rstrip(b"=").decode()
        query = {
            "response_type": "code", "client_id": self._settings.client_id, "redirect_uri": self._back,
            "scope": "openid email profile", "state": begun.state, "nonce": begun.nonce,
            "code_challenge": challenge, "code_challenge_method": "S256",
        }  # fmt: skip
        address = str(known.document["authorization_endpoint"])
        return f"{address}{'&' if '?' in address else '?'}{urlencode(query)}", self._seal(begun)

    async def finish(self, cookie: str, state: str, code: str) -> tuple[Person, str]:
        """Who came back, and where they wanted to go. Raises ProviderRefused."""
        begun = self._unseal(cookie)
        if begun is None or not hmac.compare_digest(begun.state.encode(), state.encode("utf-8", "surrogatepass")):
            raise ProviderRefused(reason="state")
        known = await self._discovered()
        form = {
            "grant_type": "authorization_code", "code": code, "redirect_uri": self._back,
            "client_id": self._settings.client_id, "code_verifier": begun.verifier,
        }  # fmt: skip
        proof, auth = self._client_proof(known.document)
        answer = await self._ask("POST", str(known.document["token_endpoint"]), {**form, **proof}, auth)
        claims = await self._claims(str(answer.get("id_token", "")))
        self._check(claims, begun.nonce)
        if not claims.get("email"):
            claims = {**await self._more(known.document, str(answer.get("access_token", "")), claims), **claims}
        return _person(claims), begun.wanted

    def _client_proof(self, document: dict[str, Any]) -> tuple[dict[str, str], dict[str, str]]:
        """How the client's secret is shown: fields of the form, and headers. OpenID Connect Core 1.0 §9: `Basic` is
        what every provider takes that does not say otherwise."""
        client, secret = self._settings.client_id, self._settings.client_secret
        if "client_secret_post" in (document.get("token_endpoint_auth_methods_supported") or ()):
            return {"client_secret": secret}, {}
        pair = f"{quote_plus(client)}:{quote_plus(secret)}"
        return {}, {"Authorization": f"Basic {base64.b64encode(pair.encode()).decode()}"}

    async def _more(self, document: dict[str, Any], access_token: str, claims: dict[str, Any]) -> dict[str, Any]:
        """What some providers say only when asked: OpenID Connect Core 1.0 §5.3, §5.4. Of somebody else, nothing."""
        address = document.get("userinfo_endpoint")
        if not address or not access_token:
            return {}
        told = await self._ask("GET", str(address), headers={"Authorization": f"Bearer {access_token}"})
        return told if told.get("sub") == claims["sub"] else {}

    def _check(self, claims: dict[str, Any], nonce: str) -> None:
        """Raises ProviderRefused where a token is for somebody or something else, or not for now."""
        now, audience = self._now(), claims.get("aud")
        audiences = audience if isinstance(audience, list) else [audience]
        wrong = [
            reason
            for reason, right in (
                ("issuer", claims.get("iss") == self._settings.issuer),
                ("audience", self._settings.client_id in audiences),
                ("party", len(audiences) == 1 or claims.get("azp") == self._settings.client_id),
                ("nonce", hmac.compare_digest(str(claims.get("nonce", "")).encode(), nonce.encode())),
                ("expired", _number(claims.get("exp")) > now - LEEWAY_S),
                ("issued_later", _number(claims.get("iat", now)) < now + LEEWAY_S),
                ("subject", bool(claims.get("sub")) and len(str(claims.get("sub"))) <= 255),
            )
            if not right
        ]
        if wrong:
            log.warning("oidc_token_refused", reason=wrong[0])
            raise ProviderRefused(reason=wrong[0])

    async def _claims(self, token: str) -> dict[str, Any]:
        """Signed by a key of the provider's; keys we do not know are looked for once more."""
        for fresh in (False, True):
            known = await self._discovered(fresh=fresh)
            try:
                return dict(jwt.decode(token, known.keys, algorithms=ALGORITHMS).claims)
            except (JoseError, ValueError) as error:
                problem = type(error).__name__
        log.warning("oidc_token_refused", reason="signature", problem=problem)
        raise ProviderRefused(reason="signature")

    async def _discovered(self, *, fresh: bool = False) -> _Known:
        known, now = self._known, self._clock.monotonic()
        if known is not None and not fresh and now - known.at < KNOWN_FOR_S:
            return known
        document = await self._ask("GET", f"{self._settings.issuer.rstrip('/')}/.well-known/openid-configuration")
        needed = ("authorization_endpoint", "token_endpoint", "jwks_uri")
        if document.get("issuer") != self._settings.issuer or not all(document.get(each) for each in needed):
            raise ProviderRefused(reason="discovery")
        try:
            keys = KeySet.import_key_set(await self._ask("GET", str(document["jwks_uri"])))  # type: ignore[arg-type]
        except (JoseError, ValueError, KeyError, TypeError) as error:
            raise ProviderRefused(reason="keys") from error
        self._known = _Known(document, keys, now)
        return self._known

    async def _ask(
        self, method: str, address: str, form: dict[str, str] | None = None, headers: dict[str, str] | None = None
    ) -> dict[str, Any]:
        """A JSON object. Raises ProviderRefused."""
        timeout = aiohttp.ClientTimeout(total=ASKED_WITHIN_S)
        try:
            async with (
                aiohttp.ClientSession(timeout=timeout, trust_env=True) as session,
                session.request(method, address, data=form, headers=headers, allow_redirects=False) as response,
            ):
                body = await response.content.read(ANSWER_MAX_BYTES)
                answer = msgspec.json.decode(body)
                if response.status == 200 and isinstance(answer, dict):
                    return answer
                log.warning("oidc_provider_refused", status=response.status)
        except (aiohttp.ClientError, TimeoutError, msgspec.DecodeError, ValueError) as error:
            log.warning("oidc_provider_unreachable", problem=type(error).__name__)
            raise ProviderRefused(reason="unreachable") from error
        raise ProviderRefused(reason="refused")

    def _seal(self, begun: Begun) -> str:
        body = base64.urlsafe_b64encode(msgspec.json.encode(begun)).decode()
        return f"{body}.{self._mac(body)}"

    def _unseal(self, cookie: str) -> Begun | None:
        body, _, mac = cookie.rpartition(".")
        if not hmac.compare_digest(mac.encode("utf-8", "surrogatepass"), self._mac(body).encode()):
            return None
        begun = msgspec.json.decode(base64.urlsafe_b64decode(body), type=Begun)
        return begun if 0 <= self._now() - begun.at <= BEGUN_FOR_S else None

    def _mac(self, body: str) -> str:
        return hmac.new(self._key, b"oidc:" + body.encode("utf-8", "surrogatepass"), hashlib.sha256).hexdigest()

    def _now(self) -> int:
        return int(self._clock.now().timestamp())


def _person(claims: dict[str, Any]) -> Person:
    return Person(
        issuer=str(claims["iss"]), subject=str(claims["sub"]), email=str(claims.get("email") or "")[:254],
        email_verified=claims.get("email_verified") is True, name=str(claims.get("name") or "")[:200],
    )  # fmt: skip


def _number(value: Any) -> float:
    return float(value) if isinstance(value, int | float) and not isinstance(value, bool) else 0.0
