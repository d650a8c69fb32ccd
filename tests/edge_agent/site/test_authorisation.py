"""Who may charge."""

from collections.abc import Callable
from datetime import UTC, datetime
from typing import Any

import pytest
from hypothesis import given
from hypothesis import strategies as st

from edge_agent.site.admission import Policy
from edge_agent.site.authorisation import verdict_on
from edge_agent.site.installer_token import token_for
from edge_agent.site.reports import StartReport, StopReport, Verdict
from sitelink.id_token_rules import TokenEntry
from sitelink.ids import StationKey, id_token_key
from sitelink.states import AuthorizationStatus
from tests.doubles.core import INSTALLER, Core, job_file

ACCEPTED, INVALID = AuthorizationStatus.ACCEPTED, AuthorizationStatus.INVALID
UNKNOWN, EXPIRED = AuthorizationStatus.UNKNOWN, AuthorizationStatus.EXPIRED


async def test_drivers_are_refused_at_an_inactive_charge_point_the_installers_test_is_not() -> None:
    core = Core()
    await core.import_job()
    await core.boot("CP001")
    assert (await core.desk.authorize("cp001", "DRIVER1")).status is INVALID
    assert (await core.desk.authorize("cp001", core.job().test_token.lower())).status is ACCEPTED


async def test_completion_with_activation_lets_drivers_in() -> None:
    core = Core()
    job = await core.import_job()
    await core.boot("CP001")
    await core.jobs.complete(job.job, INSTALLER, activate_all=True)
    assert (await core.desk.authorize("cp001", "DRIVER1")).status is ACCEPTED


@pytest.mark.parametrize(("unknown", "verdict"), [("accept", ACCEPTED), ("reject", UNKNOWN)])
async def test_unknown_tokens_follow_the_setting(unknown: str, verdict: AuthorizationStatus) -> None:
    core = Core(Policy(unknown_tokens=unknown))
    job = await core.import_job()
    await core.boot("CP001")
    await core.jobs.set_activity([core.row("Bay 1").id], active=True)
    assert (await core.desk.authorize("cp001", "DRIVER1")).status is verdict
    assert job.number == "1042"


async def test_maintenance_refuses_drivers() -> None:
    core = Core()
    await core.import_job()
    await core.boot("CP001")
    await core.jobs.set_activity([core.row("Bay 1").id], active=True, maintenance=True)
    assert (await core.desk.authorize("cp001", "DRIVER1")).status is INVALID


async def test_a_station_that_is_not_accepted_authorises_nobody() -> None:
    core = Core()
    await core.import_job()
    assert (await core.desk.authorize("cp001", core.job().test_token)).status is INVALID
    await core.boot("STRANGER")
    assert (await core.desk.authorize("stranger", core.job().test_token)).status is INVALID


async def test_the_test_token_is_sixteen_upper_case_hex_digits() -> None:
    core = Core()
    await core.import_job()
    token = core.job().test_token
    assert len(token) == 16
    assert set(token) <= set("0123456789ABCDEF")


# ---- the site's list ----

CP = StationKey("cp001")


async def active(policy: Policy | None = None, *, rows: list[dict[str, Any]] | None = None) -> Core:
    core = Core(policy)
    await core.import_job(job_file(rows) if rows else None)
    for identity in ("CP001", "CP002"):
        await core.boot(identity)
    await core.jobs.set_activity([row.id for row in core.journal.state.rows(core.job())], active=True)
    return core


async def status(core: Core, id_token: str, **how: Any) -> AuthorizationStatus:
    return (await core.desk.authorize(CP, id_token, **how)).status


@pytest.mark.parametrize("unknown", ["accept", "reject"])
async def test_a_listed_token_is_what_the_list_says_whatever_the_setting(unknown: str) -> None:
    core = await active(Policy(unknown_tokens=unknown))
    await core.tokens.put(TokenEntry("04A1B2C3", parent="FLEET", expires="2027-01-01T00:00:00Z"))
    await core.tokens.put(TokenEntry("04FFFFFF", status="Blocked"))
    verdict = await core.desk.authorize(CP, " 04a1b2c3\x00")
    assert verdict == Verdict(ACCEPTED, "FLEET", datetime(2027, 1, 1, tzinfo=UTC))
    assert await status(core, "04ffffff") is AuthorizationStatus.BLOCKED
    await core.tokens.remove("04FFFFFF")
    assert await status(core, "04ffffff") is (ACCEPTED if unknown == "accept" else UNKNOWN)


