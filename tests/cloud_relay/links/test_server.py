"""The socket of a box, over a real WebSocket: a box that speaks the real session, and guests that do not."""

import asyncio
import base64
import itertools
from collections.abc import AsyncIterator
from contextlib import asynccontextmanager
from pathlib import Path

import aiohttp
import msgspec
from cryptography.hazmat.primitives.asymmetric.ed25519 import Ed25519PrivateKey

from cloud_relay.compose import Cloud, serving
from cloud_relay.config import Http, Settings
from cloud_relay.fleet.ids import GatewayId
from cloud_relay.fleet.log_records import Place
from cloud_relay.store.store import Store
from sitelink.ops import encode_op
from sitelink.wire import messages as m
from sitelink.wire.codec import crc_of_ops, decode, encode
from tests.cloud_relay.made import imported, site

STREAMS = itertools.count(1)


@asynccontextmanager
async def cloud_at(folder: Path) -> AsyncIterator[tuple[Cloud, str]]:
    async with serving(Settings(data_dir=folder, http=Http(bind="127.0.0.1", port=0))) as cloud:
        yield cloud, f"http://127.0.0.1:{cloud.http_port}"


def keyed(store: Store) -> tuple[Place, GatewayId, Ed25519PrivateKey]:
    place, gateway = site(store)
    key = Ed25519PrivateKey.generate()
    public = base64.b64encode(key.public_key().public_bytes_raw()).decode()
    known = store.read_now(lambda books: books.sites.gateway(place.team, gateway))
    assert known is not None
    store.write_now(lambda books: books.sites.put_gateway(msgspec.structs.replace(known, device_key=public)))
    return place, gateway, key


class Guest:
    """One socket, frame by frame."""

    def __init__(self, socket: aiohttp.ClientWebSocketResponse) -> None:
        self.socket = socket

    async def hear(self) -> m.AnyMessage:
        async with asyncio.timeout(10):
            found = decode((await self.socket.receive()).data)
        assert found is not None
        return found

    async def say(self, message: m.AnyMessage) -> None:
        await self.socket.send_str(encode(message).decode())

    async def greet(self, gateway: str, key: Ed25519PrivateKey, epoch: str | None) -> m.AnyMessage:
        challenge = await self.hear()
        assert isinstance(challenge, m.Challenge)
        stream = f"stream {next(STREAMS)}"
        signed = key.sign(m.to_sign(challenge.nonce, gateway, stream))
        await self.say(m.Hello(gateway, stream, base64.b64encode(signed).decode(), epoch=epoch))
        self.stream = stream
        return await self.hear()


@asynccontextmanager
async def guest(url: str) -> AsyncIterator[Guest]:
    async with aiohttp.ClientSession() as session, session.ws_connect(f"{url}/relay") as socket:
        yield Guest(socket)


async def test_a_box_brings_a_job_and_hears_its_log(tmp_path: Path) -> None:
    async with cloud_at(tmp_path) as (cloud, url), guest(url) as box:
        _, gateway, key = await asyncio.to_thread(keyed, cloud.store)
        epoch = cloud.store.read_now(lambda books: books.secrets.get("cloud_epoch"))
        welcome = await box.greet(gateway, key, epoch)
        assert isinstance(welcome, m.Welcome)
        assert (welcome.mode, welcome.team, welcome.site) == ("resume", "Acme", "Site of Acme")
        job = imported("CP001")
        ops = (msgspec.Raw(encode_op(job)),)
        await box.say(m.Batch(box.stream, 1, ops, crc_of_ops(ops)))
        said = [await box.hear(), await box.hear()]
        ack = next(each for each in said if isinstance(each, m.Ack))
        feed = next(each for each in said if isinstance(each, m.Feed))
        assert (ack.upto, ack.placed) == (1, ((job.op_id, 1),))
        assert bytes(feed.items[0].op) == encode_op(job)
        await box.say(m.Ping("n"))
        assert await box.hear() == m.Pong("n")


async def test_who_is_not_who_it_says_is_sent_away(tmp_path: Path) -> None:
    async with cloud_at(tmp_path) as (cloud, url), guest(url) as box:
        _, gateway, _ = await asyncio.to_thread(keyed, cloud.store)
        assert await box.greet(gateway, Ed25519PrivateKey.generate(), None) == m.Bye("unknown_gateway")
        assert (await box.socket.receive()).type is aiohttp.WSMsgType.CLOSE


async def test_frames_that_are_none_end_the_link_and_nothing_else(tmp_path: Path) -> None:
    async with cloud_at(tmp_path) as (_, url):
        for frame in ("{", '{"type":"hello"}', "[]", '{"type":"batch"}'):
            async with guest(url) as box:
                await box.hear()
                await box.socket.send_str(frame)
                assert (await box.socket.receive()).type is aiohttp.WSMsgType.CLOSE, frame
        async with guest(url) as box:
            assert isinstance(await box.hear(), m.Challenge)


async def test_a_batch_that_was_damaged_on_the_way_is_not_taken(tmp_path: Path) -> None:
    async with cloud_at(tmp_path) as (cloud, url), guest(url) as box:
        place, gateway, key = await asyncio.to_thread(keyed, cloud.store)
        await box.greet(gateway, key, "older")
        ops = (msgspec.Raw(encode_op(imported("CP001"))),)
        await box.say(m.Batch(box.stream, 1, ops, crc_of_ops(ops) ^ 1))
        heard = await box.hear()
        while not isinstance(heard, m.Bye):
            heard = await box.hear()
        assert heard.code == "crc"
        assert cloud.store.read_now(lambda books: books.logs.end(place.site)) == 0


async def test_when_a_link_ends_since_when_is_kept_and_told(tmp_path: Path) -> None:
    async with cloud_at(tmp_path) as (cloud, url):
        place, gateway, key = await asyncio.to_thread(keyed, cloud.store)
        gone = asyncio.Event()
        cloud.gateways._news.listen(lambda _: None if cloud.gateways.is_online(gateway) else gone.set())
        async with guest(url) as box:
            await box.greet(gateway, key, None)
            (link,) = await cloud.store.read(lambda books: books.links.of_site(place.site))
            gone.clear()
        async with asyncio.timeout(10):
            await gone.wait()
        (after,) = await cloud.store.read(lambda books: books.links.of_site(place.site))
        assert link.seen_at is not None
        assert after.seen_at is not None
        assert after.seen_at > link.seen_at
