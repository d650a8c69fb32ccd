"""What a running box does about its own memory and the time Python spends looking through it. Start at `settle`."""

import ctypes
import gc

YOUNG, MIDDLE, OLD = 20_000, 20, 50
"""Objects before the collector looks at the young ones, and how seldom at the older. Facts and messages are freed by
counting; what a collector must find is rare here."""


def settle() -> None:
    """Once everything has started: what is there stays, so it is not searched again; what is free is given back."""
    gc.collect()
    gc.freeze()
    gc.set_threshold(YOUNG, MIDDLE, OLD)
    give_back()


def give_back() -> bool:
    """Hand memory that was freed back to the system. False where the C library has no way (not glibc)."""
    trim = getattr(ctypes.CDLL(None), "malloc_trim", None)
    return trim is not None and bool(trim(0))
