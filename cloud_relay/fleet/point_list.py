"""The charge points of a team's sites in one list: searched, filtered, page by page. Pure. Start at `listed`."""

import re
from collections.abc import Iterable, Sequence

import msgspec

from cloud_relay.fleet.ids import key_of
from cloud_relay.fleet.points import Point, points_of
from cloud_relay.fleet.records import Site
from sitelink.model import SiteState
from sitelink.states import ChargePointState, IntegrationState

NOT_SET_UP = "none"
"""The filter's word for a charge point without an integration."""
CONNECTIONS = (*(each.value for each in IntegrationState), NOT_SET_UP)
STATES = tuple(each.value for each in ChargePointState)
_DIGITS = re.compile(r"\d+")


class Wanted(msgspec.Struct, frozen=True):
    """What is looked for; "" leaves a part open. `connection` and `state` are of CONNECTIONS and STATES."""

    text: str = ""
    site: str = ""
    connection: str = ""
    state: str = ""


class Placed(msgspec.Struct, frozen=True):
    """A charge point, its site, and its place in the list."""

    site: Site
    point: Point
    place: tuple[str, str]


def listed(sites: Iterable[tuple[Site, SiteState]], wanted: Wanted) -> list[Placed]:
    """In the order of sites' names, and at a site of charge points' names, Bay 2 before Bay 10."""
    found = []
    for site, state in sites:
        if wanted.site in ("", site.id):
            here = [Placed(site, point, _place(site, point)) for point in points_of(state)]
            found += sorted((each for each in here if _is_wanted(each, wanted)), key=lambda each: each.place)
    return found


def after(found: Sequence[Placed], place: tuple[str, str] | None) -> list[Placed]:
    """Those behind a place."""
    return [each for each in found if place is None or each.place > place]


def _place(site: Site, point: Point) -> tuple[str, str]:
    name = _DIGITS.sub(lambda number: number[0].zfill(9), point.row.name.casefold())
    return key_of(site.name), f"{site.id}/{name}/{point.row.id}"


def _is_wanted(placed: Placed, wanted: Wanted) -> bool:
    status = placed.point.status
    connection = status.integration.value if status.integration is not None else NOT_SET_UP
    return (
        wanted.connection in ("", connection)
        and wanted.state in ("", status.state.value)
        and key_of(wanted.text) in _read(placed)
    )  # fmt: skip


def _read(placed: Placed) -> str:
    row, station = placed.point.row, placed.point.station
    said = (station.vendor, station.model, station.serial, station.firmware) if station is not None else ()
    texts = (placed.site.name, row.name, row.identity, row.model, placed.point.job.number, *said)
    return "\n".join(text for text in texts if text).casefold()
