"""Passwords and keys, from what a person asks to what a station can connect with. Also when the box dies in between."""

import asyncio
import base64
from collections.abc import AsyncIterator
from contextlib import asynccontextmanager, suppress
from typing import Any

import pytest
from websockets.exceptions import InvalidStatus

from edge_agent.site.ports import LateAnswer
from edge_agent.site.reports import StartReport
from edge_agent.site.security_service import KeyPatience, SecurityService
from sitelink.commands import Order, OrderAnswer, Reset, SetKey
from sitelink.errors import KeyUnderway, NoAnswer, PasswordInvalid, StationOffline
from sitelink.events import KeyAnswered, KeyOffered
from sitelink.ids import StationKey
from sitelink.security import KeyState
from tests.doubles.core import INSTALLER, Core
from tests.doubles.ocpp_box import OcppBox, Socket, ocpp_box, until

CP = StationKey("cp001")
OLD = "an-old-password-16"
AT_ONCE = KeyPatience(calls_again_s=0.02, shows_it_s=0.05)


def basic(password: str | None) -> dict[str, str]:
    if password is None:
        return {}
    return {"Authorization": "Basic " + base64.b64encode(f"CP001:{password}".encode()).decode()}


async def connects(box: OcppBox, password: str | None) -> bool:
    with suppress(InvalidStatus):
        async with box.station(headers=basic(password)) as station:
            return await station.boot() == "Accepted"
    return False


@asynccontextmanager
async def serving(keys: SecurityService) -> AsyncIterator[None]:
    task = asyncio.create_task(keys.run())  # noqa: TID251 (the test is the group)
    try:
        yield
    finally:
        task.cancel()
        with suppress(asyncio.CancelledError):
            await task


async def offered(station: Socket) -> tuple[list[Any], str]:
    """The call that hands out a key, and the key."""
    call = await station.asked("ChangeConfiguration")
    assert call[3]["key"] == "AuthorizationKey"
    return call, call[3]["value"]


# ---- handing out keys ----


@pytest.mark.parametrize("before", [None, OLD])
async def test_a_key_is_sent_taken_and_shown_and_then_nothing_else_counts(before: str | None) -> None:
    async with ocpp_box() as box, serving(box.keys):
        async with box.station(headers=basic(before)) as station:
            await station.boot()
            assert await box.jobs.secure(box.jobs.jobs()[0].id, INSTALLER) == 1
            call, key = await offered(station)
            assert len(bytes.fromhex(key)) == 20
            await station.send([3, call[1], {"status": "Accepted"}])
            assert await station.closed() == 1000, "it did not call again by itself"
        assert box.journal.state.security[CP].key_state is KeyState.ACCEPTED
        assert await connects(box, before) is (before is None), "without a password before, it is not locked out"
        assert await connects(box, key)
        assert box.journal.state.security[CP].key_state is KeyState.PROVEN
        assert not await connects(box, before)
        assert await connects(box, key)
        assert key not in repr(box.ops()) + repr(box.server.frames(CP)) + repr(box.journal.state.security)


@pytest.mark.parametrize("word", ["Rejected", "NotSupported"])
async def test_a_key_that_is_refused_changes_nothing(word: str) -> None:
    async with ocpp_box() as box, serving(box.keys):
        async with box.station(headers=basic(OLD)) as station:
            await station.boot()
            await box.keys.push_key(CP, INSTALLER)
            call, key = await offered(station)
            await station.send([3, call[1], {"status": word}])
            await until(lambda: box.journal.state.security[CP].key_state is KeyState.REFUSED)
            assert (await station.call("Heartbeat"))[0] == 3, "its connection goes on"
        await box.jobs.complete(box.jobs.jobs()[0].id, INSTALLER, activate_all=True)
        assert not await connects(box, key)
        assert await connects(box, OLD)


async def test_one_that_must_restart_first_is_asked_to_and_both_keys_count_meanwhile() -> None:
    async with ocpp_box() as box, serving(box.keys):
        async with box.station(headers=basic(OLD)) as station:
            await station.boot()
            await box.keys.push_key(CP, INSTALLER)
            call, key = await offered(station)
            await station.send([3, call[1], {"status": "RebootRequired"}])
            restart = await station.asked("Reset")
            assert restart[3] == {"type": "Soft"}
            await station.send([3, restart[1], {"status": "Accepted"}])
        assert box.journal.state.security[CP].key_word == "RebootRequired"
        assert await connects(box, OLD)
        assert await connects(box, key)
        assert not await connects(box, OLD), "the new one was shown"


async def test_an_answer_that_comes_late_still_settles_it() -> None:
    async with ocpp_box() as box, serving(box.keys), box.station(headers=basic(OLD)) as station:
        await station.boot()
        await box.keys.push_key(CP, INSTALLER)
        call, _key = await offered(station)
        await until(lambda: box.journal.state.security[CP].key_state is KeyState.UNCERTAIN)
        await station.send([3, call[1], {"status": "Accepted"}])
        await until(lambda: box.journal.state.security[CP].key_state is KeyState.ACCEPTED)


