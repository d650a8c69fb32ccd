"""The fold: the one place where state changes, the same on the box and in the cloud.

Pure. `apply(state, op)` says which records the op makes anew and which it removes; it changes nothing itself.
Applying an op a second time changes nothing more. Start at `apply`; one small function a kind follows, in the order
of `sitelink.events`. Source for fields with several authors: SYNC §2.3.
"""

from collections.abc import Callable
from typing import Any

import msgspec
from msgspec.structs import replace

from sitelink import events as e
from sitelink.events import Traits
from sitelink.ids import (
    ChargePointId,
    CommandId,
    IdTokenKey,
    JobId,
    LinkId,
    StationKey,
    TransactionId,
    TransferId,
    id_token_key,
)
from sitelink.model import (
    ENDED_TRANSFERS_KEPT,
    TOLD_KEPT,
    ChargePoint,
    Command,
    Completion,
    Connector,
    Corrections,
    Entity,
    Fault,
    Head,
    IdToken,
    Job,
    Knock,
    Link,
    LocalList,
    Note,
    Readings,
    Register,
    SiteState,
    Station,
    StationReport,
    Told,
    Transaction,
    Transfer,
    report_key,
)
from sitelink.ops import Op
from sitelink.packed import pack
from sitelink.ranges import Ranges, with_number
from sitelink.security import (
    CANDIDATES_MAX,
    Candidate,
    Credential,
    CredentialOrigin,
    IssuedCertificate,
    KeyState,
    Signing,
    StationSecurity,
)
from sitelink.states import (
    COMMAND_RUNNING,
    AuthorizationStatus,
    JobStatus,
    LocalListState,
    Registration,
    ReportKind,
    together,
)

HEADS_MAX = 16
SUPERSEDED = "Superseded"
"""Reason of a transaction that ended only because the next one began; a real stop may still replace it."""
NOT_SUPPORTED = "not_supported"
"""Outcome of a command the station cannot do: it is not offered again."""
REBOOT_KEYS_MAX = 16
PLACES_MAX = 100
CONNECTORS = "connectors"
"""Among the facts of an inventory: how many connectors (OCPP 2.x: EVSEs) the station has."""
ITEMS_MAX = {ReportKind.INVENTORY: 5000, ReportKind.EVENTS: 50}
ITEMS_MAX_ELSE = 200
UNTOLD = "EndNotTold"
"""Reason of a transaction that ended while nobody was told; a real end may still replace it (OCPP 2.x E14)."""
PROVISIONAL = frozenset({SUPERSEDED, UNTOLD})
FIELDS = frozenset({"identity", "connector", "active", "maintenance"})


class Changes(msgspec.Struct, frozen=True):
    """New versions of records, and the keys of records that are gone."""

    put: tuple[Entity, ...] = ()
    drop: tuple[str, ...] = ()


NOTHING = Changes()


def apply(state: SiteState, op: Op) -> Changes:
    """What `op` changes. An op about something unknown here changes nothing: it stays in the log for later."""
    fold = _FOLDS.get(type(op.event))
    return fold(state, op, op.event) if fold else NOTHING


def apply_to(state: SiteState, changes: Changes) -> None:
    """Write the changes into `state`."""
    for entity in changes.put:
        state.put(entity)
    for key in changes.drop:
        state.drop(key)


def fold_register(register: Register, op: Op, value: str | int | bool | None) -> Register:
    """heads = (heads − bases) ∪ {op}. A head disappears only when somebody who saw it replaced it."""
    if any(head.op == op.op_id for head in register.heads):
        return register
    kept = tuple(head for head in register.heads if head.op not in op.bases)
    return Register(heads=(*kept, Head(op=op.op_id, value=value, by=op.author, at=op.t.wall))[-HEADS_MAX:])


# ---- jobs ----


def _job(state: SiteState, op: Op) -> Job | None:
    return state.jobs.get(JobId(op.entity.partition(":")[2]))


def _row(state: SiteState, op: Op) -> ChargePoint | None:
    return state.charge_points.get(ChargePointId(op.entity.partition(":")[2]))


