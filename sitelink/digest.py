"""One short value by which two ends see that they hold the same shared records.

Pure. It is made of op ids and what decides, never of times or of how a version writes its records, so that ends of
different versions agree. Start at `digest_of`. Source: SYNC §2.4 `digest`, §2.6.
"""

import hashlib
from collections.abc import Iterator

from sitelink.model import ChargePoint, EarlyOp, Entity, IdToken, Job, Link, Register, Setting, SiteState
from sitelink.shared import shared_records


def digest_of(state: SiteState) -> str:
    """SHA-256 in hex over a line for each shared record, in the order of their keys."""
    lines = (f"{key} {_line(entity)}" for key, entity in sorted(shared_records(state).items()))
    return hashlib.sha256("\n".join(lines).encode("utf-8", "surrogatepass")).hexdigest()


def _line(entity: Entity) -> str:
    return " ".join(_parts(entity))


def _parts(entity: Entity) -> Iterator[str]:
    if isinstance(entity, ChargePoint):
        yield entity.job
        for register in (entity.identity_register, entity.connector_register, entity.active_register,
                         entity.maintenance_register):  # fmt: skip
            yield _heads(register)
        yield ",".join(note.id for note in entity.notes)
        yield entity.owner or "-"
    elif isinstance(entity, Job):
        yield from (entity.imported_by, entity.status.value, str(entity.round), ",".join(entity.charge_points))
        yield ",".join(entity.completion.activated) if entity.completion else "-"
        for meter in entity.meters:
            yield f"{meter.name}|{meter.profile}|{meter.transport}|{meter.unit_id}|{meter.reversed}|{meter.ratio}"
    elif isinstance(entity, Link):
        yield from (entity.token_sha256, "ended" if entity.revoked_at else "valid")
    elif isinstance(entity, IdToken):
        yield from (entity.id_token, entity.status.value, entity.group or "-", ",".join(entity.charge_points))
    elif isinstance(entity, Setting):
        yield repr(entity.value)
    elif isinstance(entity, EarlyOp):
        yield entity.about


def _heads(register: Register) -> str:
    """In their order: the last one of a side is what machines use."""
    return ",".join(head.op for head in register.heads)
