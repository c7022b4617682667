"""JSON Lines, read back by readers of others."""

from __future__ import annotations

import json
from decimal import Decimal
from pathlib import Path
from typing import Any

import duckdb
import pyarrow as pa
import pytest
from hypothesis import given, settings
from hypothesis import strategies as st

from activation.destinations.s3.formats import Format
from activation.destinations.s3.parts import PartLimit, Parts

from .forms import JSON, SCHEMA, Shelf, rows, written

PLAIN = Format("jsonl", "none")


def lines(data: bytes, **options: Any) -> list[Any]:
    assert data.endswith(b"\n")
    return [json.loads(line, **options) for line in data[:-1].split(b"\n")]


def json_column(*texts: str | None) -> pa.Table:
    return pa.table([list(texts)], schema=pa.schema([pa.field("j", pa.string(), metadata=JSON)]))


def test_every_kind_of_value_has_one_form() -> None:
    table = pa.Table.from_pylist(
        [
            {"df_unified_id": 'a"\n\\\x01가🎉/', "count": -5, "price": 1.0, "revenue": Decimal("0.000000001"), "member": True},
            {"tags": '{"k": [1, 2.50]}', "note": "", "born": None, "price": 5e-324},
        ],
        schema=SCHEMA,
    )
    assert written(PLAIN, table).decode().split("\n") == [
        '{"df_unified_id":"a\\"\\n\\\\\\u0001가🎉/","count":-5,"price":1.0,"revenue":0.000000001,"member":true,'
        '"born":null,"at":null,"seen":null,"tags":null,"note":null}',
        '{"df_unified_id":null,"count":null,"price":5e-324,"revenue":null,"member":null,'
        '"born":null,"at":null,"seen":null,"tags":{"k": [1, 2.50]},"note":""}',
        "",
    ]


def test_s_c1_python_reads_back_every_row() -> None:
    table = rows(40_000)
    read = lines(written(PLAIN, table, 999))
    assert [list(row) for row in read[:2]] == [SCHEMA.names] * 2
    for name in ("df_unified_id", "count", "price", "member", "note"):
        assert [row[name] for row in read] == table[name].to_pylist()
    assert [row["tags"] for row in read] == [None if tags is None else json.loads(tags) for tags in table["tags"].to_pylist()]
    assert [row["at"] for row in read] == [
        None if at is None else at.isoformat(timespec="microseconds").replace("+00:00", "Z") for at in table["at"].to_pylist()
    ]
    assert [row["born"] for row in read] == [None if born is None else str(born) for born in table["born"].to_pylist()]
    exact = lines(written(PLAIN, table), parse_float=Decimal)
    assert [row["revenue"] for row in exact] == table["revenue"].to_pylist()


@pytest.mark.parametrize("compression", ["none", "gzip", "zstd"])
def test_s_c1_duckdb_reads_back_every_row(tmp_path: Path, compression: Any) -> None:
    form, table = Format("jsonl", compression), rows(40_000)
    path = tmp_path / f"part.{form.extension}"
    path.write_bytes(written(form, table))
    types = {"df_unified_id": "VARCHAR", "count": "BIGINT", "price": "DOUBLE", "born": "DATE", "note": "VARCHAR"}
    read = duckdb.sql(f"SELECT * FROM read_json('{path}', columns = {types}, format = 'newline_delimited')").to_arrow_table()
    assert read.to_pylist() == table.select(list(types)).to_pylist()


def test_json_text_stays_one_line_and_keeps_its_digits() -> None:
    table = json_column('{"a":\n  [1.10,\r\n 12345678901234567890123]}', None, '"two\\nlines"', "null", " [ ] ")
    assert written(PLAIN, table).decode().split("\n") == [
        '{"j":{"a":   [1.10,   12345678901234567890123]}}',
        '{"j":null}',
        '{"j":"two\\nlines"}',
        '{"j":null}',
        '{"j": [ ] }',
        "",
    ]


def test_text_that_is_no_json_is_a_string() -> None:
    odd = ["", "{", "NaN", '{"a": Infinity}', "[1,]", "plain", "[1] [2]", "\n"]
    assert [row["j"] for row in lines(written(PLAIN, json_column(*odd)), parse_constant=pytest.fail)] == odd


def test_no_double_that_json_cannot_have() -> None:
    table = pa.table({"a": [1.5, float("nan"), None, float("-inf")], "b": [float("inf"), 0.0, -0.0, 1e300]})
    shelf = Shelf()
    parts = Parts(PLAIN, table.schema, PartLimit(rows=2), shelf)
    for batch in table.to_batches():
        parts.write(batch)
    assert [part.rows for part in parts.close()] == [2, 2]
    read = [row for one in shelf.objects for row in lines(bytes(one.data), parse_constant=pytest.fail)]
    assert read == [{"a": 1.5, "b": None}, {"a": None, "b": 0.0}, {"a": None, "b": 0.0}, {"a": None, "b": 1e300}]
    assert parts.nonfinite == 3


def test_names_that_differ_in_case_or_need_an_escape() -> None:
    table = pa.table({"A": [1], "a": [2], 'it\'s "x"\n가': [3]})
    assert lines(written(PLAIN, table)) == [{"A": 1, "a": 2, 'it\'s "x"\n가': 3}]


def test_a_file_without_rows_is_empty() -> None:
    assert written(PLAIN, SCHEMA.empty_table()) == b""


texts = st.text(st.characters(codec="utf-8"), max_size=12)
nested = st.recursive(
    st.none() | st.booleans() | st.integers(-(2**70), 2**70) | st.floats(allow_nan=False, allow_infinity=False) | texts,
    lambda inner: st.lists(inner, max_size=3) | st.dictionaries(texts, inner, max_size=3),
    max_leaves=6,
)


@settings(max_examples=40, deadline=None)
@given(st.lists(st.tuples(st.none() | texts, st.none() | st.floats(allow_nan=False, allow_infinity=False), nested), min_size=1))
def test_s_c1_whatever_the_values_are(values: list[tuple[Any, Any, Any]]) -> None:
    text, double, inner = ([row[index] for row in values] for index in range(3))
    dumped = [json.dumps(one, ensure_ascii=False, indent=index % 2 or None) for index, one in enumerate(inner)]
    columns = [pa.array(text, pa.string()), pa.array(double, pa.float64()), pa.array(dumped, pa.string())]
    schema = pa.schema([("t", pa.string()), ("d", pa.float64()), pa.field("j", pa.string(), metadata=JSON)])
    read = lines(written(PLAIN, pa.table(columns, schema=schema)))
    assert [(row["t"], row["d"], row["j"]) for row in read] == values
