"""Calls by hand: checked before they leave, kept with their answers, late ones too."""

import asyncio
from typing import Any

import pytest

from sitelink.errors import CallInvalid, CallRefused, NoAnswer, StationOffline
from sitelink.ids import StationKey
from tests.doubles.listed import teller
from tests.doubles.ocpp_box import ocpp_box, until

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
