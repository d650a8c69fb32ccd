"""A route as data: what the router serves and what `/openapi.json` says of it come from the same line.

Start at `Route`.
"""

from collections.abc import Awaitable, Callable, Iterable
from dataclasses import dataclass
from typing import Any

from aiohttp import web

from sitelink.errors import SiteError


@dataclass(frozen=True, slots=True)
class Route:
    """One method at one path. `body` and `answer` are msgspec types; `answer` None: see `media`, which is
    "" where nothing is answered.

    `auth` names who may call: link (a job's link), admin (a token of the box), team (a token of a team in the cloud,
    good for `scope`), member (somebody signed in who may do `scope` in the team), person (anybody signed in), nobody
    needed ("").
    """

    method: str
    path: str
    handler: Callable[[web.Request], Awaitable[web.StreamResponse]]
    summary: str
    body: type | None = None
    answer: Any = None
    status: int = 200
    media: str = "application/json"
    takes: str = ""
    """The type of a body that is no JSON."""
    auth: str = "link"
    scope: str = ""
    errors: tuple[type[SiteError], ...] = ()
    query: tuple[str, ...] = ()


def mount(app: web.Application, routes: Iterable[Route]) -> None:
    """Serve the routes. HEAD is answered where GET is, except for streams."""
    for route in routes:
        if route.method == "GET":
            app.router.add_get(route.path, route.handler, allow_head=route.media != "text/event-stream")
        else:
            app.router.add_route(route.method, route.path, route.handler)
