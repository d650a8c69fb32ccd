import inspect
from datetime import UTC, datetime, timedelta

import pytest

from sitelink import errors
from sitelink.actions import ActionView
from sitelink.states import ChargePointState
from web_ui import wording

NOON = datetime(2026, 11, 23, 12, 0, tzinfo=UTC)
STATUS_EXPLANATIONS = (
    "no_serial", "serial_in_use", "no_integration_configured", "no_integration", "maintenance", "pending_boot",
    "pending", "pending_pairing_closed", "box_restarted", "disconnected", "connector_faulted", "charging",
    "ready_to_test", *ChargePointState,
)  # fmt: skip
FAULTS = (
    "unknown_identity", "pairing_closed", "duplicate_identity", "identity_missing", "unsupported_subprotocol",
    "serial_changed", "boot_rejected", "connector_not_present", "not_named", "credentials_needed", "serial_in_use",
)  # fmt: skip
OUTCOMES = (
    "started", "stopped", "unlocked", "rebooted", "refused", "no_answer", "nothing_started", "nothing_stopped",
    "unlock_failed", "not_supported", "not_back", "reboot_waits", "call_error", "offline", "interrupted", "link_lost",
)  # fmt: skip
TROUBLES = ("disk_full", "read_only", "damaged", "failed", "salvaged")


def error_types() -> list[type[errors.SiteError]]:
    found, queue = [], [errors.SiteError]
    while queue:
        each = queue.pop()
        found.append(each)
        queue.extend(each.__subclasses__())
    return found


def action_reasons() -> list[str]:
    """As ActionView documents them."""
    listed = inspect.getsource(ActionView).partition("Why it is disabled:")[2].partition('"""')[0]
    return [word.strip(" .\n") for word in listed.split(",")]


@pytest.mark.parametrize(
    "code",
    [each.code for each in error_types()] + action_reasons() + [*STATUS_EXPLANATIONS, *FAULTS, *OUTCOMES, *TROUBLES],
)
def test_every_code_has_words_of_its_own(code: str) -> None:
    assert code in wording.WORDS
    said = wording.sentence(code, {})
    assert said
    assert said != wording.GENERIC.says or code == "site_error"
    assert "{" not in said + wording.next_step(code, {})
    assert code not in said or " " not in code.replace("_", " ")


def test_the_list_of_action_reasons_was_found() -> None:
    assert "nothing_charging" in action_reasons()
    assert len(action_reasons()) >= 8


def test_no_code_is_said_twice_with_different_words() -> None:
    groups = (
        wording.ERRORS, wording.EXPLANATIONS, wording.FAULTS, wording.ACTION_REASONS, wording.OUTCOMES,
        wording.TROUBLES, wording.FLASHES, wording.TRANSFERS, wording.SECURITY, wording.CALLS, wording.METERS,
    )  # fmt: skip
    assert sum(map(len, groups)) == len(wording.WORDS)


def test_an_unknown_code_gets_a_general_sentence_and_never_itself() -> None:
    assert "zork" not in wording.full("zork_failed", {"text": "zork"})
    assert wording.sentence("zork_failed", {})


@pytest.mark.parametrize(
    ("code", "fields", "said"),
    [
        ("identity_invalid", {"problem": "too_long", "found": 60, "allowed": 48}, "That is 60 characters"),
        ("identity_invalid", {"problem": "character", "found": "/", "allowed": "letters"}, "“/” cannot be part"),
        ("identity_in_use", {"name": "Bay 4"}, "Bay 4 already uses this serial and connector."),
        ("identity_in_use", {}, "Another charge point"),
        ("job_read_only", {"status": "completed"}, "This job is completed"),
        ("job_read_only", {"status": "archived"}, "This job was archived"),
        ("action_unavailable", {"action": "stop", "reason": "nothing_charging"}, "Nothing is charging."),
        ("store_unavailable", {"reason": "disk_full"}, "The box's storage is full"),
        ("store_unavailable", {"reason": "zork"}, "The box could not save this"),
        ("disconnected", {"since": None}, "Not in contact."),
        ("connector_faulted", {"error_code": "GroundFailure"}, "Earth fault reported."),
        ("connector_faulted", {"error_code": "GroundFailure", "vendor_error_code": "E7"}, "Earth fault reported. (E7)"),
        ("connector_faulted", {"error_code": "Zork"}, "It reports a fault this box has no words for."),
        ("charging", {"power_w": 7200.0, "phases": ["L1", "L2", "L3"]}, "Charging, 7.2 kW on L1 L2 L3."),
        ("charging", {"power_w": None, "phases": [], "test": True}, "Test charge."),
        ("charging", {"power_w": 0.0, "phases": []}, "Charging, 0 W."),
        ("rebooted", {"seconds": 108}, "Back after 1 min 48 s."),
        ("rebooted", {"seconds": 48.2}, "Back after 48 s."),
        ("server_fault", {"ref": "7F2"}, "The box could not do this (code 7F2). Nothing was lost."),
    ],
)
def test_a_sentence_is_made_of_its_fields(code: str, fields: dict[str, object], said: str) -> None:
    assert wording.sentence(code, fields).startswith(said)


def test_times_are_local_and_carry_their_date_when_it_is_another_day() -> None:
    today = wording.sentence("disconnected", {"since": NOON, "now": NOON + timedelta(minutes=5)})
    before = wording.sentence("disconnected", {"since": NOON, "now": NOON + timedelta(days=2)})
    clock = f"{NOON.astimezone():%H:%M}"
    assert today == f"Lost contact at {clock}."
    assert "Nov 2026" in before
    assert clock in before


def test_a_time_that_comes_as_text_reads_as_a_time() -> None:
    at = (NOON - timedelta(minutes=2)).isoformat()
    assert "T" not in wording.sentence("already_completed", {"at": at, "now": NOON}).partition("at ")[2]


def test_braces_in_a_field_are_only_text() -> None:
    assert "{name}" in wording.sentence("identity_in_use", {"name": "{name}"})
    assert "{0.__class__}" in wording.sentence("charge_active", {"name": "{0.__class__}"})


def test_energy_and_power_read_in_the_unit_people_use() -> None:
    assert wording.energy(420.0) == "0.42 kWh"
    assert wording.energy(7.0) == "7 Wh"
    assert wording.power(11040.0) == "11.0 kW"
    assert wording.power(6.0) == "6 W"
