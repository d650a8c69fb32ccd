"""Webhooks for people, without script."""

import asyncio
import re
from collections.abc import AsyncIterator
from pathlib import Path

import pytest

from cloud_relay.config import Http, Settings, Webhooks
from cloud_relay.fleet.roles import Role
from tests.doubles.console import Console, Page, Person, running_console
from tests.doubles.receiver import Receiver, receiver


@pytest.fixture
async def console(tmp_path: Path) -> AsyncIterator[Console]:
    settings = Settings(data_dir=tmp_path, http=Http(bind="127.0.0.1", port=0), webhooks=Webhooks(allow_http=True))
    async with running_console(tmp_path, settings) as running:
        yield running


@pytest.fixture
async def there() -> AsyncIterator[Receiver]:
    async with receiver() as running:
        yield running


async def made(person: Person, url: str) -> tuple[str, Page]:
    """The path of the new webhook's page, and the answer."""
    page = await person.post(f"{person.base}/webhooks/new", {"url": url, "name": "Desk <1>", "everything": "1"})
    assert page.status == 200, page.text
    (path,) = set(re.findall(r'action="(/t/[^"]+/webhooks/[\w-]{36})"', page.text))
    return path, page


async def text_with(person: Person, path: str, words: str) -> str:
    """The page, once it says so."""
    async with asyncio.timeout(10):
        while True:
            text = (await person.get(path)).text
            if words in text:
                return text
            await asyncio.sleep(0.05)


async def test_a_webhook_is_made_and_its_secret_shown_once(console: Console, there: Receiver) -> None:
    person = await console.member()
    assert "No webhooks yet" in (await person.get(f"{person.base}/webhooks")).text
    path, page = await made(person, there.url)
    (secret,) = re.findall(r"gh1_[\w-]{43}", page.text)
    listed = await person.get(f"{person.base}/webhooks")
    assert "Desk &lt;1&gt;" in listed.text
    for found in (listed, await person.get(path), await person.get(f"{person.base}/audit")):
        assert secret not in found.text
    again = await person.post(f"{path}/rotate-secret")
    (other,) = re.findall(r"gh1_[\w-]{43}", again.text)
    assert other != secret


async def test_a_test_is_sent_seen_in_the_log_and_sent_again(console: Console, there: Receiver) -> None:
    person = await console.member()
    path, _ = await made(person, there.url)
    assert (await person.post(f"{path}/test")).path == path
    letter = await there.letter()
    (resend,) = re.findall(r'action="([^"]+/resend)"', await text_with(person, path, "status 200"))
    assert (await person.post(resend)).path == path
    again = await there.letter()
    assert again.headers["Gatepost-Delivery"] == letter.headers["Gatepost-Delivery"]
    assert (await person.post(f"{path}/deliveries/none/resend")).status == 404


async def test_it_is_turned_off_and_on_changed_and_removed(console: Console, there: Receiver) -> None:
    person = await console.member()
    path, _ = await made(person, there.url)
    assert ">off</p>" in (await person.post(f"{path}/enabled")).text
    assert ">on</p>" in (await person.post(f"{path}/enabled", {"on": "1"})).text
    page = await person.post(path, {"url": there.url, "name": "Other", "kind job.created": "1"})
    assert "<h1>Other</h1>" in page.text
    assert "1 kind<" in (await person.get(f"{person.base}/webhooks")).text
    page = await person.post(f"{path}/remove")
    assert "No webhooks yet" in page.text
    assert (await person.get(path)).status == 404


async def test_what_is_wrong_is_said_at_its_field_and_what_was_typed_stays(console: Console) -> None:
    person = await console.member()
    url = f"{person.base}/webhooks/new"
    page = await person.post(url, {"url": "nonsense", "name": "Kept", "everything": "1"})
    assert page.status == 400
    assert 'aria-describedby="e-url"' in page.text
    assert 'value="Kept"' in page.text
    page = await person.post(url, {"url": "https://example.com/", "name": "Kept"})
    assert page.status == 400
    assert 'id="e-events"' in page.text
    assert "No webhooks yet" in (await person.get(f"{person.base}/webhooks")).text


@pytest.mark.parametrize("role", [Role.OPERATOR, Role.SUPPORT])
async def test_only_administrators_see_them(console: Console, role: Role) -> None:
    person = await console.member(role)
    assert "/webhooks" not in (await person.get(person.base)).text
    assert (await person.get(f"{person.base}/webhooks")).status == 403
    assert (await person.post(f"{person.base}/webhooks/new", {"url": "https://example.com/"})).status == 403
