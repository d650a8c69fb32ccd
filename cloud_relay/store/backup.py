"""All that the books hold in one file, whatever the database: a line of JSON a row, packed. Start at `save`, `load`.

A restored cloud gets a new epoch: every box then offers what it still has (SYNC §2.8). A backup holds what the database
holds: hashes, keys of devices, personal data. It belongs to its owner alone.
"""

import base64
import gzip
import json
import os
from datetime import datetime
from pathlib import Path
from typing import Any

import sqlalchemy as sa
from sqlalchemy.engine import Connection

from cloud_relay.store.migrate import newest, revision_of
from cloud_relay.store.tables import METADATA
from sitelink.errors import BackupRefused, FileRefused

FORMAT = "gatepost cloud backup 1"
ROWS_AT_ONCE = 500


def save(connection: Connection, file: Path) -> dict[str, int]:
    """Rows by table. Raises FileRefused where the file is there or cannot be written."""
    counts: dict[str, int] = {}
    try:
        descriptor = os.open(file, os.O_WRONLY | os.O_CREAT | os.O_EXCL, 0o600)
    except OSError as error:
        raise FileRefused(file=str(file), problem=error.strerror or str(error)) from error
    with os.fdopen(descriptor, "wb") as raw, gzip.open(raw, "wt", encoding="utf-8") as out:
        out.write(json.dumps({"format": FORMAT, "step": revision_of(connection)}) + "\n")
        for table in METADATA.sorted_tables:
            counts[table.name] = 0
            for row in connection.execute(sa.select(table)).mappings():
                out.write(json.dumps([table.name, {name: _plain(value) for name, value in row.items()}]) + "\n")
                counts[table.name] += 1
    return counts


def load(connection: Connection, file: Path) -> dict[str, int]:
    """Fill empty tables. Raises BackupRefused for a file that is none, of another version, or where there is data."""
    if connection.execute(sa.select(sa.func.count()).select_from(METADATA.tables["team"])).scalar():
        raise BackupRefused(problem="not_empty")
    counts = dict.fromkeys((table.name for table in METADATA.sorted_tables), 0)
    try:
        with gzip.open(file, "rt", encoding="utf-8") as lines:
            head = json.loads(next(lines))
            if head.get("format") != FORMAT or head.get("step") != newest():
                raise BackupRefused(problem="other_version")
            waiting: list[dict[str, Any]] = []
            table: sa.Table | None = None
            for line in lines:
                name, row = json.loads(line)
                found = METADATA.tables[name]
                if table is not None and (found is not table or len(waiting) >= ROWS_AT_ONCE):
                    connection.execute(sa.insert(table), waiting)
                    waiting = []
                table = found
                waiting.append({key: _value(found.c[key], value) for key, value in row.items()})
                counts[name] += 1
            if table is not None and waiting:
                connection.execute(sa.insert(table), waiting)
    except (OSError, EOFError, ValueError, KeyError, StopIteration) as error:
        raise BackupRefused(problem="not_a_backup") from error
    return counts


def _plain(value: Any) -> Any:
    if isinstance(value, datetime):
        return value.isoformat()
    return {"base64": base64.b64encode(value).decode()} if isinstance(value, bytes) else value


def _value(column: sa.Column[Any], value: Any) -> Any:
    if isinstance(value, dict) and set(value) == {"base64"} and isinstance(column.type, sa.LargeBinary):
        return base64.b64decode(value["base64"])
    if isinstance(value, str) and isinstance(column.type, sa.types.TypeDecorator):
        return datetime.fromisoformat(value)
    return value
