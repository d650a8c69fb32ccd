"""The record of what a station must show, fact by fact."""

from sitelink import events as e
from sitelink.ids import StationKey
from sitelink.security import CANDIDATES_MAX, CredentialOrigin, KeyState, StationSecurity
from tests.sitelink.builders import Site

CP = StationKey("cp001")


class Station:
    """Facts about one station's security, and what they come to."""

    def __init__(self) -> None:
        self.site = Site()

    def then(self, *events: e.Event) -> StationSecurity:
        for event in events:
            self.site.record(f"security:{CP}", event)
        return self.site.state.security[CP]


def test_a_station_nothing_is_known_of_demands_nothing() -> None:
    assert not StationSecurity(id=CP).demanded
    assert StationSecurity(id=CP).key == "security:cp001"


def test_an_accepted_key_takes_the_place_of_the_one_before_at_once() -> None:
    after = Station().then(
        e.CredentialSet("v1", CredentialOrigin.TYPED), e.KeyOffered("v2"), e.KeyAnswered("v2", KeyState.ACCEPTED)
    )
    assert after.credential is not None
    assert (after.credential.verifier, after.credential.origin) == ("v2", CredentialOrigin.PUSHED)
    assert after.candidates == ()
    assert not after.demanded, "a key of ours is demanded once it was shown"


def test_a_refused_key_never_counted_and_the_one_before_stays() -> None:
    after = Station().then(
        e.CredentialSet("v1", CredentialOrigin.TYPED), e.KeyOffered("v2"),
        e.KeyAnswered("v2", KeyState.REFUSED, "Rejected"),
    )  # fmt: skip
    assert after.credential is not None
    assert (after.credential.verifier, after.candidates) == ("v1", ())
    assert (after.key_state, after.key_word) == (KeyState.REFUSED, "Rejected")


def test_without_an_answer_both_count_until_the_new_one_is_shown() -> None:
    station = Station()
    open_ = station.then(
        e.CredentialSet("v1", CredentialOrigin.TYPED), e.KeyOffered("v2"), e.KeyAnswered("v2", KeyState.UNCERTAIN)
    )
    assert open_.credential is not None
    assert (open_.credential.verifier, [each.verifier for each in open_.candidates]) == ("v1", ["v2"])
    shown_old = station.then(e.KeyProven("v1"))
    assert [each.verifier for each in shown_old.candidates] == ["v2"], "it may come into use at the next reboot"
    shown_new = station.then(e.KeyProven("v2"))
    assert shown_new.credential is not None
    assert (shown_new.credential.verifier, shown_new.candidates, shown_new.key_state) == ("v2", (), KeyState.PROVEN)
    assert shown_new.demanded
    assert station.then(e.KeyProven("v1")) == shown_new, "the old one is over"


def test_a_shown_password_somebody_gave_is_proven_and_is_no_key_of_ours() -> None:
    after = Station().then(e.CredentialSet("v1", CredentialOrigin.TYPED), e.KeyProven("v1"))
    assert after.credential is not None
    assert (after.credential.proven, after.key_state) == (True, None)


def test_keys_whose_fate_is_open_are_bounded_and_the_newest_stay() -> None:
    after = Station().then(*(e.KeyOffered(f"v{number}") for number in range(CANDIDATES_MAX + 2)))
    assert [each.verifier for each in after.candidates] == ["v2", "v3", "v4", "v5"]


def test_a_new_password_ends_everything_before_it_and_removing_it_too() -> None:
    station = Station()
    after = station.then(e.KeyOffered("v1"), e.CredentialSet("v2", CredentialOrigin.LEARNED))
    assert (after.candidates, after.key_state, after.demanded) == ((), None, True)
    gone = station.then(e.KeyOffered("v3"), e.CredentialRemoved())
    assert (gone.credential, gone.candidates) == (None, ())


def test_a_settled_profile_closes_the_window_it_was_let_in_by() -> None:
    station = Station()
    opened = station.then(e.ProfileSettled(2), e.StationPairingOpened(1800))
    assert (opened.profile, opened.pairing_boot, opened.pairing_for_s) == (2, "b", 1800)
    settled = station.then(e.ProfileSettled(0))
    assert (settled.profile, settled.pairing_boot) == (0, None)


def test_a_user_name_may_be_let_differ() -> None:
    station = Station()
    assert station.then(e.UserMayDiffer(True)).user_may_differ
    assert not station.then(e.UserMayDiffer(False)).user_may_differ
