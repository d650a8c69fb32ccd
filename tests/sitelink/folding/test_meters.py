"""What meters said: the newest counts."""

from datetime import timedelta

from sitelink import events as e
from sitelink.ids import JobId
from tests.sitelink.builders import WHEN, Site

JOB = JobId("j")


def said(site: Site, minute: int, watts: float) -> None:
    at = WHEN + timedelta(minutes=minute)
    site.record(f"meter:{JOB}/Main", e.MeterRead(at, {"power_w.total": watts}))


def test_the_newest_minute_counts_whatever_comes_last() -> None:
    site = Site()
    said(site, 2, 200.0)
    said(site, 1, 100.0)
    assert site.state.meters[JOB, "Main"].values == {"power_w.total": 200.0}
    said(site, 3, 300.0)
    found = site.state.meters[JOB, "Main"]
    assert (found.at, found.values, found.key) == (
        WHEN + timedelta(minutes=3),
        {"power_w.total": 300.0},
        "reading:j/Main",
    )
