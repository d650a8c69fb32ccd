"""The audit log: read by filters, and never changed."""

from datetime import timedelta

import pytest
import sqlalchemy as sa

from cloud_relay.fleet.ids import TeamId
from cloud_relay.fleet.records import AuditEntry, Team
from cloud_relay.store import schema
from cloud_relay.store.store import Store
from tests.cloud_relay.made import NOW

TEAM = TeamId("t1")


def entry(kind: str, actor: str = "Ann", minutes: int = 0, **after: str) -> AuditEntry:
    at = NOW + timedelta(minutes=minutes)
    return AuditEntry(at, TEAM, "user", "u1", actor, "192.0.2.1", kind, "site", "s1", "Harbour", {}, after)


def filled(store: Store) -> None:
    store.write_now(lambda books: books.accounts.add_team(Team(TEAM, "Acme", NOW)))
    for each in (
        entry("site.created", name="100 %"),
        entry("site.changed", "Bob", 5),
        entry("token.created", "Ann", 9),
    ):
        store.write_now(lambda books, made=each: books.audit.add(made))


def kinds(store: Store, **chosen: object) -> list[str]:
    page = store.read_now(lambda books: books.audit.page(TEAM, limit=10, **chosen))  # type: ignore[arg-type]
    return [each.kind for each in page]


def test_filters_find_what_they_say_newest_first(store: Store) -> None:
    filled(store)
    assert kinds(store) == ["token.created", "site.changed", "site.created"]
    assert kinds(store, actor="bo") == ["site.changed"]
    assert kinds(store, kind="site.") == ["site.changed", "site.created"]
    assert kinds(store, kind="site.created") == ["site.created"]
    assert kinds(store, text="100 %") == ["site.created"]
    assert kinds(store, text="1__") == []
    assert kinds(store, since=NOW + timedelta(minutes=6)) == ["token.created"]
    assert kinds(store, until=NOW + timedelta(minutes=1)) == ["site.created"]
    newest = store.read_now(lambda books: books.audit.page(TEAM, limit=1))[0]
    assert kinds(store, before=newest.seq) == ["site.changed", "site.created"]
    assert store.read_now(lambda books: books.audit.page(TeamId("t2"), limit=9)) == []


@pytest.mark.parametrize("change", [sa.update(schema.audit).values(kind="x"), sa.delete(schema.audit)])
def test_nobody_changes_or_removes_an_entry(store: Store, change: sa.Executable) -> None:
    filled(store)
    with pytest.raises(Exception, match="append-only"):
        store._database.write(lambda connection: connection.execute(change)).result()
    assert len(kinds(store)) == 3
