"""Rows of every kind, and objects that keep what is written to them."""

from __future__ import annotations

import io
import random
from collections.abc import Iterable, Iterator
from datetime import date, datetime, timedelta, timezone
from decimal import Decimal
from functools import cache
from typing import Any

import pyarrow as pa

from activation.destinations.s3.formats import Format, open_writer

JSON = {b"activation.kind": b"json"}
SCHEMA = pa.schema(
    [
        ("df_unified_id", pa.string()),
        ("count", pa.int64()),
        ("price", pa.float64()),
        ("revenue", pa.decimal128(38, 9)),
        ("member", pa.bool_()),
        ("born", pa.date32()),
        ("at", pa.timestamp("us", "UTC")),
        ("seen", pa.timestamp("ns", "UTC")),
        pa.field("tags", pa.string(), metadata=JSON),
        ("note", pa.string()),
    ]
)
FORMS = [
    Format("csv", "none"), Format("csv", "gzip"), Format("csv", "zstd"),
    Format("jsonl", "none"), Format("jsonl", "gzip"), Format("jsonl", "zstd"),
    Format("parquet", "none", 100_000), Format("parquet", "snappy", 100_000), Format("parquet", "zstd", 100_000),
]  # fmt: skip
IDS = [f"{form.kind}-{form.compression}" for form in FORMS]
NOTES = [
    "",
    None,
    "plain",
    'say "hi"',
    "a,b",
    "two\nlines",
    "two\r\nlines",
    "가나다 🎉",
    "\\N",
    "null",
    "NULL",
    " ",
    '"',
    "'",
    "\t",
]


@cache
def rows(count: int) -> pa.Table:
    """As many rows, each column with some NULL in it but for the id."""
    chance = random.Random(7)
    start = datetime(2026, 7, 19, 9, 7, 23, 1, tzinfo=timezone.utc)

    def some(values: Iterable[Any]) -> list[Any]:
        return [None if chance.random() < 0.1 else value for value in values]

    at = [start + timedelta(microseconds=chance.randrange(10**12)) for _ in range(count)]
    columns = [
        [f"{chance.getrandbits(128):032x}" for _ in range(count)],
        some(chance.randrange(-(2**62), 2**62) for _ in range(count)),
        some(chance.uniform(-1e6, 1e6) for _ in range(count)),
        some(Decimal(chance.randrange(-(10**20), 10**20)).scaleb(-9) for _ in range(count)),
        some(chance.random() < 0.5 for _ in range(count)),
        some(date(2026, 1, 1) + timedelta(days=chance.randrange(-(10**4), 10**4)) for _ in range(count)),
        some(at),
        some(at),
        some(chance.choice(['["a","b"]', "[]", '{"k":[1,2.50]}', '"text"']) for _ in range(count)),
        some(chance.choice(NOTES) for _ in range(count)),
    ]
    return pa.table([pa.array(values, column.type) for values, column in zip(columns, SCHEMA, strict=True)], schema=SCHEMA)


def cut(table: pa.Table, *sizes: int) -> Iterator[pa.RecordBatch]:
    """The rows in batches of these sizes, over and over."""
    whole = table.combine_chunks()
    begin = turn = 0
    while begin < whole.num_rows:
        size = sizes[turn % len(sizes)]
        yield from whole.slice(begin, size).to_batches()
        begin, turn = begin + size, turn + 1


def written(form: Format, table: pa.Table, *sizes: int) -> bytes:
    """The file of a table that comes in batches of these sizes; all of it in one without them."""
    sink = io.BytesIO()
    writer = open_writer(form, table.schema, sink)
    for batch in cut(table, *(sizes or (max(1, table.num_rows),))):
        writer.write(batch)
    writer.close()
    return sink.getvalue()


class Kept:
    """An object in memory."""

    def __init__(self, number: int = 0) -> None:
        self.number, self.data, self.end = number, bytearray(), ""

    def write(self, data: Any) -> None:
        """Keep the bytes."""
        assert not self.end, "written after its end"
        self.data += memoryview(data)

    def finish(self) -> str:
        """End it well."""
        assert not self.end, "ended twice"
        self.end = "finished"
        return f'"etag-{self.number}"'

    def abort(self) -> None:
        """End it badly."""
        assert self.end != "finished", "aborted after its end"
        self.end = "aborted"


class Shelf:
    """Opens objects, and remembers them."""

    def __init__(self, kind: type[Kept] = Kept) -> None:
        self._kind = kind
        self.objects: list[Kept] = []

    def __call__(self, number: int) -> Kept:
        """Open the object of a part."""
        assert number == len(self.objects), "numbers have gaps"
        self.objects.append(self._kind(number))
        return self.objects[-1]

    @property
    def ends(self) -> list[str]:
        """How each object ended."""
        return [one.end for one in self.objects]
