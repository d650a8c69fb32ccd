"""What a team has is not there for another: for every route and every object, with a token, a browser and a link.

A route more is tried without further ado; an object of a new kind in a path must be named in `Owned`, and the body a
route needs in `BODIES`, or the test says so.
"""

import re
from collections.abc import AsyncIterator
from contextlib import asynccontextmanager
from dataclasses import dataclass
from pathlib import Path
from typing import Any

import pytest

from cloud_relay.console.app import API, PAGES
from cloud_relay.fleet import alerts
from cloud_relay.fleet.alert_records import Cause
from cloud_relay.fleet.ids import TeamId
from cloud_relay.fleet.permissions import RIGHTS
from cloud_relay.fleet.ports import Books
from cloud_relay.fleet.roles import Role
from tests.doubles.console import ACT, Console, Person, running_console
from tests.doubles.fleet import box_of
from tests.doubles.sites import harbour_garage
from web_ui.limits import Limit
from web_ui.routes import Route


@pytest.fixture(autouse=True)
def unlimited(monkeypatch: pytest.MonkeyPatch) -> None:
    """So many calls in a row would be stopped for that alone."""
    monkeypatch.setattr(Limit, "check", lambda _self, _key: None)


BODIES: dict[str, dict[str, Any]] = {
    "PATCH /api/v1/job/meters/{name}": {"unit_id": 2},
    "PATCH /api/v1/webhooks/{webhook}": {},
    "PATCH /api/v1/installer-jobs/{job}/charge-points/{charge_point}": {"note": "x"},
    "POST /api/v1/installer-jobs/{job}/charge-points/{charge_point}/actions": {"action": "start"},
    "POST /api/v1/installer-jobs/{job}/links": {},
    "POST /api/v1/installer-jobs/{job}/charge-points/{charge_point}/release-serial": {},
    "POST /api/v1/gateways/{gateway}/replace": {},
    "POST /api/v1/gateways/{gateway}/release-quarantine": {"boot": "b"},
    "PUT /api/v1/sites/{site}/settings": {"settings": {}},
    "PUT /api/v1/sites/{site}/id-tokens/{token}": {},
    "POST /api/v1/installer-jobs/{job}/mark-complete": {},
}
"""JSON that a route of the API would take, by method and path. Without an entry none is sent."""
MAKING = {
    "POST /api/v1/gateways": {"siteId": "{site}", "name": "X"},
    "POST /api/v1/installer-jobs": {"siteId": "{site}", "chargePoints": []},
}
"""Routes whose body names an object."""
FORM = {
    "role": "support", "days": "1", "action": "start", "text": "x", "identity": "X", "connector": "1", "name": "X",
    "email": "x@example.com", "active": "1", "field": "identity", "value": "X", "a": "x", "b": "y", "site": "X",
    "code": "1", "on": "1", "url": "https://example.com/", "confirm": "1", "right sites:read": "1", "address": "",
    "profile": "abb-b23", "transport": "tcp://192.0.2.7",
}  # fmt: skip
"""Fields that forms of the console have, so that none is refused before it is looked whose the object is."""


@dataclass
class Owned:
    """What one team has. `ids` by the names they have in paths."""

    person: Person
    api_token: str
    link: str
    ids: dict[str, str]


async def api(person: Person, token: str, path: str, body: Any) -> Any:
    headers = {"Authorization": f"Bearer {token}"}
    async with person.http.post(f"{person.url}/api/v1{path}", json=body, headers=headers) as answer:
        assert answer.status < 300, await answer.text()
        return await answer.json()


def an_alert(books: Books, team: TeamId) -> str:
    cause = Cause("webhook_failing", "another", "hook", ACT.at)
    alerts.carry_out(books, team, alerts.Move(opened=(cause,)), ACT.at)
    return books.alerts.standing(team)[0].id


async def owned(console: Console, team: str) -> Owned:
    """A team with one of everything."""
    box = await box_of(console, team)
    await box.tell_site(harbour_garage())
    box.come()
    person = await console.member(Role.ADMIN, team)
    base, site = person.base, box.place.site
    await person.post(f"{base}/team/invitations", {"email": f"new@{team}.example", "role": "support"})
    page = await person.post(f"{base}/team/tokens", {"name": "ci", **{f"right {right}": "1" for right in RIGHTS}})
    made = await person.post(f"{base}/jobs/new", {"site": "Made here", "rows": f"Bay,{team}-1\n"})
    job = made.path.split("/")[4]
    links = await person.post(f"{base}/jobs/{job}/links", {"role": "installer", "days": "1"})
    await person.post(f"{base}/jobs/{job}/meters", {**FORM, "name": team})
    row = re.findall(r'id="cp-([\w-]+)"', (await person.get(f"{base}/jobs/{job}")).text)[0]
    point = re.findall(r"/charge-points/([\w-]+)\"", (await person.get(f"{base}/sites/{site}")).text)[0]
    api_token = re.findall(r"gc1_[\w-]{43}", page.text)[0]
    hook = await api(person, api_token, "/webhooks", {"url": "https://example.com/", "events": ["job.created"]})
    delivery = await api(person, api_token, f"/webhooks/{hook['webhook']['id']}/test", None)
    alert = await console.cloud.store.write(lambda books: an_alert(books, TeamId(person.team)))
    ids = {
        "team": person.team, "site": site, "gateway": box.id, "job": job, "charge_point": point, "id": row,
        "link": re.findall(r"/links/([\w-]+)/revoke", links.text)[0],
        "user": re.findall(r"/members/([\w-]+)/role", page.text)[0],
        "invitation": re.findall(r"/invitations/([\w-]+)/revoke", page.text)[0],
        "token": re.findall(r"/tokens/([\w-]+)/revoke", page.text)[0],
        "webhook": hook["webhook"]["id"], "delivery": delivery["id"], "alert": alert,
        "name": team, "charge": "12", "region": "header", "command_id": "11111111-1111-4111-8111-111111111111",
    }  # fmt: skip
    return Owned(person, api_token, re.findall(r"gl1_[\w-]{43}", links.text)[0], ids)


