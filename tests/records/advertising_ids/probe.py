"""Cleans many ids and prints what it saw: ``python -m tests.records.advertising_ids.probe ROWS FOLDER``."""

from __future__ import annotations

import json
import sys
from collections.abc import Iterator
from pathlib import Path

import numpy as np
import pyarrow as pa

from activation.records.advertising_ids import IdRules, clean
from tests.contracts.source_probe import peak

_ROWS = 50_000


def ids(rows: int) -> Iterator[pa.RecordBatch]:
    """As many ids as rows, all different."""
    chance = np.random.default_rng(1)
    for start in range(0, rows, _ROWS):
        numbers = chance.integers(0, 1 << 63, (_ROWS, 2), np.uint64)
        numbers[:, 0] = np.arange(start + 1, start + _ROWS + 1)
        digits = np.frombuffer(numbers.astype(">u8").tobytes().hex().encode(), np.uint8).reshape(_ROWS, 32)
        texts = np.insert(digits, [8, 12, 16, 20], ord("-"), axis=1).tobytes()
        offsets = pa.py_buffer(np.arange(0, 36 * _ROWS + 1, 36, dtype=np.int32))
        yield pa.record_batch([pa.Array.from_buffers(pa.string(), _ROWS, [None, offsets, pa.py_buffer(texts)])], ["adid"])


def main(rows: int, place: Path) -> dict[str, object]:
    """Clean and write them."""
    with clean(ids(rows), "adid", IdRules(), place) as cleaned:
        parts = cleaned.parts(200_000_000)
        return {"ids": cleaned.ids, "bytes": [part.bytes for part in parts], "peak": peak()}


if __name__ == "__main__":
    print(json.dumps(main(int(sys.argv[1]), Path(sys.argv[2]))))
