"""The jobs service: links, snapshots, commands of the past, and which stations a change concerns."""

import pytest

from edge_agent.site.ports import Trouble
from sitelink.errors import NotFound
from sitelink.ids import CommandId, JobId, StationKey
from sitelink.states import LinkRole
from tests.doubles.core import INSTALLER, Core, job_file


async def test_a_link_is_found_by_its_token_and_by_nothing_near_it() -> None:
    core = Core()
    imported = await core.import_job()
    link = core.jobs.link_of_token(imported.token)
    assert link is not None
    assert (link.job, link.role) == (imported.job, LinkRole.INSTALLER)
    assert core.jobs.link(link.id) == link
    for wrong in (imported.token[:-1], imported.token + "x", "", "gl1_"):
        assert core.jobs.link_of_token(wrong) is None
    assert imported.token.startswith("gl1_")
    assert len(imported.token) == 4 + 43


async def test_a_snapshot_is_what_a_page_is_made_of() -> None:
    core = Core()
    imported = await core.import_job(job_file(open_pairing=False))
    await core.boot("CP001")
    core.journal.fail(Trouble("read_only", core.clock.now()))
    snapshot = core.jobs.snapshot()
    assert snapshot.trouble == "read_only"
    assert snapshot.seq == core.journal.seq
    assert snapshot.pairing_open == {imported.job: False}
    assert snapshot.now == core.clock.now()
    assert not snapshot.relay.configured


async def test_an_edit_concerns_the_station_that_lost_its_row_and_the_one_that_got_it() -> None:
    core = Core()
    imported = await core.import_job()
    core.stations.rechecked.clear()
    await core.jobs.edit(imported.job, core.row("Bay 1").id, INSTALLER, identity="CP009")
    assert core.stations.rechecked == [StationKey("cp001"), StationKey("cp009")]
    core.stations.rechecked.clear()
    await core.jobs.edit(imported.job, core.row("Bay 1").id, INSTALLER, connector=2)
    assert core.stations.rechecked == []


async def test_commands_of_other_jobs_are_not_found() -> None:
    core = Core()
    imported = await core.import_job()
    with pytest.raises(NotFound):
        await core.jobs.command(imported.job, CommandId("nope"))
    with pytest.raises(NotFound):
        core.jobs.record(JobId("nope"))
