"""Remote actions by script: what was answered, and what changed."""

from sitelink import events as e
from sitelink.ids import CommandId
from sitelink.states import ActionName, CommandState
from tests.sitelink.builders import INSTALLER, Site, bay


def command(site: Site):
    return site.state.commands[CommandId("k1")]


def asked(action: ActionName = ActionName.START) -> Site:
    site = Site()
    site.imported(bay())
    site.command("k1", "a", action)
    return site


def answered(site: Site, answer: str, state: CommandState, *, late: bool = False) -> None:
    site.record("command:k1", e.CommandAnswered(answer=answer, state=state, late=late))


def test_a_command_has_two_parts_what_was_answered_and_what_changed():
    site = asked()
    assert (command(site).state, command(site).by) == (CommandState.SENT, INSTALLER)
    answered(site, "Accepted", CommandState.ANSWERED)
    assert (command(site).answer, command(site).ended_at) == ("Accepted", None)
    site.record("command:k1", e.CommandEnded(state=CommandState.DONE, outcome="started", detail={"transaction": 4}))
    assert (command(site).state, command(site).outcome) == (CommandState.DONE, "started")
    assert command(site).outcome_detail == {"transaction": 4}
    assert command(site).ended_at is not None


def test_a_refusal_ends_a_command():
    site = asked()
    answered(site, "Rejected", CommandState.REFUSED)
    assert command(site).ended_at is not None
    site.command_ended("k1", CommandState.TIMED_OUT)
    assert command(site).state is CommandState.REFUSED


def test_a_known_command_is_not_asked_twice_and_answered_once():
    site = asked()
    site.command("k1", "a", ActionName.REBOOT)
    assert command(site).action is ActionName.START
    answered(site, "Accepted", CommandState.ANSWERED)
    answered(site, "Rejected", CommandState.REFUSED)
    assert command(site).answer == "Accepted"


def test_a_late_answer_is_kept_beside_the_outcome():
    site = asked()
    site.command_ended("k1", CommandState.TIMED_OUT)
    answered(site, "Accepted", CommandState.TIMED_OUT, late=True)
    assert (command(site).late, command(site).answer) == (True, "Accepted")
    assert command(site).state is CommandState.TIMED_OUT
    assert command(site).ended_at is not None
