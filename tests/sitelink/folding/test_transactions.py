"""Transactions and readings by script."""

from sitelink import events as e
from sitelink.folding.transactions import SUPERSEDED
from sitelink.ids import StationKey, TransactionId
from sitelink.states import AuthorizationStatus
from tests.sitelink.builders import WHEN, Site


def station(site: Site, key: str = "cp001"):
    return site.state.stations[StationKey(key)]


def transaction(site: Site, id_: int = 1):
    return site.state.transactions[TransactionId(id_)]


def test_a_transaction_runs_at_its_connector_until_it_stops():
    site = Site()
    site.start("CP001", 2, id_=7)
    assert transaction(site, 7).open
    assert station(site).transactions == {2: 7}
    site.stop("CP001", 7, "EVDisconnected")
    assert not transaction(site, 7).open
    assert (transaction(site, 7).reason, station(site).transactions) == ("EVDisconnected", {})


def test_the_first_stop_counts():
    site = Site()
    site.start("CP001")
    site.stop("CP001", reason="Remote")
    site.stop("CP001", reason="Local")
    assert transaction(site).reason == "Remote"


def test_a_real_stop_replaces_an_end_by_the_next_start():
    site = Site()
    site.start("CP001", id_=1)
    site.stop("CP001", 1, SUPERSEDED)
    site.start("CP001", id_=2)
    site.stop("CP001", 1, "PowerLoss")
    assert transaction(site, 1).reason == "PowerLoss"
    assert station(site).transactions == {1: 2}


def test_a_start_sent_again_does_not_open_what_is_closed():
    site = Site()
    site.start("CP001")
    site.stop("CP001")
    site.start("CP001")
    assert not transaction(site).open
    assert station(site).transactions == {}


def test_an_orphan_stop_is_a_record_of_its_own_and_runs_nowhere():
    site = Site()
    event = e.TransactionStopped(id=TransactionId(9), at=WHEN, content="c", orphan=True, meter_stop_wh=1200)
    site.record("station:cp001", event)
    assert (transaction(site, 9).orphan, transaction(site, 9).open) == (True, False)
    assert transaction(site, 9).meter_stop_wh == 1200


def test_readings_are_the_newest_of_each_kind_and_older_ones_come_too_late():
    site = Site()

    def report(value: float | None, seconds: int, **more: str) -> None:
        sample = e.MeterSample(measurand="Power.Active.Import", unit="W", value=value, **more)
        moment = WHEN.replace(second=seconds)
        event = e.MeterValuesReported(connector=1, at=moment, samples=(sample,), content=str(seconds))
        site.record("station:cp001", event)

    report(7200, 10)
    report(2400, 11, phase="L1")
    report(1, 5)
    report(None, 12)
    report(3, 13, location="Inlet")
    report(4, 14, location="Outlet", phase="L2")
    readings = site.state.readings[StationKey("cp001"), 1]
    assert readings.value("Power.Active.Import") == 7200
    assert readings.value("Power.Active.Import", "L1") == 2400
    assert readings.value("Power.Active.Import", "L2") == 4
    assert readings.value("Voltage") is None


def test_a_verdict_is_kept_with_its_transaction():
    site = Site()
    site.start("CP001", test=True)
    assert (transaction(site).verdict, transaction(site).test) == (AuthorizationStatus.ACCEPTED, True)
