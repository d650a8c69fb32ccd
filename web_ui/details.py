"""One charge point in full, as its Details page shows it: who it is, how it stands, what it charged.

Pure. Made for a row of a job, and for any identity the box knows, the waiting room's too. What it sends stands in
`web_ui.frame_views`, what was put right of it in `web_ui.corrections`. Start at `details_of`.
"""

from collections.abc import Iterable, Mapping
from datetime import datetime
from typing import Any

import msgspec

from sitelink.ids import StationKey, station_key
from sitelink.inventory import Variable, variables_of
from sitelink.model import ChargePoint, Connector, Knock, Station, Transaction
from sitelink.security import KeyState, StationSecurity
from sitelink.states import ConnectorStatus, ReportKind
from sitelink.status import status_of
from web_ui import ocpp_words, wording
from web_ui.corrections import OdditiesView, oddities_of
from web_ui.ports import Oddities, Snapshot
from web_ui.told_views import ToldView, told_views
from web_ui.transfer_views import TransferView, transfer_views
from web_ui.views import tone_of

CHARGES_SHOWN = 8
TRANSFERS_SHOWN = 8
SECURITY_SHOWN = 20
_KEYS = {
    KeyState.OFFERED: "A new password is on its way to it.",
    KeyState.ACCEPTED: "It took a new password and has not shown it yet.",
    KeyState.REFUSED: "It refused a new password.",
    KeyState.UNCERTAIN: "It may have taken a new password; both are accepted for a day.",
    KeyState.PROVEN: "It shows the password it was given.",
}


class Fact(msgspec.Struct, frozen=True):
    """A line of what is known. `at` stands for `text` where it is a time; `hint` says more; `tone`: warn, or ""."""

    label: str
    text: str = ""
    at: datetime | None = None
    hint: str = ""
    tone: str = ""


class AxisView(msgspec.Struct, frozen=True):
    """A row's status taken apart: how it stands to the box, and what it is doing."""

    name: str
    number: str
    connector: int
    status: str
    tone: str
    explanation: str
    connection: str
    connection_text: str
    since: datetime | None
    operation: str
    operation_text: str


class PlugView(msgspec.Struct, frozen=True):
    number: int
    status: str
    text: str


class PlaceView(msgspec.Struct, frozen=True):
    """A connector (OCPP 1.6) or EVSE (2.x), 0 being the whole; `trouble` what it reports of a fault."""

    label: str
    status: str
    text: str
    trouble: str
    at: datetime
    plugs: tuple[PlugView, ...]


class ChargeView(msgspec.Struct, frozen=True, kw_only=True):
    """`id` is ours, `name` the station's own. `oddities`: what is not plausible, or missing."""

    id: int
    name: str | None
    place: str
    running: bool
    test: bool
    started_at: datetime | None
    stopped_at: datetime | None
    energy_wh: float | None
    state_text: str
    reason: str
    oddities: tuple[str, ...]


class SettingView(msgspec.Struct, frozen=True):
    """A variable (OCPP 2.x) or configuration key (1.6). `value` None: not told; `secret`: not kept."""

    key: str
    value: str | None
    secret: bool = False


class SettingsView(msgspec.Struct, frozen=True):
    """What it told of itself, whole. `at` None: piece by piece, when it was asked. `missing`: parts that never came."""

    settings: tuple[SettingView, ...] = ()
    at: datetime | None = None
    missing: int = 0
    wanted: str = ""
    """What is looked for; `settings` are those with it in their name or value."""
    total: int = 0


class SecurityEntry(msgspec.Struct, frozen=True):
    """A line of the security log about it."""

    at: datetime
    text: str
    detail: str
    count: int


class Paths(msgspec.Struct, frozen=True, kw_only=True):
    """Where the parts of a Details page are. `regions` and `events` end in ? or &, ready for more."""

    back: str
    back_text: str
    details: str
    regions: str
    events: str
    frames: str
    files: str | None = None
    """Where files are asked for; None: not by this person."""
    calls: str | None = None
    """Where calls are sent by hand; None: not by this person."""


