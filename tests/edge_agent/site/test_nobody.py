"""No stations at all."""

import pytest

from edge_agent.site.nobody import NoStations
from sitelink.commands import Reset
from sitelink.errors import NotFound, StationOffline
from sitelink.ids import StationKey

CP = StationKey("cp001")


async def test_nobody_is_online_and_nobody_answers() -> None:
    nobody = NoStations()
    assert not nobody.is_online(CP)
    assert nobody.last_seen(CP) is None
    assert list(nobody.frames(CP)) == []
    assert nobody.newest_frame(CP) == 0
    assert list(nobody.actions(CP)) == []
    with pytest.raises(NotFound):
        nobody.action(CP, "Reset")
    await nobody.recheck(CP)
    with pytest.raises(StationOffline):
        await nobody.send(CP, Reset())
    with pytest.raises(StationOffline):
        await nobody.call(CP, "Reset", {"type": "Soft"})
