"""What a running box does about its own memory and the time Python spends looking through it.

Start at `settle`; `load_sparingly` is for aiohttp, which reads what a box needs none of when it is loaded.
"""

import ctypes
import gc
import importlib
import mimetypes
import os
import ssl

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


def load_sparingly(module: str) -> None:
    """Load a module while the system seems to have no certificate authorities and no table of file types.

    aiohttp makes a TLS client when it is loaded, which reads and keeps all 140 authorities: 2 MB, and a fifth of the
    time its loading takes, for a box that is never such a client. A context that is made later has them. The table of
    file types is half a MB and another on every machine; what ours are called Python's own table knows.
    """
    mimetypes.knownfiles.clear()
    where = ssl.get_default_verify_paths()
    before = {name: os.environ.get(name) for name in (where.openssl_cafile_env, where.openssl_capath_env)}
    os.environ.update(dict.fromkeys(before, os.devnull))
    try:
        importlib.import_module(module)
    finally:
        for name, value in before.items():
            if value is None:
                del os.environ[name]
            else:
                os.environ[name] = value
