"""What a charge point was when, and what ended it."""

from datetime import timedelta
from itertools import pairwise

from cloud_relay.fleet.timeline import KINDS, Timeline, timeline_of
from sitelink import events as e
from sitelink.model import Command
from sitelink.ops import Author
from sitelink.states import ActionName, AuthorType
from tests.doubles.sites import NOW, MadeSite, charging_day, harbour_garage, row

BEGIN = NOW - timedelta(hours=20)


def of(site: MadeSite, *, hours: float = 24, connector: int = 1, commands: tuple[Command, ...] = ()) -> Timeline:
    ops = [op for op in site.ops if op.kind in KINDS and op.entity == "station:zpr104221"]
    return timeline_of(ops, connector, NOW - timedelta(hours=hours), NOW, commands)


def test_a_day_has_its_spans_and_what_ended_them() -> None:
    found = of(charging_day(BEGIN))
    assert [span.what for span in found.connection] == ["connected", "disconnected", "connected"]
    assert [span.ending.code if span.ending else None for span in found.connection] == ["silent", "connected", None]
    assert [span.what for span in found.operation] == [
        "not known", "Available", "Preparing", "Charging", "Finishing", "Available", "not known", "Available",
        "Faulted", "Available",
    ]  # fmt: skip
    endings = [span.ending.code if span.ending else None for span in found.operation]
    assert endings == [
        "reported", "reported", "charge_began", "charge_ended", "reported", "connection_lost", "connected", "reported",
        "reported", None,
    ]  # fmt: skip
    charging = found.operation[3]
    assert charging.ending is not None
    assert charging.ending.fields == {"id": "21", "reason": "EVDisconnected"}
    assert charging.until is not None
    assert timedelta(minutes=95) < charging.until - charging.since < timedelta(minutes=105)


def test_every_span_begins_where_the_one_before_ended() -> None:
    found = of(charging_day(BEGIN))
    for spans in (found.connection, found.operation):
        for before, each in pairwise(spans):
            assert before.until == each.since
        assert spans[-1].until is None


def test_what_began_before_the_window_begins_with_it() -> None:
    found = of(charging_day(BEGIN), hours=2)
    assert [(span.what, span.since) for span in found.connection] == [("connected", found.since)]


def test_another_connector_is_another_story() -> None:
    assert [span.what for span in of(charging_day(BEGIN), connector=2).operation] == ["not known"] * len(
        of(charging_day(BEGIN), connector=2).operation
    )


def test_who_stopped_a_charge_is_named() -> None:
    site = charging_day(BEGIN)
    stop = next(op.event for op in site.ops if isinstance(op.event, e.TransactionStopped))
    known = next(iter(site.state.charge_points.values()))
    by = Author(type=AuthorType.OPERATOR, name="Ann")
    command = Command(
        id="c", action=ActionName.STOP, charge_point=known.id, station=known.station, connector=1, by=by,  # type: ignore[arg-type]
        requested_at=stop.at - timedelta(seconds=10),
    )  # fmt: skip
    ending = of(site, commands=(command,)).operation[3].ending
    assert ending is not None
    assert (ending.code, ending.fields["by"]) == ("ordered_stop", "Ann")


def test_trouble_is_a_span_until_it_is_over() -> None:
    site = MadeSite(BEGIN)
    site.job(row(1, "ZPR104221"))
    site.ready("ZPR104221")
    site.record("station:zpr104221", e.StationFaulted(code="serial_changed"))
    site.record("station:zpr104221", e.StationFaultCleared(code="serial_changed"))
    found = of(site)
    assert [span.what for span in found.connection] == ["connected", "error", "connected"]
    assert [span.ending.code for span in found.connection if span.ending] == ["serial_changed", "fault_cleared"]


def test_of_a_station_that_never_called_nothing_is_told() -> None:
    found = timeline_of([], 1, BEGIN, NOW)
    assert (found.connection, found.operation) == ((), ())
    assert harbour_garage().ops