def _job_imported(state: SiteState, op: Op, event: e.JobImported) -> Changes:
    """A second import of the same job (`--replace`) lays its rows anew; notes of rows that stay are kept."""
    job_id = JobId(op.entity.partition(":")[2])
    before = state.jobs.get(job_id)
    if before is not None and before.imported_by == op.op_id:
        return NOTHING

    def head(value: str | int | bool | None) -> Register:
        return Register(heads=(Head(op=op.op_id, value=value, by=op.author, at=op.t.wall),))

    def notes(row: ChargePointId) -> tuple[Note, ...]:
        known = state.charge_points.get(row)
        return known.notes if known else ()

    rows = tuple(
        ChargePoint(
            id=row.id, job=job_id, name=row.name, model=row.model, integration=row.integration, notes=notes(row.id),
            identity_register=head(row.identity), connector_register=head(row.connector),
            active_register=head(row.active), maintenance_register=head(row.maintenance),
        )
        for row in event.charge_points
    )  # fmt: skip
    rounds = before.round + (before.status is not JobStatus.OPEN) if before else 1
    job = Job(
        id=job_id, number=event.number, site_name=event.site_name, site_address=event.site_address,
        description=event.description, instructions=event.instructions, contact=event.contact, round=rounds,
        charge_points=tuple(row.id for row in rows), test_token=event.test_token, imported_by=op.op_id,
        created_at=before.created_at if before else op.t.wall,
        activate_by_default=event.activate_by_default, open_pairing=event.open_pairing, meters=event.meters,
    )  # fmt: skip
    gone = set(before.charge_points) - set(job.charge_points) if before else set()
    return Changes(put=(job, *rows), drop=tuple(f"cp:{id_}" for id_ in sorted(gone)))


def _field_set(state: SiteState, op: Op, event: e.FieldSet) -> Changes:
    row = _row(state, op)
    if row is None or op.field not in FIELDS:
        return NOTHING
    name = f"{op.field}_register"
    changed = replace(row, **{name: fold_register(getattr(row, name), op, event.value)})
    if op.field != "identity" or changed.identity == row.identity:
        return Changes(put=(changed,))
    # Whoever names a station anew means the one that answers now: a serial that changed is accepted by it.
    station = state.stations.get(changed.station)
    confirmed = _without_fault(station, "serial_changed") if station else None
    return Changes(put=(replace(changed, owner=None), *((confirmed,) if confirmed else ())))


def _note_added(state: SiteState, op: Op, event: e.NoteAdded) -> Changes:
    row = _row(state, op)
    if row is None or any(note.id == op.op_id for note in row.notes):
        return NOTHING
    note = Note(id=op.op_id, by=op.author, text=event.text, at=op.t.wall)
    return Changes(put=(replace(row, notes=(*row.notes, note)),))


def _job_completed(state: SiteState, op: Op, event: e.JobCompleted) -> Changes:
    job = _job(state, op)
    if job is None or job.status is not JobStatus.OPEN or job.round != event.round:
        return NOTHING
    completion = Completion(
        at=op.t.wall, by=op.author, activate_all=event.activate_all, activated=event.activate,
        name=event.name, reason=event.reason, as_built=event.as_built,
    )  # fmt: skip
    rows = []
    for row in state.rows(job):
        if row.id in event.activate:
            seen = tuple(head.op for head in row.active_register.heads)
            register = fold_register(row.active_register, replace(op, bases=seen), True)
            rows.append(replace(row, active_register=register))
    return Changes(put=(replace(job, status=JobStatus.COMPLETED, completion=completion), *rows))


def _job_reopened(state: SiteState, op: Op, _event: e.JobReopened) -> Changes:
    job = _job(state, op)
    if job is None or job.status not in (JobStatus.COMPLETED, JobStatus.ARCHIVED):
        return NOTHING
    return Changes(put=(replace(job, status=JobStatus.OPEN, round=job.round + 1, completion=None, ended_at=None),))


def _job_ended(status: JobStatus) -> Callable[[SiteState, Op, Any], Changes]:
    def fold(state: SiteState, op: Op, _event: Any) -> Changes:
        job = _job(state, op)
        if job is None or job.status is status:
            return NOTHING
        return Changes(put=(replace(job, status=status, ended_at=op.t.wall),))

    return fold


def _pairing_opened(state: SiteState, op: Op, event: e.PairingOpened) -> Changes:
    job = _job(state, op)
    return Changes(put=(replace(job, pairing=op.t, pairing_for_s=event.for_s),)) if job else NOTHING


def _ownership_learned(state: SiteState, op: Op, event: e.OwnershipLearned) -> Changes:
    row = _row(state, op)
    return Changes(put=(replace(row, owner=event.team),)) if row else NOTHING


def _link_created(state: SiteState, op: Op, event: e.LinkCreated) -> Changes:
    link_id = LinkId(op.entity.partition(":")[2])
    if link_id in state.links:
        return NOTHING
    link = Link(
        id=link_id, job=event.job, token_sha256=event.token_sha256, role=event.role, created_at=op.t.wall,
        name=event.name,
    )  # fmt: skip
    return Changes(put=(link,))


def _link_revoked(state: SiteState, op: Op, _event: e.LinkRevoked) -> Changes:
    link = state.links.get(LinkId(op.entity.partition(":")[2]))
    return Changes(put=(replace(link, revoked_at=op.t.wall),)) if link and not link.revoked_at else NOTHING


# ---- stations ----


