"""The lists: made in a DuckDB file, and what must come of them by DuckDB's own means, which share nothing with ours."""

from __future__ import annotations

import hashlib
from collections.abc import Sequence
from pathlib import Path
from typing import Any

import duckdb
import numpy as np
import pyarrow as pa

COLUMN = "adid"
ZERO = "00000000-0000-0000-0000-000000000000"
SHAPE = "[0-9a-f]{8}(-[0-9a-f]{4}){3}-[0-9a-f]{12}"
AROUND = " \t\r\n\"'{}\u00a0\ufeff"
"""What stands around some of the ids."""

LIMIT = 200_000_000
"""Bytes of a part file (contracts: kakao_moment 2.5)."""

_CASES = (
    ("n % 1000 = 1", "NULL"),
    ("n % 1000 = 2", f"'{ZERO}'"),
    ("n % 1000 = 5", "chr(160) || ' '"),
    ("n % 500 = 3", "'device-' || n"),
    ("n % 1000 = 6", "replace(id, '-', '')"),
    ("n % 50 = 4", "' \"' || id || '\" '"),
    ("n % 100 = 7", "chr(65279) || id"),
    ("n % 100 = 9", "'{' || upper(id) || '}'"),
    ("n % 3 = 0", "upper(id)"),
)
"""Which rows are no plain id in small letters. A tenth of the ids come twice, most of them in the other case."""

_SETTINGS: dict[str, Any] = {"memory_limit": "4GB"}
"""What the check itself may take; it spills beside the file."""

Found = dict[str, Any]
"""``ids``, how many ``lines`` the files have, the counts by reason, and ``sha256`` of the ids in order, nothing between them."""


def table_of(rows: int) -> str:
    """The table that holds this many rows."""
    return f"ids_{rows}"


def make(database: Path, rows: int) -> None:
    """Make a table in a DuckDB file, in no order."""
    cases = " ".join(f"WHEN {when} THEN {value}" for when, value in _CASES)
    different = rows - rows // 10
    known = (
        f"SELECT range AS n, CAST(CAST(md5(CAST(range % {different} AS VARCHAR)) AS UUID) AS VARCHAR) AS id FROM range({rows})"
    )
    with duckdb.connect(str(database), config=dict(_SETTINGS)) as connection:
        connection.execute(f"CREATE TABLE {table_of(rows)} AS SELECT CASE {cases} ELSE id END AS {COLUMN} FROM ({known})")


def expected(database: Path, rows: int) -> Found:
    """What must come of a table."""
    text = f"""
    CREATE TEMP TABLE bare AS SELECT id, CASE WHEN coalesce(id, '') = '' THEN 'missing'
        WHEN NOT regexp_full_match(id, '{SHAPE}') THEN 'not_an_advertising_id' WHEN id = '{ZERO}' THEN 'all_zero' END AS reason
    FROM (SELECT lower(trim({COLUMN}, $around)) AS id FROM {table_of(rows)})"""
    with duckdb.connect(str(database), read_only=True, config=dict(_SETTINGS)) as connection:
        connection.execute(text, {"around": AROUND})
        counts = dict(connection.execute("SELECT coalesce(reason, ''), count(*) FROM bare GROUP BY ALL").fetchall())
        ids, digest = _digest(connection, "SELECT DISTINCT id FROM bare WHERE reason IS NULL")
    return {"ids": ids, "lines": ids, "sha256": digest, "duplicate": counts.pop("") - ids, **counts}


def written(files: Sequence[Path]) -> tuple[int, str]:
    """How many lines files have, and the ``sha256`` of :data:`Found` of them."""
    names = ", ".join(f"'{file}'" for file in files)
    columns = "columns={'id': 'VARCHAR'}, header=false, delim='\\0', quote='', escape='', auto_detect=false, strict_mode=true"
    with duckdb.connect(config={**_SETTINGS, "temp_directory": str(files[0].parent / "spill")}) as connection:
        return _digest(connection, f"SELECT id FROM read_csv([{names}], {columns})")


def differences(wanted: Found, given: Found) -> list[str]:
    """What is wrong; empty if everything is exact."""
    return [f"{name} is {given.get(name)}, not {value}" for name, value in wanted.items() if given.get(name) != value]


def _digest(connection: Any, query: str) -> tuple[int, str]:
    digest, count = hashlib.sha256(), 0
    for batch in connection.sql(f"SELECT id FROM ({query}) ORDER BY id").to_arrow_reader(65_536):
        column = batch.column(0).cast(pa.string())
        count += len(column)
        _, offsets, texts = column.buffers()
        ends = np.frombuffer(offsets, np.int32)[column.offset : column.offset + len(column) + 1]
        digest.update(texts[ends[0] : ends[-1]])
    return count, digest.hexdigest()
