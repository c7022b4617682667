"""One stream of rows becomes parts (contracts: s3_export 3.7)."""

from __future__ import annotations

import gzip
import hashlib
import io
import os
import threading
import tracemalloc
from collections.abc import Iterator
from typing import Any

import pyarrow as pa
import pyarrow.parquet as pq
import pytest
from hypothesis import given, settings
from hypothesis import strategies as st

from activation.destinations.s3.formats import Format
from activation.destinations.s3.parts import Part, PartLimit, Parts
from activation.errors import ConfigurationError, FatalError

from .forms import FORMS, IDS, SCHEMA, Kept, Shelf, cut, rows

ZSTD = Format("parquet", "zstd")
NUMBERS = pa.table({"a": pa.array(range(1_000), pa.int64())})


def export(form: Format, table: pa.Table, limit: PartLimit, *sizes: int, shelf: Shelf | None = None) -> tuple[list[Part], Shelf]:
    shelf = shelf or Shelf()
    parts = Parts(form, table.schema, limit, shelf)
    for batch in cut(table, *sizes):
        parts.write(batch)
    return parts.close(), shelf


def ours() -> list[str]:
    return [one.name for one in threading.enumerate() if one.name.startswith(("export", "finish"))]


@pytest.fixture(autouse=True)
def _no_thread_stays() -> Iterator[None]:
    yield
    assert ours() == []


