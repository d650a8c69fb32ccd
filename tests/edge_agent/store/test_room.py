"""How long the store lasts: measured with a busy site's hours, and said from what was written."""

from datetime import timedelta
from pathlib import Path

from sitelink import events as e
from sitelink.ids import StationKey, TransactionId
from sitelink.ops import STATION, Fact
from sitelink.states import AuthorizationStatus, ConnectorStatus
from tests.doubles.clock import FakeClock
from tests.edge_agent.store.facts import connected, meter, opened, writing

STATIONS = 20
HOURS = 6
GIB = 1024**3
DAYS_OFFLINE = 30


def values(clock: FakeClock, station: StationKey, minute: int) -> Fact:
    """As charge points send them in a charge: power, current of three phases, energy."""
    samples = (
        e.MeterSample("Power.Active.Import", "W", 11_000.0),
        *(e.MeterSample("Current.Import", "A", 16.0, phase=phase) for phase in ("L1", "L2", "L3")),
        e.MeterSample("Energy.Active.Import.Register", "Wh", 120_000.0 + minute),
    )
    content = f"{station}{minute}".ljust(64, "0")
    event = e.MeterValuesReported(
        connector=1, at=clock.now(), samples=samples, content=content, transaction=TransactionId(minute // 60 + 1)
    )
    return Fact(f"station:{station}", event, STATION)


def hourly(clock: FakeClock, station: StationKey, hour: int) -> tuple[Fact, ...]:
    """A charge that ends, and one that begins."""
    entity, id_ = f"station:{station}", TransactionId(hour + 1)
    words = (ConnectorStatus.FINISHING, ConnectorStatus.AVAILABLE, ConnectorStatus.PREPARING, ConnectorStatus.CHARGING)
    told = (e.ConnectorChanged(connector=1, status=word, at=clock.now()) for word in words)
    start = e.TransactionStarted(
        id=id_, connector=1, id_token="04A1B2C3D4E5", at=clock.now(), content=f"{station}start{hour}".ljust(64, "0"),
        verdict=AuthorizationStatus.ACCEPTED, meter_start_wh=120_000.0,
    )  # fmt: skip
    stop = e.TransactionStopped(
        id=TransactionId(hour), at=clock.now(), content=f"{station}stop{hour}", meter_stop_wh=130_000
    )
    events = (stop, *told, start)
    return tuple(Fact(entity, event, STATION) for event in events)


async def test_thirty_days_of_twenty_charge_points_fit_into_a_gibibyte(tmp_path: Path) -> None:
    clock = FakeClock()
    stations = [StationKey(f"cp{number:03}") for number in range(STATIONS)]
    async with opened(tmp_path, clock) as store:
        await store.journal.write(writing(*(connected(station) for station in stations)))
        empty = (await store.uplink.room(None)).used_bytes
        for minute in range(HOURS * 60):
            clock.advance(60)
            facts = [values(clock, station, minute) for station in stations]
            if minute % 60 == 0:
                facts += [fact for station in stations for fact in hourly(clock, station, minute // 60)]
            await store.journal.write(writing(*facts))
        room = await store.uplink.room(GIB)
    measured = (room.used_bytes - empty) * 24 / HOURS
    print(f"{STATIONS} charge points: {measured:,.0f} bytes/day, said {room.bytes_per_day:,} bytes/day")
    assert measured * DAYS_OFFLINE < GIB
    assert room.bytes_per_day is not None
    assert 0.7 * measured < room.bytes_per_day < 1.5 * measured, "what is said is what is written"
    assert room.days_left is not None
    assert room.days_left > DAYS_OFFLINE
    assert room.oldest_unsent is not None


async def test_a_young_store_says_that_it_does_not_know(tmp_path: Path) -> None:
    clock = FakeClock()
    async with opened(tmp_path, clock) as store:
        assert (await store.uplink.room(GIB)).oldest_unsent is None
        await store.journal.write(writing(connected(), meter("1")))
        room = await store.uplink.room(GIB)
        assert (room.bytes_per_day, room.days_left, room.oldest_unsent) == (None, None, clock.now())
        await store.uplink.acked("log", ((0, 1),))
        assert (await store.uplink.room(GIB)).oldest_unsent is None


async def test_the_least_of_disk_and_limit_counts_and_only_the_last_day(tmp_path: Path) -> None:
    clock = FakeClock()
    async with opened(tmp_path, clock, telemetry_max_rows=1000) as store:
        for n in range(200):  # a busy morning, long ago
            await store.journal.write(writing(meter(f"old{n}")))
        clock.advance(timedelta(days=9).total_seconds())
        for n in range(24):
            clock.advance(3600)
            await store.journal.write(writing(meter(f"new{n}")))
        room = await store.uplink.room(GIB)
        assert room.days_left is not None
        assert 30 < room.days_left < 34, "776 rows are left, and it writes some 24 a day"
        assert room.bytes_per_day is not None
        short = await store.uplink.room(room.bytes_per_day * 3)
        assert short.days_left is not None
        assert 2.9 < short.days_left < 3.1
