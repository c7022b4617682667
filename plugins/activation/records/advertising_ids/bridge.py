"""Between Arrow and numpy by their buffers alone.

``pyarrow.array``, ``pyarrow.scalar`` and ``to_numpy`` import pandas wherever it is installed, as it is beside Airflow: 40 MB that
a task would carry for nothing.
"""

from __future__ import annotations

from typing import Any

import numpy as np
import numpy.typing as npt
import pyarrow as pa

Mask = npt.NDArray[np.bool_]


def lengths_of(texts: pa.StringArray) -> npt.NDArray[np.int32]:
    """Bytes of each text, 0 for null."""
    if not len(texts):
        return np.empty(0, np.int32)
    first, last = texts.offset, texts.offset + len(texts)
    lengths = np.diff(np.frombuffer(texts.buffers()[1], np.int32)[first : last + 1])
    return lengths * ~nulls_of(texts) if texts.null_count else lengths


def nulls_of(texts: pa.Array) -> Mask:
    """Which values are null."""
    if not texts.null_count:
        return np.zeros(len(texts), np.bool_)
    first, last = texts.offset, texts.offset + len(texts)
    bits = np.unpackbits(np.frombuffer(texts.buffers()[0], np.uint8)[first // 8 : last // 8 + 1], bitorder="little")
    nulls: Mask = bits[first % 8 : first % 8 + len(texts)] == 0
    return nulls


def bytes_of(texts: pa.StringArray) -> npt.NDArray[np.uint8]:
    """The bytes of all texts, one text behind the other."""
    _, ends, data = texts.buffers()
    if not len(texts) or data is None:
        return np.empty(0, np.uint8)
    first, last = np.frombuffer(ends, np.int32)[[texts.offset, texts.offset + len(texts)]]
    return np.frombuffer(data, np.uint8)[first:last]


def mask_of(found: Mask) -> pa.BooleanArray:
    """The same truth values, for Arrow's ``filter``."""
    return pa.BooleanArray.from_buffers(pa.bool_(), len(found), [None, pa.py_buffer(np.packbits(found, bitorder="little"))])


def chosen(which: npt.NDArray[Any], *texts: str) -> pa.StringArray:
    """One of the texts for each number; a truth value is 0 or 1."""
    data = [text.encode() for text in texts]
    ends = np.cumsum([0, *map(len, data)], dtype=np.int32)
    known = pa.StringArray.from_buffers(len(data), pa.py_buffer(ends), pa.py_buffer(b"".join(data)))
    return known.take(pa.Array.from_buffers(pa.int8(), len(which), [None, pa.py_buffer(which.astype(np.int8))]))
