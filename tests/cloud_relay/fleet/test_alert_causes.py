"""What alerts are about: found in what boxes told, and counted when it lasted."""

from datetime import timedelta

import msgspec

from cloud_relay.fleet.alert_causes import as_known, causes_of_boxes, causes_of_site, causes_of_webhooks, due
from cloud_relay.fleet.alert_records import RULES, Cause, RuleSetting
from cloud_relay.fleet.ids import GatewayId, SiteId, TeamId, WebhookId
from cloud_relay.fleet.log_records import BoxLink
from cloud_relay.fleet.records import Gateway
from cloud_relay.fleet.webhook_records import Webhook
from sitelink import events as e
from sitelink.ids import ChargePointId, OpId
from sitelink.ops import Op
from sitelink.states import IntegrationState
from sitelink.status import status_of
from tests.cloud_relay.fleet.test_points import folded
from tests.cloud_relay.made import NOW, OPERATOR, imported, op
from tests.doubles.sites import harbour_garage

SITE, GATEWAY = SiteId("site"), GatewayId("box")
BOX = Gateway(GATEWAY, TeamId("team"), SITE, "GW-7F3A", NOW, enrolled_at=NOW)
LINK = BoxLink(GATEWAY, SITE, TeamId("team"), connected_at=NOW, seen_at=NOW)


def found(*ops: Op) -> dict[str, list[Cause]]:
    causes: dict[str, list[Cause]] = {}
    for cause in causes_of_site(SITE, folded(*ops)):
        causes.setdefault(cause.rule, []).append(cause)
    return causes


def test_a_whole_site_is_read_as_its_page_says_it() -> None:
    state = harbour_garage().state
    causes = causes_of_site(SITE, state)
    for rule, wanted in (
        ("charge_point_offline", IntegrationState.DISCONNECTED), ("charge_point_error", IntegrationState.ERROR)
    ):  # fmt: skip
        rows = {
            row.id for row in state.charge_points.values()
            if status_of(state, row).integration is wanted and not row.maintenance and row.owner is None
        }  # fmt: skip
        assert rows
        assert rows <= {each.subject for each in causes if each.rule == rule}
    told = {each.subject: each.detail["reason"] for each in causes if each.rule == "serial_conflict"}
    assert told == {"row-10": "in_use", "row-11": "conflict"}
    assert state.charge_points[ChargePointId("row-10")].owner


def test_a_serial_of_another_team_is_a_conflict_and_nothing_else_is_said_of_it() -> None:
    learned = op("cp:j1-1", e.OwnershipLearned("Other", "CP001"), job="j1")
    (cause,) = found(imported("CP001"), learned)["serial_conflict"]
    assert (cause.subject, cause.name, cause.site) == ("j1-1", "Bay 1", SITE)
    assert cause.detail == {"job": "j1", "identity": "CP001", "reason": "in_use", "other_team": "Other"}


def test_two_that_name_another_charge_point_at_once_are_a_conflict_until_one_wins() -> None:
    first = imported("CP001")
    bases = (first.op_id,)
    ours = op("cp:j1-1", e.FieldSet("CP002"), job="j1", field="identity", bases=bases, author=OPERATOR)
    theirs = op("cp:j1-1", e.FieldSet("CP003"), job="j1", field="identity", bases=bases)
    causes = found(first, ours, theirs)
    (cause,) = causes["serial_conflict"]
    assert (cause.detail["reason"], cause.detail["fields"]) == ("conflict", ["identity"])
    settled = op("cp:j1-1", e.FieldSet("CP003"), job="j1", field="identity", bases=(ours.op_id, theirs.op_id))
    assert "serial_conflict" not in found(first, ours, theirs, settled)


