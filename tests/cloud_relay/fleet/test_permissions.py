"""What each role may do."""

from cloud_relay.fleet.permissions import OF_ROLE, RIGHTS, may
from cloud_relay.fleet.roles import Role


def test_every_role_has_its_rights_and_only_known_ones() -> None:
    assert set(OF_ROLE) == set(Role)
    for rights in OF_ROLE.values():
        assert rights <= set(RIGHTS)


def test_who_only_looks_changes_nothing() -> None:
    for role in (Role.SUPPORT, Role.AUDITOR):
        assert all(right.endswith(":read") for right in OF_ROLE[role])


def test_only_an_administrator_changes_the_team() -> None:
    assert [role for role in Role if may(role, "team:write")] == [Role.ADMIN]
    assert may(Role.OPERATOR, "charge-points:command")
    assert not may(Role.SUPPORT, "audit:read")
    assert may(Role.AUDITOR, "audit:read")
