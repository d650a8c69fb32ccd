"""Records as JSON and back, by their keys. The same in both stores and on the wire. Pure. Start at `decode_record`."""

from collections.abc import Callable
from typing import Any

import msgspec

from sitelink.model import (
    ChargePoint,
    Command,
    Corrections,
    EarlyOp,
    Entity,
    IdToken,
    Job,
    Knock,
    Link,
    LocalList,
    MeterReading,
    Readings,
    Setting,
    Station,
    StationReport,
    Transaction,
    Transfer,
)
from sitelink.security import IssuedCertificate, StationSecurity

TYPE_BY_PREFIX: dict[str, type[Any]] = {
    "job": Job, "cp": ChargePoint, "station": Station, "knock": Knock, "transfer": Transfer, "link": Link,
    "corrections": Corrections, "local_list": LocalList, "id_token": IdToken, "security": StationSecurity,
    "report": StationReport, "certificate": IssuedCertificate, "setting": Setting, "command": Command,
    "transaction": Transaction, "readings": Readings, "early": EarlyOp, "reading": MeterReading,
}  # fmt: skip
"""By what stands before the colon of a record's key."""

encode_record: Callable[[Entity], bytes] = msgspec.json.Encoder().encode
_DECODERS = {prefix: msgspec.json.Decoder(of) for prefix, of in TYPE_BY_PREFIX.items()}


def decode_record(key: str, body: bytes | msgspec.Raw) -> Entity:
    """Raises KeyError for a kind this version does not know, msgspec.DecodeError for anything malformed."""
    entity: Entity = _DECODERS[key.partition(":")[0]].decode(body)
    return entity
