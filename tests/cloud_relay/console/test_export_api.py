"""Everything a team has, a line each."""

import json
from pathlib import Path
from typing import Any

from cloud_relay.fleet.permissions import RIGHTS
from cloud_relay.fleet.teams import find_team, new_api_token
from tests.cloud_relay.console.test_jobs_pages import made_job
from tests.cloud_relay.made import ACT
from tests.doubles.console import Console, Person, running_console
from tests.doubles.fleet import box_of
from tests.doubles.sites import harbour_garage


async def exported(console: Console, person: Person, query: str = "", rights: tuple[str, ...] = RIGHTS) -> list[Any]:
    token = await console.cloud.store.write(
        lambda books: new_api_token(books, ACT, find_team(books, person.team), "ci", rights)[1]
    )
    headers = {"Authorization": f"Bearer {token}"}
    async with person.http.get(f"{console.url}/api/v1/export{query}", headers=headers) as answer:
        text = await answer.text()
        if answer.status != 200:
            return [answer.status]
    assert answer.content_type == "application/x-ndjson"
    assert "gl1_" not in text
    assert token not in text
    return [json.loads(line) for line in text.splitlines()]


async def test_all_of_it_is_there_once_and_the_end_says_so(tmp_path: Path) -> None:
    async with running_console(tmp_path) as console:
        person, other = await console.member(), await console.member(team="Other")
        box = await box_of(console)
        await box.tell_site(harbour_garage())
        await made_job(person, site="Mill Lane")
        await made_job(other, site="Elsewhere")
        lines = await exported(console, person)
        assert lines[-1] == {"kind": "end", "lines": len(lines) - 1}
        kinds = [line["kind"] for line in lines]
        assert {kind: kinds.count(kind) for kind in ("site", "box")} == {"site": 2, "box": 1}
        assert kinds.count("job") >= 2
        assert kinds.count("charge") >= 1
        assert kinds.count("audit") >= 1
        assert "Elsewhere" not in str(lines)
        assert "device_key" not in next(line for line in lines if line["kind"] == "box")
        charges = [(line["id"], line["station"]) for line in lines if line["kind"] == "charge"]
        assert len(charges) == len(set(charges))
        tokens = [line["id_token"] for line in lines if line["kind"] == "charge" and line["id_token"]]
        assert all("***" in token for token in tokens)

        narrowed = await exported(console, person, f"?site={box.place.site}")
        assert {line.get("site_id", box.place.site) for line in narrowed} == {box.place.site}
        assert "audit" not in {line["kind"] for line in narrowed}
        assert await exported(console, other, f"?site={box.place.site}") == [404]


async def test_a_token_gets_what_it_may_read(tmp_path: Path) -> None:
    async with running_console(tmp_path) as console:
        person = await console.member()
        await made_job(person)
        assert {line["kind"] for line in await exported(console, person, rights=("sites:read",))} == {"site", "end"}
        assert await exported(console, person, rights=("audit:read",)) == [403]