class DetailsView(msgspec.Struct, frozen=True, kw_only=True):
    """`title` is the row's name, else the identity. `on` names the news that make the page stale."""

    title: str
    identity: str
    row: str | None
    facts: tuple[Fact, ...]
    axes: tuple[AxisView, ...]
    faults: tuple[str, ...]
    places: tuple[PlaceView, ...]
    charges: tuple[ChargeView, ...]
    settings: SettingsView
    security_log: tuple[SecurityEntry, ...]
    oddities: OdditiesView
    transfers: tuple[TransferView, ...]
    calling: tuple[Fact, ...]
    """Of one that calls and is not served."""
    on: Mapping[str, str]
    """By part; "" is for all others."""
    now: datetime
    seq: int
    told: tuple[ToldView, ...] = ()


def details_of(
    snapshot: Snapshot, oddities: Oddities, station: StationKey, *, on: Mapping[str, str],
    row: ChargePoint | None = None, with_settings: bool = True, with_told: bool = True,
    wanted: str = "", security_log: Iterable[Mapping[str, Any]] = (),
) -> DetailsView:  # fmt: skip
    """Of a station by its key; with `row` as that row of a job sees it. Settings may be hundreds: only where wanted."""
    state = snapshot.state
    known = state.stations.get(station) if station else None
    knocks = [knock for knock in state.knocks.values() if station and station_key(knock.identity) == station]
    named = [each for _, each in state.rows_of_station(station)] if station else []
    rows = [row] if row is not None else named
    identity = row.identity if row is not None else _identity(known, named, knocks, station)
    drift_s = oddities.clock_drift_s(station)
    return DetailsView(
        title=row.name if row is not None else identity, identity=identity, row=row.id if row is not None else None,
        facts=_facts(snapshot, known, state.security.get(station), drift_s) if known is not None else (),
        axes=tuple(_axis(snapshot, each, known) for each in rows),
        faults=tuple(wording.full(each.code, {**each.detail, "identity": identity}) for each in known.faults)
        if known is not None else (),
        places=_places(known), charges=_charges(snapshot, station, known),
        settings=_settings(snapshot, known, wanted) if known is not None and with_settings else SettingsView(),
        transfers=tuple(transfer_views(snapshot, station)[:TRANSFERS_SHOWN]) if station else (),
        security_log=tuple(_entry(each, identity, snapshot.now) for each in security_log),
        oddities=oddities_of(known, oddities.corrections(station), None),
        calling=_calling(knocks, snapshot.ocpp_url), on=on, now=snapshot.now, seq=snapshot.seq,
        told=told_views(state, station, snapshot.now) if station and with_told else (),
    )  # fmt: skip


def _identity(known: Station | None, rows: list[ChargePoint], knocks: list[Knock], station: StationKey) -> str:
    if known is not None:
        return known.identity
    return rows[0].identity if rows else knocks[0].identity if knocks else str(station)


# ---- what it is ----


def _facts(
    snapshot: Snapshot, station: Station, security: StationSecurity | None, drift_s: float | None
) -> tuple[Fact, ...]:
    last_seen = snapshot.last_seen.get(station.id) or station.last_seen
    missing = sum(each.missing_events for each in _transactions(snapshot, station.id) if not each.incomplete)
    facts = [
        Fact("Vendor", station.vendor or ""), Fact("Model", station.model or ""), Fact("Serial", station.serial or ""),
        Fact("Firmware", station.firmware or ""), _version(station), Fact("Address", station.ip or ""),
        *_security(station, security), Fact("First contact", at=station.first_seen),
        Fact("Last message", at=last_seen), _starts(station), _clock(drift_s),
    ]  # fmt: skip
    if missing:
        text = f"{missing} missing"
        facts.append(
            Fact("Messages about charges", text, hint="They may still come: it sends them again.", tone="warn")
        )
    return tuple(fact for fact in facts if fact.text or fact.at is not None)


def _version(station: Station) -> Fact:
    agreed = f"agreed as {station.subprotocol}" if station.subprotocol else "without saying so"
    return Fact("OCPP version", station.version or "", hint=agreed if station.version else "")


def _security(station: Station, security: StationSecurity | None) -> list[Fact]:
    """In plain words; profiles 0 and 1 are a warning, since this network is theirs alone only by hope."""
    if station.changed_at is None:
        return []
    said = ocpp_words.PROFILES.get(station.profile, "")
    if station.profile == 0 and station.encrypted:
        said = "Encrypted, without a password. Anybody on this network could pass for it."
    facts = [
        Fact("Security", f"profile {station.profile}", hint=said, tone="warn" if station.profile < 2 else ""),
    ]
    if security is not None and security.profile is not None and security.profile != station.profile:
        facts.append(Fact("Held to", f"profile {security.profile}", hint="It is not served below it."))
    if security is not None and security.key_state is not None:
        facts.append(Fact("Password", _KEYS[security.key_state]))
    return facts


