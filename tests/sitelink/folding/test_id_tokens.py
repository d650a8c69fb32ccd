"""Id tokens and local lists by script."""

from sitelink import events as e
from sitelink.ids import StationKey
from sitelink.states import AuthorizationStatus, LocalListState
from tests.sitelink.builders import Site


def test_a_token_stands_on_the_list_as_it_was_last_said_until_it_is_removed():
    site = Site()
    site.record("id_token:04a1", e.IdTokenListed(id_token="04A1", group="FLEET", note="van"))
    site.record("id_token:04a1", e.IdTokenListed(id_token="04a1", status=AuthorizationStatus.BLOCKED))
    (token,) = site.state.id_tokens.values()
    assert (token.id, token.id_token, token.status, token.group, token.note) == ("04a1", "04a1", "Blocked", None, "")
    assert token.changed_at == site.ops[-1].t.wall
    site.record("id_token:04a1", e.IdTokenRemoved())
    assert site.state.id_tokens == {}


def test_a_local_list_is_what_the_station_confirmed():
    site = Site()
    a, b, c = (e.ListEntry(token) for token in "ABC")
    site.record("local_list:cp001", e.LocalListTaken(1, full=True, entries=(a, b), more=True))
    held = site.state.local_lists[StationKey("cp001")]
    assert (held.version, list(held.entries), held.state) == (1, ["a", "b"], "sending")
    site.record("local_list:cp001", e.LocalListTaken(2, full=False, entries=(c,), removed=(a,), left_out=3))
    held = site.state.local_lists[StationKey("cp001")]
    assert (held.version, list(held.entries.values()), held.state, held.left_out) == (2, [b, c], "current", 3)
    site.record("local_list:cp001", e.LocalListNotTaken(LocalListState.FAILED, "VersionMismatch"))
    held = site.state.local_lists[StationKey("cp001")]
    assert (held.version, len(held.entries), held.state, held.reason) == (2, 2, "failed", "VersionMismatch")
    site.record("local_list:cp001", e.LocalListTaken(3, full=True))
    assert site.state.local_lists[StationKey("cp001")].entries == {}
    site.boot("CP001")
    site.record("station:cp001", e.StationForgotten())
    assert site.state.local_lists == {}
