"""The door with real sockets: mode × profile × known, unknown or lowered; guessing; the one name twice."""

import asyncio
import base64
import ssl
from collections.abc import AsyncIterator
from contextlib import AsyncExitStack, asynccontextmanager
from pathlib import Path
from typing import Any

import pytest
from cryptography import x509
from cryptography.x509.oid import NameOID
from websockets.exceptions import InvalidStatus

from edge_agent.certificates import authority
from edge_agent.certificates.authority import KeyKind, Names
from edge_agent.certificates.keeper import Keeper
from edge_agent.charge_points.attempts import WRONG_PER_MINUTE
from edge_agent.site.admission import Policy
from edge_agent.site.verifiers import fast_verifier, slow_verifier
from programs.clock import SystemClock
from sitelink import events as e
from sitelink.ids import StationKey
from sitelink.ops import BOX, Fact
from sitelink.security import CredentialOrigin, KeyState, StationSecurity
from tests.doubles.core import job_file
from tests.doubles.ocpp_box import BOOT, OcppBox, Socket, ocpp_box, until

CP001 = StationKey("cp001")
PASSWORD = "a-password-of-16+"


@pytest.fixture(scope="module")
async def keeper(tmp_path_factory: pytest.TempPathFactory) -> Keeper:
    return await Keeper.open(
        tmp_path_factory.mktemp("site"), SystemClock(), lambda: Names(("localhost",), ("127.0.0.1",))
    )


def basic(password: str | bytes = PASSWORD, user: str = "CP001") -> dict[str, str]:
    secret = password if isinstance(password, bytes) else password.encode()
    return {"Authorization": "Basic " + base64.b64encode(user.encode() + b":" + secret).decode()}


def client(keeper: Keeper, name: str | None = None, folder: Path | None = None) -> ssl.SSLContext:
    """A station that trusts the site; with `name` it has a certificate of it."""
    context = ssl.create_default_context(cadata=keeper.root_pem.decode())
    if name is not None and folder is not None:
        key = authority.new_key(KeyKind.ECDSA)
        subject = x509.Name([x509.NameAttribute(NameOID.COMMON_NAME, name)])
        leaf = authority.issue_client(keeper.root, subject, key.public_key(), SystemClock().now())  # type: ignore[arg-type]
        file = folder / f"{name}.pem"
        file.write_bytes(authority.Holder(leaf, key).certificate_pem + authority.Holder(leaf, key).key_pem)
        context.load_cert_chain(file)
    return context


async def record(box: OcppBox, *events: e.Event, station: str = "cp001") -> None:
    from edge_agent.site.ports import Decision

    facts = tuple(Fact(f"security:{station}", event, BOX) for event in events)
    await box.journal.write(lambda _ledger: Decision(facts, None))


def security(box: OcppBox) -> StationSecurity:
    return box.journal.state.security[CP001]


def noted(box: OcppBox) -> list[str]:
    return [event.code for event in box.events(e.SecurityNoted)]


async def outcome(box: OcppBox, path: str = "CP001", **how: Any) -> int | str:
    """The HTTP status of a refusal, or what its boot was answered."""
    try:
        async with box.station(path, **how) as station:
            return await station.boot()
    except InvalidStatus as refused:
        answer = refused.response
    assert answer.body == b"Not served here.\n", "the body says nothing"
    return answer.status_code


def by_profile(profile: int, keeper: Keeper, folder: Path) -> dict[str, Any]:
    """How a station with a right password or certificate connects."""
    if profile == 0:
        return {}
    if profile == 1:
        return {"headers": basic()}
    if profile == 2:
        return {"headers": basic(), "ssl": client(keeper)}
    return {"ssl": client(keeper, "CP001", folder)}


