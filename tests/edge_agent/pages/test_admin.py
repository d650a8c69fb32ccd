from collections.abc import AsyncIterator
from typing import Any

import pytest

from edge_agent.site.reports import StartReport, StopReport
from sitelink.commands import ClearCache, GetLocalListVersion, ListLimits, OrderAnswer, ReadListLimits, SendLocalList
from sitelink.errors import CallInvalid, CallRefused, NoAnswer, StationOffline
from sitelink.id_token_rules import TokenEntry
from sitelink.ids import StationKey
from sitelink.states import AuthorizationStatus
from tests.doubles.box_pages import Box, running_box


@pytest.fixture
async def box() -> AsyncIterator[Box]:
    async with running_box() as running:
        yield running


@pytest.fixture
async def admin(box: Box) -> dict[str, str]:
    return {"Authorization": f"Bearer {await box.core.jobs.new_admin_token('desk')}"}


async def ask(box: Box, admin: dict[str, str], method: str, path: str, body: Any = None) -> tuple[int, Any]:
    answer = await box.client().request(method, path, json=body, headers=admin)
    return answer.status, await answer.json()


PATHS = [
    ("GET", "/api/v1/charge-points"),
    ("PATCH", "/api/v1/charge-points/CP001"),
    ("POST", "/api/v1/charge-points/CP001/calls"),
    ("GET", "/api/v1/charge-points/CP001/transactions"),
    ("GET", "/api/v1/health"),
]


@pytest.mark.parametrize(("method", "path"), PATHS)
async def test_only_a_token_of_the_box_opens_it(box: Box, method: str, path: str) -> None:
    for headers in (
        {},
        box.bearer,
        {"Authorization": "Bearer ga1_" + "A" * 43},
        {"Authorization": "Basic Zm9vOmJhcg=="},
        {"Authorization": "Bearer"},
    ):
        status, error = await ask(box, headers, method, path)
        assert (status, error["code"], error["reason"]) == (401, "sign_in_needed", "admin_token")
        assert "edge-agent token new" in error["next_step"]


async def test_a_browsers_session_does_not_open_it(box: Box) -> None:
    browser = await box.browser()
    assert (await browser.get("/api/v1/charge-points")).status == 401


async def test_guessing_is_slowed_down(box: Box, admin: dict[str, str]) -> None:
    wrong = {"Authorization": "Bearer ga1_" + "A" * 43}
    for _ in range(10):
        assert (await ask(box, wrong, "GET", "/api/v1/health"))[0] == 401
    assert (await ask(box, wrong, "GET", "/api/v1/health"))[0] == 429
    assert (await ask(box, admin, "GET", "/api/v1/health"))[0] == 200


async def test_an_admin_token_opens_no_job(box: Box, admin: dict[str, str]) -> None:
    assert (await ask(box, admin, "GET", "/api/v1/job"))[0] == 404


async def test_all_identities_with_their_rows(box: Box, admin: dict[str, str]) -> None:
    await box.core.boot("cp001", serial="S-1")
    status, found = await ask(box, admin, "GET", "/api/v1/charge-points")
    assert status == 200
    by_identity = {each["identity"]: each for each in found}
    assert set(by_identity) == {"cp001", "CP002"}
    first = by_identity["cp001"]
    assert (first["registration"], first["vendor"], first["serial"]) == ("Accepted", "Acme", "S-1")
    assert [(row["name"], row["number"], row["status"]) for row in first["rows"]] == [("Bay 1", "1042", "connected")]
    assert (by_identity["CP002"]["online"], by_identity["CP002"]["registration"]) == (False, "None")


async def test_a_charge_point_is_switched_on_and_to_maintenance(box: Box, admin: dict[str, str]) -> None:
    status, found = await ask(box, admin, "PATCH", "/api/v1/charge-points/cp001", {"active": True, "maintenance": True})
    assert (status, found["rows"][0]["active"], found["rows"][0]["maintenance"]) == (200, True, True)
    status, found = await ask(box, admin, "PATCH", "/api/v1/charge-points/CP001", {"maintenance": False})
    assert (found["rows"][0]["active"], found["rows"][0]["maintenance"]) == (True, False)


@pytest.mark.parametrize("body", [{}, {"active": "yes"}, {"aktive": True}, []])
async def test_a_wrong_switch_is_refused(box: Box, admin: dict[str, str], body: Any) -> None:
    status, error = await ask(box, admin, "PATCH", "/api/v1/charge-points/CP001", body)
    assert (status, error["code"]) == (400, "request_invalid")


