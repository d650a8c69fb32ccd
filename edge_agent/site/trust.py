"""Whether a station may come in, by what it shows and what is known of it: profiles, passwords, certificates. Pure.

The profile a station was accepted with never goes down by itself (A05.FR.07): only a person who lets it pair anew
lowers it. A password nobody told us is learned while the station is let in to pair, and demanded from then on; at any
other time it proves nothing and changes nothing, or a stranger's password would lock the right station out.
Sources: SECURITY §3.4 (2), (4), (7) and "Defaults"; OCPP 2.0.1 A00, A01.FR.03 to 05, A05.FR.07. Start at
`reason_against`.
"""

from dataclasses import dataclass, field
from enum import Enum

import msgspec

from sitelink.ids import StationKey, station_key
from sitelink.model import SiteState
from sitelink.ops import Stamp
from sitelink.security import CANDIDATE_FOR_S, Candidate, CredentialOrigin, StationSecurity
from sitelink.states import Registration

REFUSED_AT_THE_DOOR = frozenset(
    {
        "credentials_needed",
        "wrong_key",
        "wrong_user",
        "profile_lowered",
        "certificate_revoked",
        "certificate_of_another",
    }
)
"""Reasons for HTTP 401: whoever calls is not the station, or the station must be told to show more."""


class Trust(Enum):
    NONE = "none"
    """It shows nothing."""
    UNKNOWN = "unknown"
    """It shows something we have nothing to compare with."""
    WRONG = "wrong"
    RIGHT = "right"


@dataclass(frozen=True, slots=True)
class ClientCertificate:
    """Of a verified chain. `serial` in upper-case hex."""

    serial: str
    common_name: str


@dataclass(frozen=True, slots=True)
class Presented:
    """What a caller shows in its handshake. The password is bytes: a 1.6 key need not be text."""

    encrypted: bool = False
    user: str | None = None
    password: bytes | None = field(default=None, repr=False)
    certificate: ClientCertificate | None = None


class Proof(msgspec.Struct, frozen=True):
    """What that is worth. `profile` 0: nothing that counts; 1 password; 2 password over TLS; 3 certificate.

    `verifier`: the one that matched, or of an unknown password one to learn it by. `reason`: a code, why it is wrong.
    """

    trust: Trust = Trust.NONE
    profile: int = 0
    encrypted: bool = False
    reason: str | None = None
    verifier: str | None = None
    certificate: ClientCertificate | None = None


NOTHING_SHOWN = Proof()


def security_of(state: SiteState, key: StationKey) -> StationSecurity:
    return state.security.get(key) or StationSecurity(id=key)


def reason_against(
    mode: str, security: StationSecurity, proof: Proof, registration: Registration, now: Stamp, *, window_open: bool
) -> str | None:
    """None: the station, which a job names, is served. `window_open`: one of its jobs lets new stations in."""
    if mode == "open" or (mode == "pair" and pairs_anew(security, now)):
        return None
    proof = by_now(security, proof)
    least = least_profile(security)
    if proof.trust is Trust.RIGHT:
        return "profile_lowered" if proof.profile < least else None
    if mode == "strict":
        return proof.reason or "credentials_needed"
    if proof.trust is Trust.WRONG and least == 0 and proof.certificate is None:
        proof = NOTHING_SHOWN  # where nothing is asked for, a wrong password is worth as much as none
    if proof.trust is Trust.WRONG and not _may_learn_again(security, proof, window_open):
        return proof.reason or "wrong_key"
    if proof.profile < least:
        return proof.reason or ("profile_lowered" if proof.profile else "credentials_needed")
    if proof.trust is Trust.UNKNOWN and security.demanded:
        return "credentials_needed"
    if window_open or (registration is Registration.ACCEPTED and least == 0):
        return None
    return "pairing_closed"


def by_now(security: StationSecurity, proof: Proof) -> Proof:
    """What a connection's proof is worth now: a password that was learned from it meanwhile is the right one."""
    known = security.credential
    if proof.trust not in (Trust.UNKNOWN, Trust.WRONG) or proof.verifier is None or known is None:
        return proof
    learned = known.verifier == proof.verifier
    return msgspec.structs.replace(proof, trust=Trust.RIGHT, reason=None) if learned else proof


def least_profile(security: StationSecurity) -> int:
    """What it must come with, whatever window is open."""
    return max(security.profile or 0, 1 if security.demanded else 0)


