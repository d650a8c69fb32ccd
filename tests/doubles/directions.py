"""Which messages of OCPP only a station sends, and which of the others the virtual charge point has no use for.

Pure data, from the tables of messages in OCPP 1.6 §4 and §5, its security extension, and OCPP 2.0.1 and 2.1 part 2.
"""

from tests.doubles.charge_point_frames import Version

VERSIONS: tuple[Version, ...] = ("1.6", "2.0.1", "2.1")
FROM_STATION_ALONE = frozenset(
    {
        *("Authorize", "BatterySwap", "BootNotification", "ClearedChargingLimit", "ClosePeriodicEventStream"),
        *("DiagnosticsStatusNotification", "FirmwareStatusNotification", "Get15118EVCertificate"),
        *("GetCertificateChainStatus", "GetCertificateStatus", "Heartbeat", "LogStatusNotification", "MeterValues"),
        *("NotifyChargingLimit", "NotifyCustomerInformation", "NotifyDERAlarm", "NotifyDERStartStop"),
        *("NotifyDisplayMessages", "NotifyEVChargingNeeds", "NotifyEVChargingSchedule", "NotifyEvent"),
        *("NotifyMonitoringReport", "NotifyPeriodicEventStream", "NotifyPriorityCharging", "NotifyReport"),
        *("NotifySettlement", "NotifyWebPaymentStarted", "OpenPeriodicEventStream"),
        *("PublishFirmwareStatusNotification", "PullDynamicScheduleUpdate", "ReportChargingProfiles"),
        *("ReportDERControl", "ReservationStatusUpdate", "SecurityEventNotification", "SignCertificate"),
        *("SignedFirmwareStatusNotification", "StartTransaction", "StatusNotification", "StopTransaction"),
        *("TransactionEvent", "VatNumberValidation"),
    }
)
NOT_OFFERED = frozenset(
    {
        *("AFRRSignal", "ChangeTransactionTariff", "ClearDERControl", "ClearTariffs", "GetDERControl", "GetTariffs"),
        *("NotifyAllowedEnergyTransfer", "PublishFirmware", "RequestBatterySwap", "SetDERControl", "SetDefaultTariff"),
        *("UnpublishFirmware", "UpdateDynamicSchedule", "UsePriorityCharging"),
    }
)