@asynccontextmanager
async def two_teams(folder: Path) -> AsyncIterator[tuple[Console, Owned, Owned]]:
    async with running_console(folder) as console:
        yield console, await owned(console, "Acme"), await owned(console, "Other")


def names_of(route: Route) -> list[str]:
    return re.findall(r"\{(\w+)\}", route.path)


def routes(auth: str, *, with_objects: bool) -> list[Route]:
    return [
        route
        for route in (*API, *PAGES)
        if route.auth == auth and bool(set(names_of(route)) - {"team"}) == with_objects
    ]


async def test_tokens_of_another_team_find_nothing(tmp_path: Path) -> None:
    async with two_teams(tmp_path) as (console, ours, theirs):
        headers = {"Authorization": f"Bearer {theirs.api_token}"}
        for route in routes("team", with_objects=True):
            key = f"{route.method} {route.path}"
            assert (route.body is None) == (key not in BODIES), f"{key}: BODIES says what it takes"
            # A charge point of a job is one of its rows.
            ids = {**ours.ids, "charge_point": ours.ids["id"]} if "{job}" in route.path else ours.ids
            async with theirs.person.http.request(
                route.method, console.url + route.path.format(**ids), json=BODIES.get(key), headers=headers
            ) as answer:
                assert answer.status == 404, (key, await answer.text())
        for key, body in MAKING.items():
            method, _, path = key.partition(" ")
            sent = {name: value.format(**ours.ids) if isinstance(value, str) else value for name, value in body.items()}
            async with theirs.person.http.request(method, console.url + path, json=sent, headers=headers) as answer:
                assert answer.status == 404, (key, await answer.text())


async def test_lists_show_nothing_of_another_team(tmp_path: Path) -> None:
    async with two_teams(tmp_path) as (console, ours, theirs):
        headers = {"Authorization": f"Bearer {theirs.api_token}"}
        kept = [
            ours.ids[name]
            for name in (
                "team",
                "site",
                "gateway",
                "job",
                "link",
                "user",
                "invitation",
                "token",
                "webhook",
                "delivery",
                "alert",
            )
        ]
        for route in routes("team", with_objects=False):
            if route.method == "GET":
                async with theirs.person.http.get(console.url + route.path, headers=headers) as answer:
                    text = await answer.text()
                assert answer.status == 200, route.path
                assert [each for each in kept if each in text] == [], route.path
        for route in routes("member", with_objects=False):
            if route.method == "GET" and route.media != "text/event-stream":
                page = await theirs.person.get(route.path.format(team=theirs.person.team))
                assert page.status == 200, route.path
                assert [each for each in kept if each in page.text] == [], route.path


async def test_members_of_another_team_find_nothing(tmp_path: Path) -> None:
    async with two_teams(tmp_path) as (_, ours, theirs):
        for auth_route in (*routes("member", with_objects=False), *routes("member", with_objects=True)):
            path = auth_route.path.format(**ours.ids)
            page = await ask(theirs.person, auth_route, path)
            assert page == 404, f"{auth_route.method} {auth_route.path} of their team"
        for route in routes("member", with_objects=True):
            mixed = route.path.format(**{**ours.ids, "team": theirs.person.team})
            assert await ask(theirs.person, route, mixed) == 404, (
                f"{route.method} {route.path}: their objects, our team"
            )


async def ask(person: Person, route: Route, path: str) -> int:
    if route.method == "GET":
        async with person.http.get(person.url + path, allow_redirects=False) as answer:
            return answer.status
    data = {**FORM, "csrf": person.csrf}
    async with person.http.request(route.method, person.url + path, data=data, allow_redirects=False) as answer:
        return answer.status


@pytest.mark.parametrize("auth", ["link"])
async def test_a_link_opens_its_own_job_alone(tmp_path: Path, auth: str) -> None:
    async with two_teams(tmp_path) as (console, ours, theirs):
        headers = {"Authorization": f"Bearer {theirs.link}"}
        for route in routes(auth, with_objects=True):
            body = {"action": "start"} if route.path.endswith("/actions") else {"text": "x"}
            body = {"identity": "X"} if route.method == "PATCH" else body
            body = BODIES.get(f"{route.method} {route.path}", body)
            sent: dict[str, Any] = {"json": body} if route.path.startswith("/api/") else {"data": FORM}
            if route.method == "GET":
                sent = {}
            async with theirs.person.http.request(
                route.method, console.url + route.path.format(**ours.ids), headers=headers, **sent
            ) as answer:
                assert answer.status in (200, 404), (route.method, route.path, answer.status)
                text = await answer.text()
            assert ours.ids["id"] not in text or answer.status == 404, route.path
            if route.path.startswith("/api/"):
                assert answer.status == 404, route.path
        # And none of it opens what tokens and browsers do.
        for path in (f"/t/{ours.person.team}", "/api/v1/sites"):
            stranger = await console.stranger()
            async with stranger.http.get(console.url + path, headers=headers, allow_redirects=False) as answer:
                assert answer.status in (303, 401), path
