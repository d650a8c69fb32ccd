"""Connections to addresses that a team has named: only to the open Internet, and only to what was looked at.

A name is resolved once; all it comes to must be public; the socket is opened to that very address and looked at once
more. No redirects, no proxies, no cookies, nothing kept open. SECURITY §7.1 (SSRF). Start at `guarded_session`.
"""

import socket
from typing import Any

import aiohttp
from aiohttp.abc import AbstractResolver, ResolveResult
from aiohttp.resolver import ThreadedResolver

from cloud_relay.fleet.webhook_addresses import is_public


class AddressRefused(OSError):
    """It leads where a webhook must not go."""


class PublicResolver(AbstractResolver):
    """Refuses a name when any of its addresses is not public: which one is taken would be up to chance."""

    def __init__(self, inner: AbstractResolver | None = None) -> None:
        self._inner = inner or ThreadedResolver()

    async def resolve(
        self, host: str, port: int = 0, family: socket.AddressFamily = socket.AF_INET
    ) -> list[ResolveResult]:
        found = await self._inner.resolve(host, port, family)
        if not all(is_public(each["host"]) for each in found):
            raise AddressRefused(f"{host} is not public")
        return found

    async def close(self) -> None:
        await self._inner.close()


def _public_socket(address: Any) -> socket.socket:
    """The last look, at the address a connection is about to go to, however it was come by."""
    family, kind, protocol, _, where = address
    if not is_public(where[0]):
        raise AddressRefused(f"{where[0]} is not public")
    return socket.socket(family, kind, protocol)


def guarded_session(
    *, allow_private: bool, within_s: float, resolver: AbstractResolver | None = None
) -> aiohttp.ClientSession:
    """For one request after the other, each on a connection of its own. To be closed by who asks for it.

    `allow_private`: any address will do (setting webhooks.allow_http).
    """
    if allow_private:
        connector = aiohttp.TCPConnector(resolver=resolver, use_dns_cache=False, force_close=True, limit=0)
    else:
        connector = aiohttp.TCPConnector(
            resolver=PublicResolver(resolver), use_dns_cache=False, force_close=True, limit=0,
            socket_factory=_public_socket,
        )  # fmt: skip
    return aiohttp.ClientSession(
        connector=connector, cookie_jar=aiohttp.DummyCookieJar(), timeout=aiohttp.ClientTimeout(total=within_s),
        trust_env=False, auto_decompress=False,
    )  # fmt: skip


def is_refused(error: BaseException) -> bool:
    """Whether a connection failed because its address was refused; aiohttp wraps what sockets raise."""
    if isinstance(error, AddressRefused):
        return True
    if isinstance(error, BaseExceptionGroup):
        return any(is_refused(each) for each in error.exceptions)
    inner = getattr(error, "os_error", None) or error.__cause__
    return inner is not None and inner is not error and is_refused(inner)
