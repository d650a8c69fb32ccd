"""Keys and passwords, decision by decision."""

import pytest

from edge_agent.site.trust import Proof, Trust
from sitelink import events as e
from sitelink.ids import StationKey
from sitelink.security import CredentialOrigin, KeyState
from tests.doubles.core import Core

CP = StationKey("cp001")


async def record(core: Core, *events: e.Event) -> None:
    from edge_agent.site.ports import Decision
    from sitelink.ops import BOX, Fact

    facts = tuple(Fact(f"security:{CP}", event, BOX) for event in events)
    await core.journal.write(lambda _ledger: Decision(facts, None))


@pytest.mark.parametrize(
    ("verifier", "written"), [("v1", ["v1"]), ("v2", ["v2"]), ("v3", []), (None, [])]
)  # fmt: skip
async def test_a_password_that_is_shown_the_first_time_is_written_down_once(
    verifier: str | None, written: list[str]
) -> None:
    core = Core()
    await core.import_job()
    await record(core, e.CredentialSet("v1", CredentialOrigin.TYPED), e.KeyOffered("v2"))
    proof = Proof(Trust.RIGHT, 1, False, verifier=verifier)
    for _ in range(3):
        await core.desk.connected("CP001", "192.0.2.7", "1.6", "ocpp1.6", proof)
    proven = [op.event.verifier for op in core.journal.recorded if isinstance(op.event, e.KeyProven)]
    assert proven == written
    if verifier == "v2":
        assert core.journal.state.security[CP].key_state is KeyState.PROVEN
