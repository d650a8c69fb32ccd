"""A timeline as bars and in words."""

from datetime import timedelta

from cloud_relay.console.timeline_views import WINDOWS, bars_of
from cloud_relay.fleet.timeline import KINDS, Ending, Span, Timeline, timeline_of
from tests.doubles.sites import NOW, charging_day


def test_bars_fill_the_time_they_took() -> None:
    since = NOW - timedelta(hours=24)
    spans = (
        Span("connected", since, NOW - timedelta(hours=6), Ending("silent", NOW)),
        Span("disconnected", NOW - timedelta(hours=6)),
    )
    bars = bars_of(Timeline(since, NOW, spans, ()), "24h")
    assert [(bar.x, bar.width, bar.tone, bar.label) for bar in bars.connection] == [
        ("0.00%", "75.00%", "ok", "connected"), ("75.00%", "25.00%", "problem", "disconnected"),
    ]  # fmt: skip
    assert bars.connection[0].ended_by == "It stopped answering."
    assert bars.summary == "In the last 24 hours it was once disconnected and never charging."
    assert len(bars.ticks) in (5, 6)


def test_a_day_in_words() -> None:
    site = charging_day(NOW - timedelta(hours=20))
    ops = [op for op in site.ops if op.kind in KINDS]
    bars = bars_of(timeline_of(ops, 1, NOW - timedelta(hours=24), NOW), "24h")
    said = [bar.ended_by for bar in bars.operation]
    assert "Charge 21 began." in said
    assert "Charge 21 ended: the car was unplugged." in said
    assert "It reported Faulted." in said
    assert said[-1] == ""


def test_a_fault_is_told_in_the_words_of_the_page() -> None:
    faulted = Ending("serial_changed", NOW, {"serial": "B", "before": "A"})
    said = []
    for ending in (faulted, Ending("ordered_reboot", NOW, {"by": ""})):
        spans = (Span("connected", NOW - timedelta(hours=2), NOW - timedelta(hours=1), ending),)
        said.append(bars_of(Timeline(NOW - timedelta(days=7), NOW, spans, ()), "7d").connection[0].ended_by)
    assert said[0].startswith("Another charge point answers under this identity: serial B")
    assert said[1] == "It was restarted by somebody."


def test_every_window_has_its_ticks() -> None:
    for window, (_, span) in WINDOWS.items():
        assert 3 <= len(bars_of(Timeline(NOW - span, NOW, (), ()), window).ticks) <= 7, window
