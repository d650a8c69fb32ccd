"""Who may charge."""

import pytest

from edge_agent.site.admission import Policy
from sitelink.states import AuthorizationStatus
from tests.doubles.core import INSTALLER, Core

ACCEPTED, INVALID = AuthorizationStatus.ACCEPTED, AuthorizationStatus.INVALID


async def test_drivers_are_refused_at_an_inactive_charge_point_the_installers_test_is_not() -> None:
    core = Core()
    await core.import_job()
    await core.boot("CP001")
    assert await core.desk.authorize("cp001", "DRIVER1") is INVALID
    assert await core.desk.authorize("cp001", core.job().test_token.lower()) is ACCEPTED


async def test_completion_with_activation_lets_drivers_in() -> None:
    core = Core()
    job = await core.import_job()
    await core.boot("CP001")
    await core.jobs.complete(job.job, INSTALLER, activate_all=True)
    assert await core.desk.authorize("cp001", "DRIVER1") is ACCEPTED


@pytest.mark.parametrize(("unknown", "verdict"), [("accept", ACCEPTED), ("reject", INVALID)])
async def test_unknown_tokens_follow_the_setting(unknown: str, verdict: AuthorizationStatus) -> None:
    core = Core(Policy(unknown_tokens=unknown))
    job = await core.import_job()
    await core.boot("CP001")
    await core.jobs.set_activity([core.row("Bay 1").id], active=True)
    assert await core.desk.authorize("cp001", "DRIVER1") is verdict
    assert job.number == "1042"


async def test_maintenance_refuses_drivers() -> None:
    core = Core()
    await core.import_job()
    await core.boot("CP001")
    await core.jobs.set_activity([core.row("Bay 1").id], active=True, maintenance=True)
    assert await core.desk.authorize("cp001", "DRIVER1") is INVALID


async def test_a_station_that_is_not_accepted_authorises_nobody() -> None:
    core = Core()
    await core.import_job()
    assert await core.desk.authorize("cp001", core.job().test_token) is INVALID
    await core.boot("STRANGER")
    assert await core.desk.authorize("stranger", core.job().test_token) is INVALID


async def test_the_test_token_is_sixteen_upper_case_hex_digits() -> None:
    core = Core()
    await core.import_job()
    token = core.job().test_token
    assert len(token) == 16
    assert set(token) <= set("0123456789ABCDEF")
