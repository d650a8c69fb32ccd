"""The table of messages in docs/ocpp.md is what the code says today, and no message of any version is left out."""

import pytest

from edge_agent.charge_points.dialects import VERSIONS, dialect_of
from scripts import message_table
from tests.doubles.orders import ORDERS, every_order
from tests.doubles.payloads import messages as schemas


def test_the_table_in_the_document_is_what_the_code_says():
    document = message_table.DOCUMENT.read_text("utf-8")
    assert document == message_table.written(document), "run: python -m scripts.message_table --write"


@pytest.mark.parametrize("version", VERSIONS)
def test_every_message_of_the_schemas_stands_in_the_table(version):
    told = {(action, way) for action, way, versions, _ in message_table.rows() if version in versions.split(", ")}
    known = {schema.action for schema in schemas(version)}
    assert known == {action for action, _ in told}
    assert ("DataTransfer", message_table.FROM) in told
    assert ("DataTransfer", message_table.TO) in told


@pytest.mark.parametrize("version", VERSIONS)
def test_whoever_answers_says_how(version):
    dialect = dialect_of(version)
    clerk = message_table.clerk_of(dialect)
    for action, handler in {**clerk.handlers, **clerk.heard}.items():
        assert action in dialect.schemas.from_station | message_table.SENDS
        assert message_table.first_line(handler).endswith("."), f"{action}: its handler has no sentence of its own"


def test_there_is_an_example_of_every_order():
    assert set(ORDERS) == set(every_order())


def test_every_order_is_a_call_in_some_version():
    carried_out = {name for version in VERSIONS for names in message_table.orders_of(dialect_of(version)).values()
                   for name in names}  # fmt: skip
    assert carried_out == {kind.__name__ for kind in ORDERS}
