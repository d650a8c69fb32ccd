"""Meters are found, wherever they are, and what stands in the way is told."""

import asyncio
import termios
from pathlib import Path

import pytest

from edge_agent.meters import scan as module
from edge_agent.meters.profiles import bundled
from edge_agent.meters.scan import Scan, Wanted, addresses_of, lines_of
from tests.doubles.virtual_meter import Line, VirtualMeter, serial_line, serving_tcp
from tests.edge_agent.meters.test_poller import meter


def test_what_is_likely_comes_first() -> None:
    lines = lines_of(bundled())
    assert (lines[0].speed, lines[0].parity, lines[0].stop_bits) == (9600, "N", 1)
    for profile in bundled().values():
        if not profile.tcp_only and not profile.sunspec:
            kinds = {(line.speed, line.parity, line.stop_bits) for line in lines}
            assert all(
                (speed, profile.serial.parity, profile.serial.stop_bits) in kinds for speed in profile.serial.speeds
            )
    assert addresses_of(bundled(), every=False)[:3] == (1, 2, 3)
    assert {126, 33} <= set(addresses_of(bundled(), every=False))
    assert sorted(addresses_of(bundled(), every=True)) == list(range(1, 248))


async def test_a_meter_on_a_line_is_found_at_its_speed_and_its_neighbours_with_it(
    tmp_path: Path, monkeypatch: pytest.MonkeyPatch
) -> None:
    monkeypatch.setattr(module, "ANSWER_S", 0.02)
    line = Line(meter("abb-b23", 1), meter("eastron-sdm630", 17))
    async with serial_line(line, tmp_path, only_at=termios.B38400) as device:
        search = Scan(Wanted(devices=(str(device),)))
        found = await search.run()
    assert [(each.endpoint.speed, each.unit) for each in found][:2] == [(38400, 1), (38400, 17)]
    first, second = found[0].identified, found[1].identified
    assert first is not None
    assert (first.profiles[0], first.guessed) == ("abb-b23", False)
    assert second is not None
    assert second.guessed
    assert "eastron-sdm630" in second.profiles
    assert search.done == search.total


async def test_hosts_are_looked_through_and_gateways_behind_them() -> None:
    strange = VirtualMeter(1)
    strange.put(4, 0, [0, 0])
    async with (
        serving_tcp(Line(meter("shelly-pro-3em", 1), meter("siemens-pac2200", 126))) as port,
        serving_tcp(Line(strange), host="127.0.0.3", port=port),
    ):
        search = Scan(Wanted(hosts=("127.0.0.1", "127.0.0.2", "127.0.0.3"), port=port))
        found = {(each.endpoint.host, each.unit): each.identified for each in await search.run()}
    assert set(found) == {("127.0.0.1", 1), ("127.0.0.1", 126), ("127.0.0.3", 1)}
    shelly, siemens = found["127.0.0.1", 1], found["127.0.0.1", 126]
    assert shelly is not None
    assert shelly.profiles == ("shelly-pro-3em",)
    assert siemens is not None
    assert siemens.profiles[0] == "siemens-pac2200"
    assert found["127.0.0.3", 1] is None, "it answers, and is no meter that is known"


async def test_a_port_that_cannot_be_used_is_told_and_the_others_are_looked_at(tmp_path: Path) -> None:
    told: list[int] = []
    async with serving_tcp(Line(meter("abb-b23"))) as port:
        wanted = Wanted(devices=(str(tmp_path / "gone"),), hosts=("127.0.0.1",), port=port)
        search = Scan(wanted, lambda: told.append(search.done))
        found = await search.run()
    assert search.problems == {str(tmp_path / "gone"): "unreachable"}
    assert len(found) == 1
    assert told == sorted(told)
    assert search.done == search.total


async def test_it_can_be_ended_and_keeps_what_it_found() -> None:
    async with serving_tcp(Line(meter("abb-b23"))) as port:
        search = Scan(Wanted(hosts=("127.0.0.1",), port=port, every_address=True))
        task = asyncio.ensure_future(search.run())
        async with asyncio.timeout(20):
            while not search.found:  # noqa: ASYNC110 -- the scan's own pace
                await asyncio.sleep(0.02)
        task.cancel()
        with pytest.raises(asyncio.CancelledError):
            await task
    assert len(search.found) == 1
    assert search.done < search.total