def _starts(station: Station) -> Fact:
    hint = f"{station.boots} starts in all" if station.boots > 1 else ""
    return Fact("Last start", at=station.booted_at, hint=hint)


def _clock(drift_s: float | None) -> Fact:
    if drift_s is None:
        return Fact("Clock")
    off = wording.clock_off(drift_s)
    return Fact("Clock", off or "right", tone="warn" if off else "")


def _calling(knocks: list[Knock], ocpp_url: str) -> tuple[Fact, ...]:
    """What one that is not served says of itself."""
    facts: list[Fact] = []
    for knock in sorted(knocks, key=lambda each: each.at, reverse=True):
        why = wording.full(knock.reason, {"identity": knock.identity, "address": f"{ocpp_url}…"})
        said = {
            "Vendor": knock.vendor, "Model": knock.model, "Serial": knock.serial, "Firmware": knock.firmware,
            "OCPP version": knock.version or ", ".join(knock.offered), "Address": knock.ip,
        }  # fmt: skip
        facts.append(Fact("Why it is not served", why, tone="warn"))
        facts += [Fact(label, text) for label, text in said.items() if text]
        facts.append(Fact("Last call", at=knock.at, hint=f"called {knock.count} times" if knock.count > 1 else ""))
        if knock.first_at is not None:
            facts.append(Fact("First call", at=knock.first_at))
    return tuple(facts)


def _settings(snapshot: Snapshot, station: Station, wanted: str) -> SettingsView:
    """Its inventory, where it told one; else what it was asked for. Only those with `wanted` in name or value."""
    report = snapshot.state.report_of(station.id, ReportKind.INVENTORY)
    if report is None:
        told = [SettingView(*each) for each in sorted(station.configuration.items())]
    else:
        told = sorted(map(_setting, variables_of(report.items)), key=lambda each: each.key.casefold())
    parts = wanted.casefold().split()
    found = [each for each in told if all(part in f"{each.key} {each.value or ''}".casefold() for part in parts)]
    at, missing = (report.at, report.missing) if report is not None else (None, 0)
    return SettingsView(tuple(found), at, missing, wanted, len(told))


def _setting(variable: Variable) -> SettingView:
    component = variable.component
    if variable.component_instance:
        component += f" {variable.component_instance}"
    if variable.evse is not None:
        component += f" EVSE {variable.evse}" + (f" plug {variable.connector}" if variable.connector else "")
    name = f"{variable.name} {variable.instance}" if variable.instance else variable.name
    value = variable.value
    if value and variable.unit:
        value = f"{value} {variable.unit}"
    secret = any(each.secret for each in variable.attributes.values())
    return SettingView(f"{component} · {name}" if component else name, value, secret)


def _entry(entry: Mapping[str, Any], identity: str, now: datetime) -> SecurityEntry:
    """In words where there are any, else by its code."""
    kind, detail = str(entry["kind"]), dict(entry.get("detail") or {})
    count = int(detail.pop("count", 1) or 1)
    text = ocpp_words.SECURITY_LOG.get(kind) or kind.replace("_", " ").capitalize() + "."
    if kind == "station_event":
        text = ocpp_words.security_event(str(detail.pop("type", "")))
    elif kind in wording.WORDS:
        text = wording.full(kind, {**detail, "identity": identity, "now": now})
    shown = ", ".join(f"{name} {value}" for name, value in detail.items() if isinstance(value, (str, int)) and value)
    return SecurityEntry(entry["at"], text, shown, count)


# ---- how it stands ----


def _axis(snapshot: Snapshot, row: ChargePoint, station: Station | None) -> AxisView:
    state = snapshot.state
    status = status_of(state, row)
    fields = {**status.fields, "now": snapshot.now, "address": snapshot.ocpp_url + row.identity}
    connection = status.integration.value if status.integration is not None else "none"
    job = state.jobs.get(row.job)
    return AxisView(
        name=row.name, number=job.number if job else "", connector=row.connector, status=status.text,
        tone=tone_of(status), explanation=wording.full(status.explanation, fields),
        connection="not set up" if connection == "none" else connection,
        connection_text=ocpp_words.word(ocpp_words.CONNECTIONS, connection),
        since=station.changed_at if station is not None else None,
        operation=status.state.value, operation_text=ocpp_words.word(ocpp_words.OPERATIONS, status.state.value),
    )  # fmt: skip


