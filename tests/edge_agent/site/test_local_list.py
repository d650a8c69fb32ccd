"""A plan makes of whatever a station holds what it should hold, within what it can take."""

from datetime import UTC, datetime
from typing import Any

import pytest
from hypothesis import given
from hypothesis import strategies as st

from edge_agent.site.local_list import MESSAGE_BYTES, VERSION_MAX, Entries, bytes_of, plan, takes_leave, wanted
from sitelink.commands import ListLimits, SendLocalList
from sitelink.events import ListEntry, Traits
from sitelink.id_token_rules import TokenEntry
from sitelink.ids import IdTokenKey, StationKey, id_token_key
from sitelink.model import LocalList
from sitelink.states import AuthorizationStatus, IdTokenType, LocalListState
from tests.doubles.core import Core

CP = StationKey("cp001")
NOON = datetime(2026, 11, 23, 12, tzinfo=UTC)

entry = st.builds(
    ListEntry,
    st.sampled_from([f"T{n}" for n in range(12)]),
    st.sampled_from([AuthorizationStatus.ACCEPTED, AuthorizationStatus.BLOCKED]),
    st.sampled_from([IdTokenType.ISO14443, IdTokenType.CENTRAL]),
    st.none() | st.just("FLEET"),
)
lists = st.lists(entry, max_size=12, unique_by=lambda each: each.id_token).map(
    lambda found: {id_token_key(each.id_token): each for each in found}
)
states = st.sampled_from([LocalListState.CURRENT, LocalListState.SENDING, LocalListState.FAILED])


class Shelf:
    """A station's list as OCPP 1.6 §5.15 and 2.0.1 D01 want it: whatever is too much or too old is refused."""

    def __init__(self, version: int, entries: Entries, limits: ListLimits) -> None:
        self.version = version
        self.entries = {(key, each.type): each for key, each in entries.items()}
        self.limits = limits

    def take(self, message: SendLocalList) -> None:
        assert message.version > 0
        assert message.full or message.version > self.version
        changes = len(message.entries) + len(message.removed)
        assert changes <= (self.limits.per_message or changes)
        size = MESSAGE_BYTES + sum(map(bytes_of, (*message.entries, *message.removed)))
        assert changes <= 1 or size <= (self.limits.bytes_per_message or size)
        if message.full:
            assert not message.removed
            self.entries = {}
        names = [(id_token_key(each.id_token), each.type) for each in (*message.removed, *message.entries)]
        assert len(set(names)) == len(names), "no token twice in one message"
        for each in message.removed:
            del self.entries[id_token_key(each.id_token), each.type]
        for each in message.entries:
            self.entries[id_token_key(each.id_token), each.type] = each
        assert len(self.entries) <= (self.limits.entries or len(self.entries))
        self.version = message.version

    def held(self) -> Entries:
        return {key: each for (key, _), each in self.entries.items()}


@given(
    lists, lists, lists, st.integers(0, 9), st.integers(0, 9), states, st.none() | st.integers(1, 5), st.booleans(),
    st.booleans(), st.none() | st.integers(1, 3000),
)  # fmt: skip
def test_whatever_a_station_holds_a_plan_makes_it_right(
    goal: Entries, confirmed: Entries, other: Entries, version: int, reported: int, state: LocalListState,
    per_message: int | None, full: bool, known: bool, bytes_per_message: int | None,
) -> None:  # fmt: skip
    """What it confirmed is what it holds only where it says the version it confirmed."""
    limits = ListLimits(per_message=per_message, entries=12, bytes_per_message=bytes_per_message)
    held = LocalList(station=CP, at=NOON, state=state, version=version, entries=confirmed) if known else None
    shelf = Shelf(reported, confirmed if known and reported == version else other, limits)
    if known and reported == version == 0:
        shelf = Shelf(0, {}, limits)
    steps = plan(goal, held, reported, limits, full=full)
    for step in steps:
        shelf.take(step)
    assert shelf.held() == goal
    versions = [step.version for step in steps]
    assert versions == sorted(set(versions))
    assert all(not step.full for step in steps[1:])


@given(lists, st.integers(1, 9))
def test_a_station_that_holds_it_gets_nothing(goal: Entries, version: int) -> None:
    held = LocalList(station=CP, at=NOON, state=LocalListState.CURRENT, version=version, entries=goal)
    assert plan(goal, held, version, ListLimits()) == ()
    assert plan(goal, held, version, ListLimits(), full=True)[0].full


def entries(*tokens: str) -> Entries:
    return {id_token_key(token): ListEntry(token) for token in tokens}


def test_the_difference_goes_where_the_version_is_known_and_the_whole_where_not() -> None:
    held = LocalList(station=CP, at=NOON, state=LocalListState.CURRENT, version=7, entries=entries("A", "B"))
    assert plan(entries("A", "C"), held, 7, ListLimits()) == (
        SendLocalList(8, full=False, entries=(ListEntry("C"),), removed=(ListEntry("B"),)),
    )
    for reported in (0, 6, 8):
        (step,) = plan(entries("A", "C"), held, reported, ListLimits())
        assert (step.full, step.version, len(step.entries)) == (True, max(reported, 7) + 1, 2)


