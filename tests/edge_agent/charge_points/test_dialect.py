"""What every version has in common."""

from datetime import UTC, datetime

import pytest

from edge_agent.charge_points import v2x, v16
from edge_agent.charge_points.dialect import Unusable, registration_word, time_text
from edge_agent.charge_points.dialects import dialect_of
from edge_agent.charge_points.readings import Found
from sitelink.states import Registration


def test_our_time_is_utc_with_milliseconds() -> None:
    assert time_text(datetime(2026, 11, 23, 12, 0, 0, 123_456, tzinfo=UTC)) == "2026-11-23T12:00:00.123Z"


def test_a_station_that_never_booted_is_pending() -> None:
    assert [registration_word(each) for each in Registration] == ["Pending", "Accepted", "Pending", "Rejected"]


def test_properties_a_version_does_not_have_are_named() -> None:
    found: Found = []
    dialect_of("1.6").extra_properties("Authorize", {"idTag": "A", "connectorId": 1}, found)
    assert found == ["extra_property:connectorId"]


def test_a_station_is_told_what_was_missing_and_nothing_else() -> None:
    with pytest.raises(Unusable) as caught:
        v2x.transaction_report({}, [])  # much is missing; this is what it is refused for
    assert f"{caught.value.where}: {caught.value.problem}" == "transactionInfo/transactionId: is needed"
    with pytest.raises(Unusable) as caught:
        v16.connector_report({"status": {"x": 1}}, [])
    assert f"{caught.value.where}: {caught.value.problem}" == "status: is of a type nothing can be made of"


@pytest.mark.parametrize(
    ("registration", "action", "allowed"),
    [
        (Registration.ACCEPTED, "RemoteStartTransaction", True),
        (Registration.PENDING, "RemoteStartTransaction", False),
        (Registration.PENDING, "TriggerMessage", True),
        (Registration.PENDING, "GetConfiguration", True),
        (Registration.NONE, "Reset", False),
        (Registration.NONE, "TriggerMessage", True),
        (Registration.REJECTED, "TriggerMessage", False),
    ],
)
def test_what_may_be_asked_depends_on_the_last_boot(registration: Registration, action: str, allowed: bool) -> None:
    assert dialect_of("1.6").may_be_sent(action, registration) is allowed
