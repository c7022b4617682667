"""Blocks: no profile is cut in two, however the rows come."""

from __future__ import annotations

from itertools import pairwise

import pyarrow as pa
import pytest
from hypothesis import given
from hypothesis import strategies as st

from activation.records.profiles import blocks as module
from activation.records.profiles.blocks import blocks, numbered

from .world import cutting


def union(ids: list[str]) -> pa.Table:
    return pa.table({"id": pa.array(ids, pa.string()), "at": pa.array(range(len(ids)), pa.int64())})


@given(st.lists(st.integers(1, 9), max_size=12), st.lists(st.integers(1, 7), min_size=1, max_size=4), st.integers(1, 12))
def test_profiles_stay_whole(sizes: list[int], cuts: list[int], full: int) -> None:
    ids = [f"u{number:02d}" for number, size in enumerate(sizes) for _ in range(size)]
    with pytest.MonkeyPatch.context() as patch:
        patch.setattr(module, "ROWS", full)
        found = [block["id"].to_pylist() for block in blocks(cutting(union(ids), cuts))]
    assert [one for block in found for one in block] == ids
    assert not any(before[-1] == after[0] for before, after in pairwise(found))
    assert all(len(block) < full + max(cuts) + max(sizes, default=0) for block in found)


def test_a_block_is_full_by_its_bytes(monkeypatch: pytest.MonkeyPatch) -> None:
    monkeypatch.setattr(module, "BYTES", 120)
    found = list(blocks(cutting(union([f"{number:040d}" for number in range(9)]), [1])))
    assert [block.num_rows for block in found] == [3, 3, 3]


def test_empty_batches() -> None:
    assert list(blocks([])) == []
    nothing = pa.RecordBatch.from_pylist([], union([]).schema)
    assert list(blocks([nothing])) == []
    assert [block.num_rows for block in blocks([nothing, *union(["a"]).to_batches(), nothing])] == [1]


def test_numbers() -> None:
    assert numbered(pa.array(["B", "a", "a", "한", "\U0001f600"])).tolist() == [0, 1, 1, 2, 3]
