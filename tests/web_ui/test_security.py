from datetime import UTC, datetime

import pytest
from multidict import CIMultiDict, CIMultiDictProxy

from sitelink.ids import LinkId
from tests.doubles.clock import FakeClock
from web_ui.security import Hosts, Provenance, Sessions, find_token, provenance_of, token_sha256

KEY = b"x" * 32
LINK = LinkId("0b7e6c1e-0000-4000-8000-000000000001")
TOKEN = "gl1_" + "aB3-_" * 8 + "xyz"


@pytest.mark.parametrize(
    "pasted",
    [
        TOKEN,
        f"  {TOKEN}\n",
        f"http://192.0.2.1:8080/j#{TOKEN}",
        f"<{TOKEN}>",
        f"“{TOKEN}”",
        f"Job 1042: {TOKEN}, thanks",
    ],
)
def test_a_token_is_found_in_what_people_paste(pasted: str) -> None:
    assert find_token(pasted) == TOKEN


@pytest.mark.parametrize("pasted", ["", "gl1_", TOKEN[:-1], TOKEN + "x", TOKEN.upper(), "ga1_" + TOKEN[4:]])
def test_what_is_no_token_is_none(pasted: str) -> None:
    assert find_token(pasted) is None


def test_hashing_takes_any_text() -> None:
    assert token_sha256("gl1_\ud800") != token_sha256("gl1_")


# ---- sessions ----


def test_a_session_is_read_back() -> None:
    sessions = Sessions(KEY, FakeClock(), lambda: "s1")
    found = sessions.read(sessions.open(LINK))
    assert found is not None
    assert (found.link, found.id, found.age_s, found.idle_s) == (LINK, "s1", 0, 0)


def test_any_change_of_a_cookie_makes_it_void() -> None:
    sessions = Sessions(KEY, FakeClock(), lambda: "s1")
    cookie = sessions.open(LINK)
    for at, character in enumerate(cookie):
        forged = cookie[:at] + ("A" if character != "A" else "B") + cookie[at + 1 :]
        assert sessions.read(forged) is None, at


@pytest.mark.parametrize("cookie", ["", ".", "v1", "v1.a.b.c.d.e.f.g", "é.ü", "v1." + "." * 6])
def test_nonsense_is_no_session(cookie: str) -> None:
    assert Sessions(KEY, FakeClock()).read(cookie) is None


def test_another_key_reads_nothing() -> None:
    clock = FakeClock()
    assert Sessions(b"y" * 32, clock).read(Sessions(KEY, clock).open(LINK)) is None


def test_a_short_key_is_refused() -> None:
    with pytest.raises(ValueError, match="32"):
        Sessions(b"short", FakeClock())


def test_idle_time_within_a_boot_ignores_the_wall() -> None:
    clock = FakeClock()
    sessions = Sessions(KEY, clock)
    cookie = sessions.open(LINK)
    clock.set_wall(datetime(2040, 1, 1, tzinfo=UTC))
    clock.advance(60)
    found = sessions.read(cookie)
    assert found is not None
    assert found.idle_s == 60


def test_idle_time_across_a_boot_is_the_walls_and_never_negative() -> None:
    clock = FakeClock()
    sessions = Sessions(KEY, clock)
    cookie = sessions.open(LINK)
    clock.reboot()
    clock.advance(300)
    found = sessions.read(cookie)
    assert found is not None
    assert found.idle_s == 300
    clock.set_wall(datetime(2020, 1, 1, tzinfo=UTC))
    earlier = sessions.read(cookie)
    assert earlier is not None
    assert earlier.idle_s == 0


def test_renewal_keeps_the_session_its_csrf_field_and_its_age() -> None:
    clock = FakeClock()
    sessions = Sessions(KEY, clock)
    first = sessions.read(sessions.open(LINK))
    assert first is not None
    clock.advance(3600)
    later = sessions.read(sessions.open(LINK))
    aged = sessions.read(sessions.renew(first)) if first else None
    assert aged is not None
    assert later is not None
    assert sessions.csrf(first) == sessions.csrf(aged)
    assert sessions.csrf(first) != sessions.csrf(later)
    assert sessions.csrf_matches(aged, sessions.csrf(first))
    assert not sessions.csrf_matches(aged, "")


