"""Encodes rows as the items of a call: one form a data type, as SQL over the columns of a batch."""

from __future__ import annotations

from collections.abc import Mapping
from dataclasses import dataclass, replace

import numpy as np
import numpy.typing as npt
import pyarrow as pa

from activation.records.arrays import to_numpy
from activation.records.columnar import Projection
from activation.records.encoded import Encoded, Rejected
from activation.records.lint import SUSPECT, Lint
from activation.records.rules import Rule, first_broken
from activation.warehouses.base import CURSOR

NO_CURSOR = Rule("null_updated_at", f"{CURSOR} IS NULL", "The row has no cursor value; without one no run can select it.")


@dataclass(frozen=True, slots=True)
class Form:
    """How a row becomes an item. Empty texts count as NULL in all columns but ``payload``.

    :ivar columns: the roles that the expressions use.
    :ivar rules: what a row must fulfil, in their order.
    :ivar key: text that is equal for rows about the same thing, whose order must be kept.
    :ivar item: JSON text of a good row; it may use ``owner``, which is ``key``.
    :ivar group: which call the item goes to, a small whole number.
    :ivar parsed: a further select item over ``payload`` for rules and item.
    :ivar lint: whether nested values are looked into for what Braze drops in silence.
    """

    columns: tuple[str, ...]
    rules: tuple[Rule, ...]
    key: str
    item: str
    group: str = ""
    parsed: str = ""
    lint: bool = False


class ItemsEncoder:
    """An :class:`~activation.records.encoded.Encoder` for one form.

    :param roles: role -> name of the column in the batches; a role of the form that is not there is NULL.
    """

    def __init__(self, form: Form, roles: Mapping[str, str]) -> None:
        self._roles, self._form = dict(roles), form
        self._lint = Lint() if form.lint else None
        cleaned = [f"nullif({column}, '') AS {column}" for column in form.columns if column != "payload"]
        inner = ", ".join([*cleaned, *(["payload"] if "payload" in form.columns else []), CURSOR, *filter(None, [form.parsed])])
        more = f", CAST({form.group} AS UTINYINT) AS place" if form.group else ""
        more += f", CASE WHEN broken IS NULL THEN {SUSPECT} ELSE false END AS suspect" if form.lint else ""
        self._project = Projection(
            f"""SELECT broken, CASE WHEN broken IS NULL THEN {form.item} || ',' END AS body, hash(owner) AS key{more}
                FROM (SELECT *, {first_broken(form.rules)} AS broken, {form.key} AS owner FROM (SELECT {inner} FROM batch))""",
            (*form.columns, CURSOR),
        )

    def encode(self, batch: pa.RecordBatch) -> Encoded:
        """Encode one batch; see :class:`~activation.records.encoded.Encoded`."""
        names = [*self._roles, CURSOR]
        columns = [batch.column(name) for name in (*self._roles.values(), CURSOR)]
        table = self._project(pa.record_batch(columns, names=names))
        bad = to_numpy(table["broken"].is_valid(), np.bool_)
        rules = self._form.rules
        broken = {
            int(row): rules[rule] for row, rule in zip(np.flatnonzero(bad), table["broken"].drop_null().to_pylist(), strict=True)
        }
        data, offsets = _joined(table["body"])
        groups = to_numpy(table["place"].fill_null(0), np.uint8)[~bad] if self._form.group else None
        encoded = Encoded(data, offsets, np.flatnonzero(~bad), to_numpy(table["key"], np.uint64)[~bad], (), groups)
        if self._lint is not None:
            suspects = np.flatnonzero(to_numpy(table["suspect"], np.bool_))
            found = self._lint.broken(batch.column(self._roles["payload"]), suspects)
            if found:
                encoded = encoded.take(np.flatnonzero(~np.isin(encoded.rows, list(found))))
                broken |= found
        return replace(encoded, rejected=tuple(Rejected(row, rule.code, rule.message) for row, rule in sorted(broken.items())))

    def close(self) -> None:
        """Free the memory that the encoding holds."""
        self._project.close()
        if self._lint is not None:
            self._lint.close()


def _joined(bodies: pa.ChunkedArray) -> tuple[memoryview, npt.NDArray[np.int64]]:
    """The good bodies as one buffer, with their offsets; Arrow keeps them so, nothing is copied unless a row is left out."""
    array = bodies.drop_null().combine_chunks()
    if isinstance(array, pa.ChunkedArray):
        array = pa.concat_arrays(array.chunks) if array.num_chunks else pa.array([], pa.string())
    width = np.int64 if pa.types.is_large_string(array.type) else np.int32
    offsets = np.frombuffer(array.buffers()[1], width, count=array.offset + len(array) + 1)[array.offset :]
    data = array.buffers()[2]
    return memoryview(data if data is not None else b""), offsets.astype(np.int64)
