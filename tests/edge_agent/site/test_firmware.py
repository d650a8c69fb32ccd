"""The operator's commands about firmware, over files that a test plays."""

import pytest

from edge_agent.site.firmware import operations
from sitelink.errors import FirmwareInvalid, NotFound, RequestInvalid
from tests.doubles.scripted_files import ScriptedFiles


async def test_an_image_is_added_listed_and_removed(tmp_path):
    run = operations(ScriptedFiles())
    file = tmp_path / "fw.bin"
    file.write_bytes(b"image")
    added = await run["firmware.add"](
        {"file": str(file), "version": "2.0", "signature": "c2ln", "certificate": "PEM"}
    )  # fmt: skip
    assert (added.name, added.version, added.bytes, added.signed) == ("fw.bin", "2.0", 5, True)
    assert await run["firmware.list"]({}) == [added]
    assert await run["firmware.remove"]({"image": added.id}) == added
    assert await run["firmware.list"]({}) == []
    with pytest.raises(NotFound):
        await run["firmware.remove"]({"image": added.id})


@pytest.mark.parametrize(
    ("arguments", "error"),
    [
        ({}, RequestInvalid),
        ({"file": "relative.bin"}, RequestInvalid),
        ({"file": "/x", "version": 2}, FirmwareInvalid),
    ],
)
async def test_what_is_not_right_is_said(arguments, error):
    with pytest.raises(error):
        await operations(ScriptedFiles())["firmware.add"](arguments)
