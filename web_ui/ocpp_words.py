"""The words of OCPP as a person on site reads them: states, reasons, security profiles. Pure.

An unknown word is shown as it came. Sources: OCPP 1.6 §7.7, §7.36; OCPP 2.0.1 part 2, §3.17, §3.31 and §3.73, with
2.1's additions; the security whitepaper, §2. Start at `word`.
"""

from collections.abc import Mapping

CONNECTIONS: Mapping[str, str] = {
    "connected": "Connected to the box, and sending.",
    "disconnected": "It was connected to the box and is not any more.",
    "pending": "It has not been taken in by the box yet.",
    "error": "It tries to connect and something is in the way.",
    "no_integration": "This box cannot serve this type of connection.",
    "none": "The operator has not set up a connection for it.",
}
"""Integration states."""

OPERATIONS: Mapping[str, str] = {
    "available": "Free, and ready to charge.",
    "busy": "In use.",
    "busy-blocked": "Switched off at the charge point, or by a command.",
    "busy-charging": "A car is charging.",
    "busy-non-charging": "A car is plugged in and takes no power.",
    "busy-non-released": "The charge has ended, the cable is still plugged in.",
    "busy-reserved": "Kept free for somebody.",
    "busy-scheduled": "It waits for its schedule.",
    "error": "It reports a fault.",
    "disconnected": "What it does is not known while it is not connected.",
    "passive": "Not in use yet: it goes live when it is activated.",
    "maintenance": "The operator has set maintenance.",
    "other": "It has not said what it is doing.",
}
"""Charge point states."""

CONNECTORS: Mapping[str, str] = {
    "Available": "Free.",
    "Preparing": "A cable is in or a card was shown; the charge has not begun.",
    "Charging": "Charging.",
    "SuspendedEV": "The car takes no power at present.",
    "SuspendedEVSE": "The charge point gives no power at present.",
    "Finishing": "The charge has ended, the cable is still in.",
    "Reserved": "Kept free for somebody.",
    "Unavailable": "Switched off.",
    "Faulted": "It reports a fault.",
    "Occupied": "A cable is in.",
    "Unknown": "It says a word this box does not know.",
}

CHARGING: Mapping[str, str] = {
    "Preparing": "Car plugged in; charging has not begun.",
    "Charging": "Charging.",
    "SuspendedEV": "The car takes no power at present.",
    "SuspendedEVSE": "The charge point gives no power at present.",
    "Finishing": "Idle: the charge is over or the car is gone.",
}
"""What a station says within a transaction (OCPP 2.x chargingState), by the word this box keeps for it."""

STOP_REASONS: Mapping[str, str] = {
    "CostLimitReached": "the cost limit was reached",
    "DeAuthorized": "the card is not allowed to charge",
    "EVDisconnected": "the car was unplugged",
    "EmergencyStop": "the emergency stop was pressed",
    "EnergyLimitReached": "the energy limit was reached",
    "GroundFault": "an earth fault",
    "HardReset": "the charge point was restarted hard",
    "ImmediateReset": "the charge point was restarted",
    "LimitSet": "a limit was set",
    "Local": "stopped at the charge point",
    "LocalOutOfCredit": "the credit was used up",
    "MasterPass": "a master card was shown",
    "Other": "the charge point gives no reason",
    "OvercurrentFault": "too much current",
    "PowerLoss": "the power failed",
    "PowerQuality": "the supply was not good enough",
    "Reboot": "the charge point restarted",
    "Remote": "stopped remotely",
    "ReqEnergyTransferRejected": "the car's wish for energy was refused",
    "SOCLimitReached": "the car's battery reached its limit",
    "SoftReset": "the charge point was restarted",
    "StoppedByEV": "the car ended it",
    "TimeLimitReached": "the time limit was reached",
    "Timeout": "the car was not plugged in in time",
    "UnlockCommand": "the connector was unlocked",
    "Superseded": "another charge began before its end was told",
}

PROFILES: Mapping[int, str] = {
    0: "No password, not encrypted. Anybody on this network could pass for it, and read what it sends.",
    1: "With a password, not encrypted. Who listens on this network can read what it sends, its password too.",
    2: "With a password, encrypted.",
    3: "With a certificate of its own, encrypted.",
}
"""OCPP security profiles."""

