"""Each call is recorded before it is answered."""

from typing import Any

import pytest

from edge_agent.charge_points.clerk_16 import Clerk16
from edge_agent.charge_points.dialect import Refused
from edge_agent.charge_points.schemas import OCPP_16
from edge_agent.site.reports import Verdict
from sitelink.errors import StoreUnavailable
from sitelink.ids import StationKey
from sitelink.states import AuthorizationStatus
from tests.doubles.clock import FakeClock


class FullDisk:
    """A desk that can write nothing."""

    def __getattr__(self, name: str) -> Any:
        async def refuse(*_: Any) -> None:
            raise StoreUnavailable(reason="disk_full")

        return refuse

    async def authorize(self, *_: Any) -> Verdict:
        return Verdict(AuthorizationStatus.ACCEPTED)


def clerk() -> Clerk16:
    return Clerk16(FullDisk(), FakeClock(), StationKey("cp001"))  # type: ignore[arg-type]


FACTS = [
    ("StatusNotification", {"connectorId": 1, "status": "Available"}),
    ("StartTransaction", {}),
    ("StopTransaction", {}),
    ("MeterValues", {"meterValue": [{"sampledValue": [{"value": "1"}]}]}),
    ("DataTransfer", {}),
    ("DiagnosticsStatusNotification", {}),
    ("FirmwareStatusNotification", {}),
    ("LogStatusNotification", {}),
    ("SecurityEventNotification", {}),
    ("SignCertificate", {"csr": "-----BEGIN CERTIFICATE REQUEST-----"}),
    ("SignedFirmwareStatusNotification", {}),
]


@pytest.mark.parametrize(("action", "payload"), FACTS)
async def test_no_fact_is_answered_that_was_not_written(action: str, payload: dict[str, Any]) -> None:
    with pytest.raises(StoreUnavailable):
        await clerk().answer(action, payload, [])


async def test_what_writes_nothing_is_answered_all_the_same() -> None:
    assert await clerk().answer("Heartbeat", {}, []) == {"currentTime": "2026-11-23T12:00:00.000Z"}
    assert await clerk().answer("Authorize", {"idTag": "A"}, []) == {"idTagInfo": {"status": "Accepted"}}


async def test_every_action_of_stations_is_served_or_refused_by_name() -> None:
    served = {action for action, _ in FACTS} | {"Heartbeat", "Authorize", "BootNotification"}
    for action in OCPP_16.actions - served:
        with pytest.raises(Refused) as refused:
            await clerk().answer(action, {}, [])
        assert refused.value.code == "NotSupported"
    assert OCPP_16.from_station - served == set()
    with pytest.raises(Refused) as refused:
        await clerk().answer("Nonsense", {}, [])
    assert refused.value.code == "NotImplemented"
