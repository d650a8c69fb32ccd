import uuid
from collections.abc import AsyncIterator
from datetime import timedelta
from typing import Any

import pytest

from edge_agent.site.jobs import digest_of
from edge_agent.site.ports import Decision, Trouble
from sitelink.events import JobCancelled, LinkCreated, LinkRevoked
from sitelink.ops import Author, Fact
from sitelink.states import AuthorType, LinkRole
from tests.doubles.box_pages import Box, running_box
from tests.doubles.core import job_file
from web_ui.access import GATE

OPERATOR = Author(type=AuthorType.OPERATOR)


@pytest.fixture
async def box() -> AsyncIterator[Box]:
    async with running_box() as running:
        yield running


async def ask(box: Box, method: str, path: str, body: Any = None, **headers: str) -> tuple[int, Any]:
    client = box.client()
    answer = await client.request(method, path, json=body, headers={**box.bearer, **headers})
    return answer.status, await answer.json()


def row_path(box: Box, name: str = "Bay 1") -> str:
    return f"/api/v1/job/charge-points/{box.row(name)}"


# ---- session ----


async def test_a_token_is_exchanged_for_a_cookie_that_opens_the_job(box: Box) -> None:
    client = box.client()
    opened = await client.post("/api/session", json={"token": box.imported.token})
    assert opened.status == 200
    assert await opened.json() == {"job": "1042", "role": "installer"}
    cookie = opened.headers["Set-Cookie"]
    assert cookie.startswith("gatepost_session=v1.")
    assert {"HttpOnly", "SameSite=Strict", "Path=/"} <= {part.strip() for part in cookie.split(";")}
    assert box.imported.token not in cookie
    assert (await client.get("/api/v1/job")).status == 200


async def test_without_a_session_nothing_is_told(box: Box) -> None:
    answer = await box.client().get("/api/v1/job")
    assert answer.status == 401
    assert answer.headers["WWW-Authenticate"] == "Bearer"
    assert (await answer.json())["code"] == "sign_in_needed"


async def test_unknown_tokens_get_the_same_404_by_every_way(box: Box) -> None:
    client, wrong = box.client(), "gl1_" + "A" * 43
    by_body = await client.post("/api/session", json={"token": wrong})
    by_bearer = await client.get("/api/v1/job", headers={"Authorization": f"Bearer {wrong}"})
    assert (by_body.status, by_bearer.status) == (404, 404)
    assert await by_body.json() == await by_bearer.json()


async def test_a_revoked_link_says_that_it_has_ended_and_after_90_days_nothing(box: Box) -> None:
    browser = await box.browser()
    await revoke(box)
    for answer in (
        await browser.client.get("/api/v1/job"),
        await box.client().get("/api/v1/job", headers=box.bearer),
        await box.client().post("/api/session", json={"token": box.imported.token}),
    ):
        assert answer.status == 410
        body = await answer.json()
        assert (body["code"], body["number"], body["status"]) == ("link_ended", "1042", "revoked")
    box.core.clock.advance(timedelta(days=91).total_seconds())
    assert (await ask(box, "GET", "/api/v1/job"))[0] == 404


async def test_a_link_ends_by_itself_when_its_time_is_over(box: Box) -> None:
    token, now = "gl1_" + "B" * 43, box.core.clock.now()
    event = LinkCreated(box.core.job().id, digest_of(token), LinkRole.INSTALLER, None, now + timedelta(days=30))
    fact = Fact("link:by-itself", event, OPERATOR, job=box.core.job().id)
    await box.core.journal.write(lambda _ledger: Decision((fact,), None))
    headers = {"Authorization": f"Bearer {token}"}
    assert (await box.client().get("/api/v1/job", headers=headers)).status == 200
    box.core.clock.advance(timedelta(days=30).total_seconds())
    ended = await box.client().get("/api/v1/job", headers=headers)
    assert (ended.status, (await ended.json())["status"]) == (410, "expired")
    box.core.clock.advance(timedelta(days=91).total_seconds())
    assert (await box.client().get("/api/v1/job", headers=headers)).status == 404


async def test_an_archived_job_ends_its_links(box: Box) -> None:
    await box.core.jobs.archive(box.core.job().id)
    status, body = await ask(box, "GET", "/api/v1/job")
    assert (status, body["status"]) == (410, "archived")


