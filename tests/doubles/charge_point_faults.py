"""The switches that make a virtual charge point misbehave, one for each oddity real stations show.

Pure data: every default is good behaviour. What each switch does on the wire is in the module that reads it.
Source: the oddities of OCPP 1.6 stations that users of other central systems reported.
"""

from dataclasses import dataclass
from typing import Literal


@dataclass(slots=True)
class Faults:
    """May be changed while the station runs; a switch takes effect with the next message it touches."""

    # handshake and boot
    no_subprotocol: bool = False
    wrong_subprotocol: str = ""
    """Offered instead of "ocpp1.6", for example "socpp1.6"; several are separated by commas."""
    never_boot: bool = False
    """Not by itself; it obeys a TriggerMessage."""
    no_boot_after_reconnect: bool = False
    """After the first accepted boot never again one, not even after a reset or a power cut."""
    boot_after_every_reconnect: bool = False
    status_before_boot: bool = False
    changed_serial: str = ""
    """Reported in BootNotification in place of the station's own serial."""

    # its messages
    missing_zone: bool = False
    time_1970: bool = False
    strings_for_numbers: bool = False
    energy_in_kwh: bool = False
    kwh_labelled_wh: bool = False
    duplicate_messages: Literal["", "same_id", "new_id"] = ""
    malformed_json_every_n: int = 0
    huge_frame_bytes: int = 0
    """Sends one DataTransfer of this size after each acceptance."""

    # its answers
    ignores_calls: bool = False
    answers_late_s: float = 0.0
    """Real seconds, not shortened by the station's speed."""
    answers_twice: bool = False
    answers_unknown_id: bool = False
    """Sends a result nobody asked for before each right one."""
    callerror_everything: bool = False
    rejects_remote_start: bool = False
    accepts_but_does_nothing: bool = False
    unlock_fails: bool = False
    unlock_not_supported: bool = False
    reset_unanswered: bool = False
    """A reset is obeyed, not answered: the link just drops."""

    # its state
    finishing_sticks: bool = False
    reports_only_connector_0: bool = False
    drops_link_every_s: float = 0.0
