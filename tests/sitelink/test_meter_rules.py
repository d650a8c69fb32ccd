"""Meters of a job: added, changed, taken off."""

import msgspec
import pytest

from sitelink import meter_rules as rules
from sitelink.errors import JobReadOnly, MeterExists, MeterInvalid, NotFound
from sitelink.events import JobArchived, MeterListed
from sitelink.job_file import METERS_MAX
from sitelink.ops import Author
from sitelink.states import AuthorType
from tests.sitelink.builders import INSTALLER, Site, bay

MAIN = MeterListed("Main", "abb-b23", "tcp://192.0.2.7")


class Sight:
    """See `sitelink.decisions.Sight`."""

    def __init__(self, site: Site) -> None:
        self.state = site.state


@pytest.fixture
def site() -> Site:
    made = Site()
    made.imported(bay())
    return made


def do(site: Site, decide: object) -> int:
    """How many facts it wrote."""
    decision = decide(Sight(site))  # type: ignore[operator]
    for fact in decision.facts:
        site.record(fact.entity, fact.event, author=fact.author, job=fact.job)
    return len(decision.facts)


def names(site: Site) -> list[str]:
    return [meter.name for meter in site.job.meters]


def test_meters_are_added_changed_in_their_place_and_taken_off(site: Site) -> None:
    job = site.job.id
    for name in ("Main", "Hall", "Roof"):
        do(site, rules.decide_put(job, msgspec.structs.replace(MAIN, name=name), INSTALLER))
    assert names(site) == ["Main", "Hall", "Roof"]
    do(
        site,
        rules.decide_put(job, msgspec.structs.replace(MAIN, name=" Yard ", unit_id=4), INSTALLER, instead_of="Hall"),
    )
    assert names(site) == ["Main", "Yard", "Roof"]
    assert site.job.meters[1].unit_id == 4
    do(site, rules.decide_remove(job, "Main", INSTALLER))
    assert names(site) == ["Yard", "Roof"]


def test_what_changes_nothing_writes_nothing(site: Site) -> None:
    do(site, rules.decide_put(site.job.id, MAIN, INSTALLER))
    assert do(site, rules.decide_put(site.job.id, MAIN, INSTALLER, instead_of="Main")) == 0


def test_a_name_is_used_once_and_what_is_not_there_is_not_changed(site: Site) -> None:
    do(site, rules.decide_put(site.job.id, MAIN, INSTALLER))
    with pytest.raises(MeterExists):
        do(site, rules.decide_put(site.job.id, MAIN, INSTALLER))
    with pytest.raises(NotFound):
        do(site, rules.decide_put(site.job.id, MAIN, INSTALLER, instead_of="Other"))
    with pytest.raises(NotFound):
        do(site, rules.decide_remove(site.job.id, "Other", INSTALLER))


@pytest.mark.parametrize(
    ("field", "value"),
    [
        ("name", " "), ("name", "x" * 81), ("name", "a\nb"), ("profile", ""), ("transport", ""),
        ("transport", "x" * 201), ("transport", "http://192.0.2.7"), ("transport", "tcp://198.18.0.1:502/x"),
        ("transport", "tcp://8.8.8.8"), ("transport", "tcp://meters.example.com"), ("transport", "rtu:///dev/sda"),
        ("name", ".."),
        ("unit_id", 256), ("unit_id", -1), ("ratio", 0.0), ("ratio", 10_001.0), ("ratio", float("nan")),
    ],
)  # fmt: skip
def test_a_field_that_cannot_be_so_is_named(field: str, value: object) -> None:
    with pytest.raises(MeterInvalid) as caught:
        rules.checked(msgspec.structs.replace(MAIN, **{field: value}), INSTALLER)
    assert caught.value.fields["where"] == field


@pytest.mark.parametrize("transport", ["tcp://meter", "tcp://meter.local:1502", "udp://10.0.0.4", "rtu:///dev/ttyUSB0"])
def test_an_installer_names_what_is_on_site_and_an_operator_what_there_is(transport: str) -> None:
    assert rules.checked(msgspec.structs.replace(MAIN, transport=transport), INSTALLER).transport == transport
    far = msgspec.structs.replace(MAIN, transport="tcp://meters.example.com")
    assert rules.checked(far, Author(AuthorType.OPERATOR)) == far


def test_a_job_has_so_many_and_an_ended_one_is_left_alone(site: Site) -> None:
    for number in range(METERS_MAX):
        do(site, rules.decide_put(site.job.id, msgspec.structs.replace(MAIN, name=f"M{number}"), INSTALLER))
    with pytest.raises(MeterInvalid):
        do(site, rules.decide_put(site.job.id, MAIN, INSTALLER))
    site.record(f"job:{site.job.id}", JobArchived())
    with pytest.raises(JobReadOnly):
        do(site, rules.decide_put(site.job.id, MAIN, INSTALLER))
    with pytest.raises(JobReadOnly):
        do(site, rules.decide_remove(site.job.id, "M1", INSTALLER))
