"""One list of all charge points: its order, what is found, where a page goes on."""

import pytest

from cloud_relay.fleet.ids import SiteId, TeamId
from cloud_relay.fleet.point_list import CONNECTIONS, STATES, Wanted, after, listed
from cloud_relay.fleet.records import Site
from tests.cloud_relay.made import NOW
from tests.doubles.sites import harbour_garage

SITE = Site(SiteId("s"), TeamId("t"), "Harbour Garage", "", NOW)
OTHER = Site(SiteId("o"), TeamId("t"), "airport", "", NOW)
SITES = [(OTHER, harbour_garage().state), (SITE, harbour_garage().state)]


def names(**wanted: str) -> list[str]:
    return [each.point.row.name for each in listed([SITES[1]], Wanted(**wanted))]


def test_bays_are_in_the_order_people_count_in() -> None:
    assert names() == [f"Bay {number}" for number in range(1, 15)]
    found = listed(SITES, Wanted())
    assert [each.place for each in found] == sorted(each.place for each in found)
    assert found[0].site is OTHER


@pytest.mark.parametrize(
    ("wanted", "found"),
    [
        ({"text": "zpr104225"}, ["Bay 5"]),
        ({"text": "sn-1"}, ["Bay 11"]),
        ({"text": "harbour", "state": "maintenance"}, ["Bay 14"]),
        ({"connection": "error"}, ["Bay 11"]),
        ({"connection": "none"}, ["Bay 12"]),
        ({"connection": "disconnected"}, ["Bay 8"]),
        ({"state": "busy-charging"}, ["Bay 3"]),
        ({"site": "another"}, []),
        ({"text": "bay 1", "connection": "pending"}, ["Bay 10", "Bay 13"]),
    ],
)
def test_what_is_wanted_is_found(wanted: dict[str, str], found: list[str]) -> None:
    assert names(**wanted) == found


def test_a_page_goes_on_behind_the_last_one_shown() -> None:
    found = listed(SITES, Wanted())
    assert after(found, found[9].place) == found[10:]
    assert after(found, None) == found


def test_the_filters_have_the_words_of_the_status() -> None:
    assert "busy-charging" in STATES
    assert CONNECTIONS[-1] == "none"
