"""Calls by hand: checked before they leave, kept with their answers, late ones too."""

import asyncio
from typing import Any

import pytest

from edge_agent.charge_points.dialects import VERSIONS, dialect_of
from edge_agent.charge_points.schemas import SENDS
from edge_agent.site.jobs import OPERATOR
from edge_agent.site.trust import Presented, Trust
from sitelink.commands import SetAvailability
from sitelink.errors import CallInvalid, CallRefused, NoAnswer, StationOffline
from sitelink.ids import StationKey
from sitelink.states import Registration
from tests.doubles.listed import BOOT as BOOT_2X
from tests.doubles.listed import teller
from tests.doubles.ocpp_box import BOOT as BOOT_16
from tests.doubles.ocpp_box import ocpp_box, until
from tests.doubles.payloads import example, message
from tests.edge_agent.charge_points.test_door import basic
from tests.edge_agent.charge_points.test_rules_2x import profile

KEY = StationKey("cp001")
QUIET: dict[str, Any] = {"TriggerMessage": {"status": "Accepted"}, "GetBaseReport": {"status": "Accepted"}}


async def test_calls_are_kept_newest_first_with_what_became_of_them() -> None:
    answers = {**QUIET, "ClearCache": {"status": "Accepted"}}
    async with ocpp_box() as box, teller(box, "2.0.1", answers):
        assert await box.server.call(KEY, "ClearCache", {}) == {"status": "Accepted"}
        with pytest.raises(CallRefused):
            await box.server.call(KEY, "GetLocalListVersion", {})
        refused, answered = box.server.hand_calls(KEY)
        assert (answered["action"], answered["state"], answered["result"]) == (
            "ClearCache", "answered", {"status": "Accepted"},
        )  # fmt: skip
        assert (refused["state"], refused["error"]["code"]) == ("refused", "NotImplemented")
        assert box.server.hand_calls(StationKey("other")) == []


async def test_an_answer_that_comes_late_is_kept() -> None:
    held: list[str] = []

    async with ocpp_box() as box, box.station(offer=["ocpp1.6"]) as station:
        await station.boot()

        async def answer_late() -> None:
            held.append((await station.asked("ClearCache"))[1])

        answering = asyncio.ensure_future(answer_late())
        with pytest.raises(NoAnswer):
            await box.server.call(KEY, "ClearCache", {})
        await answering
        assert box.server.hand_calls(KEY)[0]["state"] == "no_answer"
        await station.send([3, held[0], {"status": "Rejected"}])
        await until(lambda: box.server.hand_calls(KEY)[0]["state"] == "late")
        assert box.server.hand_calls(KEY)[0]["result"] == {"status": "Rejected"}


async def test_a_station_that_waits_to_be_let_in_is_told_from_one_that_is_away() -> None:
    async with ocpp_box() as box, box.station("STRANGER") as station:
        assert await station.boot() == "Pending"
        with pytest.raises(StationOffline) as waits:
            await box.server.call(StationKey("stranger"), "ClearCache", {})
        with pytest.raises(StationOffline) as away:
            await box.server.call(KEY, "ClearCache", {})
        assert (waits.value.fields.get("reason"), away.value.fields.get("reason")) == ("not_served", None)


async def test_a_call_whose_link_is_lost_says_so() -> None:
    async with ocpp_box() as box:
        async with teller(box, "2.0.1", {**QUIET, "ClearCache": lambda _: None}) as told:
            calling = asyncio.ensure_future(box.server.call(KEY, "ClearCache", {}))
            await until(lambda: told.count("ClearCache") == 1)
        with pytest.raises(StationOffline):
            await calling
        assert box.server.hand_calls(KEY)[0]["state"] == "link_lost"


async def test_what_breaks_a_rule_never_leaves() -> None:
    async with ocpp_box() as box, teller(box, "2.0.1", dict(QUIET)) as told:
        await until(lambda: told.count("GetBaseReport") == 1)
        wrong: list[tuple[str, dict[str, Any]]] = [
            ("NoSuchCall", {}),
            ("Heartbeat", {}),
            ("Reset", {"type": "Hard"}),
            ("TriggerMessage", {"requestedMessage": "BootNotification"}),
            ("TriggerMessage", {"requestedMessage": "StatusNotification"}),
        ]
        before = len(told.asked)
        for action, payload in wrong:
            with pytest.raises(CallInvalid):
                await box.server.call(KEY, action, payload)
        assert len(told.asked) == before
        assert box.server.hand_calls(KEY) == []


