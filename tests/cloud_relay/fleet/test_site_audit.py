"""What people do on a site, as entries of the audit log."""

from cloud_relay.fleet.site_audit import KINDS
from cloud_relay.store.store import Store
from sitelink import events as e
from sitelink.events import TYPE_BY_KIND
from sitelink.ops import BOX, Author, Fact
from sitelink.states import AuthorType
from tests.cloud_relay.made import OPERATOR, at, imported, site

INSTALLER = Author(type=AuthorType.INSTALLER, link="l1", name="Sam")


def test_every_kind_there_is_a_word_for_exists() -> None:
    assert set(KINDS) <= set(TYPE_BY_KIND)


def test_what_operators_and_installers_did_is_noted_and_what_the_box_found_is_not(store: Store) -> None:
    place, _ = site(store)
    op = imported("CP001")

    def work(desk):  # type: ignore[no-untyped-def]
        desk.record((Fact(op.entity, op.event, OPERATOR, job=op.job),))
        row = desk.state.jobs[op.job].charge_points[0]
        desk.record((Fact(f"cp:{row}", e.NoteAdded("x" * 999), INSTALLER, job=op.job),))
        desk.record((Fact(f"cp:{row}", e.FieldSet("CP009"), INSTALLER, job=op.job, field="identity"),))
        desk.record((Fact(f"job:{op.job}", e.JobArchived(), BOX, job=op.job),))

    at(store, place, work)
    found = store.read_now(lambda books: books.audit.page(place.team, limit=3))
    assert [each.kind for each in found] == ["charge_point.changed", "charge_point.note", "job.created"]
    changed, note, created = found
    assert (changed.actor_kind, changed.actor_id, changed.actor_name) == ("link", "l1", "Sam")
    assert (changed.target_kind, changed.target_name) == ("charge_point", "Bay 1, job j1")
    assert changed.after == {"identity": "CP009"}
    assert len(note.after["text"]) == 200
    assert (created.actor_kind, created.actor_name, created.target_name) == ("user", "Desk", "job j1")


def test_a_link_is_noted_without_what_opens_it(store: Store) -> None:
    place, _ = site(store)
    op = imported("CP001")

    def work(desk):  # type: ignore[no-untyped-def]
        desk.record((Fact(op.entity, op.event, OPERATOR, job=op.job),))
        from cloud_relay.fleet.jobs import make_link
        from sitelink.states import LinkRole

        return make_link(desk, op.job, OPERATOR, role=LinkRole.INSTALLER)

    token = at(store, place, work)
    (entry,) = store.read_now(lambda books: books.audit.page(place.team, limit=9, kind="link.created"))
    assert token not in str(entry.after)
    assert set(entry.after) == {"role", "expires_at"}
