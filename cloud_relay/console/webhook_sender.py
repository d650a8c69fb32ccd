"""Sends what is in the outbox of webhooks, several at a time. Start at `WebhookSender.run`."""

import asyncio
import random
import ssl
from collections import Counter

import aiohttp
import structlog
from aiohttp import web

from cloud_relay.console.guarded import guarded_session, is_refused
from cloud_relay.console.sealing import Sealing
from cloud_relay.fleet import outbox
from cloud_relay.fleet.ids import WebhookId
from cloud_relay.fleet.ports import Store
from cloud_relay.fleet.signature import signature
from cloud_relay.fleet.webhook_addresses import url_in
from cloud_relay.fleet.webhook_records import Attempt, Delivery, Webhook
from programs.version import product_version
from sitelink.clock import Clock
from sitelink.errors import RequestInvalid, StoreUnavailable
from sitelink.redact import mask_text

log = structlog.get_logger()

WEBHOOKS: web.AppKey["WebhookSender"] = web.AppKey("webhooks")
WEBHOOK_SECRETS: web.AppKey[Sealing] = web.AppKey("webhook_secrets")
"""Seals the secrets webhooks are signed with."""
ALLOW_HTTP: web.AppKey[bool] = web.AppKey("webhooks_allow_http", bool)
LOOKED_EVERY_S = 5.0
AT_ONCE = 20
WITHIN_S = 10.0
ANSWER_KEPT_BYTES = 500


class WebhookSender:
    """One a node. `hurry` is called when something may have been put into the outbox."""

    def __init__(self, store: Store, clock: Clock, secrets: Sealing, *, node: str, allow_http: bool) -> None:
        self._store = store
        self._clock = clock
        self._secrets = secrets
        self._node = node
        self._allow_http = allow_http
        self._written = asyncio.Event()
        self._busy: Counter[WebhookId] = Counter()
        """How many deliveries to each are being tried."""

    def hurry(self) -> None:
        self._written.set()

    async def run(self) -> None:
        """Until cancelled."""
        session = guarded_session(allow_private=self._allow_http, within_s=WITHIN_S)
        async with session, asyncio.TaskGroup() as group:
            while True:
                self._written.clear()
                try:
                    for delivery, hook in await self._taken():
                        group.create_task(self._try(session, delivery, hook), name="webhook")
                except StoreUnavailable as error:
                    log.warning("webhooks_wait", reason=error.fields.get("reason"))
                try:
                    async with asyncio.timeout(LOOKED_EVERY_S):
                        await self._written.wait()
                except TimeoutError:
                    pass

    async def _taken(self) -> list[tuple[Delivery, Webhook]]:
        free, now = AT_ONCE - self._busy.total(), self._clock.now()
        if free <= 0 or not await self._store.read(lambda books: books.webhooks.is_due(now)):
            return []
        busy = [hook for hook, count in self._busy.items() if count >= outbox.OF_EACH]
        found = list(await self._store.write(lambda books: outbox.take(books, now, self._node, free, busy)))
        self._busy.update(hook.id for _, hook in found)
        return found

    async def _try(self, session: aiohttp.ClientSession, delivery: Delivery, hook: Webhook) -> None:
        try:
            attempt = await self._post(session, delivery, hook)
            if attempt.problem:
                log.info("webhook_not_taken", webhook=hook.id, delivery=delivery.id, problem=attempt.problem)
            await self._store.write(
                lambda books: outbox.note_attempt(books, delivery, attempt, self._clock.now(), random.random)
            )
        except StoreUnavailable as error:  # sent again when it is due, under the same id
            log.warning("webhook_not_noted", delivery=delivery.id, reason=error.fields.get("reason"))
        finally:
            self._busy -= Counter({hook.id: 1})
            self.hurry()

    async def _post(self, session: aiohttp.ClientSession, delivery: Delivery, hook: Webhook) -> Attempt:
        at, began = self._clock.now(), self._clock.monotonic()
        status, problem, said = None, "", b""
        try:
            url, headers = url_in(hook.url, allow_http=self._allow_http), self._headers(delivery, hook)
            body = delivery.body.encode()
            async with session.post(url, data=body, headers=headers, allow_redirects=False) as response:
                status = response.status
                said = await response.content.read(ANSWER_KEPT_BYTES)
            problem = "" if 200 <= status < 300 else "redirect" if 300 <= status < 400 else "status"
        except (aiohttp.ClientError, OSError, ValueError, RequestInvalid) as error:
            problem = _problem(error)
        took = round((self._clock.monotonic() - began) * 1000)
        return Attempt(at, took, status, problem, mask_text(said.decode("utf-8", "replace"))[:ANSWER_KEPT_BYTES])

    def _headers(self, delivery: Delivery, hook: Webhook) -> dict[str, str]:
        """Raises ValueError where the secret cannot be read any more."""
        secret = self._secrets.unseal(hook.secret, hook.id)
        if secret is None:
            raise ValueError("the secret cannot be unsealed")
        unix = int(self._clock.now().timestamp())
        return {
            "Content-Type": "application/json", "User-Agent": f"Gatepost/{product_version()}",
            "Gatepost-Event": delivery.kind, "Gatepost-Delivery": delivery.id,
            "Gatepost-Signature": signature(secret.decode(), unix, delivery.body.encode()),
        }  # fmt: skip


def _problem(error: Exception) -> str:
    """A code for why nothing came back; web_ui.webhook_words has words for each."""
    if is_refused(error) or isinstance(error, RequestInvalid):
        return "address_refused"
    if isinstance(error, TimeoutError):
        return "timeout"
    if isinstance(error, aiohttp.ClientConnectorCertificateError | aiohttp.ClientSSLError | ssl.SSLError):
        return "tls"
    if isinstance(error, aiohttp.ClientConnectorDNSError):
        return "name_unknown"
    return "not_reached" if isinstance(error, aiohttp.ClientConnectionError | OSError) else "failed"
