"""CSV, read back by readers of others (contracts: s3_export 3.6)."""

from __future__ import annotations

import csv
import io
import json
from datetime import datetime, timezone
from decimal import Decimal
from pathlib import Path
from typing import Any

import duckdb
import pyarrow as pa
import pyarrow.csv as arrow_csv
import pytest
from hypothesis import given, settings
from hypothesis import strategies as st

from activation.destinations.s3.formats import Format

from .forms import SCHEMA, cut, rows, written

PLAIN = Format("csv", "none")
SQL_TYPES = (
    "VARCHAR", "BIGINT", "DOUBLE", "DECIMAL(38,9)", "BOOLEAN", "DATE", "TIMESTAMPTZ", "VARCHAR", "VARCHAR", "VARCHAR"
)  # fmt: skip
TEXTS = st.text(st.characters(codec="utf-8", exclude_characters="\0"), max_size=12)  # Python 3.10 reads no NUL in CSV


def texts(data: bytes) -> list[list[str]]:
    """The fields as Python's reader sees them; NULL and the empty text look alike to it."""
    return list(csv.reader(io.StringIO(data.decode(), newline=""), strict=True))


def test_every_kind_of_value_has_one_form() -> None:
    moment = datetime(2026, 7, 19, 9, 7, 23, 1, tzinfo=timezone.utc)
    whole = datetime(999, 1, 1, tzinfo=timezone.utc)
    values = [
        ["u", -5, 0.1, Decimal("0.000000001"), True, moment.date(), moment, moment, '["a","b"]', "가"],
        ["v", 0, 1e21, Decimal("-12.5"), False, whole.date(), whole, None, "{}", ""],
        [None] * 10,
        ["w", 2**63 - 1, float("inf"), Decimal(10) ** 28, None, None, None, None, None, None],
    ]
    columns = [pa.array(column, kind) for column, kind in zip(zip(*values, strict=True), SCHEMA.types, strict=True)]
    assert written(PLAIN, pa.table(columns, schema=SCHEMA)).decode().split("\n") == [
        "df_unified_id,count,price,revenue,member,born,at,seen,tags,note",
        '"u",-5,0.1,0.000000001,true,2026-07-19,2026-07-19T09:07:23.000001Z,2026-07-19T09:07:23.000001000Z,"[""a"",""b""]","가"',
        '"v",0,1e+21,-12.500000000,false,0999-01-01,0999-01-01T00:00:00.000000Z,,"{}",""',
        ",,,,,,,,,",
        '"w",9223372036854775807,inf,10000000000000000000000000000.000000000,,,,,,',
        "",
    ]


def test_a_nanosecond_is_not_lost() -> None:
    table = pa.table({"a": pa.array([1, -1], pa.timestamp("ns", "UTC"))})
    assert written(PLAIN, table) == b"a\n1970-01-01T00:00:00.000000001Z\n1969-12-31T23:59:59.999999999Z\n"


def test_names_are_quoted_where_they_must_be() -> None:
    table = pa.table({'a "b", c': [1], "가\n나": [2], "A": [3], "a": [4]})
    assert written(PLAIN, table) == '"a ""b"", c","가\n나",A,a\n1,2,3,4\n'.encode()


def test_no_row_is_an_empty_line() -> None:
    assert written(PLAIN, pa.table({"a": pa.array([1, None, 3], pa.int64())})) == b'a\n1\n""\n3\n'


def test_a_file_without_rows_has_its_header() -> None:
    assert written(PLAIN, SCHEMA.empty_table()) == (",".join(SCHEMA.names) + "\n").encode()


def test_s_c1_python_reads_back_every_row() -> None:
    table = rows(40_000)
    header, *read = texts(written(PLAIN, table, 999))
    assert header == SCHEMA.names
    assert len(read) == table.num_rows
    for index, expected in ((0, "df_unified_id"), (8, "tags"), (9, "note")):
        assert [row[index] for row in read] == [value or "" for value in table[expected].to_pylist()]
    assert [float(row[2]) if row[2] else None for row in read] == table["price"].to_pylist()
    assert [Decimal(row[3]) if row[3] else None for row in read] == table["revenue"].to_pylist()
    assert json.loads(read[0][8]) == json.loads(table["tags"][0].as_py())


@pytest.mark.parametrize("compression", ["none", "gzip", "zstd"])
def test_s_c1_duckdb_reads_back_every_row_and_tells_null_from_empty(tmp_path: Path, compression: Any) -> None:
    form, table = Format("csv", compression), rows(40_000)
    path = tmp_path / f"part.{form.extension}"
    path.write_bytes(written(form, table))
    query = f"FROM read_csv('{path}', columns = {dict(zip(SCHEMA.names, SQL_TYPES, strict=True))}, allow_quoted_nulls = false)"
    with duckdb.connect() as connection:
        connection.execute("SET TimeZone = 'UTC'")
        read = connection.sql(f"SELECT * EXCLUDE (seen) {query}").to_arrow_table()
        seen = connection.sql(f"SELECT seen {query}").to_arrow_table()["seen"].to_pylist()
    assert read.to_pylist() == table.drop_columns(["seen"]).to_pylist()
    assert seen == [None if at is None else f"{at:%Y-%m-%dT%H:%M:%S.%f}000Z" for at in table["seen"].to_pylist()]


def test_s_c1_arrow_reads_back_every_row_and_tells_null_from_empty() -> None:
    table = rows(20_000)
    read = arrow_csv.read_csv(
        io.BytesIO(written(PLAIN, table)),
        parse_options=arrow_csv.ParseOptions(newlines_in_values=True),
        convert_options=arrow_csv.ConvertOptions(
            column_types=SCHEMA, strings_can_be_null=True, quoted_strings_can_be_null=False, null_values=[""]
        ),
    )
    assert read.to_pylist() == table.to_pylist()


@pytest.mark.parametrize("compression", ["none", "gzip"])
def test_s_c1_pandas_reads_back_the_texts(tmp_path: Path, compression: Any) -> None:
    pandas = pytest.importorskip("pandas")
    form, table = Format("csv", compression), rows(40_000)
    path = tmp_path / f"part.{form.extension}"
    path.write_bytes(written(form, table))
    read = pandas.read_csv(path, dtype=str, keep_default_na=False, lineterminator="\n")
    assert len(read) == table.num_rows
    assert read["note"].tolist() == [value or "" for value in table["note"].to_pylist()]


@settings(max_examples=40, deadline=None)
@given(
    st.lists(st.tuples(st.none() | TEXTS, st.none() | st.floats(allow_nan=False), st.none() | st.integers(-(2**63), 2**63 - 1)))
)
def test_s_c1_whatever_the_texts_are(values: list[tuple[Any, Any, Any]]) -> None:
    kinds = [pa.string(), pa.float64(), pa.int64()]
    columns = [pa.array([row[index] for row in values], kind) for index, kind in enumerate(kinds)]
    data = written(PLAIN, pa.table(columns, names=["text", "double", "whole"]))
    _, *read = texts(data)
    assert [(row[0], float(row[1]) if row[1] else None, int(row[2]) if row[2] else None) for row in read] == [
        (text or "", double, whole) for text, double, whole in values
    ]
    assert data.count(b'\n"",') + data.count(b"\n,") >= sum(not text for text, _, _ in values)


def test_lines_do_not_depend_on_the_batches() -> None:
    table = rows(100)
    assert (
        b"".join(written(PLAIN, pa.Table.from_batches([one])).split(b"\n", 1)[1] for one in cut(table, 7))
        == (written(PLAIN, table).split(b"\n", 1)[1])
    )
