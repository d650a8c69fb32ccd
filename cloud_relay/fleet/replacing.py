"""A box takes another's place, and of two boxes with one disk one stays. SYNC §2.8. Start at `replace_gateway`.

A new box is a new gateway; the site's jobs are in the site's log and come to it from there. The old one is let in once
more, for a while, with what it could not send before: `registration`.
"""

import msgspec

from cloud_relay.fleet.acts import Act
from cloud_relay.fleet.announcing import claim_box
from cloud_relay.fleet.audit import note
from cloud_relay.fleet.ids import GatewayId, TeamId
from cloud_relay.fleet.ports import Books
from cloud_relay.fleet.records import Gateway
from cloud_relay.fleet.sites import add_gateway
from sitelink.errors import GatewayBusy, NotFound


def replace_gateway(
    books: Books, act: Act, team: TeamId, id_: GatewayId, name: str = "", code: str | None = None
) -> tuple[Gateway, str | None]:
    """The new gateway, and its claim where no code of a box was given. An empty name: the old one's.

    The caller ends the old one's link, and limits how often a team may try codes. Raises NotFound, GatewayBusy,
    ClaimInvalid, RequestInvalid.
    """
    old = _gateway(books, team, id_)
    if old.replaced_by is not None:
        raise GatewayBusy(problem="replaced")
    if old.revoked_at is not None:  # it was ended on purpose, and is not let in again
        raise GatewayBusy(problem="revoked")
    if old.enrolled_at is None:
        raise GatewayBusy(problem="not_enrolled")
    site = books.sites.of(team, old.site)
    if site is None or site.removed_at is not None:
        raise NotFound(what="site", key=old.site)
    claim: str | None = None
    if code:
        new = claim_box(books, act, site, name or old.name, code)
    else:
        new, claim = add_gateway(books, act, site, name or old.name)
    books.sites.put_gateway(msgspec.structs.replace(old, revoked_at=act.at, replaced_by=new.id))
    note(books, act, "gateway.replaced", team, "gateway", old.id, old.name, after={"by": new.id, "name": new.name})
    return new, claim


def release_quarantine(books: Books, act: Act, team: TeamId, id_: GatewayId, boot: str) -> Gateway:
    """The box that started as `boot` may come again; the other starts that were seen may not.

    Raises NotFound, GatewayBusy (not_quarantined; boot, with those that were seen).
    """
    gateway, link = _gateway(books, team, id_), books.links.of(id_)
    if link is None or link.quarantined_at is None:
        raise GatewayBusy(problem="not_quarantined")
    seen = tuple(dict.fromkeys(link.boots))
    if boot not in seen:
        raise GatewayBusy(problem="boot", allowed=", ".join(seen))
    barred = tuple(each for each in seen if each != boot)
    released = msgspec.structs.replace(
        link, quarantined_at=None, alarm=None, fences=(), boots=(boot,), barred=barred
    )  # fmt: skip
    books.links.put(released)
    note(
        books, act, "gateway.quarantine_released", team, "gateway", id_, gateway.name,
        before={"alarm": link.alarm}, after={"boot": boot},
    )  # fmt: skip
    return gateway


def _gateway(books: Books, team: TeamId, id_: GatewayId) -> Gateway:
    found = books.sites.gateway(team, id_)
    if found is None:
        raise NotFound(what="gateway", key=id_[:64])
    return found
