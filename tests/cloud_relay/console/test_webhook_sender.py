"""Webhooks are sent, signed, again and again until they are taken; by real HTTP, on both databases."""

import asyncio
import hashlib
import hmac
import json
from collections.abc import AsyncIterator
from contextlib import asynccontextmanager
from datetime import timedelta
from pathlib import Path
from typing import Any

import pytest

from cloud_relay.console import webhook_sender
from cloud_relay.console.sealing import Sealing
from cloud_relay.console.webhook_sender import WebhookSender
from cloud_relay.fleet import outbox, webhooks
from cloud_relay.fleet.ids import DeliveryId, TeamId
from cloud_relay.fleet.ports import Books
from cloud_relay.fleet.webhook_records import Delivery, DeliveryState, Happening, Webhook
from cloud_relay.store.store import Store
from sitelink.errors import StoreUnavailable
from tests.cloud_relay.made import ACT, NOW, site
from tests.doubles.clock import FakeClock
from tests.doubles.receiver import Letter, Receiver, receiver

SEALING = Sealing(b"k" * 32, "webhook secrets")


class Post:
    """A team with an endpoint at a receiver, and nodes that send."""

    def __init__(self, store: Store, there: Receiver, url: str = "", *, allow_http: bool = True) -> None:
        self.store, self.there, self.clock = store, there, FakeClock(NOW)
        place, _ = site(store)
        self.team: TeamId = place.team
        draft = webhooks.Draft(url=url or there.url, kinds=["job.created"])

        def work(books: Books) -> tuple[Webhook, str]:
            return webhooks.add_webhook(books, ACT, place.team, draft, seal=SEALING.seal, allow_http=allow_http)

        self.hook, self.secret = store.write_now(work)

    def sender(self, node: str = "one", store: Store | None = None, *, allow_http: bool = True) -> WebhookSender:
        return WebhookSender(store or self.store, self.clock, SEALING, node=node, allow_http=allow_http)

    @asynccontextmanager
    async def sending(self, *senders: WebhookSender) -> AsyncIterator[None]:
        async with asyncio.TaskGroup() as group:
            running = [group.create_task(each.run()) for each in senders or (self.sender(),)]
            try:
                yield
            finally:
                for task in running:
                    task.cancel()

    def tell(self, *keys: str) -> None:
        what = [Happening("job.created", key, NOW, {"key": key}) for key in keys]
        self.store.write_now(lambda books: outbox.tell(books, [self.hook], what, site=None, now=self.clock.now()))

    def deliveries(self) -> list[Delivery]:
        return list(self.store.read_now(lambda books: books.webhooks.deliveries(self.hook.id, before=None, limit=99)))

    async def until(self, state: DeliveryState, tries: int, count: int = 1) -> list[Delivery]:
        """The log, once so many stand there with so many tries."""
        async with asyncio.timeout(20):
            while True:
                found = self.deliveries()
                if [(each.state, each.tries) for each in found].count((state, tries)) >= count:
                    return found
                await asyncio.sleep(0.02)


@pytest.fixture(autouse=True)
def quick(monkeypatch: pytest.MonkeyPatch) -> None:
    monkeypatch.setattr(webhook_sender, "LOOKED_EVERY_S", 0.05)


def is_signed(letter: Letter, secret: str) -> bool:
    """As docs/webhooks.md tells receivers to look."""
    fields = dict(each.split("=", 1) for each in letter.headers["Gatepost-Signature"].split(","))
    made = hmac.new(secret.encode(), f"{fields['t']}.".encode() + letter.body, hashlib.sha256).hexdigest()
    return hmac.compare_digest(made, fields["v1"])


async def test_it_is_sent_once_signed_and_logged(store: Store) -> None:
    async with receiver() as there:
        post = Post(store, there)
        post.tell("a")
        async with post.sending():
            letter = await there.letter()
            (delivery,) = await post.until(DeliveryState.DELIVERED, 1)
        assert is_signed(letter, post.secret)
        assert not is_signed(letter, post.secret + "x")
        assert (letter.headers["Gatepost-Event"], letter.headers["Gatepost-Delivery"]) == ("job.created", delivery.id)
        assert json.loads(letter.body)["data"] == {"key": "a"}
        assert [(each.status, each.answer, each.problem) for each in delivery.attempts] == [(200, "thanks", "")]
        assert there.came.empty()


async def test_what_was_not_taken_is_sent_again_under_the_same_id(store: Store) -> None:
    async with receiver() as there:
        there.answers += [(500, "oops Bearer gw_secret"), (404, "no")]
        post = Post(store, there)
        post.tell("a")
        async with post.sending():
            await post.until(DeliveryState.WAITING, 1)
            post.clock.advance(60)
            await post.until(DeliveryState.WAITING, 2)
            post.clock.advance(60)
            (delivery,) = await post.until(DeliveryState.DELIVERED, 3)
        letters = [await there.letter() for _ in range(3)]
        assert {each.headers["Gatepost-Delivery"] for each in letters} == {delivery.id}
        assert len({each.body for each in letters}) == 1
        assert [(each.status, each.problem) for each in delivery.attempts] == [
            (500, "status"), (404, "status"), (200, "")
        ]  # fmt: skip
        assert there.came.empty(), "once it is taken it is not sent any more"


