"""Transactions whose end or events never came: which to ask a station about, and what its answer means.

Pure decisions. While a station still has messages of a transaction they are waited for. When it has none, what is
missing will never come: the transaction is marked incomplete, and one that is over without having told its end is
closed. Source: OCPP 2.0.1 part 2, E14 and E 1.3.2; OCPP.md §8.3. Start at `decide_transaction_status`.
"""

from edge_agent.site.ports import Decide, Decision, Ledger
from sitelink.events import TransactionIncomplete, TransactionStopped
from sitelink.folding.transactions import UNTOLD
from sitelink.ids import StationKey
from sitelink.model import SiteState, Transaction
from sitelink.ops import BOX, Fact
from sitelink.ranges import missing


def missing_of(transaction: Transaction) -> int:
    """How many of its events up to the newest one did not come."""
    if transaction.last_number is not None:
        return transaction.missing_events
    return missing(transaction.numbers, transaction.numbers[-1][1]) if transaction.numbers else 0


def in_doubt(state: SiteState, station: StationKey, *, also_running: bool) -> tuple[str, ...]:
    """The station's names of transactions to ask about: those with gaps; `also_running`: every one that has no end."""
    return tuple(
        each.name for each in state.transactions_of(station)
        if each.name is not None and not each.incomplete
        and (missing_of(each) > 0 or (also_running and each.open))
    )  # fmt: skip


def decide_transaction_status(station: StationKey, name: str, *, ongoing: bool | None) -> Decide[None]:
    """The station has no message of it left. `ongoing` as it said; None: it did not say."""

    def decide(ledger: Ledger) -> Decision[None]:
        known = next((each for each in ledger.state.transactions_of(station) if each.name == name), None)
        if known is None:
            return Decision((), None)
        entity, facts = f"station:{station}", []
        gaps = missing_of(known)
        if known.open and ongoing is False:
            gaps += 1  # its end
            ended = TransactionStopped(id=known.id, at=ledger.now.wall, content="", reason=UNTOLD)
            facts.append(Fact(entity, ended, BOX))
        if gaps and not known.incomplete:
            facts.append(Fact(entity, TransactionIncomplete(known.id, gaps), BOX))
        return Decision(tuple(facts), None)

    return decide
