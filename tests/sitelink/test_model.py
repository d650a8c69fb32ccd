"""The records and the bounded memory they live in."""

import pytest

from sitelink import events as e
from sitelink.ids import ChargePointId, JobId, LinkId, StationKey, TransactionId
from sitelink.model import (
    CLOSED_TRANSACTIONS_KEPT,
    ENDED_COMMANDS_KEPT,
    ChargePoint,
    Register,
    SiteState,
)
from sitelink.states import ActionName, ConnectorStatus, LinkRole
from tests.sitelink.builders import OPERATOR, WHEN, Site, bay


def station(site: Site):
    return site.state.stations[StationKey("cp001")]


def test_of_closed_transactions_only_the_newest_stay_in_memory():
    site = Site()
    site.start("CP001", 2, id_=999)
    for number in range(1, 21):
        site.start("CP001", id_=number)
        site.stop("CP001", number)
    kept = set(range(21 - CLOSED_TRANSACTIONS_KEPT, 21))
    assert set(site.state.transactions) == kept | {999}, "a running one is never forgotten"


def test_closing_the_same_transaction_again_forgets_nothing():
    site = Site()
    for number in range(1, CLOSED_TRANSACTIONS_KEPT + 1):
        site.start("CP001", id_=number)
        site.stop("CP001", number, "Superseded")
    for _ in range(10):
        site.stop("CP001", 1, "Superseded")
    assert len(site.state.transactions) == CLOSED_TRANSACTIONS_KEPT


def test_each_station_has_its_own_memory():
    site = Site()
    for number in range(1, 21):
        identity = f"CP00{number % 2}"
        site.start(identity, id_=number)
        site.stop(identity, number)
    assert len(site.state.transactions) == 2 * CLOSED_TRANSACTIONS_KEPT


def test_orphan_stops_do_not_pile_up():
    site = Site()
    for number in range(1, 51):
        event = e.TransactionStopped(id=TransactionId(number), at=WHEN, content=str(number), orphan=True)
        site.record("station:cp001", event)
    assert len(site.state.transactions) == CLOSED_TRANSACTIONS_KEPT


def test_of_ended_commands_only_the_newest_stay_and_a_running_one_always():
    site = Site()
    site.imported(bay())
    site.command("running", "a", ActionName.REBOOT)
    for number in range(ENDED_COMMANDS_KEPT + 50):
        site.command(f"k{number}", "a", ActionName.UNLOCK)
        site.command_ended(f"k{number}")
    assert len(site.state.commands) <= ENDED_COMMANDS_KEPT + 1
    assert "running" in site.state.commands
    assert f"k{ENDED_COMMANDS_KEPT + 49}" in site.state.commands
    assert "k0" not in site.state.commands


def test_commands_that_end_after_many_were_running_are_let_go_too():
    site = Site()
    site.imported(bay())
    for number in range(ENDED_COMMANDS_KEPT + 50):
        site.command(f"k{number}", "a", ActionName.UNLOCK)
    for number in range(ENDED_COMMANDS_KEPT + 50):
        site.command_ended(f"k{number}")
    assert len(site.state.commands) <= ENDED_COMMANDS_KEPT


def test_readings_and_stations_are_one_each():
    site = Site()
    for _ in range(5):
        site.boot("CP001")
        site.boot("cp001")
        event = e.MeterValuesReported(connector=1, at=WHEN, samples=(), content="c")
        site.record("station:cp001", event)
    assert len(site.state.stations) == len(site.state.readings) == 1


# ---- finding rows ----


def test_a_station_serves_the_rows_that_name_it_open_jobs_first_then_newest():
    site = Site()
    site.imported(bay("a"), job="j1", number="1")
    site.imported(bay("b", "cp001"), job="j2", number="2")
    site.imported(bay("c"), job="j3", number="3")
    site.imported(bay("d"), job="j4", number="4")
    site.imported(bay("e", integration=None), job="j5", number="5")
    site.record("job:j3", e.JobCompleted(activate=(), round=1))
    site.record("job:j4", e.JobCancelled())
    found = [(job.number, row.id) for job, row in site.state.rows_of_station(StationKey("cp001"))]
    assert found == [("2", "b"), ("1", "a"), ("3", "c")]


def test_a_row_without_identity_belongs_to_no_station():
    site = Site()
    site.imported(bay("a", ""))
    assert list(site.state.rows_of_station(StationKey(""))) == []
    assert site.state.transaction_of(site.row("a")) is None


