"""Passwords of people: checked and turned into what is kept of them (Argon2id, RFC 9106). Start at `matches`."""

import asyncio
from concurrent.futures import ThreadPoolExecutor
from functools import cache

from argon2 import PasswordHasher
from argon2.exceptions import InvalidHashError, VerificationError

from sitelink.errors import RequestInvalid

SHORTEST = 12
LONGEST = 200
AT_ONCE = 2
"""Each takes 64 MiB while it is worked out."""


async def matches(kept: str | None, password: str) -> bool:
    """Whether `password` is the one `kept` was made of. It takes as long where nothing is kept."""
    found = await asyncio.get_running_loop().run_in_executor(_threads(), _matches, kept, password[: LONGEST + 1])
    return found and kept is not None


async def hash_of(password: str, where: str = "password") -> str:
    """What is kept of a new password. Raises RequestInvalid (too_short, too_long) naming the field `where`."""
    _check(password, where)
    return await asyncio.get_running_loop().run_in_executor(_threads(), _hasher().hash, password)


def hash_now(password: str, where: str = "password") -> str:
    """The same for who may wait: a command. Raises RequestInvalid."""
    _check(password, where)
    return _hasher().hash(password)


def is_outdated(kept: str) -> bool:
    """Whether it was made with less effort than is usual today: make it anew at the next sign-in."""
    return _hasher().check_needs_rehash(kept)


def _check(password: str, where: str) -> None:
    if len(password) < SHORTEST:
        raise RequestInvalid(where=where, problem="too_short", allowed=SHORTEST)
    if len(password) > LONGEST:
        raise RequestInvalid(where=where, problem="too_long", allowed=LONGEST)


@cache
def _threads() -> ThreadPoolExecutor:
    return ThreadPoolExecutor(AT_ONCE, thread_name_prefix="password")


@cache
def _hasher() -> PasswordHasher:
    return PasswordHasher()


@cache
def _nobodys() -> str:
    return _hasher().hash("nobody has this one")


def _matches(kept: str | None, password: str) -> bool:
    try:
        return _hasher().verify(kept or _nobodys(), password)
    except (VerificationError, InvalidHashError):
        return False
