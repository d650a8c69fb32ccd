"""What all tests share: how Hypothesis works here, and what a missing tool means.

Everything else a test needs comes from `tests/doubles/`.
"""

import hypothesis

hypothesis.settings.register_profile(
    "gatepost",
    deadline=None,  # two cores shared with a browser: a slow example is no finding
    suppress_health_check=[hypothesis.HealthCheck.too_slow],
    print_blob=True,
)
hypothesis.settings.load_profile("gatepost")