def pairs_anew(security: StationSecurity, now: Stamp) -> bool:
    """Whether a person lets this very station pair, at any profile."""
    if security.pairing_boot is None or security.pairing_boot != now.boot:
        return False
    return now.mono_ms - security.pairing_mono_ms < security.pairing_for_s * 1000


def _may_learn_again(security: StationSecurity, proof: Proof, window_open: bool) -> bool:
    """A password that was only learned may change while its job is being set up."""
    known = security.credential
    learned = known is not None and known.origin is CredentialOrigin.LEARNED
    return learned and window_open and proof.verifier is not None and proof.profile >= least_profile(security)


def settled_profile(security: StationSecurity, proof: Proof, now: Stamp, *, window_open: bool) -> int:
    """The profile to be remembered of a station that is accepted now."""
    known, proof = security.profile or 0, by_now(security, proof)
    if proof.trust is Trust.RIGHT:
        return proof.profile if pairs_anew(security, now) else max(known, proof.profile)
    learned = proof.profile if learns(security, proof, now, window_open=window_open) else 0
    return learned if pairs_anew(security, now) else max(known, learned)


def learns(security: StationSecurity, proof: Proof, now: Stamp, *, window_open: bool) -> bool:
    """Whether the password it shows is the one to be known from now on."""
    if proof.verifier is None or by_now(security, proof).trust not in (Trust.UNKNOWN, Trust.WRONG):
        return False
    return pairs_anew(security, now) or (window_open and proof.profile >= least_profile(security))


def live_verifiers(security: StationSecurity, now: Stamp) -> tuple[str, ...]:
    """Those a password may match: the current one, and keys the station may or may not have taken, for a day."""
    current = (security.credential.verifier,) if security.credential is not None else ()
    return (*current, *(each.verifier for each in security.candidates if is_live(each, now)))


def is_live(candidate: Candidate, now: Stamp) -> bool:
    """By the clock that never jumps where it can tell; after a restart by the wall, which only moves on."""
    if candidate.boot == now.boot:
        return now.mono_ms - candidate.mono_ms < CANDIDATE_FOR_S * 1000
    return (now.wall - candidate.at).total_seconds() < CANDIDATE_FOR_S


def is_revoked(state: SiteState, certificate: ClientCertificate | None) -> bool:
    known = state.certificates.get(certificate.serial) if certificate is not None else None
    return known is not None and known.revoked_at is not None


def user_fits(security: StationSecurity, key: StationKey, user: str | None) -> bool:
    """The user name is the identity (A00.FR.204), unless somebody said that it may differ."""
    return security.user_may_differ or (user is not None and station_key(user) == key)


def certificate_trust(state: SiteState, key: StationKey, certificate: ClientCertificate) -> Trust:
    """RIGHT: it was handed to this station; or it names it, by identity or by a serial it booted with.

    UNKNOWN: no serial is known yet. One that was handed to another is never this one's, whatever it says.
    """
    issued = state.certificates.get(certificate.serial)
    if issued is not None:
        return Trust.RIGHT if issued.station == key else Trust.WRONG
    if names_station(certificate.common_name, str(key)):
        return Trust.RIGHT
    station = state.stations.get(key)
    if station is None or not station.serial:
        return Trust.UNKNOWN
    return Trust.RIGHT if names_station(certificate.common_name, station.serial) else Trust.WRONG


def after_boot(proof: Proof, key: StationKey, serial: str | None, version: str | None) -> Proof:
    """The proof once the station has said its serial: a certificate names that (B01.FR.11), in 1.6 or the identity."""
    certificate = proof.certificate
    if certificate is None or proof.trust is Trust.WRONG or (serial is None and proof.trust is Trust.RIGHT):
        return proof
    fits = names_station(certificate.common_name, serial or "")
    by_identity = (version or "1.6").startswith("1.") and names_station(certificate.common_name, str(key))
    if fits or by_identity:
        return msgspec.structs.replace(proof, trust=Trust.RIGHT, reason=None)
    return msgspec.structs.replace(proof, trust=Trust.WRONG, reason="certificate_of_another")


def names_station(common_name: str, serial: str) -> bool:
    """The common name *contains* the serial (A00.FR.405); more than one letter, or any name would do."""
    said = serial.strip().casefold()
    return len(said) >= 2 and said in common_name.casefold()
