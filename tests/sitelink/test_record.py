"""The commissioning record."""

import msgspec

from tests.doubles.core import INSTALLER, Core
from tests.edge_agent.site.test_transactions import CP, start, stop


async def test_the_record_says_what_was_built_tested_and_decided() -> None:
    core = Core()
    job = (await core.import_job()).job
    await core.boot("CP001")
    id_ = (await core.desk.start(CP, start(id_token=core.job().test_token))).transaction
    await core.desk.stop(CP, stop(id_))
    await core.jobs.add_note(job, core.row("Bay 1").id, INSTALLER, "fine")
    await core.jobs.complete(job, INSTALLER, activate_all=True, reason="Bay 2 waits for a cable", name="Kim")
    record = core.jobs.record(job)
    bay_1, bay_2 = record["charge_points"]
    assert (bay_1["serial"], bay_1["active"], bay_1["notes"][0]["text"]) == ("SN-CP001", True, "fine")
    assert bay_1["test"]["meter_stop_wh"] - bay_1["test"]["meter_start_wh"] == 800
    assert bay_2["test"] is None
    assert bay_2["serial"] is None
    assert (record["completion"]["name"], record["completion"]["reason"]) == ("Kim", "Bay 2 waits for a cable")
    assert core.job().test_token not in msgspec.json.encode(record).decode()
