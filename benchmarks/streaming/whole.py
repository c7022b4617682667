"""Checks and measures the way from the warehouse: finding what changed, encoding it, and the whole run of the operator."""

from __future__ import annotations

from pathlib import Path
from statistics import median
from typing import Any

from benchmarks.command import Tell
from benchmarks.machine import busy
from benchmarks.processes import BenchmarkError, Outcome
from benchmarks.streaming import profiles, records
from benchmarks.streaming.naive import EARLIEST
from benchmarks.streaming.results import LATENCY, OURS, Found, Results, Sizes
from benchmarks.streaming.worker import Sender, Stub

NAIVE = "row by row"

SINCE = "2025-06-01"
"""Between the first state of the warehouse and its changes."""

WHOLE = 3
"""Times that all profiles are found and encoded; the median counts."""


class Whole:
    """The part of the benchmark that begins in the warehouse.

    :param results: takes what it finds out.
    """

    def __init__(self, sizes: Sizes, folder: Path, tell: Tell, stub: Stub, results: Results) -> None:
        self._sizes, self._folder, self._tell, self._stub, self._results = sizes, folder, tell, stub, results

    def __call__(self) -> None:
        """Check on a small warehouse, then measure on the large one.

        :raises BenchmarkError: if some content is wrong.
        """
        with Sender("warehouse", self._stub.url, self._folder) as ours, Sender("naive", self._stub.url, self._folder) as naive:
            self._ours, self._naive = ours, naive
            self._small()
            self._results.others += busy(1.0)
            self._large()

    def _small(self) -> None:
        database, count = self._folder / "small.duckdb", self._sizes.checked
        profiles.make(database, count)
        self._check(database, f"first run over {count:,} profiles", count)
        changed = profiles.change(database, count)
        self._check(database, f"{changed:,} of {count:,} profiles changed", changed, SINCE)

    def _large(self) -> None:
        database, count = self._folder / "large.duckdb", self._sizes.profiles
        self._tell(f"making {count:,} profiles")
        profiles.make(database, count)
        self._job(database, "keep")
        first = [self._detect(database, count) for _ in range(min(WHOLE, self._sizes.repeat))]
        self._results.found.append(self._median(first, count, [self._run(database, count)]))
        sample = min(self._sizes.sample, count)
        self._row_by_row(database, sample, sample)
        self._job(database, "keep")
        changed = profiles.change(database, count)
        some = [self._detect(database, changed) for _ in range(self._sizes.repeat)]
        runs = []
        for _ in range(self._sizes.repeat):
            runs.append(self._run(database, changed))
            self._job(database, "restore")
        self._results.found.append(self._median(some, count, runs))
        self._row_by_row(database, count, changed, SINCE)
        self._check(database, f"{changed:,} of {count:,} profiles changed", changed, SINCE)

    def _job(self, database: Path, job: str) -> Outcome:
        return self._ours.do(job=job, database=str(database))

    def _check(self, database: Path, what: str, count: int, since: str = EARLIEST) -> None:
        """
        :raises BenchmarkError: if the operator did not send exactly the messages that the script in Python makes.
        """
        self._stub.begin(keep=True)
        self._job(database, "run")
        self._stub.end()
        file = self._folder / "row by row"
        self._naive.do(database=str(database), most=count + 1, since=since, keep=str(file))
        expected = records.read(file, count + 1)
        wrong = records.differences(expected, self._stub.records())
        if len(expected) != count:
            wrong.append(f"{len(expected):,} profiles changed, not {count:,}")
        self._results.exact[f"from the warehouse, {what}"] = wrong
        if wrong:
            raise BenchmarkError(f"content of {what} is wrong: {'; '.join(wrong)}")
        self._tell(f"from the warehouse, {what}: exact")

    def _detect(self, database: Path, count: int) -> dict[str, Any]:
        outcome = self._job(database, "detect")
        self._job(database, "restore")
        found: dict[str, Any] = outcome.found
        if found["rows"] != count:
            raise BenchmarkError(f"{found['rows']:,} profiles were encoded, not {count:,}")
        self._tell(f"from the warehouse: {count:,} profiles found and encoded in {found['seconds']:.2f} s")
        return found

    def _run(self, database: Path, count: int) -> float:
        self._stub.begin(latency=LATENCY)
        outcome = self._job(database, "run")
        arrived = self._stub.end().records
        if arrived != count:
            raise BenchmarkError(f"{arrived:,} profiles arrived in a timed run, not {count:,}")
        self._tell(f"from the warehouse: the whole run of {count:,} changed profiles takes {outcome.seconds[0]:.2f} s")
        return outcome.seconds[0]

    def _median(self, found: list[dict[str, Any]], count: int, runs: list[float]) -> Found:
        one = sorted(found, key=lambda each: float(each["seconds"]))[len(found) // 2]
        return Found(OURS, count, one["rows"], one["seconds"], one["parts"], median(runs))

    def _row_by_row(self, database: Path, count: int, changed: int, since: str = EARLIEST) -> None:
        found = self._naive.do(database=str(database), most=changed, since=since).found
        if found["rows"] != changed:
            raise BenchmarkError(f"the script in Python found {found['rows']:,} profiles, not {changed:,}")
        self._results.found.append(Found(NAIVE, count, changed, found["seconds"]))
        self._tell(f"row by row: {changed:,} profiles in {found['seconds']:.2f} s")
