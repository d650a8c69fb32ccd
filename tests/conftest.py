"""What all tests share: how Hypothesis works here, and what a missing tool means.

Everything else a test needs comes from `tests/doubles/`.
"""

import hypothesis
import pytest

hypothesis.settings.register_profile(
    "gatepost",
    deadline=None,  # two cores shared with a browser: a slow example is no finding
    suppress_health_check=[hypothesis.HealthCheck.too_slow],
    print_blob=True,
)
hypothesis.settings.load_profile("gatepost")


def pytest_collection_modifyitems(items: list[pytest.Item]) -> None:
    """What may take longest begins first: tests run two at a time, and the last one would run alone."""
    items.sort(key=_may_take, reverse=True)


def _may_take(item: pytest.Item) -> float:
    """Seconds beyond what every test may; the sort keeps the order of all others."""
    marker = item.get_closest_marker("timeout")
    return float(marker.args[0]) if marker is not None and marker.args else 0
