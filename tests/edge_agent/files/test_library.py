"""The firmware images: kept whole or not at all, found by their checksum, within their quotas."""

import hashlib
import os
from datetime import UTC, datetime

import pytest

from edge_agent.files.library import Library, clean_name
from sitelink.errors import FirmwareInvalid, NotFound


@pytest.fixture
def library(tmp_path):
    numbers = iter(range(100))
    times = iter(datetime(2026, 11, 3, minute, tzinfo=UTC) for minute in range(24))
    return Library(tmp_path, 1000, 1500, lambda: next(times), lambda: f"id-{next(numbers)}")


async def of(content: bytes):
    yield content[: len(content) // 2]
    yield content[len(content) // 2 :]


async def test_an_image_is_kept_with_what_is_said_of_it(library):
    image = await library.add("fw.bin", of(b"image"), "2.0", "c2ln", "PEM")
    assert image.sha256 == hashlib.sha256(b"image").hexdigest()
    assert library.path(image).read_bytes() == b"image"
    assert library.images() == [image]
    assert library.image(image.id) == image
    assert (image.version, image.size, image.signature) == ("2.0", 5, "c2ln")


async def test_the_newest_comes_first(library):
    first, second = await library.add("a", of(b"1")), await library.add("b", of(b"2"))
    assert library.images() == [second, first]


async def test_the_same_content_again_replaces_what_is_said_of_it(library):
    await library.add("a.bin", of(b"same"))
    again = await library.add("b.bin", of(b"same"), "2.0")
    assert library.images() == [again]


async def test_a_removed_image_is_gone(library, tmp_path):
    image = await library.add("a.bin", of(b"x"))
    library.remove(image.id)
    assert library.images() == []
    assert os.listdir(tmp_path / "firmware") == []
    with pytest.raises(NotFound):
        library.remove(image.id)


@pytest.mark.parametrize(
    ("content", "said", "problem"),
    [
        (b"", {}, "empty"),
        (b"x" * 1001, {}, "too_large"),
        (b"x" * 900, {}, "no_room"),
        (b"x", {"signature": "c2ln"}, "half_signed"),
        (b"x", {"certificate": "PEM"}, "half_signed"),
        (b"x", {"version": "1" * 51}, "not_allowed"),
        (b"x", {"signature": "s" * 801, "certificate": "PEM"}, "not_allowed"),
    ],
)
async def test_what_is_not_right_leaves_nothing(library, tmp_path, content, said, problem):
    await library.add("there", of(b"y" * 700))
    before = sorted(os.listdir(tmp_path / "firmware"))
    with pytest.raises(FirmwareInvalid) as refused:
        await library.add("a.bin", of(content), **said)
    assert refused.value.fields["problem"] == problem
    assert sorted(os.listdir(tmp_path / "firmware")) == before


async def test_what_was_cut_off_leaves_nothing(library, tmp_path):
    async def broken():
        yield b"half"
        raise ConnectionError

    with pytest.raises(ConnectionError):
        await library.add("a.bin", broken())
    assert os.listdir(tmp_path / "firmware") == []


async def test_a_damaged_description_hides_its_image_and_no_other(library, tmp_path):
    image = await library.add("a.bin", of(b"a"))
    (tmp_path / "firmware" / "other.json").write_text("{")
    assert library.images() == [image]


@pytest.mark.parametrize(
    ("given", "kept"),
    [
        ("fw.bin", "fw.bin"),
        ("../../etc/passwd", "passwd"),
        ("C:\\fw\\Terra 1.6.fw", "Terra_1.6.fw"),
        ("..", "firmware.bin"),
        ("", "firmware.bin"),
        ("ü\r\nX: y.bin", "X_y.bin"),
        ("a" * 300 + ".bin", "a" * 96 + ".bin"),
    ],
)
def test_a_name_is_made_safe_for_an_address(given, kept):
    assert clean_name(given) == kept
