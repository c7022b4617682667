"""Checks and measures, one contestant after the other."""

from __future__ import annotations

from pathlib import Path
from statistics import median

from benchmarks import content, source
from benchmarks.command import Tell
from benchmarks.machine import busy
from benchmarks.processes import BenchmarkError, Place, Server, Worker, ceiling
from benchmarks.results import FLIGHTS, LATENCY, PEERS, Results, Sizes, Timing


class Measurement:
    """One run of the benchmark.

    :param folder: takes the database and what the processes write.
    :param tell: is told how far it is.
    """

    def __init__(self, sizes: Sizes, folder: Path, tell: Tell) -> None:
        self._sizes, self._folder, self._tell = sizes, folder, tell
        self._database = folder / "warehouse.duckdb"
        self._results = Results(sizes)

    def __call__(self) -> Results:
        """Check and measure everything."""
        self._tell(f"seeding tables with {', '.join(f'{rows:,}' for rows in sorted(self._sizes.all()))} rows")
        source.seed(self._database, self._sizes.all())
        with Server(self._folder) as server:
            self._server = server
            self._place = Place(server.url, str(self._database), str(self._folder))
            for name in ("ours", *PEERS):
                try:
                    self._contestant(name)
                except BenchmarkError as error:
                    self._tell(f"{name}: FAILED: {error}")
                    self._results.failed[name] = str(error)
            self._ceiling()
            if "ours" not in self._results.failed:
                self._memory()
        return self._results

    def _contestant(self, name: str) -> None:
        """Check one contestant's content, then time it."""
        sizes = self._sizes
        with Worker(name, self._place) as worker:
            self._check(worker, name, sizes.check)
            if name == "ours":
                self._check(worker, name, sizes.rows)
            self._results.others += busy(sizes.seconds / 3)
            for latency in (LATENCY, 0.0):
                if name == "ours":
                    for in_flight in FLIGHTS:
                        self._time(worker, name, latency, sizes.rows, in_flight=in_flight, repeat=sizes.repeat)
                else:
                    self._time(worker, name, latency, (sizes.slow if latency else sizes.quick)[name])

    def _check(self, worker: Worker, name: str, rows: int) -> None:
        """
        :raises BenchmarkError: if the content is not exact; then no time is told.
        """
        self._server.begin(keep=True)
        outcome = worker.run(rows, in_flight=FLIGHTS[-1])
        self._server.end()
        expected = [source.object_of(*row) for row in source.read(self._database, rows)]
        wrong = content.differences(expected, self._server.bodies())
        self._results.exact[name, rows] = wrong
        if name == "ours":
            self._results.first = self._results.first or outcome.seconds[0]
        if wrong:
            raise BenchmarkError(f"content of {rows:,} rows is wrong: {'; '.join(wrong)}")
        self._tell(f"{name}: content of {rows:,} rows is exact")

    def _time(self, worker: Worker, name: str, latency: float, rows: int, *, in_flight: int = 1, repeat: int = 1) -> None:
        self._server.begin(latency=latency)
        outcome = worker.run(rows, in_flight=in_flight, repeat=repeat)
        counts = self._server.end()
        if counts.objects != rows * repeat:
            raise BenchmarkError(f"{counts.objects:,} objects arrived in a timed run, not {rows * repeat:,}")
        timing = Timing(name, latency, in_flight, rows, counts.requests // repeat, median(outcome.seconds), outcome.cpu / repeat)
        self._results.timings.append(timing)
        self._tell(f"{name}: {latency * 1000:.0f} ms, {in_flight} in flight: {timing.rate:,.0f} rows/s")

    def _ceiling(self) -> None:
        for connections in FLIGHTS:
            self._server.begin()
            rate = ceiling(self._place, self._sizes.check, connections, self._sizes.seconds)
            self._server.end()
            self._results.ceilings[connections] = rate
            self._tell(f"server: {rate:,.0f} requests/s over {connections} connections")

    def _memory(self) -> None:
        for rows in self._sizes.memory:
            with Worker("ours", self._place) as worker:
                worker.run(self._sizes.check, in_flight=FLIGHTS[0])
                self._server.begin()
                outcome = worker.run(rows, in_flight=FLIGHTS[0])
                self._server.end()
            self._results.memory[rows] = (outcome.memory, outcome.peak)
            self._tell(f"ours: {rows:,} rows with a peak of {outcome.peak >> 20:,} MiB")
