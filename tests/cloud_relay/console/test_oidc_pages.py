"""Signing in with a real provider, a process of its own."""

from collections.abc import AsyncIterator
from contextlib import asynccontextmanager
from pathlib import Path

from cloud_relay.config import Http, Oidc, Settings
from cloud_relay.fleet.roles import Role
from tests.doubles.console import Console, Page, Person, running_console
from tests.doubles.demo_processes import free_port
from tests.doubles.provider import real_provider

PEOPLE = (
    {"sub": "known", "email": "admin@acme.example", "email_verified": True, "name": "Ann"},
    {"sub": "invited", "email": "new@example.com", "email_verified": True, "name": "New"},
    {"sub": "unverified", "email": "admin@acme.example", "email_verified": False},
    {"sub": "stranger", "email": "stranger@example.com", "email_verified": True},
)


@asynccontextmanager
async def with_provider(folder: Path) -> AsyncIterator[Console]:
    async with real_provider(*PEOPLE) as issuer:
        oidc = Oidc(issuer=issuer, client_id="gatepost", client_secret="secret", name="Acme login")
        settings = Settings(data_dir=folder, http=Http(bind="127.0.0.1", port=free_port(0)), oidc=oidc)
        async with running_console(folder, settings) as console:
            yield console


async def come_in(person: Person, subject: str) -> Page:
    """Over to the provider's page, "I am SUBJECT" there, and back."""
    async with person.http.get(f"{person.url}/sign-in/provider?next=/account") as response:
        assert response.status == 200
        there = response.url
    async with person.http.post(there, data={"sub": subject, "action": "authorize"}) as response:
        return await person._page(response)


async def test_the_whole_way_with_a_real_provider(tmp_path: Path) -> None:
    async with with_provider(tmp_path) as console:
        before = await console.member()
        browser = await console.stranger()
        assert "Acme login" in (await browser.get("/sign-in")).text
        page = await come_in(browser, "known")
        assert (page.status, page.path) == (200, "/account")
        assert "admin@acme.example" in page.text
        assert (await before.get("/account")).path.startswith("/sign-in"), "whoever had it may be somebody else"
        assert (await before.sign_in()).status == 401
        again = await console.stranger()
        assert (await come_in(again, "known")).path == "/account"

        for subject, words in (("unverified", "has not checked"), ("stranger", "Ask an administrator")):
            refused = await come_in(await console.stranger(), subject)
            assert refused.status == 401
            assert words in refused.text

        admin = await console.member(email="other@acme.example")
        await admin.post(f"{admin.base}/team/invitations", {"email": "new@example.com", "role": "support"})
        invited = await console.stranger()
        assert (await come_in(invited, "invited")).path == "/account"
        assert (await invited.get(admin.base)).status == 200
        assert (await invited.post(f"{admin.base}/jobs/new", {"site": "X"})).status == 403


async def test_without_a_provider_there_is_no_such_page(tmp_path: Path) -> None:
    async with running_console(tmp_path) as console:
        person = await console.person(Role.ADMIN)
        assert (await person.get("/sign-in/provider")).status == 404
        assert "/sign-in/provider" not in (await person.get("/sign-in")).text
