"""Rows: what comes back is what was written, or it is noticed."""

from pathlib import Path

import pytest
from hypothesis import given
from hypothesis import strategies as st

from edge_agent.store.rows import RowDamaged, checked, command_of, crc_of, encode, entity_of, transaction_of
from sitelink import events as e
from sitelink.events import ListEntry
from sitelink.ids import ChargePointId, CommandId, IdTokenKey, JobId, LinkId, OpId, StationKey, TransactionId
from sitelink.model import (
    ChargePoint,
    Command,
    Connector,
    Head,
    IdToken,
    Job,
    Knock,
    Link,
    LocalList,
    Register,
    Station,
    Transaction,
)
from sitelink.ops import BOX, STATION, Fact
from sitelink.packed import pack
from sitelink.states import (
    ActionName,
    AuthorizationStatus,
    ConnectorStatus,
    IdTokenSource,
    IdTokenType,
    LinkRole,
    LocalListState,
    ReportKind,
)
from tests.edge_agent.store.facts import CP001, INSTALLER, NOON, opened, writing


@given(st.binary(min_size=1, max_size=64), st.one_of(st.integers(0, 2**40), st.text(max_size=10)), st.data())
def test_any_flipped_bit_is_noticed(body: bytes, key: int | str, data: st.DataObject) -> None:
    crc = crc_of(key, body)
    assert checked("journal", key, body, crc) == body
    bit = data.draw(st.integers(0, len(body) * 8 - 1))
    flipped = bytearray(body)
    flipped[bit // 8] ^= 1 << bit % 8
    with pytest.raises(RowDamaged):
        checked("journal", key, bytes(flipped), crc)


def test_a_body_under_anothers_key_is_noticed() -> None:
    with pytest.raises(RowDamaged):
        checked("journal", 8, b"body", crc_of(7, b"body"))


def _register(value: str | int | bool) -> Register:
    return Register(heads=(Head(op=OpId("o"), value=value, by=INSTALLER, at=NOON),))


@pytest.mark.parametrize(
    "entity",
    [
        Job(
            id=JobId("j"), number="1", site_name="ü", charge_points=(ChargePointId("a"),), test_token="T",
            created_at=NOON, imported_by=OpId("o"), meters=(e.MeterListed("Main", "eastron-sdm630", "tcp://127.0.0.1"),),
        ),
        ChargePoint(
            id=ChargePointId("a"), job=JobId("j"), name="Bay 1", identity_register=_register("CP001"),
            connector_register=_register(2), active_register=_register(True), maintenance_register=Register(),
        ),
        Station(
            id=CP001, identity="CP001", connected=True, changed_at=NOON,
            connectors={0: Connector(status=ConnectorStatus.AVAILABLE, at=NOON)}, transactions={1: TransactionId(9)},
            configuration={"NumberOfConnectors": "2", "Odd": None},
        ),
        Knock(id="k", identity="X", ip="192.0.2.1", reason="unknown_identity", at=NOON),
        LocalList(
            station=CP001, at=NOON, state=LocalListState.SENDING, version=3, left_out=1, reason="x",
            entries={IdTokenKey("04a1"): ListEntry("04A1", group="FLEET", expires=NOON)},
        ),
        IdToken(
            id=IdTokenKey("04a1:b2"), id_token="04A1:B2", changed_at=NOON, expires=NOON, group="FLEET",
            charge_points=(CP001,), note="ü", type=IdTokenType.EMAID, source=IdTokenSource.CSV,
            status=AuthorizationStatus.BLOCKED,
        ),
        Link(id=LinkId("l"), job=JobId("j"), token_sha256="00", role=LinkRole.INSTALLER, created_at=NOON),
    ],
)  # fmt: skip
def test_every_record_comes_back(entity: Job | ChargePoint | Station | Knock | Link | IdToken | LocalList) -> None:
    body = encode(entity)
    assert entity_of(entity.key, body, crc_of(entity.key, body)) == entity


def test_commands_and_transactions_come_back() -> None:
    command = Command(
        id=CommandId("c"), action=ActionName.STOP, charge_point=ChargePointId("a"), station=StationKey("cp001"),
        connector=1, by=INSTALLER, requested_at=NOON, detail={"transaction": 7},
    )  # fmt: skip
    body = encode(command)
    assert command_of(command.key, body, crc_of(command.key, body)) == command
    transaction = Transaction(id=TransactionId(7), station=CP001, connector=1, started_at=NOON, meter_start_wh=1.5)
    body = encode(transaction)
    assert transaction_of(7, body, crc_of(7, body)) == transaction
    with pytest.raises(RowDamaged):
        transaction_of(8, body, crc_of(7, body))
    with pytest.raises(RowDamaged):
        entity_of("nonsense:1", body, crc_of("nonsense:1", body))


async def test_a_list_a_station_told_is_there_after_a_restart(tmp_path: Path) -> None:
    variables = {str(number): {"name": f"V{number}", "component": "C"} for number in range(500)}
    told = e.StationReported(kind=ReportKind.INVENTORY, packed=pack(variables), count=500, source="GetBaseReport")
    noted = e.StationNoted(kind=ReportKind.INVENTORY, put={"501": {"name": "V501"}}, drop=("3",))
    async with opened(tmp_path) as store:
        await store.journal.write(writing(Fact("station:cp001", told, STATION), Fact("station:cp001", noted, STATION)))
        before = store.journal.state.report_of(CP001, ReportKind.INVENTORY)
    async with opened(tmp_path) as store:
        report = store.journal.state.report_of(CP001, ReportKind.INVENTORY)
        assert report == before
        assert report is not None
        assert (report.count, "3" in report.items, "501" in report.items) == (500, False, True)
        assert len(report.packed) < 6000
        gone = writing(Fact("station:cp001", e.StationForgotten(), BOX))
        await store.journal.write(gone)
        assert store.journal.state.report_of(CP001, ReportKind.INVENTORY) is None
    async with opened(tmp_path) as store:
        assert store.journal.state.reports == {}
