"""Providers people sign in with: a real one as a process of its own, and one that says whatever a test wants.

Start at `real_provider` and `FalseProvider`.
"""

import asyncio
import json
import sys
from collections.abc import AsyncIterator
from contextlib import asynccontextmanager
from dataclasses import dataclass, field
from typing import Any

import aiohttp
from aiohttp import web
from joserfc import jwt
from joserfc.jwk import KeySet, RSAKey

from tests.doubles.demo_processes import free_port

POST = ["client_secret_basic", "client_secret_post"]


@asynccontextmanager
async def real_provider(*people: dict[str, Any]) -> AsyncIterator[str]:
    """Its issuer. Each of `people` has "sub" and what else is said of them."""
    port = free_port(0)
    claims = [part for person in people for part in ("--user-claims", json.dumps(person))]
    process = await asyncio.create_subprocess_exec(
        *(sys.executable, "-W", "ignore", "-m", "oidc_provider_mock", "--port", str(port), *claims),
        stdout=asyncio.subprocess.DEVNULL, stderr=asyncio.subprocess.DEVNULL,
    )  # fmt: skip
    try:
        issuer = f"http://127.0.0.1:{port}"
        async with asyncio.timeout(30), aiohttp.ClientSession() as session:
            while True:
                try:
                    async with session.get(f"{issuer}/.well-known/openid-configuration") as response:
                        yield str((await response.json())["issuer"])
                        break
                except aiohttp.ClientConnectorError:
                    await asyncio.sleep(0.1)
    finally:
        process.terminate()
        await process.wait()


@dataclass
class FalseProvider:
    """Answers every code with a token of `claims`, signed by `key` under `header`; knows the keys in `published`.

    `document` is added to what it says of itself; `told` is what it says of people when asked.
    """

    issuer: str = ""
    key: RSAKey = field(default_factory=lambda: RSAKey.generate_key(2048, {"kid": "one"}))
    published: list[RSAKey] = field(default_factory=list)
    claims: dict[str, Any] = field(default_factory=dict)
    header: dict[str, Any] = field(default_factory=lambda: {"alg": "RS256", "kid": "one"})
    token: str | None = None
    document: dict[str, Any] = field(default_factory=lambda: {"token_endpoint_auth_methods_supported": POST})
    told: dict[str, Any] = field(default_factory=dict)
    authorizations: list[str] = field(default_factory=list)
    asked: list[str] = field(default_factory=list)
    forms: list[dict[str, Any]] = field(default_factory=list)

    async def discovery(self, _request: web.Request) -> web.Response:
        self.asked.append("discovery")
        paths = {
            "authorization_endpoint": "/authorize", "token_endpoint": "/token", "jwks_uri": "/keys",
            "userinfo_endpoint": "/userinfo",
        }  # fmt: skip
        known = {key: self.issuer + path for key, path in paths.items()}
        return web.json_response({"issuer": self.issuer, **known, **self.document})

    async def keys(self, _request: web.Request) -> web.Response:
        self.asked.append("keys")
        return web.json_response(KeySet([*(self.published or [self.key])]).as_dict(private=False))

    async def give_token(self, request: web.Request) -> web.Response:
        self.forms.append(dict(await request.post()))
        self.authorizations.append(request.headers.get("Authorization", ""))
        token = self.token or jwt.encode(self.header, self.claims, self.key)
        return web.json_response({"id_token": token, "access_token": "x", "token_type": "Bearer"})

    async def tell(self, request: web.Request) -> web.Response:
        self.asked.append("userinfo")
        self.authorizations.append(request.headers.get("Authorization", ""))
        return web.json_response(self.told)


@asynccontextmanager
async def false_provider() -> AsyncIterator[FalseProvider]:
    provider = FalseProvider()
    app = web.Application()
    app.router.add_get("/.well-known/openid-configuration", provider.discovery)
    app.router.add_get("/keys", provider.keys)
    app.router.add_get("/userinfo", provider.tell)
    app.router.add_post("/token", provider.give_token)
    runner = web.AppRunner(app)
    await runner.setup()
    try:
        site = web.TCPSite(runner, "127.0.0.1", 0)
        await site.start()
        provider.issuer = f"http://127.0.0.1:{runner.addresses[0][1]}"
        yield provider
    finally:
        await runner.cleanup()
