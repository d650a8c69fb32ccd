"""Made-up sites for pages and pictures: everything is built by folding ops, so nothing stands here that could not be.

Start at `harbour_garage`: a job of 14 charge points in fourteen different states.
"""

from datetime import UTC, datetime, timedelta

from sitelink import events as e
from sitelink.apply import apply, apply_to
from sitelink.events import MeterSample
from sitelink.ids import ChargePointId, JobId, LinkId, OpId, TransactionId, station_key
from sitelink.model import Link, SiteState
from sitelink.ops import BOX, STATION, Author, Op, Stamp
from sitelink.states import (
    ActionName,
    AuthorizationStatus,
    AuthorType,
    CommandState,
    ConnectorStatus,
    LinkRole,
    Registration,
)
from web_ui.ports import Relay, Snapshot

ENERGY = "Energy.Active.Import.Register"
NOW = datetime(2026, 11, 23, 10, 45, tzinfo=UTC)
JOB = JobId("job-1")
LINK = LinkId("link-1")
INSTALLER = Author(type=AuthorType.INSTALLER, link=LINK, name="Phone 1")
OPERATOR = Author(type=AuthorType.OPERATOR, name="Service desk")
OCPP_URL = "ws://192.0.2.10:9000/"


class MadeSite:
    """A state put together op by op. Each op is a second later than the one before, the last near NOW."""

    def __init__(self, begin: datetime | None = None) -> None:
        self.state = SiteState()
        self.seq = 0
        self.ops: list[Op] = []
        """Everything that was recorded, as a box brings it to its cloud."""
        self._at = begin or NOW - timedelta(minutes=40)

    def record(
        self, entity: str, event: e.Event, author: Author = BOX, field: str | None = None, bases: tuple[OpId, ...] = ()
    ) -> OpId:
        self.seq += 1
        self._at += timedelta(seconds=1)
        op = Op(
            op_id=OpId(f"00000000-0000-4000-8000-{self.seq:012d}"), entity=entity, event=event, author=author,
            prev=None, t=Stamp(boot="b", mono_ms=self.seq * 1000, wall=self._at), job=JOB, field=field, bases=bases,
        )  # fmt: skip
        apply_to(self.state, apply(self.state, op))
        self.ops.append(op)
        return op.op_id

    @property
    def now(self) -> datetime:
        return self._at

    def wait(self, by: timedelta) -> None:
        """The next op is so much later."""
        self._at += by

    def job(self, *rows: e.ChargePointListed, number: str = "1042", **facts: object) -> None:
        self.record(
            f"job:{JOB}",
            e.JobImported(
                number=number, site_name="Harbour Garage", site_address="Quay Street 14, level −2",
                description="Fourteen new charge points in the residents' garage.",
                instructions=(
                    "Breakers are in cabinet C2, labelled by bay.\nMount the RFID side towards the lane.\n"
                    "Wiring plan: https://plans.example/harbour-garage"
                ),
                contact="Service desk, +00 555 0100", charge_points=rows, test_token="TEST1042", **facts,  # type: ignore[arg-type]
            ),
        )  # fmt: skip
        self.record(f"link:{LINK}", e.LinkCreated(job=JOB, token_sha256="0" * 64, role=LinkRole.INSTALLER))

    def boot(self, identity: str, *, serial: str | None = None, vendor: str = "Vendor", model: str = "AC22") -> None:
        key = f"station:{station_key(identity)}"
        self.record(key, e.StationConnected(identity=identity, ip="192.0.2.31", version="1.6", subprotocol="ocpp1.6"))
        self.record(
            key,
            e.StationBooted(
                identity=identity, vendor=vendor, model=model, verdict=Registration.ACCEPTED,
                serial=serial or identity, firmware="1.4.2",
            ),
            STATION,
        )  # fmt: skip

    def connector(self, identity: str, status: ConnectorStatus, number: int = 1, **facts: object) -> None:
        self.record(
            f"station:{station_key(identity)}",
            e.ConnectorChanged(connector=number, status=status, at=self._at, **facts),  # type: ignore[arg-type]
            STATION,
        )

    def ready(self, identity: str, status: ConnectorStatus = ConnectorStatus.AVAILABLE) -> None:
        """Booted, connected, its connector reported."""
        self.boot(identity)
        self.connector(identity, status)

    def charge(self, identity: str, id_: int, *, test: bool = True, power_w: float | None = 7200.0) -> None:
        """A running charge with a reading."""
        key = f"station:{station_key(identity)}"
        self.record(
            key,
            e.TransactionStarted(
                id=TransactionId(id_), connector=1, id_token="TEST1042", at=self._at, content=f"start-{id_}",
                verdict=AuthorizationStatus.ACCEPTED, meter_start_wh=1200.0, test=test,
            ),
            STATION,
        )  # fmt: skip
        self.connector(identity, ConnectorStatus.CHARGING)
        if power_w is None:
            return
        samples = (
            MeterSample("Power.Active.Import", "W", power_w),
            MeterSample("Energy.Active.Import.Register", "Wh", 1620.0),
            *(MeterSample("Current.Import", "A", 10.4, phase=phase) for phase in ("L1", "L2", "L3")),
        )
        self.record(key, e.MeterValuesReported(connector=1, at=self._at, samples=samples, content=f"m{id_}"), STATION)

    def tested(self, identity: str, id_: int, energy_wh: float = 420.0) -> None:
        """A finished test charge."""
        self.charge(identity, id_, power_w=None)
        self.record(
            f"station:{station_key(identity)}",
            e.TransactionStopped(
                id=TransactionId(id_), at=self._at, content=f"stop-{id_}", meter_stop_wh=1200.0 + energy_wh,
                reason="Remote",
            ),
            STATION,
        )  # fmt: skip
        self.connector(identity, ConnectorStatus.AVAILABLE)

    def command(self, row: str, action: ActionName, id_: str, answer: str | None = "Accepted") -> None:
        """A remote action on its way; with `answer` the station took it."""
        cp = self.state.charge_points[ChargePointId(row)]
        self.record(
            f"command:{id_}",
            e.CommandRequested(action=action, charge_point=cp.id, station=cp.station, connector=cp.connector),
            INSTALLER,
        )
        if answer is not None:
            self.record(f"command:{id_}", e.CommandAnswered(answer=answer, state=CommandState.ANSWERED), STATION)

    def ended(self, id_: str, state: CommandState, outcome: str, **detail: object) -> None:
        self.record(f"command:{id_}", e.CommandEnded(state=state, outcome=outcome, detail=dict(detail)))

    def link(self) -> Link:
        return self.state.links[LINK]

    def snapshot(
        self, *, relay: Relay | None = None, trouble: str | None = None, pairing: bool = True, now: datetime = NOW
    ) -> Snapshot:
        return Snapshot(
            state=self.state, now=now, seq=self.seq,
            last_seen={key: now - timedelta(seconds=12) for key, each in self.state.stations.items() if each.connected},
            pairing_open={JOB: pairing}, relay=relay or Relay(), trouble=trouble, ocpp_url=OCPP_URL,
        )  # fmt: skip


