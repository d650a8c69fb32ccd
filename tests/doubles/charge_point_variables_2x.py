"""The variables of a virtual OCPP 2.x charge point: the controllers every station has, and those of EVSE and connector.

Pure data; `charge_point_model_2x.py` makes a device model of it. Source: OCPP 2.0.1 part 2, appendix 3.
"""

from typing import Any

Row = dict[str, Any]

_MEASURANDS = (
    "Energy.Active.Import.Register,Power.Active.Import,Current.Import,Voltage,SoC,Energy.Active.Import.Interval,"
    "Frequency,Power.Offered,Current.Offered"
)
_SAMPLED = "Energy.Active.Import.Register,Power.Active.Import,Current.Import,Voltage"
_TX_POINTS = "EVConnected,Authorized,PowerPathClosed,ParkingBayOccupancy,DataSigned,EnergyTransfer"


def _fixed(name: str, value: str, data_type: str = "string", **more: Any) -> Row:
    return {"name": name, "value": value, "mutability": "ReadOnly", "data_type": data_type, **more}


def _number(name: str, value: str, unit: str = "", low: float | None = 0, **more: Any) -> Row:
    return {"name": name, "value": value, "data_type": "integer", "unit": unit, "low": low, **more}


def _switch(name: str, value: str, **more: Any) -> Row:
    return {"name": name, "value": value, "data_type": "boolean", **more}


def _members(name: str, value: str, choices: str, **more: Any) -> Row:
    return {"name": name, "value": value, "data_type": "MemberList", "choices": choices, **more}


