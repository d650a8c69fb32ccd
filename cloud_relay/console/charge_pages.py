"""A charging transaction: who, when, how much, and the curve of its power and energy. Start at `get_charge`."""

from collections.abc import Iterable
from datetime import timedelta

import msgspec
from aiohttp import web

from cloud_relay.console.caller import STORE
from cloud_relay.console.charge_point_pages import Here, here
from cloud_relay.console.charge_views import charge_row
from cloud_relay.console.curve_views import drawing_of
from cloud_relay.console.drawing import drawn
from cloud_relay.console.live_pages import seq_here
from cloud_relay.console.site_views import point_rows, stale_since
from cloud_relay.fleet.curve import curve_of
from cloud_relay.fleet.log_records import Measured
from cloud_relay.fleet.ports import Books
from sitelink.errors import NotFound
from sitelink.events import MeterValuesReported
from sitelink.ids import TransactionId
from sitelink.model import Transaction
from sitelink.ops import decode_op
from web_ui.routes import Route

VALUES_READ = 20_000
LATE = timedelta(minutes=1)
"""So long after its end a charge's last values may be."""


async def get_charge(request: web.Request) -> web.Response:
    seq, found = seq_here(request), await here(request)
    charge, values = await request.app[STORE].read(lambda books: _told(books, found, request.match_info["charge"]))
    shown = charge_row(charge)
    curve = curve_of(charge, _events(values))
    drawing = drawing_of(curve)
    now = found.snapshot.now
    if shown.running:
        so_far = next((each.energy_wh for each in reversed(curve.points) if each.energy_wh is not None), None)
        shown = msgspec.structs.replace(shown, energy_wh=so_far)
    return drawn(
        request, "charge", here="points", site=found.site, point=point_rows([found.point], now)[0], charge=shown,
        drawing=drawing, seq=seq, begin_wh=charge.meter_start_wh, end_wh=charge.meter_stop_wh,
        stale_since=stale_since(found.boxes),
    )  # fmt: skip


def _told(books: Books, found: Here, named: str) -> tuple[Transaction, list[Measured]]:
    """Of the charge point of the address alone. Raises NotFound."""
    row = found.point.row
    boxes = sorted(found.links, key=lambda link: (link.connected_at is None, link.connected_at), reverse=True)
    id_ = TransactionId(int(named)) if named.isascii() and named.isdecimal() and len(named) <= 15 else None
    known = (books.logs.transaction(box.gateway, id_) for box in boxes) if id_ is not None else ()
    charge = next((each for each in known if each is not None and each.station == row.station), None)
    if charge is None:
        raise NotFound(what="transaction", key=named[:64])
    begin = charge.started_at or charge.stopped_at
    if begin is None:
        return charge, []
    end = (charge.stopped_at or found.snapshot.now) + LATE
    return charge, list(books.logs.measured(found.site.id, charge.station, begin - LATE, end, VALUES_READ))


def _events(values: Iterable[Measured]) -> list[MeterValuesReported]:
    events = (decode_op(each.body).event for each in values)
    return [event for event in events if isinstance(event, MeterValuesReported)]


ROUTES = (
    Route("GET", "/t/{team}/sites/{site}/charge-points/{charge_point}/charges/{charge}", get_charge, "A charge.",
          media="text/html", auth="member", scope="sites:read"),
)  # fmt: skip
