"""Every meter is asked on time, whatever happens to the others."""

import asyncio
from collections.abc import AsyncIterator, Callable, Mapping
from contextlib import asynccontextmanager, suppress
from typing import Any

import msgspec

from edge_agent.meters import poller as module
from edge_agent.meters.poller import Poller
from edge_agent.meters.profiles import bundled
from edge_agent.site.ports import MeterPoll
from sitelink.events import MeterListed
from sitelink.ids import JobId
from tests.doubles.virtual_meter import Line, VirtualMeter, faithfully, serving_tcp
from tests.edge_agent.meters.dumped import dump_of, registers_of
from web_ui.ports import MeterKey

PERIOD_S = 0.1
JOB = JobId("j")


class Site:
    """See `MeterSite`."""

    def __init__(self, *meters: MeterListed) -> None:
        self.meters = {(JOB, meter.name): meter for meter in meters}
        self.polls: list[MeterPoll] = []
        self._change = asyncio.Event()

    def listed(self) -> Mapping[MeterKey, MeterListed]:
        self._change.clear()
        return dict(self.meters)

    async def changed(self) -> None:
        await self._change.wait()

    def take(self, poll: MeterPoll) -> None:
        self.polls.append(poll)

    def become(self, *meters: MeterListed) -> None:
        self.meters = {(JOB, meter.name): meter for meter in meters}
        self._change.set()

    def of(self, name: str) -> list[MeterPoll]:
        return [poll for poll in self.polls if poll.meter == (JOB, name)]

    async def until(self, name: str, holds: Callable[[MeterPoll], Any], within_s: float = 10) -> MeterPoll:
        async with asyncio.timeout(within_s):
            begin = len(self.of(name))
            while not any(holds(poll) for poll in self.of(name)[begin:]):  # noqa: ASYNC110 -- the poller's own pace
                await asyncio.sleep(0.02)
            return self.of(name)[-1]


def meter(id_: str, unit: int = 1) -> VirtualMeter:
    made = VirtualMeter(unit)
    dump = dump_of(id_)
    registers = registers_of(dump)
    made.holding, made.input = registers[3], registers[4]
    if dump.get("device"):
        made.device = tuple(dump["device"])
    return made


def listed(name: str, profile: str, port: int, unit: int = 1, **more: Any) -> MeterListed:
    return MeterListed(name, profile, f"tcp://127.0.0.1:{port}", unit, **more)


@asynccontextmanager
async def polling(site: Site) -> AsyncIterator[None]:
    async with asyncio.TaskGroup() as group:
        task = group.create_task(Poller(site, period_s=PERIOD_S).run())
        yield
        task.cancel()
        with suppress(asyncio.CancelledError):
            await task


def good(poll: MeterPoll) -> bool:
    return not poll.problem


async def test_meters_of_all_kinds_are_read_side_by_side() -> None:
    ids = ["eastron-sdm630", "abb-b23", "siemens-pac2200", "sunspec-meter", "schneider-iem3155", "iskra-wm3"]
    line = Line(*(meter(id_, unit) for unit, id_ in enumerate(ids, 1)))
    async with serving_tcp(line) as port:
        site = Site(*(listed(id_, id_, port, unit) for unit, id_ in enumerate(ids, 1)))
        async with polling(site):
            for id_ in ids:
                values = (await site.until(id_, good)).values
                wanted = dump_of(id_)["values"]
                assert set(values) == set(wanted), id_
                assert all(abs(values[key] - value) <= abs(value) * 1e-5 for key, value in wanted.items()), id_


async def test_one_that_is_silent_holds_nobody_up(monkeypatch: Any) -> None:
    monkeypatch.setattr(module, "BACK_OFF_S", (0.3, 0.6))
    line = Line(meter("abb-b23", 1), meter("abb-b23", 2))
    async with serving_tcp(line) as port:
        site = Site(*(listed(f"m{unit}", "abb-b23", port, unit) for unit in (1, 2, 9)))
        async with polling(site):
            await site.until("m9", lambda poll: poll.problem == "silent")
            await site.until("m1", good)
            line.meters[9] = meter("abb-b23", 9)
            await site.until("m9", good)
            assert all(not poll.problem for poll in (*site.of("m1"), *site.of("m2")))


async def test_another_model_is_no_meter_of_this_profile() -> None:
    line = Line(meter("abb-b23"))
    async with serving_tcp(line) as port:
        site = Site(listed("right", "abb-b23", port), listed("wrong", "abb-b24", port))
        async with polling(site):
            assert (await site.until("wrong", lambda poll: poll.problem)).problem == "other_model"
            await site.until("right", good)
            line.meters[1] = meter("carlo-gavazzi-em340")
            assert (await site.until("right", lambda poll: poll.problem)).problem == "refused"
            assert (await site.until("right", lambda poll: poll.problem == "other_model")).values == {}


