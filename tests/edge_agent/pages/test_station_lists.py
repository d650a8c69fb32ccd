"""The admin API's view of what charge points tell of themselves."""

from collections.abc import AsyncIterator
from datetime import UTC, datetime

import pytest

from edge_agent.site.reports import ListReport
from sitelink.commands import OrderAnswer, SetAvailability
from sitelink.ids import StationKey
from sitelink.inventory import Variable, attribute, items_of
from sitelink.states import ReportKind
from tests.doubles.box_pages import Box, running_box
from tests.edge_agent.pages.test_admin import ask

KEY = StationKey("cp001")
ONE = "/api/v1/charge-points/CP001"


@pytest.fixture
async def box() -> AsyncIterator[Box]:
    async with running_box() as running:
        await running.core.boot("CP001")
        yield running


@pytest.fixture
async def admin(box: Box) -> dict[str, str]:
    return {"Authorization": f"Bearer {await box.core.jobs.new_admin_token('desk')}"}


async def test_the_inventory_is_read_and_narrowed(box: Box, admin: dict[str, str]) -> None:
    assert (await ask(box, admin, "GET", f"{ONE}/inventory"))[0] == 404
    variables = [
        Variable(name=name, component="EVSE", attributes={"Actual": attribute(name, "1")})
        for name in ("Power", "Password")
    ]
    report = ListReport(ReportKind.INVENTORY, items_of(variables), "GetBaseReport", facts={"connectors": 2})
    await box.core.desk.listed(KEY, report)
    status, inventory = await ask(box, admin, "GET", f"{ONE}/inventory")
    assert status == 200
    assert [each["name"] for each in inventory["variables"]] == ["Power", "Password"]
    assert inventory["variables"][1]["attributes"]["Actual"] == {"secret": True}
    assert inventory["facts"] == {"connectors": 2}
    _, narrowed = await ask(box, admin, "GET", f"{ONE}/inventory?q=poWer")
    assert [each["name"] for each in narrowed["variables"]] == ["Power"]


async def test_an_inventory_is_asked_for(box: Box, admin: dict[str, str]) -> None:
    assert await ask(box, admin, "POST", f"{ONE}/inventory") == (202, {"asked": True})
    assert box.stations.stocks_taken == [KEY]


async def test_lists_are_read_one_by_one(box: Box, admin: dict[str, str]) -> None:
    await box.core.desk.list_changed(KEY, ReportKind.EVENTS, {"1": {"severity": 4}}, (), "NotifyEvent")
    _, lists = await ask(box, admin, "GET", f"{ONE}/lists")
    assert [(each["kind"], each["count"]) for each in lists] == [("events", 1)]
    status, events = await ask(box, admin, "GET", f"{ONE}/lists/events")
    assert (status, events["items"], events["source"]) == (200, {"1": {"severity": 4}}, "NotifyEvent")
    assert (await ask(box, admin, "GET", f"{ONE}/lists/monitoring"))[0] == 404
    status, error = await ask(box, admin, "GET", f"{ONE}/lists/nonsense")
    assert (status, error["code"]) == (400, "request_invalid")


async def test_customer_information_is_there_while_it_is_remembered(box: Box, admin: dict[str, str]) -> None:
    assert (await ask(box, admin, "GET", f"{ONE}/lists/customer_information"))[0] == 404
    box.stations.customer = {"0": "name: ***"}
    _, told = await ask(box, admin, "GET", f"{ONE}/lists/customer_information")
    assert told["items"] == {"0": "name: ***"}


async def test_calls_by_hand_are_listed(box: Box, admin: dict[str, str]) -> None:
    call = {"id": 1, "action": "Reset", "at": datetime(2026, 11, 23, tzinfo=UTC), "state": "late"}
    box.stations.kept_calls = [call]
    _, calls = await ask(box, admin, "GET", f"{ONE}/calls")
    assert [(each["action"], each["state"]) for each in calls] == [("Reset", "late")]


@pytest.mark.parametrize("path", ["inventory", "lists", "lists/events", "calls"])
async def test_only_a_token_of_the_box_opens_it(box: Box, path: str) -> None:
    for headers in ({}, box.bearer):
        assert (await ask(box, headers, "GET", f"{ONE}/{path}"))[0] == 401
    admin = {"Authorization": f"Bearer {await box.core.jobs.new_admin_token('desk')}"}
    assert (await ask(box, admin, "GET", f"/api/v1/charge-points/NOBODY/{path}"))[0] == 404


async def test_a_place_is_taken_out_of_service(box: Box, admin: dict[str, str]) -> None:
    box.stations.online.add(KEY)
    box.stations.answers[SetAvailability] = OrderAnswer("Scheduled", accepted=True)
    await box.core.desk.availability(KEY, "Scheduled", operative=False, connector=2, plug=None)
    status, said = await ask(box, admin, "POST", f"{ONE}/availability", {"operative": False, "connector": 2})
    assert (status, said) == (200, {"answer": "Scheduled", "accepted": True, "out_of_service": [2]})
    assert box.stations.orders == [(KEY, SetAvailability(operative=False, connector=2))]
    for wrong in ({}, {"operative": True, "plug": 1}, {"operative": True, "connector": 0}):
        assert (await ask(box, admin, "POST", f"{ONE}/availability", wrong))[0] == 400
