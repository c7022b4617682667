"""Encoded rows of chosen sizes and users, without a warehouse or an encoder."""

from __future__ import annotations

from collections.abc import Sequence

import numpy as np
import pyarrow as pa

from activation.delivery.units import Chunk
from activation.records.encoded import Encoded, Rejected
from activation.warehouses.base import CURSOR


def encoded(sizes: Sequence[int], *, users: Sequence[int] = (), rows: Sequence[int] = (), lead: int = 0) -> Encoded:
    """Items of the given sizes, each with a comma behind it and a text of its own.

    :param lead: bytes of the buffer that belong to no item, as Arrow leaves them before a slice.
    """
    parts = [(str(number) * size)[:size].encode() + b"," for number, size in enumerate(sizes)]
    offsets = lead + np.cumsum([0, *map(len, parts)], dtype=np.int64)
    count = len(sizes)
    return Encoded(
        memoryview(b"#" * lead + b"".join(parts)),
        offsets,
        np.asarray(rows or range(count), np.int64),
        np.asarray(users or range(count), np.uint64),
        (),
    )


def chunk_of(users: Sequence[int | None]) -> Chunk:
    """A chunk of rows, one place each; a user of ``None`` stands for a rejected row."""
    good = [row for row, user in enumerate(users) if user is not None]
    known = [user for user in users if user is not None]
    base = encoded([1] * len(good), users=known, rows=good)
    bad = tuple(Rejected(row, "bad", "") for row, user in enumerate(users) if user is None)
    batch = pa.record_batch([pa.array(range(len(users)), pa.int64())], names=[CURSOR])
    return Chunk(batch, (), 1, Encoded(base.data, base.offsets, base.rows, base.keys, bad), np.ones(len(users), np.bool_))
