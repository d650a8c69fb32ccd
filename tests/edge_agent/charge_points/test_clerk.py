"""What the clerks of all versions have in common."""

from typing import Any

import pytest

from edge_agent.charge_points.dialect import Refused
from edge_agent.charge_points.dialects import VERSIONS, dialect_of
from edge_agent.charge_points.rpc import ErrorCode
from sitelink.ids import StationKey
from tests.doubles.clock import FakeClock


class Desk:
    """Keeps what it is told."""

    def __init__(self) -> None:
        self.kept: list[tuple[str, Any]] = []

    async def message(self, _station: StationKey, action: str, payload: Any) -> None:
        self.kept.append((action, payload))


@pytest.mark.parametrize("version", VERSIONS)
async def test_an_unknown_action_and_one_of_ours_are_told_apart(version: str) -> None:
    clerk = dialect_of(version).clerk(Desk(), FakeClock(), StationKey("cp001"))  # type: ignore[arg-type]
    for action, code in (("Nonsense", ErrorCode.NOT_IMPLEMENTED), ("TriggerMessage", ErrorCode.NOT_SUPPORTED)):
        with pytest.raises(Refused) as refused:
            await clerk.answer(action, {}, [])
        assert refused.value.code is code
        with pytest.raises(Refused):
            await clerk.hear(action, {}, [])


@pytest.mark.parametrize("version", VERSIONS)
async def test_a_message_that_changes_nothing_is_kept(version: str) -> None:
    desk = Desk()
    clerk = dialect_of(version).clerk(desk, FakeClock(), StationKey("cp001"))  # type: ignore[arg-type]
    assert await clerk.answer("LogStatusNotification", {"status": "Idle"}, []) == {}
    assert desk.kept == [("LogStatusNotification", {"status": "Idle"})]
