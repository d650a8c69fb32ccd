"""The serial ports of this machine. Start at `serial_ports`."""

from contextlib import suppress
from pathlib import Path

PORTS = ("/dev/serial/by-id/*", "/dev/ttyUSB*", "/dev/ttyACM*", "/dev/ttyAMA*", "/dev/ttyS[0-3]")


def serial_ports() -> tuple[str, ...]:
    """Of this machine, one name for each."""
    found: dict[str, str] = {}
    for pattern in PORTS:
        folder, _, name = pattern.rpartition("/")
        for path in sorted(Path(folder).glob(name)) if Path(folder).is_dir() else ():
            with suppress(OSError):
                found.setdefault(str(path.resolve()), str(path))
    return tuple(found.values())