@pytest.mark.parametrize("profile", [0, 1, 2, 3])
@pytest.mark.parametrize("mode", ["pair", "strict", "open"])
async def test_mode_by_profile_for_known_unknown_and_lowered(
    mode: str, profile: int, keeper: Keeper, tmp_path: Path
) -> None:
    how = by_profile(profile, keeper, tmp_path)
    credential = e.CredentialSet(fast_verifier(PASSWORD.encode()), CredentialOrigin.TYPED)
    async with ocpp_box(policy=Policy(security=mode), tls=keeper.for_stations()) as box:
        unknown = await outcome(box, "STRANGER", **how)
        assert unknown == (404 if mode == "strict" else "Pending")
        if profile in (1, 2):
            await record(box, credential)
        if mode == "strict" and profile == 0:
            assert await outcome(box, **how) == 401
            return
        assert await outcome(box, **how) == "Accepted"
        assert box.known().profile == profile
        assert box.known().encrypted is (profile >= 2)
        if mode != "open":
            assert security(box).profile == profile
        for lower in range(profile):
            if lower in (1, 2):
                await record(box, credential)
            expected = "Accepted" if mode == "open" else 401
            assert await outcome(box, **by_profile(lower, keeper, tmp_path)) == expected, lower
        assert await outcome(box, **how) == "Accepted", "the right one still gets in"


async def test_a_password_shown_while_pairing_is_learned_kept_over_a_restart_and_demanded_then() -> None:
    async with ocpp_box() as box:
        assert await outcome(box, headers=basic()) == "Accepted"
        assert security(box).profile == 1
        assert security(box).credential is not None
        await box.jobs.complete(box.jobs.jobs()[0].id, _author(), activate_all=True)
        assert await outcome(box, headers=basic()) == "Accepted"
        assert await outcome(box) == 401
        assert await outcome(box, headers=basic("another-password")) == 401
        assert noted(box) == ["credentials_needed", "wrong_key"]
        reasons = {knock.reason for knock in box.journal.state.knocks.values()}
        assert reasons <= {"credentials_needed", "wrong_key"}
        assert await outcome(box, headers=basic()) == "Accepted"
        assert not box.journal.state.knocks, "served again, it is no longer shown as calling in vain"


async def test_a_station_whose_password_was_just_learned_may_boot_again_and_is_shown_as_it_is() -> None:
    async with ocpp_box() as box, box.station(headers=basic()) as station:
        assert await station.boot() == "Accepted"
        assert box.known().profile == 1, "though it was not proven when it connected"
        await box.server.recheck(CP001)
        assert (await station.call("BootNotification", BOOT))[2]["status"] == "Accepted"
        assert (await station.call("Heartbeat"))[0] == 3


async def test_a_learned_password_that_changed_while_its_job_is_open_is_learned_again_at_once() -> None:
    async with ocpp_box() as box:
        assert await outcome(box, headers=basic()) == "Accepted"
        async with box.station(headers=basic("another-password-16")) as station:
            await until(lambda: box.is_online())
            assert await station.boot() == "Accepted"
            assert await station.boot() == "Accepted"
            assert box.known().profile == 1
        assert await outcome(box, headers=basic("another-password-16")) == "Accepted"


async def test_a_person_lets_a_lowered_station_pair_anew_and_that_is_its_profile_then() -> None:
    async with ocpp_box() as box:
        assert await outcome(box, headers=basic()) == "Accepted"
        assert await outcome(box) == 401
        await record(box, e.StationPairingOpened(1800))
        assert await outcome(box) == "Accepted"
        assert (security(box).profile, security(box).credential) == (0, None)
        assert await outcome(box) == "Accepted"


async def test_one_that_pairs_anew_with_another_password_is_held_to_that_one() -> None:
    async with ocpp_box() as box:
        await record(box, e.CredentialSet(fast_verifier(PASSWORD.encode()), CredentialOrigin.TYPED))
        assert await outcome(box, headers=basic()) == "Accepted"
        await box.jobs.complete(box.jobs.jobs()[0].id, _author(), activate_all=True)
        assert await outcome(box, headers=basic("another-password-16")) == 401
        await record(box, e.StationPairingOpened(1800))
        assert await outcome(box, headers=basic("another-password-16")) == "Accepted"
        assert security(box).profile == 1
        assert await outcome(box, headers=basic("another-password-16")) == "Accepted"
        assert await outcome(box, headers=basic()) == 401