def test_a_connector_belongs_to_the_row_that_names_it_else_to_the_first():
    site = Site()
    site.imported(bay("a"), bay("b", connector=2))
    for connector, row in ((1, "a"), (2, "b"), (7, "a")):
        found = site.state.row_of_connector(StationKey("cp001"), connector)
        assert found is not None
        assert found[1].id == row
    assert site.state.row_of_connector(StationKey("other"), 1) is None


def test_rows_come_in_the_jobs_order_and_without_those_that_are_gone():
    site = Site()
    site.imported(bay("b"), bay("a"))
    site.state.drop("cp:b")
    assert [row.id for row in site.state.rows(site.job)] == ["a"]


def test_the_running_transaction_of_a_row_is_the_one_at_its_connector():
    site = Site()
    site.imported(bay("a"), bay("b", connector=2))
    site.start("CP001", 2, id_=5)
    assert site.state.transaction_of(site.row("a")) is None
    running = site.state.transaction_of(site.row("b"))
    assert running is not None
    assert running.id == 5


def test_the_last_test_of_a_row():
    site = Site()
    site.imported(bay("a"))
    for number, test in ((1, True), (2, True), (3, False)):
        site.start("CP001", id_=number, test=test)
        site.stop("CP001", number)
    last = site.state.last_transaction_of(site.row("a"), test=True)
    assert last is not None
    assert last.id == 2
    assert site.state.last_transaction_of(site.row("a"), test=False) is not None
    site.set("a", "connector", 2)
    assert site.state.last_transaction_of(site.row("a"), test=True) is None


# ---- small things ----


@pytest.mark.parametrize(
    ("said", "reported", "count"),
    [("2", [], 2), ("2", [1, 2, 3], 2), (None, [0, 1, 4], 4), (None, [0], None), (None, [], None), ("many", [1], 1),
     ("0", [1], 1), ("1000000", [1], 1), ("-3", [], None), ("²", [1], 1)],
)  # fmt: skip
def test_the_connector_count_is_what_it_said_else_what_was_seen(said, reported, count):
    site = Site()
    site.boot("CP001")
    if said is not None:
        site.configure("CP001", NumberOfConnectors=said)
    for number in reported:
        site.connector("CP001", number, ConnectorStatus.AVAILABLE)
    assert station(site).connector_count == count


def test_every_record_has_a_key_of_its_own():
    site = Site()
    site.imported(bay())
    site.boot("CP001")
    site.start("CP001")
    site.command("k1", "a", ActionName.STOP)
    site.record("link:l1", e.LinkCreated(job=JobId("j1"), token_sha256="ab", role=LinkRole.READ))
    site.record("knock:n1", e.Knocked(identity="X", ip="192.0.2.9", reason="unknown_identity"))
    site.record("station:cp001", e.MeterValuesReported(connector=1, at=WHEN, samples=(), content="c"))
    state = site.state
    records = [site.job, site.row("a"), station(site), *state.transactions.values(), *state.commands.values(),
               state.links[LinkId("l1")], state.knocks["n1"], *state.readings.values()]  # fmt: skip
    assert [record.key for record in records] == [
        "job:j1", "cp:a", "station:cp001", "transaction:1", "command:k1", "link:l1", "knock:n1", "readings:cp001/1",
    ]  # fmt: skip


def test_a_record_put_again_replaces_itself():
    site = Site()
    site.imported(bay())
    site.boot("CP001")
    again = SiteState()
    for _ in range(2):
        for record in (site.job, site.row("a"), station(site)):
            again.put(record)
    assert (again.jobs, again.charge_points, again.stations) == (
        site.state.jobs,
        site.state.charge_points,
        site.state.stations,
    )


def test_an_empty_register_has_no_value():
    assert Register().value is None
    empty = Register()
    row = ChargePoint(
        id=ChargePointId("x"), job=JobId("j"), name="n", identity_register=empty, connector_register=empty,
        active_register=empty, maintenance_register=empty,
    )  # fmt: skip
    assert (row.identity, row.connector, row.active, row.maintenance) == ("", 1, False, False)


def test_what_only_the_operator_wrote_is_used():
    site = Site()
    site.imported(bay())
    site.set("a", "identity", "AFAR", author=OPERATOR)
    assert site.row("a").identity == "AFAR"
