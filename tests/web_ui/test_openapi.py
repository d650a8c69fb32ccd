import json
from collections.abc import AsyncIterator
from typing import Any

import pytest

from tests.doubles.box_pages import Box, running_box


@pytest.fixture
async def box() -> AsyncIterator[Box]:
    async with running_box() as running:
        yield running


async def document(box: Box) -> dict[str, Any]:
    answer = await box.client().get("/openapi.json")
    assert answer.status == 200
    found: dict[str, Any] = await answer.json()
    return found


async def test_every_api_route_is_described_and_nothing_else(box: Box) -> None:
    paths = (await document(box))["paths"]
    described = {(method.upper(), path) for path, methods in paths.items() for method in methods}
    served = {
        (route.method, route.resource.canonical)
        for route in box.server.app.router.routes()
        if route.resource is not None and route.method != "HEAD" and not route.resource.canonical.startswith("/static/")
    }
    assert described == {
        (method, path) for method, path in served if path != "/" and not path.startswith(("/j", "/admin"))
    }


async def test_every_reference_leads_somewhere(box: Box) -> None:
    found = await document(box)
    text = json.dumps(found)
    schemas = found["components"]["schemas"]
    named = {part.split('"', 1)[0] for part in text.split("#/components/schemas/")[1:]}
    assert named
    assert named <= set(schemas)
    assert "JobView" in schemas


async def test_operations_say_who_may_call_what_to_send_and_what_can_go_wrong(box: Box) -> None:
    paths = (await document(box))["paths"]
    patch = paths["/api/v1/job/charge-points/{id}"]["patch"]
    assert patch["security"] == [{"linkToken": []}, {"sessionCookie": []}]
    assert patch["requestBody"]["content"]["application/json"]["schema"] == {
        "$ref": "#/components/schemas/EditChargePoint"
    }
    assert {"200", "400", "401", "403", "404", "409", "410", "413", "415", "422", "429", "503"} <= set(
        patch["responses"]
    )
    assert [parameter["name"] for parameter in patch["parameters"]] == ["id"]
    ids = [operation["operationId"] for methods in paths.values() for operation in methods.values()]
    assert paths["/api/v1/health"]["get"]["security"] == [{"adminToken": []}]
    assert paths["/healthz"]["get"]["security"] == []
    assert len(ids) == len(set(ids))


async def test_a_body_that_is_no_json_and_an_answer_without_one_are_described(box: Box) -> None:
    paths = (await document(box))["paths"]
    put = paths["/api/v1/id-tokens"]["put"]
    assert put["requestBody"]["content"] == {"text/csv": {"schema": {"type": "string"}}}
    assert [(each["name"], each["schema"]["type"]) for each in put["parameters"]] == [("replace", "boolean")]
    assert paths["/api/v1/id-tokens/{token}"]["delete"]["responses"]["204"] == {
        "description": "Take an id token off the list."
    }
