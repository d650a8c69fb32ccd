"""Looking after the box: how it is, a salvage that was seen, a backup."""

import asyncio
import errno
from pathlib import Path

import msgspec
import pytest

from edge_agent.site.ports import Trouble
from edge_agent.site.upkeep import About, Upkeep
from sitelink.errors import FileRefused, RequestInvalid
from tests.doubles.core import Core


class Notice(msgspec.Struct, frozen=True):
    lost: int


class Shelf:
    """A store whose backups fail as told."""

    def __init__(self) -> None:
        self.salvaged: msgspec.Struct | None = None
        self.failure: OSError | None = None

    async def acknowledge_salvage(self) -> None:
        self.salvaged = None

    async def backup(self, path: Path) -> None:
        if self.failure is not None:
            raise self.failure
        path.write_bytes(b"all of it")


class Looked:
    def __init__(self) -> None:
        self.core, self.shelf = Core(), Shelf()
        about = About("1.2.3", Path("/var/lib/box"), True, {"http.port": 8080})
        self.upkeep = Upkeep(
            about, self.core.journal, self.core.stations, self.shelf, self.core.feed, lambda: 4096
        ).operations()


async def test_the_doctor_says_how_the_box_is() -> None:
    box = Looked()
    await box.core.import_job()
    await box.core.boot("CP001")
    found = await box.upkeep["doctor"]({})
    assert (found["version"], found["status"], found["disk_free_bytes"]) == ("1.2.3", "ok", 4096)
    assert (found["jobs"]["open"], found["jobs"]["archived"]) == (1, 0)
    assert found["charge_points"] == {"known": 1, "connected": 1}
    assert found["ports"] == {"http.port": 8080}
    since = box.core.clock.now()
    box.core.journal.fail(Trouble("disk_full", since))
    ill = await box.upkeep["doctor"]({})
    assert (ill["status"], ill["trouble_since"]) == ("disk_full", since)


async def test_a_salvage_is_shown_until_it_is_acknowledged_and_open_pages_hear_of_it() -> None:
    box = Looked()
    await box.core.import_job()
    box.shelf.salvaged = Notice(lost=3)
    assert (await box.upkeep["doctor"]({}))["salvaged"] == Notice(lost=3)
    news = box.core.feed.news(box.core.job().id, None)
    async with asyncio.TaskGroup() as group:
        heard = group.create_task(anext(news))
        await asyncio.sleep(0)
        assert box.core.feed.readers == 1
        assert (await box.upkeep["doctor"]({"acknowledge_salvage": True}))["salvaged"] is None
        async with asyncio.timeout(5):
            assert (await heard).region == "page"
    await news.aclose()


async def test_a_backup_says_where_it_is(tmp_path: Path) -> None:
    file = tmp_path / "copy"
    assert await Looked().upkeep["backup"]({"file": str(file)}) == {"file": str(file), "bytes": 9}


@pytest.mark.parametrize(("failure", "problem"), [
    (FileExistsError(), "exists"),
    (FileNotFoundError(), "no_folder"),
    (PermissionError(errno.EACCES, "no"), "not_writable"),
])  # fmt: skip
async def test_a_file_that_cannot_be_written_is_said(failure: OSError, problem: str, tmp_path: Path) -> None:
    box = Looked()
    box.shelf.failure = failure
    with pytest.raises(FileRefused) as caught:
        await box.upkeep["backup"]({"file": str(tmp_path / "copy")})
    assert caught.value.fields["problem"] == problem


@pytest.mark.parametrize("file", [None, 7, "", "relative.sqlite3"])
async def test_the_place_of_a_backup_does_not_depend_on_where_the_agent_runs(file: object) -> None:
    with pytest.raises(RequestInvalid):
        await Looked().upkeep["backup"]({"file": file})
