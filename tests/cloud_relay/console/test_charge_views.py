"""Charges in words."""

from datetime import timedelta

import pytest

from cloud_relay.console.charge_views import charge_row, span_words
from sitelink.ids import StationKey, TransactionId
from sitelink.model import Transaction
from tests.cloud_relay.made import NOW


def test_a_card_is_masked_and_energy_counted() -> None:
    charge = Transaction(
        id=TransactionId(7), station=StationKey("cp"), connector=1, started_at=NOW, id_token="04A1B2C3D4E5",
        meter_start_wh=100.0, stopped_at=NOW + timedelta(minutes=65), meter_stop_wh=2100.0, reason="Remote",
    )  # fmt: skip
    shown = charge_row(charge)
    assert "A1B2C3D4" not in shown.token
    assert (shown.energy_wh, shown.lasted, shown.reason, shown.running) == (
        2000.0, "1 h 05 min", "stopped remotely", False
    )  # fmt: skip
    assert shown.flaws == ()


def test_what_is_not_complete_is_said() -> None:
    orphan = Transaction(
        id=TransactionId(7), station=StationKey("cp"), connector=1, stopped_at=NOW, orphan=True,
        flags=("energy_went_back",),
    )  # fmt: skip
    flaws = charge_row(orphan).flaws
    assert flaws[:2] == ("Its beginning was never told.", "What it charged was not told.")
    assert len(flaws) == 3


@pytest.mark.parametrize(("seconds", "words"), [(40, "40 s"), (720, "12 min"), (3900, "1 h 05 min"), (-5, "0 s")])
def test_a_time_in_words(seconds: float, words: str) -> None:
    assert span_words(timedelta(seconds=seconds)) == words
