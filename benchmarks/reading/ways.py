"""The ways to read a table: ours, and those that people take who have the official hook in their hands."""

from __future__ import annotations

from collections.abc import Callable
from contextlib import closing
from importlib import import_module
from typing import Any

import pyarrow as pa
import pyarrow.compute as pc

from benchmarks.reading.rows import CURSOR, KEY, NAMES, Sums
from benchmarks.worker import Contestant

CONNECTION = "benchmark_source"

OURS = "ours"

PEERS = {
    "duckdb": ("fetchall", "df"),
    "postgres": ("get_records", "get_df"),
    "snowflake": ("get_records", "get_df"),
    "redshift": ("get_records", "get_df"),
    "bigquery": ("client rows", "get_df"),
    "databricks": ("get_records", "get_df"),
}
"""Engine -> the other ways; ours is to be faster than the first. DuckDB's hook has only a connection. BigQuery's ``get_records``
can only be pointed at the service; the rows of its client come over the same REST interface."""

Read = Callable[[Any, str], Any]

NAIVE: dict[str, Read] = {
    "get_records": lambda hook, text: hook.get_records(text),
    "get_df": lambda hook, text: hook.get_df(text),
    "client rows": lambda hook, text: [row.values() for row in hook.get_client(hook.project_id).query_and_wait(text)],
    "fetchall": lambda hook, text: hook.get_conn().execute(text).fetchall(),
    "df": lambda hook, text: hook.get_conn().execute(text).df(),
}
"""Way -> how it reads all rows of a statement."""


def contestant(way: str, engine: str) -> Contestant:
    """Make what reads: it takes ``table``, the parts of the table's name, and gives the number of rows.

    Ours also takes ``check``; then it gives the checksums of :class:`~benchmarks.reading.rows.Sums`.
    """
    return _ours(engine) if way == OURS else _naive(NAIVE[way], engine)


def _ours(engine: str) -> Contestant:
    from activation.cursor.timestamps import from_text
    from activation.cursor.window import Window
    from activation.hooks.connections import open_source
    from activation.warehouses.base import Extract

    everything = Window(None, True, from_text("9999-12-31T23:59:59Z"), nulls=True)

    def read(table: list[str], check: bool = False) -> int | dict[str, int]:
        rows, sums = 0, Sums() if check else None
        with closing(open_source(engine, CONNECTION)) as warehouse:
            columns = {column.name.casefold(): column for column in warehouse.columns(tuple(table))}
            values = tuple(columns[name] for name in NAMES if name != CURSOR)
            extract = Extract(tuple(table), columns[CURSOR], (columns[KEY],), values)
            tick = warehouse.tick_of(extract)
            for batch in warehouse.batches(extract, everything):
                rows += batch.num_rows
                if sums is not None:
                    sums.add(_named(batch, tick))
        return rows if sums is None else sums.result()

    return read


def _named(batch: pa.RecordBatch, tick: int) -> pa.Table:
    """A batch with the column names of the rows, and nanoseconds instead of ticks."""
    cursor, *values = batch.columns
    names = [CURSOR, *(name for name in NAMES if name != CURSOR)]
    return pa.table([pc.multiply(cursor, tick), *values], names=names)


def _naive(way: Read, engine: str) -> Contestant:
    from activation.hooks.connections import HOOKS

    known = HOOKS[engine]
    module, _, name = known.path.partition(":")
    hook = getattr(import_module(module), name)

    def read(table: list[str]) -> int:
        return len(way(hook(**{known.argument: CONNECTION}), f"SELECT {', '.join(NAMES)} FROM {'.'.join(table)}"))

    return read
