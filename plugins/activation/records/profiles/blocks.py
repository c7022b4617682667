"""Cuts the stream of a union's rows into blocks of whole profiles."""

from __future__ import annotations

from collections.abc import Iterable, Iterator

import numpy as np
import numpy.typing as npt
import pyarrow as pa
import pyarrow.compute as pc

from activation.errors import FatalError
from activation.records.arrays import to_numpy

ROWS = 98_304
"""Rows of the union after which a block is full: 16,384 profiles of six rows."""

BYTES = 16 * 1024 * 1024
"""Bytes after which a block is full."""


def blocks(batches: Iterable[pa.RecordBatch]) -> Iterator[pa.Table]:
    """Join and cut batches, so that no profile is cut in two; a profile that is larger than a block makes it larger.

    :param batches: ordered by the column ``id``.
    """
    ready: list[pa.RecordBatch] = []
    held: list[pa.RecordBatch] = []  # the rows of the last profile, of which more may come
    rows = size = 0
    for batch in batches:
        if not batch.num_rows:
            continue
        ids = batch.column("id")
        last = ids[batch.num_rows - 1]
        if held and held[-1].column("id")[0] == last:
            held.append(batch)
            continue
        start = pc.index(ids, last).as_py()
        ready += [*held, batch.slice(0, start)]
        rows += sum(one.num_rows for one in held) + start
        size += sum(one.nbytes for one in held) + ready[-1].nbytes
        held = [batch.slice(start)]
        if rows >= ROWS or size >= BYTES:
            yield pa.Table.from_batches(ready)
            ready, rows, size = [], 0, 0
    if ready or held:
        yield pa.Table.from_batches([*ready, *held])


def numbered(ids: pa.Array) -> npt.NDArray[np.int64]:
    """The number of each row's profile in its block; shape (rows,), the first is 0.

    :raises FatalError: if the rows are not in the order of their ids: a profile would be torn apart.
    """
    before, after = ids.slice(0, len(ids) - 1), ids.slice(1)
    if pc.any(pc.greater(before, after)).as_py():
        raise FatalError("The warehouse gave the profiles in another order than that of the code points of their ids.")
    return np.append(np.int64(0), np.cumsum(to_numpy(pc.not_equal(before, after), np.bool_), dtype=np.int64))