async def test_identities_nobody_knows_are_not_found(box: Box, admin: dict[str, str]) -> None:
    for method, path in PATHS[1:4]:
        status, error = await ask(box, admin, method, path.replace("CP001", "NOBODY"), {"action": "Heartbeat"})
        assert (status, error["code"]) == (404, "not_found")


async def test_a_call_answers_with_the_stations_result(box: Box, admin: dict[str, str]) -> None:
    box.stations.result = {"status": "Accepted"}
    body = {"action": "ClearCache", "payload": {}}
    status, found = await ask(box, admin, "POST", "/api/v1/charge-points/CP001/calls", body)
    assert (status, found) == (200, {"result": {"status": "Accepted"}})
    assert box.stations.calls == [(StationKey("cp001"), "ClearCache", {})]


@pytest.mark.parametrize("result", [{}, {"unknown": [1, None]}])
async def test_an_empty_result_is_a_result(box: Box, admin: dict[str, str], result: dict[str, Any]) -> None:
    box.stations.result = result
    _, found = await ask(box, admin, "POST", "/api/v1/charge-points/CP001/calls", {"action": "ClearCache"})
    assert found == {"result": result}


@pytest.mark.parametrize(
    ("trouble", "status", "answer"),
    [
        (
            CallRefused(identity="CP001", action="X", error_code="NotSupported", description="no"),
            200,
            {"error": {"code": "NotSupported", "description": "no"}},
        ),
        (StationOffline(identity="CP001"), 409, {"code": "station_offline"}),
        (NoAnswer(identity="CP001", action="X", after_s=30), 504, {"code": "no_answer"}),
        (CallInvalid(action="X", where="type", problem="missing"), 422, {"code": "call_invalid", "where": "type"}),
    ],
)
async def test_how_a_call_can_fail(
    box: Box, admin: dict[str, str], trouble: Exception, status: int, answer: dict[str, Any]
) -> None:
    box.stations.result = trouble
    found, body = await ask(box, admin, "POST", "/api/v1/charge-points/CP001/calls", {"action": "X", "payload": {}})
    assert found == status
    assert {key: body[key] for key in answer} == answer


@pytest.mark.parametrize("body", [{}, {"action": 1}, {"action": "X", "payload": []}, {"action": "X", "extra": 1}])
async def test_a_call_of_the_wrong_shape_is_refused(box: Box, admin: dict[str, str], body: Any) -> None:
    status, error = await ask(box, admin, "POST", "/api/v1/charge-points/CP001/calls", body)
    assert (status, error["code"]) == (400, "request_invalid")


async def test_transactions_newest_first(box: Box, admin: dict[str, str]) -> None:
    await box.core.boot("CP001")
    await box.core.jobs.set_activity([box.core.row("Bay 1").id], active=True)
    station = StationKey("cp001")
    for number in (1, 2):
        report = StartReport(1, f"CARD{number}", 100.0 * number, at=box.core.clock.now(), payload={"n": number})
        started = await box.core.desk.start(station, report)
        assert started.verdict.status is AuthorizationStatus.ACCEPTED
        box.core.clock.advance(60)
        stop = StopReport(started.transaction, 500.0 * number, "Remote", at=box.core.clock.now(), payload={"n": number})
        await box.core.desk.stop(station, stop)
    status, found = await ask(box, admin, "GET", "/api/v1/charge-points/CP001/transactions")
    assert status == 200
    assert [(each["id_token"], each["meter_start_wh"], each["meter_stop_wh"]) for each in found] == [
        ("CARD2", 200, 1000),
        ("CARD1", 100, 500),
    ]
    assert set(found[0]) == {
        "id", "id_token", "connector", "started_at", "stopped_at", "reason", "meter_start_wh", "meter_stop_wh",
        "incomplete", "missing_events", "extras",
    }  # fmt: skip
    _, one = await ask(box, admin, "GET", "/api/v1/charge-points/CP001/transactions?limit=1")
    assert len(one) == 1
    for limit in ("0", "-1", "x", "1001", "9" * 30):
        status, _ = await ask(box, admin, "GET", f"/api/v1/charge-points/CP001/transactions?limit={limit}")
        assert status == 400


async def test_health_in_detail(box: Box, admin: dict[str, str]) -> None:
    await box.core.boot("CP001")
    box.stations.online.add(StationKey("cp001"))
    status, found = await ask(box, admin, "GET", "/api/v1/health")
    assert status == 200
    assert (found["status"], found["charge_points"], found["online"], found["open_jobs"]) == ("ok", 1, 1, 1)


