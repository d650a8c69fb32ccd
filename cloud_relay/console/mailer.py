"""Sends letters that are on their way, by SMTP. Start at `Mailer.run`."""

import asyncio
from email.message import EmailMessage
from email.utils import formatdate, make_msgid
from typing import Any
from urllib.parse import urlsplit

import aiosmtplib
import structlog
from aiohttp import web

from cloud_relay.config import Mail as MailSettings
from cloud_relay.fleet import post
from cloud_relay.fleet.ports import Store
from cloud_relay.fleet.records import Mail
from sitelink.clock import Clock
from sitelink.errors import StoreUnavailable

log = structlog.get_logger()

MAILS: web.AppKey["Mailer | None"] = web.AppKey("mails")
"""None: this cloud sends no letters."""
LOOKED_EVERY_S = 5.0
SMTP_WITHIN_S = 20.0
"""Each step of it."""
SENT_WITHIN_S = 60.0
"""The whole; shorter than `post.TAKEN_FOR`, so that no other node takes it meanwhile."""
NEVER = range(500, 600)
"""Answers of a server after which trying again is no use. Source: RFC 5321 §4.2.1."""


class Mailer:
    """`hurry` is called when a letter was written."""

    def __init__(self, settings: MailSettings, store: Store, clock: Clock, public_url: str) -> None:
        self._settings = settings
        self._store = store
        self._clock = clock
        self._sender = settings.sender or f"gatepost@{urlsplit(public_url).hostname or 'localhost'}"
        self._written = asyncio.Event()

    def hurry(self) -> None:
        self._written.set()

    async def run(self) -> None:
        """Until cancelled."""
        while True:
            try:
                while await self._send_one():
                    pass
            except StoreUnavailable as error:
                log.warning("mail_waits", reason=error.fields.get("reason"))
            self._written.clear()
            try:
                async with asyncio.timeout(LOOKED_EVERY_S):
                    await self._written.wait()
            except TimeoutError:
                pass

    async def _send_one(self) -> bool:
        """Whether there was one."""
        mail = await self._store.write(lambda books: post.take(books, self._clock.now()))
        if mail is not None:
            await self._send(mail)
            _end_if_cancelled()
        return mail is not None

    async def _send(self, mail: Mail) -> None:
        noted = post.note_sent
        try:
            async with asyncio.timeout(SENT_WITHIN_S):
                await aiosmtplib.send(self._message(mail), **self._options())
        except (aiosmtplib.SMTPException, OSError, TimeoutError, ValueError) as error:
            codes, final = _codes(error), _is_final(error)
            noted = post.note_refused if final else post.note_failed
            log.warning("mail_not_sent", mail=mail.id, codes=codes, problem=type(error).__name__, final=final)
        await self._store.write(lambda books: noted(books, mail, self._clock.now()))

    def _message(self, mail: Mail) -> EmailMessage:
        """Raises ValueError where an address or the subject cannot stand in a header."""
        message = EmailMessage()
        message["From"] = self._sender
        message["To"] = mail.recipient
        message["Subject"] = mail.subject
        message["Date"] = formatdate(mail.created_at.timestamp())
        message["Message-ID"] = make_msgid(mail.id, self._sender.partition("@")[2])
        message["Auto-Submitted"] = "auto-generated"
        message.set_content(mail.body)
        return message

    def _options(self) -> dict[str, Any]:
        chosen = self._settings
        return {
            "hostname": chosen.host, "port": chosen.port, "timeout": SMTP_WITHIN_S,
            "username": chosen.user or None, "password": chosen.password or None,
            "use_tls": chosen.tls == "tls", "start_tls": chosen.tls == "starttls",
        }  # fmt: skip


def _codes(error: Exception) -> list[int]:
    """What the server answered, if it did."""
    if isinstance(error, aiosmtplib.SMTPRecipientsRefused):
        return [each.code for each in error.recipients]
    return [error.code] if isinstance(error, aiosmtplib.SMTPResponseException) else []


def _is_final(error: Exception) -> bool:
    """Whether it is this letter that is never taken. A server that does not know us, or wants a name and a password
    first, may know better once somebody has put the settings right."""
    of_the_letter = isinstance(error, aiosmtplib.SMTPRecipientsRefused | aiosmtplib.SMTPDataError)
    return isinstance(error, ValueError) or (of_the_letter and all(code in NEVER for code in _codes(error)))


def _end_if_cancelled() -> None:
    """A cancellation that came while a letter went out may have got lost there (`asyncio.wait_for` before 3.12)."""
    task = asyncio.current_task()
    if task is not None and task.cancelling():
        raise asyncio.CancelledError
