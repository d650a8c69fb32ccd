"""A broker is told what the site measures: a real one."""

import asyncio
import subprocess
from collections.abc import AsyncIterator, Callable
from contextlib import asynccontextmanager
from pathlib import Path

import msgspec
import pytest

from edge_agent.mqtt.publisher import Broker, BrokerInvalid, Publisher, broker_of
from edge_agent.mqtt.topics import Names
from edge_agent.site.measured import Measured
from tests.doubles.broker import running_broker

NAMES = Names("gatepost", "homeassistant", "box")
STATUS, MAIN = "gatepost/box/status", "gatepost/box/meter/1042/Main"


def meter(name: str, watts: float) -> Measured:
    return Measured("meter", f"1042/{name}", name, 0, "ok", True, {"power_w.total": watts})


@asynccontextmanager
async def publishing(broker: Broker, devices: list[Measured]) -> AsyncIterator["asyncio.Task[None]"]:
    task = asyncio.ensure_future(Publisher(broker, NAMES, lambda: devices, every_s=0.05).run())
    try:
        yield task
    finally:
        task.cancel()
        await asyncio.gather(task, return_exceptions=True)


async def until(is_so: Callable[[], bool]) -> None:
    async with asyncio.timeout(20):
        while not is_so():  # noqa: ASYNC110 -- the broker's own pace
            await asyncio.sleep(0.02)


async def test_values_come_change_and_go(tmp_path: Path) -> None:
    devices = [meter("Main", 100.0), meter("Roof", 200.0)]
    async with running_broker(tmp_path) as broker, broker.heard() as heard:
        async with publishing(Broker("127.0.0.1", broker.port, tls=False), devices):
            await until(lambda: MAIN in heard and heard.get(STATUS) == b"online")
            config = "homeassistant/sensor/box_meter_1042_Main/power_w_total/config"
            await until(lambda: config in heard)
            assert msgspec.json.decode(heard[config])["state_topic"] == MAIN
            devices[:] = [meter("Main", 150.0)]
            await until(lambda: b"150" in heard[MAIN])
            await until(lambda: heard.get("gatepost/box/meter/1042/Roof") == b"")
            assert heard["homeassistant/sensor/box_meter_1042_Roof/power_w_total/config"] == b"", "gone there too"
        await until(lambda: heard[STATUS] == b"offline")


async def test_a_broker_that_was_away_gets_all_of_it(tmp_path: Path) -> None:
    async with (
        running_broker(tmp_path) as broker,
        publishing(Broker("127.0.0.1", broker.port, tls=False), [meter("Main", 100.0)]),
    ):
        async with broker.heard() as heard:
            await until(lambda: MAIN in heard)
        await broker.stop()
        await asyncio.sleep(0.2)
        await broker.start()  # it kept nothing
        async with broker.heard() as heard:
            await until(lambda: MAIN in heard and heard.get(STATUS) == b"online")


async def test_it_signs_in_and_a_wrong_password_is_tried_on_without_an_end(tmp_path: Path) -> None:
    passwords = tmp_path / "passwords"
    subprocess.run(["mosquitto_passwd", "-b", "-c", str(passwords), "box", "right"], check=True)  # noqa: ASYNC221
    lines = f"allow_anonymous false\npassword_file {passwords}\n"
    async with (
        running_broker(tmp_path, lines) as broker,
        broker.heard(username="box", password="right") as heard,
    ):
        async with publishing(
            Broker("127.0.0.1", broker.port, tls=False, username="box", password="wrong"), []
        ) as task:
            await asyncio.sleep(0.5)
            assert not task.done()
            assert heard == {}
        async with publishing(Broker("127.0.0.1", broker.port, tls=False, username="box", password="right"), []):
            await until(lambda: heard.get(STATUS) == b"online")


def test_addresses_of_brokers() -> None:
    assert broker_of("mqtt://broker.local") == Broker("broker.local", 1883, tls=False)
    assert broker_of("mqtts://broker.local:9", "a", "b") == Broker(
        "broker.local", 9, tls=True, username="a", password="b"
    )
    for wrong in ("broker", "http://x", "mqtt://", "mqtt://u:p@x", "mqtt://x/y", "mqtt://x:99999"):
        with pytest.raises(BrokerInvalid) as caught:
            broker_of(wrong)
        assert "u:p" not in str(caught.value)
