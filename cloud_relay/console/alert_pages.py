"""What is wrong, and was, for people; and the rules of it. Start at `get_alerts`."""

from collections.abc import Sequence
from datetime import datetime
from typing import Any
from urllib.parse import urlencode

import msgspec
from aiohttp import web

from cloud_relay.console.alerts_api import WATCH
from cloud_relay.console.caller import STORE
from cloud_relay.console.drawing import drawn, gone_to, team_path
from cloud_relay.console.live_pages import seq_here
from cloud_relay.console.members import caller_here, form_of
from cloud_relay.console.operator_api import cursor_of, page_of
from cloud_relay.fleet import alerts
from cloud_relay.fleet.alert_records import RULES, Alert, AlertState, RuleSetting
from cloud_relay.fleet.ids import AlertId, SiteId, TeamId
from cloud_relay.fleet.ports import Books
from sitelink.errors import RequestInvalid
from web_ui import alert_words
from web_ui.routes import Route

SHOWN = 50
STANDING_SHOWN = 200
READ, WRITE = "alerts:read", "alerts:write"


class Line(msgspec.Struct, frozen=True):
    """`path`: where it can be looked at, below the team's; "" nowhere."""

    id: str
    state: str
    says: str
    why: str
    name: str
    path: str
    site: str
    site_id: str
    since: datetime
    acknowledged_by: str
    closed_at: datetime | None


class RuleLine(msgspec.Struct, frozen=True):
    """`after` as it stands in the form."""

    name: str
    words: str
    enabled: bool
    after: str | None
    unit: str
    usual: int | None
    most: int


async def get_alerts(request: web.Request) -> web.Response:
    """Those that stand, the ones nobody has acknowledged first; or with `show=closed` what is over."""
    caller, seq, (_, before) = caller_here(request), seq_here(request), page_of(request)
    closed = request.query.get("show", "") == "closed"

    def work(books: Books) -> tuple[Sequence[Alert], int, dict[SiteId, str]]:
        standing = books.alerts.standing(caller.team)
        found: Sequence[Alert] = standing
        if closed:
            states = (AlertState.CLOSED.value,)
            found = books.alerts.page(caller.team, before=before, limit=SHOWN + 1, states=states)
        names = {each.site: _site_name(books, caller.team, each.site) for each in found if each.site is not None}
        return found, len(standing), names

    found, standing, names = await request.app[STORE].read(work)
    shown, following = found[: SHOWN if closed else STANDING_SHOWN], ""
    if closed and len(found) > SHOWN:
        query = {"show": "closed", "cursor": cursor_of(shown[-1].opened_at.isoformat(), shown[-1].id)}
        following = f"{team_path(request, '/alerts')}?{urlencode(query)}"
    may_webhooks = caller.may("webhooks:write")
    found_lines = (_line(each, names, may_webhooks=may_webhooks) for each in shown)
    lines = sorted(found_lines, key=lambda each: each.state == AlertState.ACKNOWLEDGED)
    return drawn(
        request, "alerts", here="alerts", alerts=lines, closed=closed, standing=standing, following=following, seq=seq,
        more=not closed and len(found) > len(shown), may_write=caller.may(WRITE),
    )  # fmt: skip


async def post_acknowledge(request: web.Request) -> web.Response:
    caller, id_ = caller_here(request), AlertId(request.match_info["alert"])
    await request.app[STORE].write(lambda books: alerts.acknowledge(books, caller.act, caller.team, id_))
    return gone_to(team_path(request, "/alerts"))


async def get_rules(request: web.Request) -> web.Response:
    caller = caller_here(request)
    rules = await request.app[STORE].read(lambda books: alerts.rules_of(books, caller.team))
    return _rules_page(request, rules, {})


async def post_rules(request: web.Request) -> web.Response:
    """All of them at once; what was typed stays when one of them cannot be."""
    caller, form = caller_here(request), form_of(request)
    typed = {name: form.get(f"after {name}", "").strip() for name, rule in RULES.items() if rule.after is not None}
    wanted = [RuleSetting(name, f"on {name}" in form) for name in RULES]
    try:
        wanted = [msgspec.structs.replace(each, after=_number(each.rule, typed.get(each.rule))) for each in wanted]
        await request.app[STORE].write(lambda books: alerts.change_rules(books, caller.act, caller.team, wanted))
    except RequestInvalid as error:
        return _rules_page(request, {each.rule: each for each in wanted}, typed, error)
    request.app[WATCH].hurry(caller.team)
    return gone_to(team_path(request, "/alerts/rules"))


def _number(rule: str, typed: str | None) -> int | None:
    """Raises RequestInvalid."""
    if typed is None:
        return None
    if not (typed.isascii() and typed.isdecimal() and len(typed) < 7):
        allowed = f"0 to {RULES[rule].most} {RULES[rule].unit.value}"
        raise RequestInvalid(where=rule, problem="not_allowed", allowed=allowed)
    return int(typed)


def _rules_page(
    request: web.Request, rules: dict[str, RuleSetting], typed: dict[str, str], problem: RequestInvalid | None = None
) -> web.Response:  # fmt: skip
    lines = []
    for name, rule in RULES.items():
        setting = rules.get(name, RuleSetting(name, after=rule.after))
        after = None if rule.after is None else typed.get(name, str(setting.after))
        words = alert_words.RULES[name].rule
        lines.append(RuleLine(name, words, setting.enabled, after, rule.unit.value, rule.after, rule.most))
    return drawn(
        request, "alert_rules", here="alerts", rules=lines, may_write=caller_here(request).may(WRITE),
        wrong=str(problem.fields.get("where", "")) if problem else "", problem=problem.code if problem else None,
        fields=problem.fields if problem else {}, status=problem.http_status if problem else 200,
    )  # fmt: skip


def _line(alert: Alert, names: dict[SiteId, str], *, may_webhooks: bool) -> Line:
    site = alert.site or SiteId("")
    return Line(
        alert.id, alert.state.value, alert_words.says(alert.rule), alert_words.why(alert.detail), alert.name,
        _path(alert, may_webhooks=may_webhooks), names.get(site, ""), site, alert.since,
        alert.acknowledged_by, alert.closed_at,
    )  # fmt: skip


def _path(alert: Alert, *, may_webhooks: bool) -> str:
    if alert.rule == "job_idle":
        return f"/jobs/{alert.subject}"
    if alert.rule.startswith("gateway_"):
        return f"/sites/{alert.site}"
    if alert.rule.startswith("charge_point_") or alert.rule == "serial_conflict":
        return f"/sites/{alert.site}/charge-points/{alert.subject}"
    return f"/webhooks/{alert.subject}" if may_webhooks else ""


def _site_name(books: Books, team: TeamId, site: SiteId) -> str:
    found = books.sites.of(team, site)
    return found.name if found is not None else ""


def _route(method: str, path: str, handler: Any, summary: str) -> Route:
    scope = READ if method == "GET" else WRITE
    return Route(method, f"/t/{{team}}/alerts{path}", handler, summary, media="text/html", auth="member", scope=scope)


ROUTES = (
    _route("GET", "", get_alerts, "What is wrong, and was."),
    _route("POST", "/{alert}/acknowledge", post_acknowledge, "Say that somebody knows."),
    _route("GET", "/rules", get_rules, "The rules of alerts."),
    _route("POST", "/rules", post_rules, "Change the rules."),
)
