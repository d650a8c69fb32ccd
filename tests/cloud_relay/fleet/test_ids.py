"""Identities and how names are compared."""

import uuid

from cloud_relay.fleet.ids import key_of, new_id


def test_ids_are_random_and_names_compare_without_case() -> None:
    assert uuid.UUID(new_id()).version == 4
    assert new_id() != new_id()
    assert key_of("  Straße ") == key_of("STRASSE")