SECURITY_LOG: Mapping[str, str] = {
    "profile.settled": "The security profile it is held to was settled.",
    "profile.pairing": "It was allowed to pair anew.",
    "credentials.set": "A password was set for it.",
    "credentials.removed": "Its password was taken away.",
    "credentials.user": "Whether its user name may differ from its identity was changed.",
    "key.offered": "A new password was sent to it.",
    "key.answered": "It answered to a new password.",
    "key.proven": "It connected with its new password.",
    "key.certificate_requested": "It asked for a certificate.",
    "key.certificate_answered": "Its request for a certificate was answered, or its answer to one came.",
    "certificate.issued": "A certificate was issued to it.",
    "certificate.revoked": "A certificate was withdrawn.",
    "address_changed": "It connected from another address, and showed nothing else by which to know it.",
    "certificate_issued": "The box made a certificate for itself.",
    "pairing.open": "New charge points of the job were let in for a while.",
    "link.create": "A link or token was made.",
    "link.revoke": "A link or token ended.",
    "knock": "It called and was not let in.",
    "station_event": "It reports a security event.",
    "security.event": "Something about its security was noted.",
}
"""Kinds of op in the security log (`edge_agent.site.security_log`); other entries are codes of `web_ui.wording`."""

SECURITY_EVENTS: Mapping[str, str] = {
    "AttemptedReplayAttacks": "Somebody sent it an old message again.",
    "CSMSFailedToAuthenticate": "It could not make sure that this box is the right one.",
    "CentralSystemFailedToAuthenticate": "It could not make sure that this box is the right one.",
    "FailedToAuthenticateAtCentralSystem": "It was not let in by its central system.",
    "FailedToAuthenticateAtCsms": "It was not let in by its central system.",
    "FirmwareUpdated": "Its firmware was updated.",
    "InvalidCentralSystemCertificate": "It did not trust the certificate of this box.",
    "InvalidChargePointCertificate": "It was given a certificate it cannot use.",
    "InvalidChargingStationCertificate": "It was given a certificate it cannot use.",
    "InvalidCsmsCertificate": "It did not trust the certificate of this box.",
    "InvalidFirmwareSignature": "It was given firmware with a wrong signature.",
    "InvalidFirmwareSigningCertificate": "It was given firmware signed with a certificate it does not trust.",
    "InvalidMessages": "It got messages that do not fit.",
    "InvalidTLSCipherSuite": "It was offered an encryption that is too weak.",
    "InvalidTLSVersion": "It was offered an encryption that is too old.",
    "MaintenanceLoginAccepted": "Somebody signed in at it for maintenance.",
    "MaintenanceLoginFailed": "Somebody tried to sign in at it and could not.",
    "MemoryExhaustion": "Its memory is full.",
    "ReconfigurationOfSecurityParameters": "Its security settings were changed.",
    "ResetOrReboot": "It was restarted.",
    "SecurityLogWasCleared": "Its security log was emptied.",
    "SettingSystemTime": "Its clock was set.",
    "StartupOfTheDevice": "It started up.",
    "TamperDetectionActivated": "It was opened or tampered with.",
}
"""What a station reports of itself (the security whitepaper and OCPP 2.x, list of security events)."""

FLAGS: Mapping[str, str] = {
    "energy_went_back": "its meter went backwards",
    "energy_negative": "its meter told less than nothing",
    "energy_jumped": "its meter told more than can have been charged",
}
"""Codes of what is not plausible about a charge (`edge_agent.site.plausibility`)."""


def word(words: Mapping[str, str], value: str | None) -> str:
    """What a word means; "" where it says all itself, or nothing is known."""
    return words.get(value or "", "")


def reason(value: str | None) -> str:
    """Why a charge ended; an unknown word as it came, which is untrusted."""
    return STOP_REASONS.get(value or "", value or "")


def security_event(kind: str) -> str:
    """What a station reports in a SecurityEventNotification; its own word where it is none of OCPP's."""
    return SECURITY_EVENTS.get(kind) or f"It reports a security event: {kind}."


SEVERITIES = {
    0: "danger", 1: "hardware failure", 2: "system failure", 3: "critical", 4: "error", 5: "alert", 6: "warning",
    7: "notice", 8: "information", 9: "debug",
}  # fmt: skip
"""Of monitors and their events (OCPP 2.0.1 part 2, N02)."""
