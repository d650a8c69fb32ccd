"""The fold of settings that come from above. Pure. Start at `FOLDS`."""

from sitelink import events as e
from sitelink.folding.changes import Changes, Fold
from sitelink.model import Setting, SiteState
from sitelink.ops import Op


def _setting_set(_state: SiteState, op: Op, event: e.SettingSet) -> Changes:
    key = op.entity.partition(":")[2]
    if event.value is None:
        return Changes(drop=(op.entity,))
    return Changes(put=(Setting(id=key, value=event.value, at=op.t.wall, by=op.author),))


FOLDS: dict[type[e.Event], Fold] = {e.SettingSet: _setting_set}
