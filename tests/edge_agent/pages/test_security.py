"""The security of charge points over the box's own API and on the installer's page."""

from collections.abc import AsyncIterator
from typing import Any

import pytest

from edge_agent.site.ports import Decision
from sitelink import events as e
from sitelink.ids import StationKey
from sitelink.ops import BOX, Fact
from sitelink.security import KeyState
from tests.doubles.box_pages import Box, running_box

CP = StationKey("cp001")


@pytest.fixture
async def box() -> AsyncIterator[Box]:
    async with running_box() as running:
        yield running


async def admin(box: Box) -> dict[str, str]:
    return {"Authorization": f"Bearer {await box.core.jobs.new_admin_token('test')}"}


async def ask(box: Box, method: str, path: str, body: Any = None, headers: dict[str, str] | None = None) -> Any:
    answer = await box.client().request(method, path, json=body, headers=headers or await admin(box))
    return answer.status, await answer.json()


async def record(box: Box, *events: e.Event) -> None:
    facts = tuple(Fact(f"security:{CP}", event, BOX) for event in events)
    await box.core.journal.write(lambda _ledger: Decision(facts, None))


async def test_a_password_goes_in_and_never_comes_out(box: Box) -> None:
    status, told = await ask(box, "PUT", "/api/v1/charge-points/CP001/credentials", {"password": "canary-of-16-bytes"})
    assert (status, told["password"], told["proven"]) == (200, "typed", False)
    _, told = await ask(box, "GET", "/api/v1/charge-points/cp001/security")
    assert "canary" not in str(told)
    assert "scrypt" not in str(told)
    assert "canary" not in repr(box.core.journal.recorded)
    assert box.core.stations.rechecked[-1] == CP
    status, told = await ask(box, "DELETE", "/api/v1/charge-points/CP001/credentials")
    assert (status, told["password"]) == (200, None)


async def test_a_password_may_be_given_before_the_job_comes(box: Box) -> None:
    status, _ = await ask(box, "PUT", "/api/v1/charge-points/LATER/credentials", {"password": "some-password-16"})
    assert status == 200
    assert (await ask(box, "GET", "/api/v1/charge-points/LATER/security"))[0] == 200
    assert (await ask(box, "GET", "/api/v1/charge-points/NEVER/security"))[0] == 404


@pytest.mark.parametrize(
    ("body", "code"),
    [({}, "request_invalid"), ({"password": "x"}, "password_invalid"), ({"key": "x"}, "request_invalid"),
     ({"password": None}, "request_invalid")],
)  # fmt: skip
async def test_what_cannot_be_used_is_refused(box: Box, body: Any, code: str) -> None:
    _, told = await ask(box, "PUT", "/api/v1/charge-points/CP001/credentials", body)
    assert told["code"] == code


async def test_the_user_name_may_be_let_differ(box: Box) -> None:
    _, told = await ask(box, "PUT", "/api/v1/charge-points/CP001/credentials", {"user_may_differ": True})
    assert (told["user_may_differ"], told["password"]) == (True, None)


async def test_a_key_is_made_for_who_is_connected(box: Box) -> None:
    status, told = await ask(box, "POST", "/api/v1/charge-points/CP001/key")
    assert (status, told["code"]) == (409, "station_offline")
    box.core.stations.online.add(CP)
    status, told = await ask(box, "POST", "/api/v1/charge-points/CP001/key")
    assert (status, told["key"]["state"]) == (202, "offered")
    status, told = await ask(box, "POST", "/api/v1/charge-points/CP001/key")
    assert (status, told["code"]) == (409, "key_underway")


async def test_pairing_anew_is_opened_for_one(box: Box) -> None:
    status, told = await ask(box, "POST", "/api/v1/charge-points/CP001/pairing")
    assert (status, told["profile"]) == (200, None)
    assert box.core.journal.state.security[CP].pairing_for_s == 1800


