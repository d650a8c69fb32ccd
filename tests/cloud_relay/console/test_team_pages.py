"""The team's people, invitations and tokens."""

import asyncio
import re
from collections.abc import AsyncIterator
from pathlib import Path

import pytest

from cloud_relay.config import Http, Mail, Settings
from cloud_relay.fleet.roles import Role
from tests.doubles.console import Console, running_console
from tests.doubles.post_office import post_office


@pytest.fixture
async def console(tmp_path: Path) -> AsyncIterator[Console]:
    async with running_console(tmp_path) as running:
        yield running


async def test_roles_change_and_people_leave(console: Console) -> None:
    admin, other = await console.member(), await console.member(Role.SUPPORT)
    ids = re.findall(r"/team/members/([\w-]{36})/role", (await admin.get(f"{admin.base}/team")).text)
    own, theirs = sorted(ids, key=lambda each: each != ids[0])
    page = await admin.post(f"{admin.base}/team/members/{own}/role", {"role": "support"})
    assert page.status == 409
    assert "last administrator" in page.text
    assert (await admin.post(f"{admin.base}/team/members/{theirs}/role", {"role": "operator"})).status == 200
    assert "New job" in (await other.get(f"{other.base}/jobs")).text
    assert (await admin.post(f"{admin.base}/team/members/{theirs}/role", {"role": "king"})).status == 400
    assert (await admin.post(f"{admin.base}/team/members/{theirs}/remove")).status == 200
    assert (await other.get(other.base)).status == 404, "at once"


async def test_who_gives_up_their_own_role_or_leaves_is_shown_where_they_may_be(console: Console) -> None:
    await console.member()
    second, third = await console.member(email="b@acme.example"), await console.member(email="c@acme.example")
    for person, what, fields, path in (
        (second, "role", {"role": "auditor"}, second.base),
        (third, "remove", {}, "/"),
    ):
        text = (await person.get(f"{person.base}/team")).text
        own = re.findall(r">you<.*?/team/members/([\w-]{36})/role", text, re.DOTALL)[0]
        page = await person.post(f"{person.base}/team/members/{own}/{what}", fields)
        assert (page.status, page.path) == (200, path)


async def test_what_is_wrong_is_said_at_the_field_and_what_was_typed_stays(console: Console) -> None:
    admin = await console.member()
    page = await admin.post(f"{admin.base}/team/invitations", {"email": "<nobody>", "role": "support"})
    assert re.search(r'id="email"[^>]*value="&lt;nobody&gt;"[^>]*aria-invalid="true"', page.text)
    assert re.search(r'id="role"[^>]*>.*?value="support" selected>', page.text)
    page = await admin.post(f"{admin.base}/team/tokens", {"name": "ci", "right team:write": "1", "days": "0"})
    assert re.search(r'id="days"[^>]*value="0"[^>]*aria-invalid="true"', page.text)
    assert 'value="ci"' in page.text
    assert re.findall(r'name="right ([\w:-]+)" value="1" checked', page.text) == ["team:write"]
    page = await admin.post(f"{admin.base}/team/name", {"name": " "})
    assert re.search(r'id="name"[^>]*aria-invalid="true"', page.text)


async def test_what_became_of_a_letter_is_shown(tmp_path: Path) -> None:
    async with post_office() as office:
        mail = Mail(host="127.0.0.1", port=office.port, tls="none")
        settings = Settings(data_dir=tmp_path, http=Http(bind="127.0.0.1", port=0), mail=mail)
        async with running_console(tmp_path, settings) as console:
            admin = await console.member()
            office.rcpt_answers = ["550 nobody here"]
            await admin.post(f"{admin.base}/team/invitations", {"email": "new@example.com", "role": "support"})
            async with asyncio.timeout(15):
                await office.refused.wait()
                text = ""
                while "on its way" in (text := (await admin.get(f"{admin.base}/team")).text):
                    pass
            assert "refused: is the address right?" in text


async def test_a_token_is_shown_once_and_is_good_for_what_was_ticked(console: Console) -> None:
    admin = await console.member()
    page = await admin.post(f"{admin.base}/team/tokens", {"name": "ci", "right sites:read": "1", "days": "30"})
    token = re.findall(r"gc1_[\w-]{43}", page.text)[0]
    assert token not in (await admin.get(f"{admin.base}/team")).text
    headers = {"Authorization": f"Bearer {token}"}
    assert (await admin.http.get(f"{console.url}/api/v1/sites", headers=headers)).status == 200
    assert (await admin.http.post(f"{console.url}/api/v1/sites", headers=headers, json={"name": "X"})).status == 403
    ended = re.findall(r"/team/tokens/([\w-]{36})/revoke", page.text)[0]
    assert "revoked" in (await admin.post(f"{admin.base}/team/tokens/{ended}/revoke")).text
    assert (await admin.http.get(f"{console.url}/api/v1/sites", headers=headers)).status == 401
    for wrong in (
        {"name": "ci"},
        {"name": "", "right sites:read": "1"},
        {"name": "x", "right sites:read": "1", "days": "x"},
    ):
        assert (await admin.post(f"{admin.base}/team/tokens", wrong)).status == 400


async def test_invitations_are_listed_and_taken_back(console: Console) -> None:
    admin = await console.member()
    await admin.post(f"{admin.base}/team/invitations", {"email": "new@example.com", "role": "support"})
    text = (await admin.get(f"{admin.base}/team")).text
    assert "new@example.com" in text
    assert "gi1_" not in text
    id_ = re.findall(r"/team/invitations/([\w-]{36})/revoke", text)[0]
    assert "new@example.com" not in (await admin.post(f"{admin.base}/team/invitations/{id_}/revoke")).text
    assert (await admin.post(f"{admin.base}/team/invitations", {"email": "nobody", "role": "support"})).status == 400
    taken = await admin.post(f"{admin.base}/team/invitations", {"email": admin.email, "role": "support"})
    assert taken.status == 409


async def test_only_administrators_change_anything(console: Console) -> None:
    await console.member()
    person = await console.member(Role.OPERATOR)
    text = (await person.get(f"{person.base}/team")).text
    assert "Invite somebody" not in text
    for path in (
        "name",
        "members/x/role",
        "members/x/remove",
        "invitations",
        "invitations/x/revoke",
        "tokens",
        "tokens/x/revoke",
    ):
        assert (await person.post(f"{person.base}/team/{path}", {"role": "admin"})).status == 403, path
    auditor = await console.member(Role.AUDITOR)
    assert (await auditor.get(f"{auditor.base}/team")).status == 403


async def test_another_teams_people_and_tokens_are_not_there(console: Console) -> None:
    ours, theirs = await console.member(), await console.member(team="Other")
    page = await ours.post(f"{ours.base}/team/tokens", {"name": "ci", "right sites:read": "1"})
    token = re.findall(r"/team/tokens/([\w-]{36})/revoke", page.text)[0]
    await ours.post(f"{ours.base}/team/invitations", {"email": "new@example.com", "role": "support"})
    text = (await ours.get(f"{ours.base}/team")).text
    invitation = re.findall(r"/team/invitations/([\w-]{36})/revoke", text)[0]
    user = re.findall(r"/team/members/([\w-]{36})/role", text)[0]
    for path in (
        f"tokens/{token}/revoke",
        f"invitations/{invitation}/revoke",
        f"members/{user}/remove",
        f"members/{user}/role",
    ):
        assert (await theirs.post(f"{theirs.base}/team/{path}", {"role": "support"})).status == 404, path
        assert (await theirs.post(f"{ours.base}/team/{path}", {"role": "support"})).status == 404, path
