"""A site as the cloud shows it, and how far that goes."""

from datetime import timedelta

import msgspec

from cloud_relay.fleet.ids import GatewayId, SiteId, TeamId
from cloud_relay.fleet.log_records import BoxLink, Held, Version
from cloud_relay.fleet.site_view import last_heard, snapshot_of, sync_of
from sitelink.ids import StationKey
from sitelink.model import Connector, Readings, Station
from sitelink.states import ConnectorStatus
from tests.cloud_relay.made import NOW
from tests.sitelink.builders import Site, bay


def link(cursor: int, minutes: int = 0) -> BoxLink:
    seen = NOW + timedelta(minutes=minutes)
    return BoxLink(GatewayId(f"g{minutes}"), SiteId("s"), TeamId("t"), cursor=cursor, seen_at=seen)


def test_delivered_is_what_every_box_of_the_site_has() -> None:
    held = Held(Version(7, 3), Site().state)
    assert not sync_of(held, [], ()).delivered
    both = sync_of(held, [link(7), link(6, 5)], {GatewayId("g5")})
    assert (both.delivered, both.gateway_online, both.as_of) == (False, True, NOW + timedelta(minutes=5))
    assert sync_of(held, [link(7), link(7, 5)], ()).delivered


def test_what_only_the_box_knows_is_left_out() -> None:
    site = Site()
    site.imported(bay("a", "CP001"))
    site.boot("CP001")
    held = Held(Version(2, 3), site.state)
    snapshot = snapshot_of(held, sync_of(held, [link(2)], ()), NOW)
    assert (snapshot.seq, snapshot.ocpp_url, snapshot.trouble) == (5, "", None)
    assert list(snapshot.pairing_open.values()) == [True]
    assert snapshot.relay.configured
    assert not snapshot.relay.connected


def test_a_status_and_a_value_are_signs_of_life() -> None:
    site = Site()
    site.imported(bay("a", "CP001"))
    site.boot("CP001")
    station = site.state.stations[StationKey("cp001")]
    booted = last_heard(site.state, station)
    later = msgspec.structs.replace(
        station, connectors={1: Connector(status=ConnectorStatus.AVAILABLE, at=NOW + timedelta(days=900))}
    )
    assert booted == station.last_seen
    assert last_heard(site.state, later) == NOW + timedelta(days=900)
    site.state.put(Readings(station=station.id, connector=1, at=NOW + timedelta(days=901), samples={}))
    assert last_heard(site.state, later) == NOW + timedelta(days=901)
    assert last_heard(site.state, Station(id=StationKey("new"), identity="new")) is None
