"""The installer's test token in the form a station takes."""

import re

from hypothesis import given
from hypothesis import strategies as st

from edge_agent.site.authorisation import is_test_token
from edge_agent.site.installer_token import token_for
from edge_agent.site.reports import BootReport
from sitelink.events import Traits
from sitelink.model import Station
from sitelink.states import AuthorizationStatus
from tests.doubles.core import Core

KEY = "PlugAndChargeIdentifier"


def station(**traits: object) -> Station:
    return Station(id="cp001", identity="CP001", traits=Traits(**traits), configuration={KEY: "A1B2C3"})  # type: ignore[arg-type]


def test_a_station_that_takes_any_gets_the_jobs_own() -> None:
    assert token_for(None, "TEST-1") == "TEST-1"
    assert token_for(station(), "TEST-1") == "TEST-1"
    assert token_for(station(token_form="hex", token_max=14), "AB12") == "AB12"


def test_one_that_only_takes_its_own_identifier_gets_that() -> None:
    assert token_for(station(token_key=KEY), "TEST-1") == "A1B2C3"
    assert token_for(station(token_key="Other"), "TEST-1") == "TEST-1"


@given(st.text(min_size=1, max_size=30), st.integers(4, 20))
def test_the_form_is_kept_and_the_token_stays_the_same(job_token: str, longest: int) -> None:
    choosy = station(token_form="hex", token_max=longest)
    made = token_for(choosy, job_token)
    assert re.fullmatch(r"[0-9A-Fa-f]+", made)
    assert len(made) <= longest
    assert made == token_for(choosy, job_token)


async def test_either_form_is_known_as_the_test_token_at_that_station_alone() -> None:
    core = Core()
    await core.import_job()
    job_token = core.job().test_token
    await core.boot("CP001")
    await core.boot("CP002")
    choosy = Traits(token_form="hex", token_max=6)
    await core.desk.boot("CP001", "192.0.2.7", BootReport("Acme", "Post 2", "SN-CP001", traits=choosy))
    state = core.journal.state
    short = token_for(state.stations["cp001"], job_token)
    assert short != job_token
    assert is_test_token(state, "cp001", short)
    assert is_test_token(state, "cp001", job_token)
    assert not is_test_token(state, "cp002", short)
    assert (await core.desk.authorize("cp001", short)).status is AuthorizationStatus.ACCEPTED