async def test_secrets_and_tokens_are_masked_in_what_is_kept() -> None:
    answers = {**QUIET, "RequestStartTransaction": {"status": "Accepted"}}
    async with ocpp_box() as box, teller(box, "2.1", answers):
        token = {"idToken": "DRIVER0123456789", "type": "ISO14443"}
        await box.server.call(KEY, "RequestStartTransaction", {"idToken": token, "remoteStartId": 1})
        assert "DRIVER0123456789" not in repr(box.server.hand_calls(KEY))


OBJECTED = {
    "SetChargingProfile": {"evseId": 1, "chargingProfile": profile()},
    "TriggerMessage": {"requestedMessage": "Heartbeat"},
    "RequestStartTransaction": {"idToken": {"idToken": "A", "type": "Central"}, "remoteStartId": 1},
    "RemoteStartTransaction": {"idTag": "A"},
    "ExtendedTriggerMessage": {"requestedMessage": "Heartbeat"},
}
PROFILE_16 = {
    "chargingProfileId": 1, "stackLevel": 0, "chargingProfilePurpose": "TxDefaultProfile",
    "chargingProfileKind": "Relative", "chargingSchedule": {
        "chargingRateUnit": "A", "chargingSchedulePeriod": [{"startPeriod": 0, "limit": 6.0}]},
}  # fmt: skip


@pytest.mark.parametrize("version", VERSIONS)
async def test_every_call_a_central_system_has_goes_out_and_comes_back(version: str) -> None:
    """Each with an example made from its schema; what breaks a rule there is given as it should be."""
    dialect = dialect_of(version)
    objected = {**OBJECTED, "SetChargingProfile": {"connectorId": 1, "csChargingProfiles": PROFILE_16}}
    payloads = {
        action: (objected if version == "1.6" else OBJECTED).get(action) or example(message(version, action))
        for action in sorted(dialect.schemas.from_box - SENDS)
    }
    answers: dict[str, Any] = {action: example(message(version, action, answer=True)) for action in payloads}
    boot = BOOT_16 if version == "1.6" else None
    async with ocpp_box() as box, teller(box, version, answers, boot=boot) as told:
        await until(lambda: told.count("TriggerMessage") == 1)
        for action, payload in payloads.items():
            assert await box.server.call(KEY, action, payload) == dialect.shown_answer(action, answers[action]), action
            assert told.last(action) == payload
        assert {each["state"] for each in box.server.hand_calls(KEY)} == {"answered"}


@pytest.mark.parametrize(
    ("connector", "changes", "where"),
    [
        (1, {}, None),
        (1, {"chargingProfilePurpose": "ChargePointMaxProfile"}, "connectorId"),
        (0, {"chargingProfilePurpose": "TxProfile"}, "connectorId"),
        (1, {"transactionId": 5}, "csChargingProfiles/transactionId"),
        (1, {"chargingProfileKind": "Recurring"}, "csChargingProfiles/recurrencyKind"),
        (1, {"chargingSchedule": {"chargingRateUnit": "A", "chargingSchedulePeriod": [{"startPeriod": 1, "limit": 6}]}},
         "csChargingProfiles/chargingSchedule/chargingSchedulePeriod"),
    ],
)  # fmt: skip
def test_charging_profiles_of_1_6_keep_its_rules(connector: int, changes: dict[str, Any], where: str | None) -> None:
    payload = {"connectorId": connector, "csChargingProfiles": {**PROFILE_16, **changes}}
    assert dialect_of("1.6").not_now("SetChargingProfile", payload, Registration.ACCEPTED) == where


