"""The rows: made once in a DuckDB file, copied into PostgreSQL, and compared with what lies in the bucket."""

from __future__ import annotations

import itertools
from collections.abc import Mapping
from pathlib import Path

import duckdb
import pyarrow as pa
from pyarrow import csv

from sandbox.warehouses.postgres import PostgresSandbox

SCHEMA = "benchmark"
KEY, CURSOR = "id", "happened_at"

COLUMNS = {
    "id": ("BIGINT", "n"),
    "event_name": ("VARCHAR", "['login', 'view_item', 'add_to_cart', 'purchase'][1 + n % 4]"),
    "user_id": ("VARCHAR", "'user-' || lpad(CAST(n * 7919 % 1000003 AS VARCHAR), 9, '0')"),
    "happened_at": ("TIMESTAMP WITH TIME ZONE", "TIMESTAMPTZ '2025-01-01 00:00:00+00' + to_microseconds(n // 4 * 1001003)"),
    "sent_at": (
        "TIMESTAMP WITH TIME ZONE",
        "CASE WHEN n % 7 > 0 THEN TIMESTAMPTZ '2025-01-01 00:00:03+00' + to_microseconds(n // 4 * 1001003 + n % 999983) END",
    ),
    "amount": ("DECIMAL(18,2)", "CASE WHEN n % 5 > 0 THEN CAST(n * 104729 % 10000000007 / 100 AS DECIMAL(18, 2)) END"),
    "score": ("DOUBLE", "CASE WHEN n % 11 > 0 THEN n * 7919 % 1000003 / 977 END"),
    "paid": ("BOOLEAN", "CASE WHEN n % 13 > 0 THEN n % 3 = 0 END"),
    "born": ("DATE", "CASE WHEN n % 19 > 0 THEN DATE '1950-01-01' + CAST(n % 20000 AS INTEGER) END"),
    "quantity": ("BIGINT", "CASE WHEN n % 3 > 0 THEN n % 97 END"),
    "city": ("VARCHAR", "['서울특별시', '부산광역시', 'Incheon', ''][1 + n % 4]"),
    "note": ("VARCHAR", "CASE WHEN n % 17 > 0 THEN '강남로 ' || n % 500 || '번길, \"' || ['서', '동'][1 + n % 2] || '\"' END"),
}
"""Column -> DuckDB's name of its type, and its value over ``n``. Four rows share an instant."""

START, END = "2025-01-01T00:00:00+00:00", "2026-01-01T00:00:00+00:00"
"""The interval that all rows lie in."""

_POSTGRES = {"VARCHAR": "text", "DOUBLE": "double precision", "DECIMAL(18,2)": "numeric(18, 2)"}
_PIECE = 100_000

Sums = Mapping[str, int]
"""``rows`` -> how many there are; column -> a checksum that knows which cell stands in which row, but not the rows' order."""


def table_of(rows: int) -> tuple[str, str]:
    """The table that holds this many rows."""
    return SCHEMA, f"events_{rows}"


def make(database: Path, rows: int) -> None:
    """Make a table in a DuckDB file. The rows lie in the order of their instants but for a few hundred, as events come in."""
    made = ", ".join(f"CAST({value} AS {kind}) AS {name}" for name, (kind, value) in COLUMNS.items())
    place = ".".join(table_of(rows))
    with duckdb.connect(str(database)) as connection:
        connection.execute("SET TimeZone = 'UTC'")
        connection.execute(f"CREATE SCHEMA IF NOT EXISTS {SCHEMA}")
        # Every 512 rows are turned round.
        numbers = f"SELECT least({rows} - 1, range - range % 512 + 511) - range % 512 AS n FROM range({rows - rows % 512})"
        numbers += f" UNION ALL SELECT range AS n FROM range({rows - rows % 512}, {rows})"
        connection.execute(f"CREATE TABLE {place} AS SELECT {made} FROM ({numbers})")