async def test_a_station_that_took_a_key_and_goes_on_with_what_it_had_stays_served() -> None:
    async with ocpp_box() as box:
        assert await outcome(box) == "Accepted"
        await box.jobs.complete(box.jobs.jobs()[0].id, _author(), activate_all=True)
        await record(box, e.KeyOffered("v2"), e.KeyAnswered("v2", KeyState.ACCEPTED))
        assert await outcome(box, headers=basic("what-its-maker-gave-it")) == "Accepted"
        assert await outcome(box) == "Accepted"
        assert security(box).profile == 0


async def test_an_accepted_station_without_a_password_is_not_held_to_one_a_stranger_shows() -> None:
    async with ocpp_box() as box:
        assert await outcome(box) == "Accepted"
        await box.jobs.complete(box.jobs.jobs()[0].id, _author(), activate_all=True)
        assert await outcome(box, headers=basic("whatever-it-may-be")) == "Accepted"
        assert (security(box).profile, security(box).credential) == (0, None)
        assert await outcome(box) == "Accepted"


@pytest.mark.parametrize("raw", [True, False])
async def test_a_key_of_1_6_may_come_as_raw_bytes_or_as_its_digits(raw: bool) -> None:
    key = "00FF3A" + "5C" * 17
    async with ocpp_box() as box:
        await record(box, e.CredentialSet(slow_verifier(key.encode()), CredentialOrigin.TYPED))
        said = bytes.fromhex(key) if raw else key.lower().encode()
        assert await outcome(box, headers=basic(said)) == "Accepted"


async def test_a_user_that_is_not_the_identity_needs_a_switch() -> None:
    async with ocpp_box() as box:
        await record(box, e.CredentialSet(fast_verifier(PASSWORD.encode()), CredentialOrigin.TYPED))
        assert await outcome(box, headers=basic(user="installer")) == 401
        await record(box, e.UserMayDiffer(True))
        assert await outcome(box, headers=basic(user="installer")) == "Accepted"


async def test_a_certificate_of_another_is_refused_and_one_by_serial_is_found_out_at_the_boot(
    keeper: Keeper, tmp_path: Path
) -> None:
    async with ocpp_box(tls=keeper.for_stations()) as box:
        async with box.station(ssl=client(keeper, "SN-77", tmp_path)) as station:
            assert await station.boot(chargePointSerialNumber="SN-1") == "Pending"
            assert await station.closed() == 1000
        assert noted(box) == ["certificate_of_another"]
        assert await outcome(box, ssl=client(keeper, "SN-1", tmp_path)) == "Accepted"
        assert security(box).profile == 3
        assert await outcome(box, ssl=client(keeper, "SN-77", tmp_path)) == 401
        assert noted(box) == ["certificate_of_another"], "the same from the same address is counted"


async def test_a_password_that_is_given_now_is_demanded_of_who_is_connected_too() -> None:
    async with ocpp_box() as box, box.station() as station:
        assert await station.boot() == "Accepted"
        await record(box, e.CredentialSet(fast_verifier(PASSWORD.encode()), CredentialOrigin.TYPED))
        await box.server.recheck(CP001)
        assert await station.closed() == 1000
        assert await outcome(box) == 401
        assert await outcome(box, headers=basic()) == "Accepted"


# ---- guessing ----


async def test_fifty_wrong_keys_are_slowed_down_and_the_right_charger_gets_in_meanwhile() -> None:
    async with ocpp_box() as box:
        await record(box, e.CredentialSet(slow_verifier(PASSWORD.encode()), CredentialOrigin.TYPED))
        answers = [await outcome(box, headers=basic(f"guess number {n:06}")) for n in range(50)]
        assert answers[:WRONG_PER_MINUTE] == [401] * WRONG_PER_MINUTE
        assert set(answers[WRONG_PER_MINUTE:]) == {429}
        assert await outcome(box, headers=basic()) == "Accepted"
        assert noted(box) == ["wrong_key"], "written down once, counted since"


