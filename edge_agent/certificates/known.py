"""What the box knows of its own certificates without reading them: kept beside them, true of these very files only.

To read a certificate takes a library of 9 MB that is slow to load, and a box that starts needs no more than a number,
two dates and some names. They stand here with a digest of what they were found in: with any other root, certificate or
key nothing is known, and the files are read. Start at `Memo`.
"""

import hashlib
from datetime import datetime
from pathlib import Path

import msgspec
import structlog

from edge_agent.certificates import files
from edge_agent.certificates.names import Names

log = structlog.get_logger()


class Known(msgspec.Struct, frozen=True):
    """Of one certificate. `serial` as it is shown; `digest` of the files this was found in."""

    digest: str
    serial: str
    begins: datetime
    ends: datetime
    hosts: tuple[str, ...] = ()
    addresses: tuple[str, ...] = ()

    @property
    def names(self) -> Names:
        return Names(self.hosts, self.addresses)

    def is_due(self, now: datetime) -> bool:
        """Two thirds of its time are over, or the clock stands outside it altogether (it was set meanwhile)."""
        return now < self.begins or now >= self.begins + (self.ends - self.begins) * 2 / 3


def digest_of(*contents: bytes) -> str:
    """One digest of several files; where one ends and the next begins counts."""
    found = hashlib.sha256()
    for content in contents:
        found.update(len(content).to_bytes(8))
        found.update(content)
    return found.hexdigest()


class Memo:
    """One small file. One that is missing, damaged or cannot be written costs time and nothing else."""

    def __init__(self, file: Path) -> None:
        self._file = file
        self._known: dict[str, Known] = {}

    def read(self) -> None:
        try:
            self._known = msgspec.json.decode(files.read(self._file) or b"{}", type=dict[str, Known])
        except (OSError, msgspec.DecodeError, UnicodeDecodeError) as error:
            log.warning("known_certificates_unreadable", reason=str(error)[:200])
            self._known = {}

    def of(self, name: str, digest: str) -> Known | None:
        """None where nothing is known of just these files."""
        known = self._known.get(name)
        return known if known is not None and known.digest == digest else None

    def put(self, name: str, known: Known) -> Known:
        self._known[name] = known
        try:
            files.write(self._file, msgspec.json.encode(self._known))
        except OSError as error:
            log.warning("known_certificates_not_written", reason=str(error))
        return known
