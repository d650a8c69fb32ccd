"""Whether what was said from above is on the boxes of a site yet. Start at `waiting`.

A box that was ended (revoked, replaced) is waited for by nobody.
"""

from collections.abc import Sequence

from cloud_relay.fleet.ids import SiteId, TeamId
from cloud_relay.fleet.log_records import BoxLink
from cloud_relay.fleet.ports import Books


def links_that_count(books: Books, team: TeamId, site: SiteId) -> Sequence[BoxLink]:
    """Of the boxes that are served."""
    ended = {each.id for each in books.sites.gateways_of(team, site) if each.revoked_at is not None}
    return [link for link in books.links.of_site(site) if link.gateway not in ended]


def shown_links(books: Books, site: SiteId) -> Sequence[BoxLink]:
    """Those by which a site is shown: of boxes that were ended only while there is no other."""
    links = books.links.of_site(site)
    return (links_that_count(books, links[0].team, site) or links) if len(links) > 1 else links


def waiting(books: Books, team: TeamId, site: SiteId, kind: str) -> frozenset[str]:
    """Keys of entities of `kind` (setting, id_token, …) whose newest change not every box that is served has.

    A key that is gone is among them where its going is.
    """
    links = links_that_count(books, team, site)
    upto = min((link.cursor for link in links), default=0)
    return frozenset(books.logs.changed_after(site, upto, f"{kind}:"))