def test_a_job_is_idle_since_somebody_last_worked_on_it() -> None:
    first = imported("CP001")
    assert [each.name for each in found(first)["job_idle"]] == ["j1"]
    later = msgspec.structs.replace(first.t, wall=NOW + timedelta(days=2))
    written = msgspec.structs.replace(op("cp:j1-1", e.NoteAdded("x"), job="j1", op_id="n1"), t=later)
    assert found(first, written)["job_idle"][0].since == NOW + timedelta(days=2)
    done = op("job:j1", e.JobCompleted(activate=(), round=1), job="j1", author=OPERATOR)
    assert "job_idle" not in found(first, done)


def test_nobody_waits_for_one_in_maintenance() -> None:
    state = harbour_garage().state
    offline = next(each for each in causes_of_site(SITE, state) if each.rule == "charge_point_offline")
    row = state.charge_points[offline.subject]  # type: ignore[index]
    head = msgspec.structs.replace(row.identity_register.heads[-1], op=OpId("m"), value=True)
    register = msgspec.structs.replace(row.maintenance_register, heads=(head,))
    state.put(msgspec.structs.replace(row, maintenance_register=register))
    assert offline.subject not in [
        each.subject for each in causes_of_site(SITE, state) if each.rule.startswith("charge_point_")
    ]


def test_while_no_box_is_there_nobody_knows_how_charge_points_go_on() -> None:
    gone = NOW + timedelta(minutes=5)
    causes = [Cause("charge_point_offline", "a", "Bay 1", NOW), Cause("job_idle", "j", "1001", NOW)]
    left = msgspec.structs.replace(LINK, left_at=gone)
    assert [each.known_until for each in as_known(causes, [left])] == [gone, None]
    assert as_known(causes, [LINK, left]) == causes
    rules = {name: RuleSetting(name, after=rule.after) for name, rule in RULES.items()}
    much_later = NOW + timedelta(days=1)
    assert due(as_known(causes, [left]), rules, much_later) == [], "5 minutes were seen, not a day"
    assert [each.rule for each in due(causes, rules, much_later)] == ["charge_point_offline"]


def test_boxes_that_are_gone_stopped_or_restored() -> None:
    def rules(link: BoxLink, box: Gateway = BOX) -> list[tuple[str, object]]:
        return [(each.rule, each.detail.get("reason")) for each in causes_of_boxes([box], {link.gateway: link})]

    assert rules(LINK) == []
    left = msgspec.structs.replace(LINK, left_at=NOW)
    assert rules(left) == [("gateway_offline", None)]
    assert rules(msgspec.structs.replace(LINK, alarm="restored")) == [("gateway_alarm", "restored")]
    stopped = msgspec.structs.replace(left, quarantined_at=NOW, alarm="copied")
    assert rules(stopped) == [("gateway_alarm", "copied"), ("gateway_offline", None)]
    assert rules(left, msgspec.structs.replace(BOX, revoked_at=NOW)) == []
    assert list(causes_of_boxes([BOX], {})) == [], "it never came"


def test_endpoints_that_fail_also_when_they_are_paused() -> None:
    hook = Webhook(WebhookId("w"), TeamId("team"), "https://x.example/", "x", frozenset({"*"}), "s", "", NOW)
    failing = msgspec.structs.replace(hook, failing_since=NOW, paused_at=NOW)
    assert list(causes_of_webhooks([hook, msgspec.structs.replace(failing, enabled=False)])) == []
    (cause,) = causes_of_webhooks([failing])
    assert (cause.rule, cause.subject, cause.detail) == ("webhook_failing", "w", {"paused": True})


def test_a_cause_counts_from_the_moment_the_rule_says_and_not_when_it_is_off() -> None:
    cause = Cause("gateway_offline", "box", "GW", NOW)
    rules = {"gateway_offline": RuleSetting("gateway_offline", after=10)}
    assert due([cause], rules, NOW + timedelta(minutes=9, seconds=59)) == []
    assert due([cause], rules, NOW + timedelta(minutes=10)) == [cause]
    off = {"gateway_offline": RuleSetting("gateway_offline", enabled=False, after=0)}
    assert due([cause], off, NOW + timedelta(days=1)) == []
