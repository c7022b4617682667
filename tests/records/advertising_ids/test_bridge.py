"""Arrow to numpy and back without pandas: the same as Arrow's own functions say."""

from __future__ import annotations

import numpy as np
import pyarrow as pa
import pytest

from activation.records.advertising_ids.bridge import bytes_of, chosen, lengths_of, mask_of, nulls_of

TEXTS = [None, "", "a", "김민준", None, *(("x" * number) if number % 3 else None for number in range(40))]


@pytest.mark.parametrize("start", [0, 1, 4, 7, 8, 9, 17])
@pytest.mark.parametrize("rows", [0, 1, 7, 8, 16, 28])
def test_lengths_are_bytes_and_null_has_none(start: int, rows: int) -> None:
    texts = pa.array(TEXTS).slice(start, rows)
    expected = [len((text or "").encode()) for text in texts.to_pylist()]
    assert lengths_of(texts).tolist() == expected


def test_a_null_has_no_length_whatever_its_place_holds() -> None:
    ends = pa.py_buffer(np.array([0, 3, 5], np.int32))
    texts = pa.StringArray.from_buffers(2, ends, pa.py_buffer(b"abcde"), pa.py_buffer(b"\x02"))
    assert texts.to_pylist() == [None, "de"]
    assert lengths_of(texts).tolist() == [0, 2]


@pytest.mark.parametrize("rows", [0, 1, 8, 13])
def test_truth_values_filter_and_choose(rows: int) -> None:
    found = np.arange(rows) % 3 == 0
    numbers = pa.array(range(rows), pa.int64())
    assert numbers.filter(mask_of(found)).to_pylist() == [number for number in range(rows) if number % 3 == 0]
    assert chosen(found, "no", "예").to_pylist() == ["예" if number % 3 == 0 else "no" for number in range(rows)]


def test_numbers_choose_among_several_texts() -> None:
    assert chosen(np.array([2, 0, 1, 2]), "", "예", "no").to_pylist() == ["no", "", "예", "no"]


@pytest.mark.parametrize("start", [0, 1, 4, 7, 8, 9, 17])
@pytest.mark.parametrize("rows", [0, 1, 7, 28])
def test_nulls_and_bytes_of_a_slice(start: int, rows: int) -> None:
    texts = pa.array(TEXTS).slice(start, rows)
    assert nulls_of(texts).tolist() == [text is None for text in texts.to_pylist()]
    assert bytes_of(texts).tobytes() == "".join(text or "" for text in texts.to_pylist()).encode()
