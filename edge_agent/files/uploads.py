"""What charge points may bring: one file for each way that was opened, under a name of ours, within quotas.

The name a station gives is never looked at. A file is written beside its place and gets it only whole and on disk; the
oldest go when room is needed, never one of a transfer that runs. No sockets: `http` and `ftp` fill the sinks, from
their own threads. Nothing is ever unpacked. Source: SECURITY §7.1 "Firmware/diagnostics". Start at `Uploads.expect`.
"""

import errno
import hashlib
import hmac
import os
import secrets
import stat
import threading
from collections.abc import Callable, Collection
from contextlib import suppress
from dataclasses import dataclass, field
from pathlib import Path
from typing import BinaryIO

import msgspec
import structlog

from edge_agent.site.ports import Stored
from sitelink.ids import TransferId
from sitelink.states import TransferMethod

log = structlog.get_logger()

MIB = 1024 * 1024
FOLDER = "uploads"
SUFFIX = ".bin"
UNFINISHED = ".part"
TOKEN_BYTES = 24
PROGRESS_EVERY_BYTES = 256 * 1024


class UploadLimits(msgspec.Struct, frozen=True):
    """Bytes of one upload, of all that is kept, what stays free on the disk; and how slow one may be.

    Every `window_s` seconds `window_s` × `least_bytes_per_s` bytes must have come.
    """

    one_bytes: int = 50 * MIB
    all_bytes: int = 500 * MIB
    keep_free_bytes: int = 64 * MIB
    least_bytes_per_s: int = 1024
    window_s: float = 10


_NUMBERS = {"taken": errno.EEXIST, "too_large": errno.EFBIG, "too_slow": errno.ETIMEDOUT, "no_room": errno.ENOSPC}


class UploadRefused(OSError):
    """problem: taken, too_large, too_slow, no_room, not_written, cut_off, over."""

    def __init__(self, problem: str) -> None:
        super().__init__(_NUMBERS.get(problem, errno.EIO), problem.replace("_", " "))
        self.problem = problem


@dataclass(frozen=True, slots=True)
class Told:
    """Who hears of uploads. Called from whatever thread the upload runs in."""

    arrived: Callable[[TransferId, int, str], None]
    failed: Callable[[TransferId, str, int], None]
    progressed: Callable[[TransferId], None]
    removed: Callable[[str], None]


@dataclass(slots=True)
class Way:
    """One upload that is expected. `token` is the capability by HTTP and the user by FTP, `password` for FTP."""

    transfer: TransferId
    file: str
    method: TransferMethod
    token: str = field(default_factory=lambda: secrets.token_urlsafe(TOKEN_BYTES))
    password: str = field(default_factory=lambda: secrets.token_urlsafe(TOKEN_BYTES))
    sink: "Sink | None" = None
    done: bool = False


