"""A job as its page and `GET /api/v1/job` show it; the shapes stand in `web_ui.job_shapes`.

Pure: no I/O, no clock; everything comes from one Snapshot. The rules themselves live in `sitelink.status` and
`sitelink.actions`, the words in `web_ui.wording`. Start at `job_view`.
"""

from collections.abc import Collection, Iterable
from datetime import datetime

from sitelink.actions import SCHEDULED, actions_of, commands_of
from sitelink.errors import SiteError
from sitelink.ids import ChargePointId, JobId, StationKey, station_key
from sitelink.measurands import values_of
from sitelink.model import ChargePoint, Command, Head, Job, Knock, Link, Note, Register, Station, Transaction
from sitelink.ops import Author
from sitelink.security import KeyState, StationSecurity
from sitelink.states import (
    COMMAND_RUNNING,
    ActionName,
    ChargePointState,
    IntegrationState,
    JobStatus,
    LinkRole,
)
from sitelink.status import Status, status_of
from web_ui import wording
from web_ui.job_shapes import (
    ActionItem,
    ChargePointView,
    CommandView,
    CompletionView,
    Conflict,
    ErrorView,
    HeadView,
    JobView,
    NoteView,
    OpenPoint,
    PairingView,
    RelayView,
    SecurityView,
    SeenView,
    SiteView,
    StationView,
    TestView,
    TransactionView,
)
from web_ui.meter_views import by_quantity, meters_of
from web_ui.ports import Relay, Snapshot

__all__ = ["NOTE_MAX_CHARACTERS", "ChargePointView", "ErrorView", "JobView", "error_view", "job_view"]

COMMANDS_SHOWN = 5
DOOR_REASONS = frozenset({"credentials_needed", "wrong_key", "wrong_user", "profile_lowered", "certificate_revoked",
                          "certificate_of_another"})  # fmt: skip
"""Why a station that was served before is no longer let in: letting it pair anew helps."""
CONNECTORS_WHEN_UNKNOWN = 4
NOTE_MAX_CHARACTERS = 2000


def error_view(error: SiteError, typed: str = "") -> ErrorView:
    """An error as the page shows it at the field that caused it."""
    other = error.fields.get("charge_point") if error.code == "identity_in_use" else None
    return ErrorView(
        code=error.code,
        sentence=wording.sentence(error.code, error.fields),
        next_step=wording.next_step(error.code, error.fields),
        typed=typed,
        other=str(other) if other else None,
        other_name=str(error.fields.get("name")) if other else None,
    )


def job_view(
    snapshot: Snapshot, job_id: JobId, *, link: Link, only: Collection[ChargePointId] | None = None
) -> JobView:
    """Raises KeyError when the job is not on this box.

    With `only`, these rows alone are looked at: enough to draw them again, but counts and lists are theirs too.
    """
    state = snapshot.state
    job = state.jobs[job_id]
    looks = _Looks(snapshot, job)
    rows = tuple(looks.row(row) for row in state.rows(job) if only is None or row.id in only)
    return JobView(
        number=job.number, status=job.status, site=SiteView(job.site_name, job.site_address),
        description=job.description, instructions=job.instructions, contact=job.contact,
        total=len(rows), connected=sum(row.connected for row in rows), tested=sum(row.tested for row in rows),
        relay=_relay(snapshot.relay), charge_points=rows, seen=_seen(snapshot, rows), meters=meters_of(snapshot, job),
        pairing=PairingView(snapshot.pairing_open.get(job.id, False)), completion=_completion(snapshot, job, rows),
        open_points=_open_points(rows), read_only=job.status is not JobStatus.OPEN or link.role is LinkRole.READ,
        trouble=snapshot.trouble, notice=snapshot.notice, activate_by_default=job.activate_by_default, seq=snapshot.seq,
        in_cloud=snapshot.in_cloud, ocpp_url=snapshot.ocpp_url, ocpp_tls_url=snapshot.ocpp_tls_url, now=snapshot.now,
    )  # fmt: skip


