"""Regrouping of batches: nothing lost, nothing reordered, every bound kept."""

from __future__ import annotations

import pyarrow as pa
import pytest
from hypothesis import given, settings
from hypothesis import strategies as st

from activation.warehouses.arrow import reshape, schema
from activation.warehouses.base import Column, Extract

SHAPE = schema(Extract(("t",), Column("u", "date"), (), (Column("id", "integer"), Column("id", "integer"))))


def batch(texts: list[str]) -> pa.RecordBatch:
    """As a driver gives it: other names, other widths."""
    numbers = pa.array(range(len(texts)), pa.int32())
    return pa.RecordBatch.from_arrays([numbers, pa.array(texts, pa.large_string()), pa.array(texts)], names=["c", "v1", "v2"])


@settings(deadline=None)
@given(sizes=st.lists(st.lists(st.integers(0, 40), max_size=9), max_size=6), rows=st.integers(1, 7), limit=st.integers(1, 200))
def test_rows_keep_their_order_and_bounds_hold(sizes: list[list[int]], rows: int, limit: int) -> None:
    texts = [[f"{number}-{place}".ljust(width, "x") for place, width in enumerate(part)] for number, part in enumerate(sizes)]
    found = list(reshape([batch(part) for part in texts], SHAPE, rows, limit))
    assert [text for one in found for text in one.column(1).to_pylist()] == [text for part in texts for text in part]
    for one in found:
        one.validate(full=True)
        assert one.schema == SHAPE
        assert 0 < one.num_rows <= rows
        # Joining rounds each column's bits up to whole bytes.
        assert one.num_rows == 1 or one.nbytes <= limit + 8 * one.num_columns


def test_small_batches_are_joined() -> None:
    found = list(reshape([batch(["a", "b"])] * 10, SHAPE, 8))
    assert [one.num_rows for one in found] == [8, 8, 4]


def test_a_missing_column_is_not_guessed() -> None:
    with pytest.raises(ValueError, match="zip"):
        list(reshape([pa.record_batch({"c": [1]})], SHAPE, 8))


def test_batches_are_filled_across_what_comes() -> None:
    found = list(reshape([batch(["a"] * size) for size in (64, 256, 7)], SHAPE, 100))
    assert [one.num_rows for one in found] == [100, 100, 100, 27]
