"""Every word of the model has its meaning, and unknown ones are shown as they came."""

import json
from importlib import resources

from edge_agent.site.security_log import SECURITY_KINDS
from sitelink.states import ChargePointState, ConnectorStatus, IntegrationState
from web_ui import ocpp_words


def test_every_state_of_ours_is_explained() -> None:
    assert {*IntegrationState, "none"} == set(ocpp_words.CONNECTIONS)
    assert set(ChargePointState) == set(ocpp_words.OPERATIONS)
    assert set(ConnectorStatus) == set(ocpp_words.CONNECTORS)


def test_every_reason_a_station_may_give_is_explained() -> None:
    folder = resources.files("ocpp")
    words = set()
    for path, name in (("v16/schemas/StopTransaction.json", "reason"),):
        words |= set(json.loads((folder / path).read_text("utf-8-sig"))["properties"][name]["enum"])
    for version in ("v201", "v21"):
        schema = json.loads((folder / f"{version}/schemas/TransactionEventRequest.json").read_text("utf-8-sig"))
        words |= set(schema["definitions"]["ReasonEnumType"]["enum"])
    assert len(words) > 20
    assert {each for each in words if each not in ocpp_words.STOP_REASONS} == set()


def test_every_kind_of_the_security_log_about_a_station_is_explained() -> None:
    told_by_its_code = {"security.event"}
    assert set(ocpp_words.SECURITY_LOG) >= SECURITY_KINDS - told_by_its_code


def test_a_security_event_of_its_makers_own_is_named() -> None:
    assert ocpp_words.security_event("TamperDetectionActivated") == "It was opened or tampered with."
    assert ocpp_words.security_event("AcmeLidOpened") == "It reports a security event: AcmeLidOpened."


def test_what_nobody_knows_is_shown_as_it_came() -> None:
    assert ocpp_words.reason("Eclipse") == "Eclipse"
    assert ocpp_words.reason(None) == ""
    assert ocpp_words.word(ocpp_words.CONNECTORS, "Glowing") == ""
