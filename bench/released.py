"""`edge-agent` as it is released: packages that only a developer's environment has are not there.

structlog loads `rich` and `greenlet` where it finds them: 5 MB and a tenth of a second nobody has on a box.
"""

import sys

ONLY_HERE = ("rich", "pygments", "greenlet")

for name in ONLY_HERE:
    sys.modules[name] = None  # type: ignore[assignment]

from edge_agent.cli import main  # noqa: E402 (after they are gone)

if __name__ == "__main__":
    main()
