"""How the OCPP server is set, and how long it waits for what. Start at `OcppSettings`."""

from dataclasses import dataclass, field

from edge_agent.charge_points.quirks import Table, built_in


@dataclass(frozen=True)
class Timings:
    """Seconds. Sources: DESIGN §7 (12), (16), (18); OCPP.md §4.2 and §8.1 R10, R14."""

    boot_gate_s: float = 10
    """We say nothing before a boot is answered or this has passed."""
    patience_s: float = 30
    """How long a person or program waits for a station's answer."""
    slot_s: float = 90
    """How long the station has before our next call goes out without its answer."""
    duplicate_probe_s: float = 5
    ping_every_s: float = 20
    handshake_s: float = 10
    guess_penalty_s: float = 1
    """Before a password is looked at, once its caller has been wrong too often."""
    close_s: float = 3
    drain_s: float = 5
    """For messages that were read before the link ended."""
    write_s: float = 60
    """A station that does not read for so long is cut off."""


@dataclass(frozen=True)
class OcppSettings:
    security: str = "pair"
    """pair, strict or open: under strict nobody waits, strangers are answered 404."""
    max_connections: int = 1024
    max_message_bytes: int = 1024 * 1024
    """A longer message is refused and the socket stays open; one four times as long closes it (1009)."""
    unaccepted_per_ip: int = 32
    """Connections of one address that no job asked for; loopback is exempt."""
    retry_interval_s: int = 20
    """When a second station of one name may boot again."""
    quirks: Table = field(default_factory=built_in)
    timings: Timings = field(default_factory=Timings)