async def test_a_receiver_that_is_slow_or_gone_is_tried_again(store: Store, monkeypatch: pytest.MonkeyPatch) -> None:
    monkeypatch.setattr(webhook_sender, "WITHIN_S", 0.3)
    async with receiver() as there:
        there.held.clear()
        post = Post(store, there)
        post.tell("a")
        async with post.sending():
            (delivery,) = await post.until(DeliveryState.WAITING, 1)
        assert delivery.attempts[0].problem == "timeout"
    post.clock.advance(60)
    async with post.sending():
        (delivery,) = await post.until(DeliveryState.WAITING, 2)
    assert delivery.attempts[1].problem == "not_reached"


async def test_a_node_that_dies_after_sending_and_before_noting_sends_again_under_the_same_id(store: Store) -> None:
    class Dying:
        """A store that is gone once something was sent."""

        def __init__(self) -> None:
            self.writes = 0

        async def write(self, work: object) -> object:
            self.writes += 1
            if self.writes > 1:
                raise StoreUnavailable(reason="away")
            return await store.write(work)  # type: ignore[arg-type]

        read = staticmethod(store.read)

    async with receiver() as there:
        post = Post(store, there)
        post.tell("a")
        async with post.sending(post.sender("one", Dying())):  # type: ignore[arg-type]
            first = await there.letter()
        assert [(each.state, each.tries) for each in post.deliveries()] == [(DeliveryState.WAITING, 0)]
        async with post.sending(post.sender("two")):
            await asyncio.sleep(0.3)
            assert there.came.empty(), "the other has it for a minute"
            post.clock.advance(outbox.TAKEN_FOR.total_seconds())
            second = await there.letter()
            await post.until(DeliveryState.DELIVERED, 1)
        assert first.headers["Gatepost-Delivery"] == second.headers["Gatepost-Delivery"]
        assert first.body == second.body


async def test_two_nodes_share_the_work_and_send_nothing_twice(store: Store) -> None:
    async with receiver() as there:
        post = Post(store, there)
        post.tell(*(str(n) for n in range(30)))
        async with post.sending(post.sender("one"), post.sender("two")):
            await post.until(DeliveryState.DELIVERED, 1, 30)
        ids = [there.came.get_nowait().headers["Gatepost-Delivery"] for _ in range(there.came.qsize())]
        assert len(ids) == len(set(ids)) == 30


async def test_redirects_are_not_followed_and_private_addresses_not_reached(store: Store) -> None:
    async with receiver() as there, receiver() as elsewhere:
        there.answers.append((302, ""))
        there.location = elsewhere.url
        post = Post(store, there)
        post.tell("a")
        async with post.sending():
            (delivery,) = await post.until(DeliveryState.WAITING, 1)
        assert (delivery.attempts[0].status, delivery.attempts[0].problem) == (302, "redirect")
        assert elsewhere.came.empty()
        assert there.came.qsize() == 1
        post.clock.advance(60)
        async with post.sending(post.sender(allow_http=False)):
            (delivery,) = await post.until(DeliveryState.WAITING, 2)
        assert delivery.attempts[1].problem == "address_refused"
        assert there.came.qsize() == 1


async def test_a_test_goes_out_also_while_the_endpoint_is_off(store: Store) -> None:
    async with receiver() as there:
        post = Post(store, there)
        off = webhooks.Draft(enabled=False)

        def work(books: Books) -> DeliveryId:
            webhooks.change_webhook(books, ACT, post.team, post.hook.id, off, allow_http=True)
            return webhooks.send_test(books, ACT, post.team, post.hook.id).id

        id_ = store.write_now(work)
        post.tell("a")
        post.clock.advance(timedelta(seconds=1).total_seconds())
        async with post.sending():
            letter = await there.letter()
            await post.until(DeliveryState.DELIVERED, 1)
        assert (letter.headers["Gatepost-Event"], letter.headers["Gatepost-Delivery"]) == ("webhook.test", id_)
        assert there.came.empty()


async def test_the_secret_stands_nowhere(store: Store, capsys: pytest.CaptureFixture[str]) -> None:
    async with receiver() as there:
        there.answers.append((500, "no"))
        post = Post(store, there)
        post.tell("a")
        async with post.sending():
            await post.until(DeliveryState.WAITING, 1)
        said = "".join(capsys.readouterr())
        kept = store.read_now(
            lambda books: repr((books.webhooks.of_team(post.team), books.audit.page(post.team, limit=99)))
        )
        assert post.secret.removeprefix("gh1_") not in said + kept + repr(post.deliveries())


async def test_the_example_for_receivers_knows_what_is_ours(store: Store) -> None:
    text = (Path(__file__).parents[3] / "docs/webhooks.md").read_text("utf-8")
    given: dict[str, Any] = {}
    exec(text.partition("```python\n")[2].partition("```")[0], given)
    async with receiver() as there:
        post = Post(store, there)
        post.tell("a")
        async with post.sending():
            letter = await there.letter()
    header, now = letter.headers["Gatepost-Signature"], post.clock.now().timestamp()
    is_genuine = given["is_genuine"]
    assert is_genuine(post.secret, header, letter.body, now)
    assert not is_genuine(post.secret, header, letter.body + b" ", now)
    assert not is_genuine("gh1_another", header, letter.body, now)
    assert not is_genuine(post.secret, header, letter.body, now + 301), "an old one, sent again by somebody"