def _station(state: SiteState, op: Op) -> Station:
    key = StationKey(op.entity.partition(":")[2])
    return state.stations.get(key) or Station(id=key, identity=str(key), first_seen=op.t.wall)


def _without_fault(station: Station, code: str) -> Station:
    return replace(station, faults=tuple(fault for fault in station.faults if fault.code != code))


def _station_connected(state: SiteState, op: Op, event: e.StationConnected) -> Changes:
    return Changes(
        put=(
            replace(
                _station(state, op), identity=event.identity, connected=True, changed_at=op.t.wall,
                last_seen=op.t.wall, ip=event.ip, disconnect_reason=None, profile=event.profile,
                encrypted=event.encrypted,
            ),
        )
    )  # fmt: skip


def _station_heard(state: SiteState, op: Op, _event: e.StationHeard) -> Changes:
    station = _station(state, op)
    return Changes(
        put=(replace(station, connected=True, changed_at=op.t.wall, last_seen=op.t.wall, disconnect_reason=None),)
    )


def _station_disconnected(state: SiteState, op: Op, event: e.StationDisconnected) -> Changes:
    station = _station(state, op)
    if not station.connected:
        return NOTHING
    return Changes(put=(replace(station, connected=False, changed_at=op.t.wall, disconnect_reason=event.reason),))


def _station_booted(state: SiteState, op: Op, event: e.StationBooted) -> Changes:
    station = _station(state, op)
    if station.booted_by == op.op_id:
        return NOTHING
    booted = replace(
        station, identity=event.identity, registration=event.verdict, vendor=event.vendor, model=event.model,
        serial=event.serial or station.serial, firmware=event.firmware, booted_at=op.t.wall, last_seen=op.t.wall,
        boots=station.boots + 1, booted_by=op.op_id, traits=event.traits or Traits(), reboot_needed=(),
        refused=station.refused if event.firmware == station.firmware else (),
    )  # fmt: skip
    if event.verdict is Registration.ACCEPTED and event.version is not None:
        booted = replace(booted, version=event.version, subprotocol=event.subprotocol)
    return Changes(put=(_without_fault(booted, "boot_rejected"),))


def _station_configured(state: SiteState, op: Op, event: e.StationConfigured) -> Changes:
    station = _station(state, op)
    return Changes(put=(replace(station, configuration={**station.configuration, **event.values}),))


def _station_needs_reboot(state: SiteState, op: Op, event: e.StationNeedsReboot) -> Changes:
    station = _station(state, op)
    more = tuple(key for key in event.keys if key not in station.reboot_needed)
    return Changes(put=(replace(station, reboot_needed=(*station.reboot_needed, *more)[:REBOOT_KEYS_MAX]),))


def _availability_ordered(state: SiteState, op: Op, event: e.AvailabilityOrdered) -> Changes:
    """An order about a single plug is not kept here: its status tells. One about the station is about every place."""
    station = _station(state, op)
    if event.plug is not None:
        return NOTHING
    others = {place for place in station.out_of_service if place != event.connector}
    if event.connector == 0:
        others = set()
    out = others if event.operative else others | {event.connector}
    return Changes(put=(replace(station, out_of_service=tuple(sorted(out))[:PLACES_MAX]),))


def _corrections_counted(state: SiteState, op: Op, event: e.CorrectionsCounted) -> Changes:
    key = StationKey(op.entity.partition(":")[2])
    before = state.corrections.get(key) or Corrections(station=key)
    newer = {
        kind: each for kind, each in event.kinds.items()
        if kind not in before.kinds or before.kinds[kind].count < each.count
    }  # fmt: skip
    return Changes(put=(replace(before, kinds={**before.kinds, **newer}),)) if newer else NOTHING


def _station_test_token_set(state: SiteState, op: Op, event: e.StationTestTokenSet) -> Changes:
    key = StationKey(op.entity.partition(":")[2])
    station = state.stations.get(key) or Station(id=key, identity=event.identity)
    return Changes(put=(replace(station, test_token=event.test_token),))


def _station_faulted(state: SiteState, op: Op, event: e.StationFaulted) -> Changes:
    station = _without_fault(_station(state, op), event.code)
    fault = Fault(code=event.code, at=op.t.wall, detail=event.detail)
    return Changes(put=(replace(station, faults=(*station.faults, fault)),))


def _station_fault_cleared(state: SiteState, op: Op, event: e.StationFaultCleared) -> Changes:
    return Changes(put=(_without_fault(_station(state, op), event.code),))


def _station_forgotten(state: SiteState, op: Op, _event: e.StationForgotten) -> Changes:
    key = StationKey(op.entity.partition(":")[2])
    with_it = [f"corrections:{key}"] if key in state.corrections else []
    with_it += [f"local_list:{key}"] if key in state.local_lists else []
    with_it += [name for kind in ReportKind if (name := report_key(key, kind)) in state.reports]
    return Changes(drop=(op.entity, *with_it))


