"""Between Arrow and numpy by their buffers alone.

``pyarrow.array``, ``pyarrow.scalar`` and ``to_numpy`` import pandas wherever it is installed, as it is beside Airflow: 40 MB that
a task would carry for nothing.
"""

from __future__ import annotations

import numpy as np
import numpy.typing as npt
import pyarrow as pa

Mask = npt.NDArray[np.bool_]


def lengths_of(texts: pa.StringArray) -> npt.NDArray[np.int32]:
    """Bytes of each text, 0 for null."""
    if not len(texts):
        return np.empty(0, np.int32)
    valid, ends, _ = texts.buffers()
    first, last = texts.offset, texts.offset + len(texts)
    lengths = np.diff(np.frombuffer(ends, np.int32)[first : last + 1])
    if texts.null_count:
        bits = np.unpackbits(np.frombuffer(valid, np.uint8)[first // 8 : last // 8 + 1], bitorder="little")
        lengths *= bits[first % 8 : first % 8 + len(texts)]
    return lengths


def mask_of(found: Mask) -> pa.BooleanArray:
    """The same truth values, for Arrow's ``filter``."""
    return pa.BooleanArray.from_buffers(pa.bool_(), len(found), [None, pa.py_buffer(np.packbits(found, bitorder="little"))])


def chosen(which: Mask, yes: str, no: str) -> pa.StringArray:
    """One of two texts for each truth value."""
    texts = [no.encode(), yes.encode()]
    ends = np.cumsum([0, *map(len, texts)], dtype=np.int32)
    both = pa.StringArray.from_buffers(2, pa.py_buffer(ends), pa.py_buffer(b"".join(texts)))
    return both.take(pa.Array.from_buffers(pa.int8(), len(which), [None, pa.py_buffer(which.view(np.int8))]))