def row(number: int, identity: str = "", **facts: object) -> e.ChargePointListed:
    return e.ChargePointListed(
        id=ChargePointId(f"row-{number}"), name=f"Bay {number}", identity=identity, model="AC22", **facts  # type: ignore[arg-type]
    )  # fmt: skip


def charging_day(begin: datetime) -> MadeSite:
    """One charge point in the 20 hours from `begin`: a charge of 100 minutes with its values, a loss, a fault."""
    site, key = MadeSite(begin), "station:zpr104221"
    site.job(row(1, "ZPR104221", active=True))
    site.ready("ZPR104221")
    site.wait(timedelta(hours=3))
    site.connector("ZPR104221", ConnectorStatus.PREPARING)
    site.wait(timedelta(minutes=1))
    start = e.TransactionStarted(
        id=TransactionId(21), connector=1, id_token="04A1B2C3D4E5", at=site.now, content="start-21",
        verdict=AuthorizationStatus.ACCEPTED, meter_start_wh=120_000.0,
    )  # fmt: skip
    site.record(key, start, STATION)
    site.connector("ZPR104221", ConnectorStatus.CHARGING)
    energy_wh = 120_000.0
    for minute in range(0, 100, 5):
        power_w = 11_000.0 if minute < 60 else 11_000.0 - (minute - 60) * 220
        site.wait(timedelta(minutes=5))
        energy_wh += power_w / 12
        samples = (MeterSample("Power.Active.Import", "W", power_w), MeterSample(ENERGY, "Wh", round(energy_wh)))
        values = e.MeterValuesReported(
            connector=1, at=site.now, samples=samples, content=f"m{minute}", transaction=TransactionId(21)
        )
        site.record(key, values, STATION)
    site.wait(timedelta(minutes=1))
    stop = e.TransactionStopped(
        id=TransactionId(21),
        at=site.now,
        content="stop-21",
        meter_stop_wh=round(energy_wh) + 20,
        reason="EVDisconnected",
    )
    site.record(key, stop, STATION)
    for status, minutes in ((ConnectorStatus.FINISHING, 6), (ConnectorStatus.AVAILABLE, 200)):
        site.connector("ZPR104221", status)
        site.wait(timedelta(minutes=minutes))
    site.record(key, e.StationDisconnected("silent"))
    site.wait(timedelta(minutes=75))
    site.ready("ZPR104221")
    site.wait(timedelta(hours=4))
    site.connector("ZPR104221", ConnectorStatus.FAULTED, error_code="GroundFailure")
    site.wait(timedelta(hours=1))
    site.connector("ZPR104221", ConnectorStatus.AVAILABLE)
    return site