class _Looks:
    """One snapshot with the indexes that rows share, so that a job of many rows stays linear."""

    def __init__(self, snapshot: Snapshot, job: Job) -> None:
        self._snapshot = snapshot
        self._state = snapshot.state
        self._job = job
        self._knocks = {station_key(knock.identity): knock for knock in snapshot.state.knocks.values()}
        self._tests: dict[tuple[StationKey, int], Transaction] = {}
        for each in snapshot.state.transactions.values():
            place = each.station, each.connector
            before = self._tests.get(place)
            if each.test and each.stopped_at is not None and (before is None or each.id > before.id):
                self._tests[place] = each

    def row(self, row: ChargePoint) -> ChargePointView:
        state = self._state
        status = status_of(state, row)
        station = state.stations.get(row.station) if row.identity else None
        test = _test(self._tests.get((row.station, row.connector))) if row.identity else None
        code, explanation = self._explanation(row, status)
        told = state.readings.get((row.station, row.connector)) if row.identity else None
        return ChargePointView(
            id=row.id, name=row.name, model=row.model, identity=row.identity, connector=row.connector,
            connectors=_connectors(station, row.connector), status=status.text, integration_state=status.integration,
            state=status.state, connected=status.connected, explanation=explanation, explanation_code=code,
            tone=tone_of(status), active=row.active, maintenance=row.maintenance, actions=self._actions(row),
            notes=tuple(_note(note, self._snapshot.relay) for note in row.notes), conflicts=_conflicts(row),
            heads={"identity": _heads(row.identity_register), "connector": _heads(row.connector_register)},
            warnings=_warnings(row.identity, state.knocks.values()), last_seen=self._last_seen(row, station),
            station=_station(station), security=_security(state.security.get(row.station), station, code),
            transaction=self._transaction(row), test=test,
            tested=test is not None and bool(test.energy_wh and test.energy_wh > 0),
            commands=self._commands(row), readings=by_quantity(values_of(told.samples.values())) if told else {},
            readings_at=told.at if told else None,
            unchecked=self._snapshot.relay.configured and row.identity not in ("", row.checked),
        )  # fmt: skip

    def _explanation(self, row: ChargePoint, status: Status) -> tuple[str, str]:
        """The status's reason in words; for a row that waits, what is known of who calls under its identity."""
        code = status.explanation
        fields = {**status.fields, "now": self._snapshot.now}
        if self._snapshot.ocpp_url:
            fields["address"] = self._snapshot.ocpp_url + row.identity
        knock = self._knocks.get(row.station) if code in ("pending", "disconnected") else None
        if code == "disconnected" and knock is not None and knock.reason not in DOOR_REASONS:
            knock = None
        if knock is not None and knock.reason != "unknown_identity":
            code = "pending_pairing_closed" if knock.reason == "pairing_closed" else knock.reason
            fields = {**fields, "identity": knock.identity}
        return code, wording.full(code, fields)

    def _actions(self, row: ChargePoint) -> tuple[ActionItem, ...]:
        return tuple(
            ActionItem(
                action.name, action.enabled, action.reason, action.confirm,
                wording.reason_against(action.reason) if action.reason else None,
            )
            for action in actions_of(self._state, self._job, row)
        )  # fmt: skip

    def _last_seen(self, row: ChargePoint, station: Station | None) -> datetime | None:
        live = self._snapshot.last_seen.get(row.station) if row.identity else None
        return live or (station.last_seen if station else None)

    def _transaction(self, row: ChargePoint) -> TransactionView | None:
        running = self._state.transaction_of(row)
        if running is None:
            return None
        readings = self._state.readings.get((row.station, row.connector))
        fresh = readings and (running.started_at is None or readings.at >= running.started_at)
        register_wh = readings.value("Energy.Active.Import.Register") if readings and fresh else None
        energy_wh = None
        if register_wh is not None and running.meter_start_wh is not None:
            energy_wh = max(0.0, register_wh - running.meter_start_wh)
        power_w = readings.value("Power.Active.Import") if readings and fresh else None
        return TransactionView(running.id, running.started_at, energy_wh, power_w, running.test)

    def _commands(self, row: ChargePoint) -> tuple[CommandView, ...]:
        newest = commands_of(self._state, row)[-COMMANDS_SHOWN:]
        return tuple(_command(command, self._snapshot.now) for command in reversed(newest))


def tone_of(status: Status) -> str:
    """The shape beside the words."""
    if not status.connected:
        if status.integration is IntegrationState.PENDING and status.explanation in ("pending", "pending_boot"):
            return "waiting"
        return "off" if status.state is ChargePointState.MAINTENANCE else "problem"
    if status.state is ChargePointState.ERROR:
        return "problem"
    if status.state is ChargePointState.MAINTENANCE:
        return "off"
    if status.state in (ChargePointState.AVAILABLE, ChargePointState.PASSIVE):
        return "ok"
    return "waiting" if status.state is ChargePointState.OTHER else "busy"


