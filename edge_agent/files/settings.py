"""What the configuration says of files. Start at `FilesSettings`."""

from collections.abc import Callable
from pathlib import Path

import msgspec

MIB = 1024 * 1024


class Certificate(msgspec.Struct, frozen=True):
    """PEM files of the box, for AUTH TLS."""

    chain: Path
    key: Path


class FtpSettings(msgspec.Struct, frozen=True):
    """`passive` are the ports for data, none: any. `masquerade`: the address told to stations behind a translation."""

    bind: str
    port: int
    passive: range = range(0)
    masquerade: str | None = None
    after_wrong_password_s: float = 3


class FilesSettings(msgspec.Struct, frozen=True):
    """`address`: by which stations reach the box where it cannot find out; `ftp_passive_*`: 0 for any port."""

    data_dir: Path
    upload_max_bytes: int = 50 * MIB
    total_max_bytes: int = 500 * MIB
    keep_free_bytes: int = 64 * MIB
    least_bytes_per_s: int = 1024
    window_s: float = 10
    firmware_max_bytes: int = 256 * MIB
    firmware_total_max_bytes: int = 1024 * MIB
    address: str = ""
    ftp: bool = True
    ftp_bind: str = "0.0.0.0"  # noqa: S104 -- the site's charge points are the purpose
    ftp_port: int = 2121
    ftp_passive_first: int = 0
    ftp_passive_last: int = 0
    certificate: Callable[[], Certificate | None] = lambda: None

    def ftp_settings(self) -> FtpSettings:
        passive = range(self.ftp_passive_first, self.ftp_passive_last + 1) if self.ftp_passive_first else range(0)
        return FtpSettings(self.ftp_bind, self.ftp_port, passive, self.address or None)
