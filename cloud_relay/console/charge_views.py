"""Charging transactions in words. Pure. Start at `charge_row`; the curve of one: `curve`."""

from datetime import datetime, timedelta

import msgspec

from sitelink.model import Transaction
from sitelink.redact import mask_id_token
from web_ui import ocpp_words


class ChargeRow(msgspec.Struct, frozen=True):
    """A charge. `token` is masked; `energy_wh` None: not known (yet). `flaws`: what is not complete about it."""

    id: int
    connector: int
    running: bool
    test: bool
    started_at: datetime | None
    stopped_at: datetime | None
    lasted: str
    energy_wh: float | None
    token: str
    token_type: str
    verdict: str
    reason: str
    name: str
    flaws: tuple[str, ...]


def charge_row(charge: Transaction) -> ChargeRow:
    begin, end = charge.meter_start_wh, charge.meter_stop_wh
    return ChargeRow(
        id=charge.id, connector=charge.connector, running=charge.open, test=charge.test, started_at=charge.started_at,
        stopped_at=charge.stopped_at, lasted=_lasted(charge),
        energy_wh=max(0.0, end - begin) if begin is not None and end is not None else None,
        token=mask_id_token(charge.id_token) if charge.id_token else "", token_type=charge.token_type or "",
        verdict=charge.verdict.value if charge.verdict is not None else "",
        reason=ocpp_words.reason(charge.reason) if charge.reason and not charge.open else "", name=charge.name or "",
        flaws=tuple(_flaws(charge)),
    )  # fmt: skip


def _lasted(charge: Transaction) -> str:
    if charge.started_at is None or charge.stopped_at is None:
        return ""
    return span_words(charge.stopped_at - charge.started_at)


def span_words(span: timedelta) -> str:
    """1 h 05 min, 12 min, 40 s."""
    seconds = max(0, round(span.total_seconds()))
    hours, minutes = seconds // 3600, seconds % 3600 // 60
    if hours:
        return f"{hours} h {minutes:02} min"
    return f"{minutes} min" if minutes else f"{seconds} s"


def _flaws(charge: Transaction) -> list[str]:
    found = []
    if charge.orphan:
        found.append("Its beginning was never told.")
    if charge.missing_events:
        count = charge.missing_events
        found.append(f"{count} {'message' if count == 1 else 'messages'} about it did not come.")
    if not charge.open and charge.stopped_at is not None and charge.meter_stop_wh is None:
        found.append("What it charged was not told.")
    return [*found, *(f"{ocpp_words.FLAGS.get(flag, flag).capitalize()}." for flag in charge.flags)]