class Uploads:
    """The ways that are open and the files that came. Safe to use from any thread."""

    def __init__(self, data_dir: Path, limits: UploadLimits, told: Told, monotonic: Callable[[], float]) -> None:
        self._folder = data_dir / FOLDER
        self._limits = limits
        self._told = told
        self.monotonic = monotonic
        self._lock = threading.RLock()
        self._ways: dict[TransferId, Way] = {}

    # ---- ways ----

    def expect(self, transfer: TransferId, file: str, method: TransferMethod) -> Way:
        """Open the way for one file, to be kept as `file`."""
        if Path(file).name != file or not file.endswith(SUFFIX):
            raise ValueError(f"not a name of ours: {file!r}")
        with self._lock:
            way = self._ways[transfer] = Way(transfer, file, method)
            return way

    def find(self, token: str, *methods: TransferMethod) -> Way | None:
        """By its token; every one is compared, so that the time says nothing about how near a guess was."""
        given, found = token.encode("utf-8", "surrogatepass"), None
        with self._lock:
            for way in self._ways.values():
                if hmac.compare_digest(way.token.encode(), given) and way.method in methods:
                    found = way
        return found

    def close(self, transfer: TransferId) -> None:
        """Nothing more is expected; what is under way is broken off, a file that came stays."""
        with self._lock:
            way = self._ways.pop(transfer, None)
            sink = way.sink if way is not None else None
        if sink is not None:
            sink.break_off("over")

    @property
    def transfers(self) -> list[TransferId]:
        with self._lock:
            return list(self._ways)

    @property
    def methods(self) -> set[TransferMethod]:
        """Of the ways that are open."""
        with self._lock:
            return {way.method for way in self._ways.values()}

    def so_far(self, transfer: TransferId) -> int | None:
        """Bytes of the upload that is under way."""
        with self._lock:
            way = self._ways.get(transfer)
            return way.sink.size if way is not None and way.sink is not None else None

    def open(self, way: Way) -> "Sink":
        """Begin to take the file in. Raises UploadRefused: it is here already or coming, or cannot be written."""
        with self._lock:
            if self._ways.get(way.transfer) is not way:
                raise UploadRefused("over")
            if way.done or way.sink is not None:
                raise UploadRefused("taken")
            try:
                self._folder.mkdir(mode=stat.S_IRWXU, parents=True, exist_ok=True)
                unfinished = self._folder / (way.file + UNFINISHED)
                descriptor = os.open(
                    unfinished, os.O_WRONLY | os.O_CREAT | os.O_EXCL | os.O_CLOEXEC | os.O_NOFOLLOW,
                    stat.S_IRUSR | stat.S_IWUSR,
                )  # fmt: skip
            except OSError as error:
                log.warning("upload_not_opened", problem=error.strerror)
                raise UploadRefused("not_written") from error
            way.sink = Sink(self, way, unfinished, os.fdopen(descriptor, "wb", buffering=0))
            return way.sink

    # ---- what a sink asks ----

    @property
    def limits(self) -> UploadLimits:
        return self._limits

    def make_room(self, more: int) -> bool:
        """Whether `more` bytes may be written; the oldest files go for it, never one that is still expected."""
        with self._lock:
            while not self._fits(more):
                oldest = self._oldest_that_may_go()
                if oldest is None:
                    return False
                with suppress(OSError):
                    oldest.unlink()
                log.info("upload_removed_for_room", file=oldest.name)
                self._told.removed(oldest.name)
        return True

    def finished(self, way: Way, size: int, sha256: str) -> None:
        with self._lock:
            way.done, way.sink = True, None
        log.info("upload_arrived", transfer=way.transfer, bytes=size)
        self._told.arrived(way.transfer, size, sha256)

    def failed(self, way: Way, problem: str, size: int) -> None:
        with self._lock:
            way.sink = None
        if problem != "over":
            log.warning("upload_failed", transfer=way.transfer, problem=problem, bytes=size)
            self._told.failed(way.transfer, problem, size)

    def progressed(self, way: Way) -> None:
        self._told.progressed(way.transfer)

    # ---- files ----

    def stored(self, file: str) -> Stored | None:
        """A whole file, read for its checksum. None: there is none."""
        path = self._folder / Path(file).name
        try:
            with path.open("rb") as source:
                digest = hashlib.file_digest(source, "sha256")
                return Stored(path, source.tell(), digest.hexdigest())
        except OSError:
            return None

    def is_there(self, file: str) -> Path | None:
        path = self._folder / Path(file).name
        return path if path.is_file() and not path.is_symlink() else None

    def tidy(self, known: Collection[str]) -> list[str]:
        """At start: files nobody knows go, unfinished ones too. Returns the known ones that are not there."""
        with self._lock:
            for path in self._files(unfinished=True):
                if path.name not in known:
                    with suppress(OSError):
                        path.unlink()
                    log.info("upload_of_nobody_removed", file=path.name)
            return [file for file in known if self.is_there(file) is None]

    def _files(self, *, unfinished: bool = False) -> list[Path]:
        """Oldest first."""
        try:
            found = [path for path in self._folder.iterdir() if path.is_file()]
        except OSError:
            return []
        kept = [path for path in found if unfinished or path.suffix != UNFINISHED]
        return sorted(kept, key=lambda path: path.stat().st_mtime_ns)

    def _fits(self, more: int) -> bool:
        used = sum(path.stat().st_size for path in self._files(unfinished=True))
        if used + more > self._limits.all_bytes:
            return False
        disk = os.statvfs(self._folder)
        return disk.f_bavail * disk.f_frsize >= more + self._limits.keep_free_bytes

    def _oldest_that_may_go(self) -> Path | None:
        expected = {way.file for way in self._ways.values()}
        return next((path for path in self._files() if path.name not in expected), None)


