"""What a station must show before it is served, and what became of the keys it was given. Pure records.

`sitelink.apply` makes them of the facts in `sitelink.events`; `edge_agent.site.trust` decides by them. No password or
key is here, only verifiers: salted hashes that say whether a password is the right one. Sources: SECURITY §3.4;
OCPP 2.0.1 A00, A01 and A05 (the same rules in the 1.6 security whitepaper). Start at `StationSecurity`.
"""

from datetime import datetime
from enum import StrEnum

import msgspec

from sitelink.ids import StationKey


class CredentialOrigin(StrEnum):
    """typed: an operator gave it · learned: the station showed it while it was let in to pair · pushed: we made it."""

    TYPED = "typed"
    LEARNED = "learned"
    PUSHED = "pushed"


class KeyState(StrEnum):
    """What became of a key of ours: on its way, taken, refused, perhaps taken, shown to us on a connection, lost."""

    OFFERED = "offered"
    ACCEPTED = "accepted"
    REFUSED = "refused"
    UNCERTAIN = "uncertain"
    PROVEN = "proven"


class SigningState(StrEnum):
    """waiting: for the operator's authority · signed: on its way to it · accepted, rejected: by the station ·
    refused: by us."""

    WAITING = "waiting"
    SIGNED = "signed"
    ACCEPTED = "accepted"
    REJECTED = "rejected"
    REFUSED = "refused"


CANDIDATES_MAX = 4
CANDIDATE_FOR_S = 24 * 3600
"""How long a key the station may or may not have taken counts beside the one before."""


class Credential(msgspec.Struct, frozen=True, omit_defaults=True):
    """`proven`: a connection has shown it. A key of ours is demanded only from then on."""

    verifier: str
    origin: CredentialOrigin
    at: datetime
    proven: bool = False


class Candidate(msgspec.Struct, frozen=True, omit_defaults=True):
    """A key that was offered and whose fate is not known. `boot` and `mono_ms` of the moment, and the wall's time."""

    verifier: str
    boot: str
    mono_ms: int
    at: datetime


class Signing(msgspec.Struct, frozen=True, omit_defaults=True):
    """A station's last request for a certificate, PEM. `request` is its own number of it (OCPP 2.1)."""

    csr: str
    at: datetime
    state: SigningState = SigningState.WAITING
    request: int | None = None
    word: str | None = None


class IssuedCertificate(msgspec.Struct, frozen=True, kw_only=True, omit_defaults=True):
    """A certificate that was handed to a station. `id` is its serial, upper-case hex."""

    id: str
    station: StationKey
    common_name: str
    ends: datetime
    at: datetime
    revoked_at: datetime | None = None

    @property
    def key(self) -> str:
        return f"certificate:{self.id}"


class StationSecurity(msgspec.Struct, frozen=True, kw_only=True, omit_defaults=True):
    """Of one station, by its key; also of one that has not connected yet. Outlives sockets, jobs and restarts."""

    id: StationKey
    profile: int | None = None
    """The security profile it was accepted with: it is not served below it. None: never accepted."""
    credential: Credential | None = None
    candidates: tuple[Candidate, ...] = ()
    key_state: KeyState | None = None
    key_word: str | None = None
    """The station's own word on the last key."""
    key_at: datetime | None = None
    user_may_differ: bool = False
    signing: Signing | None = None
    pairing_boot: str | None = None
    pairing_mono_ms: int = 0
    pairing_for_s: int = 0
    """A person lets it pair anew, for so long after that moment."""

    @property
    def key(self) -> str:
        return f"security:{self.id}"

    @property
    def demanded(self) -> bool:
        """Whether its password must be shown, whatever profile it had."""
        known = self.credential
        return known is not None and (known.proven or known.origin is CredentialOrigin.TYPED)