def _station_reported(state: SiteState, op: Op, event: e.StationReported) -> Changes:
    """The new list in place of the one before. How many connectors there are is known by it from then on."""
    station = _station(state, op)
    report = StationReport(
        station=station.id, kind=event.kind, at=op.t.wall, packed=event.packed, count=event.count, source=event.source,
        missing=event.missing, firmware=event.firmware, facts=event.facts,
    )  # fmt: skip
    connectors = event.facts.get(CONNECTORS)
    if connectors is None or station.configuration.get("NumberOfConnectors") == str(connectors):
        return Changes(put=(report,))
    configuration = {**station.configuration, "NumberOfConnectors": str(connectors)}
    return Changes(put=(report, replace(station, configuration=configuration)))


def _station_noted(state: SiteState, op: Op, event: e.StationNoted) -> Changes:
    """New items stand last, and the oldest make room. Single variables of a station are no inventory: parts miss."""
    key = StationKey(op.entity.partition(":")[2])
    before = state.report_of(key, event.kind)
    known = before.items if before is not None else {}
    items = {name: each for name, each in known.items() if name not in event.drop} | event.put
    most = ITEMS_MAX.get(event.kind, ITEMS_MAX_ELSE)
    items = dict(list(items.items())[-most:])
    noted = StationReport(
        station=key, kind=event.kind, at=op.t.wall, packed=pack(items), count=len(items),
        source=event.source or (before.source if before else ""),
        missing=before.missing if before else int(event.kind is ReportKind.INVENTORY),
        firmware=before.firmware if before else None, facts=before.facts if before else {},
    )  # fmt: skip
    return Changes(put=(noted,))


def _knocked(state: SiteState, op: Op, event: e.Knocked) -> Changes:
    id_ = op.entity.partition(":")[2]
    known = state.knocks.get(id_)
    knock = Knock(
        id=id_, identity=event.identity, ip=event.ip, reason=event.reason, at=op.t.wall, vendor=event.vendor,
        model=event.model, serial=event.serial, firmware=event.firmware, version=event.version, offered=event.offered,
        first_at=(known.first_at or known.at) if known else op.t.wall, count=event.count,
    )  # fmt: skip
    return Changes(put=(knock,))


def _knock_cleared(_state: SiteState, op: Op, _event: e.KnockCleared) -> Changes:
    return Changes(drop=(op.entity,))


# ---- security ----


def _security(state: SiteState, op: Op) -> StationSecurity:
    key = StationKey(op.entity.partition(":")[2])
    return state.security.get(key) or StationSecurity(id=key)


def _profile_settled(state: SiteState, op: Op, event: e.ProfileSettled) -> Changes:
    settled = replace(
        _security(state, op), profile=event.profile, pairing_boot=None, pairing_mono_ms=0, pairing_for_s=0
    )
    known = state.stations.get(settled.id)
    if known is None or not known.connected or known.profile == event.profile:
        return Changes(put=(settled,))
    return Changes(put=(settled, replace(known, profile=event.profile)))


def _station_pairing_opened(state: SiteState, op: Op, event: e.StationPairingOpened) -> Changes:
    opened = replace(
        _security(state, op), pairing_boot=op.t.boot, pairing_mono_ms=op.t.mono_ms, pairing_for_s=event.for_s
    )
    return Changes(put=(opened,))


def _credential_set(state: SiteState, op: Op, event: e.CredentialSet) -> Changes:
    credential = Credential(
        verifier=event.verifier, origin=event.origin, at=op.t.wall, proven=event.origin is CredentialOrigin.LEARNED
    )
    return Changes(put=(_with_only(_security(state, op), credential),))


def _credential_removed(state: SiteState, op: Op, _event: e.CredentialRemoved) -> Changes:
    return Changes(put=(_with_only(_security(state, op), None),))


def _with_only(security: StationSecurity, credential: Credential | None) -> StationSecurity:
    return replace(security, credential=credential, candidates=(), key_state=None, key_word=None, key_at=None)


def _user_may_differ(state: SiteState, op: Op, event: e.UserMayDiffer) -> Changes:
    return Changes(put=(replace(_security(state, op), user_may_differ=event.allowed),))


def _key_offered(state: SiteState, op: Op, event: e.KeyOffered) -> Changes:
    security = _security(state, op)
    offered = Candidate(verifier=event.verifier, boot=op.t.boot, mono_ms=op.t.mono_ms, at=op.t.wall)
    others = tuple(each for each in security.candidates if each.verifier != event.verifier)
    return Changes(
        put=(
            replace(
                security, candidates=(*others, offered)[-CANDIDATES_MAX:], key_state=KeyState.OFFERED, key_word=None,
                key_at=op.t.wall,
            ),
        )
    )  # fmt: skip


