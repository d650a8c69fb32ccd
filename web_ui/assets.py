"""Style sheet and scripts under names that change with their content, so that a browser may keep them for a year.

Start at `mount`; templates ask `asset_url`. Files are read once and compressed once; nothing is built. A script that
imports "./other.js" gets the hashed name of the other written in. Source: DESIGN §7 (21), UX §4.3.
"""

import gzip
import hashlib
import re
from collections.abc import Awaitable, Callable
from functools import cache
from importlib.resources import files

import msgspec
from aiohttp import web

PREFIX = "/static/"
_FILES = {
    "gatepost.css": "css/gatepost.css", "details.css": "css/details.css", "console.css": "css/console.css",
    "fleet.css": "css/fleet.css",
    "idiomorph.js": "js/idiomorph.js",
    "live.js": "js/live.js",
}  # fmt: skip
"""In an order in which every script comes after those it imports."""
_TYPES = {"css": "text/css", "js": "text/javascript"}
_IMPORT = re.compile(rb'(from\s*)"\./([\w.-]+)"')
_YEAR_S = 31_536_000


class Asset(msgspec.Struct, frozen=True):
    """A static file as it is served. `url_name` is `<name>.<hash>.<ext>`."""

    url_name: str
    content_type: str
    body: bytes
    gzipped: bytes


@cache
def assets() -> dict[str, Asset]:
    """By plain name."""
    found: dict[str, Asset] = {}
    for name, path in _FILES.items():
        body = files("web_ui").joinpath("static", path).read_bytes()
        body = _IMPORT.sub(lambda match: b'%s"./%s"' % (match[1], found[match[2].decode()].url_name.encode()), body)
        stem, _, extension = name.rpartition(".")
        digest = hashlib.sha256(body).hexdigest()[:12]
        found[name] = Asset(
            f"{stem}.{digest}.{extension}", _TYPES[extension], body, gzip.compress(body, compresslevel=9, mtime=0)
        )
    return found


def asset_url(name: str) -> str:
    """Path of a static file. Raises KeyError for a name that is none."""
    return PREFIX + assets()[name].url_name


def mount(app: web.Application) -> None:
    """Serve the static files under /static/. Any other name there is not found."""
    for asset in assets().values():
        app.router.add_get(PREFIX + asset.url_name, _handler_of(asset))


def _handler_of(asset: Asset) -> Callable[[web.Request], Awaitable[web.StreamResponse]]:
    async def serve(request: web.Request) -> web.StreamResponse:
        headers = {"Cache-Control": f"public, max-age={_YEAR_S}", "Vary": "Accept-Encoding"}
        body = asset.body
        if _takes_gzip(request.headers.get("Accept-Encoding", "")):
            headers["Content-Encoding"] = "gzip"
            body = asset.gzipped
        return web.Response(body=body, headers=headers, content_type=asset.content_type, charset="utf-8")

    return serve


def _takes_gzip(accepted: str) -> bool:
    """RFC 9110 §12.5.3, as far as browsers use it: named, and not with q=0."""
    for item in accepted.lower().split(","):
        coding, _, quality = item.strip().partition(";")
        if coding.strip() == "gzip":
            return quality.replace(" ", "") not in ("q=0", "q=0.0", "q=0.00", "q=0.000")
    return False
