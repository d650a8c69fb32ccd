"""What the clerks of all versions have in common."""

from typing import Any

import pytest

from edge_agent.charge_points.dialect import Refused
from edge_agent.charge_points.dialects import VERSIONS, dialect_of
from edge_agent.charge_points.rpc import ErrorCode
from edge_agent.site.reports import TransferReport
from sitelink.ids import StationKey
from tests.doubles.clock import FakeClock


class Desk:
    """Keeps what it is told."""

    def __init__(self) -> None:
        self.kept: list[tuple[str, Any]] = []
        self.security_events: list[tuple[str, Any]] = []
        self.told: list[TransferReport] = []

    async def security_event(self, _station: StationKey, kind: str, payload: Any) -> None:
        self.security_events.append((kind, payload))

    async def message(self, _station: StationKey, action: str, payload: Any) -> None:
        self.kept.append((action, payload))

    async def transfer_told(self, _station: StationKey, report: TransferReport) -> None:
        self.told.append(report)


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
async def test_what_a_station_tells_of_its_security_is_kept_and_confirmed(version: str) -> None:
    desk = Desk()
    clerk = dialect_of(version).clerk(desk, FakeClock(), StationKey("cp001"))  # type: ignore[arg-type]
    said = {"type": "FirmwareUpdated", "timestamp": "2026-11-23T12:00:00Z"}
    assert await clerk.answer("SecurityEventNotification", said, []) == {}
    assert desk.security_events == [("FirmwareUpdated", said)]


@pytest.mark.parametrize("version", VERSIONS)
async def test_what_is_told_of_a_file_is_reported(version: str) -> None:
    desk = Desk()
    clerk = dialect_of(version).clerk(desk, FakeClock(), StationKey("cp001"))  # type: ignore[arg-type]
    for action in ("LogStatusNotification", "FirmwareStatusNotification"):
        assert await clerk.answer(action, {"status": "Idle"}, []) == {}
    assert [(each.action, each.word) for each in desk.told] == [
        ("LogStatusNotification", "Idle"), ("FirmwareStatusNotification", "Idle"),
    ]  # fmt: skip