def _connectors(station: Station | None, current: int) -> tuple[int, ...]:
    """What the select offers: as many as the station has, always with the current one."""
    count = (station.connector_count if station else None) or CONNECTORS_WHEN_UNKNOWN
    if station is not None and "NumberOfConnectors" not in station.configuration:
        count = max(count, CONNECTORS_WHEN_UNKNOWN)
    return tuple(sorted({*range(1, count + 1), current}))


def _heads(register: Register) -> tuple[HeadView, ...]:
    return tuple(_head(head) for head in register.heads)


def _head(head: Head) -> HeadView:
    return HeadView(op=head.op, value=head.value, by=head.by.type.value, at=head.at, name=head.by.name)


def _conflicts(row: ChargePoint) -> tuple[Conflict, ...]:
    registers = (("identity", row.identity_register), ("connector", row.connector_register))
    return tuple(Conflict(field, _heads(register)) for field, register in registers if register.conflicting)


def _note(note: Note, relay: Relay) -> NoteView:
    return NoteView(note.id, note.by.type.value, note.by.name, note.text, note.at, _delivery(relay))


def _delivery(relay: Relay) -> str:
    if not relay.configured:
        return "saved"
    return "sent" if relay.connected and relay.backlog == 0 else "waiting"


def _relay(relay: Relay) -> RelayView:
    return RelayView(relay.configured, relay.connected, relay.since, relay.backlog)


def _station(station: Station | None) -> StationView | None:
    if station is None or station.boots == 0:
        return None
    return StationView(
        station.vendor,
        station.model,
        station.serial,
        station.firmware,
        station.version,
        station.profile,
        station.encrypted,
    )


def _security(known: StationSecurity | None, station: Station | None, explanation: str) -> SecurityView:
    """Weak: connected, and no password or certificate shown."""
    weak = station is not None and station.connected and station.boots > 0 and station.profile == 0
    key = known.key_state if known is not None else None
    told = key is not None and not (key is KeyState.PROVEN and not weak)
    code = f"key_{key.value}" if key is not None and told else "no_password" if weak else ""
    word = (known.key_word if known is not None else None) or "no answer"
    password = known.credential.origin.value if known is not None and known.credential is not None else None
    return SecurityView(
        known.profile if known is not None else None, password, key.value if key is not None else None,
        known.key_at if known is not None else None, weak, explanation in DOOR_REASONS,
        wording.full(code, {"word": word}) if code else "",
    )  # fmt: skip


def _test(transaction: Transaction | None) -> TestView | None:
    if transaction is None:
        return None
    energy_wh = None
    if transaction.meter_stop_wh is not None and transaction.meter_start_wh is not None:
        energy_wh = max(0.0, transaction.meter_stop_wh - transaction.meter_start_wh)
    return TestView(transaction.started_at, transaction.stopped_at, energy_wh)


_AWAITED = {
    ActionName.START: "Accepted, waiting for charging to start…",
    ActionName.STOP: "Accepted, waiting for charging to stop…",
    ActionName.UNLOCK: "Unlocking…",
    ActionName.REBOOT: "Restarting… usually 1 to 3 minutes.",
}


def _awaited(command: Command) -> str:
    if command.answer == SCHEDULED:
        return "Accepted; it restarts when the charge has ended."
    return _AWAITED[command.action]


def _command(command: Command, now: datetime) -> CommandView:
    running = command.state in COMMAND_RUNNING
    progress = None
    if running:
        progress = "Sent to the charge point…" if command.answer is None else _awaited(command)
    outcome = None if running else command.outcome
    fields = {"at": command.ended_at, "code": command.answer, **command.outcome_detail, "now": now}
    answered = f"The charge point answered: {command.answer}." if command.answer else None
    if answered and command.late:
        answered += " The answer came late."
    return CommandView(
        id=command.id, action=command.action, state=command.state, answer=command.answer, outcome=command.outcome,
        running=running, requested_at=command.requested_at, ended_at=command.ended_at, progress_text=progress,
        answer_text=answered, outcome_text=wording.sentence(outcome, fields) if outcome else None,
        next_step=(wording.next_step(outcome, fields) or None) if outcome else None,
    )  # fmt: skip


