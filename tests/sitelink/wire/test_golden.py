"""Version 1 of the protocol, as it went over the wire when it was made: later versions must still speak it.

To write the file anew, on purpose: GATEPOST_WRITE_GOLDEN=1 pytest tests/sitelink/wire/test_golden.py
"""

import os
from pathlib import Path

from sitelink.wire.codec import decode
from tests.sitelink.wire.scripted import Pair

FILE = Path(__file__).with_name("version_1.txt")


def transcript() -> str:
    frames = Pair(ops=3, log=2).run().frames
    return "".join(f"{way} {frame.decode()}\n" for way, frame in frames)


def test_a_session_of_version_1_is_what_it_was() -> None:
    if os.environ.get("GATEPOST_WRITE_GOLDEN"):
        FILE.write_text(transcript(), "utf-8")
    assert transcript() == FILE.read_text("utf-8")


def test_every_frame_of_it_is_still_understood() -> None:
    for line in FILE.read_text("utf-8").splitlines():
        assert decode(line[2:]) is not None