def _key_answered(state: SiteState, op: Op, event: e.KeyAnswered) -> Changes:
    """Accepted: it takes the place of the one before at once (A01.FR.03). Refused: it never counted (A01.FR.04)."""
    security = replace(_security(state, op), key_state=event.state, key_word=event.word, key_at=op.t.wall)
    if event.state is KeyState.ACCEPTED:
        known = security.credential
        if known is None or known.verifier != event.verifier:
            known = Credential(verifier=event.verifier, origin=CredentialOrigin.PUSHED, at=op.t.wall)
        return Changes(put=(replace(security, credential=known, candidates=()),))
    if event.state is KeyState.REFUSED:
        kept = tuple(each for each in security.candidates if each.verifier != event.verifier)
        return Changes(put=(replace(security, candidates=kept),))
    return Changes(put=(security,))


def _key_proven(state: SiteState, op: Op, event: e.KeyProven) -> Changes:
    """Keys that may still come into use stay beside the current one; one of them shown ends all others."""
    security = _security(state, op)
    current = security.credential
    if current is not None and current.verifier == event.verifier:
        if current.proven:
            return NOTHING
        pushed = current.origin is CredentialOrigin.PUSHED
        kept, current = security.candidates, replace(current, proven=True)
    elif any(each.verifier == event.verifier for each in security.candidates):
        pushed, kept = True, ()
        current = Credential(verifier=event.verifier, origin=CredentialOrigin.PUSHED, at=op.t.wall, proven=True)
    else:
        return NOTHING
    shown = replace(security, credential=current, candidates=kept)
    return Changes(put=(replace(shown, key_state=KeyState.PROVEN, key_at=op.t.wall) if pushed else shown,))


def _certificate_requested(state: SiteState, op: Op, event: e.CertificateRequested) -> Changes:
    signing = Signing(csr=event.csr, at=op.t.wall, request=event.request)
    return Changes(put=(replace(_security(state, op), signing=signing),))


def _certificate_answered(state: SiteState, op: Op, event: e.CertificateAnswered) -> Changes:
    security = _security(state, op)
    if security.signing is None:
        return NOTHING
    return Changes(put=(replace(security, signing=replace(security.signing, state=event.state, word=event.word)),))


def _certificate_issued(state: SiteState, op: Op, event: e.CertificateIssued) -> Changes:
    serial = op.entity.partition(":")[2]
    if serial in state.certificates:
        return NOTHING
    issued = IssuedCertificate(
        id=serial, station=event.station, common_name=event.common_name, ends=event.ends, at=op.t.wall
    )  # fmt: skip
    return Changes(put=(issued,))


def _certificate_revoked(state: SiteState, op: Op, _event: e.CertificateRevoked) -> Changes:
    known = state.certificates.get(op.entity.partition(":")[2])
    return Changes(put=(replace(known, revoked_at=op.t.wall),)) if known and not known.revoked_at else NOTHING


def _connector_changed(state: SiteState, op: Op, event: e.ConnectorChanged) -> Changes:
    station = _station(state, op)
    status, plugs = event.status, {}
    if event.plug is not None:
        known = station.connectors.get(event.connector)
        plugs = {**(known.plugs if known else {}), event.plug: event.status}
        status = together(plugs.values())
    connector = Connector(
        status=status, at=event.at, error_code=event.error_code, info=event.info,
        vendor_error_code=event.vendor_error_code, text=event.text, plugs=plugs,
    )  # fmt: skip
    return Changes(put=(replace(station, connectors={**station.connectors, event.connector: connector}),))


def _transaction_started(state: SiteState, op: Op, event: e.TransactionStarted) -> Changes:
    station = _station(state, op)
    if event.id in state.transactions:
        return NOTHING
    transaction = Transaction(
        id=event.id, station=station.id, connector=event.connector, started_at=event.at, id_token=event.id_token,
        verdict=event.verdict, meter_start_wh=event.meter_start_wh, start_content=event.content, test=event.test,
        name=event.name, token_type=event.token_type, plug=event.plug, charging=event.charging,
        remote_start=event.remote_start, numbers=_numbered((), event.seq_no), extras=event.extras,
    )  # fmt: skip
    before = state.transactions.get(station.transactions.get(event.connector, TransactionId(0)))
    if before is not None and began_before(event, before):
        return Changes(put=(transaction,))
    running = {**station.transactions, event.connector: event.id}
    return Changes(put=(transaction, replace(station, transactions=running)))


def began_before(event: e.TransactionStarted, running: Transaction) -> bool:
    """Whether it is told late of what began before the one that runs there: that one goes on (OCPP 2.x E04, E12)."""
    return event.offline and running.started_at is not None and event.at < running.started_at


def _numbered(numbers: Ranges, seq_no: int | None) -> Ranges:
    return numbers if seq_no is None else with_number(numbers, seq_no)