async def test_an_inactive_charge_point_refuses_listed_tokens_and_starts_without_one() -> None:
    core = await active()
    await core.tokens.put(TokenEntry("04A1B2C3"))
    await core.jobs.set_activity([core.row("Bay 1").id], active=False)
    assert await status(core, "04A1B2C3") is INVALID
    assert await status(core, "", token_type="NoAuthorization") is INVALID


async def test_a_start_without_a_token_is_accepted_where_the_charge_point_is_active() -> None:
    core = await active(Policy(unknown_tokens="reject"))
    assert await status(core, "", token_type="NoAuthorization") is ACCEPTED
    assert await status(core, "", token_type="Central") is UNKNOWN


async def test_a_token_expires_by_a_clock_that_can_be_believed() -> None:
    core = await active()
    await core.tokens.put(TokenEntry("04A1B2C3", expires="2026-11-23T13:00:00Z"))
    assert await status(core, "04A1B2C3") is ACCEPTED
    core.clock.advance(3600)
    assert await status(core, "04A1B2C3") is EXPIRED
    state = core.journal.state
    for year in (1970, 2099):
        now = datetime(year, 1, 2, tzinfo=UTC)
        assert verdict_on(state, Policy(), CP, "04A1B2C3", now=now).status is ACCEPTED


async def test_a_token_may_be_for_some_charge_points_only() -> None:
    core = await active()
    await core.tokens.put(TokenEntry("04A1B2C3", charge_points=["CP002"]))
    assert await status(core, "04A1B2C3") is AuthorizationStatus.NOT_AT_THIS_LOCATION
    assert (await core.desk.authorize(StationKey("cp002"), "04A1B2C3")).status is ACCEPTED


async def test_another_type_of_token_than_the_listed_one_is_refused() -> None:
    core = await active()
    await core.tokens.put(TokenEntry("04A1B2C3", type="ISO14443"))
    assert await status(core, "04A1B2C3", token_type="iso14443") is ACCEPTED
    assert await status(core, "04A1B2C3", token_type="KeyCode") is INVALID
    assert await status(core, "04A1B2C3") is ACCEPTED, "OCPP 1.6 names no type"


async def test_a_tag_longer_than_1_6_allows_is_known_by_its_first_twenty_characters() -> None:
    core = await active(Policy(unknown_tokens="reject"))
    await core.tokens.put(TokenEntry("ABCDEFGHIJKLMNOPQRST"))
    assert await status(core, "ABCDEFGHIJKLMNOPQRST1") is ACCEPTED
    assert await status(core, "ABCDEFGHIJKLMNOPQRS") is UNKNOWN


async def test_in_2x_all_of_a_tokens_characters_count() -> None:
    core = await active(Policy(unknown_tokens="reject"))
    await core.tokens.put(TokenEntry("ABCDEFGHIJKLMNOPQRST"))
    assert await status(core, "abcdefghijklmnopqrst", token_type="Central") is ACCEPTED
    assert await status(core, "ABCDEFGHIJKLMNOPQRST-0815", token_type="Central") is UNKNOWN


async def test_where_a_token_may_charge_at_some_places_of_a_station_they_are_named() -> None:
    rows = [{"name": f"Bay {n}", "identity": "CP001", "connector": n} for n in (1, 2, 3)]
    core = await active(rows=rows)
    assert (await core.desk.authorize(CP, "04A1B2C3")).evses == ()
    await core.jobs.set_activity([core.row("Bay 2").id], active=False)
    assert (await core.desk.authorize(CP, "04A1B2C3")).evses == (1, 3)
    assert (await core.desk.authorize(CP, "04A1B2C3", connector=1)) == Verdict(ACCEPTED)
    assert await status(core, "04A1B2C3", connector=2) is INVALID


