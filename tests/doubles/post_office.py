"""A server that takes letters: a real SMTP server on loopback. Start at `post_office`."""

import asyncio
from collections.abc import AsyncIterator
from contextlib import asynccontextmanager
from dataclasses import dataclass, field
from email import message_from_bytes, policy
from email.message import EmailMessage
from typing import Any

from aiosmtpd.smtp import SMTP, AuthResult


@dataclass
class PostOffice:
    """It knows nobody who signs in.

    `answers`: what it says to the next letters instead of taking them; `rcpt_answers`: to the next
    recipients. `refused`: it has said such a thing to one.
    """

    port: int = 0
    answers: list[str] = field(default_factory=list)
    rcpt_answers: list[str] = field(default_factory=list)
    refused: asyncio.Event = field(default_factory=asyncio.Event)
    came: asyncio.Queue[EmailMessage] = field(default_factory=asyncio.Queue)

    async def handle_RCPT(  # noqa: N802 -- aiosmtpd's name
        self, _server: Any, _session: Any, envelope: Any, address: str, _options: list[str]
    ) -> str:
        if self.rcpt_answers:
            self.refused.set()
            return self.rcpt_answers.pop(0)
        envelope.rcpt_tos.append(address)
        return "250 known"

    async def handle_DATA(self, _server: Any, _session: Any, envelope: Any) -> str:  # noqa: N802 -- aiosmtpd's name
        if self.answers:
            return self.answers.pop(0)
        self.came.put_nowait(message_from_bytes(envelope.content, policy=policy.default))
        return "250 taken"

    async def letter(self) -> EmailMessage:
        async with asyncio.timeout(15):
            return await self.came.get()


def _nobody(*_asked: Any) -> AuthResult:
    return AuthResult(success=False, handled=False)


@asynccontextmanager
async def post_office() -> AsyncIterator[PostOffice]:
    office = PostOffice()
    server = await asyncio.get_running_loop().create_server(
        lambda: SMTP(
            office, enable_SMTPUTF8=True, hostname="post.example", auth_require_tls=False, authenticator=_nobody
        ),
        "127.0.0.1",
        0,
    )
    office.port = server.sockets[0].getsockname()[1]
    try:
        yield office
    finally:
        server.close()
        await server.wait_closed()
