"""Exports and checks, one engine after the other: a time is told once what lies in the bucket is what the table holds."""

from __future__ import annotations

import json
import shutil
from collections.abc import Sequence
from pathlib import Path
from statistics import median
from typing import Any

import duckdb

from benchmarks.command import Tell
from benchmarks.exporting import rows
from benchmarks.exporting.results import Exported, Results, Sizes
from benchmarks.exporting.ways import BUCKET, FORMS, OURS, PEERS
from benchmarks.exporting.worker import Exporter
from benchmarks.machine import busy
from benchmarks.processes import BenchmarkError
from sandbox.aws import AwsSandbox
from sandbox.environments import telling
from sandbox.warehouses.base import WarehouseSandbox
from sandbox.warehouses.duckdb import DuckDBSandbox
from sandbox.warehouses.postgres import PostgresSandbox

ENGINES = ("postgres", "duckdb")
"""What is read from. ``SqlToS3Operator`` reads from the first one only: DuckDB's hook gives no data frames."""


class Measurement:
    """One run of the benchmark.

    :param engines: of :data:`ENGINES`.
    :param folder: takes what the processes write.
    :param tell: is told how far it is.
    """

    def __init__(self, sizes: Sizes, engines: Sequence[str], folder: Path, tell: Tell) -> None:
        self._sizes, self._engines, self._folder, self._tell = sizes, engines, folder, tell
        self._results = Results(sizes)

    def __call__(self) -> Results:
        """Measure and check everything."""
        with telling(self._tell), DuckDBSandbox() as made, AwsSandbox("storage") as aws:
            self._database, self._aws = made.file, aws
            aws.bucket(BUCKET)
            for count in self._sizes.all():
                self._tell(f"making {count:,} rows")
                rows.make(made.file, count)
            self._wanted = {count: rows.expected(made.file, count) for count in self._sizes.all()}
            for engine in self._engines:
                try:
                    self._engine(made if engine == "duckdb" else PostgresSandbox())
                except (BenchmarkError, RuntimeError) as error:
                    self._tell(f"{engine}: FAILED: {error}")
                    self._results.failed[engine] = str(error)
        return self._results

    def _engine(self, sandbox: WarehouseSandbox) -> None:
        if not isinstance(sandbox, PostgresSandbox):
            self._forms(sandbox)
            return
        with sandbox:
            for count in self._sizes.all():
                self._tell(f"{sandbox.engine}: copying {count:,} rows")
                rows.copy(self._database, sandbox, count)
            self._forms(sandbox)

    def _forms(self, sandbox: WarehouseSandbox) -> None:
        sizes = self._sizes
        for form in FORMS:
            self._results.others += busy(1.0)
            self._export(sandbox, OURS, form, sizes.rows, repeat=sizes.repeat)
            if sizes.many > sizes.rows:
                self._export(sandbox, OURS, form, sizes.many)
            for way in PEERS if sandbox.engine == ENGINES[0] else ():
                self._peer(sandbox, way, form)

    def _peer(self, sandbox: WarehouseSandbox, way: str, form: str) -> None:
        sizes = self._sizes
        try:
            sample = self._export(sandbox, way, form, sizes.few)
            if sizes.few < sizes.rows and sample.seconds * sizes.rows / sizes.few <= sizes.patience:
                self._export(sandbox, way, form, sizes.rows)
        except BenchmarkError as error:
            self._tell(f"{sandbox.engine}: {way} to {form} does not work: {error}")
            self._results.broken[sandbox.engine, way, form] = str(error)

    def _export(self, sandbox: WarehouseSandbox, way: str, form: str, count: int, *, repeat: int = 1) -> Exported:
        """
        :raises BenchmarkError: if what lies in the bucket is not what the table holds; then no time is told.
        """
        with Exporter(way, sandbox, self._aws, self._folder) as exporter:
            exporter.do(table=rows.table_of(self._sizes.warm), form=form, folder="warm")
            outcome = exporter.do(repeat=repeat, table=rows.table_of(count), form=form, folder="all")
        size = self._check(sandbox.engine, way, form, count, outcome.found["manifest"])
        seconds = median(outcome.seconds)
        export = Exported(sandbox.engine, way, form, count, seconds, outcome.memory, outcome.peak, size)
        self._results.exports.append(export)
        grown = (export.peak - export.memory) >> 20
        self._tell(f"{sandbox.engine}: {way} exports {count:,} rows to {form} with {export.rate:,.0f} rows/s and {grown:,} MiB")
        return export

    def _check(self, engine: str, way: str, form: str, count: int, manifest: str | None) -> int:
        client, place = self._aws.client("s3"), self._folder / "read back"
        place.mkdir()
        try:
            keys = _listed(client) if manifest is None else _parts(client, manifest)
            files = [place / f"{number:05}" for number, _ in enumerate(keys)]
            for key, file in zip(keys, files, strict=True):
                client.download_file(BUCKET, key, str(file))
            wrong = self._wrong(way, form, count, files)
            if way == OURS:
                self._results.exact[engine, form, count] = wrong
            if wrong:
                raise BenchmarkError(f"content of {count:,} rows in {form} is wrong: {'; '.join(wrong)}")
            return sum(file.stat().st_size for file in files)
        finally:
            shutil.rmtree(place)
            for key in _listed(client, ""):
                client.delete_object(Bucket=BUCKET, Key=key)

    def _wrong(self, way: str, form: str, count: int, files: list[Path]) -> list[str]:
        """What differs from the table; of the others only what their types let one compare."""
        try:
            if way == OURS:
                return rows.differences(self._wanted[count], rows.found(files, form))
            totals, wanted = rows.totals(files, form), rows.expected_totals(self._database, count)
        except (duckdb.Error, ValueError) as error:
            return [str(error).partition("\n")[0]]
        return [] if totals == wanted else [f"rows, ids and amounts sum up to {totals}, not {wanted}"]


def _parts(client: Any, manifest: str) -> list[str]:
    """The keys of the parts that a manifest lists."""
    listed = json.loads(client.get_object(Bucket=BUCKET, Key=manifest)["Body"].read())
    return [str(file["key"]) for file in listed["files"]]


def _listed(client: Any, prefix: str = "all/") -> list[str]:
    pages = client.get_paginator("list_objects_v2").paginate(Bucket=BUCKET, Prefix=prefix)
    return [str(one["Key"]) for page in pages for one in page.get("Contents", ())]