@pytest.mark.parametrize("version", ["1.6", "2.0.1"])
async def test_what_was_ordered_out_of_service_is_known_whichever_way_it_was_ordered(version: str) -> None:
    answers = {**QUIET, "ChangeAvailability": {"status": "Scheduled"}}
    boot = BOOT_16 if version == "1.6" else None
    async with ocpp_box() as box, teller(box, version, answers, boot=boot) as told:
        await until(lambda: told.count("TriggerMessage") == 1)
        answer = await box.server.send(KEY, SetAvailability(operative=False, connector=2))
        assert (answer.word, answer.accepted) == ("Scheduled", True)
        assert box.known().out_of_service == (2,)
        by_hand = {"1.6": {"connectorId": 0, "type": "Inoperative"}, "2.0.1": {"operationalStatus": "Inoperative"}}
        await box.server.call(KEY, "ChangeAvailability", by_hand[version])
        assert box.known().out_of_service == (0,)
        await box.server.send(KEY, SetAvailability(operative=True))
        assert box.known().out_of_service == ()
        answers["ChangeAvailability"] = {"status": "Rejected"}
        await box.server.send(KEY, SetAvailability(operative=False))
        assert box.known().out_of_service == ()


OLD = "an old password of its own"
PASSWORD = "31" * 20
PASSWORD_CALLS = {
    "1.6": ("ChangeConfiguration", {"key": "AuthorizationKey", "value": PASSWORD}),
    "2.0.1": (
        "SetVariables",
        {"setVariableData": [{"component": {"name": "SecurityCtrlr"}, "variable": {"name": "BasicAuthPassword"},
                              "attributeValue": PASSWORD}]},
    ),
}  # fmt: skip


def said_of_password(version: str, word: str) -> dict[str, Any]:
    if version == "1.6":
        return {"status": word}
    named = {"component": {"name": "SecurityCtrlr"}, "variable": {"name": "BasicAuthPassword"}}
    return {"setVariableResult": [{**named, "attributeStatus": word}]}


@pytest.mark.parametrize("version", PASSWORD_CALLS)
@pytest.mark.parametrize(("word", "counts"), [("Accepted", PASSWORD), ("Rejected", OLD)])
async def test_a_password_given_by_hand_is_the_one_that_counts(version: str, word: str, counts: str) -> None:
    """Or the station would stand before a closed door with what it was told to show."""
    action, payload = PASSWORD_CALLS[version]
    async with ocpp_box() as box:
        async with box.station(offer=[f"ocpp{version}"], headers=basic(OLD)) as station:
            if version == "1.6":
                await station.boot()
            else:
                await station.call("BootNotification", BOOT_2X)
            calling = asyncio.ensure_future(box.server.call(KEY, action, payload))
            asked = await station.receive()
            while asked[2] != action:  # what the box asks of its own accord
                await station.send([4, asked[1], "NotImplemented", "", {}])
                asked = await station.receive()
            assert len(box.journal.state.security[KEY].candidates) == 1, "written down before it was sent"
            await station.send([3, asked[1], said_of_password(version, word)])
            await calling
        assert box.journal.state.security[KEY].candidates == ()
        for password in (OLD, PASSWORD):
            proof = await box.desk.prove("CP001", Presented(user="CP001", password=password.encode()))
            assert (proof.trust is Trust.RIGHT) == (password == counts)
        assert PASSWORD not in str(box.journal.recorded)


def to_profile(version: str, number: int) -> tuple[str, dict[str, Any]]:
    if version == "1.6":
        return "ChangeConfiguration", {"key": "SecurityProfile", "value": str(number)}
    action = "SetNetworkProfile"
    payload = example(message(version, action))
    return action, {**payload, "connectionData": {**payload["connectionData"], "securityProfile": number}}


@pytest.mark.parametrize("version", VERSIONS)
async def test_a_profile_below_the_one_it_is_held_to_is_not_set_by_hand(version: str) -> None:
    """It would stand before a closed door, and nobody could tell it so."""
    async with ocpp_box() as box, box.station(offer=[f"ocpp{version}"], headers=basic(OLD)) as station:
        await station.call("BootNotification", BOOT_16 if version == "1.6" else BOOT_2X)
        await until(lambda: box.journal.state.security[KEY].profile == 1)

        async def sent(number: int) -> bool:
            calling = asyncio.ensure_future(box.server.call(KEY, *to_profile(version, number)))
            while not calling.done():
                try:
                    asked = await station.receive(0.1)
                except TimeoutError:
                    continue
                await station.send([4, asked[1], "NotSupported", "", {}])
            problem = calling.exception()
            if isinstance(problem, CallInvalid):
                assert problem.fields["problem"] == "profile_lower"
            return isinstance(problem, CallRefused)

        assert [await sent(number) for number in (0, 1, 2)] == [False, True, True]
        await box.keys.pair_anew(KEY, OPERATOR)
        assert await sent(0), "a person has let it"
