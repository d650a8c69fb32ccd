"""What both ends may write, what only the box writes, and what never leaves it."""

import pytest

from sitelink import events as e
from sitelink.events import KIND_BY_TYPE
from sitelink.ids import JobId
from sitelink.shared import KEPT_AT_THE_BOX, copied, is_shared, is_shared_record, leaves_the_box, shared_records
from sitelink.states import LinkRole
from tests.sitelink.builders import OPERATOR, Site, bay


@pytest.mark.parametrize(
    ("entity", "job", "shared"),
    [
        ("job:j", "j", True), ("cp:a", "j", True), ("link:l", "j", True), ("id_token:t", None, True),
        ("setting:x", None, True), ("link:l", None, False), ("station:cp001", None, False), ("box:", None, False),
        ("security:cp001", None, False), ("command:c", "j", False), ("station:cp001", "j", False),
    ],
)  # fmt: skip
def test_which_facts_are_shared(entity: str, job: str | None, shared: bool) -> None:
    assert is_shared(entity, JobId(job) if job else None) is shared


def test_whatever_holds_a_verifier_stays_at_the_box() -> None:
    with_verifier = {kind for of, kind in KIND_BY_TYPE.items() if "verifier" in of.__struct_fields__}
    assert with_verifier <= KEPT_AT_THE_BOX
    for kind in KEPT_AT_THE_BOX:
        assert not leaves_the_box(kind, "security:cp001", None)
    assert not leaves_the_box("link.create", "link:admin", None)
    assert leaves_the_box("link.create", "link:l", JobId("j"))
    assert leaves_the_box("station.booted", "station:cp001", None)


def test_an_admin_token_is_no_shared_record() -> None:
    site = Site()
    site.imported(bay("a", "CP001"))
    site.boot("CP001")
    site.record("link:admin", e.LinkCreated(JobId(""), "0" * 64, LinkRole.ADMIN))
    site.record("link:l", e.LinkCreated(JobId("j1"), "1" * 64, LinkRole.INSTALLER), job="j1")
    assert set(shared_records(site.state)) == {"job:j1", "cp:a", "link:l"}
    assert not any(is_shared_record(each) for each in site.state.stations.values())


def test_a_copy_can_be_changed_without_the_other() -> None:
    site = Site()
    site.imported(bay("a", "CP001"))
    site.record("setting:x", e.SettingSet(1), author=OPERATOR)
    copy = copied(site.state)
    copy.drop("cp:a")
    copy.drop("setting:x")
    assert set(shared_records(site.state)) == {"job:j1", "cp:a", "setting:x"}
