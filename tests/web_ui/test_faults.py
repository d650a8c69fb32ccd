from aiohttp import web
from aiohttp.test_utils import make_mocked_request
from structlog.testing import capture_logs

from web_ui.faults import FAULTS, Faults, report


async def test_a_fault_is_logged_under_the_code_the_person_gets() -> None:
    app = web.Application()
    app[FAULTS] = Faults()
    request = make_mocked_request("POST", "/j/complete?secret=1", app=app)
    with capture_logs() as logs:
        error = report(request, RuntimeError("detail"))
    assert logs[0]["event"] == "request_failed"
    assert (logs[0]["ref"], logs[0]["path"]) == (error.fields["ref"], "/j/complete")
    assert app[FAULTS].count == 1