async def test_while_one_guesses_all_the_time_the_right_charger_at_another_address_gets_in() -> None:
    async with ocpp_box() as box:
        await record(box, e.CredentialSet(fast_verifier(PASSWORD.encode()), CredentialOrigin.TYPED))
        stop = asyncio.Event()

        async def guess(address: str) -> int:
            tries = 0
            while not stop.is_set():
                tries += 1
                assert await outcome(box, headers=basic(f"guess {tries}"), local_addr=(address, 0)) in (401, 429)
            return tries

        async with asyncio.TaskGroup() as group:
            guessing = [group.create_task(guess(f"127.0.0.{n}")) for n in (2, 3, 4)]
            await until(lambda: box.server.counts["handshakes_refused_guessing"] > 10)
            assert await outcome(box, headers=basic(), local_addr=("127.0.0.9", 0)) == "Accepted"
            stop.set()
        assert sum(task.result() for task in guessing) > 10


# ---- one name twice: old live, half-open or dead × newcomer proven, unproven or proven elsewhere ----


@asynccontextmanager
async def occupied(box: OcppBox, old: str, how: dict[str, Any]) -> AsyncIterator[Socket]:
    """A station that serves and then is live, no longer reads, or is gone without a word."""
    async with AsyncExitStack() as stack:
        station = await stack.enter_async_context(box.station(local_addr=("127.0.0.5", 0), **how))
        assert await station.boot() == "Accepted"
        if old == "half-open":
            station.socket.transport.pause_reading()
        elif old == "dead":
            station.socket.transport.abort()
            await until(lambda: not box.is_online())
        yield station


@pytest.mark.parametrize("old", ["live", "half-open", "dead"])
@pytest.mark.parametrize("newcomer", ["proven", "unproven", "proven elsewhere"])
async def test_who_gets_the_place_of_a_station_that_has_a_password(old: str, newcomer: str) -> None:
    async with ocpp_box() as box:
        await record(box, e.CredentialSet(fast_verifier(PASSWORD.encode()), CredentialOrigin.TYPED))
        async with occupied(box, old, {"headers": basic()}) as station:
            address = "127.0.0.6" if newcomer == "proven elsewhere" else "127.0.0.5"
            how: dict[str, Any] = {} if newcomer == "unproven" else {"headers": basic()}
            got = await outcome(box, local_addr=(address, 0), **how)
            if newcomer == "unproven":
                assert got == 401
            elif newcomer == "proven elsewhere" and old == "live":
                assert got == "Pending"
                assert "duplicate_identity" in noted(box)
            else:
                assert got == "Accepted"
            if old == "live" and newcomer != "proven":
                assert (await station.call("Heartbeat"))[0] == 3, "it was not evicted"
                assert box.is_online()


@pytest.mark.parametrize("old", ["live", "half-open", "dead"])
async def test_a_proven_newcomer_takes_the_place_of_one_that_never_proved_itself(old: str) -> None:
    async with ocpp_box() as box, occupied(box, old, {}):
        await record(box, e.CredentialSet(fast_verifier(PASSWORD.encode()), CredentialOrigin.TYPED))
        assert await outcome(box, headers=basic(), local_addr=("127.0.0.6", 0)) == "Accepted"


def _author() -> Any:
    from tests.doubles.core import INSTALLER

    return INSTALLER


async def test_the_secret_of_a_station_is_in_no_fact_and_no_frame() -> None:
    async with ocpp_box() as box:
        await box.jobs.import_job(job_file(), replace=True)
        assert await outcome(box, headers=basic("canary-password-17")) == "Accepted"
        assert await outcome(box, headers=basic("canary-password-18")) == "Accepted", "learned anew while pairing"
        told = repr(box.ops()) + repr(box.server.frames(CP001)) + repr(box.journal.state.security)
        assert "canary" not in told
