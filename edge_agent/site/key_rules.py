"""A station's password and the keys we give it: what is written down when. Pure decisions.

Written down first, then sent: whatever is cut off where, the station's next connection shows a key that counts.
Sources: SECURITY §3.4 (3) to (5); OCPP 2.0.1 A01.FR.03 to 08; OCPP 1.6 security whitepaper A01. Start at
`decide_offer`.
"""

from edge_agent.site.ports import Ledger
from edge_agent.site.trust import Proof, Trust, security_of
from sitelink.events import KeyProven
from sitelink.ids import StationKey
from sitelink.ops import BOX, Fact


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
