"""Sixty hostile texts in every field a charge point may fill, in every version: they are never more than text."""

import csv
import io
import json
import re
import unicodedata
from collections import Counter
from collections.abc import AsyncIterator
from contextlib import AsyncExitStack
from html.parser import HTMLParser
from typing import Any

import pytest
from prometheus_client.parser import text_string_to_metric_families

from tests.doubles.box import BoxProcess, job_data, running_box
from tests.doubles.hostile_strings import VERSIONS, fill, identities, messages, strings

FORMULA = ("=", "+", "-", "@", "\t", "\r")
MAY_BE_REFUSED = {
    "FormationViolation", "FormatViolation", "NotImplemented", "NotSupported", "PropertyConstraintViolation",
    "OccurenceConstraintViolation", "OccurrenceConstraintViolation", "TypeConstraintViolation", "SecurityError",
}  # fmt: skip


class Elements(HTMLParser):
    """Every element with the names of its attributes, and where links lead."""

    def __init__(self, html: str) -> None:
        super().__init__()
        self.seen: Counter[str] = Counter()
        self.targets: set[str] = set()
        self.feed(html)
        self.close()

    def handle_starttag(self, tag: str, attrs: list[tuple[str, str | None]]) -> None:
        for name, value in attrs:
            self.seen[f"{tag} {name}"] += 1
            if name in ("href", "src", "action", "formaction", "srcdoc"):
                self.targets.add(value or "")
        self.seen[tag] += 1


@pytest.fixture(scope="module")
async def filled(tmp_path_factory: pytest.TempPathFactory) -> AsyncIterator[tuple[BoxProcess, dict[str, list[str]]]]:
    folder = tmp_path_factory.mktemp("hostile")
    async with running_box(folder, **{"log.level": "debug"}) as box, AsyncExitStack() as all_:
        await box.import_job(job_data(list(identities())))
        yield box, await fill(all_, box.ocpp)


async def text_of(box: BoxProcess, path: str, token: str | None = None) -> str:
    async with box.api(token) as session, session.get(path) as response:
        assert response.status == 200, (path, response.status)
        return await response.text()


def test_there_are_sixty() -> None:
    assert len(set(strings())) >= 60


async def test_every_message_was_answered_once_and_the_box_is_well(filled: tuple[BoxProcess, Any]) -> None:
    box, verdicts = filled
    assert len(verdicts) == len(strings()) * len(VERSIONS)
    for name, answers in verdicts.items():
        assert len(answers) == len(messages(name.rpartition(" ")[2], "x"))
        assert {each for each in answers if each != "result"} <= MAY_BE_REFUSED, (name, answers)
    metrics = await text_of(box, "/metrics")
    values = {
        sample.labels.get("what", family.name): sample.value
        for family in text_string_to_metric_families(metrics) for sample in family.samples
    }  # fmt: skip
    assert values.get("faults", 0) == 0
    assert "pwned" not in metrics


async def test_page_and_report_have_no_element_of_theirs(filled: tuple[BoxProcess, Any]) -> None:
    box, _ = filled
    async with box.api() as session:
        async with session.post("/api/session", json={"token": box.token}, headers={"Origin": box.http}) as response:
            assert response.status in (200, 204), await response.text()
        for path in ("/j", "/j/complete", "/api/v1/job/report.html"):
            async with session.get(path) as response:
                assert response.status == 200, path
                html = await response.text()
            elements = Elements(html)
            assert not [each for each in elements.seen if re.search(r" on\w+$", each)], path
            assert {"iframe", "base", "svg", "math", "details ontoggle"} & elements.seen.keys() <= {"svg"}, path
            assert not [each for each in elements.targets if "pwned" in each or "192.0.2.1" in each], path
            assert elements.seen["img onerror"] == 0
            assert "<script>window" not in html
            for character in "\x00\x08\x1b\x7f\u202e\u2066\u2067\u200b\u2028":
                assert character not in html, (path, repr(character))
            assert "49" not in re.findall(r">\s*(\d+)\s*<", html) or "{{7*7}}" in html


async def test_no_cell_of_the_table_is_a_formula(filled: tuple[BoxProcess, Any]) -> None:
    box, _ = filled
    rows = list(csv.reader(io.StringIO((await text_of(box, "/api/v1/job/report.csv")).removeprefix("\ufeff"))))
    assert len(rows) > len(strings())
    assert len({len(row) for row in rows if row}) <= 3
    for row in rows:
        for cell in row:
            assert not cell.startswith(FORMULA), row
            assert not re.search(r"[\x00\x1b]", cell)


async def test_the_api_tells_them_as_text(filled: tuple[BoxProcess, Any]) -> None:
    box, _ = filled
    job = json.loads(await text_of(box, "/api/v1/job"))
    firmwares = {row["station"]["firmware"] for row in job["charge_points"] if row["station"]}
    assert "<script>window.pwned=1</script>" in firmwares
    assert max(len(each or "") for each in firmwares) <= 500
    seen = {knock["identity"]: knock for knock in job["seen"]}
    assert len(seen) >= 50
    for knock in seen.values():
        assert {"version", "firmware", "first_at", "count"} <= knock.keys()
        assert not any(unicodedata.category(each) == "Cc" for each in knock["identity"])
    token = (await box.cli("token", "new", "--name", "hostile"))["token"]
    listed = json.loads(await text_of(box, "/api/v1/charge-points", token))
    assert any(each["corrections"] for each in listed)
    for identity in ("HS00-16", "HS00-201", "HS00-21"):
        frames = json.loads(await text_of(box, f"/api/v1/charge-points/{identity}/frames", token))
        assert frames


async def test_no_line_of_the_log_is_theirs(filled: tuple[BoxProcess, Any]) -> None:
    box, _ = filled
    for line in box.log.splitlines():
        assert not re.search(r"[\x00-\x08\x0b-\x1f\x7f\u202a-\u202e\u2066-\u2069]", line), repr(line)
        if line.startswith("{"):
            assert not json.loads(line)["event"].startswith("FORGED"), line
        else:
            assert not re.match(r"\S+ \S+ \[error\s*\] FORGED|Set-Cookie", line), line
    assert len(box.log) < 20_000_000


async def test_no_cell_of_the_messages_as_a_table_is_a_formula(filled: tuple[BoxProcess, Any]) -> None:
    box, _ = filled
    rows = {each["identity"]: each["id"] for each in (await box.job())["charge_points"]}
    async with box.api() as session:
        async with session.post("/api/session", json={"token": box.token}, headers={"Origin": box.http}) as response:
            assert response.status in (200, 204)
        for number, text in enumerate(strings()):
            if not text.startswith(FORMULA):
                continue
            async with session.get(f"/j/charge-points/{rows[f'HS{number:02}-16']}/frames.csv") as response:
                assert response.status == 200
                table = (await response.text()).removeprefix("\ufeff")
            found = list(csv.reader(io.StringIO(table)))
            assert len(found) > 10
            assert not [cell for row in found for cell in row if cell.startswith(FORMULA)]