def _is_accepted(verdict: AuthorizationStatus | None) -> bool:
    return verdict is AuthorizationStatus.ACCEPTED


def _transaction_updated(state: SiteState, op: Op, event: e.TransactionUpdated) -> Changes:
    """A late event of an ended transaction only fills its place in the sequence and what nobody knew yet.

    Whose it is says the first token, or the first accepted one where those before were refused.
    """
    known = state.transactions.get(event.id)
    if known is None:
        return NOTHING
    counts = known.id_token is None or (not _is_accepted(known.verdict) and _is_accepted(event.verdict))
    counting_token = event.id_token is not None and counts
    newest = event.seq_no is None or not known.numbers or event.seq_no > known.numbers[-1][1]
    updated = replace(
        known, numbers=_numbered(known.numbers, event.seq_no), plug=(newest and event.plug) or known.plug,
        charging=(newest and event.charging) or known.charging,
        extras={**known.extras, **event.extras} if newest else {**event.extras, **known.extras},
        remote_start=known.remote_start if known.remote_start is not None else event.remote_start,
        meter_start_wh=known.meter_start_wh if known.meter_start_wh is not None else event.meter_start_wh,
        started_at=min(known.started_at, event.at) if known.started_at is not None else None,
    )  # fmt: skip
    if counting_token:
        updated = replace(
            updated, id_token=event.id_token, token_type=event.token_type, verdict=event.verdict, test=event.test
        )
    updated = _mended(updated)
    station = _station(state, op)
    if not newest or event.connector in (None, known.connector) or not known.open:
        return Changes(put=(updated,))
    running = {place: id_ for place, id_ in station.transactions.items() if id_ != event.id}
    updated = replace(updated, connector=event.connector)
    return Changes(put=(updated, replace(station, transactions={**running, event.connector: event.id})))


def _transaction_stopped(state: SiteState, op: Op, event: e.TransactionStopped) -> Changes:
    station = _station(state, op)
    known = state.transactions.get(event.id)
    if known is not None and known.stopped_at is not None and known.reason not in PROVISIONAL:
        return NOTHING
    before = known or Transaction(id=event.id, station=station.id, connector=0, orphan=event.orphan)
    closed = replace(
        before, stopped_at=event.at, meter_stop_wh=event.meter_stop_wh, reason=event.reason,
        stop_content=event.content, flags=event.flags,
        numbers=_numbered(before.numbers, event.seq_no), last_number=event.seq_no,
        incomplete=False, extras={**before.extras, **event.extras},
    )  # fmt: skip
    if event.id not in station.transactions.values():
        return Changes(put=(closed,))
    running = {connector: id_ for connector, id_ in station.transactions.items() if id_ != event.id}
    return Changes(put=(closed, replace(station, transactions=running)))


def _meter_values_reported(state: SiteState, op: Op, event: e.MeterValuesReported) -> Changes:
    station = StationKey(op.entity.partition(":")[2])
    numbered = _numbered_by_values(state, event)
    before = state.readings.get((station, event.connector))
    if before is not None and before.at > event.at:
        return Changes(put=numbered)
    samples = by_measurand(event, before)
    return Changes(put=(Readings(station=station, connector=event.connector, at=event.at, samples=samples), *numbered))


def _transaction_incomplete(state: SiteState, _op: Op, event: e.TransactionIncomplete) -> Changes:
    known = state.transactions.get(event.id)
    return Changes(put=(replace(known, incomplete=True),)) if known is not None and not known.incomplete else NOTHING


def _numbered_by_values(state: SiteState, event: e.MeterValuesReported) -> tuple[Transaction, ...]:
    """The transaction with the event's number, where its event brought nothing but values."""
    known = state.transactions.get(event.transaction) if event.transaction is not None else None
    if known is None or event.seq_no is None:
        return ()
    return (_mended(replace(known, numbers=with_number(known.numbers, event.seq_no))),)


def _mended(transaction: Transaction) -> Transaction:
    """What was given up came after all."""
    whole = transaction.incomplete and transaction.last_number is not None and not transaction.missing_events
    return replace(transaction, incomplete=False) if whole else transaction


def by_measurand(event: e.MeterValuesReported, before: Readings | None) -> dict[str, e.MeterSample]:
    """The newest sample of each measurand and phase, with these."""
    samples = dict(before.samples) if before is not None else {}
    for sample in event.samples:
        if sample.value is not None and sample.location in (None, "Outlet"):
            samples[f"{sample.measurand}/{sample.phase}" if sample.phase else sample.measurand] = sample
    return samples


# ---- id tokens ----


