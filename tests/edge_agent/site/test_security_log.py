"""The security log writes things down once, and counts who repeats himself."""

from edge_agent.site.security_log import AGAIN_AFTER_S, REMEMBERED_MAX, SECURITY_KINDS, SecurityLog
from edge_agent.site.trust import REFUSED_AT_THE_DOOR
from sitelink.events import KIND_BY_TYPE, SecurityNoted
from sitelink.ids import StationKey
from tests.doubles.clock import FakeClock
from tests.doubles.memory_journal import MemoryJournal
from web_ui import ocpp_words, wording

CP = StationKey("cp001")


def noted(journal: MemoryJournal) -> list[tuple[str, str, int]]:
    return [
        (op.entity, op.event.code, op.event.count) for op in journal.recorded if isinstance(op.event, SecurityNoted)
    ]


async def test_the_same_from_the_same_address_is_counted_and_told_later() -> None:
    clock = FakeClock()
    journal = MemoryJournal(clock)
    log = SecurityLog(journal, clock)
    for _ in range(50):
        await log.note(CP, "wrong_key", {"ip": "192.0.2.7"})
    await log.note(CP, "wrong_key", {"ip": "192.0.2.8"})
    await log.note(CP, "profile_lowered", {"ip": "192.0.2.7"})
    await log.note(None, "unknown_identity", {"ip": "192.0.2.7"})
    assert noted(journal) == [
        ("security:cp001", "wrong_key", 1), ("security:cp001", "wrong_key", 1),
        ("security:cp001", "profile_lowered", 1), ("box:", "unknown_identity", 1),
    ]  # fmt: skip
    clock.advance(AGAIN_AFTER_S)
    await log.note(CP, "wrong_key", {"ip": "192.0.2.7"})
    assert noted(journal)[-1] == ("security:cp001", "wrong_key", 50)


async def test_its_memory_is_bounded_and_long_texts_are_cut() -> None:
    clock = FakeClock()
    journal = MemoryJournal(clock)
    log = SecurityLog(journal, clock)
    for number in range(REMEMBERED_MAX + 10):
        await log.note(StationKey(f"x{number}"), "wrong_key", {"ip": "", "identity": "y" * 5000})
    assert len(log._last) == REMEMBERED_MAX
    assert all(len(op.event.detail["identity"]) == 200 for op in journal.recorded)  # type: ignore[attr-defined]


def test_every_kind_it_shows_exists() -> None:
    assert set(KIND_BY_TYPE.values()) >= SECURITY_KINDS


def test_every_kind_has_words_for_people() -> None:
    codes = {
        "address_changed",
        "certificate_issued",
        "certificate_expiring",
        "station_event",
        "duplicate_identity",
    } | REFUSED_AT_THE_DOOR
    unsaid = (SECURITY_KINDS | codes) - set(ocpp_words.SECURITY_LOG) - set(wording.WORDS)
    assert unsaid == set()