def test_a_difference_larger_than_the_whole_is_sent_whole() -> None:
    before = entries(*(f"OLD{n}" for n in range(10)))
    held = LocalList(station=CP, at=NOON, state=LocalListState.CURRENT, version=7, entries=before)
    (step, *more) = plan(entries("A"), held, 7, ListLimits(per_message=5))
    assert (step.full, more) == (True, [])


def test_somebody_takes_leave_who_could_charge_and_cannot_any_more() -> None:
    blocked = {id_token_key("B"): ListEntry("B", AuthorizationStatus.BLOCKED)}
    held = LocalList(station=CP, at=NOON, state=LocalListState.CURRENT, version=7, entries={**entries("A"), **blocked})
    assert not takes_leave({**entries("A", "C"), **blocked}, held)
    assert not takes_leave(entries("A"), held), "who could not before"
    assert takes_leave(blocked, held)
    assert takes_leave({id_token_key("A"): ListEntry("A", AuthorizationStatus.BLOCKED)}, held)
    assert not takes_leave({}, None)


def test_an_empty_list_is_sent_whole_and_above_version_0() -> None:
    assert plan({}, None, 0, ListLimits()) == (SendLocalList(1, full=True),)


def test_a_version_near_its_end_begins_again() -> None:
    held = LocalList(station=CP, at=NOON, state=LocalListState.CURRENT, version=VERSION_MAX, entries=entries("A"))
    (step,) = plan(entries("A", "B"), held, VERSION_MAX, ListLimits())
    assert (step.version, step.full) == (1, True)


async def site(**more: Any) -> Core:
    core = Core()
    await core.import_job()
    for identity in ("CP001", "CP002"):
        await core.boot(identity)
    await core.jobs.set_activity([row.id for row in core.journal.state.rows(core.job())], active=True)
    await core.tokens.put(TokenEntry("04A1B2C3", parent="FLEET", expires="2027-01-01", **more))
    return core


def goal(core: Core, **limits: Any) -> tuple[Entries, int]:
    return wanted(core.journal.state, CP, ListLimits(**limits))


async def test_the_list_has_the_installers_test_first_and_then_the_sites_tokens() -> None:
    core = await site()
    await core.tokens.put(TokenEntry("04000000", status="Blocked"))
    found, left_out = goal(core)
    test, blocked, driver = found.values()
    assert (test.id_token, test.status) == (core.job().test_token, "Accepted")
    assert (blocked.id_token, blocked.status) == ("04000000", "Blocked")
    assert driver == ListEntry("04A1B2C3", group="FLEET", expires=datetime(2027, 1, 1, tzinfo=UTC))
    assert left_out == 0


async def test_where_nobody_may_charge_only_the_test_is_on_the_list() -> None:
    core = await site()
    await core.jobs.set_activity([core.row("Bay 1").id], active=False)
    assert [each.id_token for each in goal(core)[0].values()] == [core.job().test_token]


async def test_tokens_of_other_charge_points_stay_away() -> None:
    core = await site(charge_points=["CP002"])
    assert IdTokenKey("04a1b2c3") not in goal(core)[0]
    assert IdTokenKey("04a1b2c3") in wanted(core.journal.state, StationKey("cp002"), ListLimits())[0]


async def test_what_does_not_fit_is_counted() -> None:
    core = await site()
    for token in ("04A1B2C4", "04A1B2C5", "X" * 21):
        await core.tokens.put(TokenEntry(token))
    found, left_out = goal(core, entries=3)
    assert [each.id_token for each in found.values()] == [core.job().test_token, "04A1B2C3", "04A1B2C4"]
    assert left_out == 2
    assert goal(core, id_token_characters=36)[1] == 0


async def test_the_test_token_is_in_the_form_the_station_takes() -> None:
    core = await site()
    await core.jobs.set_test_token(CP, "0001")
    assert next(iter(goal(core)[0].values())).id_token == "0001"
    assert Traits() == core.journal.state.stations[CP].traits


@pytest.mark.parametrize(
    ("token", "kind", "told"),
    [
        ("04A1B2C3", None, IdTokenType.ISO14443),
        ("04A1B2C3D4E5F6", None, IdTokenType.ISO14443),
        ("E00401A1B2C3D4E5", None, IdTokenType.ISO15693),
        ("DEABC1234", None, IdTokenType.CENTRAL),
        ("DEABC1234", "eMAID", IdTokenType.EMAID),
    ],
)
async def test_where_tokens_have_types_each_has_one(token: str, kind: str | None, told: IdTokenType) -> None:
    core = await site()
    await core.tokens.put(TokenEntry(token, type=kind))
    found, _ = goal(core, typed=True)
    assert found[id_token_key(token)].type is told
    assert found[id_token_key(core.job().test_token)].type is IdTokenType.CENTRAL
    assert goal(core)[0][id_token_key(token)].type is None
