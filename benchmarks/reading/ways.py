"""The ways to read a table: ours, and those that people take who have the official hook in their hands."""

from __future__ import annotations

import time
from collections.abc import Callable
from contextlib import closing
from importlib import import_module
from typing import Any

import pyarrow as pa
import pyarrow.compute as pc

from benchmarks.reading.rows import CURSOR, NAMES, ORDER, Sums
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

Took = tuple[int, float | None]
"""Rows that were read, and seconds from the moment when the statement had its result; ``None`` where a hook hides that moment."""

Read = Callable[[Any, str], Took]


def _records(hook: Any, text: str) -> Took:
    """``get_records`` is ``run`` with a handler that fetches all rows; this one looks at the clock as well."""
    took: list[float] = []

    def fetch(cursor: Any) -> Any:
        began = time.perf_counter()
        rows = cursor.fetchall()
        took.append(time.perf_counter() - began)
        return rows

    return len(hook.run(text, handler=fetch)), took[0]


def _client_rows(hook: Any, text: str) -> Took:
    result = hook.get_client(hook.project_id).query_and_wait(text)
    began = time.perf_counter()
    return len([row.values() for row in result]), time.perf_counter() - began


NAIVE: dict[str, Read] = {
    "get_records": _records,
    "get_df": lambda hook, text: (len(hook.get_df(text)), None),
    "client rows": _client_rows,
    "fetchall": lambda hook, text: (len(hook.get_conn().execute(text).fetchall()), None),
    "df": lambda hook, text: (len(hook.get_conn().execute(text).df()), None),
}
"""Way -> how it reads all rows of a statement."""


def contestant(way: str, engine: str) -> Contestant:
    """Make what reads: it takes ``table``, the parts of the table's name, and gives the number of ``rows``, and in how many
    seconds they were ``fetched`` once the first ones were there.

    Ours also takes ``check``; then it gives the checksums of :class:`~benchmarks.reading.rows.Sums`.
    """
    return _ours(engine) if way == OURS else _naive(NAIVE[way], engine)


def _ours(engine: str) -> Contestant:
    from activation.cursor.timestamps import from_text
    from activation.cursor.window import Window
    from activation.hooks.connections import open_source
    from activation.warehouses.base import Extract

    everything = Window(None, True, from_text("9999-12-31T23:59:59Z"), nulls=True)

    def read(table: list[str], check: bool = False) -> dict[str, Any]:
        rows, sums, began = 0, Sums() if check else None, 0.0
        with closing(open_source(engine, CONNECTION)) as warehouse:
            columns = {column.name.casefold(): column for column in warehouse.columns(tuple(table))}
            values = tuple(columns[name] for name in NAMES if name != CURSOR)
            extract = Extract(tuple(table), columns[CURSOR], (columns[ORDER],), values)
            tick = warehouse.tick_of(extract)
            for batch in warehouse.batches(extract, everything):
                rows += batch.num_rows
                began = began or time.perf_counter()
                if sums is not None:
                    sums.add(_named(batch, tick))
        if sums is not None:
            return sums.result()
        return {"rows": rows, "fetched": time.perf_counter() - began}

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

    def read(table: list[str]) -> dict[str, Any]:
        # In the order of an import: whoever moves a watermark along has to ask for it, whatever reads the rows.
        text = f"SELECT {', '.join(NAMES)} FROM {'.'.join(table)} ORDER BY {CURSOR}, {ORDER}"
        rows, seconds = way(hook(**{known.argument: CONNECTION}), text)
        return {"rows": rows, "fetched": seconds}

    return read
