"""Finds out what a caller's password or certificate is worth, in microseconds where it was right before.

A password that took a slow check and was right is remembered, in memory only, as a digest under a key of this run.
Sources: SECURITY §3.4 (5); SECURITY §3.1 (A00.FR.204 to 207). Start at `Examiner.examine`.
"""

import asyncio
import hashlib
import hmac
import os
import secrets
from collections import OrderedDict

from edge_agent.site.trust import (
    Presented,
    Proof,
    Trust,
    certificate_trust,
    live_verifiers,
    pairs_anew,
    security_of,
    user_fits,
)
from edge_agent.site.verifiers import PASSWORD_MAX_BYTES, is_slow, matches, slow_verifier
from sitelink.ids import StationKey
from sitelink.model import SiteState
from sitelink.ops import Stamp
from sitelink.security import CredentialOrigin, StationSecurity

REMEMBERED_MAX = 2048
SLOW_AT_ONCE = min(4, max(2, os.cpu_count() or 2))
"""Slow checks at one time: each takes 16 MiB and a core. After a restart every learned password needs one."""


class Examiner:
    """`strict`: a caller nobody knows takes as long as one with a wrong password."""

    def __init__(self, *, strict: bool = False) -> None:
        self._strict = strict
        self._key = secrets.token_bytes(32)
        self._right: OrderedDict[str, bytes] = OrderedDict()
        """Digest of the password that matched, by verifier."""
        self._slow = asyncio.Semaphore(SLOW_AT_ONCE)
        self._decoy = slow_verifier(secrets.token_bytes(16)) if strict else ""

    async def examine(self, state: SiteState, key: StationKey, shown: Presented, now: Stamp) -> Proof:
        """What it is worth. Nothing is decided and nothing written here."""
        security = security_of(state, key)
        by_certificate = None
        if shown.certificate is not None:
            by_certificate = self._by_certificate(state, key, shown)
            if by_certificate.trust is Trust.RIGHT or shown.password is None:
                return by_certificate
        if shown.password is None:
            return Proof(encrypted=shown.encrypted)
        by_password = await self._by_password(state, key, security, shown, shown.password, now)
        useless = by_password.trust in (Trust.NONE, Trust.UNKNOWN)
        return by_certificate if by_certificate is not None and useless else by_password

    def _by_certificate(self, state: SiteState, key: StationKey, shown: Presented) -> Proof:
        certificate = shown.certificate
        assert certificate is not None  # noqa: S101 -- narrows for the type checker
        trust = certificate_trust(state, key, certificate)
        reason = "certificate_of_another" if trust is Trust.WRONG else None
        return Proof(trust, 3, True, reason, certificate=certificate)

    async def _by_password(
        self, state: SiteState, key: StationKey, security: StationSecurity, shown: Presented, password: bytes,
        now: Stamp,
    ) -> Proof:  # fmt: skip
        profile = 2 if shown.encrypted else 1
        verifiers = live_verifiers(security, now)
        known = key in state.security or bool(state.rows_of_station(key))
        if len(password) > PASSWORD_MAX_BYTES:
            return Proof(Trust.WRONG, profile, shown.encrypted, "wrong_key")
        if not user_fits(security, key, shown.user):
            if self._strict:
                await self._is_right(self._decoy, password)
            return Proof(Trust.NONE, 0, shown.encrypted, "wrong_user")
        for verifier in verifiers:
            if await self._is_right(verifier, password):
                return Proof(Trust.RIGHT, profile, shown.encrypted, verifier=verifier)
        if self._strict and not any(map(is_slow, verifiers)):
            await self._is_right(self._decoy, password)
        if not verifiers:
            fresh = await self._learnable(password) if known and not self._strict else None
            return Proof(Trust.UNKNOWN, profile, shown.encrypted, verifier=fresh)
        origin = security.credential.origin if security.credential is not None else None
        learnable = origin is CredentialOrigin.LEARNED or pairs_anew(security, now)
        again = await self._learnable(password) if learnable and not self._strict else None
        return Proof(Trust.WRONG, profile, shown.encrypted, "wrong_key", again)

    async def _is_right(self, verifier: str, password: bytes) -> bool:
        if not is_slow(verifier):
            return matches(verifier, password)
        digest = hashlib.blake2b(password, key=self._key, digest_size=32).digest()
        remembered = self._right.get(verifier)
        if remembered is not None and hmac.compare_digest(remembered, digest):
            self._right.move_to_end(verifier)
            return True
        async with self._slow:
            right = await asyncio.to_thread(matches, verifier, password)
        if right:
            self._remember(verifier, digest)
        return right

    async def _learnable(self, password: bytes) -> str:
        async with self._slow:
            verifier = await asyncio.to_thread(slow_verifier, password)
        self._remember(verifier, hashlib.blake2b(password, key=self._key, digest_size=32).digest())
        return verifier

    def _remember(self, verifier: str, digest: bytes) -> None:
        self._right[verifier] = digest
        if len(self._right) > REMEMBERED_MAX:
            self._right.popitem(last=False)
