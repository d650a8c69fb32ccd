"""What stations show to come in, by script: keys offered, taken and proven; profiles."""

from sitelink import events as e
from sitelink.ids import StationKey
from sitelink.security import CredentialOrigin, KeyState, StationSecurity
from tests.sitelink.builders import Site


def security(site: Site) -> StationSecurity:
    return site.state.security[StationKey("cp001")]


def record(*events: e.Event) -> Site:
    site = Site()
    for event in events:
        site.record("security:cp001", event)
    return site


def test_a_key_that_is_proven_takes_the_place_of_the_one_before() -> None:
    site = record(e.CredentialSet("old", CredentialOrigin.TYPED), e.KeyOffered("new"))
    assert [each.verifier for each in security(site).candidates] == ["new"]
    site.record("security:cp001", e.KeyProven("new"))
    credential = security(site).credential
    assert credential is not None
    assert credential.verifier == "new"
    assert security(site).candidates == ()
    assert security(site).key_state is KeyState.PROVEN


def test_a_password_that_is_taken_away_leaves_nothing_behind() -> None:
    site = record(e.CredentialSet("old", CredentialOrigin.TYPED), e.KeyOffered("new"), e.CredentialRemoved())
    assert (security(site).credential, security(site).candidates) == (None, ())


def test_a_profile_is_remembered() -> None:
    site = record(e.ProfileSettled(2))
    assert security(site).profile == 2
    site.record("security:cp001", e.UserMayDiffer(True))
    assert (security(site).profile, security(site).user_may_differ) == (2, True)
