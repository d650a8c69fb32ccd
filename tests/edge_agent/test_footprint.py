"""A box that has started does not search what stays, and gives back what it needed only to start."""

import gc
import subprocess
import sys
from pathlib import Path

ROOT = Path(__file__).parents[2]
PROGRAM = """
import gc
from edge_agent import footprint

def resident():
    return int(open("/proc/self/status").read().split("VmRSS:")[1].split()[0])

kept = [[[]] for number in range(10_000)]
freed = ["x" * (600 + number % 50) for number in range(20_000)]
last = "x" * 1000
del freed
before = resident()
footprint.settle()
print(gc.get_freeze_count() > 10_000, gc.get_threshold()[0] == footprint.YOUNG, before - resident() > 8_000)
"""


def test_what_is_there_is_never_searched_again_and_what_is_free_is_given_back() -> None:
    said = subprocess.run([sys.executable, "-c", PROGRAM], cwd=ROOT, capture_output=True, text=True, check=True)
    assert said.stdout.split() == ["True", "True", "True"], said


def test_importing_it_changes_nothing() -> None:
    assert gc.get_threshold()[0] == 700
