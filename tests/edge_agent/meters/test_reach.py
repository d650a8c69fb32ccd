"""A meter asked by hand."""

import pytest

from edge_agent.meters.bus import Bus, BusTrouble
from edge_agent.meters.profiles import bundled
from edge_agent.meters.reach import identified, read_once
from edge_agent.meters.readings import Installed
from sitelink.meter_endpoints import Endpoint
from tests.doubles.virtual_meter import Line, serving_tcp
from tests.edge_agent.meters.dumped import dump_of
from tests.edge_agent.meters.test_poller import meter


async def test_it_says_what_it_is_and_what_it_reads() -> None:
    line = Line(meter("abb-b23"), meter("sunspec-meter", 2))
    async with serving_tcp(line) as port:
        bus = Bus(Endpoint("tcp", "127.0.0.1", port))
        found = await identified(bus, 1)
        assert found is not None
        assert "abb-b23" in found.profiles
        reading, odd = await read_once(bus, 1, bundled()["abb-b23"], Installed())
        assert (reading.values, odd) == (dump_of("abb-b23")["values"], [])
        reading, odd = await read_once(bus, 2, bundled()["sunspec-meter"], Installed())
        assert reading.values == pytest.approx(dump_of("sunspec-meter")["values"])
        await bus.close()


async def test_what_is_odd_is_told_beside_the_values() -> None:
    made = meter("carlo-gavazzi-em24-din")
    made.input[0xA000] = 1
    del made.input[0x5C]
    async with serving_tcp(Line(made)) as port:
        bus = Bus(Endpoint("tcp", "127.0.0.1", port))
        reading, odd = await read_once(bus, 1, bundled()["carlo-gavazzi-em24-din"], Installed(reversed=True))
        assert odd == ["application_not_h", "without:energy_export_wh.total"]
        assert reading.values["power_w.l1"] == -2000
        _, odd = await read_once(bus, 1, bundled()["carlo-gavazzi-em24-e1"], Installed())
        assert "other_model" in odd
        _, odd = await read_once(bus, 1, bundled()["sunspec-meter"], Installed())
        assert odd == ["other_model"]
        with pytest.raises(BusTrouble):
            await identified(bus, 7)
        await bus.close()
