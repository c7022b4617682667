"""What can be chosen, and what is refused before a byte is written."""

from __future__ import annotations

import io
from typing import Any

import pyarrow as pa
import pytest

from activation.destinations.s3.formats import Format, open_writer
from activation.errors import ConfigurationError, FatalError

from .forms import FORMS, SCHEMA, rows


def test_each_form_has_its_ending_and_its_media_type() -> None:
    assert {f"{form.kind} {form.compression}": (form.extension, form.content_type) for form in FORMS} == {
        "csv none": ("csv", "text/csv; charset=utf-8"),
        "csv gzip": ("csv.gz", "application/gzip"),
        "csv zstd": ("csv.zst", "application/zstd"),
        "jsonl none": ("jsonl", "application/x-ndjson"),
        "jsonl gzip": ("jsonl.gz", "application/gzip"),
        "jsonl zstd": ("jsonl.zst", "application/zstd"),
        "parquet none": ("parquet", "application/vnd.apache.parquet"),
        "parquet snappy": ("parquet", "application/vnd.apache.parquet"),
        "parquet zstd": ("parquet", "application/vnd.apache.parquet"),
    }


@pytest.mark.parametrize(
    ("chosen", "message"),
    [
        (("csv", "snappy"), "The format csv cannot have the compression snappy. Fix: Choose one of none, gzip, zstd."),
        (("parquet", "gzip"), "The format parquet cannot have the compression gzip. Fix: Choose one of none, snappy, zstd."),
        (("avro", "none"), "There is no format avro. Fix: Choose one of csv, jsonl, parquet."),
        (("parquet", "zstd", 99_999), "A row group of 99,999 rows is too small. Fix: Choose 100,000 rows or more."),
    ],
)
def test_what_does_not_fit_is_refused(chosen: tuple[Any, ...], message: str) -> None:
    with pytest.raises(ConfigurationError) as caught:
        Format(*chosen)
    assert str(caught.value) == message


@pytest.mark.parametrize(
    ("columns", "message"),
    [
        ([], "The export has no columns."),
        ([("a", pa.string()), ("a", pa.int64())], "The export has two columns of the name a."),
        ([("a", pa.list_(pa.int64()))], "The column a has the type list<item: int64>, which an export does not write."),
        ([("a", pa.timestamp("us", "Asia/Seoul"))], "The column a has the type timestamp[us, tz=Asia/Seoul]"),
        ([("a", pa.timestamp("s", "UTC"))], "The column a has the type timestamp[s, tz=UTC]"),
    ],
)
@pytest.mark.parametrize("kind", ["csv", "jsonl", "parquet"])
def test_columns_that_no_file_can_have_are_refused(kind: Any, columns: list[Any], message: str) -> None:
    sink = io.BytesIO()
    with pytest.raises(ConfigurationError) as caught:
        open_writer(Format(kind, "none"), pa.schema(columns), sink)
    assert str(caught.value).startswith(message)
    assert sink.getvalue() == b""


def test_rows_that_change_their_columns_stop_the_export() -> None:
    writer = open_writer(Format("csv", "none"), pa.schema([("a", pa.int64())]), io.BytesIO())
    with pytest.raises(FatalError, match=r"changed their columns within the export: from a int64 to a string\."):
        writer.write(pa.record_batch([pa.array(["x"])], names=["a"]))
    writer.abort()


@pytest.mark.parametrize("form", FORMS, ids=lambda form: f"{form.kind}-{form.compression}")
def test_nothing_is_written_after_an_abort(form: Format) -> None:
    sink = io.BytesIO()
    writer = open_writer(form, SCHEMA, sink)
    for batch in rows(40_000).to_batches():
        writer.write(batch)
    writer.abort()
    seen = sink.getvalue()
    del writer
    assert sink.getvalue() == seen