def _places(station: Station | None) -> tuple[PlaceView, ...]:
    if station is None:
        return ()
    return tuple(_place(station, number, each) for number, each in sorted(station.connectors.items()))


def _place(station: Station, number: int, connector: Connector) -> PlaceView:
    trouble = ""
    if connector.error_code != "NoError" or connector.vendor_error_code or connector.info:
        details = [each for each in (connector.info, connector.vendor_error_code) if each]
        words = wording.ocpp_error(connector.error_code) if connector.error_code != "NoError" else ""
        trouble = " ".join([*([words] if words else []), *([f"({', '.join(details)})"] if details else [])])
    return PlaceView(
        label=_place_name(station, number), status=connector.text or connector.status.value,
        text=_said(connector.status), trouble=trouble, at=connector.at,
        plugs=tuple(
            PlugView(plug, status.value, _said(status))
            for plug, status in sorted(connector.plugs.items())
        ) if len(connector.plugs) > 1 else (),
    )  # fmt: skip


def _said(status: ConnectorStatus) -> str:
    """What a status means, where the word does not say so itself."""
    text = ocpp_words.word(ocpp_words.CONNECTORS, status.value)
    return "" if text == f"{status.value}." else text


def _place_name(station: Station | None, number: int) -> str:
    if number == 0:
        return "The charge point as a whole"
    by_evse = station is not None and (station.version or "").startswith("2")
    return f"EVSE {number}" if by_evse else f"Connector {number}"


# ---- what was charged ----


def _transactions(snapshot: Snapshot, station: StationKey) -> list[Transaction]:
    return [each for each in snapshot.state.transactions.values() if each.station == station]


def _charges(snapshot: Snapshot, key: StationKey, station: Station | None) -> tuple[ChargeView, ...]:
    """Running ones first, then the newest."""
    found = sorted(_transactions(snapshot, key), key=lambda each: (not each.open, -each.id))
    return tuple(_charge(snapshot, each, station) for each in found[:CHARGES_SHOWN])


def _charge(snapshot: Snapshot, charge: Transaction, station: Station | None) -> ChargeView:
    said = charge.charging.value if charge.charging is not None else None
    reason = ocpp_words.reason(charge.reason) if not charge.open else ""
    state_text = ocpp_words.CHARGING.get(said or "", "Running.")
    if not charge.open:
        state_text = "Ended" if reason else "Ended."
    if charge.open and not charge.authorised:
        state_text = "Car plugged in, waiting to be let in."
    return ChargeView(
        id=charge.id, name=charge.name, place=_place_name(station, charge.connector), running=charge.open,
        test=charge.test, started_at=charge.started_at, stopped_at=charge.stopped_at,
        energy_wh=_energy_wh(snapshot, charge), state_text=state_text,
        reason=reason, oddities=tuple(_odd(charge)),
    )  # fmt: skip


def _energy_wh(snapshot: Snapshot, charge: Transaction) -> float | None:
    if charge.meter_start_wh is None:
        return None
    end_wh = charge.meter_stop_wh
    if charge.open:
        readings = snapshot.state.readings.get((charge.station, charge.connector))
        fresh = readings is not None and (charge.started_at is None or readings.at >= charge.started_at)
        end_wh = readings.value("Energy.Active.Import.Register") if readings is not None and fresh else None
    return max(0.0, end_wh - charge.meter_start_wh) if end_wh is not None else None


def _odd(charge: Transaction) -> Iterable[str]:
    if charge.orphan:
        yield "its beginning was never told"
    if charge.missing_events:
        count = charge.missing_events
        for_good = ", and it has none left" if charge.incomplete else ""
        yield f"{count} {'message' if count == 1 else 'messages'} about it missing{for_good}"
    if not charge.open and charge.stopped_at is not None and charge.meter_stop_wh is None:
        yield "what it charged was not told"
    for flag in charge.flags:
        yield ocpp_words.FLAGS.get(flag, flag)
