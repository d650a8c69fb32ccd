"""A station's password and the keys we give it: what is written down when. Pure decisions.

Written down first, then sent: whatever is cut off where, the station's next connection shows a key that counts.
Sources: SECURITY §3.4 (3) to (5); OCPP 2.0.1 A01.FR.03 to 08; OCPP 1.6 security whitepaper A01. Start at
`decide_offer`.
"""

from edge_agent.site.ports import Decide, Decision, Ledger
from edge_agent.site.trust import Proof, Trust, security_of
from sitelink.events import (
    CredentialRemoved,
    CredentialSet,
    Event,
    KeyAnswered,
    KeyOffered,
    KeyProven,
    StationPairingOpened,
    UserMayDiffer,
)
from sitelink.ids import JobId, StationKey
from sitelink.job_rules import PAIRING_WINDOW_S, open_job
from sitelink.ops import BOX, STATION, Author, Fact
from sitelink.security import CredentialOrigin, KeyState


def proven_facts(ledger: Ledger, key: StationKey, proof: Proof) -> tuple[Fact, ...]:
    """A connection shows a password: the first time it does, it is settled which one counts."""
    security = security_of(ledger.state, key)
    if proof.trust is not Trust.RIGHT or proof.verifier is None:
        return ()
    current = security.credential
    if current is not None and current.verifier == proof.verifier:
        return () if current.proven else (Fact(f"security:{key}", KeyProven(proof.verifier), BOX),)
    if any(each.verifier == proof.verifier for each in security.candidates):
        return (Fact(f"security:{key}", KeyProven(proof.verifier), BOX),)
    return ()


def decide_offer(key: StationKey, verifier: str, author: Author) -> Decide[None]:
    """A key is about to be sent to a station."""
    return _fact(key, KeyOffered(verifier), author)


def decide_key_answer(key: StationKey, verifier: str, state: KeyState, word: str | None) -> Decide[bool]:
    """What became of it; False where that is settled already (a late answer, a connection that was faster)."""

    def decide(ledger: Ledger) -> Decision[bool]:
        security = security_of(ledger.state, key)
        if all(each.verifier != verifier for each in security.candidates):
            return Decision((), False)
        return Decision((Fact(f"security:{key}", KeyAnswered(verifier, state, word), STATION),), True)

    return decide


def reading(word: str, *, accepted: bool) -> KeyState:
    """What a station's word on a key means (A01.FR.03 to FR.05). Most errors say nothing for certain."""
    if word == "Accepted":
        return KeyState.ACCEPTED
    if word in REFUSALS:
        return KeyState.REFUSED
    return KeyState.UNCERTAIN if accepted or word not in NOT_TRIED else KeyState.REFUSED


REFUSALS = frozenset(
    {"Rejected", "NotSupported", "UnknownComponent", "UnknownVariable", "NotSupportedAttributeType"}
)  # fmt: skip
NOT_TRIED = frozenset(
    {"NotImplemented", "SecurityError", "FormationViolation", "FormatViolation", "ProtocolError",
     "PropertyConstraintViolation", "OccurenceConstraintViolation", "OccurrenceConstraintViolation",
     "TypeConstraintViolation", "MessageTypeNotSupported", "RpcFrameworkError"}
)  # fmt: skip
"""CALLERROR codes of a call that was not carried out."""


def decide_password(key: StationKey, verifier: str, author: Author) -> Decide[None]:
    """An operator says what the station shows from now on."""
    return _fact(key, CredentialSet(verifier, CredentialOrigin.TYPED), author)


def decide_no_password(key: StationKey, author: Author) -> Decide[None]:
    return _fact(key, CredentialRemoved(), author)


def decide_user(key: StationKey, author: Author, *, may_differ: bool) -> Decide[None]:
    return _fact(key, UserMayDiffer(may_differ), author)


def decide_pair_anew(key: StationKey, author: Author, *, job: JobId | None = None) -> Decide[None]:
    """A person lets one station in, whatever it shows, for 30 minutes. Raises JobReadOnly where `job` is not open."""

    def decide(ledger: Ledger) -> Decision[None]:
        if job is not None:
            open_job(ledger.state, job)
        return Decision((Fact(f"security:{key}", StationPairingOpened(PAIRING_WINDOW_S), author, job=job),), None)

    return decide


def _fact(key: StationKey, event: Event, author: Author) -> Decide[None]:
    return lambda _ledger: Decision((Fact(f"security:{key}", event, author),), None)
