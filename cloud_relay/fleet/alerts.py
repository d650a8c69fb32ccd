"""Alerts: opened once for a rule and what it is about, closed when that is over, both told to webhooks.

Which causes there are is found elsewhere (`alert_causes`, `alert_watch`); people acknowledge, and set how long what
must last. What another team has is not there: NotFound. Start at `move`.
"""

from collections.abc import Iterable, Mapping, Sequence
from datetime import datetime, timedelta
from typing import Any

import msgspec

from cloud_relay.fleet.acts import Act
from cloud_relay.fleet.alert_records import RULES, Alert, AlertState, Cause, RuleSetting
from cloud_relay.fleet.audit import note
from cloud_relay.fleet.ids import AlertId, TeamId, new_id
from cloud_relay.fleet.outbox import tell
from cloud_relay.fleet.ports import Books
from cloud_relay.fleet.webhook_records import Happening
from sitelink.errors import NotFound, RequestInvalid

KEPT_FOR = timedelta(days=365)
"""After it closed."""


class Move(msgspec.Struct, frozen=True):
    """What is to be done so that the alerts of a team are about what is wrong now. `told_anew`: their words changed."""

    opened: tuple[Cause, ...] = ()
    told_anew: tuple[tuple[Alert, Cause], ...] = ()
    closed: tuple[Alert, ...] = ()

    def __bool__(self) -> bool:
        return bool(self.opened or self.told_anew or self.closed)


def move(standing: Iterable[Alert], causes: Iterable[Cause]) -> Move:
    """`standing`: the alerts of the team that are not closed; `causes`: all that count now. Pure."""
    now = {(each.rule, each.subject): each for each in causes}
    known = {(each.rule, each.subject): each for each in standing}
    both = [(alert, now[key]) for key, alert in known.items() if key in now]
    return Move(
        opened=tuple(each for key, each in now.items() if key not in known),
        told_anew=tuple(each for each in both if (each[0].name, each[0].detail) != (each[1].name, each[1].detail)),
        closed=tuple(alert for key, alert in known.items() if key not in now),
    )


def carry_out(books: Books, team: TeamId, what: Move, now: datetime) -> bool:
    """Whether anything came of it: another node may have been faster."""
    changed = [_open(books, team, each, now) for each in what.opened]
    changed += [_close(books, each, now) for each in what.closed]
    for alert, cause in what.told_anew:
        known = _standing(books, alert)
        if known is not None:
            books.alerts.put(msgspec.structs.replace(known, name=cause.name, detail=cause.detail))
        changed.append(known is not None)
    return any(changed)


def _open(books: Books, team: TeamId, cause: Cause, now: datetime) -> bool:
    alert = Alert(
        id=AlertId(new_id()), team=team, rule=cause.rule, subject=cause.subject, name=cause.name[:200],
        site=cause.site, detail=cause.detail, since=cause.since, opened_at=now,
    )  # fmt: skip
    added = books.alerts.add(alert)
    if added:
        _tell(books, alert, "alert.opened", now)
    return added


def _close(books: Books, alert: Alert, now: datetime) -> bool:
    known = _standing(books, alert)
    if known is None:
        return False
    closed = msgspec.structs.replace(known, state=AlertState.CLOSED, closed_at=now)
    books.alerts.put(closed)
    _tell(books, closed, "alert.closed", now)
    return True


def _standing(books: Books, alert: Alert) -> Alert | None:
    known = books.alerts.of(alert.team, alert.id)
    return known if known is not None and known.state is not AlertState.CLOSED else None


def _tell(books: Books, alert: Alert, kind: str, now: datetime) -> None:
    what = Happening(kind, f"{alert.id}/{kind}", now, {"alert": told(alert)})
    tell(books, books.webhooks.listening(alert.team), (what,), site=alert.site, now=now)


def told(alert: Alert) -> dict[str, Any]:
    """As webhooks tell it."""
    values = msgspec.structs.asdict(alert)
    del values["team"]
    return {**values, "state": alert.state.value}


# ---- what people do ----


def acknowledge(books: Books, act: Act, team: TeamId, id_: AlertId) -> Alert:
    """Somebody knows. Of one that is acknowledged or closed nothing changes. Raises NotFound."""
    alert = books.alerts.of(team, id_)
    if alert is None:
        raise NotFound(what="alert", key=id_[:64])
    if alert.state is not AlertState.OPEN:
        return alert
    known = msgspec.structs.replace(
        alert, state=AlertState.ACKNOWLEDGED, acknowledged_at=act.at, acknowledged_by=act.actor.name[:254]
    )
    books.alerts.put(known)
    note(books, act, "alert.acknowledged", team, "alert", id_, alert.name, after={"rule": alert.rule})
    return known


def rules_of(books: Books, team: TeamId) -> dict[str, RuleSetting]:
    """Every rule, as it holds for the team."""
    return {**_usual(), **{each.rule: each for each in books.alerts.settings(team)}}


def change_rules(books: Books, act: Act, team: TeamId, wanted: Sequence[RuleSetting]) -> dict[str, RuleSetting]:
    """Rules that are not named are as usual again. Raises RequestInvalid."""
    before, usual = rules_of(books, team), _usual()
    settings = {each.rule: _checked(each) for each in wanted}
    books.alerts.put_settings(team, [each for name, each in settings.items() if each != usual[name]])
    after = rules_of(books, team)
    changed = [name for name in RULES if before[name] != after[name]]
    if changed:
        shown = [{name: _in_words(rules[name]) for name in changed} for rules in (before, after)]
        note(books, act, "alert_rules.changed", team, "team", team, "alert rules", *shown)
    return after


def _usual() -> Mapping[str, RuleSetting]:
    return {name: RuleSetting(name, after=rule.after) for name, rule in RULES.items()}


def _checked(setting: RuleSetting) -> RuleSetting:
    rule = RULES.get(setting.rule)
    if rule is None:
        raise RequestInvalid(where="rule", problem="not_allowed", allowed=", ".join(RULES))
    if rule.after is None:
        return RuleSetting(setting.rule, setting.enabled)
    after = rule.after if setting.after is None else setting.after
    if not 0 <= after <= rule.most:
        raise RequestInvalid(where=setting.rule, problem="not_allowed", allowed=f"0 to {rule.most} {rule.unit.value}")
    return RuleSetting(setting.rule, setting.enabled, after)


def _in_words(setting: RuleSetting) -> str:
    if not setting.enabled:
        return "off"
    return "on" if setting.after is None else f"after {setting.after} {RULES[setting.rule].unit.value}"