async def test_a_session_survives_a_clock_that_is_set_and_ends_when_idle(box: Box) -> None:
    browser = await box.browser()
    box.core.clock.set_wall(box.core.clock.now() + timedelta(days=2000))
    assert (await browser.get("/api/v1/job")).status == 200
    box.core.clock.advance(12 * 3600 + 1)
    assert (await browser.get("/api/v1/job")).status == 401


async def test_a_session_in_use_is_renewed_for_seven_days_at_most(box: Box) -> None:
    browser = await box.browser()
    for _ in range(16):
        box.core.clock.advance(10 * 3600)
        assert (await browser.get("/api/v1/job")).status == 200
    box.core.clock.advance(9 * 3600)
    assert (await browser.get("/api/v1/job")).status == 401


# ---- reading and changing ----


async def test_the_job_as_data(box: Box) -> None:
    status, job = await ask(box, "GET", "/api/v1/job")
    assert status == 200
    assert (job["number"], job["status"], job["site"]["name"], job["total"]) == ("1042", "open", "Harbour Garage", 2)
    first = job["charge_points"][0]
    assert (first["name"], first["identity"], first["connector"]) == ("Bay 1", "CP001", 1)
    assert first["status"] == "pending (passive)" or first["status"] == "pending"
    assert [action["name"] for action in first["actions"]] == ["start", "stop", "unlock", "reboot"]


async def test_an_edit_answers_the_new_view(box: Box) -> None:
    status, row = await ask(box, "PATCH", row_path(box), {"identity": " CP009 ", "connector": 2})
    assert (status, row["identity"], row["connector"]) == (200, "CP009", 2)
    status, row = await ask(box, "PATCH", row_path(box), {"identity": None})
    assert (status, row["identity"], row["connector"], row["status"]) == (200, "", 2, "No serial")


async def test_an_edit_with_old_bases_makes_a_conflict_and_with_all_heads_settles_it(box: Box) -> None:
    _, job = await ask(box, "GET", "/api/v1/job")
    seen = [head["op"] for head in job["charge_points"][0]["heads"]["identity"]]
    await ask(box, "PATCH", row_path(box), {"identity": "CP-A", "bases": seen})
    _, row = await ask(box, "PATCH", row_path(box), {"identity": "CP-B", "bases": seen})
    heads = row["heads"]["identity"]
    assert {head["value"] for head in heads} == {"CP-A", "CP-B"}
    assert [conflict["field"] for conflict in row["conflicts"]] == ["identity"]
    _, row = await ask(box, "PATCH", row_path(box), {"identity": "CP-B", "bases": [head["op"] for head in heads]})
    assert (row["identity"], row["conflicts"]) == ("CP-B", [])


@pytest.mark.parametrize(
    ("body", "status", "code", "where"),
    [
        ({"identity": "a/b"}, 422, "identity_invalid", None),
        ({"identity": "x" * 49}, 422, "identity_invalid", None),
        ({"connector": 0}, 422, "connector_invalid", None),
        ({"connector": "2"}, 400, "request_invalid", "connector"),
        ({"connector": None}, 400, "request_invalid", "connector"),
        ({"identity": 7}, 400, "request_invalid", "identity"),
        ({"identity": "x", "serial": 1, "active": True}, 400, "request_invalid", "active, serial"),
        ({}, 400, "request_invalid", "body"),
        ([], 400, "request_invalid", "body"),
        ({"identity": "CP002"}, 409, "identity_in_use", None),
    ],
)
async def test_a_wrong_edit_is_described_and_changes_nothing(
    box: Box, body: Any, status: int, code: str, where: str | None
) -> None:
    found, error = await ask(box, "PATCH", row_path(box), body)
    assert (found, error["code"]) == (status, code)
    assert error["message"]
    if where is not None:
        assert error["where"] == where
    _, job = await ask(box, "GET", "/api/v1/job")
    assert [row["identity"] for row in job["charge_points"]] == ["CP001", "CP002"]


@pytest.mark.parametrize(
    "body", [b"", b"{", b'{"identity": NaN}', b"\xff\xfe", b"[" * 60000, b'{"identity": "\\ud800"}', b"9" * 5000]
)
async def test_what_is_not_json_is_refused(box: Box, body: bytes) -> None:
    headers = {**box.bearer, "Content-Type": "application/json"}
    answer = await box.client().patch(row_path(box), data=body, headers=headers)
    assert answer.status == 400, await answer.text()
    assert (await answer.json())["code"] == "request_invalid"