def _id_token_listed(_state: SiteState, op: Op, event: e.IdTokenListed) -> Changes:
    """As it stands in the op: nothing of what was listed before stays."""
    listed = IdToken(
        id=IdTokenKey(op.entity.partition(":")[2]), id_token=event.id_token, changed_at=op.t.wall, status=event.status,
        type=event.type, expires=event.expires, group=event.group, charge_points=event.charge_points, note=event.note,
        source=event.source,
    )  # fmt: skip
    return Changes(put=(listed,))


def _id_token_removed(state: SiteState, op: Op, _event: e.IdTokenRemoved) -> Changes:
    return Changes(drop=(op.entity,)) if op.entity.partition(":")[2] in state.id_tokens else NOTHING


def _local_list_taken(state: SiteState, op: Op, event: e.LocalListTaken) -> Changes:
    key = StationKey(op.entity.partition(":")[2])
    before = state.local_lists.get(key)
    listed = {id_token_key(entry.id_token): entry for entry in event.entries}
    gone = {id_token_key(entry.id_token) for entry in event.removed} - listed.keys()
    kept = {} if event.full or before is None else {k: v for k, v in before.entries.items() if k not in gone}
    entries = {**kept, **listed}
    taken = LocalList(
        station=key, at=op.t.wall, state=LocalListState.SENDING if event.more else LocalListState.CURRENT,
        version=event.version, entries=entries, left_out=event.left_out,
    )  # fmt: skip
    return Changes(put=(taken,))


def _local_list_not_taken(state: SiteState, op: Op, event: e.LocalListNotTaken) -> Changes:
    key = StationKey(op.entity.partition(":")[2])
    before = state.local_lists.get(key) or LocalList(station=key, at=op.t.wall, state=event.state)
    return Changes(put=(replace(before, at=op.t.wall, state=event.state, reason=event.reason),))


# ---- commands ----


def _command(state: SiteState, op: Op) -> Command | None:
    return state.commands.get(CommandId(op.entity.partition(":")[2]))


def _command_requested(state: SiteState, op: Op, event: e.CommandRequested) -> Changes:
    if _command(state, op) is not None:
        return NOTHING
    command = Command(
        id=CommandId(op.entity.partition(":")[2]), action=event.action, charge_point=event.charge_point,
        station=event.station, connector=event.connector, by=op.author, requested_at=op.t.wall, detail=event.detail,
    )  # fmt: skip
    return Changes(put=(command,))


def _command_answered(state: SiteState, op: Op, event: e.CommandAnswered) -> Changes:
    command = _command(state, op)
    if command is None or command.answer is not None:
        return NOTHING
    ended = None if event.state in COMMAND_RUNNING else op.t.wall
    answered = replace(
        command, answer=event.answer, answered_at=op.t.wall, state=event.state, late=event.late,
        outcome=event.outcome, ended_at=ended,
    )  # fmt: skip
    station = state.stations.get(command.station)
    if event.outcome != NOT_SUPPORTED or station is None or command.action.value in station.refused:
        return Changes(put=(answered,))
    return Changes(put=(answered, replace(station, refused=(*station.refused, command.action.value))))


def _command_ended(state: SiteState, op: Op, event: e.CommandEnded) -> Changes:
    command = _command(state, op)
    if command is None or command.state not in COMMAND_RUNNING:
        return NOTHING
    return Changes(
        put=(
            replace(command, state=event.state, outcome=event.outcome, outcome_detail=event.detail, ended_at=op.t.wall),
        )
    )


# ---- transfers ----


def _transfer(state: SiteState, op: Op) -> Transfer | None:
    return state.transfers.get(TransferId(op.entity.partition(":")[2]))


def _transfer_requested(state: SiteState, op: Op, event: e.TransferRequested) -> Changes:
    if _transfer(state, op) is not None:
        return NOTHING
    transfer = Transfer(
        id=TransferId(op.entity.partition(":")[2]), kind=event.kind, station=event.station, request=event.request,
        method=event.method, by=op.author, requested_at=op.t.wall, file=event.file, version=event.version,
        version_before=event.version_before, boots_before=event.boots_before, signed=event.signed, size=event.size,
        sha256=event.sha256,
    )  # fmt: skip
    ended = [each.key for each in state.transfers.values() if not each.running]
    return Changes(put=(transfer,), drop=tuple(ended[: max(0, len(ended) - ENDED_TRANSFERS_KEPT)]))


def _transfer_answered(state: SiteState, op: Op, event: e.TransferAnswered) -> Changes:
    transfer = _transfer(state, op)
    if transfer is None or transfer.answer is not None:
        return NOTHING
    answered = replace(
        transfer, answer=event.answer, answered_at=op.t.wall, late=event.late, station_file=event.station_file
    )  # fmt: skip
    if not transfer.running:
        return Changes(put=(answered,))
    ended_at = None if event.state in COMMAND_RUNNING else op.t.wall
    return Changes(put=(replace(answered, state=event.state, outcome=event.outcome, ended_at=ended_at),))


