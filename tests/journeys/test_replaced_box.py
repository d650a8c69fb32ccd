"""A box dies, another takes its place, and the old one comes back once with what it had."""

from pathlib import Path

from cloud_relay.fleet.replacing import replace_gateway
from cloud_relay.fleet.site_desk import load
from tests.cloud_relay.links.test_app import claim_in
from tests.cloud_relay.links.test_server import cloud_at
from tests.cloud_relay.made import ACT
from tests.doubles.core import INSTALLER, job_file
from tests.edge_agent.relay.test_desk import status
from tests.edge_agent.relay.test_link import bay, box_at, is_in_step, place_in, until


async def test_a_new_box_has_the_jobs_and_the_old_one_hands_over_what_it_had(tmp_path: Path) -> None:
    async with cloud_at(tmp_path / "cloud") as (cloud, url):
        claim = await cloud.store.write(claim_in)
        async with box_at(tmp_path / "old", url, claim) as box:
            job = await box.jobs.import_job(job_file())
            await until(lambda: is_in_step(box))
            (old,) = cloud.gateways.online
        place = place_in(cloud)
    async with box_at(tmp_path / "old", "http://127.0.0.1:9", claim) as box:  # it loses its link, and work goes on
        await box.jobs.add_note(job.job, bay(box).id, INSTALLER, "written while nobody heard it")
    async with cloud_at(tmp_path / "cloud") as (cloud, url):
        new, claim = cloud.store.write_now(lambda books: replace_gateway(books, ACT, place.team, old, "New"))
        assert claim is not None
        async with box_at(tmp_path / "new", url, claim) as fresh:
            await until(lambda: job.job in fresh.jobs.snapshot().state.jobs)
            async with box_at(tmp_path / "old", url, "") as box:
                await until(lambda: bay(fresh).notes)
                assert bay(fresh).notes[0].text == "written while nobody heard it"
                await status(box, backlog_ops=0)
            assert await cloud.gateways.gateway_of(place.site) == new.id, "the new one is shown"
        late = cloud.store.read_now(lambda books: books.logs.of_gateway(old, 0, 99))
        assert {each.disposition for each in late if each.kind == "note.add"} == {"late"}
        assert {each.disposition for each in late if each.kind == "job.import"} == {"applied"}
        state = cloud.store.read_now(lambda books: load(books, place.site, None))
        assert len(state.charge_points[bay(fresh).id].notes) == 1
        async with box_at(tmp_path / "old", url, "") as box:
            assert (await status(box, problem="replaced"))["said"] == "Another box took this one's place."