async def test_2_x_stations_get_a_password_of_40_characters() -> None:
    async with ocpp_box() as box, serving(box.keys), box.station(offer=["ocpp2.0.1"]) as station:
        boot = {"reason": "PowerUp", "chargingStation": {"vendorName": "Acme", "model": "Post"}}
        assert (await station.call("BootNotification", boot))[2]["status"] == "Accepted"
        await box.keys.push_key(CP, INSTALLER)
        while (call := await station.receive())[2] != "SetVariables":
            await station.send([4, call[1], "NotImplemented", "", {}])
        (asked,) = call[3]["setVariableData"]
        assert (asked["component"]["name"], asked["variable"]["name"]) == ("SecurityCtrlr", "BasicAuthPassword")
        assert len(asked["attributeValue"]) == 40
        result = {"attributeStatus": "Accepted", "component": asked["component"], "variable": asked["variable"]}
        await station.send([3, call[1], {"setVariableResult": [result]}])
        await until(lambda: box.journal.state.security[CP].key_state is KeyState.ACCEPTED)
        assert asked["attributeValue"] not in repr(box.server.frames(CP))


async def test_only_one_key_at_a_time_and_only_to_who_is_there() -> None:
    async with ocpp_box() as box:
        with pytest.raises(StationOffline):
            await box.keys.push_key(CP, INSTALLER)
        assert box.events(KeyOffered) == []
        async with box.station() as station:
            await station.boot()
            await box.keys.push_key(CP, INSTALLER)
            with pytest.raises(KeyUnderway):
                await box.keys.push_key(CP, INSTALLER)
            assert await box.keys.secure([CP, StationKey("cp002")], INSTALLER) == []


# ---- the box dies in between ----


class PowerCut(BaseException):
    """The process ends here."""


class Dying:
    """Stations of a box that loses power at one point of handing out a key. `holds` is what the station has then."""

    def __init__(self, point: str, holds: str) -> None:
        self.point = point
        self.holds = holds

    def is_online(self, station: StationKey) -> bool:
        return True

    async def send(self, station: StationKey, order: Order, late: LateAnswer | None = None) -> OrderAnswer:
        assert isinstance(order, SetKey)
        if self.point in ("before it is sent", "before it is received"):
            raise PowerCut
        self.holds = order.key
        if self.point == "before it is answered":
            raise PowerCut
        return OrderAnswer("Accepted", accepted=True)

    async def reconnect(self, station: StationKey) -> None:
        raise PowerCut


@pytest.mark.parametrize(
    "point",
    ["before it is written down", "before it is sent", "before it is received", "before it is answered",
     "before the answer is written down", "before it connects again"],
)  # fmt: skip
async def test_wherever_the_box_dies_the_station_connects_again(point: str, monkeypatch: pytest.MonkeyPatch) -> None:
    async with ocpp_box() as box:
        assert await connects(box, OLD)
        dying = Dying(point, OLD)
        keys = SecurityService(box.journal, dying, box.journal, AT_ONCE)  # type: ignore[arg-type]
        write, lost = box.journal.write, {"before it is written down": 0, "before the answer is written down": 1}

        async def until_the_cut(decide: Any, writes: list[int] = []) -> Any:  # noqa: B006 (counts)
            if lost.get(point) == len(writes):
                raise PowerCut
            writes.append(1)
            return await write(decide)

        with monkeypatch.context() as patched, suppress(PowerCut):
            patched.setattr(box.journal, "write", until_the_cut)
            await keys.push_key(CP, INSTALLER)
            await keys._hand_out(keys._queue.get_nowait())
        for _ in range(2):
            assert await connects(box, dying.holds), "what the journal holds is all a restarted box knows"
        if dying.holds != OLD:
            assert not await connects(box, OLD)


@pytest.mark.parametrize(
    ("raised", "state"),
    [
        (NoAnswer(identity=CP), KeyState.UNCERTAIN),
        (StationOffline(identity=CP, sent=True), KeyState.UNCERTAIN),
        (StationOffline(identity=CP, sent=False), KeyState.REFUSED),
    ],
)
async def test_what_is_known_when_no_answer_comes(raised: Exception, state: KeyState) -> None:
    core = Core()
    await core.import_job()
    core.stations.online.add(CP)
    core.stations.answers[SetKey] = raised
    await core.keys.push_key(CP, INSTALLER)
    await core.keys._hand_out(core.keys._queue.get_nowait())
    assert core.journal.state.security[CP].key_state is state


