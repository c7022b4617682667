"""Checks and measures, one engine after the other."""

from __future__ import annotations

from collections.abc import Sequence
from pathlib import Path
from statistics import median

import pyarrow as pa

from benchmarks.command import Tell
from benchmarks.machine import busy
from benchmarks.ours import DUCKDB
from benchmarks.processes import BenchmarkError
from benchmarks.reading import rows
from benchmarks.reading.results import Reading, Results, Sizes
from benchmarks.reading.ways import OURS, PEERS
from benchmarks.reading.worker import Reader
from sandbox.environments import telling
from sandbox.warehouses import sandbox_of
from sandbox.warehouses.base import WarehouseSandbox

EXTRA: dict[str, dict[str, object]] = {"duckdb": {"config": DUCKDB}, "bigquery": {"use_legacy_sql": False}}
"""Engine -> fields of its connection: DuckDB sorts in the reading process, and ``get_df`` would ask BigQuery in legacy SQL."""


class Measurement:
    """One run of the benchmark.

    :param engines: keys of :data:`sandbox.warehouses.SANDBOXES`.
    :param folder: takes what the processes write.
    :param tell: is told how far it is.
    """

    def __init__(self, sizes: Sizes, engines: Sequence[str], folder: Path, tell: Tell) -> None:
        self._sizes, self._engines, self._folder, self._tell = sizes, engines, folder, tell
        self._results = Results(sizes)

    def __call__(self) -> Results:
        """Check and measure everything."""
        made = rows.make(max(self._sizes.all()))
        expected = rows.expected(made.slice(0, self._sizes.rows))
        for engine in self._engines:
            self._tell(f"{engine}: starting it")
            try:
                sandbox = sandbox_of(engine)
                sandbox.large = True
                with telling(self._tell), sandbox:
                    self._load(sandbox, made)
                    self._measure(sandbox, expected)
            except (BenchmarkError, RuntimeError, ImportError) as error:
                self._tell(f"{engine}: FAILED: {error}")
                self._results.failed[engine] = str(error)
        return self._results

    def _load(self, sandbox: WarehouseSandbox, made: pa.Table) -> None:
        for count in self._sizes.all():
            self._tell(f"{sandbox.engine}: loading {count:,} rows")
            table, part = rows.table_of(count), made.slice(0, count)
            if sandbox.engine == "snowflake":  # it reads names without quotes in upper case
                table, part = tuple(map(str.upper, table)), part.rename_columns([name.upper() for name in part.column_names])
            sandbox.load(table, part)

    def _measure(self, sandbox: WarehouseSandbox, expected: dict[str, int]) -> None:
        sizes = self._sizes
        self._check(sandbox, expected)
        self._results.others += busy(1.0)
        self._read(sandbox, OURS, sizes.rows, repeat=sizes.repeat)
        if sizes.many > sizes.rows:
            self._read(sandbox, OURS, sizes.many)
        for way in PEERS[sandbox.engine]:
            try:
                sample = self._read(sandbox, way, sizes.few)
                if sizes.few < sizes.rows and sample.seconds * sizes.rows / sizes.few <= sizes.patience:
                    self._read(sandbox, way, sizes.rows)
            except BenchmarkError as error:
                self._tell(f"{sandbox.engine}: {way} does not work: {error}")
                self._results.broken[sandbox.engine, way] = str(error)

    def _check(self, sandbox: WarehouseSandbox, expected: dict[str, int]) -> None:
        """
        :raises BenchmarkError: if the content is not exact; then no time is told.
        """
        with Reader(OURS, sandbox, self._folder, EXTRA.get(sandbox.engine, {})) as reader:
            found = reader.do(table=rows.table_of(self._sizes.rows), check=True).found
        wrong = rows.differences(expected, found)
        self._results.exact[sandbox.engine] = wrong
        if wrong:
            raise BenchmarkError(f"content of {self._sizes.rows:,} rows is wrong: {'; '.join(wrong)}")
        self._tell(f"{sandbox.engine}: content of {self._sizes.rows:,} rows is exact")

    def _read(self, sandbox: WarehouseSandbox, way: str, count: int, *, repeat: int = 1) -> Reading:
        with Reader(way, sandbox, self._folder, EXTRA.get(sandbox.engine, {})) as reader:
            reader.do(table=rows.table_of(self._sizes.warm))
            outcome = reader.do(repeat=repeat, table=rows.table_of(count))
        found, fetched = outcome.found["rows"], outcome.found["fetched"]
        if found != count:
            raise BenchmarkError(f"{found:,} rows came, not {count:,}")
        reading = Reading(sandbox.engine, way, count, median(outcome.seconds), outcome.memory, outcome.peak, fetched)
        self._results.readings.append(reading)
        self._tell(f"{sandbox.engine}: {way} reads {count:,} rows with {reading.rate:,.0f} rows/s")
        return reading
