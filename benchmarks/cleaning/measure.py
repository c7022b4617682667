"""Cleans and checks: a time is told once the files and the counts are what the table asks for."""

from __future__ import annotations

import shutil
from pathlib import Path
from statistics import median

from benchmarks.cleaning import rows
from benchmarks.cleaning.results import WAYS, Results, Run, Sizes
from benchmarks.cleaning.worker import Cleaner
from benchmarks.command import Tell
from benchmarks.machine import busy
from benchmarks.processes import BenchmarkError, Outcome


class Measurement:
    """One run of the benchmark.

    :param folder: takes the tables and what the processes write.
    :param tell: is told how far it is.
    """

    def __init__(self, sizes: Sizes, folder: Path, tell: Tell) -> None:
        self._sizes, self._folder, self._tell = sizes, folder, tell
        self._database = folder / "ids.duckdb"
        self._results = Results(sizes)

    def __call__(self) -> Results:
        """Measure and check everything."""
        for count in self._sizes.all():
            self._tell(f"making {count:,} rows")
            rows.make(self._database, count)
        self._wanted = {count: rows.expected(self._database, count) for count in self._sizes.all()}
        for way in WAYS:
            sizes = {self._sizes.few, self._sizes.rows, self._sizes.many} if way == WAYS[0] else {self._sizes.rows}
            try:
                for count in sorted(sizes):
                    self._results.others += busy(1.0)
                    self._clean(way, count, self._sizes.repeat if way == WAYS[0] and count == self._sizes.rows else 1)
            except BenchmarkError as error:
                self._tell(f"{way}: FAILED: {error}")
                self._results.broken[way] = str(error)
        return self._results

    def _clean(self, way: str, count: int, repeat: int) -> None:
        """
        :raises BenchmarkError: if the content is not exact; then no time is told.
        """
        with Cleaner(way, self._database, self._folder) as cleaner:
            self._one(cleaner, way, self._sizes.warm)
            outcomes = [self._one(cleaner, way, count) for _ in range(repeat)]
        seconds = median(outcome.seconds[0] for outcome in outcomes)
        run = Run(way, count, seconds, outcomes[0].memory, outcomes[-1].peak)
        self._results.runs.append(run)
        self._tell(f"{way}: {count:,} rows in {seconds:.2f} s with a peak of {run.peak >> 20:,} MiB")

    def _one(self, cleaner: Cleaner, way: str, count: int) -> Outcome:
        place = self._folder / "files"
        try:
            outcome = cleaner.do(rows=count, folder=str(place))
            wrong = self._wrong(count, dict(outcome.found))
            self._results.exact[way, count] = wrong
            if wrong:
                raise BenchmarkError(f"{count:,} rows are cleaned wrongly: {'; '.join(wrong)}")
            return outcome
        finally:
            shutil.rmtree(place, ignore_errors=True)

    def _wrong(self, count: int, found: rows.Found) -> list[str]:
        files = [Path(file) for file in found.pop("files")]
        if large := [file.name for file in files if file.stat().st_size > rows.LIMIT]:
            return [f"{', '.join(large)} has more than {rows.LIMIT:,} bytes"]
        found["lines"], found["sha256"] = rows.written(files)
        return rows.differences(self._wanted[count], found)
