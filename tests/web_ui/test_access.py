"""Who gets in, over a real port: CSRF, rate limits."""

from collections.abc import AsyncIterator

import pytest

from tests.doubles.box_pages import Box, running_box
from web_ui.access import GATE

OWN, FOREIGN, NONE = "own", "foreign", "none"


@pytest.fixture
async def box() -> AsyncIterator[Box]:
    async with running_box() as running:
        yield running


def headers_of(box: Box, site: str | None, origin: str | None) -> dict[str, str]:
    origins = {OWN: box.origin, FOREIGN: "http://evil.example", "null": "null"}
    return {
        **({"Sec-Fetch-Site": site} if site else {}),
        **({"Origin": origins[origin]} if origin else {}),
    }


@pytest.mark.parametrize(
    ("site", "origin", "csrf", "fine"),
    [
        (None, OWN, False, True),
        ("same-origin", None, False, True),
        ("same-origin", OWN, False, True),
        (None, None, False, False),
        (None, None, True, True),
        ("none", None, False, False),
        ("none", None, True, True),
        ("same-site", OWN, True, False),
        ("cross-site", OWN, True, False),
        ("cross-site", None, True, False),
        (None, FOREIGN, True, False),
        (None, "null", True, False),
        (None, FOREIGN, False, False),
    ],
)
async def test_json_with_a_cookie(box: Box, site: str | None, origin: str | None, csrf: bool, fine: bool) -> None:
    browser = await box.browser()
    headers = headers_of(box, site, origin) | ({"X-CSRF-Token": await browser.csrf()} if csrf else {})
    path = f"/api/v1/job/charge-points/{box.row()}"
    answer = await browser.client.patch(path, json={"identity": "NEW"}, headers=headers)
    assert answer.status == (200 if fine else 403)
    if not fine:
        assert (await answer.json())["code"] == "forgery_refused"
        assert box.core.row("Bay 1").identity == "CP001"


@pytest.mark.parametrize(
    ("site", "origin", "csrf", "fine"),
    [
        (None, OWN, "right", True),
        (None, None, "right", True),
        ("same-origin", OWN, "right", True),
        ("none", None, "right", True),
        ("same-origin", OWN, "", False),
        ("same-origin", OWN, "wrong", False),
        ("same-origin", OWN, "other session", False),
        (None, OWN, None, False),
        ("cross-site", FOREIGN, "right", False),
        (None, FOREIGN, "right", False),
        (None, "null", "right", False),
    ],
)
async def test_a_form(box: Box, site: str | None, origin: str | None, csrf: str | None, fine: bool) -> None:
    browser = await box.browser()
    fields = {"identity": "NEW"}
    if csrf is not None:
        other = await box.browser()
        fields["csrf"] = {"right": await browser.csrf(), "other session": await other.csrf()}.get(csrf, csrf)
    answer = await browser.client.post(
        f"/j/charge-points/{box.row()}", data=fields, headers=headers_of(box, site, origin), allow_redirects=False
    )
    assert answer.status == (303 if fine else 403)
    assert box.core.row("Bay 1").identity == ("NEW" if fine else "CP001")


async def test_bearer_clients_need_no_origin(box: Box) -> None:
    headers = {**box.bearer, "Origin": "http://evil.example", "Sec-Fetch-Site": "cross-site"}
    path = f"/api/v1/job/charge-points/{box.row()}"
    assert (await box.client().patch(path, json={"identity": "NEW"}, headers=headers)).status == 200


async def test_another_site_cannot_open_a_session(box: Box) -> None:
    headers = {"Origin": "http://evil.example"}
    by_json = await box.client().post("/api/session", json={"token": box.imported.token}, headers=headers)
    by_form = await box.client().post("/j/open", data={"token": box.imported.token}, headers=headers)
    assert (by_json.status, by_form.status) == (403, 403)


async def test_nothing_changes_by_get(box: Box) -> None:
    browser = await box.browser()
    before = box.core.journal.seq
    for route in box.server.app.router.routes():
        if route.method == "GET" and route.resource and "events" not in route.resource.canonical:
            path = route.resource.canonical.replace("{id}", box.row()).replace("{identity}", "CP001")
            await browser.get(path)
    assert box.core.journal.seq == before


async def test_ten_bad_tokens_a_minute_from_one_address(box: Box) -> None:
    wrong = {"token": "gl1_" + "B" * 43}
    client = box.client()
    for _ in range(10):
        assert (await client.post("/api/session", json=wrong)).status == 404
    for body in (wrong, {"token": box.imported.token}):
        answer = await client.post("/api/session", json=body)
        assert (answer.status, answer.headers["Retry-After"]) == (429, "60")
    assert (await client.get("/api/v1/job", headers=box.bearer)).status == 200, "a good Bearer token always passes"
    bad = await client.get("/api/v1/job", headers={"Authorization": f"Bearer {wrong['token']}"})
    assert bad.status == 429
    box.core.clock.advance(60)
    assert (await client.post("/api/session", json={"token": box.imported.token})).status == 200


async def test_sixty_changes_a_minute_for_one_session(box: Box) -> None:
    one, other = await box.browser(), await box.browser()
    path = f"/api/v1/job/charge-points/{box.row()}"
    for number in range(60):
        answer = await one.client.patch(path, json={"identity": f"N{number}"}, headers=one.own)
        assert answer.status == 200
    refused = await one.client.patch(path, json={"identity": "LAST"}, headers=one.own)
    assert (refused.status, refused.headers["Retry-After"]) == (429, "60")
    assert (await one.get("/api/v1/job")).status == 200
    assert (await other.client.patch(path, json={"identity": "LAST"}, headers=other.own)).status == 200
    box.core.clock.advance(60)
    assert (await one.client.patch(path, json={"identity": "MORE"}, headers=one.own)).status == 200


async def test_programs_may_change_more_and_not_everything(box: Box) -> None:
    client, path = box.client(), f"/api/v1/job/charge-points/{box.row()}"
    limit = box.server.app[GATE].limits.program_writes
    for _ in range(100):
        assert (await client.patch(path, json={"connector": 1}, headers=box.bearer)).status == 200
    (link,) = box.core.journal.state.links
    for _ in range(500):
        limit.take(link)
    assert (await client.patch(path, json={"connector": 1}, headers=box.bearer)).status == 429
