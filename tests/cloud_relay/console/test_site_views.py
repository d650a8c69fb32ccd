"""How boxes and charge points are put into words."""

from datetime import timedelta
from typing import Any

import pytest

from cloud_relay.console.site_views import box_view, point_rows, stale_since
from cloud_relay.fleet.ids import GatewayId, SiteId, TeamId
from cloud_relay.fleet.log_records import BoxLink
from cloud_relay.fleet.points import points_of
from cloud_relay.fleet.records import Gateway
from cloud_relay.fleet.site_lines import BoxLine, box_line
from tests.cloud_relay.made import NOW
from tests.doubles.sites import harbour_garage

GATEWAY = Gateway(GatewayId("g"), TeamId("t"), SiteId("s"), "GW", NOW, claim_expires_at=NOW, enrolled_at=NOW)


def box(*, online: bool = False, end: int = 0, **link: Any) -> BoxLine:
    found = BoxLink(GatewayId("g"), SiteId("s"), TeamId("t"), seen_at=NOW, **link)
    return box_line(GATEWAY, found, end, {GATEWAY.id} if online else set(), NOW + timedelta(hours=1))


@pytest.mark.parametrize(
    ("online", "end", "words"),
    [
        (True, 0, "Delivered: it has everything from here."),
        (True, 2, "2 changes on the way to it."),
        (False, 1, "1 change waits for it."),
        (False, 1200, "1,200 changes wait for it."),
    ],
)
def test_a_box_says_what_waits_for_it(online: bool, end: int, words: str) -> None:
    assert box_view(box(online=online, end=end)).sync == words


def test_offline_has_its_time_and_an_alarm_says_what_to_do() -> None:
    shown = box_view(box())
    assert (shown.words, shown.at, shown.tone, shown.alarm) == ("offline since", NOW, "problem", "")
    assert box_view(box(online=True, alarm="restored")).step.startswith("What it did")
    stopped = box_view(box(alarm="copied", quarantined_at=NOW))
    assert (stopped.words, stopped.step != "") == ("stopped since", True)


def test_what_is_shown_is_as_old_as_the_last_word_of_a_box() -> None:
    assert stale_since([box(online=True), box()]) is None
    assert stale_since([box()]) == NOW
    assert stale_since([]) is None


def test_charge_points_have_the_installers_words() -> None:
    rows = point_rows(points_of(harbour_garage().state), NOW)
    assert [row.status for row in rows[2:4]] == ["connected (busy-charging)", "No serial"]
    assert (rows[0].model, rows[3].model, rows[3].tone) == ("Vendor AC22", "AC22", "problem")


def test_an_operator_is_not_told_to_ask_the_operator() -> None:
    rows = point_rows(points_of(harbour_garage().state), NOW)
    assert not [row.explanation for row in rows if "the operator." in row.explanation.split("Ask")[-1]]
    assert rows[9].status == "Serial is in use by: Acme Parking"
    assert rows[9].explanation.endswith("ask that team to release it.")


def test_the_last_message_is_the_newest_that_is_known() -> None:
    state = harbour_garage().state
    charging = points_of(state)[2]
    assert charging.station is not None
    assert charging.heard == state.readings[charging.station.id, 1].at
    assert charging.station.last_seen is not None
    assert charging.heard > charging.station.last_seen
    assert point_rows([charging], NOW)[0].last_seen == charging.heard
