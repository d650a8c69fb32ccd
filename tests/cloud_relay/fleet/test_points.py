"""Each charge point of a site once, whatever jobs name it."""

from cloud_relay.fleet.points import connected_of, point_of, points_of
from sitelink import events as e
from sitelink.apply import apply, apply_to
from sitelink.ids import ChargePointId, JobId
from sitelink.model import SiteState
from sitelink.states import JobStatus
from tests.cloud_relay.made import OPERATOR, imported, op
from tests.doubles.sites import harbour_garage


def folded(*ops: object) -> SiteState:
    state = SiteState()
    for each in ops:
        apply_to(state, apply(state, each))  # type: ignore[arg-type]
    return state


def test_it_is_what_the_installer_counts() -> None:
    points = points_of(harbour_garage().state)
    assert connected_of(points) == (8, 14)
    assert [point.row.name for point in points][:2] == ["Bay 1", "Bay 2"]
    assert points[2].status.text == "connected (busy-charging)"
    assert points[3].station is None


def test_a_charge_point_that_two_jobs_name_counts_in_the_open_one() -> None:
    done = op("job:j1", e.JobCompleted(activate=(), round=1), job="j1", author=OPERATOR)
    state = folded(imported("CP001", "", "CP002"), done, imported("cp001", "", job="j2"))
    assert state.jobs[JobId("j1")].status is JobStatus.COMPLETED
    found = [point.row.id for point in points_of(state)]
    assert found == ["j2-1", "j2-2", "j1-3"], "a row without identity counts while its job is open"


def test_what_was_called_off_does_not_count() -> None:
    cancelled = op("job:j1", e.JobCancelled(), job="j1", author=OPERATOR)
    assert points_of(folded(imported("CP001"), cancelled)) == []
    assert ChargePointId("j1-1") in folded(imported("CP001"), cancelled).charge_points


def test_one_is_found_by_its_row_unless_its_job_was_called_off() -> None:
    state = folded(imported("CP001"))
    found = point_of(state, ChargePointId("j1-1"))
    assert found is not None
    assert found.row.identity == "CP001"
    assert point_of(state, ChargePointId("another")) is None
    cancelled = op("job:j1", e.JobCancelled(), job="j1", author=OPERATOR)
    assert point_of(folded(imported("CP001"), cancelled), ChargePointId("j1-1")) is None
