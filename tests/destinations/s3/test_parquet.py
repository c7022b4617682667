"""Parquet: types and row groups (contracts: s3_export 3.7)."""

from __future__ import annotations

import io
from pathlib import Path
from typing import Any

import duckdb
import pyarrow as pa
import pyarrow.parquet as pq
import pytest

from activation.destinations.s3.formats import Format, open_writer
from activation.destinations.s3.parquet import GROUP_BYTES

from .forms import SCHEMA, cut, rows, written

ZSTD = Format("parquet", "zstd", 100_000)


def groups(data: bytes) -> list[int]:
    about = pq.read_metadata(io.BytesIO(data))
    return [about.row_group(index).num_rows for index in range(about.num_row_groups)]


@pytest.mark.parametrize("compression", ["none", "snappy", "zstd"])
def test_s_c2_columns_keep_their_types_and_values(compression: Any) -> None:
    table = rows(20_000)
    data = written(Format("parquet", compression), table, 777)
    read = pq.read_table(io.BytesIO(data))
    assert read.schema.equals(pa.schema([column.remove_metadata() for column in SCHEMA]), check_metadata=True)
    assert read.equals(table)
    about = pq.read_metadata(io.BytesIO(data))
    assert about.metadata is None
    codec = {"none": "UNCOMPRESSED", "snappy": "SNAPPY", "zstd": "ZSTD"}[compression]
    assert {about.row_group(0).column(index).compression for index in range(len(SCHEMA))} == {codec}


def test_s_c2_duckdb_sees_the_types(tmp_path: Path) -> None:
    path = tmp_path / "part.parquet"
    path.write_bytes(written(ZSTD, rows(10)))
    # Not "seen": versions of DuckDB differ in the type that they have for nanoseconds.
    assert [str(kind) for kind in duckdb.sql(f"SELECT * EXCLUDE (seen) FROM '{path}'").types] == [
        "VARCHAR", "BIGINT", "DOUBLE", "DECIMAL(38,9)", "BOOLEAN", "DATE", "TIMESTAMP WITH TIME ZONE", "VARCHAR", "VARCHAR",
    ]  # fmt: skip


@pytest.mark.parametrize("size", [7_000, 100_000, 333_333])
def test_s_c2_row_groups_are_full_whatever_the_batches_are(size: int) -> None:
    table = pa.table({"a": pa.array(range(333_333), pa.int64())})
    data = written(ZSTD, table, size)
    assert groups(data) == [100_000, 100_000, 100_000, 33_333]
    assert pq.read_table(io.BytesIO(data)).equals(table)


def test_s_c2_wide_rows_end_a_row_group_by_its_bytes() -> None:
    width, batch_rows, batches = 100_000, 100, 40
    batch = pa.record_batch({"a": [f"{index:0{width}}" for index in range(batch_rows)]})
    before, peak = pa.total_allocated_bytes(), 0
    sink = io.BytesIO()
    writer = open_writer(ZSTD, batch.schema, sink)
    for _ in range(batches):
        writer.write(pa.concat_batches([batch]))
        peak = max(peak, pa.total_allocated_bytes() - before)
    writer.close()
    sizes = [count * width for count in groups(sink.getvalue())]
    assert sum(sizes) == width * batch_rows * batches
    assert len(sizes) == 3
    assert all(GROUP_BYTES <= size < GROUP_BYTES * 1.1 for size in sizes[:-1])
    assert peak < 3 * GROUP_BYTES


def test_a_file_without_rows_can_be_read() -> None:
    assert pq.read_table(io.BytesIO(written(ZSTD, SCHEMA.empty_table()))).num_rows == 0


def test_the_sink_s_own_error_is_what_is_raised() -> None:
    class Full:
        def write(self, data: Any) -> None:
            raise KeyError("full")

    with pytest.raises(KeyError, match="full"):
        open_writer(ZSTD, SCHEMA, Full()).write(next(cut(rows(10), 10)))
