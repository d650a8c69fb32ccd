"""One's own account."""

import re
from collections.abc import AsyncIterator
from datetime import UTC, datetime, timedelta
from pathlib import Path

import pyotp
import pytest

from cloud_relay.console.account_pages import browser_words
from tests.doubles.console import PASSWORD, Console, Person, running_console


@pytest.fixture
async def console(tmp_path: Path) -> AsyncIterator[Console]:
    async with running_console(tmp_path) as running:
        yield running


async def with_second_factor(person: Person) -> tuple[str, list[str]]:
    """Its secret and recovery codes."""
    text = (await person.get("/account/second-factor")).text
    secret = re.sub(r"\s", "", re.findall(r'id="key">([^<]+)<', text)[0])
    sealed = re.findall(r'name="secret" value="([\w-]{64})"', text)[0]
    page = await person.post("/account/second-factor", {"secret": sealed, "code": pyotp.TOTP(secret).now()})
    codes = re.findall(r"<code>(\w{5}-\w{5})</code>", page.text)
    assert len(codes) == 10
    return secret, codes


def next_code(secret: str) -> str:
    """Of the step after this one, which the cloud takes too: the present one may be used already."""
    return pyotp.TOTP(secret).at(datetime.now(UTC) + timedelta(seconds=30))  # noqa: TID251 -- an app's clock


async def test_a_new_password_asks_for_the_old_and_ends_other_browsers(console: Console) -> None:
    person, other = await console.member(), await console.member()
    wrong = await person.post("/account/password", {"present": "wrong", "password": "another long one"})
    assert wrong.status == 401
    short = await person.post("/account/password", {"present": PASSWORD, "password": "short"})
    assert short.status == 400
    assert "at least 12 characters" in short.text
    assert (await person.post("/account/password", {"present": PASSWORD, "password": "another long one"})).status == 200
    assert (await person.get(person.base)).status == 200
    assert (await other.get(other.base)).path.startswith("/sign-in")
    assert (await other.sign_in()).status == 401
    assert (await other.sign_in("another long one")).path == other.base


async def test_browsers_are_listed_and_ended(console: Console) -> None:
    person, other = await console.member(), await console.member()
    stranger = await console.member(team="Other")
    text = (await person.get("/account")).text
    ids = re.findall(r"/account/browsers/([\w-]{36})/end", text)
    assert len(ids) == 1, "not one's own"
    assert (await stranger.post(f"/account/browsers/{ids[0]}/end")).status == 404
    assert (await person.post(f"/account/browsers/{ids[0]}/end")).status == 200
    assert (await other.get("/account")).path.startswith("/sign-in")
    await other.sign_in()
    await person.post("/account/browsers/others/end")
    assert (await other.get("/account")).path.startswith("/sign-in")
    assert (await person.get("/account")).status == 200


async def test_the_second_factor_is_asked_for_and_each_code_is_good_once(console: Console) -> None:
    person = await console.member()
    chosen = await person.post("/account/second-factor", {"secret": "A" * 32, "code": pyotp.TOTP("A" * 32).now()})
    assert chosen.status == 400, "nobody chooses their own"
    sealed = re.findall(r'name="secret" value="([\w-]{64})"', (await person.get("/account/second-factor")).text)[0]
    wrong = await person.post("/account/second-factor", {"secret": sealed, "code": "1"})
    assert wrong.status == 401
    assert sealed in wrong.text, "the same again: it is in the app already"
    secret, codes = await with_second_factor(person)
    await person.post("/sign-out")
    page = await person.sign_in()
    assert page.path.startswith("/sign-in/code")
    (before,) = person.http.cookie_jar
    assert (await person.get(person.base)).path.startswith("/sign-in"), "the password alone is not enough"
    assert (await person.post("/account/name", {"name": "Mallory"})).status == 401
    assert (await person.post("/sign-in/code", {"code": "000000"})).status == 401
    code = next_code(secret)
    assert (await person.post("/sign-in/code", {"code": code, "next": person.base})).path == person.base
    (after,) = person.http.cookie_jar
    assert after.value != before.value, "what the browser held before the code opens nothing"
    await person.post("/sign-out")
    await person.sign_in()
    assert (await person.post("/sign-in/code", {"code": code})).status == 401, "used"
    assert (await person.post("/sign-in/code", {"code": codes[0], "next": person.base})).path == person.base
    await person.post("/sign-out")
    await person.sign_in()
    assert (await person.post("/sign-in/code", {"code": codes[0]})).status == 401, "used"


async def test_wrong_codes_close_the_account_for_a_while(console: Console) -> None:
    person = await console.member()
    secret, _ = await with_second_factor(person)
    await person.post("/sign-out")
    await person.sign_in()
    statuses = [(await person.post("/sign-in/code", {"code": "000000"})).status for _ in range(11)]
    assert statuses[-1] == 429
    assert (await person.post("/sign-in/code", {"code": next_code(secret)})).status == 429


async def test_turning_it_off_and_new_codes_ask_for_the_password(console: Console) -> None:
    person = await console.member()
    _, codes = await with_second_factor(person)
    assert (await person.post("/account/second-factor/codes", {"present": "wrong"})).status == 401
    fresh = await person.post("/account/second-factor/codes", {"present": PASSWORD})
    assert codes[0] not in fresh.text
    assert (await person.post("/account/second-factor/off", {"present": "wrong"})).status == 401
    assert "Turn it on" in (await person.post("/account/second-factor/off", {"present": PASSWORD})).text
    await person.post("/sign-out")
    assert (await person.sign_in()).path == person.base


async def test_a_name_is_changed_and_cannot_be_empty(console: Console) -> None:
    person = await console.member()
    assert ">Ann &lt;b&gt;</a>" in (await person.post("/account/name", {"name": "Ann <b>"})).text
    assert (await person.post("/account/name", {"name": " "})).status == 400


@pytest.mark.parametrize(
    ("agent", "words"),
    [
        ("Mozilla/5.0 (Windows NT 10.0; Win64; x64; rv:140.0) Gecko/20100101 Firefox/140.0", "Firefox on Windows"),
        ("Mozilla/5.0 (iPhone; CPU iPhone OS 19_0 like Mac OS X) Version/19.0 Safari/604.1", "Safari on iPhone"),
        ("Mozilla/5.0 (X11; Linux x86_64) Chrome/140.0 Safari/537.36 Edg/140.0", "Edge on Linux"),
        ("curl/8", "A browser"),
    ],
)
def test_a_browser_in_words(agent: str, words: str) -> None:
    assert browser_words(agent) == words
