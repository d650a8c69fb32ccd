"""Who comes in by what: mode × what is known × what is shown × window."""

from datetime import UTC, datetime, timedelta
from typing import Any

import pytest
from hypothesis import given
from hypothesis import strategies as st
from msgspec.structs import replace

from edge_agent.site import trust
from edge_agent.site.trust import ClientCertificate, Proof, Trust, reason_against
from sitelink.ids import StationKey
from sitelink.ops import Stamp
from sitelink.security import CANDIDATE_FOR_S, Candidate, Credential, CredentialOrigin, StationSecurity
from sitelink.states import Registration
from tests.sitelink.builders import Site

CP = StationKey("cp001")
WALL = datetime(2026, 11, 25, 12, 0, tzinfo=UTC)
NOW = Stamp(boot="b1", mono_ms=10_000_000, wall=WALL)

NONE = Proof()
PASSWORD = {profile: Proof(Trust.RIGHT, profile, profile == 2, verifier="v1") for profile in (1, 2)}
CERTIFICATE = Proof(Trust.RIGHT, 3, True)
UNKNOWN = {profile: Proof(Trust.UNKNOWN, profile, profile == 2, verifier="new") for profile in (1, 2)}
WRONG = {profile: Proof(Trust.WRONG, profile, profile == 2, "wrong_key") for profile in (1, 2)}
UNKNOWN_CERTIFICATE = Proof(Trust.UNKNOWN, 3, True, certificate=ClientCertificate("01", "SN-77"))
OTHER_USER = Proof(Trust.NONE, 0, False, "wrong_user")


def security(profile: int | None = None, origin: CredentialOrigin | None = None, **more: Any) -> StationSecurity:
    known = Credential("v1", origin, WALL, proven=origin is CredentialOrigin.LEARNED) if origin else None
    return StationSecurity(id=CP, profile=profile, credential=known, **more)


ACCEPTED, NEW = Registration.ACCEPTED, Registration.NONE
TYPED, LEARNED, PUSHED = CredentialOrigin.TYPED, CredentialOrigin.LEARNED, CredentialOrigin.PUSHED


@pytest.mark.parametrize(
    ("mode", "known", "shown", "registration", "window", "reason"),
    [
        # pair, a station nobody knows yet
        ("pair", security(), NONE, NEW, True, None),
        ("pair", security(), NONE, NEW, False, "pairing_closed"),
        ("pair", security(), UNKNOWN[1], NEW, True, None),
        ("pair", security(), UNKNOWN[2], NEW, False, "pairing_closed"),
        ("pair", security(), CERTIFICATE, NEW, False, None),
        ("pair", security(), OTHER_USER, NEW, True, None),
        # pair, accepted without any password
        ("pair", security(0), NONE, ACCEPTED, False, None),
        ("pair", security(0), UNKNOWN[1], ACCEPTED, False, None),
        ("pair", security(0), OTHER_USER, ACCEPTED, False, None),
        # pair, a password was given by the operator
        ("pair", security(None, TYPED), PASSWORD[1], NEW, False, None),
        ("pair", security(None, TYPED), NONE, NEW, True, "credentials_needed"),
        ("pair", security(0, TYPED), NONE, ACCEPTED, True, "credentials_needed"),
        ("pair", security(None, TYPED), WRONG[1], NEW, True, "wrong_key"),
        ("pair", security(None, TYPED), OTHER_USER, NEW, True, "wrong_user"),
        # pair, remembered with a password: never lower
        ("pair", security(1, LEARNED), PASSWORD[1], ACCEPTED, False, None),
        ("pair", security(1, LEARNED), PASSWORD[2], ACCEPTED, False, None),
        ("pair", security(1, LEARNED), NONE, ACCEPTED, True, "credentials_needed"),
        ("pair", security(1, LEARNED), WRONG[1], ACCEPTED, False, "wrong_key"),
        ("pair", security(2, LEARNED), PASSWORD[1], ACCEPTED, True, "profile_lowered"),
        ("pair", security(2, LEARNED), PASSWORD[2], ACCEPTED, False, None),
        ("pair", security(3), CERTIFICATE, ACCEPTED, False, None),
        ("pair", security(3), UNKNOWN[2], ACCEPTED, True, "profile_lowered"),
        ("pair", security(3), NONE, ACCEPTED, True, "credentials_needed"),
        ("pair", security(1, LEARNED), UNKNOWN_CERTIFICATE, ACCEPTED, True, "credentials_needed"),
        # pair, its password was removed: any other must be paired
        ("pair", security(1), UNKNOWN[1], ACCEPTED, False, "pairing_closed"),
        ("pair", security(1), UNKNOWN[1], ACCEPTED, True, None),
        # pair, a key of ours is demanded only once it was shown
        ("pair", security(0, PUSHED), NONE, ACCEPTED, False, None),
        ("pair", security(0, PUSHED), WRONG[1], ACCEPTED, False, None),
        ("pair", security(1, PUSHED), WRONG[1], ACCEPTED, False, "wrong_key"),
        # strict: proof and nothing else
        ("strict", security(0), NONE, ACCEPTED, True, "credentials_needed"),
        ("strict", security(), UNKNOWN[1], NEW, True, "credentials_needed"),
        ("strict", security(None, TYPED), PASSWORD[1], NEW, False, None),
        ("strict", security(None, TYPED), WRONG[1], NEW, True, "wrong_key"),
        ("strict", security(2, TYPED), PASSWORD[1], ACCEPTED, True, "profile_lowered"),
        ("strict", security(2, TYPED), CERTIFICATE, ACCEPTED, True, None),
        # open: a laboratory
        ("open", security(3, TYPED), NONE, NEW, False, None),
        ("open", security(3, TYPED), WRONG[1], NEW, False, None),
    ],
)  # fmt: skip
def test_who_comes_in(
    mode: str, known: StationSecurity, shown: Proof, registration: Registration, window: bool, reason: str | None
) -> None:
    assert reason_against(mode, known, shown, registration, NOW, window_open=window) == reason


