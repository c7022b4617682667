"""The manifest and back."""

from __future__ import annotations

import hashlib
import json
from dataclasses import replace
from datetime import datetime, timedelta, timezone
from typing import Any

import pyarrow as pa
import pytest

from activation.destinations.s3.identity import Identity
from activation.destinations.s3.manifest import Column, File, Manifest, Shape, columns_of, generated, read
from activation.errors import ConfigurationError

KST = timezone(timedelta(hours=9))
WHO = Identity(
    pipeline_id="orders",
    pipeline_name="주문",
    run_id="manual__1",
    data="user_profile",
    start=datetime(2026, 7, 19, tzinfo=KST),
    end=datetime(2026, 7, 19, tzinfo=KST),
    timezone="Asia/Seoul",
    snapshot_at=datetime(2026, 7, 19, tzinfo=KST),
)
SHAPE = Shape("csv", "gzip", (Column("id", "integer"), Column("이름", "text")))
FILES = (File("f/part-00000.csv.gz", 10, 3, "0" * 64, "e1"), File("f/part-00001.csv.gz", 5, 1, "1" * 64, "e2"))
WHOLE = Manifest(WHO, SHAPE, "complete", FILES, ("f/part-00009.csv.gz",), "2026-07-19T00:00:05Z")


def test_the_fields_of_a_manifest() -> None:
    hashed = hashlib.sha256('[["id","integer"],["이름","text"]]'.encode()).hexdigest()
    fields = json.loads(WHOLE.to_json())
    producer = fields.pop("producer")
    assert producer.startswith("airflow-activation ")
    assert fields == {
        "version": 1,
        "status": "complete",
        "pipeline_id": "orders",
        "pipeline_name": "주문",
        "run_id": "manual__1",
        "data": "user_profile",
        "interval": {"start": "2026-07-18T15:00:00Z", "end": "2026-07-18T15:00:00Z"},
        "timezone": "Asia/Seoul",
        "snapshot_at": "2026-07-18T15:00:00Z",
        "format": "csv",
        "compression": "gzip",
        "delimiter": ",",
        "columns": [{"name": "id", "type": "integer"}, {"name": "이름", "type": "text"}],
        "schema_hash": hashed,
        "files": [
            {"key": "f/part-00000.csv.gz", "size": 10, "rows": 3, "sha256": "0" * 64, "etag": "e1"},
            {"key": "f/part-00001.csv.gz", "size": 5, "rows": 1, "sha256": "1" * 64, "etag": "e2"},
        ],
        "total_rows": 4,
        "total_bytes": 15,
        "ignored": ["f/part-00009.csv.gz"],
        "generated_at": "2026-07-19T00:00:05Z",
    }


def test_a_manifest_is_read_back_as_it_was() -> None:
    content = WHOLE.to_json()
    again = read(content, "m")
    assert again == WHOLE
    assert again.to_json() == content
    events = replace(WHOLE, identity=replace(WHO, snapshot_at=None), shape=replace(SHAPE, format="parquet", compression="zstd"))
    assert read(events.to_json(), "m") == events
    assert json.loads(events.to_json())["delimiter"] is None


def test_the_hash_of_the_schema_follows_names_types_and_order() -> None:
    first, second = SHAPE.columns
    shapes = [
        SHAPE,
        replace(SHAPE, columns=(second, first)),
        replace(SHAPE, columns=(first,)),
        replace(SHAPE, columns=(replace(first, type="text"), second)),
        replace(SHAPE, columns=(replace(first, name="key"), second)),
    ]
    assert len({shape.schema_hash for shape in shapes}) == len(shapes)
    assert replace(SHAPE, format="jsonl", compression="none").schema_hash == SHAPE.schema_hash


def test_the_words_for_types() -> None:
    kinds = {
        "text": pa.string(),
        "integer": pa.int64(),
        "double": pa.float64(),
        "decimal(18,2)": pa.decimal128(18, 2),
        "boolean": pa.bool_(),
        "date": pa.date32(),
        "timestamp(6)": pa.timestamp("us", "UTC"),
        "timestamp(9)": pa.timestamp("ns", "UTC"),
    }
    fields = [pa.field(word, kind) for word, kind in kinds.items()]
    json_text = pa.field("json", pa.string(), metadata={b"activation.kind": b"json"})
    assert [(one.name, one.type) for one in columns_of(pa.schema([*fields, json_text]))] == [(w, w) for w in (*kinds, "json")]


@pytest.mark.parametrize("kind", [pa.timestamp("us"), pa.int32(), pa.list_(pa.string())])
def test_a_column_of_another_type_is_refused(kind: pa.DataType) -> None:
    with pytest.raises(ConfigurationError, match=r"The column odd has the type .* Fix: Convert it"):
        columns_of(pa.schema([("odd", kind)]))


@pytest.mark.parametrize(
    ("change", "says"),
    [
        ({"version": 2}, "has the version 2; this one reads 1"),
        ({"version": ...}, "has the version None"),
        ({"files": ...}, "no manifest of an export: it has no files"),
        ({"status": "half"}, "its status 'half' is neither complete nor withdrawn"),
        ({"files": [{"key": "x"}]}, "no manifest of an export"),
        ({"interval": {"start": "soon", "end": "later"}}, "no manifest of an export"),
        ({"interval": 5}, "no manifest of an export"),
        ({"total_rows": 5}, "says total_rows 5; its own lists give 4"),
        ({"total_bytes": 1}, "says total_bytes 1; its own lists give 15"),
        ({"schema_hash": "x"}, "says schema_hash 'x'"),
    ],
)
def test_what_is_no_manifest_says_so(change: dict[str, Any], says: str) -> None:
    fields = {name: value for name, value in (json.loads(WHOLE.to_json()) | change).items() if value is not ...}
    with pytest.raises(ConfigurationError) as caught:
        read(json.dumps(fields).encode(), "s3://b/_manifest.json")
    assert says in caught.value.problem
    assert "s3://b/_manifest.json" in caught.value.problem
    assert "Remove the object" in caught.value.fix


@pytest.mark.parametrize("content", [b"", b"[1]", b"\xff", b"{"])
def test_what_is_no_json_says_so(content: bytes) -> None:
    with pytest.raises(ConfigurationError, match=r"m is no manifest of an export"):
        read(content, "m")


def test_the_time_of_a_manifest_is_in_utc() -> None:
    assert datetime.fromisoformat(generated().replace("Z", "+00:00")).utcoffset() == timedelta(0)


@pytest.mark.parametrize(
    ("change", "says"),
    [
        ({"start": datetime(2026, 7, 19)}, "has no time zone"),
        ({"end": datetime(2026, 7, 18, tzinfo=KST)}, "before it starts"),
        ({"timezone": "Asia/Seol"}, "no time zone 'Asia/Seol'"),
        ({"timezone": "../x"}, "no time zone '../x'"),
    ],
)
def test_an_identity_that_cannot_be(change: dict[str, Any], says: str) -> None:
    with pytest.raises(ConfigurationError, match=says):
        replace(WHO, **change)


def test_a_mark_is_ascii_and_the_same_for_every_try() -> None:
    mark = replace(WHO, run_id="manual__다시 2026-07-19T00:00:00+09:00").mark
    assert mark == "orders/manual__%EB%8B%A4%EC%8B%9C%202026-07-19T00:00:00+09:00"
    assert len(replace(WHO, run_id="가" * 1000).mark) <= 1024