def harbour_garage(begin: datetime | None = None) -> MadeSite:
    """Eight of fourteen connected; no serial, another team's serial, a conflict, faults, notes, callers."""
    site = MadeSite(begin)
    site.job(
        row(1, "ZPR104221"), row(2, "ZPR104222"), row(3, "ZPR104223"), row(4), row(5, "ZPR104225"),
        row(6, "ZPR104226"), row(7, "ZPR104227"), row(8, "ZPR104228"), row(9, "ZPR104229", active=True),
        row(10, "ZPR104230"), row(11, "ZPR104231"), row(12, "ZPR104232", integration=None),
        row(13, "ZPR1O4233"), row(14, "ZPR104234", maintenance=True),
    )  # fmt: skip
    for identity in ("ZPR104221", "ZPR104222", "ZPR104229"):
        site.ready(identity)
    site.tested("ZPR104221", 11)
    site.ready("ZPR104223")
    site.command("row-3", ActionName.START, "command-1")
    site.charge("ZPR104223", 12)
    site.ended("command-1", CommandState.DONE, "started", at=NOW - timedelta(minutes=1))
    site.ready("ZPR104225", ConnectorStatus.PREPARING)
    site.boot("ZPR104226")
    site.connector(
        "ZPR104226", ConnectorStatus.FAULTED, error_code="GroundFailure", vendor_error_code="E-017", info="RCD"
    )
    site.ready("ZPR104227", ConnectorStatus.FINISHING)
    site.tested("ZPR104227", 13)
    site.connector("ZPR104227", ConnectorStatus.FINISHING)
    site.boot("ZPR104228")
    site.record("station:zpr104228", e.StationDisconnected(reason="closed"))
    site.record("cp:row-10", e.OwnershipLearned(team="Acme Parking"))
    base = site.state.charge_points[ChargePointId("row-11")].identity_register.heads[0].op
    site.record("cp:row-11", e.FieldSet(value="ZPR104213"), INSTALLER, "identity", (base,))
    site.record("cp:row-11", e.FieldSet(value="ZPR104231A"), OPERATOR, "identity", (base,))
    site.boot("ZPR104213", serial="SN-1")
    site.record(
        "station:zpr104213", e.StationFaulted(code="serial_changed", detail={"serial": "SN-2", "before": "SN-1"})
    )
    site.boot("ZPR104234")
    site.record("cp:row-3", e.NoteAdded(text="Conduit was full, new one pulled from C2.\nPhotos follow."), INSTALLER)
    site.record("cp:row-3", e.NoteAdded(text="Thank you. Please label the breaker as well."), OPERATOR)
    site.record("cp:row-6", e.NoteAdded(text="RCD trips at once, wiring checked."), INSTALLER)
    for identity, reason in (("ZPR104233", "unknown_identity"), ("ZPR104224", "unknown_identity")):
        site.record(
            f"knock:{identity}",
            e.Knocked(
                identity=identity, ip="192.0.2.44", reason=reason, vendor="Vendor", model="AC22", serial=identity
            ),
        )
    return site
