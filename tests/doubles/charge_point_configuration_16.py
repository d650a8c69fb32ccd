"""The configuration keys of a virtual OCPP 1.6 charge point, as GetConfiguration and ChangeConfiguration see them.

AuthorizationKey and SecurityProfile, which change how it connects, are in `charge_point_commands_16.py`.
Pure. Source: OCPP 1.6 §9 (standard keys), §5.3, §5.8; errata 3.12 (AuthorizationKey is write-only).
"""

from dataclasses import dataclass, field

from tests.doubles.charge_point_frames import Payload

READ_ONLY = {
    "GetConfigurationMaxKeys": "20",
    "SupportedFeatureProfiles": (
        "Core,FirmwareManagement,LocalAuthListManagement,Reservation,SmartCharging,RemoteTrigger"
    ),
    "ChargeProfileMaxStackLevel": "9",
    "ChargingScheduleAllowedChargingRateUnit": "Current,Power",
    "ChargingScheduleMaxPeriods": "24",
    "MaxChargingProfilesInstalled": "20",
    "LocalAuthListMaxLength": "500",
    "SendLocalListMaxLength": "100",
    "ReserveConnectorZeroSupported": "true",
    "CertificateStoreMaxLength": "20",
    "SupportedFileTransferProtocols": "HTTP,HTTPS,FTP,FTPS",
}
WRITABLE = {
    "AllowOfflineTxForUnknownId": "true",
    "AuthorizeRemoteTxRequests": "false",
    "ClockAlignedDataInterval": "0",
    "ConnectionTimeOut": "60",
    "HeartbeatInterval": "300",
    "CpoName": "Gatepost",
    "LocalAuthListEnabled": "true",
    "LocalAuthorizeOffline": "true",
    "LocalPreAuthorize": "false",
    "MeterValueSampleInterval": "10",
    "MeterValuesSampledData": "Energy.Active.Import.Register,Power.Active.Import,Current.Import,Voltage",
    "MeterValuesAlignedData": "",
    "MinimumStatusDuration": "0",
    "ResetRetries": "1",
    "StopTransactionOnEVSideDisconnect": "true",
    "StopTransactionOnInvalidId": "true",
    "StopTxnAlignedData": "",
    "StopTxnSampledData": "Energy.Active.Import.Register",
    "TransactionMessageAttempts": "3",
    "TransactionMessageRetryInterval": "10",
    "UnlockConnectorOnEVSideDisconnect": "true",
    "WebSocketPingInterval": "0",
}
_NUMBERS = frozenset(key for key, value in WRITABLE.items() if value.isdigit())
_SWITCHES = frozenset(key for key, value in WRITABLE.items() if value in {"true", "false"})


@dataclass(slots=True)
class Configuration:
    """Survives reboots and power cuts."""

    connectors: int
    values: dict[str, str] = field(default_factory=lambda: dict(WRITABLE))

    # what the station itself reads

    @property
    def heartbeat_interval_s(self) -> float:
        return self.number("HeartbeatInterval")

    @heartbeat_interval_s.setter
    def heartbeat_interval_s(self, seconds: float) -> None:
        self.values["HeartbeatInterval"] = f"{seconds:g}"

    @property
    def sample_interval_s(self) -> float:
        return self.number("MeterValueSampleInterval")

    @property
    def aligned_interval_s(self) -> float:
        return self.number("ClockAlignedDataInterval")

    @property
    def connection_timeout_s(self) -> float:
        return self.number("ConnectionTimeOut")

    @property
    def attempts(self) -> int:
        return int(self.number("TransactionMessageAttempts"))

    @property
    def retry_interval_s(self) -> float:
        return self.number("TransactionMessageRetryInterval")

    @property
    def dial_attempts(self) -> int:
        """Before an address that does not work is left for the one of before."""
        return 2

    @property
    def start_points(self) -> frozenset[str]:
        return frozenset({"PowerPathClosed"})

    @property
    def stops_on_disconnect(self) -> bool:
        return self.switch("StopTransactionOnEVSideDisconnect")

    @property
    def stops_on_invalid_token(self) -> bool:
        return self.switch("StopTransactionOnInvalidId")

    @property
    def offline_unknown_allowed(self) -> bool:
        return self.switch("AllowOfflineTxForUnknownId")

    @property
    def offline_list_allowed(self) -> bool:
        return self.switch("LocalAuthorizeOffline")

    @property
    def list_asked_first(self) -> bool:
        return self.switch("LocalPreAuthorize")

    @property
    def authorises_remote_starts(self) -> bool:
        return self.switch("AuthorizeRemoteTxRequests")

    # what the central system reads and writes

    def number(self, key: str) -> float:
        return float(self.values[key])

    def switch(self, key: str) -> bool:
        return self.values[key].lower() == "true"

    def read(self, keys: list[str], *, profile: int = 0) -> Payload:
        """A GetConfiguration.conf; all keys when none is named."""
        fixed = {**READ_ONLY, "NumberOfConnectors": str(self.connectors)}
        readable = {**fixed, **self.values, "SecurityProfile": str(profile)}
        wanted = keys or sorted(readable)
        found = [{"key": key, "readonly": key in fixed, "value": readable[key]} for key in wanted if key in readable]
        unknown = [key for key in wanted if key not in readable]
        return {"configurationKey": found, "unknownKey": unknown}

    def change(self, key: str, value: str) -> str:
        """A ConfigurationStatus."""
        if key in READ_ONLY or key == "NumberOfConnectors":
            return "Rejected"
        if key not in self.values:
            return "NotSupported"
        if key in _NUMBERS and not value.isdigit():
            return "Rejected"
        if key in _SWITCHES and value.lower() not in {"true", "false"}:
            return "Rejected"
        self.values[key] = value
        return "Accepted"