CONTROLLERS: dict[str, list[Row]] = {
    "ChargingStation": [
        _fixed("AvailabilityState", "Available", "OptionList", choices="Available,Occupied,Unavailable,Faulted"),
        _fixed("Available", "true", "boolean"),
        _fixed("Problem", "false", "boolean"),
        _fixed("Model", ""),
        _fixed("VendorName", ""),
        _fixed("SerialNumber", ""),
        _fixed("SupplyPhases", "3", "integer"),
    ],
    "Controller": [_fixed("FirmwareVersion", "")],
    "OCPPCommCtrlr": [
        _number("HeartbeatInterval", "300", "s"),
        _fixed("MessageTimeout", "30", "integer", instance="Default", unit="s"),
        _number("MessageAttempts", "3", instance="TransactionEvent", low=1),
        _number("MessageAttemptInterval", "10", "s", instance="TransactionEvent"),
        _fixed("ActiveNetworkProfile", "1", "integer"),
        {"name": "NetworkConfigurationPriority", "value": "1", "data_type": "SequenceList", "reboots": True},
        _number("NetworkProfileConnectionAttempts", "2", low=1),
        _number("OfflineThreshold", "60", "s"),
        _fixed("FileTransferProtocols", "HTTP,HTTPS,FTP,FTPS", "MemberList"),
        _number("WebSocketPingInterval", "0", "s"),
        _number("ResetRetries", "1"),
        _number("RetryBackOffWaitMinimum", "1", "s"),
        _number("RetryBackOffRepeatTimes", "5"),
        _number("RetryBackOffRandomRange", "1", "s"),
        _switch("UnlockOnEVSideDisconnect", "true"),
        _switch("QueueAllMessages", "false"),
    ],
    "AuthCtrlr": [
        _switch("Enabled", "true"),
        _switch("AuthorizeRemoteStart", "false"),
        _switch("LocalAuthorizeOffline", "true"),
        _switch("LocalPreAuthorize", "false"),
        _switch("OfflineTxForUnknownIdEnabled", "true"),
        _fixed("AdditionalInfoItemsPerMessage", "4", "integer"),
        {"name": "MasterPassGroupId", "value": "", "high": 36},
    ],
    "AuthCacheCtrlr": [
        _switch("Enabled", "true"),
        _fixed("Available", "true", "boolean"),
        _number("LifeTime", "86400", "s"),
    ],
    "SecurityCtrlr": [
        {"name": "BasicAuthPassword", "value": "", "mutability": "WriteOnly", "low": 16, "high": 40},
        {"name": "Identity", "value": "", "mutability": "ReadOnly"},
        {"name": "OrganizationName", "value": "Gatepost"},
        _fixed("CertificateEntries", "0", "integer", high=20),
        _fixed("SecurityProfile", "0", "integer"),
        _number("CertSigningWaitMinimum", "30", "s"),
        _number("CertSigningRepeatTimes", "2"),
        _fixed("MaxCertificateChainSize", "10000", "integer"),
        _fixed("AdditionalRootCertificateCheck", "false", "boolean"),
    ],
    "TxCtrlr": [
        _number("EVConnectionTimeOut", "60", "s"),
        _switch("StopTxOnEVSideDisconnect", "true"),
        _switch("StopTxOnInvalidId", "true"),
        _members("TxStartPoint", "PowerPathClosed", _TX_POINTS),
        _members("TxStopPoint", "EVConnected,Authorized", _TX_POINTS),
        _number("MaxEnergyOnInvalidId", "0", "Wh"),
        _switch("TxBeforeAcceptedEnabled", "false"),
    ],
    "SampledDataCtrlr": [
        _switch("Enabled", "true"),
        _fixed("Available", "true", "boolean"),
        _members("TxStartedMeasurands", "Energy.Active.Import.Register", _MEASURANDS),
        _members("TxUpdatedMeasurands", _SAMPLED, _MEASURANDS),
        _number("TxUpdatedInterval", "10", "s"),
        _members("TxEndedMeasurands", "Energy.Active.Import.Register", _MEASURANDS),
        _number("TxEndedInterval", "0", "s"),
    ],
    "AlignedDataCtrlr": [
        _switch("Enabled", "true"),
        _fixed("Available", "true", "boolean"),
        _members("Measurands", "Energy.Active.Import.Register", _MEASURANDS),
        _number("Interval", "0", "s"),
        _members("TxEndedMeasurands", "", _MEASURANDS),
        _number("TxEndedInterval", "0", "s"),
        _switch("SendDuringIdle", "false"),
    ],
    "LocalAuthListCtrlr": [
        _switch("Enabled", "true"),
        _fixed("Available", "true", "boolean"),
        _fixed("Entries", "0", "integer", high=500),
        _fixed("ItemsPerMessage", "100", "integer"),
        _fixed("BytesPerMessage", "65000", "integer"),
        _fixed("Storage", "0", "integer", unit="B", high=262_144),
    ],
    "MonitoringCtrlr": [
        _switch("Enabled", "true"),
        _fixed("Available", "true", "boolean"),
        _fixed("ItemsPerMessage", "20", "integer", instance="SetVariableMonitoring"),
        _fixed("BytesPerMessage", "32000", "integer", instance="SetVariableMonitoring"),
        _fixed("ItemsPerMessage", "20", "integer", instance="ClearVariableMonitoring"),
        _number("OfflineQueuingSeverity", "4", high=9),
        _fixed("ActiveMonitoringBase", "FactoryDefault", "OptionList", choices="All,FactoryDefault,HardWiredOnly"),
        _fixed("ActiveMonitoringLevel", "9", "integer"),
    ],
    "DeviceDataCtrlr": [
        *(
            _fixed("ItemsPerMessage", "20", "integer", instance=each)
            for each in ("GetReport", "GetVariables", "SetVariables")
        ),
        *(
            _fixed("BytesPerMessage", "32000", "integer", instance=each)
            for each in ("GetReport", "GetVariables", "SetVariables")
        ),
        _fixed("ConfigurationValueSize", "1000", "integer"),
        _fixed("ReportingValueSize", "2500", "integer"),
        _fixed("ValueSize", "1000", "integer"),
    ],
    "ClockCtrlr": [
        _fixed("DateTime", "", "dateTime"),
        _members("TimeSource", "Heartbeat,NTP", "Heartbeat,NTP,RealTimeClock,MobileNetwork"),
        {"name": "NtpServerUri", "value": ""},
        {"name": "TimeZone", "value": "Etc/UTC"},
    ],
    "SmartChargingCtrlr": [
        _switch("Enabled", "true"),
        _fixed("Available", "true", "boolean"),
        _fixed("Entries", "0", "integer", instance="ChargingProfiles", high=20),
        _fixed("PeriodsPerSchedule", "24", "integer"),
        _fixed("ProfileStackLevel", "9", "integer"),
        _fixed("RateUnit", "A,W", "MemberList"),
        _fixed("LimitChangeSignificance", "1", "decimal"),
    ],
    "ReservationCtrlr": [
        _switch("Enabled", "true"),
        _fixed("Available", "true", "boolean"),
        _fixed("NonEvseSpecific", "true", "boolean"),
    ],
    "DisplayMessageCtrlr": [
        _switch("Enabled", "true"),
        _fixed("Available", "true", "boolean"),
        _fixed("DisplayMessages", "0", "integer", high=10),
        _fixed("SupportedFormats", "ASCII,UTF8", "MemberList"),
        _fixed("SupportedPriorities", "AlwaysFront,InFront,NormalCycle", "MemberList"),
    ],
}

PLACE_VARIABLES: dict[str, list[Row]] = {
    "EVSE": [
        _fixed("AvailabilityState", "Available", "OptionList", choices="Available,Occupied,Unavailable,Faulted"),
        _fixed("Available", "true", "boolean"),
        _fixed("Problem", "false", "boolean"),
        _fixed("SupplyPhases", "3", "integer"),
        _fixed("Power", "0", "decimal", unit="W", high=11_040),
    ],
    "Connector": [
        _fixed("AvailabilityState", "Available", "OptionList", choices="Available,Occupied,Unavailable,Faulted"),
        _fixed("Available", "true", "boolean"),
        _fixed("Problem", "false", "boolean"),
        _fixed("ConnectorType", "sType2"),
        _fixed("SupplyPhases", "3", "integer"),
    ],
}
