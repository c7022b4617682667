"""A preview: what a run would read, reject and send, and what it would cost. Nothing is sent and no state changes."""

from __future__ import annotations

import json
import math
from collections import Counter
from contextlib import closing
from typing import Any

import pyarrow as pa
import pyarrow.compute as pc

from activation.cursor.window import Window
from activation.delivery.cutting import Cutting
from activation.operators.importing import Import
from activation.records.encoded import Encoded
from activation.records.shown import SHOWN, masked
from activation.warehouses.base import CURSOR

SAMPLE = 1_000
"""Rows that are looked at if the run has no limit."""


class Preview(Import):
    """One look at the next window."""

    def preview(self) -> dict[str, Any]:
        """Look.

        :returns: JSON: the window, the rows to read, and from a sample of them the rejects by reason, the estimated requests and
            data points (contracts: braze 2.6), and some items with masked values.
        :raises ConfigurationError: as :meth:`Import.__call__` does.
        """
        self._prepare()
        self._warehouse, table = self._source()
        with closing(self._warehouse):
            watermark = self._bind(table)
            opened = self._window(watermark)
            expected = self._warehouse.count(self._layout.extract, opened.window)
            encoded, plan, stamps = self._sample(opened.window)
        good, rejected = len(encoded.rows), len(encoded.rejected)
        items = [json.loads(bytes(encoded.data[encoded.offsets[at] : encoded.offsets[at + 1] - 1])) for at in range(good)]
        share = good / (good + rejected) if good + rejected else 0.0
        rows = min(expected, self._order.limit or expected)
        size = len(encoded.data) / good if good else 1.0
        per_request = max(1, min(plan.most, int(plan.most_bytes // size)))
        points = sum(_points(self._data, item) for item in items) / good if good else 0.0
        return {
            "pipeline": self._pipeline.id,
            "run": self._id,
            "status": "preview",
            "window": opened.window.to_json(),
            "rows": {"read": rows, "sampled": good + rejected, "rejected_of_sample": rejected},
            "timestamps": stamps,
            "reasons": dict(Counter(one.code for one in encoded.rejected)),
            "estimate": {
                "rows_sent": round(rows * share),
                "requests": math.ceil(rows * share / per_request),
                "data_points": round(rows * share * points),
                "exact": good + rejected >= rows,
            },
            "items": [masked(item) for item in items[:SHOWN]],
        }

    def _sample(self, window: Window) -> tuple[Encoded, Cutting, dict[str, int]]:
        parts = self._parts()
        with closing(parts.encoder):
            table = self._warehouse.preview(self._layout.extract, window, self._order.limit or SAMPLE)
            rows = pa.RecordBatch.from_arrays([_whole(column) for column in table.columns], schema=table.schema)
            encoded = parts.encoder.encode(rows)
        return encoded, parts.plan.cutting, _alike(table[CURSOR])


def _alike(stamps: pa.ChunkedArray) -> dict[str, int]:
    """How many cursor values there are, and how many rows share the most frequent one: rows that share the watermark's value may
    be read again by the next run, so large tables should have mostly distinct ones (contracts: braze 1.3).
    """
    counts = pc.value_counts(stamps).field(1)
    return {"distinct": len(counts), "most_alike": pc.max(counts).as_py() or 0}


def _whole(column: pa.ChunkedArray) -> pa.Array:
    return pa.concat_arrays(column.chunks) if column.num_chunks else pa.array([], column.type)


def _points(data: str, item: Any) -> int:
    """The data points of one item: each attribute, event and bought piece is one (contracts: braze 2.6)."""
    if data == "attributes":
        known = ("external_id", "user_alias", "braze_id", "_update_existing_only", "_merge_objects")
        return sum(key not in known for key in item)
    if data == "purchases":
        return int(item.get("quantity") or 1)
    return 1 if data == "events" else 0