@pytest.mark.parametrize("concurrent", ["accept", "reject"])
async def test_one_token_at_two_places_follows_the_setting(concurrent: str) -> None:
    core = await active(Policy(concurrent_tokens=concurrent))
    second = ACCEPTED if concurrent == "accept" else AuthorizationStatus.CONCURRENT_TX

    async def start(station: str, token: str, at: str) -> AuthorizationStatus:
        report = StartReport(1, token, 0, station_time=at)
        return (await core.desk.start(StationKey(station), report)).verdict.status

    assert await start("cp001", "04A1B2C3", "1") is ACCEPTED
    assert await start("cp002", "04a1b2c3", "2") is second
    assert await status(core, "04A1B2C3") is ACCEPTED, "asking starts nothing: the card may be there to stop"
    test = core.job().test_token
    assert {await start(station, test, "4") for station in ("cp001", "cp002")} == {ACCEPTED}


async def test_the_next_start_at_the_same_place_is_no_second_one() -> None:
    core = await active(Policy(concurrent_tokens="reject"))
    for at in ("1", "2"):
        answer = await core.desk.start(CP, StartReport(1, "04A1B2C3", 0, station_time=at))
        assert answer.verdict.status is ACCEPTED


async def test_one_of_a_group_may_end_what_another_began() -> None:
    core = await active()
    await core.tokens.put(TokenEntry("04A1B2C3", parent="FLEET"))
    await core.tokens.put(TokenEntry("04D4E5F6", parent="fleet"))
    started = await core.desk.start(CP, StartReport(1, "04A1B2C3", 100, station_time="1"))
    stranger = await core.desk.stop(CP, StopReport(-1, 200, id_token="04999999", station_time="2"))
    assert stranger == Verdict(ACCEPTED)
    assert core.journal.state.transactions[started.transaction].open, "a stranger's stop ends nobody's charge"
    verdict = await core.desk.stop(CP, StopReport(-1, 300, id_token="04D4E5F6", station_time="3"))
    assert verdict == Verdict(ACCEPTED, "fleet")
    assert core.journal.state.transactions[started.transaction].meter_stop_wh == 300


async def test_whatever_a_station_reads_it_gets_a_verdict() -> None:
    core = await active(Policy(unknown_tokens="reject", concurrent_tokens="reject"))
    await core.tokens.put(TokenEntry("04A1B2C3"))
    state, now = core.journal.state, core.clock.now()
    others = {"", "\x00", " ", "\ufeff\ufffd"}

    @given(st.text(max_size=40) | st.sampled_from(sorted(others)), st.none() | st.text(max_size=20))
    def judged(said: str, kind: str | None) -> None:
        verdict = verdict_on(
            state, Policy(unknown_tokens="reject"), CP, said, 1, now=now, token_type=kind, starting=True
        )
        expected = ACCEPTED if id_token_key(said) == "04a1b2c3" or kind == "NoAuthorization" else UNKNOWN
        assert verdict.status is expected

    judged()


# ---- the installer's test token ----


@pytest.mark.parametrize("change", [str.lower, lambda t: t + "\x00\x00", lambda t: t + "0000", lambda t: t[:8],
                                    lambda t: f" {t} ", lambda t: t[:8] + "\x03"])  # fmt: skip
async def test_the_test_token_is_known_again_cut_or_padded(change: Callable[[str], str]) -> None:
    core = Core()
    await core.import_job()
    await core.boot("CP001")
    said = change(core.job().test_token)
    assert await status(core, said) is ACCEPTED
    answer = await core.desk.start(CP, StartReport(1, said, 0))
    assert core.journal.state.transactions[answer.transaction].test


async def test_too_little_of_the_test_token_is_nobodys() -> None:
    core = Core()
    await core.import_job()
    await core.boot("CP001")
    assert await status(core, core.job().test_token[:7]) is INVALID
    assert await status(core, "") is INVALID


async def test_a_station_can_have_a_test_token_of_its_own() -> None:
    core = Core()
    await core.import_job()
    await core.boot("CP001")
    await core.boot("CP002")
    await core.jobs.set_test_token(CP, "0001")
    state, job = core.journal.state, core.job()
    assert token_for(state.stations[CP], job.test_token) == "0001"
    assert token_for(state.stations[StationKey("cp002")], job.test_token) == job.test_token
    assert await status(core, "0001") is ACCEPTED
    assert await status(core, job.test_token) is ACCEPTED, "a test that was begun before still counts"
    assert (await core.desk.authorize(StationKey("cp002"), "0001")).status is INVALID
    await core.jobs.set_test_token(CP, None)
    assert await status(core, "0001") is INVALID
