"""The job file: what an operator hands to the box, checked field by field.

Pure. Start at `job_file_of`. Source: DESIGN §6 "Job file" and §7 "Contract details".
"""

from typing import Annotated, Any, TypeVar

import msgspec

from sitelink.errors import IdentityInvalid, JobFileInvalid
from sitelink.ids import check_identity, station_key

CHARGE_POINTS_MAX = 500
METERS_MAX = 50

T = TypeVar("T")

Text = Annotated[str, msgspec.Meta(max_length=10_000)]
Name = Annotated[str, msgspec.Meta(min_length=1, max_length=120)]


class SiteEntry(msgspec.Struct, frozen=True, forbid_unknown_fields=True):
    name: Name
    address: Text | None = None


class ChargePointEntry(msgspec.Struct, frozen=True, forbid_unknown_fields=True):
    """`identity` null or "": not known yet. `integration` null: no record."""

    name: Name
    identity: str | None = None
    connector: Annotated[int, msgspec.Meta(ge=1, le=100)] = 1
    model: Annotated[str, msgspec.Meta(max_length=120)] | None = None
    integration: Annotated[str, msgspec.Meta(min_length=1, max_length=40)] | None = "ocpp"
    active: bool = False
    maintenance: bool = False


class MeterEntry(msgspec.Struct, frozen=True, forbid_unknown_fields=True):
    """Whether there is such a profile and address, the box says where the meter is shown."""

    name: Annotated[str, msgspec.Meta(min_length=1, max_length=80)]
    profile: Annotated[str, msgspec.Meta(min_length=1, max_length=80)]
    transport: Annotated[str, msgspec.Meta(min_length=1, max_length=200)]
    unit_id: Annotated[int, msgspec.Meta(ge=0, le=255)] = 1
    reversed: bool = False
    ratio: Annotated[float, msgspec.Meta(gt=0, le=10_000)] = 1.0


class JobFile(msgspec.Struct, frozen=True, forbid_unknown_fields=True):
    number: Annotated[str, msgspec.Meta(min_length=1, max_length=40)]
    site: SiteEntry
    charge_points: Annotated[list[ChargePointEntry], msgspec.Meta(max_length=CHARGE_POINTS_MAX)] = []
    description: Text | None = None
    instructions: Text | None = None
    meters: Annotated[list[MeterEntry], msgspec.Meta(max_length=METERS_MAX)] = []
    activate_by_default: bool = True
    open_pairing: bool = True
    contact: Text | None = None


def job_file_of(data: Any) -> JobFile:
    """Raises JobFileInvalid(where, problem): where is a path such as `$.charge_points[3].identity`."""
    if isinstance(data, dict):
        for index, meter in enumerate(meters if isinstance(meters := data.get("meters"), list) else []):
            _converted(meter, MeterEntry, f"$.meters[{index}]")
        if isinstance(data.get("number"), int):
            data = {**data, "number": str(data["number"])}
        rows = data.get("charge_points")
        for index, row in enumerate(rows if isinstance(rows, list) else []):
            _converted(row, ChargePointEntry, f"$.charge_points[{index}]")
    job = _converted(data, JobFile, "$")
    meters = [meter.name for meter in job.meters]
    twice = next((index for index, name in enumerate(meters) if name in meters[:index]), None)
    if twice is not None:
        raise JobFileInvalid(where=f"$.meters[{twice}].name", problem=f"the name {meters[twice]!r} is used twice")
    return msgspec.structs.replace(job, charge_points=_checked(job.charge_points))


def _converted(data: Any, wanted: type[T], place: str) -> T:
    try:
        return msgspec.convert(data, wanted)
    except msgspec.ValidationError as error:
        problem, _, where = str(error).partition(" - at `$")
        raise JobFileInvalid(where=place + where.rstrip("`"), problem=problem) from error


def _checked(entries: list[ChargePointEntry]) -> list[ChargePointEntry]:
    taken: dict[tuple[str, int], int] = {}
    names: dict[str, int] = {}
    checked = []
    for index, entry in enumerate(entries):
        where = f"$.charge_points[{index}]"
        try:
            identity = check_identity(entry.identity or "")
        except IdentityInvalid as error:
            raise JobFileInvalid(where=f"{where}.identity", problem=f"not an identity: {error.fields}") from error
        if entry.name in names:
            raise JobFileInvalid(where=f"{where}.name", problem=f"row {names[entry.name]} has the same name")
        names[entry.name] = index
        key = (station_key(identity), entry.connector)
        if identity and key in taken:
            problem = f"row {taken[key]} has the same identity and connector"
            raise JobFileInvalid(where=f"{where}.identity", problem=problem)
        taken[key] = index
        checked.append(msgspec.structs.replace(entry, identity=identity))
    return checked
