"""Unexpected exceptions of one request: logged under a short code, counted, and shown as nothing but that code.

Start at `report`.
"""

import secrets
from dataclasses import dataclass

import structlog
from aiohttp import web

from sitelink.errors import ServerFault

log = structlog.get_logger()


@dataclass(slots=True)
class Faults:
    """How many there were."""

    count: int = 0


FAULTS: web.AppKey[Faults] = web.AppKey("faults", Faults)


def report(request: web.Request, exc: BaseException) -> ServerFault:
    """What the person gets to see of `exc`."""
    ref = secrets.token_hex(2).upper()
    log.error("request_failed", ref=ref, method=request.method, path=request.path, exc_info=exc)
    request.app[FAULTS].count += 1
    return ServerFault(ref=ref)