def copy(database: Path, server: PostgresSandbox, rows: int) -> None:
    """Copy a table into PostgreSQL, with an index on the cursor column."""
    place = ".".join(table_of(rows))
    kinds = ", ".join(f"{name} {_POSTGRES.get(kind, kind)}" for name, (kind, _) in COLUMNS.items())
    server.execute(f"CREATE SCHEMA IF NOT EXISTS {SCHEMA}; CREATE TABLE {place} ({kinds})")
    shown = ", ".join(f"CAST({name} AS VARCHAR)" if kind.startswith("DEC") else name for name, (kind, _) in COLUMNS.items())
    with duckdb.connect(str(database), read_only=True) as source, server.open() as connection:
        source.execute("SET TimeZone = 'UTC'")
        reader = source.sql(f"SELECT {shown} FROM {place}").to_arrow_reader(_PIECE)
        with connection.cursor() as cursor, cursor.copy(f"COPY {place} FROM STDIN (FORMAT csv)") as target:
            for piece in reader:
                sink = pa.BufferOutputStream()
                csv.write_csv(piece, sink, csv.WriteOptions(include_header=False, quoting_style="needed"))
                target.write(sink.getvalue().to_pybytes())
        connection.execute(f"CREATE INDEX ON {place} ({CURSOR})")
        connection.execute(f"VACUUM ANALYZE {place}")


def expected(database: Path, rows: int) -> Sums:
    """The checksums of a table."""
    with duckdb.connect(str(database), read_only=True) as connection:
        return _sums(connection, ".".join(table_of(rows)))


def found(files: list[Path], form: str) -> Sums:
    """The checksums of files.

    :param form: ``parquet`` or ``csv``.
    :raises ValueError: if a column of Parquet has not the type of the table.
    """
    with duckdb.connect() as connection:
        connection.execute(f"CREATE VIEW files AS SELECT * FROM {_source(files, form)}")
        if form == "parquet":
            described = connection.execute("DESCRIBE files").fetchall()
            types = {str(row[0]): str(row[1]) for row in described}
            if types != {name: kind for name, (kind, _) in COLUMNS.items()}:
                raise ValueError(f"the columns of the files are {types}")
        return _sums(connection, "files")


def totals(files: list[Path], form: str) -> tuple[int, int, int]:
    """What files must tell whatever types their columns have: rows, the sum of the ids, and that of the amounts in cents."""
    with duckdb.connect() as connection:
        text = "SELECT count(*), sum(CAST(id AS BIGINT)), sum(CAST(100 * TRY_CAST(amount AS DECIMAL(18, 2)) AS BIGINT)) FROM "
        rows, ids, cents = connection.execute(text + _source(files, form)).fetchall()[0]
        return int(rows), int(ids), int(cents)


def expected_totals(database: Path, rows: int) -> tuple[int, int, int]:
    """What :func:`totals` gives for files that hold the whole table."""
    with duckdb.connect(str(database), read_only=True) as connection:
        text = f"SELECT count(*), sum(id), sum(CAST(100 * amount AS BIGINT)) FROM {'.'.join(table_of(rows))}"
        numbers = connection.execute(text).fetchall()[0]
        return int(numbers[0]), int(numbers[1]), int(numbers[2])


def differences(wanted: Sums, given: Sums) -> list[str]:
    """What is wrong, a line for each kind of fault; empty if the content is exact."""
    if wanted["rows"] != given["rows"]:
        return [f"{given['rows']:,} rows came, not {wanted['rows']:,}"]
    return [f"column {name} differs" for name in COLUMNS if wanted[name] != given[name]]


def _source(files: list[Path], form: str) -> str:
    listed = ", ".join(f"'{file}'" for file in files)
    if form == "parquet":
        return f"read_parquet([{listed}])"
    names = ", ".join(f"{name}: 'VARCHAR'" for name in COLUMNS)
    # An unquoted empty field is NULL, a quoted one the empty text.
    how = "header = true, compression = 'gzip', quote = '\"', escape = '\"', nullstr = '', allow_quoted_nulls = false"
    return f"read_csv([{listed}], auto_detect = false, delim = ',', new_line = '\\n', {how}, columns = {{{names}}})"


def _sums(connection: duckdb.DuckDBPyConnection, source: str) -> Sums:
    connection.execute("SET TimeZone = 'UTC'")
    cells = (f"sum(hash(CAST({KEY} AS BIGINT), CAST({name} AS {kind})))" for name, (kind, _) in COLUMNS.items())
    numbers = connection.execute(f"SELECT count(*), {', '.join(cells)} FROM {source}").fetchall()[0]
    return dict(zip(itertools.chain(["rows"], COLUMNS), map(int, numbers), strict=True))
