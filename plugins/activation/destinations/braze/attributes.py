"""Encodes rows of the fixed user-data layout as objects of the ``attributes`` array of ``/users/track``."""

from __future__ import annotations

from collections.abc import Mapping

import numpy as np
import pyarrow as pa

from activation.records import identifiers, payload
from activation.records.arrays import to_numpy
from activation.records.columnar import Projection
from activation.records.encoded import Encoded, Rejected
from activation.records.rules import Rule, first_broken
from activation.warehouses.base import CURSOR

_NO_CURSOR = Rule("null_updated_at", f"{CURSOR} IS NULL", "The row has no cursor value; without one no run can select it.")
RULES = (_NO_CURSOR, *identifiers.RULES, *payload.RULES)


class AttributesEncoder:
    """An :class:`~activation.records.encoded.Encoder` for user attributes.

    :param roles: role (``external_id``, …, ``payload``) -> name of the column in the batches.
    :param update_existing_only: whether users that Braze does not know are left alone.
    """

    def __init__(self, roles: Mapping[str, str], *, update_existing_only: bool = False) -> None:
        self._roles = dict(roles)
        cleaned = ", ".join(f"nullif({column}, '') AS {column}" for column in identifiers.COLUMNS)
        switch = identifiers.switch(update_existing_only=update_existing_only)
        rest = r"substr(ltrim(payload, E' \t\r\n'), 2)"
        # An empty object leaves only its closing brace, and no comma may stand before that.
        tail = f"CASE WHEN len(keys) = 0 THEN '}}' ELSE ',' || {rest} END"
        self._project = Projection(
            f"""SELECT broken,
                    CASE WHEN broken IS NULL THEN '{{' || owner || {switch} || {tail} || ',' END AS body,
                    hash(owner) AS key
                FROM (SELECT *, {first_broken(RULES)} AS broken, {identifiers.USER} AS owner
                      FROM (SELECT {cleaned}, payload, {CURSOR}, {payload.KEYS} FROM batch))""",
            (*identifiers.COLUMNS, "payload", CURSOR),
        )

    def encode(self, batch: pa.RecordBatch) -> Encoded:
        """Encode one batch; see :class:`~activation.records.encoded.Encoded`."""
        names = [*self._roles, CURSOR]
        columns = [batch.column(name) for name in (*self._roles.values(), CURSOR)]
        table = self._project(pa.record_batch(columns, names=names))
        bad = to_numpy(table["broken"].is_valid(), np.bool_)
        broken = zip(np.flatnonzero(bad).tolist(), table["broken"].drop_null().to_pylist(), strict=True)
        rejected = tuple(Rejected(row, RULES[rule].code, RULES[rule].message) for row, rule in broken)
        data, offsets = _joined(table["body"])
        keys = to_numpy(table["key"], np.uint64)[~bad]
        return Encoded(data, offsets, np.flatnonzero(~bad), keys, rejected)

    def close(self) -> None:
        """Free the memory that the encoding holds."""
        self._project.close()


def _joined(bodies: pa.ChunkedArray) -> tuple[memoryview, np.ndarray]:
    """The good bodies as one buffer, with their offsets; Arrow keeps them so, nothing is copied unless a row is left out."""
    array = bodies.drop_null().combine_chunks()
    if isinstance(array, pa.ChunkedArray):
        array = pa.concat_arrays(array.chunks) if array.num_chunks else pa.array([], pa.string())
    width = np.int64 if pa.types.is_large_string(array.type) else np.int32
    offsets = np.frombuffer(array.buffers()[1], width, count=array.offset + len(array) + 1)[array.offset :]
    data = array.buffers()[2]
    return memoryview(data if data is not None else b""), offsets.astype(np.int64)