async def test_other_content_types_and_sizes_are_refused(box: Box) -> None:
    form = await box.client().patch(row_path(box), data={"identity": "x"}, headers=box.bearer)
    assert (form.status, (await form.json())["code"]) == (415, "media_type_refused")
    big = await box.client().patch(row_path(box), json={"identity": "x" * 70_000}, headers=box.bearer)
    assert (big.status, (await big.json())["code"]) == (413, "too_large")


async def test_two_rows_are_swapped(box: Box) -> None:
    body = {"a": box.row("Bay 1"), "b": box.row("Bay 2")}
    status, swapped = await ask(box, "POST", "/api/v1/job/charge-points/swap", body)
    assert status == 200
    assert [row["identity"] for row in swapped["charge_points"]] == ["CP002", "CP001"]


async def test_a_row_of_nobody_is_not_found(box: Box) -> None:
    status, error = await ask(box, "PATCH", "/api/v1/job/charge-points/nobody", {"identity": "X"})
    assert (status, error["code"]) == (404, "not_found")


async def test_notes_are_kept_and_checked(box: Box) -> None:
    status, row = await ask(box, "POST", row_path(box) + "/notes", {"text": "Cable too short"})
    assert (status, row["notes"][0]["text"], row["notes"][0]["side"]) == (201, "Cable too short", "installer")
    for text, problem in (("  ", "empty"), ("x" * 2001, "too_long")):
        status, error = await ask(box, "POST", row_path(box) + "/notes", {"text": text})
        assert (status, error["code"], error["problem"]) == (422, "note_invalid", problem)
    status, error = await ask(box, "POST", row_path(box) + "/notes", {})
    assert (status, error["where"], error["problem"]) == (400, "text", "missing")


# ---- remote actions ----


async def test_an_action_is_accepted_once_for_one_id_and_can_be_followed(box: Box) -> None:
    await box.core.boot("CP001")
    id_ = str(uuid.uuid4())
    for given in (id_, id_.upper()):
        status, body = await ask(box, "POST", row_path(box) + "/actions", {"action": "start", "command_id": given})
        assert (status, body) == (202, {"command_id": id_})
    status, command = await ask(box, "GET", f"/api/v1/job/commands/{id_.upper()}")
    assert (status, command["command_id"], command["action"], command["state"]) == (200, id_, "start", "sent")
    assert len(box.core.journal.state.commands) == 1
    status, error = await ask(box, "GET", f"/api/v1/job/commands/{uuid.uuid4()}")
    assert (status, error["code"]) == (404, "not_found")


async def test_a_disabled_action_says_why(box: Box) -> None:
    status, error = await ask(box, "POST", row_path(box) + "/actions", {"action": "start"})
    assert (status, error["code"], error["reason"]) == (409, "action_unavailable", "not_connected")


@pytest.mark.parametrize(
    "body",
    [
        {"action": "explode"},
        {"action": "start", "command_id": "42"},
        {"action": "start", "confirm": "yes"},
        {"action": "start", "kind": "hard"},
        {"action": "reboot", "kind": "brutal"},
        {},
    ],
)
async def test_a_wrong_order_is_refused(box: Box, body: Any) -> None:
    status, error = await ask(box, "POST", row_path(box) + "/actions", body)
    assert (status, error["code"]) == (400, "request_invalid")


async def test_six_remote_actions_a_minute_at_one_charge_point(box: Box) -> None:
    await box.core.boot("CP001")
    for number in range(8):
        status, error = await ask(box, "POST", row_path(box) + "/actions", {"action": "stop"})
        assert status == 409, f"a refused action counts nothing: {number} {error}"
    for _ in range(6):
        box.server.app[GATE].limits.commands.take(box.row())
    status, error = await ask(box, "POST", row_path(box) + "/actions", {"action": "unlock"})
    assert (status, error["code"], error["retry_after_s"]) == (429, "too_many", 60)
    box.core.clock.advance(61)
    status, _ = await ask(box, "POST", row_path(box) + "/actions", {"action": "unlock"})
    assert status == 202


# ---- completion and after ----