def _seen(snapshot: Snapshot, rows: tuple[ChargePointView, ...]) -> tuple[SeenView, ...]:
    knocks = sorted(snapshot.state.knocks.values(), key=lambda knock: knock.at, reverse=True)
    return tuple(
        SeenView(
            knock.id, knock.identity, knock.vendor, knock.model, knock.serial, knock.ip, knock.reason,
            wording.full(knock.reason, {"identity": knock.identity, "address": f"{snapshot.ocpp_url}…"}), knock.at,
            _suggested(knock, rows), knock.version, knock.firmware, knock.first_at or knock.at, knock.count,
            knock.offered,
        )
        for knock in knocks
    )  # fmt: skip


def _suggested(knock: Knock, rows: tuple[ChargePointView, ...]) -> tuple[ChargePointId, ...]:
    if knock.reason != "unknown_identity" or not knock.identity:
        return ()
    wanted = _look(knock.identity)
    alike = [row.id for row in rows if row.identity and not row.connected and _look(row.identity) == wanted]
    return tuple([*alike, *(row.id for row in rows if not row.identity)][:3])


def _open_points(rows: Iterable[ChargePointView]) -> tuple[OpenPoint, ...]:
    """One for each row with something open, blockers first."""
    points = [point for point in map(_open_point, rows) if point is not None]
    return tuple(sorted(points, key=lambda point: not point.blocker))


def _open_point(row: ChargePointView) -> OpenPoint | None:
    """Not connected or faulty, in two versions, or not proved by a test charge."""
    problems = []
    if not row.connected or row.tone == "problem":
        problems.append(row.status)
    if row.conflicts:
        problems.append("two versions of a field")
    blocker = bool(problems)
    if row.connected and not row.tested:
        problems.append("test charge counted no energy" if row.test else "not tested")
    return OpenPoint(row.id, row.name, ", ".join(problems), blocker) if problems else None


def _completion(snapshot: Snapshot, job: Job, rows: Iterable[ChargePointView]) -> CompletionView | None:
    done = job.completion
    if done is None:
        return None
    absent = tuple(row.name for row in rows if not row.connected)
    return CompletionView(
        at=done.at, by=done.by.type.value, name=done.name or done.by.name, reason=done.reason,
        activate_all=done.activate_all, activated=len(done.activated), not_connected=absent,
        delivery=_delivery(snapshot.relay), text=_completion_text(snapshot, job, done.by, absent),
    )  # fmt: skip


def _completion_text(snapshot: Snapshot, job: Job, by: Author, absent: tuple[str, ...]) -> str:
    done = job.completion
    assert done is not None  # noqa: S101
    at = wording.local_time(done.at, snapshot.now)
    said = [f"Job {job.number} completed.", f"The {by.type.value} did so at {at}."]
    if done.activate_all:
        said.append(f"{_count(len(done.activated), 'charge point')} activated.")
        if absent:
            said.append(f"{_listed(absent)} not connected: drivers can charge there as soon as the box reaches it.")
    else:
        said.append("The operator must activate the charge points later.")
    if _delivery(snapshot.relay) == "waiting":
        said.append("The operator will be told when the box is online. You can leave.")
    return " ".join(said)


def _count(number: int, what: str) -> str:
    return f"{number} {what}" if number == 1 else f"{number} {what}s"


def _listed(names: tuple[str, ...]) -> str:
    if len(names) > 4:
        return f"{len(names)} are"
    return f"{names[0]} is" if len(names) == 1 else f"{', '.join(names[:-1])} and {names[-1]} are"


_LOOKALIKES = str.maketrans({"O": "0", "o": "0", "I": "1", "l": "1", "i": "1"})


def _look(identity: str) -> str:
    """Equal for identities that a tired eye takes for each other."""
    return identity.translate(_LOOKALIKES).casefold()


def _warnings(identity: str, knocks: Iterable[Knock]) -> tuple[str, ...]:
    """Soft warnings about what was typed; nothing is ever rewritten."""
    if not identity:
        return ()
    found = []
    half = len(identity) // 2
    if len(identity) >= 8 and len(identity) % 2 == 0 and identity[:half] == identity[half:]:
        found.append("The serial seems to stand here twice. Compare it with the label.")
    wanted, key = _look(identity), station_key(identity)
    alike = next(
        (knock.identity for knock in knocks if station_key(knock.identity) != key and _look(knock.identity) == wanted),
        None,
    )
    if alike is not None:
        found.append(f"{alike} is calling. Compare with the label: O and 0, I and 1 look alike.")
    return tuple(found)