async def test_a_charge_point_gets_a_test_token_of_its_own(box: Box, admin: dict[str, str]) -> None:
    one = "/api/v1/charge-points/CP001"
    status, found = await ask(box, admin, "PATCH", one, {"test_token": "0001"})
    assert (status, found["test_token"], found["identity"]) == (200, "0001", "CP001")
    status, found = await ask(box, admin, "PATCH", one, {"active": True})
    assert (found["test_token"], found["rows"][0]["active"]) == ("0001", True)
    status, found = await ask(box, admin, "PATCH", one, {"test_token": None})
    assert (status, found["test_token"]) == (200, None)
    status, error = await ask(box, admin, "PATCH", one, {"test_token": "x" * 21})
    assert (status, error["code"]) == (422, "id_token_invalid")


async def test_a_list_of_id_tokens_is_brought_up_to_date_by_request(box: Box, admin: dict[str, str]) -> None:
    await box.core.boot("CP001")
    one = "/api/v1/charge-points/CP001"
    box.core.stations.answers = {
        ReadListLimits: OrderAnswer("Accepted", accepted=True, payload=ListLimits(entries=1)),
        GetLocalListVersion: OrderAnswer("Accepted", accepted=True, payload=0),
    }
    await box.core.jobs.set_activity([box.core.row("Bay 1").id], active=True)
    await box.core.tokens.put(TokenEntry("04A1"))
    status, found = await ask(box, admin, "POST", f"{one}/local-list", {"clear_cache": True})
    assert status == 200
    assert found == {
        "version": 1, "entries": 1, "left_out": 1, "state": "current", "reason": "", "at": "2026-11-23T12:00:00Z",
    }  # fmt: skip
    sent = [order for _, order in box.core.stations.orders]
    assert [type(order) for order in sent] == [ClearCache, ReadListLimits, GetLocalListVersion, SendLocalList]
    _, all_of_them = await ask(box, admin, "GET", "/api/v1/charge-points")
    by_identity = {each["identity"]: each["local_list"] for each in all_of_them}
    assert by_identity == {"CP001": found, "CP002": None}
    status, again = await ask(box, admin, "POST", f"{one}/local-list", {"full": True})
    assert (status, again["version"]) == (200, 2)
    status, without_body = await ask(box, admin, "POST", f"{one}/local-list")
    assert (status, without_body["state"]) == (200, "current")


async def test_a_program_is_told_what_to_change_and_not_to_load_a_page(box: Box, admin: dict[str, str]) -> None:
    _, error = await ask(box, admin, "GET", "/api/v1/charge-points/CP001/transactions?limit=0")
    assert error["next_step"] == "Correct limit: not allowed; allowed: 1 to 1000."
    _, error = await ask(box, admin, "GET", "/api/v1/charge-points/NOBODY/transactions")
    assert error["next_step"] == "No charge point “nobody” is known here: check the address."
    answer = await box.client().get("/api/v1/nothing")
    assert (await answer.json())["next_step"] == "Load the page again.", "a browser has one"


async def test_the_list_of_a_station_that_is_not_there_stays_as_it_is(box: Box, admin: dict[str, str]) -> None:
    status, error = await ask(box, admin, "POST", "/api/v1/charge-points/CP001/local-list", {})
    assert (status, error["code"]) == (409, "station_offline")
    status, error = await ask(box, admin, "POST", "/api/v1/charge-points/NOBODY/local-list", {})
    assert (status, error["code"]) == (404, "not_found")


async def test_what_is_odd_about_a_station_is_told_with_it(box: Box, admin: dict[str, str]) -> None:
    await box.core.boot("CP001")
    box.core.desk.corrected(StationKey("cp001"), {"MeterValues unit:unknown": 214})
    await box.core.desk.needs_reboot(StationKey("cp001"), ("HeartbeatInterval",))
    _, listed = await ask(box, admin, "GET", "/api/v1/charge-points")
    found = next(each for each in listed if each["identity"] == "CP001")
    (correction,) = found["corrections"]
    assert (correction["kind"], correction["count"]) == ("MeterValues unit:unknown", 214)
    assert correction["text"] == "214 units corrected (MeterValues, unit)"
    assert {"first_at", "last_at"} <= correction.keys()
    assert found["reboot_needed"] == ["HeartbeatInterval"]