class Sink:
    """One file that is coming in; `write` raises UploadRefused and from then on takes nothing."""

    def __init__(self, uploads: Uploads, way: Way, unfinished: Path, out: BinaryIO) -> None:
        self._uploads = uploads
        self.way = way
        self.size = 0
        self.problem: str | None = None
        self._unfinished = unfinished
        self._out = out
        self._sha256 = hashlib.sha256()
        self._lock = threading.RLock()
        self._ended = False
        self._roomy = 0
        """Up to this size there is known to be room."""
        self._window = (uploads.monotonic(), 0)
        self._told_at = 0

    @property
    def ended(self) -> bool:
        return self._ended

    def write(self, chunk: bytes) -> None:
        with self._lock:
            if self._ended:
                raise UploadRefused(self.problem or "over")
            try:
                self._take(chunk)
            except UploadRefused as refusal:
                self.break_off(refusal.problem)
                raise
            except OSError as error:
                self.break_off("no_room" if error.errno in (errno.ENOSPC, errno.EDQUOT) else "not_written")
                raise UploadRefused(self.problem or "not_written") from error

    def _take(self, chunk: bytes) -> None:
        limits = self._uploads.limits
        size = self.size + len(chunk)
        if size > limits.one_bytes:
            raise UploadRefused("too_large")
        if size > self._roomy:
            ahead = min(limits.one_bytes, size + MIB)
            if not self._uploads.make_room(ahead - self.size) and not self._uploads.make_room(len(chunk)):
                raise UploadRefused("no_room")
            self._roomy = ahead
        self._refuse_crawling(size)
        view = memoryview(chunk)
        while view:
            view = view[self._out.write(view) :]
        self._sha256.update(chunk)
        self.size = size
        if size - self._told_at >= PROGRESS_EVERY_BYTES:
            self._told_at = size
            self._uploads.progressed(self.way)

    def _refuse_crawling(self, size: int) -> None:
        limits, now = self._uploads.limits, self._uploads.monotonic()
        began, before = self._window
        if now - began < limits.window_s:
            return
        if size - before < limits.least_bytes_per_s * (now - began):
            raise UploadRefused("too_slow")
        self._window = (now, size)

    def finish(self) -> None:
        """It is whole: on disk under its name when this returns. Raises UploadRefused."""
        with self._lock:
            if self._ended:
                raise UploadRefused(self.problem or "over")
            try:
                os.fsync(self._out.fileno())
                self._out.close()
                self._unfinished.rename(self._unfinished.with_suffix(""))
                _sync_folder(self._unfinished.parent)
            except OSError as error:
                self.break_off("not_written")
                raise UploadRefused("not_written") from error
            self._ended = True
        self._uploads.finished(self.way, self.size, self._sha256.hexdigest())

    def break_off(self, problem: str) -> None:
        """It will not be whole; what came of it goes. The way stays open for another try."""
        with self._lock:
            if self._ended:
                return
            self._ended, self.problem = True, problem
            with suppress(OSError):
                self._out.close()
            with suppress(OSError):
                self._unfinished.unlink()
        self._uploads.failed(self.way, problem, self.size)


def _sync_folder(folder: Path) -> None:
    descriptor = os.open(folder, os.O_RDONLY | os.O_DIRECTORY)
    try:
        os.fsync(descriptor)
    finally:
        os.close(descriptor)
