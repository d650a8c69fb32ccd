"""Everything a box knows, in one list; and who calls and is not served."""

from datetime import timedelta

from sitelink import events as e
from sitelink.ids import StationKey
from tests.doubles.sites import NOW, MadeSite, harbour_garage, row
from web_ui.station_list import is_known, station_list


def test_every_identity_of_jobs_and_stations_stands_there_once() -> None:
    site = harbour_garage()
    listed = station_list(site.snapshot(), {StationKey("zpr104221"): True})
    identities = [each.identity for each in listed.stations]
    assert len(identities) == len(set(identities))
    assert identities == sorted(identities, key=str.casefold)
    assert {"ZPR104221", "ZPR104232"} <= set(identities)
    first = next(each for each in listed.stations if each.identity == "ZPR104221")
    assert (first.kind, first.online, first.rows[0].name, first.rows[0].status) == (
        "Vendor AC22, firmware 1.4.2", True, "Bay 1", "connected",
    )  # fmt: skip
    assert listed.online == 1


def test_callers_say_what_they_said_and_why_they_are_not_served() -> None:
    site = MadeSite()
    site.job(row(1, "ZPR104221"))
    site.record(
        "knock:a",
        e.Knocked(identity="", ip="192.0.2.9", reason="identity_missing", vendor="Acme", firmware="7", version="2.1"),
    )
    (caller,) = station_list(site.snapshot(), {}).callers
    assert (caller.identity, caller.kind, caller.version, caller.ip, caller.count) == (
        "", "Acme, firmware 7", "2.1", "192.0.2.9", 1,
    )  # fmt: skip
    assert "without an identity" in caller.reason
    assert NOW - caller.at < timedelta(hours=1)


def test_known_is_whom_a_job_names_who_was_here_and_who_calls() -> None:
    snapshot = harbour_garage().snapshot()
    for key in ("zpr104221", "zpr104230", "zpr104224"):
        assert is_known(snapshot, StationKey(key))
    assert not is_known(snapshot, StationKey("nobody"))
