"""Equal shared records give an equal digest, and nothing else does."""

from datetime import timedelta

from msgspec.structs import replace

from sitelink import events as e
from sitelink.apply import apply, apply_to
from sitelink.digest import digest_of
from sitelink.ids import JobId
from sitelink.model import SiteState
from sitelink.states import LinkRole
from tests.sitelink.builders import INSTALLER, OPERATOR, Site, bay


def test_every_change_of_what_is_shared_shows() -> None:
    site, seen = Site(), set()

    def changed() -> bool:
        before = len(seen)
        seen.add(digest_of(site.state))
        return len(seen) > before

    assert changed()
    first = site.imported(bay("a", "CP001"), bay("b", "CP002"))
    assert changed()
    site.record("cp:a", e.FieldSet("X"), author=INSTALLER, field="identity", bases=(first.op_id,))
    assert changed()
    site.record("cp:a", e.FieldSet("Y"), author=INSTALLER, field="identity", bases=(first.op_id,))
    assert changed(), "a second head"
    site.record("cp:a", e.NoteAdded("hello"))
    assert changed()
    site.record("cp:a", e.OwnershipLearned("Acme"))
    assert changed()
    site.record("link:l", e.LinkCreated(JobId("j1"), "1" * 64, LinkRole.INSTALLER), job="j1")
    assert changed()
    site.record("link:l", e.LinkRevoked(), job="j1")
    assert changed()
    site.record("id_token:abc", e.IdTokenListed("ABC"))
    assert changed()
    site.record("setting:x", e.SettingSet(1), author=OPERATOR)
    assert changed()
    site.record("job:j1", e.JobCompleted(activate=(), round=1))
    assert changed()
    site.boot("CP001")
    assert not changed(), "a station is the box's alone"


def test_no_clock_takes_part() -> None:
    site, other = Site(), SiteState()
    site.imported(bay("a", "CP001"))
    site.record("cp:a", e.NoteAdded("hello"))
    for op in site.ops:
        later = replace(op, t=replace(op.t, wall=op.t.wall + timedelta(days=3650)))
        apply_to(other, apply(other, later))
    assert digest_of(other) == digest_of(site.state)