def _transfer_told(state: SiteState, op: Op, event: e.TransferTold) -> Changes:
    """Also of one that has ended: what the station says later is shown, and ends nothing again."""
    transfer = _transfer(state, op)
    told = Told(word=event.word, at=op.t.wall)
    if transfer is None or told in transfer.told:
        return NOTHING
    return Changes(put=(replace(transfer, told=(*transfer.told, told)[-TOLD_KEPT:]),))


def _transfer_moved(state: SiteState, op: Op, event: e.TransferMoved) -> Changes:
    transfer = _transfer(state, op)
    if transfer is None or transfer.moved_at is not None:
        return NOTHING
    return Changes(put=(replace(transfer, size=event.size, sha256=event.sha256, moved_at=op.t.wall),))


def _transfer_tried(state: SiteState, op: Op, event: e.TransferTried) -> Changes:
    transfer = _transfer(state, op)
    if transfer is None or transfer.tried_by == op.op_id:
        return NOTHING
    return Changes(put=(replace(transfer, tries=transfer.tries + 1, problem=event.problem, tried_by=op.op_id),))


def _transfer_ended(state: SiteState, op: Op, event: e.TransferEnded) -> Changes:
    transfer = _transfer(state, op)
    if transfer is None or not transfer.running:
        return NOTHING
    return Changes(
        put=(
            replace(
                transfer, state=event.state, outcome=event.outcome, outcome_detail=event.detail, ended_at=op.t.wall
            ),
        )
    )  # fmt: skip


def _transfer_file_removed(state: SiteState, op: Op, _event: e.TransferFileRemoved) -> Changes:
    transfer = _transfer(state, op)
    return Changes(put=(replace(transfer, file=None),)) if transfer and transfer.file else NOTHING


_FOLDS: dict[type[e.Event], Callable[[SiteState, Op, Any], Changes]] = {
    e.JobImported: _job_imported,
    e.FieldSet: _field_set,
    e.NoteAdded: _note_added,
    e.JobCompleted: _job_completed,
    e.JobReopened: _job_reopened,
    e.JobArchived: _job_ended(JobStatus.ARCHIVED),
    e.JobCancelled: _job_ended(JobStatus.CANCELLED),
    e.PairingOpened: _pairing_opened,
    e.OwnershipLearned: _ownership_learned,
    e.LinkCreated: _link_created,
    e.LinkRevoked: _link_revoked,
    e.StationConnected: _station_connected,
    e.StationHeard: _station_heard,
    e.StationDisconnected: _station_disconnected,
    e.StationBooted: _station_booted,
    e.StationConfigured: _station_configured,
    e.StationNeedsReboot: _station_needs_reboot,
    e.AvailabilityOrdered: _availability_ordered,
    e.CorrectionsCounted: _corrections_counted,
    e.StationTestTokenSet: _station_test_token_set,
    e.StationFaulted: _station_faulted,
    e.StationFaultCleared: _station_fault_cleared,
    e.StationForgotten: _station_forgotten,
    e.StationReported: _station_reported,
    e.StationNoted: _station_noted,
    e.Knocked: _knocked,
    e.KnockCleared: _knock_cleared,
    e.ProfileSettled: _profile_settled,
    e.StationPairingOpened: _station_pairing_opened,
    e.CredentialSet: _credential_set,
    e.CredentialRemoved: _credential_removed,
    e.UserMayDiffer: _user_may_differ,
    e.KeyOffered: _key_offered,
    e.KeyAnswered: _key_answered,
    e.KeyProven: _key_proven,
    e.CertificateRequested: _certificate_requested,
    e.CertificateAnswered: _certificate_answered,
    e.CertificateIssued: _certificate_issued,
    e.CertificateRevoked: _certificate_revoked,
    e.ConnectorChanged: _connector_changed,
    e.TransactionStarted: _transaction_started,
    e.TransactionUpdated: _transaction_updated,
    e.TransactionStopped: _transaction_stopped,
    e.TransactionIncomplete: _transaction_incomplete,
    e.MeterValuesReported: _meter_values_reported,
    e.IdTokenListed: _id_token_listed,
    e.TransferRequested: _transfer_requested,
    e.TransferAnswered: _transfer_answered,
    e.TransferTold: _transfer_told,
    e.TransferMoved: _transfer_moved,
    e.TransferTried: _transfer_tried,
    e.TransferEnded: _transfer_ended,
    e.TransferFileRemoved: _transfer_file_removed,
    e.IdTokenRemoved: _id_token_removed,
    e.LocalListTaken: _local_list_taken,
    e.LocalListNotTaken: _local_list_not_taken,
    e.CommandRequested: _command_requested,
    e.CommandAnswered: _command_answered,
    e.CommandEnded: _command_ended,
}