proofs = st.sampled_from(
    [NONE, OTHER_USER, CERTIFICATE, UNKNOWN_CERTIFICATE, *PASSWORD.values(), *UNKNOWN.values(), *WRONG.values()]
)
securities = st.builds(
    security, st.sampled_from([None, 0, 1, 2, 3]), st.sampled_from([None, TYPED, LEARNED, PUSHED])
)  # fmt: skip


@given(securities, proofs, st.sampled_from(list(Registration)), st.booleans(), st.sampled_from(["pair", "strict"]))
def test_nobody_comes_in_below_what_a_station_was_accepted_with_and_it_never_goes_down(
    known: StationSecurity, shown: Proof, registration: Registration, window: bool, mode: str
) -> None:
    if reason_against(mode, known, shown, registration, NOW, window_open=window) is None:
        assert shown.profile >= (known.profile or 0)
        assert trust.settled_profile(known, shown, NOW, window_open=window) >= (known.profile or 0)


@given(securities, proofs, st.booleans())
def test_what_a_job_opens_for_new_stations_opens_nothing_that_is_closed_by_a_password(
    known: StationSecurity, shown: Proof, window: bool
) -> None:
    if known.demanded and known.credential is not None and known.credential.origin is not LEARNED:
        inside = reason_against("pair", known, shown, ACCEPTED, NOW, window_open=window) is None
        assert inside is (shown.trust is Trust.RIGHT and shown.profile >= trust.least_profile(known))


def pairing(profile: int, *, ago_s: int = 10, boot: str = "b1") -> StationSecurity:
    opened = NOW.mono_ms - ago_s * 1000
    return security(profile, TYPED, pairing_boot=boot, pairing_mono_ms=opened, pairing_for_s=1800)


def test_a_person_lets_one_station_pair_anew_at_any_profile_for_a_while_of_this_boot() -> None:
    another = Proof(Trust.WRONG, 1, False, "wrong_key", "new")
    for shown in (NONE, another, UNKNOWN[1], PASSWORD[1], OTHER_USER):
        assert reason_against("pair", pairing(3), shown, ACCEPTED, NOW, window_open=False) is None
        assert reason_against("pair", pairing(3, ago_s=1801), shown, ACCEPTED, NOW, window_open=False) is not None
        assert reason_against("pair", pairing(3, boot="b0"), shown, ACCEPTED, NOW, window_open=False) is not None
        assert reason_against("strict", pairing(3), shown, ACCEPTED, NOW, window_open=False) is not None
        assert trust.settled_profile(pairing(3), shown, NOW, window_open=False) == shown.profile


def test_a_password_is_learned_while_a_station_is_let_in_and_at_no_other_time() -> None:
    assert trust.learns(security(), UNKNOWN[1], NOW, window_open=True)
    assert not trust.learns(security(0), UNKNOWN[1], NOW, window_open=False)
    assert trust.settled_profile(security(0), UNKNOWN[1], NOW, window_open=False) == 0
    assert trust.learns(pairing(2), UNKNOWN[1], NOW, window_open=False)
    assert not trust.learns(security(2), UNKNOWN[1], NOW, window_open=True), "lower than it was accepted with"
    assert not trust.learns(security(1, LEARNED), PASSWORD[1], NOW, window_open=True), "known already"
    assert not trust.learns(security(), NONE, NOW, window_open=True)


def test_a_learned_password_may_change_while_its_job_is_set_up_and_a_given_one_may_not() -> None:
    other = Proof(Trust.WRONG, 1, False, "wrong_key", "new")
    assert reason_against("pair", security(1, LEARNED), other, ACCEPTED, NOW, window_open=True) is None
    assert trust.learns(security(1, LEARNED), other, NOW, window_open=True)
    assert reason_against("pair", security(1, LEARNED), other, ACCEPTED, NOW, window_open=False) == "wrong_key"
    assert reason_against("pair", security(1, TYPED), WRONG[1], ACCEPTED, NOW, window_open=True) == "wrong_key"


