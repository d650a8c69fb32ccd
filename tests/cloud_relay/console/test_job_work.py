"""A job found by the path of a request, for its team alone."""

from datetime import UTC, datetime

from cloud_relay.console.job_work import operator_link
from sitelink.ids import JobId
from sitelink.states import LinkRole


def test_an_operator_holds_no_link_that_could_be_shown() -> None:
    link = operator_link(JobId("j"), LinkRole.READ, datetime(2026, 11, 26, tzinfo=UTC))
    assert (link.job, link.role, link.token_sha256) == ("j", LinkRole.READ, "")
