"""Who is served, and what becomes of those who are not."""

import pytest

from edge_agent.site.admission import MAKE_ROOM_EVERY_S, WAITING_ROOM, Policy
from sitelink.states import Registration
from tests.doubles.core import INSTALLER, Core, job_file


async def test_an_identity_of_an_open_job_is_accepted() -> None:
    core = Core()
    await core.import_job()
    answer = await core.boot("CP001")
    assert (answer.verdict, answer.interval_s) == (Registration.ACCEPTED, 60)


async def test_case_and_blanks_do_not_matter() -> None:
    core = Core()
    await core.import_job()
    assert (await core.boot(" cp001 ")).verdict is Registration.ACCEPTED


async def test_an_unknown_identity_waits_and_is_seen_with_what_it_said() -> None:
    core = Core()
    await core.import_job()
    answer = await core.boot("STRANGER", serial="SN9")
    assert (answer.verdict, answer.reason) == (Registration.PENDING, "unknown_identity")
    (knock,) = core.journal.state.knocks.values()
    assert (knock.identity, knock.vendor, knock.serial, knock.reason) == ("STRANGER", "Acme", "SN9", "unknown_identity")


async def test_claiming_a_waiting_station_asks_it_to_boot_and_takes_it_off_the_list() -> None:
    core = Core()
    job = await core.import_job(job_file([{"name": "Bay 1"}]))
    await core.boot("STRANGER")
    await core.jobs.edit(job.job, core.row("Bay 1").id, INSTALLER, identity="STRANGER")
    assert core.stations.rechecked[-1] == "stranger"
    assert (await core.boot("STRANGER")).verdict is Registration.ACCEPTED
    assert core.journal.state.knocks == {}


async def test_a_caller_that_says_nothing_new_is_not_written_down_again() -> None:
    core = Core()
    for _ in range(50):
        await core.boot("STRANGER")
    assert core.journal.seq == 1
    core.clock.advance(601)
    await core.boot("STRANGER")
    assert core.journal.seq == 2


async def test_the_waiting_room_keeps_the_newest_callers() -> None:
    core = Core()
    for number in range(WAITING_ROOM + 10):
        core.clock.advance(MAKE_ROOM_EVERY_S)
        await core.boot(f"X{number}")
    seen = {knock.identity for knock in core.journal.state.knocks.values()}
    assert len(seen) == WAITING_ROOM
    assert "X0" not in seen
    assert f"X{WAITING_ROOM + 9}" in seen


async def test_a_closed_pairing_window_keeps_new_stations_waiting_until_it_is_opened() -> None:
    core = Core()
    job = await core.import_job(job_file(open_pairing=False))
    assert (await core.boot("CP001")).reason == "pairing_closed"
    assert core.journal.state.stations["cp001"].registration is Registration.PENDING
    await core.jobs.open_pairing(job.job, INSTALLER)
    assert "cp001" in core.stations.rechecked
    assert (await core.boot("CP001")).verdict is Registration.ACCEPTED
    core.clock.advance(31 * 60)
    assert (await core.boot("CP002")).reason == "pairing_closed"
    assert (await core.boot("CP001")).verdict is Registration.ACCEPTED, "accepted once, served from then on"


async def test_an_opened_window_does_not_outlive_the_boot_it_was_opened_in() -> None:
    core = Core()
    job = await core.import_job(job_file(open_pairing=False))
    await core.jobs.open_pairing(job.job, INSTALLER)
    core.clock.reboot()
    assert (await core.boot("CP001")).reason == "pairing_closed"


async def test_a_wall_clock_that_jumps_neither_opens_nor_closes_a_window() -> None:
    core = Core()
    job = await core.import_job(job_file(open_pairing=False))
    await core.jobs.open_pairing(job.job, INSTALLER)
    core.clock.set_wall(core.clock.now().replace(year=2035))
    assert (await core.boot("CP001")).verdict is Registration.ACCEPTED


async def test_completion_closes_the_window_for_new_stations_only() -> None:
    core = Core()
    job = await core.import_job()
    await core.boot("CP001")
    await core.jobs.complete(job.job, INSTALLER, activate_all=True)
    assert (await core.boot("CP001")).verdict is Registration.ACCEPTED
    assert (await core.boot("CP002")).reason == "pairing_closed"


async def test_a_changed_serial_is_an_error_until_a_person_says_it_was_exchanged() -> None:
    core = Core()
    job = await core.import_job()
    await core.boot("CP001", serial="A")
    assert (await core.boot("CP001", serial="B")).verdict is Registration.ACCEPTED
    (fault,) = core.journal.state.stations["cp001"].faults
    assert (fault.code, fault.detail) == ("serial_changed", {"serial": "B", "before": "A"})
    row = core.row("Bay 1").id
    await core.jobs.confirm_station(job.job, row, INSTALLER)
    assert core.journal.state.stations["cp001"].faults == ()
    seq = core.journal.seq
    await core.jobs.confirm_station(job.job, row, INSTALLER)
    assert core.journal.seq == seq
    await core.boot("CP001", serial="B")
    assert core.journal.state.stations["cp001"].faults == ()


async def test_the_first_serial_coming_back_clears_the_error() -> None:
    core = Core()
    await core.import_job()
    for serial in ("A", "B", "C", "A"):
        await core.boot("CP001", serial=serial)
    assert core.journal.state.stations["cp001"].faults == ()


async def test_an_identity_that_is_not_the_serial_is_normal() -> None:
    core = Core()
    await core.import_job()
    await core.boot("CP001", serial="something-else")
    assert core.journal.state.stations["cp001"].faults == ()


@pytest.mark.parametrize(("security", "served"), [("pair", False), ("open", True), ("strict", False)])
async def test_the_mode_decides_over_a_closed_window(security: str, served: bool) -> None:
    core = Core(Policy(security=security))
    await core.import_job(job_file(open_pairing=False))
    assert core.desk.standing("CP001").served is served


async def test_strict_serves_nobody_without_credentials_and_nobody_unknown_anywhere() -> None:
    core = Core(Policy(security="strict"))
    await core.import_job()
    assert core.desk.standing("CP001").reason == "credentials_needed"
    assert core.desk.standing("OTHER").reason == "unknown_identity"
    assert Core(Policy(security="open")).desk.standing("OTHER").served is False


async def test_strangers_that_only_report_are_bounded_too() -> None:
    core = Core()
    await core.import_job()
    await core.boot("CP001")
    for number in range(WAITING_ROOM * 2):
        await core.desk.message(f"x{number}", "DataTransfer", {})
        await core.desk.configured(f"x{number}", {"NumberOfConnectors": "1"})
    assert len(core.journal.state.stations) == WAITING_ROOM + 1
    assert "cp001" in core.journal.state.stations
