"""Records as JSON and back."""

import msgspec
import pytest

from sitelink import events as e
from sitelink.model import Entity
from sitelink.records import TYPE_BY_PREFIX, decode_record, encode_record
from tests.sitelink.builders import OPERATOR, Site, bay


def test_every_kind_of_record_has_a_prefix() -> None:
    assert set(TYPE_BY_PREFIX.values()) == set(Entity.__args__)


def test_what_was_written_comes_back() -> None:
    site = Site()
    site.imported(bay("a", "CP001"))
    site.boot("CP001")
    site.record("setting:x", e.SettingSet({"a": [1, None]}), author=OPERATOR)
    state = site.state
    for entity in (
        *state.jobs.values(),
        *state.charge_points.values(),
        *state.stations.values(),
        *state.settings.values(),
    ):
        assert decode_record(entity.key, encode_record(entity)) == entity


def test_what_is_not_known_or_malformed_is_told_apart() -> None:
    with pytest.raises(KeyError):
        decode_record("dream:1", b"{}")
    with pytest.raises(msgspec.DecodeError):
        decode_record("job:1", b"{}")