async def test_a_job_is_completed_once_and_then_only_read(box: Box) -> None:
    status, job = await ask(
        box, "POST", "/api/v1/job/complete", {"activate_all": True, "name": "Kim", "reason": "late"}
    )
    assert (status, job["status"], job["completion"]["activated"]) == (200, "completed", 2)
    status, error = await ask(box, "POST", "/api/v1/job/complete", {"activate_all": True})
    assert (status, error["code"], error["by"]) == (409, "already_completed", "Kim")
    status, error = await ask(box, "PATCH", row_path(box), {"identity": "NEW"})
    assert (status, error["code"]) == (409, "job_read_only")
    assert (await ask(box, "GET", "/api/v1/job"))[1]["read_only"] is True


async def test_completing_without_a_choice_does_what_the_job_file_says(box: Box) -> None:
    _, job = await ask(box, "POST", "/api/v1/job/complete", {})
    assert [row["active"] for row in job["charge_points"]] == [True, True]


@pytest.mark.parametrize(("where", "length"), [("reason", 2001), ("name", 201)])
async def test_texts_of_a_completion_have_a_length(box: Box, where: str, length: int) -> None:
    status, error = await ask(box, "POST", "/api/v1/job/complete", {where: "x" * length})
    assert (status, error["where"], error["problem"]) == (400, where, "too_long")
    browser = await box.browser()
    answer = await browser.submit("/j/complete", {where: "x" * length})
    assert answer.status == 400
    assert (await ask(box, "GET", "/api/v1/job"))[1]["status"] == "open"


async def test_a_cancelled_job_says_only_that(box: Box) -> None:
    browser, job = await box.browser(), box.core.job().id
    fact = Fact(f"job:{job}", JobCancelled(), OPERATOR, job=job)
    await box.core.journal.write(lambda _ledger: Decision((fact,), None))
    status, error = await ask(box, "GET", "/api/v1/job")
    assert (status, error["status"]) == (410, "cancelled")
    page = await (await browser.get("/j")).text()
    assert "cancelled" in page
    assert "Bay 1" not in page


async def test_the_report_in_three_forms(box: Box) -> None:
    await ask(box, "PATCH", row_path(box), {"identity": "-CP001"})
    status, record = await ask(box, "GET", "/api/v1/job/report")
    assert (status, record["number"], len(record["charge_points"])) == (200, "1042", 2)
    table = await box.client().get("/api/v1/job/report.csv", headers=box.bearer)
    assert table.headers["Content-Disposition"] == 'attachment; filename="job-1042.csv"'
    assert '"\'-CP001"' in await table.text()
    page = await box.client().get("/api/v1/job/report.html", headers=box.bearer)
    assert (page.status, page.content_type) == (200, "text/html")
    assert "not recorded" in await page.text()


async def test_pairing_is_opened(box: Box) -> None:
    status, job = await ask(box, "POST", "/api/v1/job/pairing")
    assert (status, job["pairing"]) == (200, {"open": True})


async def test_a_link_that_only_reads(box: Box) -> None:
    token = await box.core.jobs.new_link(box.core.job().id, LinkRole.READ)
    headers = {"Authorization": f"Bearer {token}"}
    assert (await box.client().get("/api/v1/job", headers=headers)).status == 200
    answer = await box.client().patch(row_path(box), json={"identity": "X"}, headers=headers)
    assert (answer.status, (await answer.json())["code"]) == (403, "link_read_only")


async def test_a_link_sees_only_its_own_job(box: Box) -> None:
    other = await box.core.import_job(job_file([{"name": "Bay 9", "identity": "CP900"}], number="2000"))
    foreign = box.core.journal.state.jobs[other.job].charge_points[0]
    status, error = await ask(box, "PATCH", f"/api/v1/job/charge-points/{foreign}", {"identity": "X"})
    assert (status, error["code"]) == (404, "not_found")


async def test_trouble_of_the_store_reaches_the_client_as_503(box: Box) -> None:
    box.core.journal.fail(Trouble("disk_full", box.core.clock.now()))
    status, error = await ask(box, "PATCH", row_path(box), {"identity": "X"})
    assert (status, error["code"], error["reason"]) == (503, "store_unavailable", "disk_full")


async def revoke(box: Box) -> None:
    """Nothing offers this on the box yet, so the fact is written directly."""
    (link,) = box.core.journal.state.links
    fact = Fact(f"link:{link}", LinkRevoked(), OPERATOR, job=box.core.job().id)
    await box.core.journal.write(lambda _ledger: Decision((fact,), None))
