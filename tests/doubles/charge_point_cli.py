"""A virtual charge point as a process of its own: arguments in, JSON lines in and out.

With `--control` each line on standard input is an order, such as `{"do": "plug", "connector": 1, "wants_wh": 9000}`,
and the end of the input ends the station, so that none outlives who started it. Standard output carries one JSON object
a line: `{"event": "state", …}` when something changed, `{"event": "error", …}` for an order it could not follow.
`--identity` given several times makes as many stations in one process; orders then name the `identity` they are for.
Start at `main`; the orders are in `ORDERS`.
"""

import argparse
import asyncio
import dataclasses
import json
import signal
import sys
from collections.abc import Callable
from pathlib import Path
from typing import Any

from tests.doubles.charge_point import VirtualChargePoint
from tests.doubles.charge_point_faults import Faults
from tests.doubles.charge_point_flash import Network
from tests.doubles.charge_point_keys import start_signing
from tests.doubles.charge_point_power import Car

KEPT_MESSAGES = 200

Order = dict[str, Any]


def _plug(station: VirtualChargePoint, order: Order) -> None:
    wanted = {key: order[key] for key in ("wants_wh", "max_power_w", "phases", "takes_power") if key in order}
    station.plug_in(order.get("connector", 1), Car(**wanted), plug=order.get("plug", 1))


def _unplug(station: VirtualChargePoint, order: Order) -> None:
    station.unplug(order.get("connector", 1))


def _tag(station: VirtualChargePoint, order: Order) -> None:
    station.present_tag_later(order.get("connector", 1), str(order["id_tag"]), order.get("kind", "ISO14443"))


def _stop(station: VirtualChargePoint, order: Order) -> None:
    station.stop_transaction(order.get("connector", 1), order.get("reason", "Local"))


def _fault(station: VirtualChargePoint, order: Order) -> None:
    station.fault(order.get("connector", 1), order.get("error_code", "GroundFailure"))


def _clear(station: VirtualChargePoint, order: Order) -> None:
    station.clear_fault(order.get("connector", 1))


def _security_event(station: VirtualChargePoint, order: Order) -> None:
    station.security_event(order.get("type", "TamperDetectionActivated"), order.get("details", ""))


def _network(station: VirtualChargePoint, order: Order) -> None:
    """An installer types another address, or turns the security profile, at the station itself."""
    flash = station.flash
    flash.networks[flash.priority[0]] = Network(
        order.get("url", flash.current.url), order.get("profile", flash.current.profile)
    )
    if "password" in order:
        flash.password = str(order["password"]).encode()
    station.dial_again()


def _misbehave(station: VirtualChargePoint, order: Order) -> None:
    for name, value in order["faults"].items():
        set_fault(station.faults, name, value)


ORDERS: dict[str, Callable[[VirtualChargePoint, Order], None]] = {
    "plug": _plug,
    "unplug": _unplug,
    "tag": _tag,
    "stop": _stop,
    "fault": _fault,
    "clear": _clear,
    "misbehave": _misbehave,
    "link_down": lambda station, _: station.link_down(),
    "link_up": lambda station, _: station.link_up(),
    "power_cut": lambda station, _: station.power_cut(),
    "power_on": lambda station, _: station.power_on(),
    "reboot": lambda station, order: station.reboot(hard=bool(order.get("hard")), reason="LocalReset"),
    "boot": lambda station, _: station.boot_soon(),
    "meter": lambda station, order: station.take_meter_values(order.get("connector", 1), context="Trigger"),
    "network": _network,
    "security_event": _security_event,
    "sign": lambda station, _: start_signing(station),
    "state": lambda station, _: say(state_of(station)),
}


def set_fault(faults: Faults, name: str, value: Any) -> None:
    """Raises ValueError for a switch that does not exist. A text is read as the switch's own type."""
    known = {field.name for field in dataclasses.fields(Faults)}
    if name not in known:
        raise ValueError(f"no fault is called {name}; there are {', '.join(sorted(known))}")
    kind = type(getattr(Faults(), name))
    if isinstance(value, str) and kind is bool:
        value = value.lower() in {"", "1", "true", "yes"}
    setattr(faults, name, kind(value))


def state_of(station: VirtualChargePoint) -> dict[str, Any]:
    """What an onlooker at the station could see, and whether it is connected."""
    return {
        "event": "state",
        "identity": station.identity,
        "version": station.version,
        "profile": station.flash.current.profile,
        "firmware": station.firmware,
        "connected": station.connected,
        "accepted": station.accepted,
        "registration": station.registration,
        "queued": len(station.queue.waiting),
        "violations": station.violations[-3:],
        "connectors": [
            {
                "connector": place.number,
                "status": station.status_of(place.number),
                "plugged": place.plugged,
                "transaction_id": place.transaction.transaction_id if place.transaction else None,
            }
            for place in station.connectors
        ],
    }


def say(line: dict[str, Any]) -> None:
    sys.stdout.write(json.dumps(line) + "\n")
    sys.stdout.flush()


