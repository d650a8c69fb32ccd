"""What the cloud sends, into the site: its consequences, and orders that run at most once."""

from typing import Any

import msgspec
import pytest

from edge_agent.site.remote import Remote
from sitelink import events as e
from sitelink.decisions import Received
from sitelink.errors import ActionUnavailable
from sitelink.ids import ChargePointId, CommandId, JobId, LinkId, OpId, StationKey
from sitelink.ops import Author, Fact, Op, Stamp
from sitelink.states import ActionName, AuthorType
from sitelink.wire.messages import Cmd
from tests.doubles.core import Core

DESK = Author(type=AuthorType.OPERATOR, name="Desk")


class Store:
    """See `edge_agent.site.ports.Uplink`, as far as it is used here."""

    def __init__(self, core: Core) -> None:
        self.core = core
        self.facts: list[Fact] = []

    async def receive(self, received: Received, facts: Any = ()) -> None:
        self.facts += facts
        from sitelink.apply import apply, apply_to

        for _, op in received.ops:
            apply_to(self.core.journal.state, apply(self.core.journal.state, op))


class Box:
    def __init__(self, core: Core, job: JobId) -> None:
        self.core, self.job = core, job
        self.store = Store(core)
        self.rechecked: set[StationKey] = set()
        self.remote = Remote(core.journal, self.store, core.jobs, core.clock, self._recheck)  # type: ignore[arg-type]

    async def _recheck(self, stations: set[StationKey]) -> None:
        self.rechecked |= stations

    async def order(self, action: str, came_at: float | None = None, **arguments: Any) -> Any:
        named = {"job": self.job, "charge_point": self.core.row("Bay 1").id, **arguments}
        cmd = Cmd(CommandId("c1"), action, named, 30_000, "Ann")
        return await self.remote.order(cmd, self.core.clock.monotonic() if came_at is None else came_at)


async def box() -> Box:
    core = Core()
    return Box(core, (await core.import_job()).job)


async def test_a_charge_point_that_is_named_from_above_is_looked_at_again() -> None:
    site = await box()
    await site.core.boot("CP009")
    await site.core.journal.write(lambda _l: _faulted())
    row = site.core.row("Bay 1")
    op = Op(
        op_id=OpId("o"), entity=f"cp:{row.id}", event=e.FieldSet("CP009"), author=DESK, prev=None,
        t=Stamp("cloud", 0, site.core.clock.now()), job=site.job, field="identity",
        bases=tuple(head.op for head in row.identity_register.heads),
    )  # fmt: skip
    await site.remote.receive(Received("e", 1, ((1, op),)))
    assert site.rechecked >= {StationKey("cp009"), StationKey("cp001")}
    assert [fact.event for fact in site.store.facts] == [e.StationFaultCleared("serial_changed")]


def _faulted() -> Any:
    from sitelink.decisions import Decision

    return Decision((Fact("station:cp009", e.StationFaulted("serial_changed"), DESK),), None)


async def test_an_order_goes_the_way_of_the_buttons_and_runs_once() -> None:
    site = await box()
    await site.core.boot("CP001")
    site.core.stations.online.add(StationKey("cp001"))
    for _ in range(2):
        assert (await site.order("start")).code is None
    command = site.core.journal.state.commands[CommandId("c1")]
    assert (command.by.type, command.by.name) == (AuthorType.OPERATOR, "Ann")
    assert len(site.core.journal.state.commands) == 1


async def test_what_cannot_be_done_is_answered_with_the_reason() -> None:
    site = await box()
    refused = await site.order("start")
    assert (refused.code, refused.fields["action"]) == ("action_unavailable", "start")
    assert (await site.order("dance")).code == "order_unknown"
    assert (await site.order("start", charge_point="nobody")).code == "not_found"
    late = await site.order("start", came_at=site.core.clock.monotonic() - 31)
    assert late.code == "order_expired"
    assert not site.core.journal.state.commands


async def test_how_the_charge_points_stand_is_told_in_records() -> None:
    site = await box()
    await site.core.boot("CP001")
    told = dict(site.remote.now())
    assert msgspec.json.decode(told["station:cp001"])["identity"] == "CP001"
    assert all(ChargePointId(key.partition(":")[0]) in ("station", "transaction", "readings") for key in told)


async def test_an_operator_may_restart_what_a_finished_job_left_and_an_installer_may_not() -> None:
    site = await box()
    await site.core.boot("CP001")
    await site.core.jobs.complete(site.job, DESK, activate_all=True)
    assert (await site.order("start")).fields["reason"] == "job_not_open"
    assert (await site.order("reboot")).code is None
    assert CommandId("c1") in site.core.journal.state.commands
    phone = Author(type=AuthorType.INSTALLER, link=LinkId("l"))
    with pytest.raises(ActionUnavailable):
        await site.core.jobs.act(site.job, site.core.row("Bay 1").id, ActionName.UNLOCK, phone)
