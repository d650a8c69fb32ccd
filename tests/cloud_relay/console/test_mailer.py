"""Letters by SMTP, to a real server."""

import asyncio
from collections.abc import AsyncIterator
from contextlib import asynccontextmanager
from pathlib import Path

import pytest

from cloud_relay.config import Mail as MailSettings
from cloud_relay.console.mailer import Mailer
from cloud_relay.fleet import post
from cloud_relay.fleet.records import Mail
from cloud_relay.store.store import Store, open_store
from tests.doubles.clock import FakeClock
from tests.doubles.post_office import PostOffice, post_office


@asynccontextmanager
async def sending(folder: Path, office: PostOffice) -> AsyncIterator[tuple[Store, Mailer, FakeClock]]:
    clock = FakeClock()
    settings = MailSettings(host="127.0.0.1", port=office.port, tls="none")
    with open_store("", folder, 1) as store:
        mailer = Mailer(settings, store, clock, "https://cloud.example")
        task = asyncio.ensure_future(mailer.run())
        try:
            yield store, mailer, clock
        finally:
            task.cancel()
            with pytest.raises(asyncio.CancelledError):
                await task


async def written(store: Store, mailer: Mailer, clock: FakeClock, recipient: str = "ann@example.com") -> Mail:
    mail = await store.write(lambda books: post.write(books, recipient, "Grüße", "Hello\n.\nyou", clock.now()))
    mailer.hurry()
    return mail


async def outcome(store: Store, mail: Mail) -> Mail:
    async with asyncio.timeout(15):
        while True:
            kept = await store.read(lambda books: books.mails.of(mail.id))
            assert kept is not None
            if kept.tries:
                return kept
            await asyncio.sleep(0.02)


async def test_a_letter_arrives_as_it_was_written(tmp_path: Path) -> None:
    async with post_office() as office, sending(tmp_path, office) as (store, mailer, clock):
        mail = await written(store, mailer, clock)
        letter = await office.letter()
        assert (letter["To"], letter["From"], letter["Subject"]) == (
            "ann@example.com", "gatepost@cloud.example", "Grüße",
        )  # fmt: skip
        assert letter.get_content().split() == ["Hello", ".", "you"]
        assert mail.id in letter["Message-ID"]
        assert (await outcome(store, mail)).outcome == "sent"


async def test_what_fails_is_tried_again_and_what_is_refused_is_not(tmp_path: Path) -> None:
    async with post_office() as office, sending(tmp_path, office) as (store, mailer, clock):
        office.answers = ["451 later"]
        mail = await written(store, mailer, clock)
        assert (await outcome(store, mail)).outcome is None
        clock.advance(post.FIRST_PAUSE.total_seconds())
        mailer.hurry()
        assert (await office.letter())["To"] == "ann@example.com"
        office.answers = ["550 never"]
        refused = await written(store, mailer, clock)
        assert (await outcome(store, refused)).outcome == "refused"


async def test_an_address_that_would_write_headers_is_refused(tmp_path: Path) -> None:
    async with post_office() as office, sending(tmp_path, office) as (store, mailer, clock):
        mail = await written(store, mailer, clock, "ann@example.com\r\nBcc: all@example.com")
        assert (await outcome(store, mail)).outcome == "refused"
        assert office.came.empty()


async def test_it_ends_in_the_middle_of_a_letter(tmp_path: Path) -> None:
    async with post_office() as office:
        async with sending(tmp_path, office) as (store, mailer, clock):
            await written(store, mailer, clock)
            await office.letter()
        async with asyncio.timeout(10), sending(tmp_path, office) as (store, mailer, clock):
            await written(store, mailer, clock)
