"""Files on their way, by script: what the station said, what really went over, how it ended."""

from sitelink import events as e
from sitelink.ids import StationKey, TransferId
from sitelink.model import Transfer
from sitelink.states import CommandState, TransferKind, TransferMethod
from tests.sitelink.builders import Site


def requested() -> Site:
    site = Site()
    event = e.TransferRequested(TransferKind.DIAGNOSTICS, StationKey("cp001"), 7, TransferMethod.HTTP, "a.bin")
    site.record("transfer:t1", event)
    return site


def transfer(site: Site) -> Transfer:
    return site.state.transfers[TransferId("t1")]


def test_it_runs_until_it_ends_and_ends_once() -> None:
    site = requested()
    assert transfer(site).running
    site.record("transfer:t1", e.TransferEnded(CommandState.DONE, "uploaded"))
    site.record("transfer:t1", e.TransferEnded(CommandState.FAILED, "not_uploaded"))
    assert (transfer(site).running, transfer(site).outcome) == (False, "uploaded")


def test_what_the_station_says_later_is_kept_and_ends_nothing_again() -> None:
    site = requested()
    site.record("transfer:t1", e.TransferEnded(CommandState.DONE, "uploaded"))
    site.record("transfer:t1", e.TransferTold("UploadFailed"))
    assert [told.word for told in transfer(site).told] == ["UploadFailed"]
    assert transfer(site).state is CommandState.DONE


def test_what_went_over_first_counts_and_its_file_may_go() -> None:
    site = requested()
    site.record("transfer:t1", e.TransferMoved(10, "ab"))
    site.record("transfer:t1", e.TransferMoved(20, "cd"))
    assert (transfer(site).size, transfer(site).sha256) == (10, "ab")
    site.record("transfer:t1", e.TransferFileRemoved())
    assert (transfer(site).file, transfer(site).size) == (None, 10)
