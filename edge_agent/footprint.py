"""What a running box does about its own memory and the time Python spends looking through it.

Start at `settle`; `load_sparingly` is for aiohttp, which reads what a box needs none of when it is loaded.
"""

import ctypes
import gc
import importlib
import mimetypes
import os
import ssl
import sys
from collections.abc import Callable, Iterable
from types import ModuleType
from typing import Any

YOUNG, MIDDLE, OLD = 20_000, 4, 250
"""Objects before the collector looks at the young ones, and how seldom at the older. Facts and messages are freed by
counting; what a collector must find is rare here, but for connections that ended: each leaves some 55 objects, and the
longer they gather, the longer everybody waits while they are taken away."""


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


FOR_LATER = {
    "argparse": ("ArgumentParser",), "idna": ("decode", "encode"), "urllib.request": ("getproxies", "proxy_bypass")
}  # fmt: skip
"""What aiohttp names when it is loaded and calls only as a program of its own, for a host whose name is not ASCII, or
as a client behind a proxy."""
TABLES_FOR_LATER = {"html.entities": ("html5",)}
"""Tables that are looked into seldom: 2,231 names of characters, for who reads HTML. We only write it."""


def load_sparingly(module: str) -> None:
    """Load a module while the system seems to have no certificate authorities, no table of file types and no C++.

    aiohttp makes a TLS client when it is loaded, which reads and keeps all 140 authorities: 2 MB, and a fifth of the
    time its loading takes, for a box that is never such a client. A context that is made later has them. The table of
    file types is half a MB and another on every machine; what ours are called Python's own table knows. Its lists that
    can be frozen are the only C++ there is: 1 MB of library for a dozen lists, which Python's own do as well. And what
    it takes from `FOR_LATER` and `TABLES_FOR_LATER` is loaded when it is first called, or looked into: 1 MB.
    """
    mimetypes.knownfiles.clear()
    where = ssl.get_default_verify_paths()
    meanwhile = {
        where.openssl_cafile_env: os.devnull, where.openssl_capath_env: os.devnull, "FROZENLIST_NO_EXTENSIONS": "1",
    }  # fmt: skip
    before = {name: os.environ.get(name) for name in meanwhile}
    os.environ.update(meanwhile)
    later = {name: _later(name, names) for name, names in FOR_LATER.items() if name not in sys.modules}
    later |= {name: _with_tables(name, names) for name, names in TABLES_FOR_LATER.items() if name not in sys.modules}
    sys.modules.update(later)
    try:
        importlib.import_module(module)
    finally:
        for name, stand_in in later.items():
            if sys.modules.get(name) is stand_in:
                del sys.modules[name]
        for name, value in before.items():
            if value is None:
                del os.environ[name]
            else:
                os.environ[name] = value


def _later(module: str, names: Iterable[str]) -> ModuleType:
    """A module whose functions load the true one when they are called."""

    def calls(name: str) -> Callable[..., Any]:
        return lambda *args, **kwargs: getattr(importlib.import_module(module), name)(*args, **kwargs)

    stand_in = ModuleType(module)
    for name in names:
        setattr(stand_in, name, calls(name))
    return stand_in


class _Table(dict[str, Any]):
    """A module's table that is loaded by the first who looks into it."""

    def __init__(self, module: str, name: str) -> None:
        super().__init__()
        self._where = module, name

    def _loaded(self) -> dict[str, Any]:
        module, name = self._where
        found: dict[str, Any] = getattr(importlib.import_module(module), name)
        return found

    def __contains__(self, key: object) -> bool:
        return key in self._loaded()

    def __getitem__(self, key: str) -> Any:
        return self._loaded()[key]


def _with_tables(module: str, names: Iterable[str]) -> ModuleType:
    stand_in = ModuleType(module)
    for name in names:
        setattr(stand_in, name, _Table(module, name))
    return stand_in
