"""A team gives up a serial that it has, to whom it may concern or to one that waits for it, or takes it back.

What its jobs say stays as it is: they are the record of what was commissioned. Start at `release`. Whose identities are
is decided in `follow_ups`.
"""

import msgspec

from cloud_relay.fleet.acts import Act
from cloud_relay.fleet.audit import note
from cloud_relay.fleet.follow_ups import claim
from cloud_relay.fleet.log_records import Owner, Place
from cloud_relay.fleet.ports import Books
from cloud_relay.fleet.site_desk import SiteDesk
from sitelink.errors import NotFound, SerialNotHeld
from sitelink.ids import ChargePointId
from sitelink.job_rules import decide_activity
from sitelink.model import ChargePoint
from sitelink.ops import Author


class Holding(msgspec.Struct, frozen=True):
    """How a row stands to the serial it names. `wanted_by`: names of teams that wait for it, first who gets it.

    `state`: held (it is this site's), given_up, other (another team's, or another site's of this one), none.
    """

    state: str
    owner: str | None
    wanted_by: tuple[str, ...]


def holding_of(books: Books, place: Place, row: ChargePoint) -> Holding:
    if not row.station:
        return Holding("none", None, ())
    owner = books.identities.owner(row.station)
    name = owner.team_name if owner is not None else None
    if books.identities.given_up(place.site, row.id) == row.station:
        return Holding("given_up", name, ())
    if owner is None or owner.site != place.site:
        return Holding("other" if owner is not None else "none", name, ())
    teams = (each.team_name for each in books.identities.wanted_by(row.station))
    return Holding("held", name, tuple(dict.fromkeys(teams)))


def release(desk: SiteDesk, act: Act, author: Author, id_: ChargePointId, to: str = "") -> str | None:
    """The serial is nobody's, or theirs who wait for it: first those of the team named `to`. All rows of the site that
    name it are switched off. Answers the team that has it now.

    Raises NotFound (charge_point, team), SerialNotHeld, ChargeActive.
    """
    row = _row(desk, id_)
    owner = desk.books.identities.owner(row.station) if row.station else None
    if owner is None or owner.site != desk.site:
        raise SerialNotHeld(name=row.name, serial=row.identity or "", team=owner.team_name if owner else None)
    wanting = desk.books.identities.wanted_by(row.station)
    chosen = [each for each in wanting if each.team_name == to] if to else wanting
    if to and not chosen:
        raise NotFound(what="team", key=to[:64])
    rows = [each for each in desk.state.charge_points.values() if each.station == row.station]
    desk.decide(decide_activity([each.id for each in rows], author, active=False))
    for each in rows:
        desk.books.identities.give_up(row.station, desk.site, each.id)
    desk.books.identities.release(row.station)
    heir = chosen[0] if chosen else None
    if heir is not None:
        there = Owner(row.station, heir.team, heir.team_name, heir.site, heir.charge_point, desk.now)
        desk.books.identities.claim(there)
    desk.released.append(row.station)
    _tell(desk, row.station)
    new = {"serial": row.identity, "team": heir.team_name if heir else None}
    note(desk.books, act, "serial.released", desk.team, "charge_point", row.id, row.name, after=new)
    if heir is not None:
        said = {"serial": row.identity, "from": desk.team_name}
        note(desk.books, act, "serial.received", heir.team, "charge_point", heir.charge_point, "", after=said)
    return heir.team_name if heir is not None else None


def take_back(desk: SiteDesk, act: Act, id_: ChargePointId) -> None:
    """The row counts for its serial again; where another team has it now, it waits for it.

    Raises NotFound, SerialNotHeld where it was not given up.
    """
    row = _row(desk, id_)
    if desk.books.identities.given_up(desk.site, id_) != row.station:
        raise SerialNotHeld(name=row.name, serial=row.identity or "", team=None)
    for each in [each for each in desk.state.charge_points.values() if each.station == row.station]:
        desk.books.identities.take_back(desk.site, each.id)
        claim(desk, desk.state.charge_points[each.id])
    note(
        desk.books,
        act,
        "serial.taken_back",
        desk.team,
        "charge_point",
        row.id,
        row.name,
        after={"serial": row.identity},
    )


def _tell(desk: SiteDesk, station: str) -> None:
    for each in tuple(desk.state.charge_points.values()):
        if each.station == station:
            claim(desk, each)


def _row(desk: SiteDesk, id_: ChargePointId) -> ChargePoint:
    row = desk.state.charge_points.get(id_)
    if row is None:
        raise NotFound(what="charge_point", key=id_[:64])
    return row
