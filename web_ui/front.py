"""What stands in front of the application: connections that say nothing, too many of them, and requests that are none.

aiohttp itself waits for ever for a first request and answers unreadable ones as plain text; here they end after
`HEAD_WITHIN_S`, and are answered in our error form with our headers. Source: SECURITY §7.1. Start at `runner_of`.
"""

import asyncio
from typing import Any

import msgspec
import structlog
from aiohttp import web
from aiohttp.web_protocol import RequestHandler

from sitelink.errors import RequestInvalid, ServerFault
from web_ui.security import SECURITY_HEADERS
from web_ui.surface import RUNNER_OPTIONS, error_body

log = structlog.get_logger()

HEAD_WITHIN_S = 10.0
CONNECTIONS_MAX = 256


def runner_of(app: web.Application, *, head_within_s: float = HEAD_WITHIN_S) -> web.AppRunner:
    """Ready for web.TCPSite."""
    return _Runner(app, head_within_s)


class _Runner(web.AppRunner):
    def __init__(self, app: web.Application, head_within_s: float) -> None:
        super().__init__(app, **RUNNER_OPTIONS)
        self._head_within_s = head_within_s

    async def _make_server(self) -> web.Server:
        server = await super()._make_server()
        front = _Server(server.request_handler, request_factory=server.request_factory, **server._kwargs)
        front.head_within_s = self._head_within_s
        return front


class _Server(web.Server):
    head_within_s = HEAD_WITHIN_S

    def __call__(self) -> RequestHandler:
        return _Connection(self, loop=self._loop, **self._kwargs)


class _Connection(RequestHandler):
    __slots__ = ()

    def connection_made(self, transport: asyncio.BaseTransport) -> None:
        super().connection_made(transport)
        front = self._manager
        if not isinstance(front, _Server):
            return
        if len(front.connections) > CONNECTIONS_MAX:
            log.warning("http_connection_refused", reason="too_many_connections", allowed=CONNECTIONS_MAX)
            self.force_close()
            return
        self._loop.call_later(front.head_within_s, self._drop_if_silent)

    def _drop_if_silent(self) -> None:
        """Later requests of a connection are watched by aiohttp's keep-alive timer."""
        if self._request_count == 0:
            self.force_close()

    def handle_error(
        self,
        request: web.BaseRequest,
        status: int = 500,
        exc: BaseException | None = None,
        message: str | None = None,
    ) -> web.StreamResponse:
        """What never reached the application, or broke on the way out of it."""
        if request.writer.output_size > 0:
            raise ConnectionError("the answer has begun")
        error = RequestInvalid(where="request", problem="not_http") if status < 500 else ServerFault(ref="HTTP")
        if status < 500:
            log.info("http_request_unreadable", remote=request.remote, problem=type(exc).__name__)
        else:
            log.error("http_request_failed", remote=request.remote, exc_info=exc)
        headers: dict[str, Any] = {**SECURITY_HEADERS, "Cache-Control": "no-store", "Server": "gatepost"}
        body = msgspec.json.encode(error_body(error))
        response = web.Response(status=status, body=body, content_type="application/json", headers=headers)
        response.force_close()
        return response
