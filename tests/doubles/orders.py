"""One or more examples of every order the box may give, for proofs that go through all of them. Start at `ORDERS`."""

from datetime import UTC, datetime

from sitelink import commands as c
from sitelink.events import ListEntry
from sitelink.ids import TransactionId
from sitelink.states import AuthorizationStatus, IdTokenType, TransferKind

_ENTRY = ListEntry("04A2B3C4D5E6F7")
_TYPED = ListEntry(
    "FLEET-7", AuthorizationStatus.BLOCKED, IdTokenType.CENTRAL, "FLEET", datetime(2027, 3, 29, 1, 30, tzinfo=UTC)
)
_WHEN = datetime(2027, 3, 29, 1, 30, tzinfo=UTC)
_TRIGGERS = ("BootNotification", "StatusNotification", "MeterValues", "Heartbeat")

ORDERS: dict[type[c.Order], tuple[c.Order, ...]] = {
    c.RemoteStart: (c.RemoteStart(1, "TEST0123456789AB", 7),),
    c.RemoteStop: (c.RemoteStop(TransactionId(5)), c.RemoteStop(TransactionId(5), "T-5")),
    c.UnlockConnector: (c.UnlockConnector(1), c.UnlockConnector(2, 2)),
    c.Reset: (c.Reset(), c.Reset(hard=True), c.Reset(connector=2)),
    c.SetAvailability: (
        c.SetAvailability(operative=False), c.SetAvailability(operative=True, connector=2),
        c.SetAvailability(operative=True, connector=2, plug=2),
    ),
    c.Trigger: tuple(c.Trigger(word, place) for word in _TRIGGERS for place in (None, 1)),
    c.ReadConfiguration: (c.ReadConfiguration(("NumberOfConnectors", "HeartbeatInterval")),),
    c.ReadListLimits: (c.ReadListLimits(),),
    c.SendLocalList: (
        c.SendLocalList(3, full=True, entries=(_ENTRY, _TYPED)),
        c.SendLocalList(4, full=False, entries=(_ENTRY,), removed=(_TYPED,)),
        c.SendLocalList(5, full=False, removed=(_ENTRY,)),
    ),
    c.GetLocalListVersion: (c.GetLocalListVersion(),),
    c.ClearCache: (c.ClearCache(),),
    c.FetchLog: tuple(
        c.FetchLog(kind, 7, "ftp://user:word@192.0.2.1:2121/", oldest=oldest, latest=_WHEN)
        for kind in (TransferKind.DIAGNOSTICS, TransferKind.SECURITY_LOG) for oldest in (None, _WHEN)
    ),
    c.ReadTransferMethods: (c.ReadTransferMethods(),),
    c.UpdateFirmware: (
        c.UpdateFirmware(7, "http://192.0.2.1:8080/files/fw/name/fw.bin", _WHEN),
        c.UpdateFirmware(8, "https://192.0.2.1:8443/files/fw/name/fw.bin", _WHEN, install_at=_WHEN, signature="c2ln",
                         certificate="-----BEGIN CERTIFICATE-----"),
    ),
    c.RequestCertificate: (c.RequestCertificate(),),
    c.HandOverCertificate: (c.HandOverCertificate("-----BEGIN"), c.HandOverCertificate("-----BEGIN", 7)),
    c.InstallRoot: tuple(c.InstallRoot("-----BEGIN", use) for use in c.RootUse),
    c.ReadRoots: tuple(c.ReadRoots(use) for use in c.RootUse),
    c.DeleteRoot: (c.DeleteRoot(c.CertificateHash("SHA256", "00ff", "00ee", "1a2b")),),
    c.SetKey: (c.SetKey("00FF" * 10),),
}  # fmt: skip
"""By type."""


def every_order() -> list[type[c.Order]]:
    """All types of orders there are."""
    found, rest = [], [c.Order]
    while rest:
        for each in rest.pop().__subclasses__():
            found.append(each)
            rest.append(each)
    return sorted(found, key=lambda each: each.__name__)
