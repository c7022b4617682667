"""Runs one SQL projection over Arrow batches in memory: DuckDB does in bulk what Arrow has no kernel for."""

from __future__ import annotations

import duckdb
import pyarrow as pa


class Projection:
    """A query over the rows of one batch, which stand in the table ``batch``; the order of the rows is kept.

    :param query: a SELECT without aggregates, joins or ORDER BY.
    :param columns: the columns that the query needs; one that a batch lacks is NULL.
    """

    def __init__(self, query: str, columns: tuple[str, ...]) -> None:
        self._columns = columns
        self._query = query
        self._connection = duckdb.connect(config={"threads": 1})
        self._connection.execute("SET preserve_insertion_order = true")

    def __call__(self, batch: pa.RecordBatch) -> pa.Table:
        """Project one batch.

        :param batch: text columns under the names that the select list uses.
        """
        missing = pa.nulls(batch.num_rows, pa.string())
        arrays = [batch.column(name) if name in batch.schema.names else missing for name in self._columns]
        self._connection.register("batch", pa.table(dict(zip(self._columns, arrays, strict=True))))
        try:
            return self._connection.sql(self._query).to_arrow_table()
        finally:
            self._connection.unregister("batch")

    def close(self) -> None:
        """Free the memory that DuckDB holds."""
        self._connection.close()
