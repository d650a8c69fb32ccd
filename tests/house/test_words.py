"""Every code a person can meet has words. The codes are read out of the source, not out of a list kept by hand."""

import pytest

from edge_agent.site.transfer_rules import NOT_INSTALLED
from edge_agent.site.trust import REFUSED_AT_THE_DOOR
from sitelink import errors
from sitelink.states import ChargePointState
from tests.house.files import codes_given_to, codes_returned_by
from web_ui import wording


def error_codes(base: type[errors.SiteError] = errors.SiteError) -> set[str]:
    return {base.code}.union(*(error_codes(each) for each in base.__subclasses__()))


ERRORS = error_codes()
ACTION_REASONS = codes_returned_by("sitelink/actions.py", "_reason_against") | codes_returned_by(
    "sitelink/actions.py", "_reason_against_start"
)
EXPLANATIONS = (
    codes_returned_by("sitelink/status.py", "_explain", 0)
    | codes_returned_by("sitelink/status.py", "_why_no_power")
    | codes_given_to("Status", 3, "explanation")
    | {state.value for state in ChargePointState}
)
FAULTS = (
    codes_given_to("Fault", 0, "code")
    | codes_given_to("StationFaulted", 0, "code")
    | codes_given_to("faulted", 1, "code")
)
KNOCKS = (
    codes_returned_by("edge_agent/site/admission.py", "_reason_against")
    | codes_returned_by("edge_agent/site/trust.py", "reason_against")
    | codes_given_to("knocked", 2, "reason")
    | REFUSED_AT_THE_DOOR
)
OUTCOMES = (
    codes_given_to("CommandEnded", 1, "outcome")
    | codes_given_to("_end", 2, "outcome")
    | codes_given_to("_conclude", 2, "done")
    | codes_given_to("_conclude", 3, "not_done")
    | codes_returned_by("edge_agent/site/dispatch.py", "_reading", 1)
    | codes_returned_by("edge_agent/site/dispatch.py", "_why_refused")
)
TRANSFERS = {
    f"transfer_{code}"
    for code in codes_given_to("Verdict", 1, "outcome")
    | codes_returned_by("edge_agent/site/transfer_rules.py", "reading", 1)
    | codes_returned_by("edge_agent/site/transfer_rules.py", "given_up")
    | codes_given_to("TransferEnded", 1, "outcome")
    | set(NOT_INSTALLED.values())
}
TROUBLES = codes_given_to("Trouble", 0, "code") | {"disk_full", "read_only", "damaged", "failed"}


@pytest.mark.parametrize(
    ("group", "some"),
    [
        (ERRORS, {"identity_in_use", "store_unavailable"}),
        (ACTION_REASONS, {"job_not_open", "nothing_charging", "state_not_startable"}),
        (EXPLANATIONS, {"no_serial", "pending_boot", "box_restarted", "charging", "busy-reserved", "suspended_ev"}),
        (FAULTS, {"serial_changed", "boot_rejected", "connector_not_present"}),
        (KNOCKS, {"unknown_identity", "pairing_closed"}),
        (OUTCOMES, {"started", "not_back", "unlock_failed", "interrupted", "unplug_first"}),
        (TRANSFERS, {"transfer_received", "transfer_refused", "transfer_interrupted", "transfer_download_failed"}),
        (TROUBLES, {"disk_full"}),
    ],
)
def test_the_search_finds_codes(group, some):
    assert some <= group


@pytest.mark.parametrize(
    "code", sorted(ERRORS | ACTION_REASONS | EXPLANATIONS | FAULTS | KNOCKS | OUTCOMES | TRANSFERS | TROUBLES)
)
def test_every_code_has_words(code):
    assert code in wording.WORDS
    assert wording.sentence(code, {}).strip()


@pytest.mark.parametrize("code", sorted(OUTCOMES))
def test_an_outcome_is_not_told_in_words_meant_for_the_storage(code):
    assert code not in wording.TROUBLES


def test_no_code_means_two_errors():
    found: list[str] = []
    queue: list[type[errors.SiteError]] = [errors.SiteError]
    while queue:
        each = queue.pop()
        found.append(each.code)
        queue.extend(each.__subclasses__())
    assert len(found) == len(set(found))
