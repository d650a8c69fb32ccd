from aiohttp import web
from aiohttp.test_utils import TestClient, TestServer

from web_ui.routes import Route, mount


async def hello(_request: web.Request) -> web.Response:
    return web.Response(text="hello")


async def test_head_is_answered_where_get_is_and_not_for_streams() -> None:
    app = web.Application()
    mount(
        app,
        (
            Route("GET", "/page", hello, "A page.", media="text/html"),
            Route("GET", "/events", hello, "A stream.", media="text/event-stream"),
            Route("POST", "/page", hello, "A form.", media="text/html"),
        ),
    )
    async with TestClient(TestServer(app)) as client:
        assert (await client.head("/page")).status == 200
        assert (await client.head("/events")).status == 405
        assert (await client.post("/page")).status == 200
        assert (await client.put("/page")).status == 405