async def test_only_a_token_of_the_box_opens_it(box: Box) -> None:
    for method, path in (("PUT", "credentials"), ("DELETE", "credentials"), ("POST", "key"), ("GET", "security")):
        status, _ = await ask(box, method, f"/api/v1/charge-points/CP001/{path}", {"password": "x" * 16}, box.bearer)
        assert status == 401
    assert (await ask(box, "GET", "/api/v1/security-log", None, box.bearer))[0] == 401


async def test_the_log_is_told_a_page_at_a_time(box: Box) -> None:
    headers = await admin(box)
    await record(box, *(e.SecurityNoted("wrong_key", {"ip": f"192.0.2.{n}"}) for n in range(3)))
    _, page = await ask(box, "GET", "/api/v1/security-log?limit=2", None, headers)
    assert [entry["detail"]["ip"] for entry in page["entries"]] == ["192.0.2.2", "192.0.2.1"]
    assert page["entries"][0]["about"] == "cp001"
    _, rest = await ask(box, "GET", f"/api/v1/security-log?before={page['next']}", None, headers)
    assert rest["entries"][0]["detail"]["ip"] == "192.0.2.0"
    assert rest["next"] is None
    for wrong in ("limit=x", "limit=0", "limit=1001", "before=-1"):
        assert (await ask(box, "GET", f"/api/v1/security-log?{wrong}", None, headers))[0] == 400


# ---- the installer's page ----


async def test_the_page_says_who_connects_without_a_password_and_offers_to_secure_them(box: Box) -> None:
    await box.core.boot("CP001")
    browser = await box.browser()
    assert "Connects without a password." in await (await browser.get("/j")).text()
    complete = await (await browser.get("/j/complete")).text()
    assert "1 charge point connects without a password: Bay 1." in complete
    answer = await browser.submit("/j/secure", {})
    assert answer.headers["Location"].endswith("saved=keys_sent")
    assert "A password of its own is on its way" in await (await browser.get("/j")).text()
    _, page = await ask(box, "GET", "/api/v1/job", None, box.bearer)
    assert page["charge_points"][0]["security"]["key"] == "offered"
    assert page["charge_points"][0]["station"]["security_profile"] == 0
    record_ = (await ask(box, "GET", "/api/v1/job/report", None, box.bearer))[1]
    assert record_["charge_points"][0]["security_profile"] == 0
    assert (await ask(box, "POST", "/api/v1/job/secure", None, box.bearer)) == (202, {"charge_points": 0})


async def test_one_that_is_turned_away_is_explained_and_may_pair_anew(box: Box) -> None:
    await box.core.boot("CP001")
    await box.core.desk.disconnected(CP, "closed")
    box.stations.online.clear()
    await box.core.desk.refused("CP001", "192.0.2.7", "wrong_key")
    browser = await box.browser()
    page = await (await browser.get("/j")).text()
    assert "It reached the box with a wrong password." in page
    assert "Let it pair anew" in page
    answer = await browser.submit(f"/j/charge-points/{box.row()}/pair", {})
    assert "saved=pairing_anew" in answer.headers["Location"]
    assert box.core.journal.state.security[CP].pairing_for_s == 1800
    status, _ = await ask(box, "POST", f"/api/v1/job/charge-points/{box.row()}/pair", None, box.bearer)
    assert status == 200


@pytest.mark.parametrize(("state", "word", "says"), [
    (KeyState.REFUSED, "NotSupported", "It did not take a password of its own (NotSupported)."),
    (KeyState.UNCERTAIN, None, "It may have taken a password of its own (no answer)."),
    (KeyState.ACCEPTED, "Accepted", "It took a password of its own and must connect again with it."),
])  # fmt: skip
async def test_how_a_key_went_is_said(box: Box, state: KeyState, word: str | None, says: str) -> None:
    await box.core.boot("CP001")
    await record(box, e.KeyOffered("v1"), e.KeyAnswered("v1", state, word))
    assert says in await (await (await box.browser()).get("/j")).text()
