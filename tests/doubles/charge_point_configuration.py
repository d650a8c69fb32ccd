"""The configuration keys of a virtual OCPP 1.6 charge point, as GetConfiguration and ChangeConfiguration see them.

Pure. Source: OCPP 1.6 §9 (standard keys), §5.3, §5.8; AuthorizationKey from the security extension is write-only.
"""

from dataclasses import dataclass, field

from tests.doubles.charge_point_frames import Payload

READ_ONLY = {
    "GetConfigurationMaxKeys": "20",
    "SupportedFeatureProfiles": "Core,RemoteTrigger",
    "ChargeProfileMaxStackLevel": "0",
}
WRITABLE = {
    "AllowOfflineTxForUnknownId": "true",
    "AuthorizeRemoteTxRequests": "false",
    "ClockAlignedDataInterval": "0",
    "ConnectionTimeOut": "60",
    "HeartbeatInterval": "300",
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
WRITE_ONLY = "AuthorizationKey"
_NUMBERS = frozenset(key for key, value in WRITABLE.items() if value.isdigit())
_SWITCHES = frozenset(key for key, value in WRITABLE.items() if value in {"true", "false"})


@dataclass(slots=True)
class Configuration:
    """Survives reboots and power cuts."""

    connectors: int
    values: dict[str, str] = field(default_factory=lambda: dict(WRITABLE))
    authorization_key: str | None = None

    def number(self, key: str) -> float:
        return float(self.values[key])

    def switch(self, key: str) -> bool:
        return self.values[key].lower() == "true"

    def read(self, keys: list[str]) -> Payload:
        """A GetConfiguration.conf; all keys when none is named."""
        fixed = {**READ_ONLY, "NumberOfConnectors": str(self.connectors)}
        readable = {**fixed, **self.values}
        wanted = keys or sorted(readable)
        found = [{"key": key, "readonly": key in fixed, "value": readable[key]} for key in wanted if key in readable]
        unknown = [key for key in wanted if key not in readable]
        return {"configurationKey": found, "unknownKey": unknown}

    def change(self, key: str, value: str) -> str:
        """A ConfigurationStatus."""
        if key == WRITE_ONLY:
            self.authorization_key = value
            return "Accepted"
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
