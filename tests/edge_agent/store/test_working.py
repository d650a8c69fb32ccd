"""The working copy goes back to its mark as if nothing had been."""

from edge_agent.store.working import CONTENTS_PER_STATION, STATIONS_REMEMBERED, RecentContents, WorkingState
from sitelink.ids import IdTokenKey, StationKey, TransactionId
from sitelink.model import CLOSED_TRANSACTIONS_KEPT, IdToken, Knock, Station, Transaction
from tests.edge_agent.store.facts import CP001, NOON, contents


def closed(number: int) -> Transaction:
    return Transaction(id=TransactionId(number), station=CP001, connector=1, started_at=NOON, stopped_at=NOON)


def knock(id_: str) -> Knock:
    return Knock(id=id_, identity=id_, ip="192.0.2.1", reason="unknown_identity", at=NOON)


def listed(key: str) -> IdToken:
    return IdToken(id=IdTokenKey(key), id_token=key.upper(), changed_at=NOON)


def test_undo_brings_back_what_was_replaced_dropped_and_evicted() -> None:
    state = WorkingState()
    for number in range(CLOSED_TRANSACTIONS_KEPT):
        state.put(closed(number))
    for id_ in "abc":
        state.put(knock(id_))
    state.put(listed("04a1"))
    state.mark()
    before = contents(state)
    state.put(closed(100))
    state.put(closed(101))
    state.drop("knock:a")
    state.drop("id_token:04a1")
    state.put(listed("04a2"))
    state.put(knock("a"))
    state.put(Station(id=CP001, identity="CP001"))
    state.drop("station:nobody")
    assert list(state.knocks) == ["b", "c", "a"]
    assert list(state.id_tokens) == ["04a2"]
    assert TransactionId(0) not in state.transactions
    state.undo()
    assert contents(state) == before
    assert list(state.knocks) == ["a", "b", "c"]
    state.put(closed(102))
    assert TransactionId(0) not in state.transactions
    assert TransactionId(1) in state.transactions


def test_what_was_marked_stays() -> None:
    state = WorkingState()
    state.put(knock("a"))
    state.mark()
    state.undo()
    assert list(state.knocks) == ["a"]


def test_contents_are_bounded_both_ways_and_undone() -> None:
    recent = RecentContents()
    for number in range(CONTENTS_PER_STATION + 1):
        recent.add(CP001, f"m{number}")
    assert not recent.knows(CP001, "m0")
    assert recent.knows(CP001, "m1")
    recent.mark()
    recent.add(CP001, "new")
    recent.add(CP001, "new")
    recent.undo()
    assert not recent.knows(CP001, "new")
    assert recent.knows(CP001, f"m{CONTENTS_PER_STATION}")
    for number in range(STATIONS_REMEMBERED):
        recent.add(StationKey(f"s{number}"), "m")
    assert not recent.knows(CP001, f"m{CONTENTS_PER_STATION}")
    assert recent.knows(StationKey("s1"), "m")
