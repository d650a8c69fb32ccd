"""How a list of id tokens is shown and taken by box and cloud."""

from datetime import UTC, datetime
from typing import Any

import pytest
from aiohttp import web
from aiohttp.test_utils import make_mocked_request

from sitelink.errors import MediaTypeRefused, RequestInvalid
from sitelink.ids import IdTokenKey
from sitelink.model import IdToken
from sitelink.states import AuthorizationStatus, IdTokenSource
from web_ui.id_token_shapes import csv_answer, id_token_view, table_of_body


def test_a_token_is_shown_in_full() -> None:
    token = IdToken(
        id=IdTokenKey("04a1"), id_token="04A1", changed_at=datetime(2026, 1, 1, tzinfo=UTC),
        status=AuthorizationStatus.BLOCKED, group="FLEET", note="Ann", source=IdTokenSource.CLOUD,
    )  # fmt: skip
    shown = id_token_view(token)
    assert (shown.token, shown.status, shown.parent, shown.charge_points) == ("04A1", "Blocked", "FLEET", [])


@pytest.mark.parametrize(
    ("headers", "query", "error"),
    [
        ({"Content-Type": "application/json"}, "", MediaTypeRefused),
        ({"Content-Type": "text/csv"}, "?replace=maybe", RequestInvalid),
    ],
)
async def test_what_is_no_table_is_refused(headers: dict[str, str], query: str, error: Any) -> None:
    request: web.Request = make_mocked_request("PUT", f"/x{query}", headers=headers)
    with pytest.raises(error):
        await table_of_body(request)


def test_the_whole_list_is_a_file() -> None:
    assert "attachment" in csv_answer("token\r\n").headers["Content-Disposition"]