@pytest.mark.parametrize(
    ("word", "state"),
    [("InternalError", KeyState.UNCERTAIN), ("GenericError", KeyState.UNCERTAIN), ("NotImplemented", KeyState.REFUSED),
     ("UnknownVariable", KeyState.REFUSED), ("Perhaps", KeyState.UNCERTAIN)],
)  # fmt: skip
async def test_an_error_that_says_nothing_for_certain_leaves_both_keys(word: str, state: KeyState) -> None:
    core = Core()
    core.stations.online.add(CP)
    core.stations.answers[SetKey] = OrderAnswer(word, accepted=False)
    core.keys._patience = AT_ONCE
    await core.keys.push_key(CP, INSTALLER)
    await core.keys._hand_out(core.keys._queue.get_nowait())
    (answered,) = [op.event for op in core.journal.recorded if isinstance(op.event, KeyAnswered)]
    assert (answered.state, answered.word) == (state, word)


async def test_nobody_is_restarted_while_somebody_charges() -> None:
    core = Core()
    await core.import_job()
    await core.boot("CP001")
    await core.desk.start(CP, StartReport(1, "T", 0, station_time="2026-11-23T12:00:00Z"))
    core.stations.answers[SetKey] = OrderAnswer("RebootRequired", accepted=True)
    core.keys._patience = AT_ONCE
    await core.keys.push_key(CP, INSTALLER)
    await core.keys._hand_out(core.keys._queue.get_nowait())
    assert not any(isinstance(order, Reset) for _, order in core.stations.orders)


def test_a_key_is_not_printed_with_its_order() -> None:
    assert "SECRET" not in repr(SetKey("SECRET"))
    assert "SECRET" not in repr(SetKey("SECRET").__rich_repr__())


# ---- passwords ----


@pytest.mark.parametrize("password", ["", "short", "x" * 300, "with\na line of it"])
async def test_a_password_must_be_usable(password: str) -> None:
    core = Core()
    with pytest.raises(PasswordInvalid):
        await core.keys.set_password(CP, password, INSTALLER)
    assert core.journal.recorded == []


async def test_a_given_password_is_kept_as_a_salted_hash_and_demanded() -> None:
    async with ocpp_box() as box:
        await box.keys.set_password(CP, OLD, INSTALLER)
        assert OLD not in repr(box.ops())
        assert not await connects(box, None)
        assert await connects(box, OLD)
        await box.keys.remove_password(CP, INSTALLER)
        assert box.journal.state.security[CP].profile == 1
        assert await connects(box, "another-password-1"), "its job lets it pair"
        assert not await connects(box, None)


async def test_the_log_tells_what_happened_without_any_hash() -> None:
    async with ocpp_box() as box:
        await box.keys.set_password(CP, OLD, INSTALLER)
        assert not await connects(box, "wrong-password-here")
        await box.keys.pair_anew(CP, INSTALLER)
        entries = await box.keys.log(10, None)
        kinds = ["profile.pairing", "knock", "wrong_key", "credentials.set", "link.create"]
        assert [entry["kind"] for entry in entries] == kinds
        assert {entry["about"] for entry in entries[:4]} == {"cp001"}
        assert entries[2]["about"] == "cp001"
        assert entries[2]["detail"]["ip"] == "127.0.0.1"
        assert "scrypt" not in repr(entries)
        assert [entry["kind"] for entry in await box.keys.log(1, entries[0]["seq"])] == ["knock"]


async def test_the_log_of_one_station_is_about_it_alone() -> None:
    async with ocpp_box() as box:
        await box.keys.set_password(CP, "a-long-password-1", INSTALLER)
        await box.keys.set_password(StationKey("cp002"), "a-long-password-2", INSTALLER)
        entries = await box.keys.log_of(CP, 10)
        assert [(entry["kind"], entry["about"]) for entry in entries] == [("credentials.set", "cp001")]
        assert await box.keys.log_of(StationKey("cp003"), 10) == []


async def test_what_a_station_tells_of_its_own_security_stands_in_the_log_each_time() -> None:
    async with ocpp_box() as box, box.station() as station:
        await station.boot()
        event = {"type": "FirmwareUpdated", "timestamp": "2026-11-23T12:00:00Z"}
        for _ in range(2):
            assert (await station.call("SecurityEventNotification", event))[0] == 3
        told = [entry for entry in await box.keys.log_of(CP, 10) if entry["kind"] == "station_event"]
        assert [entry["detail"]["type"] for entry in told] == ["FirmwareUpdated"] * 2


async def test_certificates_stand_in_the_log_under_whose_they_are_and_requests_are_not_repeated_there() -> None:
    core = Core()
    await core.import_job()
    await core.boot("CP001", serial="SN-77")
    assert await core.certificates.requested(CP, "SN-77", None)
    await core.certificates._hand_over(CP, core.signer.sign("SN-77"), INSTALLER)
    await core.certificates.revoke("10", INSTALLER)
    entries = {entry["kind"]: entry for entry in await core.keys.log(10, None)}
    assert entries["certificate.issued"]["about"] == CP
    assert entries["certificate.issued"]["detail"]["serial"] == "10"
    assert entries["certificate.revoked"]["detail"] == {"serial": "10"}
    assert "csr" not in entries["key.certificate_requested"]["detail"]
