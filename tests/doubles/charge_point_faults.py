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
    """Offered instead of its own, for example "socpp1.6"; several are separated by commas."""
    user_name: str = ""
    """Sent with Basic authentication instead of the identity."""
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
    shaped_like_16: bool = False
    """A 2.x station writes BootNotification and StatusNotification as 1.6 does."""
    seq_no_gap: int = 0
    """Each 2.x transaction leaves out this seqNo."""
    ended_twice: bool = False
    """A 2.x transaction ends with two events, the second with the next seqNo."""
    no_evse_in_updated: bool = False
    report_without_end: bool = False
    """The last part of each report is never sent."""
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

    # its files and keys
    upload_method: Literal["PUT", "POST"] = "PUT"
    upload_appends_name: bool = False
    """Adds its own file name to every location, whether or not it is a folder."""
    uploads_fail: bool = False
    log_padding_bytes: int = 0
    install_fails: bool = False
    key_as_text: bool = False
    """AuthorizationKey is used as the text it came as, not as the bytes its hex digits stand for."""
    rsa_key: bool = False

    # its state
    finishing_sticks: bool = False
    reports_only_connector_0: bool = False
    drops_link_every_s: float = 0.0