def test_seven_days_are_the_end_however_busy() -> None:
    clock = FakeClock()
    sessions = Sessions(KEY, clock)
    cookie = sessions.open(LINK)
    for _ in range(14):
        clock.advance(12 * 3600)
        session = sessions.read(cookie)
        assert session is not None
        cookie = sessions.renew(session)
    clock.advance(1)
    assert sessions.read(cookie) is None


# ---- where from ----


@pytest.mark.parametrize(
    ("headers", "provenance"),
    [
        ({}, Provenance.UNKNOWN),
        ({"Sec-Fetch-Site": "same-origin"}, Provenance.OWN),
        ({"Sec-Fetch-Site": "none"}, Provenance.UNKNOWN),
        ({"Sec-Fetch-Site": "same-site"}, Provenance.FOREIGN),
        ({"Sec-Fetch-Site": "cross-site"}, Provenance.FOREIGN),
        ({"Sec-Fetch-Site": "cross-site", "Origin": "http://192.0.2.1:8080"}, Provenance.FOREIGN),
        ({"Sec-Fetch-Site": "none", "Origin": "http://evil.example"}, Provenance.FOREIGN),
        ({"Origin": "http://192.0.2.1:8080"}, Provenance.OWN),
        ({"Origin": "http://192.0.2.1"}, Provenance.FOREIGN),
        ({"Origin": "http://192.0.2.1:8081"}, Provenance.FOREIGN),
        ({"Origin": "http://192.0.2.2:8080"}, Provenance.FOREIGN),
        ({"Origin": "null"}, Provenance.FOREIGN),
        ({"Origin": ""}, Provenance.FOREIGN),
        ({"Origin": "ftp://192.0.2.1:8080"}, Provenance.FOREIGN),
        ({"Origin": "http://192.0.2.1", "Host": "192.0.2.1"}, Provenance.OWN),
        ({"Origin": "http://192.0.2.1", "Host": "192.0.2.1:80"}, Provenance.OWN),
        ({"Origin": "https://box.example", "Host": "BOX.example:443"}, Provenance.OWN),
        ({"Origin": "http://[2001:db8::1]:8080", "Host": "[2001:db8::1]:8080"}, Provenance.OWN),
        ({"Origin": "http://[2001:db8::1]", "Host": "[2001:db8::1]"}, Provenance.OWN),
    ],
)
def test_where_a_request_comes_from(headers: dict[str, str], provenance: Provenance) -> None:
    whole = CIMultiDict({"Host": "192.0.2.1:8080", **headers})
    assert provenance_of(CIMultiDictProxy(whole)) is provenance


# ---- the Host list ----

HOSTS = Hosts(["gate-7f3a", "Box.Example.", ""])


@pytest.mark.parametrize(
    "host",
    [
        "192.0.2.1", "192.0.2.1:8080", "127.0.0.1", "[2001:db8::1]", "[::1]:8080", "localhost", "LOCALHOST:80",
        "gate-7f3a", "gate-7f3a.local:8080", "GATE-7F3A.LOCAL.", "box.example", "box.example.:8080",
    ],
)  # fmt: skip
def test_our_own_names(host: str) -> None:
    assert HOSTS.allow(host)


@pytest.mark.parametrize(
    "host",
    [
        "", " ", "evil.example", "192.0.2.1.evil.example", "localhost.evil.example", "box.example.evil", ".local",
        "local", "2130706433", "0x7f.1", "127.1", "user@192.0.2.1", "192.0.2.1:8080:80", "192.0.2.1:", "::1",
        "[::1", "[localhost]", "[192.0.2.1]", "box.example..", "192.0.2.1/evil", "192.0.2.1 evil", "gate\u2010.local",
        "192.0.2.1\n", "192.0.2.1:٣",
    ],
)  # fmt: skip
def test_other_names(host: str) -> None:
    assert not HOSTS.allow(host)
