"""DuckDB: a database file in a temporary folder; there is no server and no network."""

from __future__ import annotations

import json
import shutil
import tempfile
from collections.abc import Mapping, Sequence
from pathlib import Path
from typing import Any

import duckdb
import pyarrow as pa

from sandbox.warehouses.base import WarehouseSandbox


class DuckDBSandbox(WarehouseSandbox):
    """A database file. It is held open only while a method runs, because DuckDB lets one process write at a time.

    :ivar file: the database.
    """

    engine = "duckdb"
    types: Mapping[str, str] = {
        "text": "VARCHAR",
        "timestamp": "TIMESTAMP WITH TIME ZONE",
        "integer": "BIGINT",
        "double": "DOUBLE",
        "decimal": "DECIMAL(18, 2)",
        "boolean": "BOOLEAN",
        "date": "DATE",
    }

    file: Path

    def start(self) -> None:
        """Make the folder and an empty database in it."""
        self.file = Path(tempfile.mkdtemp(prefix="activation-duckdb-")) / "warehouse.duckdb"
        duckdb.connect(str(self.file)).close()

    def stop(self) -> None:
        """Remove the folder."""
        shutil.rmtree(self.file.parent, ignore_errors=True)

    def connection(self, **extra: Any) -> str:
        """The value of an ``AIRFLOW_CONN_*`` variable.

        :param extra: ``read_only`` or ``config``.
        """
        return json.dumps({"conn_type": "duckdb", "host": str(self.file), "extra": extra})

    def execute(self, text: str, params: Sequence[Any] = ()) -> list[tuple[Any, ...]]:
        """Run a statement and fetch what it gives."""
        with duckdb.connect(str(self.file)) as connection:
            found: list[tuple[Any, ...]] = connection.execute(text, list(params) or None).fetchall()
        return found

    def load(self, table: tuple[str, ...], rows: pa.Table, types: Mapping[str, str] | None = None) -> None:
        """Replace a table by these rows."""
        *schema, _ = quoted = [_quoted(part) for part in table]
        kinds = ", ".join(f"{_quoted(name)} {kind}" for name, kind in self.column_types(rows, types).items())
        with duckdb.connect(str(self.file)) as connection:
            connection.execute("SET TimeZone = 'UTC'")
            if schema:
                connection.execute(f"CREATE SCHEMA IF NOT EXISTS {'.'.join(schema)}")
            connection.execute(f"CREATE OR REPLACE TABLE {'.'.join(quoted)} ({kinds})")
            connection.register("loaded_rows", rows)
            connection.execute(f"INSERT INTO {'.'.join(quoted)} SELECT * FROM loaded_rows")


def _quoted(name: str) -> str:
    return '"' + name.replace('"', '""') + '"'
