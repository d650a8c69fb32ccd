"""A team's sites and the gateways on them. Start at `add_site`, `add_gateway`."""

from datetime import timedelta

import msgspec

from cloud_relay.fleet import tokens
from cloud_relay.fleet.acts import Act
from cloud_relay.fleet.audit import note
from cloud_relay.fleet.ids import GatewayId, SiteId, TeamId, new_id
from cloud_relay.fleet.ports import Books
from cloud_relay.fleet.records import Gateway, Site
from cloud_relay.fleet.texts import text_in
from sitelink.errors import NameTaken, NotFound

ADDRESS_MAX_CHARACTERS = 500
CLAIM_GOOD_FOR = timedelta(days=7)


def add_site(books: Books, act: Act, team: TeamId, name: str, address: str = "") -> Site:
    """Raises RequestInvalid, NameTaken."""
    site = Site(
        SiteId(new_id()), team, text_in(name, "name"),
        text_in(address, "address", most=ADDRESS_MAX_CHARACTERS, needed=False), act.at,
    )  # fmt: skip
    if books.sites.named(team, site.name) is not None:
        raise NameTaken(what="site", name=site.name)
    books.sites.add(site)
    note(
        books, act, "site.created", team, "site", site.id, site.name, after={"name": site.name, "address": site.address}
    )
    return site


def find_site(books: Books, team: TeamId, named: str) -> Site:
    """By id or by name, while it is there. Raises NotFound."""
    site = books.sites.of(team, SiteId(named)) or books.sites.named(team, named)
    if site is None or site.removed_at is not None:
        raise NotFound(what="site", key=named)
    return site


def change_site(books: Books, act: Act, site: Site, name: str, address: str) -> Site:
    """Another name, another address. Raises RequestInvalid, NameTaken."""
    changed = msgspec.structs.replace(
        site, name=text_in(name, "name"),
        address=text_in(address, "address", most=ADDRESS_MAX_CHARACTERS, needed=False),
    )  # fmt: skip
    if changed == site:
        return site
    other = books.sites.named(site.team, changed.name)
    if other is not None and other.id != site.id:
        raise NameTaken(what="site", name=changed.name)
    books.sites.put(changed)
    before, after = ({"name": each.name, "address": each.address} for each in (site, changed))
    note(books, act, "site.changed", site.team, "site", site.id, changed.name, before, after)
    return changed


def remove_site(books: Books, act: Act, site: Site) -> list[GatewayId]:
    """It is in no list any more, and its boxes are served no more: which those are. What they told stays."""
    books.sites.put(msgspec.structs.replace(site, removed_at=act.at))
    boxes = [each.id for each in books.sites.gateways_of(site.team, site.id) if each.revoked_at is None]
    for box in boxes:
        revoke_gateway(books, act, site.team, box)
    note(books, act, "site.removed", site.team, "site", site.id, site.name)
    return boxes


def add_gateway(books: Books, act: Act, site: Site, name: str) -> tuple[Gateway, str]:
    """A box that is to come, and its claim: what it shows once to be enrolled. Raises RequestInvalid."""
    gateway = Gateway(
        GatewayId(new_id()), site.team, site.id, text_in(name, "name"), act.at,
        claim_expires_at=act.at + CLAIM_GOOD_FOR,
    )  # fmt: skip
    claim = tokens.new_token(tokens.CLAIM)
    books.sites.add_gateway(gateway, tokens.sha256_of(claim))
    after = {"name": gateway.name, "site": site.name}
    note(books, act, "gateway.created", site.team, "gateway", gateway.id, gateway.name, after=after)
    return gateway, claim


def revoke_gateway(books: Books, act: Act, team: TeamId, id_: GatewayId) -> Gateway:
    """The box is not to be served any more; once is as good as twice. Raises NotFound."""
    gateway = books.sites.gateway(team, id_)
    if gateway is None:
        raise NotFound(what="gateway", key=id_[:64])
    if gateway.revoked_at is None:
        gateway = msgspec.structs.replace(gateway, revoked_at=act.at)
        books.sites.put_gateway(gateway)
        note(books, act, "gateway.revoked", team, "gateway", gateway.id, gateway.name)
    return gateway


def clear_alarm(books: Books, act: Act, team: TeamId, id_: GatewayId) -> None:
    """Somebody has looked: a box that was restored is trusted again, one that was stopped may connect again.

    Raises NotFound.
    """
    gateway, link = books.sites.gateway(team, id_), books.links.of(id_)
    if gateway is None:
        raise NotFound(what="gateway", key=id_[:64])
    if link is None or (link.alarm is None and link.quarantined_at is None):
        return
    books.links.put(msgspec.structs.replace(link, alarm=None, quarantined_at=None, fences=()))
    note(books, act, "gateway.alarm_cleared", team, "gateway", id_, gateway.name, before={"alarm": link.alarm})
