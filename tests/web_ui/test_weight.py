"""What a phone loads for a job of 14 charge points: at most 20 KiB gzipped, all together (DESIGN §7 (24))."""

import gzip

from sitelink.states import ConnectorStatus
from tests.doubles.sites import JOB, MadeSite, harbour_garage, row
from web_ui import render
from web_ui.assets import Asset, assets
from web_ui.views import job_view

KIB = 1024
CSRF = "q7Zp0mX2vN8sLrT4yKdA1cWfHbE6uJgQ3oViRxGzBnM"


def page_of(site: MadeSite) -> str:
    return render.page("job.html", view=job_view(site.snapshot(), JOB, link=site.link()), csrf=CSRF)


def weight(html: str) -> int:
    """With every file the page names, and every file these name."""
    loaded: dict[str, Asset] = {}
    texts = [html.encode()]
    while texts:
        text = texts.pop()
        for name, asset in assets().items():
            if name not in loaded and asset.url_name.encode() in text:
                loaded[name] = asset
                texts.append(asset.body)
    assert set(loaded) == {"gatepost.css", "live.js", "idiomorph.js"}
    return sum(len(asset.gzipped) for asset in loaded.values()) + len(gzip.compress(html.encode(), compresslevel=6))


def test_a_job_of_14_weighs_at_most_20_kib() -> None:
    html = page_of(harbour_garage())
    assert html.count('class="cp"') == 14
    assert weight(html) <= 20 * KIB


def test_a_job_of_60_weighs_at_most_30_kib() -> None:
    site = MadeSite()
    site.job(*(row(number, f"ZPR{10_000 + number * 7919 % 90_000}") for number in range(1, 61)))
    for number in range(1, 61):
        site.ready(f"ZPR{10_000 + number * 7919 % 90_000}", ConnectorStatus.AVAILABLE)
    assert weight(page_of(site)) <= 30 * KIB
