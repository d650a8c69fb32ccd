"""What a password is worth, and that the second look at it costs next to nothing."""

import time
from typing import Any

import pytest

from edge_agent.site.examiner import REMEMBERED_MAX, SLOW_AT_ONCE, Examiner
from edge_agent.site.trust import ClientCertificate, Presented, Trust
from edge_agent.site.verifiers import fast_verifier, slow_verifier
from sitelink import events as e
from sitelink.ids import StationKey
from sitelink.model import SiteState
from sitelink.ops import Stamp
from sitelink.security import CredentialOrigin
from tests.sitelink.builders import WHEN, Site, bay

CP = StationKey("cp001")
NOW = Stamp(boot="b", mono_ms=10_000, wall=WHEN)
RIGHT = b"the-right-password"
SLOW = slow_verifier(RIGHT)


def known(*events: e.Event) -> SiteState:
    site = Site()
    site.imported(bay())
    for event in events:
        site.record(f"security:{CP}", event)
    return site.state


def shown(password: bytes | None = RIGHT, user: str | None = "CP001", **more: Any) -> Presented:
    return Presented(user=user if password is not None else None, password=password, **more)


TYPED = e.CredentialSet(SLOW, CredentialOrigin.TYPED)
LEARNED = e.CredentialSet(SLOW, CredentialOrigin.LEARNED)


@pytest.mark.parametrize(
    ("events", "what", "trust", "profile", "reason"),
    [
        ((), shown(None), Trust.NONE, 0, None),
        ((), shown(), Trust.UNKNOWN, 1, None),
        ((), shown(encrypted=True), Trust.UNKNOWN, 2, None),
        ((), shown(user="admin"), Trust.NONE, 0, "wrong_user"),
        ((TYPED,), shown(), Trust.RIGHT, 1, None),
        ((TYPED,), shown(encrypted=True), Trust.RIGHT, 2, None),
        ((TYPED,), shown(b"x"), Trust.WRONG, 1, "wrong_key"),
        ((TYPED,), shown(user="admin"), Trust.NONE, 0, "wrong_user"),
        ((TYPED, e.UserMayDiffer(True)), shown(user="admin"), Trust.RIGHT, 1, None),
        ((TYPED, e.KeyOffered(fast_verifier(b"k" * 20))), shown(b"k" * 20), Trust.RIGHT, 1, None),
        ((TYPED, e.KeyOffered(fast_verifier(b"k" * 20))), shown((b"k" * 20).hex().encode()), Trust.RIGHT, 1, None),
        ((TYPED,), shown(RIGHT * 20), Trust.WRONG, 1, "wrong_key"),
    ],
)  # fmt: skip
async def test_what_a_password_is_worth(
    events: tuple[e.Event, ...], what: Presented, trust: Trust, profile: int, reason: str | None
) -> None:
    proof = await Examiner().examine(known(*events), CP, what, NOW)
    assert (proof.trust, proof.profile, proof.reason) == (trust, profile, reason)
    assert proof.encrypted is what.encrypted


async def test_a_certificate_counts_more_than_a_password_and_a_wrong_one_less() -> None:
    examiner, state = Examiner(), known(TYPED)
    ours, other = ClientCertificate("01", "CP001"), ClientCertificate("02", "ZZ9")
    assert (await examiner.examine(state, CP, shown(encrypted=True, certificate=ours), NOW)).profile == 3
    both = await examiner.examine(state, CP, shown(encrypted=True, certificate=other), NOW)
    assert (both.trust, both.profile) == (Trust.RIGHT, 2)
    alone = await examiner.examine(state, CP, shown(None, encrypted=True, certificate=other), NOW)
    assert (alone.trust, alone.profile) == (Trust.UNKNOWN, 3)


async def test_a_right_password_is_recognised_quickly_from_the_second_time_on_and_a_wrong_one_never() -> None:
    examiner, state = Examiner(), known(TYPED)
    assert (await examiner.examine(state, CP, shown(), NOW)).trust is Trust.RIGHT
    best = 1.0
    for _ in range(200):
        began = time.perf_counter()
        proof = await examiner.examine(state, CP, shown(), NOW)
        best = min(best, time.perf_counter() - began)
        assert proof.trust is Trust.RIGHT
    assert best < 50e-6, f"{best * 1e6:.0f} µs"
    assert (await examiner.examine(state, CP, shown(b"wrong"), NOW)).trust is Trust.WRONG


async def test_what_can_be_learned_is_a_salted_hash_of_it_and_only_for_who_may_learn() -> None:
    examiner = Examiner()
    fresh = await examiner.examine(known(), CP, shown(), NOW)
    assert fresh.verifier is not None
    assert fresh.verifier.startswith("scrypt$")
    assert RIGHT.decode() not in fresh.verifier
    assert (await examiner.examine(known(TYPED), CP, shown(b"other"), NOW)).verifier is None
    assert (await examiner.examine(known(LEARNED), CP, shown(b"other"), NOW)).verifier is not None
    stranger = await examiner.examine(known(), StationKey("stranger"), shown(user="STRANGER"), NOW)
    assert (stranger.trust, stranger.verifier) == (Trust.UNKNOWN, None), "no work for who is in no job"


async def test_under_strict_who_is_unknown_costs_as_much_as_who_is_wrong(monkeypatch: pytest.MonkeyPatch) -> None:
    checks: list[str] = []
    monkeypatch.setattr("edge_agent.site.examiner.matches", lambda verifier, _password: bool(checks.append(verifier)))
    examiner = Examiner(strict=True)
    for state, key in ((known(TYPED), CP), (known(), CP), (known(), StationKey("stranger"))):
        checks.clear()
        await examiner.examine(state, key, shown(b"wrong", user=str(key)), NOW)
        assert [each.partition("$")[0] for each in checks] == ["scrypt"], key
    checks.clear()
    await examiner.examine(known(TYPED), CP, shown(b"wrong", user="other"), NOW)
    assert len(checks) == 1


async def test_what_it_remembers_and_does_at_once_is_bounded() -> None:
    examiner = Examiner()
    for number in range(REMEMBERED_MAX + 5):
        examiner._remember(f"v{number}", b"")
    assert len(examiner._right) == REMEMBERED_MAX
    assert examiner._slow._value == SLOW_AT_ONCE