async def test_values_that_a_meter_has_not_do_not_fail_the_others() -> None:
    without = meter("carlo-gavazzi-em24-din")
    for at in (0x5C, 0x5D):
        del without.input[at]
    async with serving_tcp(Line(without)) as port:
        site = Site(listed("m", "carlo-gavazzi-em24-din", port))
        async with polling(site):
            values = (await site.until("m", good)).values
            assert "energy_export_wh.total" not in values
            assert "energy_import_wh.l3" in values
            asked = without.requests
            await site.until("m", good)
            await site.until("m", good)
            per_poll = (without.requests - asked) / 3
            assert per_poll < 8, "it is not asked for again and again"


async def test_one_that_refuses_what_lies_between_its_values_is_read_value_by_value() -> None:
    made = meter("janitza-umg96rm-e")
    profile = bundled()["janitza-umg96rm-e"]
    own = {at for row in profile.keyed.values() for at in range(row.at, row.end)}
    made.holding = {at: word for at, word in made.holding.items() if at in own}
    async with serving_tcp(Line(made)) as port:
        site = Site(listed("m", "janitza-umg96rm-e", port))
        async with polling(site):
            assert set((await site.until("m", good)).values) == set(profile.keyed)
            await site.until("m", good)
            asked, polls = made.requests, len(site.of("m"))
            await site.until("m", good)
            await site.until("m", good)
            per_poll = (made.requests - asked) / (len(site.of("m")) - polls)
            assert per_poll < len(profile.keyed) + 2, "and the request it refuses is not sent again"


async def test_settings_at_the_meter_that_falsify_values_are_said() -> None:
    made = meter("carlo-gavazzi-em24-din")
    made.input[0xA000] = 1
    async with serving_tcp(Line(made)) as port:
        site = Site(listed("m", "carlo-gavazzi-em24-din", port))
        async with polling(site):
            assert (await site.until("m", good)).notes == ("application_not_h",)


async def test_the_list_is_followed_and_what_cannot_be_read_says_why() -> None:
    async with serving_tcp(Line(meter("abb-b23"))) as port:
        site = Site(
            listed("nobody", "no-such", port), MeterListed("lost", "abb-b23", "somewhere"),
            MeterListed("slow", "abb-b23", "rtu:///dev/none?speed=9600"),
            MeterListed("fast", "abb-b23", "rtu:///dev/none?speed=19200", 2),
        )  # fmt: skip
        async with polling(site):
            await site.until("slow", lambda poll: poll.problem == "unreachable")
            assert [site.of(name)[0].problem for name in ("nobody", "lost", "fast")] == [
                "unknown_profile", "bad_transport", "other_speed",
            ]  # fmt: skip
            site.become(listed("m", "abb-b23", port, reversed=True))
            first = (await site.until("m", good)).values
            assert first["power_w.l1"] < 0
            site.become(msgspec.structs.replace(site.meters[(JOB, "m")], reversed=False))
            await site.until("m", lambda poll: poll.values.get("power_w.l1", 0) > 0)
            site.become()
            await asyncio.sleep(PERIOD_S * 3)
            count = len(site.polls)
            await asyncio.sleep(PERIOD_S * 3)
            assert len(site.polls) == count


async def test_after_trouble_of_any_kind_it_reads_again(monkeypatch: Any) -> None:
    monkeypatch.setattr(module, "BACK_OFF_S", (0.2,))
    line = Line(meter("abb-b23"))

    async def nothing(_frame: bytes) -> None:
        return None

    async with serving_tcp(line) as port:
        site = Site(listed("m", "abb-b23", port))
        async with polling(site):
            await site.until("m", good)
            line.fault = nothing
            await site.until("m", lambda poll: poll.problem == "silent")
            line.fault = faithfully
            await site.until("m", good, within_s=10)
        assert all(poll.values["voltage_v.l1"] == 230.0 for poll in site.of("m") if not poll.problem)
    async with serving_tcp(line) as port:
        site.become(listed("m", "abb-b23", port))
        async with polling(site):
            await site.until("m", good)


class SiteWithAFault(Site):
    """The first reading that is good breaks something."""

    broken = False

    def take(self, poll: MeterPoll) -> None:
        if not poll.problem and not self.broken:
            self.broken = True
            raise ZeroDivisionError
        super().take(poll)


async def test_a_fault_with_a_reading_ends_that_reading_alone(monkeypatch: Any) -> None:
    monkeypatch.setattr(module, "BACK_OFF_S", (0.05,))
    async with serving_tcp(Line(meter("abb-b23"))) as port:
        site = SiteWithAFault(listed("main", "abb-b23", port))
        async with polling(site):
            await site.until("main", lambda poll: poll.problem == "failed")
            await site.until("main", good)
