"""What is remembered of certificates holds for these very files, and is never in the way."""

from datetime import UTC, datetime, timedelta
from pathlib import Path

import pytest
from hypothesis import given
from hypothesis import strategies as st

from edge_agent.certificates.known import Known, Memo, digest_of

BEGINS = datetime(2026, 11, 24, 12, 0, tzinfo=UTC)
KNOWN = Known("digest", "0A", BEGINS, BEGINS + timedelta(days=398), ("gate",), ("192.0.2.7",))


def test_it_is_due_after_two_thirds_and_outside_its_time() -> None:
    third = timedelta(days=398) / 3
    for moment, due in (
        (BEGINS, False), (BEGINS + 2 * third - timedelta(seconds=1), False), (BEGINS + 2 * third, True),
        (BEGINS - timedelta(seconds=1), True), (BEGINS + timedelta(days=9999), True),
    ):  # fmt: skip
        assert KNOWN.is_due(moment) is due, moment


def test_what_was_put_is_there_after_a_restart_and_only_under_its_digest(tmp_path: Path) -> None:
    Memo(tmp_path / "known.json").put("rsa", KNOWN)
    again = Memo(tmp_path / "known.json")
    assert again.of("rsa", "digest") is None, "not read yet"
    again.read()
    assert again.of("rsa", "digest") == KNOWN
    assert again.of("rsa", "another") is None
    assert again.of("ecdsa", "digest") is None
    assert (tmp_path / "known.json").stat().st_mode & 0o777 == 0o600


@pytest.mark.parametrize("content", [b"", b"{", b"[]", b'{"rsa": {}}', b"\xff\xfe"])
def test_a_damaged_memo_knows_nothing_and_is_written_anew(tmp_path: Path, content: bytes) -> None:
    (tmp_path / "known.json").write_bytes(content)
    memo = Memo(tmp_path / "known.json")
    memo.read()
    assert memo.of("rsa", "digest") is None
    memo.put("rsa", KNOWN)
    memo.read()
    assert memo.of("rsa", "digest") == KNOWN


def test_a_disk_that_takes_nothing_stops_nobody(tmp_path: Path) -> None:
    memo = Memo(tmp_path / "no such folder" / "known.json")
    assert memo.put("rsa", KNOWN) == KNOWN
    assert memo.of("rsa", "digest") == KNOWN


@given(st.lists(st.binary(max_size=4), max_size=4), st.lists(st.binary(max_size=4), max_size=4))
def test_files_have_one_digest_only_where_all_of_them_are_the_same(one: list[bytes], two: list[bytes]) -> None:
    assert (digest_of(*one) == digest_of(*two)) is (one == two)
