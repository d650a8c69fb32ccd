"""Logging: one JSON object a line, and no secret in any of them."""

import json
import subprocess
import sys

SCRIPT = """
import logging, structlog
from programs import logs
logs.configure("info")
log = structlog.get_logger()
log.info("link_made", token="CANARY-1", nested={"Authorization": "Bearer CANARY-2"}, text="see gl1_CANARY3CANARY3")
log.info("tag_presented", id_tag="04A2CANARY4")
log.debug("too_quiet")
log.info("odd", half="\\ud800", large=2**80, unseen="a\\x00b", at=logs, name="Sofía")
logging.getLogger("aiohttp.server").error("broken %s", "gl1_CANARY5CANARY5")
logging.getLogger("websockets.server").error("noise of a port probe")
try:
    raise ValueError("inside")
except ValueError:
    log.exception("bug_found")
"""


def test_lines_are_json_and_secrets_are_masked() -> None:
    done = subprocess.run([sys.executable, "-c", SCRIPT], capture_output=True, text=True, check=True)
    assert done.stdout == "", "standard output is for answers"
    lines = [json.loads(line) for line in done.stderr.splitlines()]
    assert [line["event"] for line in lines][:2] == ["link_made", "tag_presented"]
    odd = lines[2]
    assert (odd["half"], odd["large"], odd["unseen"], odd["name"]) == ("\ud800", 2**80, "a\\u0000b", "Sofía")
    assert "module" in odd["at"]
    assert "too_quiet" not in done.stderr
    assert "port probe" not in done.stderr
    assert "CANARY" not in done.stderr
    assert lines[-1]["event"] == "bug_found"
    assert "ValueError" in json.dumps(lines[-1])
