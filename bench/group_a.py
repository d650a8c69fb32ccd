"""Group A: processor time and throughput of durable, validated answers against servers that do less.

A1 to A3 against the stock `ocpp` library, which stores nothing; A4 against the same with one commit a call; A5 against
a bare `websockets` responder. A6 stands on A1 where ocpp-go cannot be run; A7 (ocpp-rpc on Node) and A8 (arthexis) are
not run here: no stand-in is named for them. Start at `measure`.
"""

from contextlib import AsyncExitStack

from bench.figures import Result, median, ratio
from bench.load import Figures, fleet
from bench.targets import Target, box, reference

CHARGERS = 50
MODES = ("raw", "raw-aiohttp", "stock", "stock-commit")
OCPP_GO_IS_STOCK_TIMES = 8.0
PLANS = {
    "meter_values": ("raw", "raw-aiohttp", "stock", "stock-commit"),
    "mixed": ("stock",),
    "transaction_events": ("stock",),
}


async def measure(rounds: int, seconds: float) -> list[Result]:
    async with AsyncExitStack() as stack:
        targets = {mode: await stack.enter_async_context(reference(mode)) for mode in MODES}
        ours = await stack.enter_async_context(box(CHARGERS * len(PLANS)))
        found: dict[tuple[str, str], list[Figures]] = {}
        for _ in range(rounds):
            for number, (stream, against) in enumerate(PLANS.items()):
                for name in ("box", *against):
                    target = ours if name == "box" else targets[name]
                    figures = await _run(target, stream, seconds, number * CHARGERS)
                    found.setdefault((stream, name), []).append(figures)
    return _results(found)


async def _run(target: Target, stream: str, seconds: float, first: int) -> Figures:
    async with fleet(target, stream, CHARGERS, first) as chargers:
        return await chargers.closed(seconds)


def _results(found: dict[tuple[str, str], list[Figures]]) -> list[Result]:
    def cpu(stream: str, name: str) -> list[float]:
        return [each.cpu_s_per_10k for each in found[stream, name]]

    def rate(stream: str, name: str) -> list[float]:
        return [each.per_s for each in found[stream, name]]

    def against(id_: str, what: str, stream: str, name: str, floor: float, goal: float) -> Result:
        ours, theirs = cpu(stream, "box"), cpu(stream, name)
        detail = f"{median(ours):.2f} against {median(theirs):.2f} CPU-s/10k"
        return Result(id_, what, ratio(theirs, ours), "times", floor, goal, detail)

    first = against("A1", "MeterValues, CPU against stock ocpp", "meter_values", "stock", 8, 10)
    wall = ratio(rate("meter_values", "box"), rate("meter_values", "stock-commit"))
    share = 100 * ratio(rate("meter_values", "box"), rate("meter_values", "raw"))
    rates = f"{median(rate('meter_values', 'box')):.0f} of {median(rate('meter_values', 'raw')):.0f} a second"
    stand_in = first.value / OCPP_GO_IS_STOCK_TIMES if first.value is not None else None
    busy = max(each.client_share for figures in found.values() for each in figures)
    bare, other = median(cpu("meter_values", "raw")), median(cpu("meter_values", "raw-aiohttp"))
    print(f"group A: a bare responder takes {bare:.2f} CPU-s/10k on websockets and {other:.2f} on aiohttp")
    print(f"group A: the load client used at most {100 * busy:.0f} % of a core")
    return [
        first,
        against("A2", "mixed 1.6 stream, CPU against stock ocpp", "mixed", "stock", 6.5, 8),
        against("A3", "2.0.1 TransactionEvents, CPU against stock ocpp", "transaction_events", "stock", 10, 14),
        against("A4", "MeterValues, CPU against stock and a commit each", "meter_values", "stock-commit", 10, 14),
        Result("A4w", "the same, throughput", wall, "times", 10, 12),
        Result("A5", "share of a bare websockets responder's throughput", share, "%", 40, 50, rates),
        Result("A6", "ocpp-go, for which 8 times stock stands", stand_in, "times", 1.0, 1.2),
        Result("A7", "ocpp-rpc strict on Node", None, "times", 0.35, 0.45, "no such peer here, no stand-in named"),
        Result("A8", "arthexis", None, "times", 80, 120, "no such peer here, no stand-in named"),
    ]
