"""Alerts and their rules for people, without script."""

import re
from collections.abc import AsyncIterator
from pathlib import Path

import pytest

from cloud_relay.fleet import alerts
from cloud_relay.fleet.alert_records import Cause
from cloud_relay.fleet.ids import SiteId, TeamId
from cloud_relay.fleet.ports import Books
from cloud_relay.fleet.roles import Role
from tests.doubles.console import ACT, Console, Person, running_console


@pytest.fixture
async def console(tmp_path: Path) -> AsyncIterator[Console]:
    async with running_console(tmp_path) as running:
        yield running


async def opened(console: Console, person: Person, *names: str, rule: str = "charge_point_offline") -> list[str]:
    """Their ids, newest first."""
    team = TeamId(person.team)
    causes = [Cause(rule, name, name, ACT.at, SiteId("site"), {"job": "j1"}) for name in names]

    def work(books: Books) -> list[str]:
        alerts.carry_out(books, team, alerts.Move(opened=tuple(causes)), ACT.at)
        return [each.id for each in books.alerts.standing(team)]

    return await console.cloud.store.write(work)


def names_in(text: str) -> list[str]:
    return re.findall(r'<th role="rowheader" scope="row">(?:<a [^>]*>)?([^<]+)<', text)


async def test_what_is_wrong_is_listed_and_acknowledged(console: Console) -> None:
    person, other = await console.member(Role.OPERATOR), await console.member(team="Other")
    assert "Nothing is wrong" in (await person.get(f"{person.base}/alerts")).text
    await opened(console, person, "Bay <1>", "Bay 2")
    page = await person.get(f"{person.base}/alerts")
    assert sorted(names_in(page.text)) == ["Bay &lt;1&gt;", "Bay 2"]
    assert "The charge point is not connected." in page.text
    assert "<b>2</b> <span>now</span>" in (await person.get(person.base)).text
    first = re.findall(r"/alerts/([\w-]{36})/acknowledge", page.text)[0]
    first_name = names_in(page.text)[0]
    assert (await other.post(f"{other.base}/alerts/{first}/acknowledge")).status == 404
    page = await person.post(f"{person.base}/alerts/{first}/acknowledge")
    assert page.path == f"{person.base}/alerts"
    assert names_in(page.text)[-1] == first_name, "open ones come first"
    assert "operator@acme.example" in page.text
    assert names_in((await other.get(f"{other.base}/alerts")).text) == []


async def test_what_is_over_stands_among_the_closed(console: Console) -> None:
    person = await console.member()
    await opened(console, person, "Bay 1")
    team = TeamId(person.team)

    def work(books: Books) -> bool:
        return alerts.carry_out(books, team, alerts.move(books.alerts.standing(team), ()), ACT.at)

    await console.cloud.store.write(work)
    assert "Nothing is wrong" in (await person.get(f"{person.base}/alerts")).text
    assert names_in((await person.get(f"{person.base}/alerts?show=closed")).text) == ["Bay 1"]


async def test_rules_are_set_in_a_form_and_what_was_typed_stays_when_it_is_wrong(console: Console) -> None:
    person = await console.member(Role.OPERATOR)
    path = f"{person.base}/alerts/rules"
    page = await person.get(path)
    assert 'name="after gateway_offline" type="number" inputmode="numeric" min="0" max="43200" required value="10"' in (
        page.text
    )
    fields = dict(re.findall(r'name="(after \w+)"[^>]*? value="(\d+)"', page.text))
    on = dict.fromkeys(re.findall(r'name="(on \w+)"', page.text), "1")
    for wrong in ("", "ten", "-1", "43201", "1.5"):
        page = await person.post(path, {**fields, **on, "after gateway_offline": wrong, "after job_idle": "9"})
        assert page.status == 400, wrong
        assert 'aria-describedby="e-gateway_offline"' in page.text
        assert 'required value="9"' in page.text
    del on["on serial_conflict"]
    page = await person.post(path, {**fields, **on, "after gateway_offline": "3"})
    assert (page.status, page.path) == (200, path)
    rules = await console.cloud.store.read(lambda books: alerts.rules_of(books, TeamId(person.team)))
    assert rules["gateway_offline"].after == 3
    assert not rules["serial_conflict"].enabled
    assert rules["job_idle"].enabled


async def test_who_only_looks_changes_nothing(console: Console) -> None:
    person = await console.member(Role.SUPPORT)
    (id_,) = await opened(console, person, "Bay 1")
    assert "Acknowledge" not in (await person.get(f"{person.base}/alerts")).text
    assert "Save the rules" not in (await person.get(f"{person.base}/alerts/rules")).text
    assert (await person.post(f"{person.base}/alerts/{id_}/acknowledge")).status == 403
    assert (await person.post(f"{person.base}/alerts/rules")).status == 403
