"""The fold of what meters said. Pure. Start at `FOLDS`."""

from sitelink import events as e
from sitelink.folding.changes import NOTHING, Changes, Fold
from sitelink.ids import JobId
from sitelink.model import MeterReading, SiteState
from sitelink.ops import Op


def _meter_read(state: SiteState, op: Op, event: e.MeterRead) -> Changes:
    job, _, name = op.entity.partition(":")[2].partition("/")
    before = state.meters.get((JobId(job), name))
    if before is not None and before.at > event.at:
        return NOTHING
    return Changes(put=(MeterReading(JobId(job), name, event.at, event.values),))


FOLDS: dict[type[e.Event], Fold] = {e.MeterRead: _meter_read}
