"""Rejected rows as a warehouse: they are laid out as the table that they came from, so a run can read them like any other."""

from __future__ import annotations

import tempfile
from collections.abc import Iterable, Mapping
from itertools import islice
from pathlib import Path
from typing import Any

import duckdb
import pyarrow as pa

from activation.warehouses.duckdb import DIALECT, DuckDBWarehouse

TABLE = ("main", "rejects")

_STAMP = "\x1fupdated_at"  # a name that no column of a table has
_CAST_STAMP = f"CAST({DIALECT.identifier(_STAMP)} AS TIMESTAMP_NS)"
_AT_ONCE = 10_000
"""Rows that are in memory while the table is filled."""


class KeptRows(DuckDBWarehouse):
    """A table :data:`TABLE` in a DuckDB file of its own, which goes when it is closed.

    :param records: ``updated_at`` (ISO 8601 with up to nine digits, or ``None``) and ``row`` (column -> text) of each.
    :param cursor: the name of the cursor column.
    """

    def __init__(self, records: Iterable[Mapping[str, Any]], cursor: str) -> None:
        self._home = tempfile.TemporaryDirectory(prefix="activation-replay-")
        connection = duckdb.connect(str(Path(self._home.name) / "rejects.duckdb"))
        super().__init__(connection)
        self._fill(connection, iter(records), cursor)

    def _fill(self, connection: Any, records: Any, cursor: str) -> None:
        known = [cursor]
        connection.execute(f"CREATE TABLE {DIALECT.table(TABLE)} ({DIALECT.identifier(cursor)} TIMESTAMP_NS)")
        while some := list(islice(records, _AT_ONCE)):
            found = dict.fromkeys(name for record in some for name in record["row"])
            names = [name for name in found if name.casefold() != cursor.casefold()]  # updated_at has that one, with its type
            for name in (name for name in names if name not in known):
                connection.execute(f"ALTER TABLE {DIALECT.table(TABLE)} ADD COLUMN {DIALECT.identifier(name)} VARCHAR")
                known.append(name)
            texts = {name: pa.array([record["row"].get(name) for record in some], pa.string()) for name in names}
            stamps = pa.array([record["updated_at"] for record in some], pa.string())
            connection.register("chunk", pa.table({_STAMP: stamps, **texts}))
            columns = ", ".join(DIALECT.identifier(name) for name in (cursor, *texts))
            values = ", ".join([_CAST_STAMP, *(DIALECT.identifier(name) for name in texts)])
            connection.execute(f"INSERT INTO {DIALECT.table(TABLE)} ({columns}) SELECT {values} FROM chunk")
            connection.unregister("chunk")

    def close(self) -> None:
        """Stop what runs and remove the file."""
        super().close()
        self._home.cleanup()
