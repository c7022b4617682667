"""Arrow arrays as numpy arrays and back, by their buffers.

Arrow's own conversions import pandas if it is installed, which costs a task's process a second and a half.
"""

from __future__ import annotations

from typing import Any

import numpy as np
import numpy.typing as npt
import pyarrow as pa


def to_numpy(array: pa.Array | pa.ChunkedArray, dtype: Any) -> npt.NDArray[Any]:
    """The values of an array of fixed width without NULLs, not copied where it has one chunk.

    :param dtype: the numpy type of the same width; ``np.bool_`` for booleans.
    """
    if isinstance(array, pa.ChunkedArray):  # concat_arrays copies a single one, too
        chunks = array.chunks or [pa.nulls(0, array.type)]
        array = chunks[0] if len(chunks) == 1 else pa.concat_arrays(chunks)
    if pa.types.is_boolean(array.type):
        return to_numpy(array.cast(pa.uint8()), np.uint8).astype(np.bool_)
    if not len(array):
        return np.empty(0, dtype)
    values: npt.NDArray[Any] = np.frombuffer(array.buffers()[1], dtype, count=array.offset + len(array))[array.offset :]
    return values


def to_arrow(indexes: npt.NDArray[np.int64]) -> pa.Array:
    """Whole numbers as an Arrow array."""
    return pa.Array.from_buffers(pa.int64(), len(indexes), [None, pa.py_buffer(np.ascontiguousarray(indexes, np.int64))])
