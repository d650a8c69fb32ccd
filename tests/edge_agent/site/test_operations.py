"""What an operator can do at the box by command."""

import pytest

from edge_agent.site.operations import Operations
from sitelink.errors import NotFound, RequestInvalid
from tests.doubles.core import INSTALLER, Core

FILE = {"number": "7", "site": {"name": "Yard"}, "charge_points": [{"name": "Bay 1", "identity": "CP1"}]}


def operations() -> tuple[Core, Operations]:
    core = Core()
    return core, Operations(core.jobs, lambda token: f"http://box/j#{token}")


async def test_the_operators_part_from_import_to_archive() -> None:
    core, box = operations()
    made = await box.run("job.import", {"file": FILE})
    assert made["link"] == f"http://box/j#{made['token']}"
    assert core.jobs.link_of_token(made["token"]) is not None
    assert (await box.run("job.activate", {"job": "7", "charge_point": "Bay 1"}))["changed"] == 1
    assert (await box.run("job.list", {}))[0]["active"] == 1
    assert (await box.run("job.activate", {"job": "7", "active": False}))["changed"] == 1
    await box.run("job.note", {"job": "7", "charge_point": "CP1", "text": "hi", "name": "Office"})
    assert core.row("Bay 1").notes[0].by.name == "Office"
    await core.jobs.complete(core.job().id, INSTALLER, activate_all=True)
    assert (await box.run("job.reopen", {"job": "7"}))["status"] == "open"
    assert (await box.run("job.archive", {"job": "7"}))["status"] == "archived"
    assert (await box.run("job.export", {"job": "7"}))["charge_points"][0]["name"] == "Bay 1"


async def test_each_link_has_its_own_token_and_admin_tokens_open_no_job() -> None:
    core, box = operations()
    first = await box.run("job.import", {"file": FILE})
    second = await box.run("job.link", {"job": first["job"]})
    admin = await box.run("token.new", {"name": "laptop"})
    assert len({first["token"], second["token"], admin["token"]}) == 3
    assert core.jobs.link_of_token(admin["token"]) is None
    assert core.jobs.is_admin_token(admin["token"])
    assert not core.jobs.is_admin_token(first["token"])


async def test_a_revoked_admin_token_opens_nothing_and_jobs_keep_their_links() -> None:
    core, box = operations()
    job = await box.run("job.import", {"file": FILE})
    lost, kept = [(await box.run("token.new", {"name": name}))["token"] for name in ("laptop", "office")]
    signed_in = core.jobs.admin_link_of_token(lost)
    assert signed_in is not None
    assert (await box.run("token.revoke", {"token": "laptop"}))["revoked"] == [signed_in.id]
    assert not core.jobs.is_admin_token(lost)
    assert core.jobs.admin_link(signed_in.id) is None, "who is signed in with it is so no longer"
    assert core.jobs.is_admin_token(kept)
    link = core.jobs.link_of_token(job["token"])
    assert link is not None
    with pytest.raises(NotFound):
        await box.run("token.revoke", {"token": link.id})
    assert core.jobs.link_of_token(job["token"]) == link


async def test_a_link_made_instead_ends_the_others() -> None:
    core, box = operations()
    first = await box.run("job.import", {"file": FILE})
    second = await box.run("job.link", {"job": "7", "instead": True})
    old, new = (core.jobs.link_of_token(made["token"]) for made in (first, second))
    assert old is not None
    assert old.revoked_at is not None
    assert new is not None
    assert new.revoked_at is None


async def test_no_token_is_ever_in_an_op() -> None:
    core, box = operations()
    made = await box.run("job.import", {"file": FILE})
    admin = await box.run("token.new", {"name": "laptop"})
    written = "".join(map(repr, core.journal.recorded))
    assert made["token"] not in written
    assert admin["token"] not in written


async def test_what_is_not_there_is_said() -> None:
    _, box = operations()
    with pytest.raises(NotFound):
        await box.run("job.link", {"job": "99"})
    with pytest.raises(NotFound):
        await box.run("job.dance", {})
    await box.run("job.import", {"file": FILE})
    with pytest.raises(RequestInvalid):
        await box.run("job.note", {"job": "7", "text": "to whom?"})
