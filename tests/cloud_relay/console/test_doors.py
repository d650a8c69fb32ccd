"""Ways in: an invitation, a new password. The second factor: test_account_pages.py."""

import re
from collections.abc import AsyncIterator
from pathlib import Path

import pytest

from cloud_relay.config import Http, Mail, Settings
from cloud_relay.fleet.roles import Role
from tests.doubles.console import Console, Person, running_console
from tests.doubles.post_office import PostOffice, post_office

NEW = "quite another password"


@pytest.fixture
async def office() -> AsyncIterator[PostOffice]:
    async with post_office() as opened:
        yield opened


@pytest.fixture
async def console(tmp_path: Path, office: PostOffice) -> AsyncIterator[Console]:
    mail = Mail(host="127.0.0.1", port=office.port, tls="none")
    settings = Settings(data_dir=tmp_path, http=Http(bind="127.0.0.1", port=0), mail=mail)
    async with running_console(tmp_path, settings) as running:
        yield running


async def invited(admin: Person, email: str, role: str = "operator") -> str:
    """The path of the invitation."""
    page = await admin.post(f"{admin.base}/team/invitations", {"email": email, "role": role})
    assert page.status == 200, page.text
    return "/invitation" + re.findall(r"/invitation(\?token=gi1_[\w-]{43})", page.text)[0]


async def test_an_invited_stranger_makes_an_account_and_is_in(console: Console, office: PostOffice) -> None:
    admin = await console.member()
    path = await invited(admin, "new@example.com")
    letter = await office.letter()
    assert letter["To"] == "new@example.com"
    assert path.partition("=")[2] in letter.get_content()
    stranger = await console.stranger()
    token = path.partition("=")[2]
    assert "Join Acme" in (await stranger.get(path)).text
    short = await stranger.post("/invitation", {"token": token, "name": "New", "password": "short"})
    assert short.status == 400
    assert 'value="New"' in short.text
    page = await stranger.post("/invitation", {"token": token, "name": "New", "password": NEW})
    assert page.path == admin.base
    assert (await stranger.post(f"{admin.base}/team/name", {"name": "X"})).status == 403, "an operator"
    assert (await stranger.get(path)).status == 410, "used"


async def test_somebody_with_an_account_signs_in_and_joins(console: Console) -> None:
    admin, other = await console.member(), await console.person(Role.ADMIN, "Other", "both@example.com")
    path = await invited(admin, "both@example.com", "support")
    token = path.partition("=")[2]
    assert "Sign in and join" in (await other.get(path)).text
    refused = await other.post("/invitation", {"token": token, "name": "X", "password": NEW})
    assert refused.path.startswith("/sign-in"), "nobody sets a password for an account that has one"
    await other.sign_in()
    assert "Join as both@example.com" in (await other.get(path)).text
    assert (await other.post("/invitation", {"token": token})).path == admin.base


async def test_an_invitation_that_is_none_says_so(console: Console) -> None:
    stranger = await console.stranger()
    page = await stranger.get("/invitation?token=gi1_" + "x" * 43)
    assert page.status == 410
    assert "has ended" in page.text


async def test_a_forgotten_password_is_replaced_by_letter(console: Console, office: PostOffice) -> None:
    person, signed_in = await console.person(), await console.member()
    known = await person.post("/forgot", {"email": "ADMIN@acme.example"})
    unknown = await person.post("/forgot", {"email": "nobody@acme.example"})
    assert (known.status, known.text) == (unknown.status, unknown.text)
    letter = await office.letter()
    assert office.came.empty()
    path = "/new-password" + re.findall(r"/new-password(\?token=gr1_[\w-]{43})", letter.get_content())[0]
    token = path.partition("=")[2]
    assert (await person.get(path)).status == 200
    assert (await person.post("/new-password", {"token": token, "password": "short"})).status == 400
    assert (await person.post("/new-password", {"token": token, "password": NEW})).path.startswith("/sign-in")
    assert (await signed_in.get("/account")).path.startswith("/sign-in"), "every browser is signed out"
    assert (await person.sign_in(NEW)).path == person.base
    assert (await person.post("/new-password", {"token": token, "password": NEW + "2"})).status == 410, "used"


async def test_asking_too_often_is_stopped(console: Console, office: PostOffice) -> None:
    person = await console.person()
    statuses = [(await person.post("/forgot", {"email": person.email})).status for _ in range(12)]
    assert statuses[0] == 200
    assert statuses[-1] == 429


async def test_without_letters_the_page_says_what_to_do(tmp_path: Path) -> None:
    async with running_console(tmp_path / "other") as console:
        person = await console.member()
        assert "cloud-relay user link" in (await person.get("/forgot")).text
        page = await person.post(f"{person.base}/team/invitations", {"email": "new@example.com", "role": "support"})
        assert "Hand this link to new@example.com" in page.text
