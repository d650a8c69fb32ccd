"""`edge-agent meters …`: profiles, and meters asked by hand. They need no running agent, and a port for themselves.

Start at `meters`. Answers are one JSON object on standard output, as of all commands.
"""

import asyncio
import sys
from collections.abc import Awaitable, Callable
from pathlib import Path
from typing import Any, TypeVar

import click
import msgspec

from edge_agent.meters.bus import Bus, BusTrouble
from edge_agent.meters.devices import serial_ports
from edge_agent.meters.hosts import HostsInvalid, hosts_of
from edge_agent.meters.profiles import Profile, ProfileInvalid, bundled, load
from edge_agent.meters.reach import identified, read_once
from edge_agent.meters.readings import Installed
from edge_agent.meters.scan import Found, Scan, Wanted
from sitelink.meter_endpoints import PORT, EndpointInvalid, endpoint_of
from web_ui.wording import full

T = TypeVar("T")
_AT = click.option("--at", "transport", required=True, help="tcp://HOST:502 or rtu:///dev/ttyUSB0?speed=9600.")
_UNIT = click.option("--unit", default=1, type=click.IntRange(0, 255), help="The meter's address; 1.")


@click.group()
def meters() -> None:
    """Meters: which models are known, and what one says."""


@meters.command()
def profiles() -> None:
    """All models this version knows."""
    _print([
        {"profile": each.id, "name": each.name, "phases": each.phases, "says_what_it_is": each.by_mark,
         "verified": each.verified}
        for each in bundled().values()
    ])  # fmt: skip


@meters.command("try")
@click.argument("profile")
@_AT
@_UNIT
@click.option("--reversed", "is_reversed", is_flag=True, help="What flows to the site counts as export there.")
@click.option("--ratio", default=1.0, type=click.FloatRange(0, 10_000, min_open=True), help="Of current transformers.")
def try_(profile: str, transport: str, unit: int, is_reversed: bool, ratio: float) -> None:
    """Read a meter once by PROFILE: a model's name, or a file of your own."""
    known = _profile(profile)

    async def ask(bus: Bus) -> dict[str, Any]:
        reading, odd = await read_once(bus, unit, known, Installed(is_reversed, ratio))
        return {"profile": known.id, "values": reading.values, "flags": reading.flags, "odd": odd}

    _print(_on_bus(transport, unit, known.id, ask))


@meters.command()
@_AT
@_UNIT
def identify(transport: str, unit: int) -> None:
    """Which model answers. What is guessed by its values alone says so."""

    async def ask(bus: Bus) -> Any:
        return await identified(bus, unit)

    found = _on_bus(transport, unit, "", ask)
    _print(msgspec.to_builtins(found) if found is not None else {"profiles": []})


@meters.command()
@click.option("--hosts", default="", help="192.168.1.0/24, 192.168.1.10-40, 192.168.1.7; several with commas.")
@click.option("--port", default=PORT, type=click.IntRange(1, 65535), help="Of the hosts; 502.")
@click.option("--serial", "devices", multiple=True, help="A serial port; without any, all of this machine.")
@click.option("--no-serial", is_flag=True, help="Leave serial ports out.")
@click.option("--every-address", is_flag=True, help="All 247 addresses, not the likely ones: minutes a port.")
@click.option("--announced", "by_mdns", is_flag=True, help="Also those that announce themselves in the network (mDNS).")
def scan(hosts: str, port: int, devices: tuple[str, ...], no_serial: bool, every_address: bool, by_mdns: bool) -> None:
    """Look for meters on serial ports and in a range of hosts. What is found comes as soon as it is."""
    try:
        wanted = Wanted(
            () if no_serial else devices or serial_ports(),
            hosts_of(hosts) if hosts else (),
            port,
            every_address,
            by_mdns,
        )
    except HostsInvalid as error:
        raise click.ClickException(str(error)) from error
    if not wanted.devices and not wanted.hosts and not by_mdns:
        raise click.ClickException("There is no serial port here; name a range of hosts with --hosts.")
    told = 0

    def news() -> None:
        nonlocal told
        for each in search.found[told:]:
            click.echo(f"{each.endpoint} address {each.unit}: {_named(each)}", err=True)
        told = len(search.found)
        click.echo(f"\r{search.done} of {search.total}", nl=False, err=True)

    search = Scan(wanted, news)
    asyncio.run(search.run())
    click.echo(err=True)
    found = [
        {"transport": str(each.endpoint), "unit_id": each.unit, "identified": msgspec.to_builtins(each.identified)}
        for each in search.found
    ]
    _print({"found": found, "problems": search.problems})


def _named(found: Found) -> str:
    who = found.identified
    if who is None:
        return "answers, but is none of the known models"
    return f"{'perhaps ' if who.guessed else ''}{' or '.join(bundled()[id_].name for id_ in who.profiles[:4])}"


def _profile(text: str) -> Profile:
    found = bundled().get(text)
    if found is not None:
        return found
    if not Path(text).is_file():
        raise click.ClickException(f"There is no profile {text!r} and no such file; see edge-agent meters profiles.")
    try:
        return load(Path(text))
    except ProfileInvalid as error:
        raise click.ClickException(str(error)) from error


def _on_bus(transport: str, unit: int, profile: str, ask: Callable[[Bus], Awaitable[T]]) -> T:
    try:
        endpoint = endpoint_of(transport)
    except EndpointInvalid as error:
        raise click.ClickException(str(error)) from error

    async def whole() -> T:
        bus = Bus(endpoint)
        try:
            return await ask(bus)
        finally:
            await bus.close()

    try:
        return asyncio.run(whole())
    except BusTrouble as trouble:
        code = "port_busy" if trouble.code == "busy" else trouble.code
        fields = {"transport": str(endpoint), "unit_id": unit, "profile": profile, "exception": trouble.exception}
        raise click.ClickException(full(f"meter_{code}", fields)) from trouble


def _print(answer: Any) -> None:
    sys.stdout.write(msgspec.json.format(msgspec.json.encode(answer), indent=2).decode() + "\n")
