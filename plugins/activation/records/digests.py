"""A hash of each row's whole content, stable across versions, for the ``dedup`` boundary rule."""

from __future__ import annotations

from collections import Counter
from collections.abc import Mapping, Sequence

import numpy as np
import numpy.typing as npt
import pyarrow as pa

from activation.records.columnar import Projection
from activation.warehouses.base import CURSOR


class Digests:
    """Hashes rows and finds those that an earlier run has seen.

    :param columns: the text columns that make up a row, beside the cursor value.
    :param seen: row hash -> how often earlier runs saw it.
    """

    def __init__(self, columns: Sequence[str], seen: Mapping[str, int]) -> None:
        self._columns = (CURSOR, *columns)
        self._names = tuple(f"c{index}" for index in range(len(self._columns)))  # the own names may differ in case only
        texts = [f"CAST({name} AS VARCHAR)" for name in self._names]
        parts = ", ".join(f"coalesce(strlen({text}) || ':' || {text}, '-')" for text in texts)
        self._project = Projection(f"SELECT substr(md5(concat_ws(',', {parts})), 1, 16) AS digest FROM batch", self._names)
        self._left = Counter(seen)

    def of(self, batch: pa.RecordBatch) -> tuple[str, ...]:
        """The hash of each row: 16 hexadecimal digits of the MD5 of its content."""
        renamed = pa.record_batch([batch.column(name) for name in self._columns], names=self._names)
        return tuple(self._project(renamed).column("digest").to_pylist())

    def seen(self, digests: Sequence[str]) -> npt.NDArray[np.bool_]:
        """Which rows were seen before. Each one is used up, so a further equal row counts as new."""
        mask = np.zeros(len(digests), np.bool_)
        if not self._left:
            return mask
        for index, digest in enumerate(digests):
            if self._left.get(digest, 0) > 0:
                self._left[digest] -= 1
                mask[index] = True
        return mask

    def close(self) -> None:
        """Free the memory that the hashing holds."""
        self._project.close()
