"""A site as the cloud shows it, and how far that goes."""

from datetime import timedelta

from cloud_relay.fleet.ids import GatewayId, SiteId, TeamId
from cloud_relay.fleet.log_records import BoxLink, Held, Version
from cloud_relay.fleet.site_view import snapshot_of, sync_of
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
