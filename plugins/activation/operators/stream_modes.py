"""What a stream of profiles does beside sending: show what it would send, and move its watermark."""

from __future__ import annotations

import base64
import json
from collections import Counter
from collections.abc import Iterator
from contextlib import closing
from itertools import islice
from typing import Any

import pyarrow as pa

from activation.cursor.window import Window
from activation.operators.resetting import Resetting
from activation.operators.streaming import Stream
from activation.records.encoded import Encoded
from activation.records.profiles.rows import EXTRACT
from activation.records.shown import SHOWN, masked

SAMPLE = 1_000
"""Profiles that are looked at if the run has no limit."""


class StreamPreview(Stream):
    """One look at the changes since the watermark. Nothing is sent and no state changes."""

    def preview(self) -> dict[str, Any]:
        """Look.

        :returns: JSON: the window, how many profiles may have changed, and from a sample of them the rejects by reason and some
            messages with masked values. What equals what was sent last is not left out.
        :raises ConfigurationError: as :meth:`Stream.__call__` does.
        """
        self._prepare()
        self._warehouse, table = self._source()
        with closing(self._warehouse):
            window = self._next(self._bind(table))
            expected = self._warehouse.count_changes(self._read, window)
            encoded = self._sample(self._order.limit or SAMPLE, window)
        return {
            "pipeline": self._pipeline.id,
            "run": self._id,
            "status": "preview",
            "window": window.to_json(),
            "rows": {"read": expected, "sampled": len(encoded.rows) + len(encoded.rejected) if encoded else 0},
            "reasons": dict(Counter(one.code for one in encoded.rejected)) if encoded else {},
            "items": [masked(message) for message in islice(_messages(encoded), SHOWN)] if encoded else [],
        }

    def _sample(self, most: int, window: Window) -> Encoded | None:
        rows = self._rows(window)
        with closing(rows.assembler), closing(self._encoder()) as encoder, closing(rows.batches(EXTRACT, window)) as batches:
            found: list[pa.RecordBatch] = []
            while (left := most - sum(batch.num_rows for batch in found)) > 0 and (batch := next(batches, None)) is not None:
                found.append(batch.slice(0, left))
            return encoder.encode(pa.Table.from_batches(found).combine_chunks().to_batches()[0]) if found else None


def _messages(encoded: Encoded) -> Iterator[Any]:
    """The messages of the good rows."""
    for first, end in zip(encoded.offsets[:-1], encoded.offsets[1:], strict=True):
        yield json.loads(base64.b64decode(json.loads(bytes(encoded.data[first : end - 1]))["Data"]))


class StreamReset(Resetting, Stream):
    """The reset of a stream: what was sent is forgotten, so the next run sends everybody whom it reads."""
