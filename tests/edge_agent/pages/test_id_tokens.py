"""The list of id tokens over HTTP."""

from collections.abc import AsyncIterator
from typing import Any

import pytest

from tests.doubles.box_pages import Box, running_box
from web_ui import id_token_shapes

ALL = "/api/v1/id-tokens"


@pytest.fixture
async def box() -> AsyncIterator[Box]:
    async with running_box() as running:
        yield running


@pytest.fixture
async def admin(box: Box) -> dict[str, str]:
    return {"Authorization": f"Bearer {await box.core.jobs.new_admin_token('desk')}"}


async def ask(box: Box, admin: dict[str, str], method: str, path: str, body: Any = None) -> tuple[int, Any]:
    answer = await box.client().request(method, path, json=body, headers=admin)
    return answer.status, await answer.json() if answer.status != 204 else None


async def put_table(box: Box, admin: dict[str, str], table: str | bytes, query: str = "") -> tuple[int, Any]:
    headers = {**admin, "Content-Type": "text/csv; charset=utf-8"}
    answer = await box.client().put(f"{ALL}{query}", data=table, headers=headers)
    return answer.status, await answer.json()


@pytest.mark.parametrize(
    ("method", "path"), [("GET", ALL), ("PUT", ALL), ("GET", f"{ALL}/A"), ("PUT", f"{ALL}/A"), ("DELETE", f"{ALL}/A")]
)
async def test_only_a_token_of_the_box_opens_it(box: Box, method: str, path: str) -> None:
    for headers in ({}, box.bearer):
        status, error = await ask(box, headers, method, path)
        assert (status, error["code"]) == (401, "sign_in_needed")


async def test_a_token_is_listed_shown_changed_and_taken_off(box: Box, admin: dict[str, str]) -> None:
    body = {"status": "Accepted", "parent": "FLEET", "expires": "2027-01-01T00:00:00Z", "charge_points": ["CP001"]}
    status, put = await ask(box, admin, "PUT", f"{ALL}/04A1", body)
    assert status == 200
    assert put == {
        "token": "04A1", "status": "Accepted", "type": None, "expires": "2027-01-01T00:00:00Z", "parent": "FLEET",
        "charge_points": ["cp001"], "note": "", "source": "api", "changed_at": "2026-11-23T12:00:00Z",
    }  # fmt: skip
    assert await ask(box, admin, "GET", f"{ALL}/04a1") == (200, put)
    status, put = await ask(box, admin, "PUT", f"{ALL}/04A1", {"status": "Blocked"})
    assert (put["status"], put["parent"]) == ("Blocked", None)
    assert await ask(box, admin, "DELETE", f"{ALL}/04A1") == (204, None)
    for method in ("GET", "DELETE"):
        status, error = await ask(box, admin, method, f"{ALL}/04A1")
        assert (status, error["code"]) == (404, "not_found")


async def test_odd_characters_of_a_token_travel_in_the_path(box: Box, admin: dict[str, str]) -> None:
    status, put = await ask(box, admin, "PUT", f"{ALL}/DE%2F1%3A+%25", {})
    assert (status, put["token"]) == (200, "DE/1:+%")
    assert (await ask(box, admin, "GET", f"{ALL}/de%2F1%3A+%25"))[0] == 200


@pytest.mark.parametrize(
    ("token", "body", "status", "code"),
    [
        ("A", {"status": "Great"}, 422, "id_token_invalid"),
        ("A", {"expires": "soon"}, 422, "id_token_invalid"),
        ("%20", {}, 422, "id_token_invalid"),
        ("A", {"colour": "red"}, 400, "request_invalid"),
        ("A", {"status": 1}, 400, "request_invalid"),
    ],
)
async def test_what_cannot_be_listed_is_refused(
    box: Box, admin: dict[str, str], token: str, body: dict[str, Any], status: int, code: str
) -> None:
    found, error = await ask(box, admin, "PUT", f"{ALL}/{token}", body)
    assert (found, error["code"]) == (status, code)
    assert box.core.journal.state.id_tokens == {}


async def test_the_list_comes_in_pages(box: Box, admin: dict[str, str]) -> None:
    await put_table(box, admin, "token\n" + "".join(f"T{n}\n" for n in range(5)))
    seen, after = [], ""
    while True:
        _, page = await ask(box, admin, "GET", f"{ALL}?limit=2{after}")
        seen += [each["token"] for each in page["id_tokens"]]
        assert page["total"] == 5
        if page["next"] is None:
            break
        after = f"&after={page['next']}"
    assert seen == [f"T{n}" for n in range(5)]
    for limit in ("0", "x", "1001"):
        assert (await ask(box, admin, "GET", f"{ALL}?limit={limit}"))[0] == 400


async def test_a_table_goes_in_and_comes_out_again(box: Box, admin: dict[str, str]) -> None:
    table = "token,status,note\r\n04A1,Accepted,=1+1\r\n04A2,Blocked,\r\n"
    assert await put_table(box, admin, table) == (200, {"listed": 2, "unchanged": 0, "removed": 0, "total": 2})
    answer = await box.client().get(ALL, headers={**admin, "Accept": "text/csv"})
    assert answer.content_type == "text/csv"
    out = await answer.text()
    assert '"\'=1+1"' in out
    assert (await put_table(box, admin, out, "?replace=true"))[1]["unchanged"] == 2
    assert (await put_table(box, admin, "token\n04A1\n", "?replace=true"))[1] == {
        "listed": 1, "unchanged": 0, "removed": 1, "total": 1,
    }  # fmt: skip


@pytest.mark.parametrize(
    ("table", "line", "problem"),
    [
        (b"token,status\n04A1,Great\n", 2, "not_allowed"),
        (b"token\n04A1\n\xff\n", 3, "not_utf8"),
        (b"", 1, "column_missing"),
    ],
)
async def test_a_wrong_table_changes_nothing(
    box: Box, admin: dict[str, str], table: bytes, line: int, problem: str
) -> None:
    status, error = await put_table(box, admin, table)
    assert (status, error["code"], error["count"]) == (422, "id_token_list_invalid", 1)
    assert (error["lines"][0]["line"], error["lines"][0]["problem"]) == (line, problem)
    assert box.core.journal.state.id_tokens == {}


async def test_a_table_of_any_other_kind_or_size_is_refused(
    box: Box, admin: dict[str, str], monkeypatch: pytest.MonkeyPatch
) -> None:
    assert (await ask(box, admin, "PUT", ALL, {}))[0] == 415
    assert (await put_table(box, admin, "token\nA\n", "?replace=maybe"))[0] == 400
    large = "token\n" + "".join(f"TOKEN-NUMBER-{n:06}\n" for n in range(9_000))
    assert len(large) > 64 * 1024, "more than other requests may send"
    assert (await put_table(box, admin, large))[1]["listed"] == 9_000
    monkeypatch.setattr(id_token_shapes, "TABLE_MAX_BYTES", 1000)
    status, error = await put_table(box, admin, large)
    assert (status, error["code"]) == (413, "too_large")