def obey(stations: list[VirtualChargePoint], text: str) -> None:
    """One line of input. What cannot be followed is said, never fatal."""
    try:
        order = json.loads(text)
        by_identity = {station.identity: station for station in stations}
        ORDERS[order["do"]](by_identity[order.get("identity", stations[0].identity)], order)
    except (ValueError, KeyError, TypeError, IndexError) as exc:
        say({"event": "error", "order": text.strip(), "message": f"{type(exc).__name__}: {exc}"})


async def run(stations: list[VirtualChargePoint], *, control: bool) -> None:
    """Until the input ends (with `control`), or SIGTERM or SIGINT comes."""
    end = asyncio.Event()
    loop = asyncio.get_running_loop()
    for number in (signal.SIGTERM, signal.SIGINT):
        loop.add_signal_handler(number, end.set)
    async with asyncio.TaskGroup() as tasks:
        jobs = [tasks.create_task(station.run()) for station in stations]
        jobs += [tasks.create_task(_report(station)) for station in stations]
        if control:
            jobs.append(tasks.create_task(_listen(stations, end)))
        await end.wait()
        for job in jobs:
            job.cancel()


async def _listen(stations: list[VirtualChargePoint], end: asyncio.Event) -> None:
    lines = asyncio.StreamReader()
    await asyncio.get_running_loop().connect_read_pipe(lambda: asyncio.StreamReaderProtocol(lines), sys.stdin)
    while text := await lines.readline():
        obey(stations, text.decode())
    end.set()


async def _report(station: VirtualChargePoint) -> None:
    last: dict[str, Any] = {}
    while True:
        state = state_of(station)
        if {**state, "queued": 0} != {**last, "queued": 0}:
            say(state)
            last = state
        await station.next_change()


def arguments() -> argparse.ArgumentParser:
    parser = argparse.ArgumentParser(prog="charge_point", description="A virtual OCPP charge point.")
    parser.add_argument("--url", required=True, help="address of the central system, without the identity")
    parser.add_argument("--identity", required=True, action="append", help="repeatable")
    parser.add_argument("--version", choices=["1.6", "2.0.1", "2.1"], default="1.6")
    parser.add_argument("--connectors", type=int, default=2, help="EVSEs in 2.x")
    parser.add_argument("--plugs", type=int, default=1, help="of each EVSE (2.x)")
    parser.add_argument("--vendor", default="Virtual")
    parser.add_argument("--model", default="VCP-22")
    parser.add_argument("--serial", help="default: the identity")
    parser.add_argument("--firmware", default="1.4.2")
    parser.add_argument("--profile", type=int, choices=range(4), default=0, help="security profile")
    parser.add_argument("--password", help="for HTTP Basic authentication")
    parser.add_argument("--root", type=Path, metavar="PEM", help="file of the root that signs the server's certificate")
    parser.add_argument("--certificate", type=Path, metavar="PEM", help="file of its own certificate, for profile 3")
    parser.add_argument("--key", type=Path, metavar="PEM", help="file of the private key to it")
    parser.add_argument("--tls-url", help="where to go when the security profile is raised")
    parser.add_argument("--set", action="append", default=[], metavar="NAME=VALUE", help="configuration; repeatable")
    parser.add_argument("--speed", type=float, default=1.0, help="how much faster than real its time runs")
    parser.add_argument("--seed", type=int, default=1)
    parser.add_argument("--meter-interval", type=float, default=10.0, help="seconds between meter values")
    parser.add_argument("--reboot-time", type=float, default=5.0, help="seconds a reboot takes")
    parser.add_argument("--fault", action="append", default=[], metavar="NAME[=VALUE]", help="misbehave; repeatable")
    parser.add_argument("--control", action="store_true", help="take orders as JSON lines, end with the input")
    return parser


def main() -> None:
    """Entry of `python -m tests.doubles.charge_point`."""
    parser = arguments()
    args = parser.parse_args()
    faults = Faults()
    for text in args.fault:
        name, _, value = text.partition("=")
        try:
            set_fault(faults, name, value)
        except ValueError as exc:
            parser.error(str(exc))
    stations = [_station(args, identity, place, faults) for place, identity in enumerate(args.identity)]
    asyncio.run(run(stations, control=args.control))


def _text(file: Path | None) -> str | None:
    return None if file is None else file.read_text("utf-8")


def _station(args: argparse.Namespace, identity: str, place: int, faults: Faults) -> VirtualChargePoint:
    return VirtualChargePoint(
        args.url,
        identity,
        version=args.version,
        connectors=args.connectors,
        plugs=args.plugs,
        vendor=args.vendor,
        model=args.model,
        serial=args.serial,
        firmware=args.firmware,
        profile=args.profile,
        password=args.password,
        root=_text(args.root),
        certificate=_text(args.certificate),
        key=_text(args.key),
        tls_url=args.tls_url,
        configuration=dict(each.split("=", 1) for each in args.set),
        speed=args.speed,
        seed=args.seed + place,
        faults=dataclasses.replace(faults),
        meter_interval_s=args.meter_interval,
        reboot_s=args.reboot_time,
        keep=KEPT_MESSAGES,
    )
