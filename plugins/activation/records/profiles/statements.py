"""The statements of an assembler, planned once a run in one DuckDB in memory."""

from __future__ import annotations

from collections.abc import Mapping
from typing import Any

import duckdb
import pyarrow as pa


class _Feed:
    """What DuckDB knows as a table: whenever a statement runs, it reads the rows that lie here."""

    def __init__(self, schema: pa.Schema) -> None:
        self.table = schema.empty_table()

    def __arrow_c_schema__(self) -> Any:
        return self.table.schema.__arrow_c_schema__()

    def __arrow_c_stream__(self, requested_schema: Any = None) -> Any:
        return self.table.__arrow_c_stream__(requested_schema)


class Statements:
    """Queries with joins, windows and aggregates, each over its own input and over tables that stay the same.

    :param tables: name -> a table that any query may use.
    """

    def __init__(self, tables: Mapping[str, pa.Table]) -> None:
        self._connection = duckdb.connect(config={"threads": 1})
        self._feeds: dict[str, _Feed] = {}
        for name, table in tables.items():
            self._connection.register(name, table)

    def add(self, name: str, schema: pa.Schema, query: str) -> None:
        """Plan a query.

        :param name: the table that stands for its input in the query.
        :param schema: the columns of the input.
        :param query: one SELECT that gives its rows in a definite order.
        """
        self._feeds[name] = feed = _Feed(schema)
        self._connection.register(name, feed)
        self._connection.execute(f"PREPARE of_{name} AS {query}")

    def run(self, name: str, rows: pa.Table) -> pa.Table:
        """Run a query over its input."""
        feed = self._feeds[name]
        feed.table = rows
        try:
            return self._connection.sql(f"EXECUTE of_{name}").to_arrow_table()
        finally:
            feed.table = rows.slice(0, 0)

    def close(self) -> None:
        """Free the memory that DuckDB holds."""
        self._connection.close()
