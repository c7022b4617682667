"""Runs one SQL projection over Arrow batches in memory: DuckDB does in bulk what Arrow has no kernel for."""

from __future__ import annotations

from typing import Any

import duckdb
import pyarrow as pa


class _Feed:
    """What DuckDB knows as the table ``batch``: whenever the prepared statement runs, it reads the rows that lie here."""

    def __init__(self) -> None:
        self.table = pa.table({})

    def __arrow_c_schema__(self) -> Any:
        return self.table.schema.__arrow_c_schema__()

    def __arrow_c_stream__(self, requested_schema: Any = None) -> Any:
        return self.table.__arrow_c_stream__(requested_schema)


class Projection:
    """A query over the rows of one batch, which stand in the table ``batch``; the order of the rows is kept.

    It is planned once, not for each batch: planning a long query takes as long as running it over some thousand rows.

    :param query: a SELECT without aggregates, joins or ORDER BY.
    :param columns: the columns that the query needs; one that a batch lacks is NULL.
    """

    def __init__(self, query: str, columns: tuple[str, ...]) -> None:
        self._columns = columns
        self._query = query
        self._feed = _Feed()
        self._connection = duckdb.connect(config={"threads": 1})
        self._connection.execute("SET preserve_insertion_order = true")

    def __call__(self, batch: pa.RecordBatch) -> pa.Table:
        """Project one batch.

        :param batch: columns under the names that the select list uses.
        """
        missing = pa.nulls(batch.num_rows, pa.string())
        arrays = [batch.column(name) if name in batch.schema.names else missing for name in self._columns]
        table = pa.table(dict(zip(self._columns, arrays, strict=True)))
        known, self._feed.table = self._feed.table.schema, table
        if not known.equals(table.schema):
            self._connection.register("batch", self._feed)
            self._connection.execute(f"PREPARE projection AS {self._query}")
        try:
            return self._connection.sql("EXECUTE projection").to_arrow_table()
        finally:
            self._feed.table = table.slice(0, 0)

    def close(self) -> None:
        """Free the memory that DuckDB holds."""
        self._connection.close()
