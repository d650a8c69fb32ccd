"""Tells a broker what the site measures, for as long as there is one. Start at `Publisher.run`.

What changed is said every few seconds, all of it after each new connection; what is gone is taken back. A broker that
is away costs nothing but a try every now and then.
"""

import asyncio
import ssl
from collections.abc import Callable, Sequence
from contextlib import suppress
from urllib.parse import urlsplit

import aiomqtt
import msgspec
import structlog

from edge_agent.mqtt.topics import Names, messages_of
from edge_agent.site.measured import Measured

log = structlog.get_logger()

PORT, PORT_TLS = 1883, 8883
BACK_OFF_S = (1.0, 2.0, 5.0, 15.0, 60.0)
KEEPALIVE_S = 30


class BrokerInvalid(ValueError):
    """What is wrong with an address; a sentence."""


class Broker(msgspec.Struct, frozen=True):
    host: str
    port: int
    tls: bool
    username: str = ""
    password: str = ""


def broker_of(url: str, username: str = "", password: str = "") -> Broker:
    """Raises BrokerInvalid."""
    try:
        parts = urlsplit(url)
        port = parts.port
    except ValueError as error:
        raise BrokerInvalid("mqtt.url is no address; write mqtt://HOST:1883 or mqtts://HOST") from error
    if parts.scheme not in ("mqtt", "mqtts") or not parts.hostname or parts.path not in ("", "/"):
        raise BrokerInvalid("mqtt.url is no address; write mqtt://HOST:1883 or mqtts://HOST")
    if parts.username or parts.password:
        raise BrokerInvalid("mqtt.url holds a name; say it with mqtt.username and mqtt.password")
    tls = parts.scheme == "mqtts"
    return Broker(parts.hostname, port or (PORT_TLS if tls else PORT), tls, username, password)


class Publisher:
    def __init__(
        self, broker: Broker, names: Names, measured: Callable[[], Sequence[Measured]], every_s: float = 10.0
    ) -> None:
        self._broker = broker
        self._names = names
        self._measured = measured
        self._every_s = every_s
        self._tls = ssl.create_default_context() if broker.tls else None
        self._known: set[str] = set()
        """Topics that hold something of ours."""

    async def run(self) -> None:
        """One long-lived task."""
        tries = 0
        problem = ""
        while True:
            try:
                async with self._client() as client:
                    log.info("mqtt_connected", host=self._broker.host, port=self._broker.port)
                    tries, problem = 0, ""
                    await self._serve(client)
            except* (aiomqtt.MqttError, OSError) as away:
                said = str(_first(away))
                if said != problem:
                    log.warning("mqtt_away", host=self._broker.host, port=self._broker.port, problem=said)
                problem = said
            except* Exception:  # a fault of ours ends nothing but this connection
                log.exception("mqtt_failed")
            await asyncio.sleep(BACK_OFF_S[min(tries, len(BACK_OFF_S) - 1)])
            tries += 1

    def _client(self) -> aiomqtt.Client:
        broker = self._broker
        return aiomqtt.Client(
            broker.host, broker.port, username=broker.username or None, password=broker.password or None,
            will=aiomqtt.Will(self._names.status, "offline", qos=1, retain=True), keepalive=KEEPALIVE_S,
            tls_context=self._tls,
        )  # fmt: skip

    async def _serve(self, client: aiomqtt.Client) -> None:
        async with asyncio.TaskGroup() as group:
            group.create_task(self._watch(client))
            group.create_task(self._tell(client))

    async def _watch(self, client: aiomqtt.Client) -> None:
        """Nothing comes; that the broker is gone does."""
        async for _ in client.messages:
            pass

    async def _tell(self, client: aiomqtt.Client) -> None:
        said: dict[str, bytes] = {}
        try:
            await client.publish(self._names.status, "online", qos=1, retain=True)
            while True:
                messages = messages_of(self._names, self._measured())
                for topic in self._known - messages.keys():
                    await client.publish(topic, b"", qos=1, retain=True)
                    said.pop(topic, None)
                self._known = set(messages)
                for topic, payload in messages.items():
                    if said.get(topic) != payload:
                        await client.publish(topic, payload, qos=1, retain=True)
                        said[topic] = payload
                await asyncio.sleep(self._every_s)
        except asyncio.CancelledError:  # the box ends: said by itself, not by the broker's waiting
            with suppress(aiomqtt.MqttError, OSError):
                async with asyncio.timeout(1):
                    await client.publish(self._names.status, "offline", qos=1, retain=True)
            raise


def _first(error: BaseException) -> BaseException:
    return _first(error.exceptions[0]) if isinstance(error, BaseExceptionGroup) else error
