"""The examples that other proofs stand on do fit their schemas, and the mutated ones are really other."""

import pytest
from hypothesis import HealthCheck, find, given, settings
from hypothesis import strategies as st

from tests.doubles.payloads import FOLDERS, example, faults, messages, mutated, valid

ALL = [message for version in FOLDERS for message in messages(version)]
COUNTS = {"1.6": 78, "2.0.1": 128, "2.1": 181}


@pytest.mark.parametrize("version", FOLDERS)
def test_every_schema_of_a_version_is_there(version):
    assert len(messages(version)) == COUNTS[version]


@pytest.mark.parametrize("full", [False, True], ids=["minimal", "full"])
@pytest.mark.parametrize("of", ALL, ids=str)
def test_the_examples_fit(of, full):
    assert faults(of, example(of, full=full)) == []


@settings(max_examples=150, suppress_health_check=list(HealthCheck))
@given(st.data())
def test_what_is_drawn_as_valid_fits(data):
    of = data.draw(st.sampled_from(ALL))
    assert faults(of, data.draw(valid(of))) == []


@pytest.mark.parametrize("action", ["MeterValues", "TransactionEventRequest"])
def test_mutated_payloads_stop_fitting(action):
    of = next(each for each in ALL if each.schema == action)
    assert faults(of, find(mutated(of), lambda payload: faults(of, payload) != [])) != []


def test_a_payload_that_does_not_fit_is_named():
    boot = next(each for each in ALL if each.version == "1.6" and each.schema == "BootNotification")
    assert faults(boot, {"chargePointVendor": 1}) != []
    status = next(each for each in ALL if each.version == "1.6" and each.schema == "HeartbeatResponse")
    assert faults(status, {"currentTime": "2026-03-29 01:30"}) != []