@settings(max_examples=60, deadline=None)
@given(st.integers(1, 1_000), st.integers(50, 1_200), st.lists(st.integers(1, 400), min_size=1, max_size=5))
def test_s_f1_rows_are_cut_exactly(count: int, limit: int, sizes: list[int]) -> None:
    table = NUMBERS.slice(0, count)
    parts, shelf = export(ZSTD, table, PartLimit(rows=limit), *sizes)
    assert [part.number for part in parts] == list(range(-(-count // limit)))
    assert [part.rows for part in parts] == [limit] * (count // limit) + [count % limit] * (count % limit > 0)
    assert pa.concat_tables(pq.read_table(io.BytesIO(bytes(one.data))) for one in shelf.objects).equals(table)


@pytest.mark.parametrize("form", FORMS, ids=IDS)
def test_s_f1_a_part_says_what_its_object_holds(form: Format) -> None:
    parts, shelf = export(form, rows(50_000), PartLimit(rows=20_000), 7_777)
    assert shelf.ends == ["finished"] * 3
    assert parts == [
        Part(number, count, len(one.data), hashlib.sha256(one.data).hexdigest(), f'"etag-{number}"')
        for number, (count, one) in enumerate(zip([20_000, 20_000, 10_000], shelf.objects, strict=True))
    ]


@pytest.mark.parametrize("limit", [PartLimit(rows=70_000), PartLimit(90_000, 1_500_000)])
@pytest.mark.parametrize("form", FORMS, ids=IDS)
def test_s_f3_the_same_rows_are_the_same_bytes_whatever_the_batches_are(form: Format, limit: PartLimit) -> None:
    table = pa.concat_tables([rows(20_000)] * 6)
    parts, _ = export(form, table, limit, table.num_rows)
    for sizes in ((50_000,), (1, 9_999, 16_384, 3)):
        assert export(form, table, limit, *sizes)[0] == parts


def test_s_f3_wide_rows_are_the_same_bytes_too() -> None:
    table = pa.table({"a": [os.urandom(size // 2).hex() for size in (9_000_000, 10, 5_000_000, 4_000_000, 20, 0, 30_000_000)]})
    for form in FORMS:
        parts, _ = export(form, table, PartLimit(bytes=6_000_000), 7)
        assert export(form, table, PartLimit(bytes=6_000_000), 1)[0] == parts
        assert len(parts) > 1


@pytest.mark.parametrize("form", FORMS, ids=IDS)
def test_a_part_ends_near_its_bytes(form: Format) -> None:
    limit = 3_000_000
    table = rows(60_000)
    parts, _ = export(form, pa.concat_tables([table] * 4), PartLimit(bytes=limit), 10_000)
    assert sum(part.rows for part in parts) == 240_000
    assert len(parts) > 2
    block = max(part.bytes * 16_384 // part.rows for part in parts)
    assert all(limit * 0.85 < part.bytes < limit * 1.15 + block for part in parts[:-1])


@pytest.mark.parametrize("form", FORMS, ids=IDS)
def test_no_rows_are_no_part(form: Format) -> None:
    parts, shelf = Parts(form, SCHEMA, PartLimit(rows=1), Shelf()), Shelf()
    parts.write(pa.RecordBatch.from_pylist([], schema=SCHEMA))
    assert parts.close() == []
    assert shelf.objects == []


@pytest.mark.parametrize("limit", [{"rows": 0}, {"bytes": 0}, {"rows": -1}])
def test_a_part_that_can_hold_nothing_is_refused(limit: dict[str, int]) -> None:
    with pytest.raises(ConfigurationError, match="can hold nothing"):
        PartLimit(**limit)


class Breaks(Kept):
    """Object 1 takes no second write."""

    def write(self, data: Any) -> None:
        if self.number == 1 and self.data:
            raise FatalError("The disk is full.")
        super().write(data)


class BreaksAtItsEnd(Kept):
    """Object 1 cannot be finished."""

    def finish(self) -> str:
        if self.number == 1:
            raise FatalError("The disk is full.")
        return super().finish()


@pytest.mark.parametrize("form", FORMS, ids=IDS)
@pytest.mark.parametrize(
    ("kind", "ends"), [(Breaks, ["finished", "aborted"]), (BreaksAtItsEnd, ["finished", "aborted", "aborted"])]
)
def test_s_f7_nothing_stays_open_after_an_error(form: Format, kind: type[Kept], ends: list[str]) -> None:
    shelf = Shelf(kind)
    with pytest.raises(FatalError, match=r"The disk is full\."):
        export(form, rows(60_000), PartLimit(rows=18_000), 6_000, shelf=shelf)
    assert shelf.ends == ends


def test_s_f7_an_abort_leaves_the_finished_parts() -> None:
    shelf = Shelf()
    parts = Parts(Format("csv", "gzip"), SCHEMA, PartLimit(rows=30_000), shelf)
    for batch in cut(rows(50_000), 7_000):
        parts.write(batch)
    parts.abort()
    assert shelf.ends == ["finished", "aborted"]
    parts.abort()


def test_s_f7_an_object_that_cannot_be_opened_stops_the_export() -> None:
    def refuse(number: int) -> Kept:
        raise FatalError("No bucket.")

    parts = Parts(ZSTD, NUMBERS.schema, PartLimit(), refuse)
    parts.write(NUMBERS.to_batches()[0])
    with pytest.raises(FatalError, match="No bucket"):
        parts.close()


def test_the_next_part_begins_while_the_last_one_is_finished() -> None:
    begun = threading.Event()

    class Waits(Kept):
        def write(self, data: Any) -> None:
            if self.number == 1:
                begun.set()
            super().write(data)

        def finish(self) -> str:
            assert begun.wait(20), "the second part waits for the first one"
            return super().finish()

    _, shelf = export(
        Format("csv", "none"), pa.concat_tables([NUMBERS] * 100), PartLimit(rows=90_000), 10_000, shelf=Shelf(Waits)
    )
    assert shelf.ends == ["finished", "finished"]


class Drops(Kept):
    """Keeps nothing, and looks how much memory is taken."""

    peak = 0

    def write(self, data: Any) -> None:
        Drops.peak = max(Drops.peak, tracemalloc.get_traced_memory()[0] + pa.total_allocated_bytes())


@pytest.mark.parametrize("form", FORMS, ids=IDS)
def test_s_f10_ten_times_the_rows_take_no_more_memory(form: Format) -> None:
    batch = rows(20_000).combine_chunks().to_batches()[0]
    few = 12 if form.kind == "parquet" else 5  # two row groups, or more blocks than are worked on at the same time
    peaks = []
    tracemalloc.start()
    try:
        for batches in (few, 10 * few):
            Drops.peak = 0
            before = tracemalloc.get_traced_memory()[0] + pa.total_allocated_bytes()
            parts = Parts(form, SCHEMA, PartLimit(), Shelf(Drops))
            for _ in range(batches):
                parts.write(batch)
            parts.close()
            peaks.append(Drops.peak - before)
    finally:
        tracemalloc.stop()
    assert peaks[1] < peaks[0] * 2  # how many threads stand where differs
    assert peaks[1] < 150_000_000


def test_gzip_of_a_part_can_be_read_alone() -> None:
    parts, shelf = export(Format("csv", "gzip"), rows(40_000), PartLimit(rows=15_000), 4_000)
    assert [gzip.decompress(one.data).split(b"\n", 1)[0] for one in shelf.objects] == [",".join(SCHEMA.names).encode()] * len(
        parts
    )
