"""The DuckDB sandbox: a file that is there while the block lasts, and loads every kind of column."""

from __future__ import annotations

import datetime
import json
from decimal import Decimal
from pathlib import Path

import pyarrow as pa
import pytest

from sandbox.warehouses import SANDBOXES, sandbox_of
from sandbox.warehouses.duckdb import DuckDBSandbox

ROW = {
    "i": -(2**62),
    "t": "한국 😀",
    "d": 0.1,
    "m": Decimal("1234567890123456.78"),
    "b": True,
    "day": datetime.date(2026, 2, 28),
    "at": datetime.datetime(2026, 2, 28, 23, 59, 59, 1, tzinfo=datetime.timezone.utc),
}
SCHEMA = pa.schema(
    [
        ("i", pa.int64()),
        ("t", pa.string()),
        ("d", pa.float64()),
        ("m", pa.decimal128(18, 2)),
        ("b", pa.bool_()),
        ("day", pa.date32()),
        ("at", pa.timestamp("us", "UTC")),
    ]
)


def test_rows_come_back_as_they_were_loaded() -> None:
    with sandbox_of("duckdb") as sandbox:
        for rows in ([ROW], [ROW, dict.fromkeys(ROW)]):
            sandbox.load(("marketing", 'odd "name"'), pa.Table.from_pylist(rows, SCHEMA))
        found = sandbox.execute('SELECT * FROM marketing."odd ""name""" WHERE i = ? OR i IS NULL ORDER BY i', [ROW["i"]])
        assert found == [tuple(ROW.values()), (None,) * len(ROW)]
        kinds = [row[1] for row in sandbox.execute('DESCRIBE marketing."odd ""name"""')]
        assert kinds == ["BIGINT", "VARCHAR", "DOUBLE", "DECIMAL(18,2)", "BOOLEAN", "DATE", "TIMESTAMP WITH TIME ZONE"]


def test_a_type_can_be_given_and_no_schema_is_needed() -> None:
    with sandbox_of("duckdb") as sandbox:
        sandbox.load(("plain",), pa.table({"p": ['{"a": 1}']}), {"p": "JSON"})
        assert sandbox.execute("SELECT typeof(p) FROM plain") == [("JSON",)]


def test_the_connection_names_the_file_and_the_file_goes_with_the_block() -> None:
    with DuckDBSandbox() as sandbox:
        fields = json.loads(sandbox.connection(config={"threads": 1}))
        assert fields == {"conn_type": "duckdb", "host": str(sandbox.file), "extra": {"config": {"threads": 1}}}
        assert sandbox.file.is_file()
        assert sandbox.environment() == {}
    assert not Path(sandbox.file).parent.exists()


@pytest.mark.parametrize("engine", SANDBOXES)
def test_every_sandbox_has_the_name_of_its_engine(engine: str) -> None:
    sandbox = sandbox_of(engine)
    assert sandbox.engine == engine
    assert set(sandbox.types) == {"text", "timestamp", "integer", "double", "decimal", "boolean", "date"}
