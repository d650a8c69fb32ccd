"""Letters by SMTP, to a real server."""

import asyncio
from collections.abc import AsyncIterator
from contextlib import asynccontextmanager
from pathlib import Path
from typing import Any

import pytest

from cloud_relay.config import Mail as MailSettings
from cloud_relay.console.mailer import Mailer
from cloud_relay.fleet import post
from cloud_relay.fleet.records import Mail
from cloud_relay.store.store import Store, open_store
from tests.doubles.clock import FakeClock
from tests.doubles.post_office import PostOffice, post_office


@asynccontextmanager
async def sending(folder: Path, office: PostOffice, **chosen: Any) -> AsyncIterator[tuple[Store, Mailer, FakeClock]]:
    clock = FakeClock()
    settings = MailSettings(host="127.0.0.1", port=office.port, **{"tls": "none", **chosen})
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


@pytest.mark.parametrize(("answer", "ended"), [("450 greylisted, come back", None), ("550 nobody here", "refused")])
async def test_a_recipient_who_is_not_taken_now_may_be_later(tmp_path: Path, answer: str, ended: str | None) -> None:
    async with post_office() as office, sending(tmp_path, office) as (store, mailer, clock):
        office.rcpt_answers = [answer]
        mail = await written(store, mailer, clock)
        assert (await outcome(store, mail)).outcome == ended
        clock.advance(post.FIRST_PAUSE.total_seconds())
        mailer.hurry()
        if ended is None:
            assert (await office.letter())["To"] == "ann@example.com"


async def test_wrong_settings_lose_no_letter(tmp_path: Path) -> None:
    async with post_office() as office, sending(tmp_path, office, tls="starttls") as (store, mailer, clock):
        mail = await written(store, mailer, clock)
        assert (await outcome(store, mail)).outcome is None, "it does not speak TLS"
    async with (
        post_office() as office,
        sending(tmp_path, office, user="gatepost", password="x") as (store, mailer, clock),
    ):
        mail = await written(store, mailer, clock)
        assert (await outcome(store, mail)).outcome is None, "it does not know us"
    async with sending(tmp_path, office) as (store, mailer, clock):
        mail = await written(store, mailer, clock)
        assert (await outcome(store, mail)).outcome is None, "it is not there any more"


async def test_of_several_nodes_one_sends(store: Store) -> None:
    async with post_office() as office:
        settings = MailSettings(host="127.0.0.1", port=office.port, tls="none")
        clock = FakeClock()
        recipients = [f"p{number}@example.com" for number in range(12)]
        sent = [
            await store.write(lambda books, to=to: post.write(books, to, "Hello", "you", clock.now()))  # type: ignore[misc]
            for to in recipients
        ]
        nodes = [Mailer(settings, store, clock, "https://cloud.example") for _ in range(3)]
        tasks = [asyncio.ensure_future(node.run()) for node in nodes]
        letters = [await office.letter() for _ in sent]
        for mail in sent:
            assert (await outcome(store, mail)).outcome == "sent"
        for task in tasks:
            task.cancel()
            with pytest.raises(asyncio.CancelledError):
                await task
        assert sorted(str(letter["To"]) for letter in letters) == sorted(recipients)
        assert office.came.empty()


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
