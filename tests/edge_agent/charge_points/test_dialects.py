"""Which version an offer means, and what the versions say differently."""

import pytest

from edge_agent.charge_points.dialects import VERSIONS, choose_subprotocol, dialect_of, version_of
from edge_agent.charge_points.quirks import built_in
from edge_agent.charge_points.rpc import ErrorCode


@pytest.mark.parametrize(
    ("offered", "known", "chosen"),
    [
        (["ocpp1.6"], None, "ocpp1.6"),
        (["ocpp2.0.1", "ocpp1.6"], None, "ocpp2.0.1"),
        (["ocpp1.6", "ocpp2.0.1"], None, "ocpp1.6"),
        (["ocpp2.1", "ocpp2.0.1", "ocpp1.6"], None, "ocpp2.1"),
        (["ocpp2.1", "ocpp2.0.1", "ocpp1.6"], "2.0.1", "ocpp2.0.1"),
        (["ocpp2.0.1"], "1.6", "ocpp2.0.1"),
        (["OCPP1.6J", "ocpp1.6"], None, "ocpp1.6"),
        (["ocpp1.6j"], None, "ocpp1.6j"),
        (["OCPP16"], None, "OCPP16"),
        (["ocpp-1.6"], None, "ocpp-1.6"),
        (["socpp1.6"], None, "socpp1.6"),
        (["OCPP2.0.1"], None, "OCPP2.0.1"),
        (["ocpp1.5"], None, None),
        (["ocpp2.0"], None, None),
        (["ocpp1.60"], None, None),
        (["mqtt", "ocpp1.6"], None, "ocpp1.6"),
        (["mqtt"], None, None),
        ([], "1.6", None),
    ],
)
def test_a_subprotocol_is_chosen(offered: list[str], known: str | None, chosen: str | None) -> None:
    assert choose_subprotocol(offered, known, built_in().subprotocols) == chosen


@pytest.mark.parametrize("version", VERSIONS)
def test_every_version_is_spoken(version: str) -> None:
    dialect = dialect_of(version)
    assert version_of(f"ocpp{version}") == dialect.version == dialect.schemas.version == version
    assert dialect.safe_before_acceptance <= dialect.schemas.from_box
    assert dialect.repeated_as_is <= dialect.schemas.from_station


def test_versions_spell_two_codes_differently() -> None:
    assert dialect_of("1.6").spell(ErrorCode.FORMATION_VIOLATION) == "FormationViolation"
    assert dialect_of("2.0.1").spell(ErrorCode.FORMATION_VIOLATION) == "FormatViolation"
    assert dialect_of("1.6").spell(ErrorCode.OCCURENCE_CONSTRAINT_VIOLATION) == "OccurenceConstraintViolation"
    assert dialect_of("2.1").spell(ErrorCode.OCCURENCE_CONSTRAINT_VIOLATION) == "OccurrenceConstraintViolation"
