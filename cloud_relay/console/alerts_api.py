"""The operator API of alerts and their rules. Start at `ROUTES`."""

from datetime import datetime
from typing import Any

import msgspec
from aiohttp import web

from cloud_relay.console.caller import STORE, caller_of
from cloud_relay.console.operator_api import cursor_of, page_of
from cloud_relay.fleet import alerts
from cloud_relay.fleet.alert_records import RULES, Alert, AlertState, RuleSetting
from cloud_relay.fleet.alert_watch import AlertWatch
from cloud_relay.fleet.ids import AlertId
from sitelink.errors import NotFound, RequestInvalid
from web_ui.bodies import read_json
from web_ui.job_api import answer
from web_ui.routes import Route

WATCH: web.AppKey[AlertWatch] = web.AppKey("alert_watch", AlertWatch)


class AlertView(msgspec.Struct):
    """`subject`: the id of what it is about, `name` as people call that; `detail` differs by rule.

    `since`: when it began; `opened_at`: when it had lasted as long as the rule asks.
    """

    id: str
    rule: str
    state: AlertState
    subject: str
    name: str
    site: str | None
    detail: dict[str, Any]
    since: datetime
    opened_at: datetime
    acknowledged_at: datetime | None
    acknowledged_by: str
    closed_at: datetime | None


class AlertList(msgspec.Struct):
    items: list[AlertView]
    next: str | None = None


class RuleView(msgspec.Struct):
    """`after`: for how many of `unit` something must last; null: it counts at once."""

    rule: str
    enabled: bool
    after: int | None
    unit: str | None
    usual: int | None


class RuleList(msgspec.Struct):
    items: list[RuleView]
    next: str | None = None


class WantedRule(msgspec.Struct, forbid_unknown_fields=True):
    """Without `after`: as usual."""

    rule: str
    enabled: bool = True
    after: int | None = None


class WantedRules(msgspec.Struct, forbid_unknown_fields=True):
    items: list[WantedRule]


async def get_alerts(request: web.Request) -> web.Response:
    """Newest first; `status`, `rule` and `site` narrow the list."""
    caller = await caller_of(request, "alerts:read")
    limit, before = page_of(request)
    status, rule, site = (request.query.get(name, "") for name in ("status", "rule", "site"))
    if status and status not in list(AlertState):
        raise RequestInvalid(where="status", problem="not_allowed", allowed=", ".join(AlertState))
    if rule and rule not in RULES:
        raise RequestInvalid(where="rule", problem="not_allowed", allowed=", ".join(RULES))
    states = (status,) if status else ()
    found = await request.app[STORE].read(
        lambda books: books.alerts.page(
            caller.team, before=before, limit=limit + 1, states=states, rule=rule, site=site
        )
    )
    last = found[limit - 1] if len(found) > limit else None
    following = cursor_of(last.opened_at.isoformat(), last.id) if last is not None else None
    return answer(AlertList([_view(each) for each in found[:limit]], following))


async def post_acknowledge(request: web.Request) -> web.Response:
    """Somebody knows. Done twice, nothing more happens."""
    caller, id_ = await caller_of(request, "alerts:write"), AlertId(request.match_info["alert"])
    known = await request.app[STORE].write(lambda books: alerts.acknowledge(books, caller.act, caller.team, id_))
    return answer(_view(known))


async def get_rules(request: web.Request) -> web.Response:
    caller = await caller_of(request, "alerts:read")
    return answer(_rules(await request.app[STORE].read(lambda books: alerts.rules_of(books, caller.team))))


async def put_rules(request: web.Request) -> web.Response:
    """All of them: rules that are not named are as usual again."""
    caller = await caller_of(request, "alerts:write")
    body = await read_json(request, WantedRules)
    wanted = [RuleSetting(each.rule, each.enabled, each.after) for each in body.items]
    rules = await request.app[STORE].write(lambda books: alerts.change_rules(books, caller.act, caller.team, wanted))
    request.app[WATCH].hurry(caller.team)
    return answer(_rules(rules))


def _view(alert: Alert) -> AlertView:
    return AlertView(**{name: getattr(alert, name) for name in AlertView.__struct_fields__})


def _rules(rules: dict[str, RuleSetting]) -> RuleList:
    found = []
    for name, setting in rules.items():
        usual = RULES[name].after
        unit = RULES[name].unit.value if usual is not None else None
        found.append(RuleView(name, setting.enabled, setting.after, unit, usual))
    return RuleList(found)


def _route(method: str, path: str, handler: Any, summary: str, **more: Any) -> Route:
    scope = "alerts:read" if method == "GET" else "alerts:write"
    return Route(method, f"/api/v1{path}", handler, summary, auth="team", scope=scope, **more)


ROUTES = (
    _route("GET", "/alerts", get_alerts, "What is wrong, and was.", answer=AlertList,
           query=("limit", "cursor", "status", "rule", "site"), errors=(RequestInvalid,)),
    _route("POST", "/alerts/{alert}/acknowledge", post_acknowledge, "Say that somebody knows.", answer=AlertView,
           errors=(NotFound,)),
    _route("GET", "/alert-rules", get_rules, "The rules as they hold for the team.", answer=RuleList),
    _route("PUT", "/alert-rules", put_rules, "Change the rules.", body=WantedRules, answer=RuleList,
           errors=(RequestInvalid,)),
)  # fmt: skip