@pytest.mark.parametrize(
    ("boot", "later_s", "live"),
    [("b1", CANDIDATE_FOR_S - 1, True), ("b1", CANDIDATE_FOR_S, False), ("b2", 3600, True), ("b2", 90_000, False)],
)
def test_a_key_whose_fate_is_open_counts_for_a_day(boot: str, later_s: int, live: bool) -> None:
    known = security(1, TYPED, candidates=(Candidate("v2", NOW.boot, NOW.mono_ms, WALL),))
    moves = later_s * 1000 if boot == "b1" else -NOW.mono_ms
    now = Stamp(boot=boot, mono_ms=NOW.mono_ms + moves, wall=WALL + timedelta(seconds=later_s))
    assert trust.live_verifiers(known, now) == (("v1", "v2") if live else ("v1",))


def test_a_wall_clock_that_jumps_ends_no_key_of_this_boot() -> None:
    known = security(1, TYPED, candidates=(Candidate("v2", NOW.boot, NOW.mono_ms, WALL),))
    jumped = Stamp(boot=NOW.boot, mono_ms=NOW.mono_ms + 1000, wall=WALL + timedelta(days=9000))
    assert trust.live_verifiers(known, jumped) == ("v1", "v2")


@pytest.mark.parametrize(
    ("name", "serial", "verdict"),
    [
        ("CP001", None, Trust.RIGHT), ("cp001.site.example", None, Trust.RIGHT), ("SN-77", None, Trust.UNKNOWN),
        ("SN-77", "SN-77", Trust.RIGHT), ("maker SN-77 x", "sn-77", Trust.RIGHT), ("SN-78", "SN-77", Trust.WRONG),
        ("", "SN-77", Trust.WRONG), ("7", "7", Trust.WRONG),
    ],
)  # fmt: skip
def test_a_certificate_is_a_stations_that_it_names(name: str, serial: str | None, verdict: Trust) -> None:
    site = Site()
    if serial is not None:
        site.boot("CP001", serial=serial)
    assert trust.certificate_trust(site.state, CP, ClientCertificate("01", name)) is verdict


@pytest.mark.parametrize(
    ("before", "name", "serial", "version", "after"),
    [
        (Trust.UNKNOWN, "SN-77", "SN-77", "1.6", Trust.RIGHT), (Trust.UNKNOWN, "SN-77", "SN-78", "1.6", Trust.WRONG),
        (Trust.UNKNOWN, "SN-77", None, "1.6", Trust.WRONG), (Trust.RIGHT, "CP001", "SN-77", "1.6", Trust.RIGHT),
        (Trust.RIGHT, "CP001", "SN-77", "2.0.1", Trust.WRONG), (Trust.RIGHT, "CP001", None, "2.0.1", Trust.RIGHT),
        (Trust.RIGHT, "CP001 SN-77", "SN-77", "2.1", Trust.RIGHT), (Trust.WRONG, "SN-77", "SN-77", "2.1", Trust.WRONG),
    ],
)  # fmt: skip
def test_the_serial_of_a_boot_must_be_the_certificates(
    before: Trust, name: str, serial: str | None, version: str, after: Trust
) -> None:
    proof = Proof(before, 3, True, certificate=ClientCertificate("01", name))
    judged = trust.after_boot(proof, CP, serial, version)
    assert judged.trust is after
    assert judged.reason == ("certificate_of_another" if after is Trust.WRONG and before is not Trust.WRONG else None)
    assert trust.after_boot(PASSWORD[2], CP, "SN-1", "2.0.1") == PASSWORD[2]


def test_the_user_is_the_identity_unless_it_may_differ() -> None:
    assert trust.user_fits(security(), CP, "Cp001 ")
    assert not trust.user_fits(security(), CP, "admin")
    assert not trust.user_fits(security(), CP, None)
    assert trust.user_fits(security(user_may_differ=True), CP, "admin")


@given(securities, proofs, st.booleans())
def test_what_was_learned_from_a_connection_is_right_on_it_from_then_on(
    known: StationSecurity, shown: Proof, window: bool
) -> None:
    if trust.learns(known, shown, NOW, window_open=window):
        after = security(trust.settled_profile(known, shown, NOW, window_open=window), LEARNED)
        learned = Credential(shown.verifier or "", LEARNED, WALL, proven=True)
        after = replace(after, credential=learned)
        assert reason_against("pair", after, shown, ACCEPTED, NOW, window_open=False) is None
        assert not trust.learns(after, shown, NOW, window_open=window), "once"


def test_a_password_is_never_shown_by_accident() -> None:
    shown = trust.Presented(True, "CP001", b"a-secret-nobody-prints")
    assert "secret" not in repr(shown)
